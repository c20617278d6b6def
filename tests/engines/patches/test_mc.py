"""Monte Carlo of patches: exact against the whole cell, against enumeration, as ASE drivers do."""

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.harmonic import SpringCalculator
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read
from scipy import stats

from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.receptive_field import reach, receptive_field
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import (
    Displacement,
    Move,
    NeighbourSwap,
    Swap,
    Transmute,
    VacancySwap,
)
from macro_ase.engines.temperature import Ramp
from macro_ase.patches import Patch
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table
from macro_ase.statistics import standard_error

TABLE = zhou_table()
FOUR_SIGMA = 6.3e-5


class Remembered(Calculator):
    """Another calculator that is asked once for each arrangement of the species."""

    implemented_properties = ("energy",)

    def __init__(self, calculator: Any) -> None:
        super().__init__()
        self.calculator, self.known = calculator, {}
        self.reach_A = 2.5

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        key = self.atoms.numbers.tobytes() + self.atoms.positions.tobytes()
        if key not in self.known:
            self.known[key] = self.calculator.get_potential_energy(self.atoms)
        self.results = {"energy": self.known[key]}


class Dimer(Calculator):
    """Lennard-Jones energy of two atoms, in units of its own."""

    implemented_properties = ("energy",)
    reach_A = 3.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        r = np.linalg.norm(self.atoms.positions[0] - self.atoms.positions[1])
        self.results = {"energy": 4 * (r**-12 - r**-6)}


def alloy(size: int = 5, seed: int = 0) -> Atoms:
    """NbMoTa with a vacancy at 40."""
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(seed).choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.symbols[40] = "X"
    atoms.calc = TableEAM(TABLE)
    return atoms


def energy(atoms: Atoms, calculator: Any) -> float:
    return float(calculator.get_potential_energy(atoms[atoms.numbers != 0]))


def argon() -> Atoms:
    atoms = bulk("Ar", "fcc", 5.3, cubic=True) * (4, 4, 4)
    atoms.rattle(0.1, seed=0)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0103, rc=6.0)
    return atoms


CASES: dict[str, tuple[Callable[[], Atoms], Patch, list[Move], int]] = {
    "table": (alloy, Patch.sphere(40, 4.0, 2.0), [Swap(), NeighbourSwap(), VacancySwap()], 3000),
    "table and displacements": (alloy, Patch.sphere(40, 3.0), [Swap(), Displacement(2.0, 0.2)], 40),
    "Lennard-Jones": (argon, Patch.sphere(9, 4.5, 1.0), [Displacement(width_A=0.4)], 60),
}


@pytest.mark.parametrize("name", CASES)
def test_energy_changes_are_those_of_the_whole_and_the_rest_stays(name: str) -> None:
    make, patch, moves, steps = CASES[name]
    atoms, start = make(), make()
    mc = PatchMC(atoms, patch, moves=moves, temperature_K=900.0, rng=0)
    mc.run(steps)
    assert mc.compiled == (name == "table")
    change = energy(atoms, atoms.calc) - energy(start, atoms.calc)
    assert mc.energy_change_eV == pytest.approx(change, abs=1e-9)
    moved = (atoms.numbers != start.numbers) | (atoms.positions != start.positions).any(axis=1)
    assert 1 < moved.sum() and np.all(np.isin(np.flatnonzero(moved), mc.region.active))
    assert atoms.symbols.formula.count() == start.symbols.formula.count()
    assert mc.tally[:, 0].sum() == steps and all(0 < share < 1 for share in mc.acceptance)


def test_an_atom_that_wanders_gets_a_new_cut_out() -> None:
    atoms, start = argon(), argon()
    mc = PatchMC(
        atoms, Patch.sphere(9, 3.0), moves=Displacement(width_A=3.0), temperature_K=5000.0, rng=1
    )
    first = mc._sites
    mc.run(60)
    assert mc._sites is not first
    change = energy(atoms, atoms.calc) - energy(start, atoms.calc)
    assert mc.energy_change_eV == pytest.approx(change, abs=1e-9)


