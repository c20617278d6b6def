"""The stationary law of one variable from its drift and diffusion, and what it says about m.

    dm = b dt + sqrt(D) dW  (Ito)   has   p(m) ~ exp(int 2 b / D dm) / D

For an observable of a reversible dynamics in equilibrium, with b and D the conditional mean and
mean square of its increments given m, this is the law of m itself up to third moments of the
increments: although m alone has a memory, its drift closes the stationary law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from scipy.integrate import cumulative_simpson, simpson

from ...arrays import Array

GRID = np.linspace(-1.1, 1.1, 1101)
ODD, EVEN = np.arange(1, 10, 2), np.arange(0, 10, 2)
SMALLEST_SHARE = 1e-3
MOMENT_NAMES = ("<|m|>", "chi'", "U")


@dataclass(frozen=True)
class Table:
    """Drift and diffusion on `GRID`, per unit of time.

    Attributes
    ----------
    drift, diffusion : arrays, shape (n_grid,)
        b and D.
    reach : float
        Largest |m| for which they are known; the stationary law is cut there.
    """

    drift: Array
    diffusion: Array
    reach: float = 1.0


def moments(means: Array, n_sites: int, temperature: Array | float) -> Array:
    """<|m|>, chi' and U from <|m|>, <m^2> and <m^4>, both of shape (..., 3)."""
    m_abs, m2, m4 = np.moveaxis(means, -1, 0)
    chi = n_sites / temperature * (m2 - m_abs**2)
    return np.stack([m_abs, chi, 1 - m4 / (3 * m2**2)], axis=-1)


def stationary_density(table: Table) -> Array:
    """p on `GRID`, shape (n_grid,), with integral 1."""
    slope = 2 * table.drift / table.diffusion
    exponent = cumulative_simpson(slope, x=GRID, initial=0) - np.log(table.diffusion)
    inside = np.abs(GRID) <= table.reach
    density = np.where(inside, np.exp(np.minimum(exponent - exponent[inside].max(), 0.0)), 0.0)
    return density / simpson(density, x=GRID)


def stationary_moments(table: Table, n_sites: int, temperature: float) -> Array:
    """<|m|>, chi' and U, shape (3,), by quadrature over the stationary law."""
    density = stationary_density(table)
    means = np.array([simpson(density * np.abs(GRID) ** k, x=GRID) for k in (1, 2, 4)])
    return moments(means, n_sites, temperature)


@dataclass(frozen=True)
class PolynomialFit:
    """Drift and diffusion by least squares, without training: sums of blocks of chains.

    b is an odd Chebyshev polynomial fitted to ``mean`` / dt and D an even one fitted to
    ``dm``^2 / dt, so the symmetry of m is in the functions.

    Attributes
    ----------
    odd, even : arrays, shape (n_blocks, p, p)
        Normal matrices.
    drift, square : arrays, shape (n_blocks, p)
        Right-hand sides.
    reach : float
    """

    odd: Array
    even: Array
    drift: Array
    square: Array
    reach: float

    @classmethod
    def of(cls, m: Array, mean: Array, dm: Array, dt: float) -> PolynomialFit:
        """From chains, arrays of shape (n_blocks, n)."""
        basis = [chebyshev.chebvander(np.asarray(row, dtype=float), int(ODD[-1])) for row in m]
        odd, even = ([b[:, kind] for b in basis] for kind in (ODD, EVEN))
        squares = np.asarray(dm, dtype=float) ** 2 / dt
        return cls(
            np.array([x.T @ x for x in odd]),
            np.array([x.T @ x for x in even]),
            np.array([x.T @ y for x, y in zip(odd, np.asarray(mean, dtype=float) / dt)]),
            np.array([x.T @ y for x, y in zip(even, squares)]),
            float(np.abs(m).max()),
        )

    def table(self, blocks: Array | slice = slice(None)) -> Table:
        """The fit to all blocks, or to those of some numbers."""
        on_grid = chebyshev.chebvander(GRID, int(ODD[-1]))
        odd, even, drift, square = (
            x[blocks].sum(axis=0) for x in (self.odd, self.even, self.drift, self.square)
        )
        diffusion = on_grid[:, EVEN] @ np.linalg.solve(even, square)
        smallest = SMALLEST_SHARE * np.median(diffusion[np.abs(GRID) < self.reach])
        b = np.asarray(on_grid[:, ODD] @ np.linalg.solve(odd, drift), dtype=np.float64)
        return Table(b, np.maximum(diffusion, smallest), self.reach)

    def moments(self, n_sites: int, temperature: float, resamples: int) -> tuple[Array, Array]:
        """<|m|>, chi' and U of the stationary law and bootstrap errors over blocks, shape (3,)."""
        draws = self.draws(n_sites, temperature, resamples, 0)
        return stationary_moments(self.table(), n_sites, temperature), draws.std(axis=0)

    def draws(self, n_sites: int, temperature: float, resamples: int, seed: int) -> Array:
        """Moments of fits to blocks drawn with replacement, shape (resamples, 3)."""
        n = len(self.odd)
        drawn = np.random.default_rng(seed).integers(n, size=(resamples, n))
        return np.array([stationary_moments(self.table(d), n_sites, temperature) for d in drawn])
