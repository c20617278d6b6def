"""Atoms to sites: any supercell, hot crystals, holes, and what is no crystal."""

import numpy as np
import pytest
from ase import Atoms

from macro_ase import site_assignment
from macro_ase.crystal import Crystal
from macro_ase.lattice import LATTICES, Lattice
from macro_ase.site_assignment import (
    NotOnSites,
    assign_sites,
    hermite_form,
    sharpest_repeats,
    site_index,
)

A = 3.2
MATRICES = {
    "block": [[0, 4, 4], [4, 0, 4], [4, 4, 0]],
    "primitive": [[5, 0, 0], [0, 4, 0], [0, 0, 6]],
    "left-handed": [[0, 5, 0], [4, 0, 0], [0, 0, 6]],
    "skew": [[5, 1, -2], [0, 4, 1], [2, -1, 6]],
    "thin": [[1, 0, 0], [7, 40, 3], [2, 1, 3]],
}


def rotation(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def supercell(lattice: Lattice, repeats: np.ndarray, strain: float = 0.0) -> Atoms:
    """All sites of a turned and strained supercell, in the order of their numbers."""
    rng = np.random.default_rng(0)
    half = A / 2 * (np.eye(3) + strain * rng.uniform(-1, 1, (3, 3))) @ rotation(2)
    h = hermite_form(repeats)
    n = np.stack(np.meshgrid(*map(np.arange, np.diag(h)), indexing="ij"), axis=-1).reshape(-1, 3)
    places = n @ lattice.primitive @ half
    return Atoms(f"W{len(n)}", places, cell=repeats @ lattice.primitive @ half, pbc=True)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", LATTICES)
def test_every_supercell_numbers_its_sites_once(name: str, matrix: str) -> None:
    lattice, repeats = LATTICES[name], np.array(MATRICES[matrix])
    h = hermite_form(repeats)
    assert np.all(np.tril(h, -1) == 0) and np.all(np.diag(h) > 0)
    assert round(abs(np.linalg.det(h))) == round(abs(np.linalg.det(repeats)))
    atoms = supercell(lattice, repeats, 0.03)
    rng = np.random.default_rng(1)
    atoms.positions += 17.3 + rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    found = assign_sites(atoms.positions, atoms.cell.array, lattice, repeats)
    assert found.rms_A < 1e-9
    index = site_index(found.coordinates, lattice, repeats)
    assert sorted(index) == list(range(len(atoms)))
    images = found.coordinates + rng.integers(-3, 4, (len(atoms), 3)) @ repeats @ lattice.primitive
    np.testing.assert_array_equal(site_index(images, lattice, repeats), index)


@pytest.mark.parametrize("name", LATTICES)
def test_repeats_are_found_near_a_guess(name: str) -> None:
    lattice, repeats = LATTICES[name], np.array(MATRICES["skew"]) * 3
    atoms = supercell(lattice, repeats)
    kept = np.random.default_rng(0).permutation(len(atoms))[:600]
    atoms.positions += np.random.default_rng(1).normal(0, 0.15, (len(atoms), 3))
    scaled = atoms.get_scaled_positions()[kept]
    np.testing.assert_array_equal(sharpest_repeats(scaled, repeats * 1.04, 0.08), repeats)
    assert sharpest_repeats(np.random.default_rng(0).random((600, 3)), repeats * 1.04, 0.08) is None


@pytest.mark.parametrize("name", LATTICES)
def test_hot_atoms_get_a_site_each(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two atoms are nearest to one site, one of them goes to the empty site beside it."""
    lattice, repeats = LATTICES[name], 3 * np.array(MATRICES["block"])
    atoms = supercell(lattice, repeats)
    nearest_A = A / 2 * np.linalg.norm(lattice.shells(1)[0][0])
    atoms.positions += np.random.default_rng(3).normal(0, 0.14 * nearest_A, (len(atoms), 3))

    def index() -> np.ndarray:
        found = assign_sites(atoms.positions, atoms.cell.array, lattice, repeats)
        assert found.rms_A == pytest.approx(0.14 * nearest_A * 3**0.5, rel=0.1)
        return site_index(found.coordinates, lattice, repeats)

    assert sorted(index()) == list(range(len(atoms)))
    monkeypatch.setattr(site_assignment, "_untangle", lambda *_: None)
    assert len(set(index())) < len(atoms)


def test_a_shared_site_is_untangled_and_a_surplus_atom_is_refused() -> None:
    lattice, repeats = LATTICES["bcc"], np.array(MATRICES["block"])
    atoms = supercell(lattice, repeats)
    cell = atoms.cell.array

    def sites(positions: np.ndarray) -> list[int]:
        found = assign_sites(positions, cell, lattice, repeats)
        return site_index(found.coordinates, lattice, repeats).tolist()

    other = int(np.argsort(atoms.get_distances(7, range(len(atoms)), mic=True))[1])
    apart = atoms.get_distance(7, other, mic=True, vector=True)
    near = atoms.positions.copy()
    near[other] -= 0.6 * apart
    near[7] -= 0.2 * apart
    assert sites(near) == sites(atoms.positions)
    far = atoms.positions.copy()
    far[50] = far[7] + 0.1
    with pytest.raises(NotOnSites, match="atoms 7 and 50 share one lattice site"):
        sites(far)


def test_a_hot_crystal_is_put_on_sites_and_a_lone_atom_off_its_site_is_not() -> None:
    atoms = supercell(LATTICES["bcc"], np.array(MATRICES["block"]))
    hot = atoms.copy()
    hot.positions += np.random.default_rng(0).normal(0, 0.2, (len(atoms), 3))
    assert Crystal.from_atoms(hot).grid.size == (4, 4, 4)
    atoms.positions[5, 0] += 0.5
    with pytest.raises(ValueError, match=r"at most 0.3 A is snapped"):
        Crystal.from_atoms(atoms)
    with pytest.raises(ValueError, match=r"at most 0.1 A is snapped"):
        Crystal.from_atoms(hot, tolerance_A=0.1)
    hot.positions[3, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Crystal.from_atoms(hot)


def test_missing_atoms_do_not_change_the_size_of_a_long_block() -> None:
    atoms = supercell(LATTICES["bcc"], np.array([[0, 2, 2], [2, 0, 2], [30, 30, 0]]))
    kept = np.random.default_rng(0).permutation(len(atoms))[: round(0.92 * len(atoms))]
    crystal = Crystal.from_atoms(atoms[kept])
    assert crystal.grid.size == (2, 2, 30)
    assert len(crystal.vacancies) == len(atoms) - len(kept)
