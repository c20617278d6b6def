"""Short-range order: exact rules, ordered phases, the random offset, motion, vacancies."""

import csv
import itertools
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.io import read, write
from matscipy.neighbours import neighbour_list

from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC, FCC, SiteGrid
from macro_ase.observables import (
    bond_counts,
    delta_from_bonds,
    random_offset,
    short_range_order,
    short_range_order_trajectory,
    warren_cowley_from_bonds,
)

SPECIES = ("Mo", "Nb", "Ta")


def alloy(size=4, seed=0, lattice=BCC, n_vacancies=2, a=3.24):
    """A random ternary crystal with vacancies marked X; composition not equimolar."""
    grid = SiteGrid(lattice, (size, size, size))
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, grid.n_sites, p=[0.5, 0.3, 0.2]).astype(np.int8)
    codes[rng.choice(grid.n_sites, n_vacancies, replace=False)] = 3
    return Crystal.from_sites(grid, SPECIES, codes, a).to_atoms()


def rattled(atoms, rms_A, seed=0):
    """Each atom moved by rms_A in the root mean square of its displacement."""
    moved = atoms.copy()
    rng = np.random.default_rng(seed)
    moved.positions += rng.normal(0, rms_A / np.sqrt(3), moved.positions.shape)
    return moved


def values(order):
    return np.stack([order.alpha, order.delta])


@pytest.mark.parametrize("lattice", [BCC, FCC])
@pytest.mark.parametrize("seed", range(3))
def test_sum_rules_hold_exactly(lattice, seed):
    order = short_range_order(alloy(3, seed, lattice), n_shells=3)
    c = order.counts / order.counts.sum()
    z, v = order.coordination, order.bonds[:, :, 3] / order.counts
    assert list(z) == [len(s) for s in lattice.shells(3)]
    assert np.array_equal(order.bonds, order.bonds.transpose(0, 2, 1))
    assert np.allclose(order.delta[:, :, :3].sum(axis=2), z[:, None] * c[3] - v, atol=1e-12)
    weighted = c[:, None] * order.delta
    assert np.allclose(weighted, weighted.transpose(0, 2, 1), atol=1e-12)
    assert np.allclose(order.alpha, order.alpha.transpose(0, 2, 1), atol=1e-12)
    assert np.allclose(order.alpha, -order.delta / (z[:, None, None] * c), atol=1e-12)
    assert np.abs(order.row_sum_error).max() < 1e-12


def test_measures_follow_from_the_definition():
    order = short_range_order(alloy())
    c = order.counts / order.counts.sum()
    share = order.bonds[0] / order.bonds[0].sum(axis=1, keepdims=True)
    assert np.allclose(order.alpha[0], 1 - share / c)
    assert np.allclose(order.delta[0], 8 * share - 8 * c)


def ordered(name):
    """Ordered phases and their alpha_AB in two shells, A before B in the alphabet."""
    if name == "L1_2":
        atoms = bulk("Cu", "fcc", a=3.7, cubic=True)
        atoms.symbols = ["Al", "Ni", "Ni", "Ni"]
        return atoms, [-1 / 3, 1.0]
    kind, lattice_constant = {"B2": ("cesiumchloride", 3.0), "B1": ("rocksalt", 5.6)}[name]
    return bulk("NaCl", kind, a=lattice_constant, cubic=True), [-1.0, 1.0]


@pytest.mark.parametrize("name", ["B2", "B1", "L1_2"])
@pytest.mark.parametrize("size", [1, 3])
def test_ordered_phases_have_their_analytic_values(name, size):
    atoms, alpha = ordered(name)
    order = short_range_order(atoms * size)
    assert np.allclose(order.alpha[:, 0, 1], alpha)


def test_delta_of_b2_is_half_the_neighbors():
    order = short_range_order(bulk("NaCl", "cesiumchloride", a=3.0))
    assert np.allclose(order.delta[0, :2, :2], [[-4, 4], [4, -4]])
    assert np.allclose(order.delta[1, :2, :2], [[3, -3], [-3, 3]])


