"""Bond counts against a plain loop; neighbour shells of crystals whose answer is known."""

import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.cluster.cubic import FaceCenteredCubic
from ase.spacegroup import crystal

from macro_ase.lattice import BCC, FCC, SiteGrid
from macro_ase.observables import bond_counts, grouped_bond_counts, neighbor_shells

GRID = SiteGrid(BCC, (3, 4, 5))


def random_codes(shape, n_species=4, seed=0):
    return np.random.default_rng(seed).integers(0, n_species, shape).astype(np.int8)


def rattled(atoms, rms_A, seed=0):
    """Each atom moved by rms_A in the root mean square of its displacement."""
    moved = atoms.copy()
    rng = np.random.default_rng(seed)
    moved.positions += rng.normal(0, rms_A / np.sqrt(3), moved.positions.shape)
    return moved


def numbers(shells):
    """Neighbours a site, by shell."""
    return [pairs.shape[1] / len(shells.symbols) for pairs in shells.pairs]


def test_counts_agree_with_a_plain_loop():
    codes, neighbors = random_codes(GRID.n_sites), GRID.neighbors(BCC.shells(2)[1])
    expected = np.zeros((4, 4), dtype=int)
    for site, row in enumerate(neighbors):
        for other in row:
            expected[codes[site], codes[other]] += 1
    assert np.array_equal(bond_counts(codes, neighbors, 4), expected)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_counts_are_symmetric_and_rows_sum_to_the_neighbor_sites(dtype):
    codes, neighbors = random_codes(GRID.n_sites), GRID.neighbors(BCC.shells(1)[0])
    bonds = bond_counts(codes, neighbors.astype(dtype), 4)
    assert bonds.dtype == np.int64
    assert np.array_equal(bonds, bonds.T)
    assert np.array_equal(bonds.sum(axis=1), 8 * np.bincount(codes, minlength=4))


def test_snapshots_and_groups_add_up():
    codes, neighbors = random_codes((2, 3, GRID.n_sites)), GRID.neighbors(BCC.shells(1)[0])
    groups = np.random.default_rng(1).integers(0, 6, GRID.n_sites)
    bonds = bond_counts(codes, neighbors, 4)
    assert bonds.shape == (2, 3, 4, 4)
    assert np.array_equal(bonds[1, 2], bond_counts(codes[1, 2], neighbors, 4))
    by_group = grouped_bond_counts(codes, neighbors, 4, groups)
    assert by_group.shape == (2, 3, 6, 4, 4)
    assert np.array_equal(by_group.sum(axis=2), bonds)
    rows = by_group[0, 0].sum(axis=(1, 2))
    assert np.array_equal(rows, 8 * np.bincount(groups, minlength=6))


@pytest.mark.parametrize(
    ("codes", "n_species", "groups"),
    [([0, 4], 4, [0, 0]), ([-1, 0], 4, [0, 0]), ([0, 1], 2, [0, -1]), ([0, 1, 1], 2, [0, 0])],
)
def test_bad_codes_and_groups_are_refused(codes, n_species, groups):
    with pytest.raises(ValueError):
        grouped_bond_counts(codes, [[1], [0]], n_species, groups)
    with pytest.raises(ValueError, match="neighbor"):
        bond_counts([0, 1], [[2], [0]], 2)


@pytest.mark.parametrize("codes", [[0, 256], [0, 0.7], [0, np.nan], ["Mo", "Nb"], [True, False]])
def test_codes_that_are_no_small_whole_numbers_are_refused(codes):
    with pytest.raises(ValueError, match="each code must be a whole number from 0 to 3"):
        bond_counts(codes, [[1], [0]], 4)
    with pytest.raises(ValueError, match="each neighbor must"):
        bond_counts([0, 1], [[0.5], [0]], 4)
    assert bond_counts([0.0, 1.0], [[1], [0]], 2).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match="n_species must be 1 to 127"):
        bond_counts([0, 1], [[1], [0]], 300)