def test_kernel_and_calculator_make_the_same_moves() -> None:
    patch, ensemble = Patch.sphere(40, 4.0, 2.0), SemiGrand({"Mo": 0.1, "Nb": 0.0})
    moves = [Swap(), NeighbourSwap(), VacancySwap(), Transmute()]

    class ByCalls(Calculator):
        implemented_properties = ("energy",)
        reach_A = 2 * TABLE.cutoff_A

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results = {"energy": TableEAM(TABLE).get_potential_energy(self.atoms)}

    runs = []
    for calculator in (TableEAM(zhou_table(("Mo", "Nb", "Ta"))), ByCalls()):
        atoms = alloy()
        mc = PatchMC(
            atoms, patch, calculator, moves=moves, temperature_K=2000.0, rng=4, ensemble=ensemble
        )
        mc.run(150)
        runs.append((atoms.get_chemical_symbols(), mc.tally.tolist(), mc.compiled))
    assert runs[0][:2] == runs[1][:2] and runs[0][2] and not runs[1][2]


def arrangements_of(atoms: Atoms, active: np.ndarray, calculator: Any, kT: float) -> dict:
    found = {}
    for numbers in sorted(set(itertools.permutations(atoms.numbers[active].tolist()))):
        changed = atoms.copy()
        changed.numbers[active] = numbers
        found[numbers] = energy(changed, calculator)
    low = min(found.values())
    weight = {key: np.exp(-(value - low) / kT) for key, value in found.items()}
    return {key: value / sum(weight.values()) for key, value in weight.items()}


def chi_square(counts: dict, probability: dict) -> float:
    total = sum(counts.values())
    observed = [counts.get(key, 0) for key in probability]
    return float(stats.chisquare(observed, total * np.array(list(probability.values()))).pvalue)


def small_alloy(symbols: tuple[str, ...], structure: str, a: float) -> Atoms:
    atoms = bulk(symbols[0], structure, a, cubic=True) * (2, 2, 2)
    atoms.symbols[:] = np.random.default_rng(3).choice(symbols, len(atoms))
    return atoms


GENERIC = {
    "EMT": (lambda: EMT(), ("Cu", "Au"), "fcc", 3.9, 700.0),
    "table": (lambda: TableEAM(TABLE), ("Nb", "Mo", "Ta"), "bcc", 3.24, 1000.0),
}


@pytest.mark.parametrize("name", GENERIC)
def test_swaps_by_calls_sample_the_exact_distribution(name: str) -> None:
    make, symbols, structure, a, temperature_K = GENERIC[name]
    atoms, active = small_alloy(symbols, structure, a), np.array([0, 1, 2, 6])
    atoms.symbols[active] = [symbols[0], symbols[1], symbols[-1], symbols[0]]
    start, calculator = atoms.copy(), make()
    mask = np.isin(np.arange(len(atoms)), active)
    mc = PatchMC(
        atoms,
        Patch.mask(mask),
        Remembered(calculator),
        moves=Swap(),
        temperature_K=temperature_K,
        rng=2,
        halo_A=30.0,
    )
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(1500):
        mc.run(10)
        key = tuple(atoms.numbers[active].tolist())
        counts[key] = counts.get(key, 0) + 1
    right = arrangements_of(start, active, calculator, units.kB * temperature_K)
    wrong = arrangements_of(start, active, calculator, units.kB * temperature_K * 2)
    assert chi_square(counts, right) > FOUR_SIGMA > chi_square(counts, wrong)


def test_an_atom_on_a_spring_spreads_as_it_must() -> None:
    atoms = Atoms("Ar", positions=[[1.0, 2.0, 3.0]])
    spring = SpringCalculator(atoms.positions.copy(), 2.0)
    mc = PatchMC(atoms, None, spring, moves=Displacement(width_A=0.6), temperature_K=600.0, rng=0)
    places = []
    mc.attach(lambda: places.append(atoms.positions[0] - [1.0, 2.0, 3.0]), interval=5)
    mc.run(12_000)
    square = (np.array(places[10:]) ** 2).sum(axis=1)
    expected, error = 3 * units.kB * 600.0 / 2.0, standard_error(square)
    assert abs(square.mean() - expected) < 4 * error < 0.2 * expected
    assert abs(square.mean() - 1.25 * expected) > 4 * error