def test_random_offset_is_the_mean_of_random_cells_and_zero_is_not():
    grid, rng = SiteGrid(BCC, (3, 3, 3)), np.random.default_rng(0)
    counts = np.array([20, 17, 15, 2])
    codes = np.repeat(np.arange(4), counts).astype(np.int8)
    cells = np.stack([rng.permutation(codes) for _ in range(20000)])
    bonds = bond_counts(cells, grid.neighbors(BCC.shells(1)[0]), 4)
    delta = delta_from_bonds(bonds, counts, 8)
    error = delta.std(axis=0) / np.sqrt(len(cells))
    assert np.all(np.abs(delta.mean(axis=0) - random_offset(counts, 8)) < 4.5 * error + 1e-12)
    assert np.all(np.abs(delta.mean(axis=0)) > 3 * error)
    alpha = warren_cowley_from_bonds(bonds, counts, 8).mean(axis=0)
    assert np.allclose(alpha, -delta.mean(axis=0) / (8 * counts / counts.sum()))


def test_random_offset_adds_up_to_nothing():
    offset = random_offset([[20, 17, 15, 2], [500, 300, 0, 1]], [8, 12])
    assert np.allclose(offset[0].sum(axis=1), 0)
    assert np.isnan(offset[1, 2]).all() and np.isfinite(offset[1, 0]).all()


def test_absent_species_are_nan_and_do_not_crash():
    order = short_range_order(alloy(n_vacancies=0), species=("Mo", "Nb", "Ta", "W"))
    assert order.species == ("Mo", "Nb", "Ta", "W", "X")
    assert np.isnan(order.delta[:, 3:]).all() and np.isnan(order.alpha[:, 3:]).all()
    assert np.all(order.delta[:, :3, 3:] == 0) and np.isnan(order.alpha[:, :, 3:]).all()
    assert np.isfinite(order.alpha[:, :3, :3]).all()
    with pytest.raises(ValueError, match="Ta not among Mo, Nb"):
        short_range_order(alloy(), species=("Mo", "Nb"))


@pytest.mark.parametrize("rms_A", [0.15, 0.3])
def test_motion_changes_nothing_on_bcc_sites(rms_A):
    perfect = alloy(5)
    order, moved = short_range_order(perfect), short_range_order(rattled(perfect, rms_A))
    assert moved.cutoffs_A is None
    assert np.array_equal(order.bonds, moved.bonds)
    by_distance = short_range_order(rattled(perfect, rms_A), cutoffs_A=[3.02, 3.91])
    assert not np.array_equal(order.bonds, by_distance.bonds)


def test_a_drifted_sheared_or_shuffled_crystal_is_the_same():
    atoms = alloy()
    expected = values(short_range_order(atoms))
    moved = rattled(atoms, 0.1)
    moved.positions += [7.3, -2.2, 0.9]
    moved.set_cell(moved.cell @ [[1, 0.02, 0], [0, 1.01, 0], [0, 0, 0.99]], scale_atoms=True)
    shuffled = moved[np.random.default_rng(1).permutation(len(moved))]
    assert np.allclose(values(short_range_order(shuffled)), expected)


def test_primitive_cells_give_the_same_as_conventional_ones():
    atoms = bulk("Cu", "fcc", a=3.7) * 4
    atoms.symbols = np.random.default_rng(0).permutation(["Al", "Ni"] * 32)
    order = short_range_order(atoms)
    doubled = short_range_order(atoms * (2, 1, 1))
    assert order.lattice == "fcc" and list(order.coordination) == [12, 6]
    assert np.allclose(order.alpha[:, :2, :2], doubled.alpha[:, :2, :2])
    assert np.allclose(order.row_sum_error[:, :2], 0)


def test_marked_and_missing_vacancies_are_the_same():
    marked = alloy()
    missing = marked[[a.index for a in marked if a.symbol != "X"]]
    assert len(missing) == len(marked) - 2
    left, right = short_range_order(marked), short_range_order(missing)
    assert np.array_equal(left.counts, right.counts)
    assert np.array_equal(left.bonds, right.bonds)


def test_pymatgen_structures_work():
    pymatgen = pytest.importorskip("pymatgen.core")
    atoms = alloy()
    labels = [pymatgen.DummySpecies("X") if s == "X" else s for s in atoms.get_chemical_symbols()]
    structure = pymatgen.Structure(atoms.cell.array, labels, atoms.get_scaled_positions())
    assert np.array_equal(short_range_order(structure).bonds, short_range_order(atoms).bonds)


def test_one_cell_sees_its_own_images():
    atoms = Atoms("NbTa", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[3.2] * 3, pbc=True)
    order = short_range_order(atoms, n_shells=3)
    assert list(order.coordination) == [8, 6, 12]
    assert np.array_equal(order.bonds[:, 0, :2], [[0, 8], [6, 0], [12, 0]])
    single = short_range_order(bulk("Nb", "bcc", a=3.2))
    assert np.array_equal(single.bonds[:, 0, 0], [8, 6])
    assert np.array_equal(single.alpha[:, 0, 0], [0, 0])