def test_counting_8192_sites_takes_about_a_millisecond():
    grid = SiteGrid(BCC, (16, 16, 16))
    codes, neighbors = random_codes(grid.n_sites), grid.neighbors(BCC.shells(1)[0])
    bond_counts(codes, neighbors, 4)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        bond_counts(codes, neighbors, 4)
        times.append(time.perf_counter() - start)
    assert min(times) < 2e-3


IDEAL = {
    "sc": ([6, 12, 8], [1, 2**0.5, 3**0.5]),
    "bcc": ([8, 6, 12], [1, (4 / 3) ** 0.5, (8 / 3) ** 0.5]),
    "fcc": ([12, 6, 24], [1, 2**0.5, 3**0.5]),
    "hcp": ([12, 6, 2], [1, 2**0.5, (8 / 3) ** 0.5]),
    "diamond": ([4, 12, 12], [1, (8 / 3) ** 0.5, (11 / 3) ** 0.5]),
}


@pytest.mark.parametrize("lattice", IDEAL)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_crystals_are_recognised_whatever_the_size_of_the_cell(lattice, size):
    more = {"c": 3.0 * np.sqrt(8 / 3)} if lattice == "hcp" else {}
    shells = neighbor_shells(bulk("Fe", lattice, a=3.0, **more) * size, 3)
    expected, radii = IDEAL[lattice]
    assert shells.lattice == lattice
    assert numbers(shells) == expected
    assert np.allclose(shells.radii_A / shells.radii_A[0], radii)


@pytest.mark.parametrize("lattice", ["fcc", "hcp", "diamond"])
def test_close_lattices_stay_apart_when_atoms_move(lattice):
    more = {"c": 3.2 * np.sqrt(8 / 3)} if lattice == "hcp" else {}
    a = {"hcp": 3.2, "fcc": 4.5, "diamond": 5.6}[lattice]
    shells = neighbor_shells(rattled(bulk("Fe", lattice, a=a, **more) * 6, 0.15))
    assert shells.lattice == lattice
    assert np.allclose(numbers(shells), IDEAL[lattice][0][:2], atol=0.05)


@pytest.mark.parametrize(
    ("name", "lattice"), [("rocksalt", "sc"), ("cesiumchloride", "bcc"), ("zincblende", "diamond")]
)
def test_compounds_are_recognised_by_their_sites(name, lattice):
    assert neighbor_shells(bulk("NaCl", name, a=5.0, cubic=True)).lattice == lattice


def test_blocks_of_cells_are_put_on_sites_and_missing_atoms_found():
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * 5
    del atoms[[3, 77, 100]]
    shells = neighbor_shells(atoms)
    assert shells.cutoffs_A is None
    assert list(shells.symbols[-3:]) == ["X"] * 3
    assert numbers(shells) == [8, 6]
    assert np.allclose(shells.radii_A, [3.2 * np.sqrt(3) / 2, 3.2])


def test_site_pairs_are_numbered_by_atom():
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * 3
    order = np.random.default_rng(0).permutation(len(atoms))
    first, second = neighbor_shells(atoms[order]).pairs[0]
    vectors = atoms[order].get_all_distances(mic=True)[first, second]
    assert np.allclose(vectors, 3.2 * np.sqrt(3) / 2)


def test_four_percent_of_vacancies_do_not_hide_a_lattice():
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * 6
    del atoms[np.random.default_rng(0).choice(len(atoms), 17, replace=False)]
    assert neighbor_shells(atoms).lattice == "bcc"


def test_tetragonal_l1_0_is_told_apart_by_gaps():
    atoms = bulk("Fe", "fcc", a=3.8, cubic=True)
    atoms.symbols = ["Fe", "Fe", "Pt", "Pt"]
    atoms.set_cell([3.8, 3.8, 3.8 * 0.93], scale_atoms=True)
    for size in (1, 3):
        shells = neighbor_shells(atoms * size, 4)
        assert shells.lattice is None
        assert numbers(shells) == [8, 4, 2, 4]
        assert np.allclose(shells.radii_A[[1, 2, 3]], [3.8 / 2**0.5, 3.8 * 0.93, 3.8])


