"""Patches of a system of atoms: a core that counts, a buffer that moves with it, the rest frozen.

A patch is a sphere or a box around a centre, or any mask. `cut_out` takes from the system what
the energies of a patch depend on: its atoms and a frozen halo around them. Along a lattice vector
where the patch would see its own image through the halo, the cut-out keeps the whole period.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from .arrays import Array

Indices = NDArray[np.int64]
Vectors = Array
MARGIN_A = 1.0
AT_ONCE = 20_000
"""Atoms and images of them that are looked at together."""


@dataclass(frozen=True)
class Region:
    """A patch of one system.

    Attributes
    ----------
    core, buffer : int arrays
        Indices of atoms, ascending and disjoint.
    centre : array, shape (3,)
        Point around which the patch is compact, A.
    """

    core: Indices
    buffer: Indices
    centre: Vectors

    @property
    def active(self) -> Indices:
        """Atoms that move: those of the core, then those of the buffer."""
        return np.concatenate([self.core, self.buffer])


def whole(atoms: Atoms) -> Region:
    """All atoms as the core of one region."""
    return Region(np.arange(len(atoms)), np.arange(0), np.zeros(3))


@dataclass(frozen=True)
class Patch:
    """What a patch is, before it is laid on atoms; see `sphere`, `box` and `mask`.

    Attributes
    ----------
    name : str
        What it is, for messages.
    select : callable
        From atoms to the `Region`.
    """

    name: str
    select: Callable[[Atoms], Region]

    @classmethod
    def sphere(cls, centre: ArrayLike | int, radius_A: float, buffer_A: float = 0.0) -> Patch:
        """Atoms within a radius of a point, or of an atom given by its index.

        Parameters
        ----------
        centre : array-like, shape (3,), or int
            A point in A, or the index of an atom.
        radius_A : float
            Radius of the core.
        buffer_A : float
            Thickness of the buffer around it.

        Raises
        ------
        ValueError
            If a length is negative; on use, if the patch swallows the cell or is empty.
        """
        lengths = np.array([radius_A, radius_A + buffer_A])
        _require_lengths(radius_A, buffer_A)
        name = f"sphere of {lengths[1]:g} A"

        def select(atoms: Atoms) -> Region:
            point = _point(atoms, centre)
            _refuse_overlap(atoms, lengths[1] / heights(atoms), name)
            distance = np.linalg.norm(_nearest_image(atoms, point), axis=1)
            return _region(distance <= lengths[0], distance <= lengths[1], point, name)

        return cls(name, select)

    @classmethod
    def box(cls, centre: ArrayLike | int, lengths_A: ArrayLike, buffer_A: float = 0.0) -> Patch:
        """Atoms in a box with edges along x, y, z; parameters as for `sphere`.

        Parameters
        ----------
        lengths_A : array-like, shape (3,)
            Edges of the core.
        """
        half = 0.5 * np.broadcast_to(np.asarray(lengths_A, dtype=float), 3)
        _require_lengths(float(half.min()), buffer_A)
        name = "box of " + " x ".join(f"{length:g}" for length in 2 * (half + buffer_A)) + " A"

        def select(atoms: Atoms) -> Region:
            point = _point(atoms, centre)
            _refuse_overlap(atoms, np.abs(_to_fractional(atoms)).T @ (half + buffer_A), name)
            offset = np.abs(_nearest_image(atoms, point))
            return _region(
                np.all(offset <= half, axis=1),
                np.all(offset <= half + buffer_A, axis=1),
                point,
                name,
            )

        return cls(name, select)

    @classmethod
    def mask(cls, core: ArrayLike, buffer: ArrayLike | None = None) -> Patch:
        """Any atoms: boolean masks, shape (n_atoms,), of the core and of the buffer."""
        inside = np.asarray(core, dtype=bool)
        around = np.zeros_like(inside) if buffer is None else np.asarray(buffer, dtype=bool)

        def select(atoms: Atoms) -> Region:
            if inside.shape != (len(atoms),) or around.shape != (len(atoms),):
                raise ValueError(f"masks of {len(atoms)} atoms are needed, not of {inside.size}")
            middle = _circular_mean(atoms, inside | around)
            return _region(inside, inside | around, middle, "mask")

        return cls("mask", select)


@dataclass(frozen=True)
class CutOut:
    """Atoms of a patch and of the frozen halo that their energies depend on.

    Attributes
    ----------
    atoms : ase.Atoms
        Core first, then buffer, then halo; unwrapped, periodic only where the whole period
        was kept, elsewhere in a cell no longer than they need, whose vectors `order_axes` orders.
    index : int array, shape (n,)
        Which atom of the system each is (a halo atom may come as several images).
    shift : array, shape (n, 3)
        What was added to its position, A.
    n_core, n_active : int
        Atoms of the core; of core and buffer.
    halo_A : float
    """

    atoms: Atoms
    index: Indices
    shift: Vectors
    n_core: int
    n_active: int
    halo_A: float

    def write_back(self, system: Atoms) -> None:
        """Put numbers, positions and momenta of core and buffer back into the system."""
        active = self.index[: self.n_active]
        system.numbers[active] = self.atoms.numbers[: self.n_active]
        system.positions[active] = (self.atoms.positions - self.shift)[: self.n_active]
        if self.atoms.has("momenta"):
            momenta = system.get_momenta()
            momenta[active] = self.atoms.get_momenta()[: self.n_active]
            system.set_momenta(momenta)


def cut_out(atoms: Atoms, region: Region, halo_A: float) -> CutOut:
    """The patch with all atoms within ``halo_A`` of any atom of it.

    Atoms that will move need a halo that is longer by as much as they may. Costs O(n) once;
    what is then done with the cut-out costs as much as the patch is large.

    Raises
    ------
    ValueError
        If the halo is not positive.
    """
    if not halo_A > 0:
        raise ValueError(f"halo_A must be above 0 A, not {halo_A:g}")
    active = region.active
    offset = _nearest_image(atoms, region.centre)
    base_shift = offset + region.centre - atoms.positions
    cell, fractional = atoms.cell.complete().array, offset @ _to_fractional(atoms)
    kept = _kept_periods(atoms, fractional[active], halo_A)
    tree = cKDTree(offset[active])
    reach = np.abs(fractional[active]).max(axis=0) + halo_A / heights(atoms)
    rows, images = [active], [np.zeros((len(active), 3))]
    frozen = np.ones(len(atoms), dtype=bool)
    frozen[active] = False
    ranges = [_image_range(r, p) for r, p in zip(reach, atoms.pbc)]
    every = np.array(list(itertools.product(*ranges)), dtype=float)
    place = np.array([image @ cell for image in every])
    away = np.any((every != 0) & ~kept, axis=1)
    for some in _blocks(len(every), len(atoms)):
        inside = np.all(np.abs(fractional + every[some, None]) <= reach, axis=2)
        image, near = np.nonzero(inside & (away[some, None] | frozen))
        image += some.start
        distance = tree.query(offset[near] + place[image], distance_upper_bound=halo_A)[0]
        image, near = image[distance <= halo_A], near[distance <= halo_A]
        rows.append(near)
        images.append(np.where(kept, 0, every[image]))
    index, image_of = _unique_images(np.concatenate(rows), np.concatenate(images), len(active))
    shift = base_shift[index] + image_of @ cell
    cluster = atoms[index]
    cluster.calc = None
    cluster.pbc = kept
    cluster.positions += shift
    shift = shift + _shrink_cell(cluster)
    order_axes(cluster)
    return CutOut(cluster, index, shift, len(region.core), len(active), halo_A)


def _shrink_cell(cluster: Atoms) -> Vectors:
    """Move atoms into a cell no longer than they need where it is open; by how much, A.

    Neighbour lists take as long as the cell is large.
    """
    cell, fractional = cluster.cell.complete().array, cluster.positions @ _to_fractional(cluster)
    margin = MARGIN_A / heights(cluster)
    low = np.where(cluster.pbc, 0.0, fractional.min(axis=0) - margin)
    length = np.where(cluster.pbc, 1.0, np.ptp(fractional, axis=0) + 2 * margin)
    cluster.set_cell(length[:, None] * cell)
    cluster.positions -= low @ cell
    return np.asarray(-low @ cell)


def order_axes(atoms: Atoms) -> None:
    """Turn the order of the lattice vectors round until Cartesian axes can replace the open ones.

    MACE puts the n-th Cartesian axis where the n-th lattice vector is open; in skewed cells that
    can lie in the plane of the others. The lattice, its handedness and the positions stay.
    """
    cell, periodic = atoms.cell.array, np.asarray(atoms.pbc)

    def volume(turns: int) -> float:
        kept = np.roll(periodic, turns)[:, None]
        return float(abs(np.linalg.det(np.where(kept, np.roll(cell, turns, axis=0), np.eye(3)))))

    turns = max(range(3), key=volume)
    atoms.set_cell(np.roll(cell, turns, axis=0))
    atoms.pbc = np.roll(periodic, turns)


def heights(atoms: Atoms) -> Vectors:
    """Distances between opposite faces of the cell, A, shape (3,)."""
    return np.asarray(1 / np.linalg.norm(_to_fractional(atoms), axis=0))


def _unique_images(index: Indices, image: Vectors, n_active: int) -> tuple[Indices, Vectors]:
    """Each image once, the active atoms first and in their order, then by atom and image."""
    keys = np.column_stack([index, image.astype(np.int64)])[n_active:]
    halo = keys[np.lexsort(keys.T[::-1])]
    halo = halo[np.diff(halo, axis=0, prepend=-1).any(axis=1)]
    return (
        np.concatenate([index[:n_active], halo[:, 0]]),
        np.concatenate([image[:n_active], halo[:, 1:].astype(float)]),
    )


def _blocks(n_images: int, n_atoms: int) -> list[slice]:
    """Images in turns of so many that arrays of all atoms of these stay small."""
    size = max(1, AT_ONCE // max(1, n_atoms))
    return [slice(first, first + size) for first in range(0, n_images, size)]


def _image_range(reach: float, periodic: bool) -> range:
    """Periods to look at along a lattice vector."""
    n = int(np.floor(reach + 0.5)) if periodic else 0
    return range(-n, n + 1)


def _kept_periods(atoms: Atoms, fractional: Vectors, halo_A: float) -> NDArray[np.bool_]:
    """Lattice vectors along which the patch would see its own image through the halo."""
    gap = (1 - np.ptp(fractional, axis=0)) * heights(atoms)
    return np.asarray(atoms.pbc & (gap <= halo_A))


def _nearest_image(atoms: Atoms, centre: Vectors) -> Vectors:
    """Positions from a centre, wrapped to half a lattice vector, A."""
    offset = np.asarray(atoms.positions - centre, dtype=float)
    periods = np.round(offset @ _to_fractional(atoms)) * atoms.pbc
    return np.asarray(offset - periods @ atoms.cell.complete().array)


def _to_fractional(atoms: Atoms) -> Vectors:
    """Matrix that turns Cartesian rows into multiples of the lattice vectors."""
    return np.asarray(np.linalg.inv(atoms.cell.complete().array))


def _circular_mean(atoms: Atoms, mask: NDArray[np.bool_]) -> Vectors:
    """Centre of some atoms that respects periodicity."""
    if not mask.any():
        return np.zeros(3)
    fractional = atoms.positions[mask] @ _to_fractional(atoms)
    angle = np.angle(np.exp(2j * np.pi * fractional).mean(axis=0)) / (2 * np.pi)
    middle = np.where(atoms.pbc, angle, fractional.mean(axis=0))
    return np.asarray(middle @ atoms.cell.complete().array)


def _point(atoms: Atoms, centre: ArrayLike | int) -> Vectors:
    if isinstance(centre, (int, np.integer)):
        if not -len(atoms) <= centre < len(atoms):
            raise ValueError(f"there is no atom {centre}: the system has {len(atoms)}")
        return np.array(atoms.positions[centre])
    point = np.asarray(centre, dtype=float)
    if point.shape != (3,):
        raise ValueError(f"a centre is a point (3,) or the index of an atom, not {centre!r}")
    return point


def _region(
    inside: NDArray[np.bool_], within: NDArray[np.bool_], centre: Vectors, name: str
) -> Region:
    if not inside.any():
        raise ValueError(f"the core of the patch ({name}) holds no atom")
    if within.all():
        raise ValueError(
            f"the patch ({name}) swallows the cell of {len(within)} atoms: nothing is left to "
            "freeze; without a patch the whole cell is simulated"
        )
    return Region(np.flatnonzero(inside), np.flatnonzero(within & ~inside), centre)


def _refuse_overlap(atoms: Atoms, reach: Vectors, name: str) -> None:
    """Raise if a patch with such half extents, in lattice vectors, overlaps its own image."""
    if np.any(reach[atoms.pbc] > 0.5):
        lengths = " x ".join(f"{height:.4g}" for height in heights(atoms))
        raise ValueError(f"the patch ({name}) swallows the cell ({lengths} A across)")


def _require_lengths(radius_A: float, buffer_A: float) -> None:
    if not (radius_A > 0 and buffer_A >= 0):
        raise ValueError(
            f"a patch needs a size above 0 and a buffer of 0 or more, not {radius_A:g} and "
            f"{buffer_A:g} A"
        )
