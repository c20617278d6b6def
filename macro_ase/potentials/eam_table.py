"""Embedded-atom potentials as tables: the setfl file of LAMMPS's ``pair_style eam/alloy``.

    E = sum_i F_a(i)(rho_i) + 1/2 sum_i sum_{j != i} phi_a(i)a(j)(r_ij),
    rho_i = sum_{j != i} f_a(j)(r_ij),    r_ij < cutoff

Between knots m and m + 1 a tabulated g (F, f, or z = r phi) is the cubic in the fraction p of
the interval with the values g[m], g[m+1] and the slopes

    g'[m] = (g[m-2] - g[m+2] + 8 (g[m+1] - g[m-1])) / 12

per interval, at the second and last but one knot (g[m+1] - g[m-1]) / 2, at the ends the one-sided
difference. Above the last knot F goes on along its tangent. This is LAMMPS's own
interpolation, so energies agree to rounding. The format: docs.lammps.org/pair_eam.html.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from ..arrays import Array
from ..files import write_atomically
from ..reasons import absent
from .setfl import FEWEST_KNOTS, Setfl, read_setfl

DEFAULT_COMMENT = ("macro_ase", "", "")


@dataclass(frozen=True, eq=False)
class Splines:
    """Cubics of every interval: c[0] + c[1] p + c[2] p^2 + c[3] p^3 with 0 <= p <= 1.

    Attributes
    ----------
    dr_A, drho : float
        Width of an interval.
    density : array, shape (S, nr - 1, 4)
        f by species of the neighbour.
    embedding : array, shape (S, nrho - 1, 4)
        F, eV.
    r_pair : array, shape (S, S, nr - 1, 4)
        r phi, eV A.
    """

    dr_A: float
    drho: float
    density: Array
    embedding: Array
    r_pair: Array

    def with_vacancy(self) -> Splines:
        """With one more species, the last, which is nothing; F goes on along its tangent."""
        one = (0, 1)
        embedding = np.pad(self.embedding, (one, one, (0, 0)))
        last = self.embedding[:, -1] @ np.array([[1, 0], [1, 1], [1, 2], [1, 3]])
        embedding[:-1, -1, :2] = last
        return replace(
            self,
            density=np.pad(self.density, (one, (0, 0), (0, 0))),
            embedding=embedding,
            r_pair=np.pad(self.r_pair, (one, one, (0, 0), (0, 0))),
        )


@dataclass(frozen=True, eq=False)
class EAMTable:
    """An embedded-atom potential of S species.

    Attributes
    ----------
    species : tuple of str
        Chemical symbols.
    masses : array, shape (S,)
        g/mol.
    lattice_constants_A : array, shape (S,)
    cutoff_A : float
        Pairs interact below this distance.
    dr_A, drho : float
        Spacings of the grids, which start at 0.
    density : array, shape (S, nr)
        f(r) that an atom of a species adds to its neighbours' rho.
    embedding : array, shape (S, nrho)
        F(rho), eV.
    pair : array, shape (S, S, nr)
        phi(r), eV, symmetric in the species. The value at r = 0 is not used.
    lattices : tuple of str
        Structures of the elements, default all bcc.
    comment : three str
        First lines of the file.
    r_pair_at_0 : array, shape (S, S)
        Limit of r phi at r = 0, eV A; default 0.

    Raises
    ------
    ValueError
        If the arrays do not fit together, hold a number that is not finite, an element is there
        twice, or the pair functions are not symmetric.
    """

    species: tuple[str, ...]
    masses: Array
    lattice_constants_A: Array
    cutoff_A: float
    dr_A: float
    drho: float
    density: Array
    embedding: Array
    pair: Array
    lattices: tuple[str, ...] = ()
    comment: tuple[str, str, str] = DEFAULT_COMMENT
    r_pair_at_0: Array | float = 0.0

    def __post_init__(self) -> None:
        n, nr, nrho = len(self.species), self.density.shape[-1], self.embedding.shape[-1]
        limit = np.broadcast_to(np.asarray(self.r_pair_at_0, dtype=np.float64), (n, n))
        object.__setattr__(self, "r_pair_at_0", limit)
        shapes = {
            "masses": (n,),
            "lattice_constants_A": (n,),
            "density": (n, nr),
            "embedding": (n, nrho),
            "pair": (n, n, nr),
            "r_pair_at_0": (n, n),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value.shape != shape:
                raise ValueError(f"{name} must have the shape {shape}, not {value.shape}")
            if not np.isfinite(value).all():
                raise ValueError(f"{name} holds a number that is not finite")
        if min(nr, nrho) < FEWEST_KNOTS:
            raise ValueError(f"a table needs {FEWEST_KNOTS} knots or more, not {min(nr, nrho)}")
        for name in ("cutoff_A", "dr_A", "drho"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive, not {value:g}")
        if not all(np.array_equal(z, z.swapaxes(0, 1)) for z in (self.pair, limit)):
            raise ValueError("pair must be symmetric in the species")
        if len(set(self.species)) < n:
            raise ValueError(f"an element is there twice: {' '.join(self.species)}")
        if not (self.masses > 0).all():
            raise ValueError(f"masses must be positive, not {self.masses.min():g}")
        if not self.lattices:
            object.__setattr__(self, "lattices", n * ("bcc",))

    @property
    def r_A(self) -> Array:
        """Distances of the knots, shape (nr,)."""
        return self.dr_A * np.arange(self.density.shape[-1], dtype=np.float64)

    @property
    def rho(self) -> Array:
        """Densities of the knots, shape (nrho,)."""
        return self.drho * np.arange(self.embedding.shape[-1], dtype=np.float64)

    @property
    def r_pair(self) -> Array:
        """r phi, shape (S, S, nr), eV A."""
        product = self.r_A * self.pair
        product[..., 0] = self.r_pair_at_0
        return product

    def only(self, species: Sequence[str]) -> EAMTable:
        """The table of some of its species, in this order."""
        rows = [self.species.index(name) for name in species]
        square = np.ix_(rows, rows)
        return replace(
            self,
            species=tuple(species),
            masses=self.masses[rows],
            lattice_constants_A=self.lattice_constants_A[rows],
            density=self.density[rows],
            embedding=self.embedding[rows],
            pair=self.pair[square],
            lattices=tuple(self.lattices[row] for row in rows),
            r_pair_at_0=np.asarray(self.r_pair_at_0)[square],
        )

    def splines(self) -> Splines:
        """The cubics that LAMMPS makes of these tables."""
        return Splines(
            self.dr_A,
            self.drho,
            hermite_cubics(self.density),
            hermite_cubics(self.embedding),
            hermite_cubics(self.r_pair),
        )

    @classmethod
    def read(cls, file: str | Path) -> EAMTable:
        """Read a setfl file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is broken: the message names the file and what is wrong.
        """
        file = Path(file)
        if not file.is_file():
            raise FileNotFoundError(absent(file))
        try:
            return cls._of(read_setfl(file.read_bytes()))
        except ValueError as error:
            raise ValueError(f"{file} is no eam/alloy (setfl) table: {error}") from error

    @classmethod
    def _of(cls, read: Setfl) -> EAMTable:
        r_A = read.dr_A * np.arange(read.r_pair.shape[-1])
        pair = np.empty_like(read.r_pair)
        pair[..., 1:] = read.r_pair[..., 1:] / r_A[1:]
        pair[..., 0] = pair[..., 1]
        found = {name: value for name, value in read._asdict().items() if name != "r_pair"}
        return cls(**found, pair=pair, r_pair_at_0=read.r_pair[..., 0])

    def write(self, file: str | Path) -> None:
        """Write a setfl file; equal tables give equal bytes."""
        nr, nrho, r_pair = self.density.shape[-1], self.embedding.shape[-1], self.r_pair
        lines = [line.replace("\n", " ") for line in self.comment]
        lines.append(f"{len(self.species)} {' '.join(self.species)}")
        lines.append(f"{nrho} {self.drho:.16e} {nr} {self.dr_A:.16e} {self.cutoff_A:.16e}")
        for n, name in enumerate(self.species):
            head = f"{self.masses[n]:.10g} {self.lattice_constants_A[n]:.10g} {self.lattices[n]}"
            lines.append(f"{atomic_numbers.get(name, 0)} {head}")
            lines += _rows(self.embedding[n]) + _rows(self.density[n])
        for a in range(len(self.species)):
            for b in range(a + 1):
                lines += _rows(r_pair[a, b])
        write_atomically(file, "\n".join(lines) + "\n")


def hermite_cubics(values: Array) -> Array:
    """Cubics between equidistant knots, by the formulas of this module.

    Parameters
    ----------
    values : array, shape (..., n)

    Returns
    -------
    array, shape (..., n - 1, 4)
        Coefficients of rising powers of the fraction of the interval.
    """
    slope = np.empty_like(values)
    slope[..., 0] = values[..., 1] - values[..., 0]
    slope[..., -1] = values[..., -1] - values[..., -2]
    slope[..., 1:-1] = (values[..., 2:] - values[..., :-2]) / 2
    slope[..., 2:-2] = (
        values[..., :-4] - values[..., 4:] + 8 * (values[..., 3:-1] - values[..., 1:-3])
    ) / 12
    rise, left, right = np.diff(values), slope[..., :-1], slope[..., 1:]
    return np.stack(
        [values[..., :-1], left, 3 * rise - 2 * left - right, left + right - 2 * rise], axis=-1
    )


def _rows(values: Array) -> list[str]:
    """Numbers as text, five a line."""
    words = [f"{value:.16e}" for value in values]
    return [" ".join(words[n : n + 5]) for n in range(0, len(words), 5)]
