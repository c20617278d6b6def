"""Swaps by clusters in one batch: changes are those of whole crystals, moves those of cut-outs."""

import copy
from typing import Any

import numpy as np
import pytest
from ase.build import bulk

from macro_ase.engines.patches.clusters import AtomMemory
from macro_ase.engines.swaps.cluster_energy import ClusterEnergy
from macro_ase.engines.swaps.cut_outs import CutOutEnergy
from macro_ase.engines.swaps.neighbours import nearest_pairs, neighbourhood
from macro_ase.engines.swaps.walks import Neighbours, Swap, SwapEnergy, Walk, go_together
from macro_ase.rng import kernel_state, stream
from macro_ase.site_cells import SiteCells
from macro_ase.systems.calculator_swaps import CalculatorSwaps

pytestmark = [pytest.mark.learn, pytest.mark.filterwarnings("ignore")]
SPECIES = ("Nb", "Mo")
NUMBERS = np.array([41, 42])
SAME_EV = 1e-6


@pytest.fixture(scope="module")
def strong(mace: Any) -> Any:
    """The small random model with energies that matter."""
    from mace.calculators import MACECalculator

    model = copy.deepcopy(mace.models[0])
    model.scale_shift.scale *= 1e4
    return MACECalculator(models=[model], device="cpu", default_dtype="float64")


def crystal(size: int) -> tuple[SiteCells, np.ndarray]:
    cells = SiteCells.of(bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size))[0]
    return cells, np.random.default_rng(0).integers(0, 2, cells.n_sites).astype(np.int8)


def energy_of(cells: SiteCells, codes: np.ndarray, calculator: Any) -> float:
    return float(calculator.get_potential_energy(cells.atoms(NUMBERS[codes])))


def walked(energy: SwapEnergy, cells: SiteCells, codes: np.ndarray) -> list[Walk]:
    """Of two patches and the whole, together."""
    near = neighbourhood(nearest_pairs(cells.atoms()), cells.n_sites)[0]
    neighbours, everywhere = Neighbours(near, cells.shells(2)), np.arange(cells.n_sites)
    walks = [
        Walk(energy.begin(codes, active), neighbours, 3, n_core, 16, 3000.0, kernel_state(own))
        for active, n_core, own in (
            (everywhere[:40], 25, stream(0, "walk", 0)),
            (everywhere[60:100], 40, stream(0, "walk", 1)),
            (everywhere, cells.n_sites, stream(0, "walk", 2)),
        )
    ]
    go_together(walks, energy)
    return walks


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 5], ids=["own images", "large"])
def test_changes_are_those_of_the_whole(strong: Any, size: int) -> None:
    """Two states at a time, along a row of swaps of which every other is made."""
    cells, codes = crystal(size)
    energy, rng = ClusterEnergy(cells, strong, NUMBERS), np.random.default_rng(1)
    states = [energy.begin(start, np.arange(cells.n_sites)) for start in (codes, 1 - codes)]
    largest = 0.0
    for turn in range(4):
        sites = rng.integers(cells.n_sites, size=2).tolist()
        swaps = [
            Swap(held, i, int(rng.choice(cells.shells(1)[0][i]))) for held, i in zip(states, sites)
        ]
        for swap, change in zip(swaps, energy.changes(swaps), strict=True):
            now = swap.held.occupation
            after = now.copy()
            after[[swap.i, swap.j]] = now[[swap.j, swap.i]]
            whole = energy_of(cells, after, strong) - energy_of(cells, now, strong)
            assert change == pytest.approx(whole, abs=SAME_EV)
            largest = max(largest, abs(whole))
            if turn % 2:
                energy.accept(swap)
                np.testing.assert_array_equal(swap.held.occupation, after)
    assert largest > 0.01


@pytest.mark.slow
def test_a_memory_that_keeps_no_moves_is_noticed(
    strong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next swap beside one that was made."""
    cells, codes = crystal(5)
    near = cells.shells(1)[0]
    i = int(np.flatnonzero(codes[near[:, 0]] != codes)[0])
    j, k = int(near[i, 0]), int(near[i, 1])
    changes = []
    for keeps in (True, False):
        energy = ClusterEnergy(cells, strong, NUMBERS)
        held = energy.begin(codes, np.arange(cells.n_sites))
        if not keeps:
            monkeypatch.setattr(AtomMemory, "keep", lambda self: None)
        energy.changes([Swap(held, i, j)])
        energy.accept(Swap(held, i, j))
        after = held.occupation.copy()
        after[[i, k]] = after[[k, i]]
        true = [energy_of(cells, own, strong) for own in (held.occupation, after)]
        changes.append(energy.changes([Swap(held, i, k)])[0] - (true[1] - true[0]))
    assert abs(changes[0]) < SAME_EV and abs(changes[1]) > 100 * SAME_EV


@pytest.mark.slow
def test_moves_are_those_of_cut_outs(strong: Any) -> None:
    cells, codes = crystal(5)
    some, others = (
        walked(kind(cells, strong, NUMBERS), cells, codes) for kind in (ClusterEnergy, CutOutEnergy)
    )
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one.held.occupation, other.held.occupation)
        np.testing.assert_array_equal(one.bonds, other.bonds)
        assert one.accepted == other.accepted
        np.testing.assert_array_equal(one.rng, other.rng)
    assert 5 < sum(walk.accepted for walk in some) < 24


@pytest.mark.slow
def test_a_study_takes_it_where_energies_come_in_batches(
    strong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, _ = crystal(5)
    kinds = []
    for halo_A in (0.0, 12.0):
        swaps = CalculatorSwaps("mace:own", SPECIES, 2, halo_A)
        monkeypatch.setattr(CalculatorSwaps, "_calculator", lambda self: strong)
        kinds.append(type(swaps._site_energy(cells)))
    assert kinds == [ClusterEnergy, CutOutEnergy]


def test_a_calculator_without_batches_is_refused() -> None:
    with pytest.raises(ValueError, match="no batched energies: use CutOutEnergy"):
        ClusterEnergy(crystal(2)[0], object(), NUMBERS)
