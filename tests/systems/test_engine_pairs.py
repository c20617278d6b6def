"""Pairs from any engine are those that the systems make, and a closure learns from them."""

from functools import cache

import numpy as np
import pytest
from ase import Atoms, units

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines.patches.evolution import DynamicsEvolution, MonteCarloEvolution
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.swaps.moves import NeighbourSwap
from macro_ase.lattice import shell_neighbors
from macro_ase.patches import Patch, Region
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.rng import stream
from macro_ase.systems.engine_pairs import engine_pairs

TEMPERATURE_K = 1500.0


@cache
def table() -> EAMTable:
    return EAMTable.read(path("NbMoTa.eam.alloy"))


def crystal(cells: int = 8) -> Atoms:
    return build_crystal("bcc", "NbMoTa", (cells,) * 3, lattice_constant_A=3.24, rng=0)


def quarter_masks(atoms: Atoms) -> list[np.ndarray]:
    """Blocks of half the edge along x and y, which tile the cell."""
    scaled = atoms.get_scaled_positions()
    blocks = [(scaled[:, :2] < 0.5 - 1e-9) == side for side in ((1, 1), (1, 0), (0, 1), (0, 0))]
    return [block.all(axis=1) for block in blocks]


def quarters(atoms: Atoms, buffer: bool = False) -> list[Patch]:
    """Patches of these, with a buffer below."""
    low = atoms.get_scaled_positions()[:, 2] < 0.1
    return [Patch.mask(m, ~m & low if buffer else None) for m in quarter_masks(atoms)]


def unlike_bonds(atoms: Atoms) -> np.ndarray:
    """Half of the Mo-Ta first-neighbour bonds of every atom."""
    sites = Crystal.from_atoms(atoms, species=("Nb", "Mo", "Ta"))
    around = sites.occupation[shell_neighbors(sites.grid, 1)]
    own = sites.occupation[:, None]
    share = 0.5 * ((own + around == 3) & (own * around == 2)).sum(axis=1)
    return share[sites.site_of_atom][:, None]


def swap_pairs(atoms: Atoms, n: int, counted: str = "all", dt: float = 0.1) -> np.ndarray:
    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), dt)
    return np.array(
        [
            engine_pairs(
                atoms, quarters(atoms), evolve, unlike_bonds, [1.0], k, stream(0, "e", k), counted
            ).dz[:, 0]
            for k in range(n)
        ]
    )


@pytest.mark.slow
def test_patches_of_an_engine_drift_as_the_whole() -> None:
    """Against the whole cell as one patch of itself."""
    atoms = crystal(6)
    patches = swap_pairs(atoms, 16, dt=0.4)
    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), 0.4)
    whole = []
    for k in range(16):
        after = atoms.copy()
        evolve_whole(after, evolve, stream(1, "w", k))
        whole.append((unlike_bonds(after) - unlike_bonds(atoms)).mean())
    mean, error = np.mean(whole), np.std(whole) / 16**0.5
    own = patches.std() / patches.size**0.5
    edge = 0.5 * abs(mean)  # frozen surroundings without a buffer hold the border back
    assert abs(patches.mean() - mean) < 4 * np.hypot(error, own) + edge
    assert np.sign(patches.mean()) == np.sign(mean) and abs(mean) > 10 * error


def evolve_whole(atoms: Atoms, evolve: MonteCarloEvolution, seed: np.random.SeedSequence) -> None:
    from macro_ase.engines.patches.mc import PatchMC

    engine = PatchMC(
        atoms, None, evolve.calculator, moves=evolve.moves, temperature_K=TEMPERATURE_K, rng=seed
    )
    engine.run(round(evolve.dt * len(atoms)))


