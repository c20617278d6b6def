"""Sites of crystals in supercells of any shape: the same with and without noise, with holes."""

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from macro_ase import short_range_order, short_range_order_trajectory
from macro_ase.observables import shells as shells_module

LATTICES = {"bcc": (3.2, [8, 6]), "fcc": (3.9, [12, 6]), "sc": (2.8, [6, 12])}
SKEW = [[5, 1, -2], [0, 6, 1], [2, -1, 5]]


def alloy(lattice, shape, strain=0.0, seed=0):
    """A random binary alloy of a primitive cell repeated, turned and strained."""
    a, rng = LATTICES[lattice][0], np.random.default_rng(seed)
    if shape == "block":
        atoms = bulk("Mo", lattice, a=a, cubic=True) * (5, 4, 6)
    elif shape == "primitive":
        atoms = bulk("Mo", lattice, a=a) * (6, 5, 7)
    elif shape == "left-handed":
        atoms = bulk("Mo", lattice, a=a) * (6, 5, 7)
        atoms.set_cell(atoms.cell[[1, 0, 2]])
    elif shape == "tilted block":
        atoms = make_supercell(
            bulk("Mo", lattice, a=a, cubic=True), [[4, 4, 0], [-4, 4, 0], [0, 0, 5]]
        )
    else:
        atoms = make_supercell(bulk("Mo", lattice, a=a), SKEW)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    stretch = np.eye(3) + strain * rng.uniform(-1, 1, (3, 3))
    atoms.set_cell(atoms.cell.array @ stretch @ turn, scale_atoms=True)
    atoms.symbols = rng.choice(["Mo", "Nb"], len(atoms), p=[0.4, 0.6])
    return atoms


def shaken(atoms, rms_A, seed=1):
    moved = atoms.copy()
    rng = np.random.default_rng(seed)
    moved.positions += rng.normal(0, rms_A / np.sqrt(3), moved.positions.shape)
    moved.positions += 11.1 + rng.integers(-2, 3, (len(atoms), 3)) @ moved.cell.array
    return moved


@pytest.mark.parametrize("shape", ["block", "primitive", "left-handed", "tilted block", "skew"])
@pytest.mark.parametrize("lattice", LATTICES)
def test_the_same_sites_with_and_without_noise(lattice: str, shape: str) -> None:
    a, z = LATTICES[lattice]
    perfect = short_range_order(alloy(lattice, shape))
    by_distance = short_range_order(alloy(lattice, shape), cutoffs_A=1.05 * perfect.radii_A)
    assert perfect.lattice == lattice and perfect.coordination.tolist() == z
    np.testing.assert_array_equal(perfect.bonds, by_distance.bonds)
    nearest_A = a * {"bcc": 3**0.5 / 2, "fcc": 0.5**0.5, "sc": 1.0}[lattice]
    for strain, rms in ((0.02, 0.0), (0.0, 0.17), (0.02, 0.17)):
        atoms = shaken(alloy(lattice, shape, strain), rms * nearest_A)
        order = short_range_order(atoms)
        assert order.cutoffs_A is None and order.lattice == lattice
        np.testing.assert_array_equal(order.bonds, perfect.bonds)