def test_a_dimer_keeps_to_its_law() -> None:
    """p(r) ~ r^2 exp(-U(r) / kT) for one atom around another that is frozen."""
    atoms, kT = Atoms("Ar2", positions=[[0.0, 0, 0], [1.12, 0, 0]]), 0.12
    mc = PatchMC(
        atoms,
        Patch.mask([False, True]),
        Dimer(),
        moves=Displacement(width_A=0.25),
        temperature_K=kT / units.kB,
        rng=3,
    )
    lengths = []
    mc.attach(lambda: lengths.append(atoms.get_distance(0, 1)), interval=4)
    mc.run(6_000)
    r = np.linspace(0.8, 2.0, 4000)
    for factor, agrees in ((1.0, True), (1.6, False)):
        weight = r**2 * np.exp(-4 * (r**-12.0 - r**-6.0) / (factor * kT))
        mean, error = (r * weight).sum() / weight.sum(), standard_error(np.array(lengths[50:]))
        assert (abs(np.mean(lengths[50:]) - mean) < 4 * error) == agrees


def test_a_ramp_and_the_seed_hold_in_any_pieces() -> None:
    results = []
    for interval in (7, 1000):
        atoms = alloy()
        mc = PatchMC(
            atoms,
            Patch.sphere(40, 4.0),
            moves=[Swap(), VacancySwap()],
            temperature_K=Ramp(3000.0, 300.0, 400),
            rng=0,
        )
        mc.attach(lambda: None, interval=interval)
        mc.run(500)
        assert mc.temperature_K == 300.0
        results.append((atoms.numbers.tobytes(), mc.rng_state.tolist()))
    assert results[0] == results[1]


@pytest.mark.parametrize("moves", [[Swap(), VacancySwap()], [Swap(), Displacement(3.0, 0.3)]])
def test_restart_continues_bit_for_bit(moves: list[Move], tmp_path: Path) -> None:
    def make(rng: int, patch: Patch | None = None) -> PatchMC:
        patch = Patch.sphere(40, 3.0) if patch is None else patch
        return PatchMC(alloy(), patch, moves=moves, temperature_K=1500.0, rng=rng)

    whole, fresh = make(1), make(9, Patch.sphere(40, 3.5))
    whole.run(25)
    whole.write_restart(tmp_path / "state.npz")
    whole.run(25)
    fresh.read_restart(tmp_path / "state.npz")
    fresh.run(25)
    assert fresh.atoms.positions.tobytes() == whole.atoms.positions.tobytes()
    assert fresh.atoms.get_chemical_symbols() == whole.atoms.get_chemical_symbols()
    assert fresh.energy_change_eV == whole.energy_change_eV and fresh.nsteps == 50
    assert fresh.tally.tolist() == whole.tally.tolist()
    other = PatchMC(alloy(), moves=moves, temperature_K=1400.0)
    with pytest.raises(ValueError, match="temperature 1500, not 1400"):
        other.read_restart(tmp_path / "state.npz")


def test_patches_move_and_files_are_written(tmp_path: Path) -> None:
    atoms = alloy()
    mc = PatchMC(
        atoms,
        Patch.sphere(40, 3.0),
        temperature_K=1500.0,
        rng=0,
        loginterval=100,
        logfile=tmp_path / "log",
        trajectory=tmp_path / "run.traj",
    )
    mc.run(100)
    first = mc.region.core
    mc.move_to(Patch.sphere((1.0, 2.0, 3.0), 4.0))
    assert [False for _ in mc.irun(100)] and not np.array_equal(first, mc.region.core)
    mc.move_to(None)
    mc.run(100)
    assert len(mc.region.core) == len(atoms)
    change = energy(atoms, atoms.calc) - energy(alloy(), atoms.calc)
    assert mc.energy_change_eV == pytest.approx(change, abs=1e-9)
    frames = read(tmp_path / "run.traj", ":")
    assert len(frames) == 4 and np.array_equal(frames[-1].numbers, atoms.numbers)
    assert len((tmp_path / "log").read_text().splitlines()) == 5
    assert mc.todict()["driver"] == "PatchMC" and ("Mo", "Nb") not in mc.pair_acceptance
    assert 0 < mc.pair_acceptance["Nb", "Mo"] < 1


