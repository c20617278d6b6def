"""Short-range order: exact rules, ordered phases, the random offset, motion, vacancies."""

import csv
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.io import read, write
from matscipy.neighbours import neighbour_list
from observables.ternary import SPECIES, alloy, rattled

from macro_ase.lattice import BCC, FCC, SiteGrid
from macro_ase.observables import (
    bond_counts,
    delta_from_bonds,
    random_offset,
    short_range_order,
    warren_cowley_from_bonds,
)


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


@pytest.mark.slow
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