@pytest.mark.parametrize("rms_A", [0.0, 0.35])
@pytest.mark.parametrize("shape", ["block", "primitive", "skew"])
@pytest.mark.parametrize("lattice", LATTICES)
def test_deleted_atoms_are_vacancies(lattice: str, shape: str, rms_A: float) -> None:
    marked = alloy(lattice, shape)
    gone = np.random.default_rng(5).choice(len(marked), len(marked) // 15, replace=False)
    kept = shaken(marked, rms_A)
    del kept[gone]
    marked.symbols[gone] = "X"
    order = short_range_order(kept)
    assert order.coordination.tolist() == LATTICES[lattice][1]
    assert order.notes == (
        f"{len(gone)} of {len(marked)} sites hold no atom: taken for vacancies (X)",
    )
    np.testing.assert_array_equal(order.bonds, short_range_order(marked).bonds)


def test_a_surplus_atom_leaves_shells_by_distance_and_a_warning() -> None:
    atoms = alloy("bcc", "block")
    atoms += Atoms("Mo", [atoms.positions[0] + 0.25 * atoms.cell[0] / 5])
    with pytest.warns(UserWarning, match=r"neighbours in shell \d, where bcc has"):
        order = short_range_order(atoms)
    assert order.cutoffs_A is not None


def test_holes_of_other_lattices_are_warned_of() -> None:
    atoms = bulk("Mg", "hcp", a=3.2, c=3.2 * np.sqrt(8 / 3)) * (8, 8, 6)
    short_range_order(atoms)
    del atoms[::25]
    with pytest.warns(UserWarning, match=r"11\.5\d* neighbours in shell 1, where hcp has 12"):
        short_range_order(atoms)


@pytest.mark.parametrize("shape", ["block", "skew"])
def test_the_lattice_of_a_trajectory_is_recognised_once(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    atoms = alloy("bcc", shape)
    frames = [shaken(atoms, 0.3, seed) for seed in range(4)]
    for growth, frame in enumerate(frames):
        frame.set_cell(frame.cell * (1 + 0.005 * growth), scale_atoms=True)
    looked = []
    for name in ("find_block", "find_supercell", "lattice_by_distances"):
        found = getattr(shells_module, name)
        monkeypatch.setattr(shells_module, name, lambda *a, f=found: (looked.append(1), f(*a))[1])
    order = short_range_order_trajectory(frames)
    assert len(looked) <= 3
    np.testing.assert_array_equal(order.bonds, short_range_order(atoms).bonds)
    assert np.all(order.alpha_error[:, :2, :2] == 0)


def test_a_strain_beyond_the_lattice_is_not_put_on_its_sites() -> None:
    atoms = bulk("Cu", "fcc", a=3.8, cubic=True) * (4, 4, 4)
    atoms.set_cell(atoms.cell.array * [1, 1, 0.95], scale_atoms=True)
    assert short_range_order(atoms).coordination.tolist() == [12, 6]
    atoms.set_cell(atoms.cell.array * [1, 1, 0.9], scale_atoms=True)
    assert short_range_order(atoms, 1).lattice is None


def test_unlike_sites_with_whole_numbers_are_not_warned_of() -> None:
    fluorite = bulk("CaF2", "fluorite", a=5.46) * (3, 3, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        order = short_range_order(fluorite, 1)
    assert order.neighbors[0, :2].tolist() == [8, 4]
    del fluorite[5]
    with pytest.warns(UserWarning, match="no whole number"):
        short_range_order(fluorite, 1)


def test_a_flipped_box_is_found_again_and_an_opened_one_is_refused() -> None:
    """LAMMPS adds one box vector to another when a box has been sheared far."""
    atoms = alloy("bcc", "block")
    flipped = shaken(atoms, 0.2)
    flipped.set_cell(flipped.cell.array + [[0, 0, 0], [0, 0, 0], flipped.cell[0]])
    order = short_range_order_trajectory([atoms, flipped])
    np.testing.assert_array_equal(order.bonds, short_range_order(atoms).bonds)
    flipped.pbc = (True, True, False)
    with pytest.raises(ValueError, match=r"frame 1 is not on the lattice of frame 0.*axis is open"):
        short_range_order_trajectory([atoms, flipped])


@pytest.mark.parametrize("cell", [np.full((3, 3), np.nan), [[9, 0, 0], [18, 0, 0], [0, 0, 9]]])
def test_cells_that_are_none_are_refused(cell) -> None:
    atoms = alloy("bcc", "block")
    atoms.set_cell(cell)
    for cutoffs in (None, [3.0]):
        with pytest.raises(ValueError, match="cell vectors of"):
            short_range_order(atoms, cutoffs_A=cutoffs)
