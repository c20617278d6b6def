"""Short-range order of open blocks and of patches, against neighbours counted one by one."""

import itertools

import numpy as np
import pytest
from ase.build import fcc111
from observables.ternary import SPECIES, alloy, rattled

from macro_ase.observables import (
    short_range_order,
)


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
