"""Patches select what geometry says, and cut-outs hold all that their energies depend on."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.neighborlist import neighbor_list

from macro_ase.neighbour_pairs import neighbour_pairs
from macro_ase.patches import Patch, cut_out, order_axes, whole

CUTOFF_A, SKIN_A = 6.0, 0.6


def crystal(cells: int | tuple[int, int, int] = 5, shake: float = 0.1) -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.26, cubic=True) * cells
    atoms.rattle(shake, seed=1)
    return atoms


def skewed() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.26) * (9, 9, 9)
    atoms.rattle(0.1, seed=2)
    return atoms


@pytest.mark.parametrize("atoms", [crystal(), skewed()], ids=["cubic", "skewed"])
@pytest.mark.parametrize("centre", [0, 77, (1.0, -3.0, 40.0)])
def test_a_sphere_holds_the_atoms_within_its_radius(atoms: Atoms, centre) -> None:
    region = Patch.sphere(centre, 6.0, buffer_A=3.0).select(atoms)
    point = atoms.positions[centre] if isinstance(centre, int) else np.array(centre)
    probe = atoms + Atoms("He", [point])
    distance = probe.get_distances(-1, range(len(atoms)), mic=True)
    np.testing.assert_array_equal(region.core, np.flatnonzero(distance <= 6))
    np.testing.assert_array_equal(region.buffer, np.flatnonzero((distance > 6) & (distance <= 9)))


def test_a_box_holds_the_atoms_between_its_faces() -> None:
    atoms = crystal(5, shake=0)
    region = Patch.box((0, 0, 0), (5.4, 5.4, 10.7), buffer_A=0.1).select(atoms)
    scaled = atoms.positions - np.round(atoms.get_scaled_positions()) @ atoms.cell.array
    inside = np.all(np.abs(scaled) <= np.array([2.7, 2.7, 5.35]), axis=1)
    np.testing.assert_array_equal(region.core, np.flatnonzero(inside))


def forces_and_change(atoms: Atoms, move: np.ndarray) -> tuple[np.ndarray, float]:
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.01, rc=6.0, smooth=False)
    before, forces = atoms.get_potential_energy(), atoms.get_forces()
    atoms.positions[: len(move)] += move
    return forces[: len(move)], atoms.get_potential_energy() - before


SYSTEMS = {
    "large": (crystal(5), Patch.sphere(3, 5.0, 3.0)),
    "halo reaches its own image": (crystal(3), Patch.sphere((1.0, 2.0, 0.5), 5.0, 2.0)),
    "halo wraps": (crystal(4), Patch.sphere(9, 3.0)),
    "thin along one axis": (crystal((2, 6, 6)), Patch.sphere(9, 4.0, 1.0)),
    "skewed": (skewed(), Patch.sphere(100, 6.0)),
    "slab": (crystal((3, 3, 6)), Patch.mask(crystal((3, 3, 6), 0).positions[:, 2] < 5)),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_cut_out_gives_the_forces_and_energy_changes_of_the_whole(name: str) -> None:
    atoms, patch = SYSTEMS[name][0].copy(), SYSTEMS[name][1]
    cut = cut_out(atoms, patch.select(atoms), halo_A=CUTOFF_A + SKIN_A)
    order = np.concatenate(
        [cut.index[: cut.n_active], np.delete(np.arange(len(atoms)), cut.index[: cut.n_active])]
    )
    reordered = atoms[order]
    move = np.random.default_rng(0).normal(scale=0.1, size=(cut.n_active, 3))
    expected = forces_and_change(reordered, move)
    found = forces_and_change(cut.atoms.copy(), move)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    assert found[1] == pytest.approx(expected[1], abs=1e-10)


def some_cell(seed: int) -> tuple[Atoms, np.ndarray]:
    """A small block in any lattice vectors, handedness and periodicity; some atoms of it."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Ar", "fcc", a=5.26) * tuple(int(n) for n in rng.integers(1, 7, 3))
    vectors = np.eye(3, dtype=int)
    for _ in range(rng.integers(4)):
        i, j = rng.choice(3, 2, replace=False)
        vectors[i] += rng.integers(-1, 2) * vectors[j]
    atoms.set_cell(rng.permutation(vectors @ atoms.cell.array))
    atoms.pbc = rng.integers(0, 2, 3)
    atoms.rattle(0.1, rng=rng)
    return atoms, rng.permutation(len(atoms)) < 1 + len(atoms) // 3


def ring_energy(atoms: Atoms) -> float:
    """Of pairs nearer than the cutoff, through their images too."""
    distance = neighbour_pairs(atoms, CUTOFF_A).distance_A
    return float(np.sum((CUTOFF_A - distance) ** 4)) / 2


