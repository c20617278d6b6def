"""Patches in lockstep make the moves that each makes alone, by the energies that a move changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from engines.small_mace import small_mace

from macro_ase import Patch, PatchMC, run_in_lockstep
from macro_ase.engines.patches.cluster_sites import ClusterSites, batched_energies
from macro_ase.engines.patches.clusters import AtomMemory, Cluster, ClusterShape, SiteGraph
from macro_ase.engines.patches.evolution import AT_ONCE, MonteCarloEvolution, evolved
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import NeighbourSwap, Swap, Transmute, VacancySwap
from macro_ase.neighbour_pairs import neighbour_pairs
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table

SAME_EV = 1e-6
MOVES = [Swap(), NeighbourSwap(), VacancySwap()]


class RootOfBonds:
    """E_a = - sqrt(sum_b z_a z_b / r_ab) / 50, of many clusters."""

    cutoff_A, layers = 3.0, 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, clusters: Sequence[Cluster]) -> list[np.ndarray]:
        self.batches.append(len(clusters))
        return [self._of_centre(cluster.numbers, cluster.shape) for cluster in clusters]

    def _of_centre(self, numbers: np.ndarray, shape: ClusterShape) -> np.ndarray:
        bonds = shape.sender, shape.receiver, shape.vector_A
        return self.energies(numbers, *bonds)[shape.centre]

    def energies(self, numbers: Any, sender: Any, receiver: Any, vector_A: Any) -> np.ndarray:
        terms = numbers[sender] * numbers[receiver] / np.linalg.norm(vector_A, axis=1)
        return -np.sqrt(np.bincount(receiver, terms, len(numbers))) / 50


class Bonds(Calculator):
    """The same as an ASE calculator."""

    implemented_properties = ("energy",)
    receptive_field_A = 3.0

    def __init__(self, batched: RootOfBonds | None = None) -> None:
        super().__init__()
        self.batched_energies = batched

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        i, j, _, vector = neighbour_pairs(self.atoms, self.receptive_field_A)
        energies = RootOfBonds().energies(self.atoms.numbers, i, j, vector)
        self.results = {"energy": energies.sum()}


class Whole(Calculator):
    """The energy of another calculator, of which nothing else is known."""

    implemented_properties = ("energy",)

    def __init__(self, calculator: Any) -> None:
        super().__init__()
        self.calculator, self.reach_A = calculator, 12.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": self.calculator.get_potential_energy(self.atoms)}


def alloy(seed: int, size: int = 6, rattle_A: float = 0.0) -> Atoms:
    """NbMo with two vacancies at 0 and 9."""
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(seed).choice(["Nb", "Mo"], len(atoms))
    atoms.symbols[[0, 9]] = "X"
    atoms.rattle(rattle_A, seed=1)
    return atoms


def patches(calculator: Any, number: int, size: int = 6, **options: Any) -> list[PatchMC]:
    options = {"moves": MOVES, "temperature_K": 3000.0, "patch": Patch.sphere(0, 4.0)} | options
    return [PatchMC(alloy(n, size), calculator=calculator, rng=n, **options) for n in range(number)]


def outcome(engine: PatchMC) -> tuple[Any, ...]:
    atoms = engine.atoms
    return atoms.numbers.tolist(), engine.tally.tolist(), engine.rng_state.tolist(), engine.nsteps


def require_same(some: list[PatchMC], others: list[PatchMC]) -> None:
    for one, other in zip(some, others, strict=True):
        assert outcome(one) == outcome(other)
        assert one.energy_change_eV == pytest.approx(other.energy_change_eV, abs=SAME_EV)


@pytest.mark.slow
def test_any_potential_of_clusters_in_lockstep_alone_and_by_calls() -> None:
    batched, options = RootOfBonds(), {"moves": [*MOVES, Transmute()]}
    options["ensemble"] = SemiGrand({"Mo": 0.1, "Nb": 0.0})
    together, alone = (
        patches(Bonds(batched), 3, **options),
        patches(Bonds(RootOfBonds()), 3, **options),
    )
    by_calls, seen = patches(Bonds(), 3, **options), []
    together[1].attach(lambda: seen.append(together[1].nsteps), interval=40)
    batched.batches.clear()
    run_in_lockstep(together, [100, 150, 50])
    run_in_lockstep(together, [50, 0, 100])
    run_in_lockstep(by_calls, 150)
    for engine in alone:
        engine.run(150)
    require_same(together, alone)
    require_same(together, by_calls)
    assert seen == [0, 40, 80, 120] and set(batched.batches) == {1, 2, 3}
    assert all(0.1 < share < 0.95 for engine in together for share in engine.acceptance)
    assert not any(isinstance(engine._sites, ClusterSites) for engine in by_calls)


@pytest.mark.slow
def test_an_evolution_of_many_patches() -> None:
    batched, patch = RootOfBonds(), Patch.sphere(0, 4.0)
    evolution = MonteCarloEvolution(Bonds(batched), 3000.0, MOVES, dt=2.0)
    laid = [[(alloy(n), patch, np.random.SeedSequence(n)) for n in range(18)] for _ in range(2)]
    together = [
        (atoms.numbers.tolist(), region.core.tolist())
        for atoms, region in evolved(evolution, laid[0])
    ]
    assert max(batched.batches) == AT_ONCE
    for (atoms, _, seed), (numbers, core) in zip(laid[1], together, strict=True):
        start = atoms.numbers.tolist()
        region = evolution(atoms, patch, seed)
        assert (atoms.numbers.tolist(), region.core.tolist()) == (numbers, core)
        assert numbers != start


@pytest.mark.parametrize(("size", "rattle_A"), [(6, 0.1), (2, 0.0)], ids=["large", "own images"])
def test_only_the_energies_of_a_cluster_change(size: int, rattle_A: float) -> None:
    atoms, batched = alloy(3, size, rattle_A), RootOfBonds()
    graph, real = SiteGraph(atoms, batched.cutoff_A, batched.layers), atoms.numbers != 0
    before, after = np.zeros((2, len(atoms)))
    before[real] = batched([graph.whole(atoms.numbers)])[0]
    atoms.numbers[[5, 9]] = atoms.numbers[[9, 5]]
    changed, cluster = graph.around([5, 9], atoms.numbers)
    after[atoms.numbers != 0] = batched([graph.whole(atoms.numbers)])[0]
    inside = np.zeros(len(atoms))
    inside[changed[atoms.numbers[changed] != 0]] = batched([cluster])[0]
    np.testing.assert_allclose(inside[changed], after[changed], rtol=0, atol=1e-14)
    assert set(np.flatnonzero(before != after)) <= set(changed)
    assert after.sum() == pytest.approx(Bonds().get_potential_energy(atoms[atoms.numbers != 0]))
    assert size == 2 or len(changed) < len(cluster.numbers) < len(atoms) / 4


@pytest.fixture(scope="module")
def strong(mace: Any) -> Any:
    """The small random model with energies that matter."""
    mace.models[0].scale_shift.scale *= 1e4
    return mace


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_mace_in_lockstep_alone_and_by_calls_of_the_cut_out(strong: Any) -> None:
    together, alone = patches(strong, 3, size=4), patches(strong, 1, size=4)
    by_calls = patches(Whole(strong), 3, size=4)
    run_in_lockstep(together, 36)
    for engine in [*alone, *by_calls]:
        engine.run(36)
    require_same(together, by_calls)
    require_same(together[:1], alone)
    assert sum(engine.tally[:, 0].sum() for engine in together) == 108
    assert 20 < sum(engine.tally[:, 1].sum() for engine in together) < 75
    start, end = alloy(0, 4), together[0].atoms
    energies = [strong.get_potential_energy(a[a.numbers != 0]) for a in (start, end)]
    assert together[0].energy_change_eV == pytest.approx(energies[1] - energies[0], abs=SAME_EV)
    assert abs(together[0].energy_change_eV) > 0.1


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_layers_need_what_they_are_asked_for(strong: Any) -> None:
    """A move of one species, with and without a memory; in a layer that leaves out neighbours."""
    atoms, energies = alloy(0), batched_energies(strong)
    assert energies is not None and (energies.cutoff_A, energies.layers) == (3.0, 2)
    graph, real = SiteGraph(atoms, energies.cutoff_A, energies.layers), atoms.numbers != 0
    memory = AtomMemory(len(atoms))
    energies([graph.whole(atoms.numbers, memory)])
    memory.keep()
    atoms.symbols[20] = "Nb" if atoms.symbols[20] == "Mo" else "Mo"
    whole = np.zeros(len(atoms))
    whole[real] = energies([graph.whole(atoms.numbers)])[0]
    for known, n_atoms in ((None, 187), (memory, 90)):
        changed, cluster = graph.around([20], atoms.numbers, known)
        true, (first, last) = whole[changed[real[changed]]], cluster.shape.rows
        assert len(cluster.numbers) == n_atoms
        np.testing.assert_allclose(energies([cluster])[0], true, rtol=0, atol=1e-9)
        short = cluster._replace(shape=replace(cluster.shape, rows=(first[:1], last)))
        assert np.abs(energies([short])[0] - true).max() > 1e-3


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_models_of_a_committee_may_have_different_depths(strong: Any) -> None:
    from mace.calculators import MACECalculator

    shallow = small_mace(num_interactions=1, atomic_inter_scale=2e4)
    both = [strong.models[0], shallow.models[0]]
    committee = MACECalculator(models=both, device="cpu", default_dtype="float64")
    alone, by_calls = patches(committee, 1, size=4), patches(Whole(committee), 1, size=4)
    for engine in [*alone, *by_calls]:
        engine.run(30)
    require_same(alone, by_calls)
    assert alone[0].tally[:, 1].sum() > 5


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_single_precision() -> None:
    calculators = pytest.importorskip("mace.calculators")
    model = str(path("NbMoTa-mace.model"))
    single, double = (
        calculators.MACECalculator(model, device="cpu", default_dtype=precision)
        for precision in ("float32", "float64")
    )
    together, alone, exact = (patches(c, 2, size=4) for c in (single, single, double))
    run_in_lockstep([*together, *exact], 15)
    for engine in alone:
        engine.run(15)
    for one, same, other in zip(together, alone, exact):
        assert outcome(one) == outcome(same) == outcome(other)
        change = one.energy_change_eV
        assert change == pytest.approx(same.energy_change_eV, abs=1e-4)
        assert change == pytest.approx(other.energy_change_eV, abs=1e-4)
        assert change != other.energy_change_eV


def test_other_engines_run_one_after_another() -> None:
    calculator = TableEAM(zhou_table(("Mo", "Nb")))
    together, alone = patches(calculator, 2), patches(calculator, 2)
    run_in_lockstep(together, 50)
    for engine in alone:
        engine.run(50)
    require_same(together, alone)


def test_refusals() -> None:
    engine, *_ = engines = patches(Bonds(RootOfBonds()), 2)
    with pytest.raises(ValueError, match="every engine needs atoms of its own: give copies"):
        run_in_lockstep([engine, engine], 3)
    with pytest.raises(ValueError, match="attempts of 2 engines are needed, not of 1"):
        run_in_lockstep(engines, [3])
    with pytest.raises(ValueError, match="attempts"):
        run_in_lockstep(engines, [3, -1])
    assert [e.nsteps for e in engines] == [0, 0]
