"""Monte Carlo of patches behaves as drivers do: ramps, restarts, files, edits, refusals."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read
from engines.patches.atoms_and_laws import TABLE, Remembered, alloy, argon, energy

from macro_ase.engines.patches.mc import PatchMC
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


@pytest.mark.slow
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
