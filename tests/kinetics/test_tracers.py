"""Replay of a recorded walk: labels, displacements, jumps by species, sums over windows."""

import numpy as np
import pytest

from macro_ase.barriers import ConstantBarriers
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.kinetics.tracers import close_window, replay, replay_counting
from macro_ase.lattice import LATTICES, SiteGrid
from macro_ase.rng import kernel_state

HOPS = 3000


@pytest.mark.parametrize("lattice", ["bcc", "fcc", "cubic"])
def test_a_replay_ends_where_the_walk_does(lattice: str) -> None:
    grid = SiteGrid(LATTICES[lattice], (4, 3, 5))
    rng = np.random.default_rng(0)
    occupation = rng.integers(0, 2, grid.n_sites).astype(np.int8)
    occupation[rng.choice(grid.n_sites, 2, replace=False)] = 2
    model = ConstantBarriers({"Nb": 0.5, "Mo": 0.6}, lattice)
    walker = VacancyWalker(grid, occupation, model, 2000, kernel_state(1))
    trail = np.empty((HOPS, 2), dtype=np.int64)
    walker.advance(max_hops=HOPS, trail=trail)

    basis = np.array(grid.lattice.basis, dtype=np.int64)
    label, moved = np.arange(grid.n_sites), np.zeros((grid.n_sites, 3), dtype=np.int64)
    replay(walker.geometry, basis, trail, HOPS, label, moved)
    assert np.array_equal(occupation[label], walker.occupation)
    ends = np.empty(grid.n_sites, dtype=np.int64)
    ends[label] = np.arange(grid.n_sites)
    assert np.array_equal(grid.index(grid.coordinates + moved), ends)
    assert not moved.sum(axis=0).any(), "atoms and vacancies change places"

    again, far = np.arange(grid.n_sites), np.zeros_like(moved)
    jumps, squares, origin = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros_like(moved)
    for part in np.array_split(trail, 7):
        replay_counting(walker.geometry, basis, part, again, far, occupation, jumps)
    assert np.array_equal(again, label) and np.array_equal(far, moved)
    assert jumps.sum() == HOPS and jumps[2] == 0
    close_window(far, origin, occupation, squares)
    expected = np.bincount(occupation, (moved**2).sum(axis=1))
    assert squares.tolist() == expected.tolist() and np.array_equal(origin, far)
    close_window(far, origin, occupation, squares)
    assert squares.tolist() == expected.tolist()


def test_one_hop_has_the_length_of_a_neighbour() -> None:
    grid = SiteGrid(LATTICES["fcc"], (3, 3, 3))
    occupation = np.zeros(grid.n_sites, dtype=np.int8)
    occupation[7] = 1
    walker = VacancyWalker(
        grid, occupation, ConstantBarriers({"Cu": 0.7}, "fcc"), 900, kernel_state(2)
    )
    trail = np.empty((1, 2), dtype=np.int64)
    walker.advance(max_hops=1, trail=trail)
    label, moved = np.arange(grid.n_sites), np.zeros((grid.n_sites, 3), dtype=np.int64)
    basis = np.array(grid.lattice.basis, dtype=np.int64)
    replay(walker.geometry, basis, trail, 1, label, moved)
    assert sorted((moved**2).sum(axis=1))[-2:] == [2, 2]
