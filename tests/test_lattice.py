"""Site lattices against known shells and neighbours."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from macro_ase.lattice import BCC, LATTICES, SiteGrid, shell_neighbors

A = 3.24
SHELLS = {  # coordination numbers, squared lengths in units of (a/2)^2
    "bcc": ([8, 6, 12, 24, 8, 6], [3, 4, 8, 11, 12, 16]),
    "fcc": ([12, 6, 24, 12, 24, 8], [2, 4, 6, 8, 10, 12]),
    "cubic": ([6, 12, 8, 6, 24, 24], [4, 8, 12, 16, 20, 24]),
}
SIZES = [(3, 3, 3), (3, 4, 5), (6, 2, 3)]


@pytest.mark.parametrize("name", SHELLS)
def test_shells(name: str) -> None:
    numbers, lengths = SHELLS[name]
    shells = LATTICES[name].shells(len(numbers))
    assert [len(s) for s in shells] == numbers
    for vectors, length in zip(shells, lengths, strict=True):
        assert set((vectors**2).sum(axis=1).tolist()) == {length}
        present = set(map(tuple, vectors.tolist()))
        assert len(present) == len(vectors) and {tuple(-v for v in p) for p in present} == present
        assert vectors.tolist() == sorted(vectors.tolist())


def test_shells_are_copies_and_at_least_one() -> None:
    BCC.shells(1)[0][:] = 7
    assert np.abs(BCC.shells(1)[0]).max() == 1
    with pytest.raises(ValueError, match="number of shells must be at least 1, not 0"):
        BCC.shells(0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LATTICES)
def test_index_undoes_coordinates(name: str, size: tuple[int, int, int]) -> None:
    grid = SiteGrid(LATTICES[name], size)
    assert grid.coordinates.shape == (grid.n_sites, 3)
    assert np.all(grid.lattice.contains(grid.coordinates))
    np.testing.assert_array_equal(grid.index(grid.coordinates), np.arange(grid.n_sites))
    images = grid.coordinates + 2 * np.array(size) * np.array([1, -2, 3])
    np.testing.assert_array_equal(grid.index(images), np.arange(grid.n_sites))


@pytest.mark.parametrize("name", ["bcc", "fcc"])
def test_points_off_the_lattice_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"not all points are {name} sites"):
        SiteGrid(LATTICES[name], (3, 3, 3)).index([1, 0, 0])


@pytest.mark.parametrize("size", [(3, 3), (0, 3, 3), (2.5, 3, 3)])
def test_bad_sizes_are_refused(size: tuple) -> None:
    with pytest.raises(ValueError, match="three whole numbers of at least 1"):
        SiteGrid(BCC, size)


@pytest.mark.slow
@pytest.mark.parametrize("shell", [1, 2])
@pytest.mark.parametrize("name", LATTICES)
def test_neighbours_by_brute_force(name: str, shell: int) -> None:
    grid = SiteGrid(LATTICES[name], (3, 4, 5))
    vectors = grid.lattice.shells(shell)[-1]
    atoms = Atoms(
        ["X"] * grid.n_sites, grid.coordinates / 2, cell=np.array(grid.size, dtype=float), pbc=True
    )
    first, second, distance = neighbor_list("ijd", atoms, np.linalg.norm(vectors[0]) / 2 + 0.05)
    keep = distance > np.linalg.norm(vectors[0]) / 2 - 0.05
    expected = [sorted(second[keep & (first == s)]) for s in range(grid.n_sites)]
    np.testing.assert_array_equal(np.sort(grid.neighbors(vectors), axis=1), expected)


def test_the_table_of_first_neighbours_cannot_be_changed() -> None:
    table = shell_neighbors(SiteGrid(BCC, (3, 3, 3)))
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 1