def test_pairs_say_what_they_are_and_repeat() -> None:
    atoms = crystal(4)
    before = atoms.numbers.copy()
    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), 0.5)
    a, b = (
        engine_pairs(atoms, quarters(atoms), evolve, unlike_bonds, [0.5, 1], 7, stream(0, "e"))
        for _ in range(2)
    )
    np.testing.assert_array_equal(atoms.numbers, before)
    np.testing.assert_array_equal(a.dz, b.dz)
    assert a.n_patches.tolist() == [4] * 4 and a.condition.tolist() == [[0.5, 1]] * 4
    np.testing.assert_allclose(a.z0[:, 0], unlike_bonds(atoms).mean())
    with pytest.raises(ValueError, match="without a buffer"):
        engine_pairs(
            atoms, quarters(atoms, True), evolve, unlike_bonds, [1], 0, stream(0, "x"), "all"
        )


def test_dynamics_give_pairs_too() -> None:
    """Kinetic energy of a crystal at rest: patches take it from the potential's disorder."""
    atoms = crystal(4)
    atoms.rattle(0.1, seed=1)

    def kinetic(system: Atoms) -> np.ndarray:
        momenta = system.get_momenta()
        return 0.5 * (momenta**2).sum(axis=1, keepdims=True) / system.get_masses()[:, None]

    evolve = DynamicsEvolution(TableEAM(table()), 2 * units.fs, 5)
    pairs = engine_pairs(atoms, quarters(atoms), evolve, kinetic, [1.0], 0, stream(0, "d"))
    assert pairs.dt[0] == pytest.approx(10 * units.fs)
    atoms.calc = TableEAM(table())
    forces, masses = atoms.get_forces(), atoms.get_masses()
    impulse = 0.5 * ((forces * pairs.dt[0]) ** 2).sum(axis=1) / masses  # (F dt)^2 / 2m
    for core, dz in zip(quarter_masks(atoms), pairs.dz[:, 0]):
        assert dz == pytest.approx(impulse[core].mean(), rel=0.15)
    assert np.all(pairs.z0 == 0)


@pytest.mark.slow
@pytest.mark.learn
def test_a_trained_network_gives_pairs_as_a_table_does() -> None:
    """Fast quench of a random alloy: both potentials make Mo-Ta bonds."""
    pytest.importorskip("mace")
    from mace.calculators import MACECalculator

    model = str(path("NbMoTa-mace.model"))
    evolve = MonteCarloEvolution(
        MACECalculator(model_paths=model, device="cpu", default_dtype="float32"),
        300.0,
        NeighbourSwap(),
        0.5,
    )
    atoms = crystal(3)
    half = Patch.mask(atoms.get_scaled_positions()[:, 0] < 0.5)
    pairs = engine_pairs(atoms, [half], evolve, unlike_bonds, [1.0], 0, stream(0, "m"), "all")
    assert pairs.dz[0, 0] > 0 and pairs.n_patches.tolist() == [2]


@pytest.mark.slow
@pytest.mark.learn
def test_a_closure_learns_from_them() -> None:
    pytest.importorskip("torch")
    from macro_ase.learning.models.macro_model import Clock, MacroModel
    from macro_ase.learning.models.training import train
    from macro_ase.learning.options import TrainingOptions
    from macro_ase.learning.pairs import PairBatch

    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), 0.5)
    atoms, pairs = crystal(4), []
    for k in range(27):
        pairs.append(
            engine_pairs(atoms, quarters(atoms), evolve, unlike_bonds, [1.0], k, stream(0, "l", k))
        )
        evolve_whole(atoms, evolve, stream(2, "w", k))
    batch = PairBatch.of(pairs)
    assert len(batch) == 108 and len(np.unique(batch.snapshot)) == 27
    options = TrainingOptions("onsager", 8, 1, 1, 5, 16, 1e-2, 1e-4)
    trained = train(batch, options, 0, "test")
    drift, covariance = MacroModel(
        trained, options, ("MoTa",), 0.5, 32, Clock(np.ones(1), np.zeros(1))
    ).step_moments(batch.z0, [1.0])
    mean, error = batch.dz.mean(), batch.dz.std() / np.sqrt(len(batch))
    assert abs(drift.mean() - mean) < 4 * error
    assert covariance.mean() == pytest.approx(batch.dz.var(), rel=0.3)


class Marking:
    """An evolution that adds 1 to the tag of every atom of the core, and nothing else."""

    dt = 1.0

    def __call__(self, atoms: Atoms, patch: Patch, seed: np.random.SeedSequence) -> Region:
        region = patch.select(atoms)
        tags = atoms.get_tags()
        tags[region.core] += 1
        atoms.set_tags(tags)
        return region


