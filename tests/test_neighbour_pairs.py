"""The pairs that ASE finds, in cells of any shape and periodicity."""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from macro_ase.neighbour_pairs import neighbour_pairs

CUTOFF_A = 5.2


def crystal(size: tuple[int, int, int] = (4, 5, 3), cubic: bool = True, pbc=True) -> Atoms:
    """Rattled, some atoms some cells away."""
    atoms = bulk("Nb", a=3.24, cubic=cubic) * size
    atoms.rattle(0.1, seed=0)
    periods = np.random.default_rng(0).integers(-2, 3, (len(atoms), 3)) * pbc
    atoms.positions += periods @ atoms.cell.array
    atoms.pbc = pbc
    return atoms


def sheared() -> Atoms:
    atoms = crystal((3, 3, 3), cubic=False)
    shear = np.array([[1, 0, 0], [0.9, 1, 0], [0.7, -0.8, 1]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    return atoms


def without_a_cell() -> Atoms:
    atoms = crystal(pbc=(False, False, False))
    atoms.cell = np.zeros((3, 3))
    return atoms


def far_from_its_cell() -> Atoms:
    atoms = crystal(cubic=False, pbc=(False, True, False))
    atoms.positions += [900.0, 0.0, -70.0]
    return atoms


CASES: dict[str, Callable[[], Atoms]] = {
    "cubic": crystal,
    "skewed": lambda: crystal(cubic=False),
    "sheared": sheared,
    "single atom": lambda: bulk("Nb", a=3.24),
    "thin": lambda: crystal((1, 1, 6)),
    "thin and skewed": lambda: Atoms("Nb", cell=[[3, 0, 0], [2.9, 1.5, 0], [1, 1, 9]], pbc=True),
    "slab": lambda: crystal(pbc=(True, True, False)),
    "slab, normal not c": lambda: crystal(cubic=False, pbc=(False, True, True)),
    "wire": far_from_its_cell,
    "cluster": without_a_cell,
    "plane": lambda: Atoms("Nb3", positions=[[0, 0, 0], [2, 0, 0], [0, 3, 0]]),
    "one atom alone": lambda: Atoms("Nb"),
}


def in_order(i, j, distance, vector) -> tuple[np.ndarray, ...]:
    order = np.lexsort((*np.round(vector, 6).T, j, i))
    return i[order], j[order], distance[order], vector[order]


@pytest.mark.parametrize("name", CASES)
def test_pairs_are_those_of_ase(name: str) -> None:
    atoms = CASES[name]()
    found = neighbour_pairs(atoms, CUTOFF_A)
    assert np.all(np.diff(found.i) >= 0)
    for ours, theirs in zip(in_order(*found), in_order(*neighbor_list("ijdD", atoms, CUTOFF_A))):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_no_atoms_have_no_pairs() -> None:
    assert [len(column) for column in neighbour_pairs(Atoms(), CUTOFF_A)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("atoms", "words"),
    [
        (Atoms("Nb", positions=[[0, np.nan, 0]]), "not finite"),
        (Atoms("Nb", cell=[3, 3, 0], pbc=True), "not independent"),
    ],
)
def test_what_makes_no_sense_is_refused(atoms: Atoms, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        neighbour_pairs(atoms, CUTOFF_A)
