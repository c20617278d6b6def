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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ..files import write_atomically

Array = NDArray[np.float64]

FEWEST_KNOTS = 5
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

    Raises
    ------
    ValueError
        If the arrays do not fit together, hold a number that is not finite, or the pair
        functions are not symmetric.
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

    def __post_init__(self) -> None:
        n, nr, nrho = len(self.species), self.density.shape[-1], self.embedding.shape[-1]
        shapes = {
            "masses": (n,),
            "lattice_constants_A": (n,),
            "density": (n, nr),
            "embedding": (n, nrho),
            "pair": (n, n, nr),
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
        if not np.array_equal(self.pair, self.pair.swapaxes(0, 1)):
            raise ValueError("pair must be symmetric in the species")
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

    def splines(self) -> Splines:
        """The cubics that LAMMPS makes of these tables."""
        return Splines(
            self.dr_A,
            self.drho,
            hermite_cubics(self.density),
            hermite_cubics(self.embedding),
            hermite_cubics(self.r_A * self.pair),
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
            raise FileNotFoundError(f"no such file: {file}")
        try:
            return _parse(file.read_text())
        except (ValueError, IndexError) as error:
            raise ValueError(f"{file} is no eam/alloy (setfl) table: {error}") from error

    def write(self, file: str | Path) -> None:
        """Write a setfl file; equal tables give equal bytes."""
        nr, nrho = self.density.shape[-1], self.embedding.shape[-1]
        lines = [line.replace("\n", " ") for line in self.comment]
        lines.append(f"{len(self.species)} {' '.join(self.species)}")
        lines.append(f"{nrho} {self.drho:.16e} {nr} {self.dr_A:.16e} {self.cutoff_A:.16e}")
        for n, name in enumerate(self.species):
            head = f"{self.masses[n]:.10g} {self.lattice_constants_A[n]:.10g} {self.lattices[n]}"
            lines.append(f"{atomic_numbers.get(name, 0)} {head}")
            lines += _rows(self.embedding[n]) + _rows(self.density[n])
        for a in range(len(self.species)):
            for b in range(a + 1):
                lines += _rows(self.r_A * self.pair[a, b])
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


class _Words:
    """The words of a file, taken from the front."""

    def __init__(self, text: str) -> None:
        self.words, self.taken = text.split(), 0

    def take(self, count: int, what: str) -> list[str]:
        words = self.words[self.taken : self.taken + count]
        if len(words) < count:
            raise ValueError(f"it ends in {what}: {len(words)} of {count} entries are there")
        self.taken += count
        return words

    def numbers(self, count: int, what: str) -> Array:
        words = self.take(count, what)
        try:
            values = np.array(words, dtype=float)
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from error
        if not np.isfinite(values).all():
            raise ValueError(f"{what} holds a number that is not finite")
        return values


def _parse(text: str) -> EAMTable:
    lines = text.split("\n", 3)
    if len(lines) < 4:
        raise ValueError("it has fewer than four lines")
    words = _Words(lines[3])
    n = _count(words, "the number of elements", fewest=1)
    species = tuple(words.take(n, "the elements"))
    nrho = _count(words, "nrho", FEWEST_KNOTS)
    drho = words.numbers(1, "drho")[0]
    nr = _count(words, "nr", FEWEST_KNOTS)
    dr_A, cutoff_A = words.numbers(2, "dr and cutoff")
    masses, constants, lattices = np.empty(n), np.empty(n), []
    embedding, density, pair = np.empty((n, nrho)), np.empty((n, nr)), np.empty((n, n, nr))
    for i, name in enumerate(species):
        _, masses[i], constants[i] = words.numbers(3, f"the header of {name}")
        lattices += words.take(1, f"the header of {name}")
        embedding[i] = words.numbers(nrho, f"the embedding energy of {name}")
        density[i] = words.numbers(nr, f"the density of {name}")
    r_A = dr_A * np.arange(nr)
    for a in range(n):
        for b in range(a + 1):
            z = words.numbers(nr, f"the pair function of {species[a]} and {species[b]}")
            pair[a, b, 1:] = pair[b, a, 1:] = z[1:] / r_A[1:]
    pair[..., 0] = pair[..., 1]
    left = len(words.words) - words.taken
    if left:
        raise ValueError(f"{left} entries follow after the last table")
    return EAMTable(
        species,
        masses,
        constants,
        float(cutoff_A),
        float(dr_A),
        float(drho),
        density,
        embedding,
        pair,
        tuple(lattices),
        (lines[0], lines[1], lines[2]),
    )


def _count(words: _Words, what: str, fewest: int) -> int:
    (word,) = words.take(1, what)
    if not word.isdigit() or int(word) < fewest:
        raise ValueError(f"{what} must be a whole number from {fewest} on, not {word!r}")
    return int(word)