def test_a_pair_stands_for_all_k_patches() -> None:
    """Tags rise by 1 in one patch, so by 1/K in the whole; dz is that times K, whatever K."""
    atoms = crystal(4)
    half = Patch.mask(atoms.get_scaled_positions()[:, 0] < 0.5 - 1e-9)
    for patches, k in (([half], 2), (quarters(atoms), 4)):
        pairs = engine_pairs(
            atoms, patches, Marking(), lambda a: a.get_tags() * 1.0, 1.0, 3, stream(0, "k")
        )
        np.testing.assert_allclose(pairs.dz, 1.0)
        changed = atoms.copy()
        Marking()(changed, patches[0], stream(0, "k"))
        whole = changed.get_tags().mean() - atoms.get_tags().mean()
        assert pairs.dz[0, 0] == pytest.approx(k * whole) and whole == pytest.approx(1 / k)
        assert pairs.n_patches.tolist() == [k] * len(patches)
        assert pairs.snapshot.tolist() == [3] * len(patches)


@pytest.mark.slow
def test_attempts_are_counted_per_active_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """dt attempts a site of core and buffer, with Poisson's spread; not of the core, nor of all."""
    counts: list[int] = []

    class Counting(PatchMC):
        def run(self, steps: int) -> bool:
            counts.append(steps)
            return True

    monkeypatch.setattr("macro_ase.engines.patches.evolution.PatchMC", Counting)
    atoms, dt, n = crystal(4), 20.0, 40
    patch = quarters(atoms, buffer=True)[0]
    region = patch.select(atoms)
    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), dt)
    for k in range(n):
        evolve(atoms, patch, stream(0, "count", k))
    expected, error = dt * len(region.active), np.sqrt(dt * len(region.active) / n)
    assert abs(np.mean(counts) - expected) < 4 * error
    assert np.var(counts) == pytest.approx(expected, rel=0.9)
    for wrong in (len(region.core), len(atoms)):
        assert abs(np.mean(counts) - dt * wrong) > 10 * error


def test_patches_of_one_snapshot_have_random_numbers_of_their_own() -> None:
    """The same patch twice: other moves, and the same again from the same seed."""
    atoms = crystal(4)
    patch = quarters(atoms)[0]
    evolve = MonteCarloEvolution(TableEAM(table()), TEMPERATURE_K, NeighbourSwap(), 1.0)
    dz = engine_pairs(atoms, [patch] * 6, evolve, unlike_bonds, 1.0, 0, stream(0, "s")).dz[:, 0]
    assert len(np.unique(dz)) > 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patches": []}, "there are no patches to evolve"),
        ({"counted": "buffer"}, 'counted must be "core" or "all", not .buffer.'),
        ({"condition": [np.nan]}, "condition is not finite"),
        ({"shares": lambda a: np.zeros(3)}, r"shares must have shape \(128, any\), not \(3, 1\)"),
        ({"shares": lambda a: a.positions * np.nan}, "shares is not finite"),
    ],
)
def test_what_makes_no_pairs_is_refused(changes: dict[str, object], message: str) -> None:
    atoms = crystal(4)
    given = {"patches": quarters(atoms), "evolve": Marking(), "shares": unlike_bonds,
             "condition": [1.0], "snapshot": 0, "seed": stream(0, "x")}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        engine_pairs(atoms, **(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("dt", [0.0, -1.0, np.nan])
def test_a_time_must_be_above_0(dt: float) -> None:
    with pytest.raises(ValueError, match=r"^dt .*(above 0|not finite)"):
        MonteCarloEvolution(TableEAM(table()), 300.0, NeighbourSwap(), dt)
    with pytest.raises(ValueError, match=r"^timestep .*(above 0|not finite)"):
        DynamicsEvolution(TableEAM(table()), dt, 5)
    with pytest.raises(ValueError, match="steps must be 1 or more, not 0"):
        DynamicsEvolution(TableEAM(table()), 1.0, 0)
