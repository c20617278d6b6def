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
from scipy.special import chdtrc

from ..arrays import Array
from ..kinetics.one_variable_sde import MOMENTS, path_moments
from ..rng import coerce_rng, kernel_state

GRID = np.linspace(-1.1, 1.1, 1101)
ODD, EVEN = np.arange(1, 10, 2), np.arange(0, 10, 2)
SMALLEST_SHARE = 1e-3
CHAIN_DRAWS = 40
WIDEST_START, BURN_IN_SHARE = 0.8, 0.1
DRIFT_BINS, FEWEST_IN_BIN = 12, 50
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
    scaled: Array = density / simpson(density, x=GRID)
    return scaled


def stationary_moments(table: Table, n_sites: int, temperature: float) -> Array:
    """<|m|>, chi' and U, shape (3,), by quadrature over the stationary law."""
    density = stationary_density(table)
    means = np.array([simpson(density * np.abs(GRID) ** k, x=GRID) for k in (1, 2, 4)])
    return moments(means, n_sites, temperature)


def path_means(
    table: Table, step: float, time: float, paths: int, seed: np.random.SeedSequence
) -> Array:
    """<|m|>, <m^2>, <m^4> along paths from anywhere, and the share of steps with |m| > 1.

    Shape (paths, 4); a tenth of ``time`` goes before.
    """
    pairs, sums = max(1, round(time / (2 * step))), np.empty((paths, MOMENTS))
    start = coerce_rng(seed).uniform(-WIDEST_START, WIDEST_START, paths)
    where = float(GRID[0]), float(GRID[1] - GRID[0]), table.drift, np.sqrt(table.diffusion)
    burn_in = max(1, round(BURN_IN_SHARE * pairs))
    path_moments(start, *where, step, burn_in, pairs, sums, kernel_state(seed))
    return sums


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
    def of(cls, rows: tuple[Array, Array, Array], dt: float, blocks: int) -> PolynomialFit:
        """From m, mean and dm of chains, shape (n_chains, n), neighbouring ones a block."""
        m, mean, dm = (np.asarray(x, dtype=float).reshape(blocks, -1) for x in rows)
        basis = [chebyshev.chebvander(row, int(ODD[-1])) for row in m]
        odd, even = ([b[:, kind] for b in basis] for kind in (ODD, EVEN))
        return cls(
            np.array([x.T @ x for x in odd]),
            np.array([x.T @ x for x in even]),
            np.array([x.T @ y for x, y in zip(odd, mean / dt)]),
            np.array([x.T @ y for x, y in zip(even, dm**2 / dt)]),
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
        draws = self.draws(n_sites, temperature, resamples)
        return stationary_moments(self.table(), n_sites, temperature), draws.std(axis=0)

    def draws(self, n_sites: int, temperature: float, resamples: int) -> Array:
        """Moments of fits to blocks drawn with replacement, shape (resamples, 3).

        Fits to as many blocks draw the same ones.
        """
        n = len(self.odd)
        drawn = np.random.default_rng(0).integers(n, size=(resamples, n))
        return np.array([stationary_moments(self.table(d), n_sites, temperature) for d in drawn])


def sample_moments(m: Array, n_sites: int, temperature: float) -> tuple[Array, Array]:
    """<|m|>, chi' and U of chains, shape (n_chains, n), and bootstrap errors over them, (3,)."""
    powers = np.stack([np.abs(np.asarray(m, dtype=float)) ** k for k in (1, 2, 4)], axis=-1)
    drawn = np.random.default_rng(0).integers(len(m), size=(CHAIN_DRAWS, len(m)))
    by_chain = powers.mean(axis=1)
    draws = moments(by_chain[drawn].mean(axis=1), n_sites, temperature)
    return moments(by_chain.mean(axis=0), n_sites, temperature), draws.std(axis=0)


def folded_drift(m: Array, mean: Array, edges: Array) -> tuple[Array, Array]:
    """Mean increment towards larger |m| in bins of |m|, and its error, shape (n_bins,).

    Bins of few snapshots are left out: nan.
    """
    place = np.clip(np.digitize(np.abs(m), edges) - 1, 0, len(edges) - 2)
    turned = np.where(m < 0, -mean, mean)
    value, error = np.full((2, len(edges) - 1), np.nan)
    for k in range(len(edges) - 1):
        own = turned[place == k]
        if len(own) >= FEWEST_IN_BIN:
            value[k], error[k] = own.mean(), own.std(ddof=1) / np.sqrt(len(own))
    return value, error


def drift_difference(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[float, float]:
    """Whether the drift given |m| is the same in two samples of m and mean increments.

    Returns chi^2 per bin, and the chance of one as large if it is.
    """
    largest = max(float(np.abs(m).max()) for m, _ in (one, other))
    edges = np.linspace(0, largest, DRIFT_BINS + 1)
    (a, da), (b, db) = (folded_drift(m, mean, edges) for m, mean in (one, other))
    z = (a - b) / np.hypot(da, db)
    z = z[np.isfinite(z)]
    chi2 = float((z**2).sum())
    return chi2 / len(z), float(chdtrc(len(z), chi2))