def test_rutile_is_told_apart_by_gaps():
    atoms = crystal(
        ["Ti", "O"],
        [(0, 0, 0), (0.305, 0.305, 0)],
        spacegroup=136,
        cellpar=[4.594, 4.594, 2.959, 90, 90, 90],
    )
    shells = neighbor_shells(atoms, 1)
    assert shells.lattice is None
    assert numbers(shells) == [4]
    titanium = shells.symbols == "Ti"
    around = np.bincount(shells.pairs[0][0], minlength=6)
    assert np.all(around[titanium] == 6) and np.all(around[~titanium] == 3)


def test_surfaces_have_fewer_neighbors():
    slab = fcc111("Cu", (4, 4, 6), vacuum=8)
    shells = neighbor_shells(slab)
    around = np.bincount(shells.pairs[0][0])
    assert shells.lattice == "fcc"
    assert sorted(set(around)) == [9, 12]
    cluster = FaceCenteredCubic("Cu", [(1, 0, 0), (1, 1, 1)], [4, 4], 3.6)
    shells = neighbor_shells(rattled(cluster, 0.1))
    assert shells.lattice == "fcc"
    assert np.bincount(shells.pairs[0][0]).max() == 12


def test_given_cutoffs_are_used_as_they_are():
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * 2
    shells = neighbor_shells(atoms, cutoffs_A=[3.5, 4.7])
    assert shells.lattice is None
    assert numbers(shells) == [14, 12]
    assert list(shells.cutoffs_A) == [3.5, 4.7]


def test_units_do_not_matter():
    atoms = bulk("W", "bcc", a=0.02, cubic=True) * 7
    assert numbers(neighbor_shells(atoms)) == [8, 6]
    cluster = Atoms(atoms.symbols, atoms.positions)
    assert neighbor_shells(cluster).lattice == "bcc"
    large = bulk("W", "fcc", a=900.0) * 3
    assert numbers(neighbor_shells(large)) == [12, 6]


def test_what_has_no_shells_is_refused():
    places = np.random.default_rng(0).random((800, 3))
    gas = Atoms("Ar800", scaled_positions=places, cell=[18] * 3, pbc=True)
    with pytest.raises(ValueError, match="cutoffs_A"):
        neighbor_shells(gas)
    with pytest.raises(ValueError, match="cutoffs_A"):
        neighbor_shells(Atoms("Ar"))
    with pytest.raises(ValueError, match="same place"):
        neighbor_shells(Atoms("Ar2", positions=np.zeros((2, 3)), cell=[5] * 3, pbc=True))
    with pytest.raises(ValueError, match="atoms"):
        neighbor_shells(Atoms())
    with pytest.raises(ValueError, match="cell vector"):
        neighbor_shells(Atoms("Ar", pbc=True))
    with pytest.raises(ValueError, match="ascending"):
        neighbor_shells(bulk("Cu"), cutoffs_A=[3.0, 2.0])
    with pytest.raises(ValueError, match="shells must be 1 to 100"):
        neighbor_shells(bulk("Cu"), 0)
    with pytest.raises(TypeError):
        neighbor_shells("Cu")


def test_sites_and_distances_agree_on_fcc():
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * 3
    on_sites, by_distance = neighbor_shells(atoms), neighbor_shells(atoms, cutoffs_A=[3.0, 4.0])
    for left, right in zip(on_sites.pairs, by_distance.pairs, strict=True):
        assert sorted(zip(*left, strict=True)) == sorted(zip(*right, strict=True))
    assert len(FCC.shells(1)[0]) == numbers(on_sites)[0]
