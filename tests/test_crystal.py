"""Crystals: Atoms to sites and back without loss."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal, as_atoms
from macro_ase.lattice import BCC, CUBIC, FCC, LATTICES, Lattice, SiteGrid, shell_neighbors

A = 3.24


def alloy(vacancies: int = 2, size: tuple[int, int, int] = (4, 4, 4), seed: int = 0) -> Atoms:
    return build_crystal(size=size, vacancies=vacancies, rng=seed)


def rotation(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def orders(atoms: Atoms, lattice: Lattice = BCC) -> np.ndarray:
    """First-shell counts by species of the crystal of some atoms: what the sites must keep."""
    crystal = Crystal.from_atoms(atoms, lattice=lattice)
    around = crystal.occupation[shell_neighbors(crystal.grid)]
    n = len(crystal.species)
    pairs = n * np.repeat(crystal.occupation, around.shape[1]).astype(int) + around.ravel()
    return np.bincount(pairs, minlength=n * n)


def same_atoms(first: Atoms, second: Atoms) -> None:
    assert first.get_chemical_symbols() == second.get_chemical_symbols()
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.cell.array, second.cell.array)
    np.testing.assert_array_equal(first.pbc, second.pbc)


@pytest.mark.parametrize("name", LATTICES)
def test_every_lattice_there_and_back(name: str) -> None:
    atoms = build_crystal(name, "Ni0.5Al0.5", (3, 4, 5), vacancies=1, lattice_constant_A=A, rng=1)
    crystal = Crystal.from_atoms(atoms, lattice=LATTICES[name])
    assert crystal.grid == SiteGrid(LATTICES[name], (3, 4, 5))
    assert crystal.species == ("Al", "Ni", "X") and len(crystal.vacancies) == 1
    assert crystal.lattice_constant_A == pytest.approx(A)
    assert crystal.counts.sum() == len(atoms)
    same_atoms(crystal.to_atoms(), atoms)


def moved(how: str) -> Atoms:
    """A crystal with vacancies in some disguise."""
    atoms, rng = alloy(size=(3, 4, 5)), np.random.default_rng(4)
    if how == "shuffled":
        return atoms[rng.permutation(len(atoms))]
    if how == "rotated":
        atoms.set_cell(atoms.cell.array @ rotation(1), scale_atoms=True)
    if how == "permuted":
        atoms.set_cell(atoms.cell.array[:, [2, 0, 1]], scale_atoms=True)
    if how == "left-handed":
        atoms.set_cell(atoms.cell.array * [1, 1, -1], scale_atoms=True)
    if how == "shifted":
        atoms.positions += [0.77, -1.3, 12.2]
    if how == "shifted and wrapped":
        atoms.positions += [0.77, -1.3, 12.2]
        atoms.wrap()
    if how == "unwrapped":
        atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    if how == "thermal":
        atoms.positions += rng.normal(0, 0.05, (len(atoms), 3))
    if how == "strained":
        atoms.set_cell(atoms.cell.array * [[1.02], [1.0], [0.97]], scale_atoms=True)
    return atoms


@pytest.mark.parametrize(
    "how",
    [
        "as built",
        "shuffled",
        "rotated",
        "permuted",
        "left-handed",
        "shifted",
        "shifted and wrapped",
        "unwrapped",
        "thermal",
        "strained",
    ],
)
def test_atoms_there_and_back(how: str) -> None:
    atoms = moved(how)
    before = atoms.copy()
    crystal = Crystal.from_atoms(atoms)
    same_atoms(atoms, before)
    assert crystal.grid.size == (3, 4, 5)
    assert sorted(crystal.site_of_atom) == list(range(len(atoms)))
    same_atoms(crystal.to_atoms(), atoms)
    np.testing.assert_array_equal(orders(atoms), orders(alloy(size=(3, 4, 5))))


def test_axes_in_another_order() -> None:
    atoms = alloy(size=(3, 4, 5))
    cell = atoms.cell.array[[2, 0, 1]]
    turned = Atoms(atoms.symbols, atoms.positions, cell=cell, pbc=True)
    assert Crystal.from_atoms(turned).grid.size == (5, 3, 4)
    np.testing.assert_array_equal(orders(turned), orders(atoms))


def test_negative_control_another_crystal_has_another_order() -> None:
    assert not np.array_equal(orders(alloy(seed=1)), orders(alloy(seed=2)))


def test_missing_atoms_become_vacancies_at_the_end() -> None:
    full = build_crystal(size=(4, 4, 4), rng=3)
    gone = [5, 40, 77]
    kept = full.copy()
    del kept[gone]
    kept.positions += 0.4
    crystal = Crystal.from_atoms(kept)
    back = crystal.to_atoms()
    assert len(crystal.vacancies) == 3 and len(back) == 128
    same_atoms(back[:125], kept)
    assert back.get_chemical_symbols()[125:] == ["X"] * 3
    np.testing.assert_allclose(
        np.sort(back.positions[125:], axis=0),
        np.sort(full.positions[gone] + 0.4, axis=0),
        atol=1e-9,
    )
    marked = full.copy()
    marked.symbols[gone] = "X"
    np.testing.assert_array_equal(orders(back), orders(marked))


def test_arrays_info_and_constraints_are_kept() -> None:
    from ase.constraints import FixAtoms

    atoms = alloy()
    atoms.set_array("label", np.arange(len(atoms)))
    atoms.info["note"] = "mine"
    atoms.set_constraint(FixAtoms([1, 2]))
    back = Crystal.from_atoms(atoms).to_atoms()
    np.testing.assert_array_equal(back.arrays["label"], atoms.arrays["label"])
    assert back.info == {"note": "mine"} and back.constraints[0].index.tolist() == [1, 2]
    del atoms[7]
    grown = Crystal.from_atoms(atoms).to_atoms()
    np.testing.assert_array_equal(grown.arrays["label"][:-1], atoms.arrays["label"])


def test_other_occupation() -> None:
    atoms = alloy()[::-1]
    crystal = Crystal.from_atoms(atoms)
    swapped = crystal.occupation.copy()
    i, j = np.flatnonzero(swapped == 0)[0], np.flatnonzero(swapped == 1)[0]
    swapped[[i, j]] = swapped[[j, i]]
    other = crystal.with_occupation(swapped).to_atoms()
    changed = np.flatnonzero(other.numbers != atoms.numbers)
    assert set(crystal.site_of_atom[changed]) == {i, j}
    np.testing.assert_array_equal(other.positions, atoms.positions)
    with pytest.raises(ValueError, match=r"shape \(3,\), not \(128,\)"):
        crystal.with_occupation([0, 1, 2])


def test_species_codes_can_be_given() -> None:
    atoms = alloy()
    crystal = Crystal.from_atoms(atoms, species=("Nb", "Mo", "Ta", "W"))
    assert crystal.species == ("Nb", "Mo", "Ta", "W", "X") and crystal.vacancy_code == 4
    assert crystal.counts[3] == 0 and crystal.counts[4] == 2
    same_atoms(crystal.to_atoms(), atoms)
    with pytest.raises(ValueError, match="species Ta not among Nb, Mo"):
        Crystal.from_atoms(atoms, species=("Nb", "Mo"))


def test_pymatgen_structure() -> None:
    core = pytest.importorskip("pymatgen.core")
    atoms = alloy()
    names = [core.DummySpecies("X") if s == "X" else core.Element(s) for s in atoms.symbols]
    structure = core.Structure(atoms.cell.array, names, atoms.get_scaled_positions())
    back = Crystal.from_atoms(structure).to_atoms()
    assert back.get_chemical_symbols() == atoms.get_chemical_symbols()
    np.testing.assert_allclose(back.positions, atoms.positions, atol=1e-9)
    xenon = core.Structure(np.eye(3) * 5, ["Xe"], [[0, 0, 0]])
    assert as_atoms(xenon).get_chemical_symbols() == ["Xe"]


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match=r"expected ase\.Atoms or a pymatgen Structure, not str"):
        as_atoms("bcc")


@pytest.mark.parametrize(("off_A", "fits"), [(0.25, True), (0.29, True), (0.5, False)])
def test_an_atom_off_its_site(off_A: float, fits: bool) -> None:
    atoms = alloy(vacancies=0)
    atoms.positions[17] += np.array([0.6, 0.0, 0.8]) * off_A
    if fits:
        same_atoms(Crystal.from_atoms(atoms).to_atoms(), atoms)
        return
    message = rf"atom 17 \({atoms.symbols[17]}\) is 0\.\d\d A from the nearest bcc site"
    with pytest.raises(ValueError, match=message):
        Crystal.from_atoms(atoms)


@pytest.mark.parametrize(("pbc", "axes"), [(False, "a, b, c"), ((True, True, False), "c")])
def test_an_open_axis_is_refused(pbc: bool | tuple[bool, ...], axes: str) -> None:
    atoms = alloy()
    atoms.pbc = pbc
    with pytest.raises(ValueError, match=rf"open along {axes} \(pbc\).*set atoms.pbc = True"):
        Crystal.from_atoms(atoms)


def test_two_atoms_on_a_site() -> None:
    atoms = alloy(vacancies=0)
    atoms.positions[30] = atoms.positions[12] + 0.05
    with pytest.raises(ValueError, match="atoms 12 and 30 share one lattice site"):
        Crystal.from_atoms(atoms)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (bulk("Cu", cubic=True) * (4, 4, 4), "not a block of conventional bcc cells: 256 atoms"),
        (bulk("Si", cubic=True) * (3, 3, 3), "bcc"),
        (bulk("Po", "sc", a=3.3) * (4, 4, 4), "not a bcc crystal|not a block"),
        (bulk("Mg") * (4, 4, 4), "cell angles are"),
        (Atoms("H2O", np.eye(3)), "needs atoms and three cell vectors"),
        (Atoms(cell=[3, 3, 3], pbc=True), "needs atoms and three cell vectors"),
    ],
)
def test_not_bcc(atoms: Atoms, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Crystal.from_atoms(atoms)


def test_a_primitive_cell_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match=r"ase\.build\.make_supercell turns a primitive cell"):
        Crystal.from_atoms(bulk("Mo", a=A) * (4, 4, 4))


def test_the_advice_works() -> None:
    from ase.build import make_supercell

    conventional = make_supercell(bulk("Mo", a=A), [[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    crystal = Crystal.from_atoms(conventional * (3, 3, 3))
    assert crystal.grid.size == (3, 3, 3) and crystal.lattice_constant_A == pytest.approx(A)


def test_disorder_is_not_bcc() -> None:
    atoms = alloy(vacancies=0)
    atoms.positions += np.random.default_rng(0).uniform(-1, 1, (len(atoms), 3))
    with pytest.raises(ValueError, match=r"not a bcc crystal: its atoms are 1.02 A"):
        Crystal.from_atoms(atoms)


def test_from_sites() -> None:
    grid = SiteGrid(FCC, (2, 3, 4))
    codes = np.arange(grid.n_sites) % 3
    crystal = Crystal.from_sites(grid, ("Ni", "Al"), codes, 3.6)
    assert crystal.to_atoms().get_chemical_symbols()[:3] == ["Ni", "Al", "X"]
    again = Crystal.from_atoms(crystal.to_atoms(), ("Ni", "Al"), FCC)
    np.testing.assert_array_equal(again.occupation, codes)
    with pytest.raises(ValueError, match="lattice constant must be positive, not 0"):
        Crystal.from_sites(SiteGrid(CUBIC, (2, 2, 2)), ("Ni",), np.zeros(8), 0)


@pytest.mark.parametrize("share", [{"Nb": 0.4, "Mo": 0.35, "Ta": 0.25}, {"Nb": 0.9}])
def test_mixed_sites_are_refused_until_they_are_decorated(share: dict[str, float]) -> None:
    atoms = bulk("Nb", cubic=True) * (3, 3, 3)
    atoms.info["occupancy"] = {"0": share}
    atoms.set_array("spacegroup_kinds", np.zeros(len(atoms), dtype=int))
    with pytest.raises(ValueError, match=r"mixed site \(Nb 0"):
        Crystal.from_atoms(atoms)
    atoms.info["occupancy"] = {"0": {"Nb": 1.0}}
    Crystal.from_atoms(atoms)
    atoms.info["occupancy"] = {"0": share}
    atoms.symbols[:20] = "Mo"
    assert Crystal.from_atoms(atoms).counts.tolist() == [20, 34, 0]