def test_per_atom_neighbors_add_up_and_attach(tmp_path):
    atoms = alloy()
    order = short_range_order(rattled(atoms, 0.1), n_shells=2, per_atom=True)
    assert order.per_atom.shape == (len(atoms), 2, 4)
    assert np.all(order.per_atom.sum(axis=2) == [8, 6])
    niobium = atoms.symbols == "Nb"
    assert np.array_equal(order.per_atom[niobium].sum(axis=0), order.bonds[:, 1])
    atoms.set_array("neighbors", order.per_atom.reshape(len(atoms), -1))
    write(tmp_path / "a.extxyz", atoms)
    kept = read(tmp_path / "a.extxyz").arrays["neighbors"]
    assert np.array_equal(kept.reshape(order.per_atom.shape), order.per_atom)
    missing = atoms[[a.index for a in atoms if a.symbol != "X"]]
    kept = short_range_order(missing, per_atom=True).per_atom
    assert np.array_equal(kept, order.per_atom[~(atoms.symbols == "X")])
    assert short_range_order(atoms).per_atom is None


def test_a_surface_does_not_bias_a_random_alloy():
    rng, means = np.random.default_rng(0), []
    slab = fcc111("Cu", (6, 6, 5), vacuum=8)
    for _ in range(40):
        slab.symbols = rng.permutation(["Al", "Ni"] * 90)
        order = short_range_order(slab)
        means.append(order.delta[:, :2, :2])
    assert order.coordination[0] == pytest.approx((3 * 12 + 2 * 9) / 5)
    error = np.std(means, axis=0) / np.sqrt(len(means))
    expected = random_offset(order.counts, order.coordination)[:, :2, :2]
    assert np.all(np.abs(np.mean(means, axis=0) - expected) < 4 * error)


def test_trajectory_errors_cover_the_truth_and_know_autocorrelation():
    frames = [rattled(alloy(4, seed), 0.1, seed) for seed in range(30)]
    slow = [frame for frame in frames for _ in range(10)]
    fast, repeated = short_range_order_trajectory(frames), short_range_order_trajectory(slow)
    singles = np.stack([short_range_order(f).alpha for f in frames])
    assert fast.n_frames == 30 and repeated.n_frames == 300
    assert np.allclose(fast.alpha, singles.mean(axis=0))
    naive = singles.std(axis=0, ddof=1) / np.sqrt(30)
    assert np.all(fast.alpha_error[:, :3, :3] > 0.6 * naive[:, :3, :3])
    assert np.mean(repeated.alpha_error[:, :3, :3] / naive[:, :3, :3]) > 0.7
    assert np.all(np.abs(fast.alpha[:, :3, :3]) < 6 * fast.alpha_error[:, :3, :3] + 0.02)
    assert "means and standard errors of 30 frames" in fast.table()
    assert " +- " in fast.table()


def test_trajectories_that_change_are_refused():
    with pytest.raises(ValueError, match="two frames"):
        short_range_order_trajectory([alloy()])
    with pytest.raises(ValueError, match="frame 1 is not on the lattice of frame 0"):
        short_range_order_trajectory([alloy(3), alloy(3, lattice=FCC, a=4.0)])
    with pytest.raises(ValueError, match="W not among"):
        short_range_order_trajectory([alloy(), bulk("W", "bcc", cubic=True) * 4])


def test_unrecognised_trajectories_keep_the_first_cutoffs():
    atoms = bulk("Fe", "fcc", a=3.8, cubic=True)
    atoms.symbols = ["Fe", "Fe", "Pt", "Pt"]
    atoms.set_cell([3.8, 3.8, 3.8 * 0.93], scale_atoms=True)
    frames = [atoms * 2, rattled(atoms * 2, 0.01), rattled(atoms * 2, 0.01, 1)]
    order = short_range_order_trajectory(frames)
    assert order.lattice is None
    assert list(order.coordination) == [8, 4]
    assert np.allclose(order.alpha_error[:, 0, 1], 0)
    assert np.isnan(order.alpha_error[:, 2]).all()


def test_the_table_says_what_was_found():
    text = short_range_order(alloy(n_vacancies=1)).table()
    lines = text.splitlines()
    assert lines[0].startswith("bcc, atoms assigned to lattice sites: Mo ")
    assert "shell 1: 2.806 A, 8 neighbours" in lines
    assert "shell 2: 3.240 A, 6 neighbours" in lines
    assert lines[3].index("alpha") < lines[3].index("delta")
    assert sum(line.strip().startswith("Mo-Nb") for line in lines) == 2
    assert "X-X" in text
    assert "X-X" not in short_range_order(alloy(n_vacancies=0)).table()