@pytest.mark.parametrize("seed", range(40))
def test_cut_outs_of_any_cell_give_the_energy_changes_of_the_whole(seed: int) -> None:
    atoms, mask = some_cell(seed)
    if mask.all():
        return
    cut = cut_out(atoms, Patch.mask(mask).select(atoms), CUTOFF_A + SKIN_A)
    active = cut.index[: cut.n_active]
    assert cut.atoms.cell.handedness == atoms.cell.handedness
    changes = []
    for block, moved in ((atoms, active), (cut.atoms, np.arange(cut.n_active))):
        before = ring_energy(block)
        block.positions[moved] += np.random.default_rng(seed).normal(
            scale=0.1, size=(len(moved), 3)
        )
        changes.append(ring_energy(block) - before)
    assert changes[1] == pytest.approx(changes[0], abs=1e-8)


@pytest.mark.parametrize("seed", range(40))
def test_cartesian_axes_can_stand_for_open_ones(seed: int) -> None:
    atoms, _ = some_cell(seed)
    ordered = atoms.copy()
    order_axes(ordered)
    pairs = [neighbour_pairs(a, CUTOFF_A).distance_A for a in (atoms, ordered)]
    np.testing.assert_allclose(*map(np.sort, pairs), atol=1e-12)
    kept = ordered.pbc[:, None]
    rows = np.where(kept, ordered.cell.array / ordered.cell.lengths()[:, None], np.eye(3))
    flat = np.linalg.svd(ordered.cell.array[ordered.pbc], compute_uv=False)
    limit = 0.3 * (flat.min() / ordered.cell.lengths().max() if len(flat) else 1.0)
    assert abs(np.linalg.det(rows)) > limit, "as independent as the periodic vectors are"


def test_a_shorter_halo_is_noticed() -> None:
    atoms, patch = SYSTEMS["large"]
    short, full = (cut_out(atoms, patch.select(atoms), halo_A=h) for h in (4.0, 6.6))
    move = np.random.default_rng(1).normal(scale=0.1, size=(full.n_active, 3))
    changes = [forces_and_change(cut.atoms.copy(), move)[1] for cut in (short, full)]
    assert len(short.atoms) < len(full.atoms) < len(atoms)
    assert abs(changes[0] - changes[1]) > 1e-6


def test_every_atom_within_the_halo_is_there_once() -> None:
    atoms = crystal(5)
    cut = cut_out(atoms, Patch.sphere(3, 5.0, 3.0).select(atoms), halo_A=6.0)
    i, j = neighbor_list("ij", atoms, 6.0)
    active = cut.index[: cut.n_active]
    assert set(j[np.isin(i, active)]) <= set(cut.index) and len(set(cut.index)) == len(cut.index)


def test_what_moved_is_put_back() -> None:
    atoms = crystal(5)
    before = atoms.positions.copy()
    cut = cut_out(atoms, Patch.sphere(3, 5.0, 3.0).select(atoms), halo_A=6.0)
    cut.atoms.positions[: cut.n_active] += 0.5
    cut.atoms.numbers[0] = 36
    cut.atoms.set_momenta(np.ones((len(cut.atoms), 3)))
    cut.write_back(atoms)
    moved = np.isin(np.arange(len(atoms)), cut.index[: cut.n_active])
    np.testing.assert_allclose(atoms.positions - before, 0.5 * moved[:, None] * np.ones(3))
    np.testing.assert_array_equal(atoms.get_momenta(), moved[:, None] * np.ones(3))
    assert atoms.numbers[cut.index[0]] == 36 and np.sum(atoms.numbers == 36) == 1


def test_the_whole_is_a_region_too() -> None:
    atoms = crystal(3)
    cut = cut_out(atoms, whole(atoms), halo_A=6.0)
    assert len(cut.atoms) == cut.n_core == len(atoms) and cut.atoms.pbc.all()


def test_a_cluster_without_a_cell() -> None:
    atoms = crystal(4)
    atoms.cell, atoms.pbc = None, False
    cut = cut_out(atoms, Patch.sphere(0, 4.0).select(atoms), halo_A=6.0)
    assert not cut.atoms.pbc.any() and 0 < cut.n_active < len(cut.atoms) < len(atoms)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda a: Patch.sphere(0, 14.0).select(a), "swallows the cell"),
        (lambda a: Patch.box(0, (5, 5, 40)).select(a), "swallows the cell"),
        (lambda a: Patch.mask(np.ones(len(a))).select(a), "nothing is left to freeze"),
        (lambda a: Patch.mask(np.zeros(len(a))).select(a), "holds no atom"),
        (lambda a: Patch.mask([True]).select(a), "masks of"),
        (lambda a: Patch.sphere(10**6, 3.0).select(a), "no atom 1000000"),
        (lambda a: Patch.sphere((0, 0), 3.0).select(a), "a centre is"),
        (lambda a: Patch.sphere(0, -1.0), "above 0"),
        (lambda a: Patch.sphere(0, 3.0, -1.0), "0 or more"),
        (lambda a: cut_out(a, Patch.sphere(0, 3.0).select(a), 0.0), "halo_A"),
    ],
)
def test_bad_patches_are_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(crystal(5))
