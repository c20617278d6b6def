"""Cells of sites: found in crystals of any lattice, hot or ordered, or refused."""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.build import build_crystal
from macro_ase.neighbour_pairs import neighbour_pairs
from macro_ase.site_cells import SiteCells

CRYSTALS = {
    "fcc": (bulk("Cu", cubic=True) * (3, 4, 3), "fcc", (3, 4, 3), (12, 6)),
    "bcc": (bulk("W", cubic=True) * (3, 3, 4), "bcc", (3, 3, 4), (8, 6)),
    "fcc, primitive": (bulk("Cu") * (4, 5, 6), "", (4, 5, 6), (12, 6)),
    "hcp": (bulk("Ti") * (4, 4, 3), "", (4, 4, 3), (12, 6)),
    "hcp, orthorhombic": (bulk("Ti", orthorhombic=True) * (4, 3, 3), "", (4, 3, 3), (12, 6)),
    "hcp, far from ideal": (bulk("Zn") * (4, 4, 3), "", (4, 4, 3), (6, 6)),
    "rocksalt is cubic": (bulk("NaCl", "rocksalt", a=5.6) * 4, "", (4, 4, 4), (6, 12)),
    "diamond": (bulk("Si") * (3, 4, 3), "", (3, 4, 3), (4, 12)),
}


@pytest.mark.parametrize(("atoms", "name", "size", "shells"), CRYSTALS.values(), ids=CRYSTALS)
def test_cells_of_hot_shuffled_crystals(
    atoms: Atoms, name: str, size: tuple[int, int, int], shells: tuple[int, ...]
) -> None:
    """Atoms of two kinds have the neighbours that their distances say."""
    rng = np.random.default_rng(0)
    distances = np.sort(atoms.get_distances(0, range(1, len(atoms)), mic=True))
    middle_A = float(distances[shells[0] - 1] + distances[shells[0]]) / 2
    hot = atoms[rng.permutation(len(atoms))]
    hot.numbers = rng.integers(1, 3, len(hot))
    hot.rattle(0.02, seed=1)
    hot.positions += 0.3
    hot.wrap()
    cells, numbers = SiteCells.of(hot)
    assert (cells.name, cells.size, cells.n_sites) == (name, size, len(hot))
    assert tuple(table.shape[1] for table in cells.shells(2)) == shells
    i, j, *_ = neighbour_pairs(hot, middle_A)
    direct = np.bincount(2 * hot.numbers[i] + hot.numbers[j] - 3, minlength=4).reshape(2, 2)
    np.testing.assert_array_equal(cells.bonds((numbers - 1).astype(np.int8), 1, 2)[0], direct)


def test_bonds_are_those_of_the_crystal() -> None:
    """Of an ordered L1_2 cell all is known: 12 A neighbours of a B atom, none of B."""
    atoms = bulk("Cu", cubic=True)
    atoms.numbers[0] = 79
    cells, numbers = SiteCells.of(atoms * (3, 3, 3))
    codes = (numbers == 79).astype(np.int8)
    first, second = cells.bonds(codes, 2, 2)
    assert first[1].tolist() == [12 * 27, 0] and second[1].tolist() == [0, 6 * 27]
    assert first.sum() == 12 * cells.n_sites and second.sum() == 6 * cells.n_sites


def test_numbering_is_that_of_blocks() -> None:
    atoms = build_crystal("bcc", "NbMo", (3, 4, 5), rng=0)
    cells, numbers = SiteCells.of(atoms)
    np.testing.assert_array_equal(numbers, atoms.numbers)
    assert cells.resized((2, 2, 2)).n_sites == 16


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.set_pbc((True, True, False)), "pbc along all"),
        (lambda a: a.pop(5), "vacant|off its lattice"),
        (lambda a: a.positions.__setitem__((7, 0), np.nan), "not finite"),
        (lambda a: a.rattle(1.0, seed=0), "off its lattice"),
    ],
)
def test_what_is_no_block_of_cells_is_refused(
    spoil: Callable[[Atoms], object], message: str
) -> None:
    for atoms in (bulk("Ti") * (4, 4, 3), bulk("Cu", cubic=True) * 3):
        spoil(atoms)
        with pytest.raises(ValueError, match=message) as error:
            SiteCells.of(atoms)
        assert "\n" not in str(error.value)


def test_sites_of_unlike_coordination_are_refused() -> None:
    fluorite = bulk("CaF2", "fluorite", a=5.5) * 3
    with pytest.raises(ValueError, match="neighbours in shell 1"):
        SiteCells.of(fluorite)[0].shells(1)