def test_csv_holds_the_same_numbers(tmp_path):
    order = short_range_order(alloy())
    order.to_csv(tmp_path / "sro.csv")
    rows = list(csv.DictReader((tmp_path / "sro.csv").open()))
    assert len(rows) == 2 * 4 * 4
    row = next(r for r in rows if (r["shell"], r["A"], r["B"]) == ("2", "Nb", "Ta"))
    assert float(row["alpha"]) == order.alpha[1, 1, 2]
    assert float(row["delta"]) == order.delta[1, 1, 2]
    assert float(row["bonds"]) == order.bonds[1, 1, 2]


def brute_force(atoms, cutoffs_A, centres, names):
    """Neighbours by distance, looked for among 27 images; alpha and delta from each one's own."""
    shifts = np.array(list(itertools.product(*[(-1, 0, 1) if p else (0,) for p in atoms.pbc])))
    images = atoms.positions[None] + (shifts @ atoms.cell.array)[:, None]
    bonds = np.zeros((len(cutoffs_A), len(names), len(names)))
    for i in centres:
        distance = np.linalg.norm(images - atoms.positions[i], axis=-1)
        inner = 1e-6
        for k, outer in enumerate(cutoffs_A):
            for j in np.nonzero((distance > inner) & (distance <= outer))[1]:
                bonds[k, names.index(atoms.symbols[i]), names.index(atoms.symbols[j])] += 1
            inner = outer
    share = np.array([np.sum(atoms.symbols == name) for name in names]) / len(atoms)
    with np.errstate(invalid="ignore"):
        return bonds, 1 - bonds / bonds.sum(axis=2, keepdims=True) / share


@pytest.mark.parametrize("pbc", [(1, 1, 0), (0, 1, 0), (0, 0, 0), (1, 1, 1)])
def test_open_blocks_agree_with_brute_force(pbc):
    atoms = alloy(4, 3, n_vacancies=0)
    atoms.pbc = pbc
    if not any(pbc):
        atoms.cell = None
    order = short_range_order(atoms)
    cutoffs = [3.02, 3.9]
    bonds, alpha = brute_force(atoms, cutoffs, range(len(atoms)), SPECIES)
    assert np.array_equal(order.bonds[:, :3, :3], bonds)
    assert np.allclose(order.alpha[:, :3, :3], alpha, atol=1e-12)
    own = bonds.sum(axis=2) / order.counts[:3]
    assert np.allclose(order.neighbors[:, :3], own)
    assert np.allclose(order.delta[:, :3].sum(axis=2), 0, atol=1e-12)
    said = {3: (), 2: ("open along c: ",), 1: ("open along a and c: ",), 0: ("no cell: a cluster",)}
    assert [n.startswith(s) for n, s in zip(order.notes, said[sum(pbc)], strict=True)].count(0) == 0


def test_an_element_at_the_surface_does_not_seem_to_avoid_all():
    """All surface atoms are Al, the rest at random: Al still has Al around it."""
    slab = fcc111("Cu", (8, 8, 4), vacuum=8)
    slab.symbols = np.random.default_rng(0).choice(["Al", "Ni"], len(slab))
    slab.symbols[slab.get_tags() == 1] = "Al"
    order = short_range_order(slab, 1)
    c = order.counts / order.counts.sum()
    assert np.allclose((c * order.alpha[0])[:2, :2].sum(axis=1), 0)
    of_mean_z = 1 - order.bonds[0, 0, :2] / (order.counts[0] * order.coordination[0] * c[:2])
    assert (c[:2] * of_mean_z).sum() > 0.02
    assert "Ni-Al" in order.table() and "Al-Ni" in order.table()


PATCHES = {
    "negative": [-1, 3, -128],
    "repeated": np.array([3, 0, 127, 3]),
    "mask": np.arange(128) % 7 == 0,
    "slice": slice(-20, None, 2),
    "tuple": (5, 6),
    "one": np.int64(-1),
    "small": np.array([-100, 7], dtype=np.int8),
}