@pytest.mark.parametrize("shift_A", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("by_calls", [False, True])
def test_what_others_did_is_taken_up(shift_A: float, by_calls: bool) -> None:
    atoms, start, rng = alloy(), alloy(), np.random.default_rng(0)
    calculator = Remembered(TableEAM(TABLE)) if by_calls else TableEAM(TABLE)
    calculator.reach_A = 2 * TABLE.cutoff_A
    mc = PatchMC(atoms, Patch.sphere(40, 3.0, 1.0), calculator, temperature_K=2000.0, rng=0)
    for _ in range(3):
        mc.run(10)
        active = mc.region.active
        before = energy(atoms, start.calc) - mc.energy_change_eV
        atoms.numbers[active] = rng.permutation(atoms.numbers[active])
        atoms.positions[active] += shift_A * rng.uniform(-1, 1, (len(active), 3)) / 3**0.5
        theirs = energy(atoms, start.calc) - before - mc.energy_change_eV
        mc.read_atoms()
        mc.run(10)
        after = energy(atoms, start.calc) - mc.energy_change_eV
        assert after - before == pytest.approx(theirs, abs=1e-8)
    assert mc.tally[:, 1].sum() > 5


def test_only_what_has_gone_far_is_cut_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    atoms, cuts = alloy(), []
    mc = PatchMC(atoms, Patch.sphere(40, 3.0), temperature_K=2000.0, rng=0)
    cut = mc._cut_out
    monkeypatch.setattr(mc, "_cut_out", lambda atoms: cuts.append(len(atoms)) or cut(atoms))
    for step_A, expected in ((0.0, 0), (0.1, 1), (0.1, 1), (0.1, 1), (0.6, 2)):
        atoms.positions[mc.region.core[0], 0] += step_A
        mc.read_atoms()
        assert len(cuts) == expected


def make(calculator: Any = None, **settings: Any) -> PatchMC:
    return PatchMC(
        alloy(),
        settings.pop("patch", Patch.sphere(0, 4.0)),
        calculator,
        **{"temperature_K": 1000.0, **settings},
    )


class Broken(Calculator):
    implemented_properties = ("energy",)
    reach_A = 4.0

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        super().calculate(*args, **kwargs)
        self.results = {"energy": np.nan}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature_K": 0.0}, "temperature"),
        ({"temperature_K": lambda step: -5.0}, "temperature"),
        ({"temperature_K": lambda step: np.nan}, "temperature"),
        ({"moves": []}, "moves are such as"),
        ({"moves": "swap"}, "moves are such as"),
        ({"moves": [NeighbourSwap(), Displacement()]}, "sites that stay"),
        ({"moves": VacancySwap(), "patch": Patch.sphere(0, 2.9)}, "needs a vacancy"),
        ({"moves": Transmute()}, "go together"),
        ({"ensemble": SemiGrand({"Nb": 0.0, "Mo": 0.1})}, "go together"),
        ({"moves": Transmute(), "ensemble": SemiGrand({"Nb": 0.0, "W": 0.1})}, "names W"),
        ({"halo_A": -1.0}, "halo_A must be above 0"),
        ({"patch": Patch.sphere(0, 40.0)}, "swallows"),
        ({"calculator": Broken()}, "the energy that Broken gives is nan"),
        ({"calculator": EMT()}, "EMT cannot give the energy of"),
        ({"calculator": Calculator()}, "give halo_A"),
        ({"calculator": Calculator(), "halo_A": 5.0}, "Calculator cannot give the energy"),
    ],
)
def test_bad_input_is_refused(settings: dict[str, Any], words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=words):
            make(**settings)