@pytest.mark.parametrize("rms_A", [0.0, 0.3])
@pytest.mark.parametrize("which", PATCHES)
def test_a_patch_counts_all_bonds_of_its_atoms(which, rms_A):
    atoms = alloy(4, 1)
    chosen = np.unique(
        np.arange(128)[np.asarray(PATCHES[which]) if which == "tuple" else PATCHES[which]]
    )
    order = short_range_order(rattled(atoms, rms_A), indices=PATCHES[which], per_atom=True)
    bonds, alpha = brute_force(atoms, [3.02, 3.9], chosen, [*SPECIES, "X"])
    assert np.array_equal(order.bonds, bonds)
    assert np.allclose(order.alpha, alpha, equal_nan=True)
    whole = short_range_order(atoms, per_atom=True)
    assert np.array_equal(order.per_atom, whole.per_atom[chosen])
    assert np.array_equal(order.counts, whole.counts) and order.centres.sum() == len(chosen)


def test_patches_add_up_to_the_whole():
    """Bonds add; delta and alpha of the whole are means over patches, by their atoms of A."""
    atoms = alloy(4, 2)
    group = np.random.default_rng(0).integers(0, 3, len(atoms))
    whole = short_range_order(atoms)
    parts = [short_range_order(atoms, indices=group == g) for g in range(3)]
    assert np.array_equal(sum(p.bonds for p in parts), whole.bonds)
    for name in ("delta", "alpha"):
        mean = sum(np.nan_to_num(getattr(p, name)) * p.centres[:, None] for p in parts)
        assert np.allclose(mean / whole.counts[:, None], getattr(whole, name))
    assert "bonds of" in parts[0].table() and np.allclose(parts[0].row_sum_error[:, :3], 0)


@pytest.mark.parametrize(
    "bad", [[128], [-129], [0.5], [], np.zeros(128, bool), np.ones(5, bool), [[0, 1]], "Mo"]
)
def test_what_chooses_no_atoms_is_refused(bad):
    with pytest.raises(ValueError, match="indices must be"):
        short_range_order(alloy(), indices=bad)


def test_missing_atoms_cannot_be_chosen_but_are_seen():
    atoms = alloy(4, n_vacancies=0)
    del atoms[5]
    order = short_range_order(atoms, indices=slice(None))
    assert order.centres.sum() == 127 and order.counts.sum() == 128
    assert order.bonds[0, :, 3].sum() == 8 and np.isnan(order.alpha[:, 3]).all()


def test_a_mean_over_hops_is_weighted_by_time():
    frames = [alloy(3, seed) for seed in range(6)]
    for number, frame in enumerate(frames):
        frame.info |= {"time_s": float(number**2), "residence_s": 1.0 + number}
    singles = np.stack([short_range_order(f).alpha for f in frames])
    order = short_range_order_trajectory(frames)
    assert np.allclose(order.alpha, np.average(singles, axis=0, weights=range(1, 7)))
    assert "weighted by residence time (residence_s), worth 4.85" in order.table()
    by_time = short_range_order_trajectory(frames, weights="time")
    assert np.allclose(by_time.alpha, np.average(singles[:5], axis=0, weights=[1, 3, 5, 7, 9]))
    alike = short_range_order_trajectory(frames, weights="frames")
    assert np.allclose(alike.alpha, singles.mean(axis=0))


def test_species_that_are_none_or_given_twice_are_refused():
    for species in (("Mo", "Nb", "Ta", "Mo"), ("Mo", "Nb", "Ta", "Zz")):
        with pytest.raises(ValueError, match="symbols of elements, each once"):
            short_range_order(alloy(), species=species)
    assert short_range_order(alloy(), species=(*SPECIES, "X")).species == (*SPECIES, "X")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_positions_that_are_no_numbers_are_refused(value):
    atoms = alloy()
    atoms.positions[3, 0] = value
    with pytest.raises(ValueError, match="not finite"):
        short_range_order(atoms)


def test_it_is_not_slower_than_ten_lines_with_matscipy():
    """CPU time of the least of several calls, against lines that are told the cutoffs."""

    def lines(atoms):
        _, codes = np.unique(atoms.numbers, return_inverse=True)
        i, j, distance = neighbour_list("ijd", atoms, 3.9)
        shell = np.searchsorted([3.02, 3.9], distance)
        for k in range(2):
            cell = 3 * codes[i[shell == k]] + codes[j[shell == k]]
            bonds = np.bincount(cell, minlength=9).reshape(3, 3)
        return bonds

    def least(measure, atoms):
        times = []
        for _ in range(7):
            start = time.process_time()
            measure(atoms)
            times.append(time.process_time() - start)
        return min(times)

    for size in (8, 20):
        atoms = alloy(size, n_vacancies=0)
        assert least(short_range_order, atoms) < 1.5 * least(lines, atoms)