def test_fixed_atoms_are_not_displaced() -> None:
    atoms = argon()
    fixed = Patch.sphere(9, 4.5).select(atoms).core[::2]
    atoms.set_constraint(FixAtoms(fixed))
    before = atoms.positions.copy()
    settings = {"moves": Displacement(width_A=0.1), "temperature_K": 500.0, "rng": 0}
    mc = PatchMC(atoms, Patch.sphere(9, 4.5), **settings)
    mc.run(60)
    moved = (atoms.positions != before).any(axis=1)
    assert not moved[fixed].any() and moved[mc.region.core].sum() > 2
    atoms.set_constraint(FixBondLength(0, 1))
    with pytest.raises(ValueError, match="only FixAtoms"):
        PatchMC(atoms, **settings)


def test_a_ramp_takes_time() -> None:
    with pytest.raises(ValueError, match="steps of a ramp must be 1 or more"):
        Ramp(300.0, 600.0, 0)


def test_a_calculator_is_needed() -> None:
    atoms = alloy()
    atoms.calc = None
    with pytest.raises(ValueError, match="give a calculator"):
        PatchMC(atoms, temperature_K=300.0)


MACE_CUTOFF_A = 3.0


@pytest.fixture(scope="module")
def mace() -> Any:
    """A small random MACE model of two layers, in double precision."""
    torch = pytest.importorskip("torch")
    modules = pytest.importorskip("mace.modules")
    from e3nn import o3
    from mace.calculators import MACECalculator

    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    interaction = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=MACE_CUTOFF_A,
        num_bessel=4,
        num_polynomial_cutoff=5,
        max_ell=1,
        interaction_cls=interaction,
        interaction_cls_first=interaction,
        num_interactions=2,
        num_elements=2,
        hidden_irreps=o3.Irreps("4x0e"),
        MLP_irreps=o3.Irreps("4x0e"),
        atomic_energies=np.array([0.0, 0.3]),
        avg_num_neighbors=8.0,
        atomic_numbers=[41, 42],
        correlation=2,
        gate=torch.nn.functional.silu,
        atomic_inter_scale=2.0,
        atomic_inter_shift=0.0,
    )
    yield MACECalculator(models=[model], device="cpu", default_dtype="float64")
    torch.set_default_dtype(torch.float32)


def niobium_molybdenum(size: int) -> Atoms:
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(1).choice(["Nb", "Mo"], len(atoms))
    return atoms


@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_energy_changes_with_mace_are_those_of_the_whole(mace: Any) -> None:
    assert receptive_field(mace) == 2 * MACE_CUTOFF_A and reach(mace) == 4 * MACE_CUTOFF_A
    atoms = niobium_molybdenum(10)
    atoms.symbols[0] = "X"
    start = atoms.copy()
    mc = PatchMC(
        atoms,
        Patch.sphere(0, 2.9),
        mace,
        moves=[Swap(), Displacement(width_A=0.05)],
        temperature_K=5000.0,
        rng=0,
    )
    mc.run(8)
    assert mc.tally[:, 1].sum() > 1 and len(mc._sites.cut.atoms) < len(atoms)
    after, before = (mace.get_potential_energy(a[a.numbers != 0]) for a in (atoms, start))
    assert mc.energy_change_eV == pytest.approx(after - before, abs=1e-9)


@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_swaps_with_mace_sample_the_exact_distribution(mace: Any) -> None:
    atoms, active = niobium_molybdenum(2), np.array([0, 1, 2, 6, 9])
    atoms.numbers[active] = [41, 41, 42, 42, 42]
    start, mask = atoms.copy(), np.isin(np.arange(len(atoms)), active)
    changed = arrangements_of(start, active, mace, 1.0)
    spread = np.std(np.log(list(changed.values())))
    temperature_K = spread / units.kB
    mc = PatchMC(
        atoms,
        Patch.mask(mask),
        Remembered(mace),
        temperature_K=temperature_K,
        rng=2,
        halo_A=30.0,
    )
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(2000):
        mc.run(10)
        key = tuple(atoms.numbers[active].tolist())
        counts[key] = counts.get(key, 0) + 1
    right, wrong = (arrangements_of(start, active, mace, f * spread) for f in (1.0, 1.5))
    assert chi_square(counts, right) > FOUR_SIGMA > chi_square(counts, wrong)
