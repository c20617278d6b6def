"""Binder's cumulant and where the curves of two sizes cross.

    U_L(T) = 1 - <m^4> / (3 <m^2>^2)

is 2/3 with order and 0 without, and at T_c nearly the same for every L, so U_L and U_L' cross
near it (K. Binder, Z. Phys. B 43, 119, 1981). With U_L = U* + u (T - T_c) L^(1/nu) + c L^-omega,
sizes L and b L cross closer as they grow:

    T_x = T_c + a g(b) L^-(1/nu + omega),    g(b) = (1 - b^-omega) / (b^(1/nu) - 1)

In the two-dimensional Ising model 1/nu = 1 and the leading correction of U is omega = 7/4
(H. Shao, W. Guo and A. W. Sandvik, Science 352, 213, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ..arrays import Array
from ..rng import Seed, coerce_rng
from .resampling import block_count, jackknife
from .response import CanonicalRun
from .reweighting import boltzmann_weights, warn_of_small_overlap
from .sweep_table import SweepTable

FEWEST_ROOTS = 0.9


@dataclass(frozen=True)
class Crossing:
    """Where the cumulants of two sizes are equal, with standard errors.

    Attributes
    ----------
    sizes : (int, int)
    temperature, temperature_error : float
    cumulant, cumulant_error : float
    p_value : float
        Chance of fits as far from the points, if the polynomials hold: below .01 raise the
        degree or narrow the range. nan where nothing was fitted.
    """

    sizes: tuple[int, int]
    temperature: float
    temperature_error: float
    cumulant: float
    cumulant_error: float
    p_value: float = np.nan


def binder_cumulant(magnetization: ArrayLike) -> tuple[Array, Array]:
    """U and its jackknife error from samples of m per site, shape (n_t,)."""
    m2 = np.asarray(magnetization, dtype=float) ** 2
    return jackknife(lambda a, b: 1 - b / (3 * a**2), m2, m2**2)


def crossing(
    temperatures: ArrayLike,
    cumulants: ArrayLike,
    errors: ArrayLike,
    sizes: tuple[int, int],
    degree: int = 2,
    resamples: int = 1000,
    rng: Seed = 0,
) -> Crossing:
    """Crossing of two measured curves, each smoothed by a polynomial in T.

    Parameters
    ----------
    temperatures : array, shape (n_T,)
    cumulants, errors : arrays, shape (2, n_T)
        U of the smaller and of the larger size, and their errors: independent points.
    sizes : (int, int)
    degree : int
        Of the weighted least-squares fits; the range of T should be one in which it holds.
    resamples : int
        The errors are the spread over that many sets of points, drawn around the measured ones.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Crossing

    Raises
    ------
    ValueError
        If there are too few temperatures, an error is not above 0, or the curves, or over a
        tenth of the resampled ones, do not cross within them.
    """
    T, U, dU = (np.asarray(x, dtype=float) for x in (temperatures, cumulants, errors))
    _require_curves(T, U, dU, degree)
    centre, scale = T.mean(), np.ptp(T) / 2
    x = (T - centre) / scale
    noise = coerce_rng(rng).normal(size=(resamples, *U.shape))
    draws = np.concatenate([U[None], U + dU * noise])
    fits = np.stack(
        [np.polyfit(x, draws[:, k].T, degree, w=1 / dU[k]) for k in range(2)]
    )  # (2, degree + 1, draws)
    roots = _nearest_roots((fits[1] - fits[0]).T)
    levels = np.array([np.polyval(fits[0, :, i], root) for i, root in enumerate(roots)])
    found = np.isfinite(roots)
    if not found[0] or found.mean() < FEWEST_ROOTS:
        raise ValueError(
            f"the cumulants of L = {sizes[0]} and {sizes[1]} do not cross clearly between "
            f"T = {T.min():g} and {T.max():g}: widen the range or take more samples"
        )
    return Crossing(
        sizes,
        float(centre + scale * roots[0]),
        float(scale * np.nanstd(roots[1:])),
        float(levels[0]),
        float(np.nanstd(levels[1:])),
        _p_value(x, U, dU, fits[:, :, 0]),
    )


def crossings(table: SweepTable, degree: int = 2, rng: Seed = 0) -> list[Crossing]:
    """Crossings of each size with the next larger one, from the points of a sweep.

    Points whose errors are not known (`SweepTable.resolved`) are left out. Parameters are those of
    `crossing`; look at the p-value of each before you trust it.
    """
    generator = coerce_rng(rng)
    found = []
    for pair in zip(table.sizes, table.sizes[1:]):
        rows = [table.rows(table.resolved).of_size(size) for size in pair]
        common = np.intersect1d(rows[0].temperature, rows[1].temperature)
        curves = [r.rows(np.isin(r.temperature, common)).column("binder") for r in rows]
        values, errors = zip(*curves)
        found.append(crossing(common, values, errors, pair, degree, rng=generator))
    return found


def crossing_by_reweighting(first: CanonicalRun, second: CanonicalRun, reach: float) -> Crossing:
    """Crossing of the curves that two runs near it give by reweighting.

    Parameters
    ----------
    first, second : CanonicalRun
        The smaller and the larger size, at temperatures near the crossing.
    reach : float
        The crossing is sought up to this far from the mean temperature of the runs.

    Returns
    -------
    Crossing
        With jackknife errors of both runs, added in squares.

    Raises
    ------
    ValueError
        If the curves do not cross there.
    """
    centre = (first.temperature + second.temperature) / 2
    for run in (first, second):
        warn_of_small_overlap([boltzmann_weights(run, centre)], centre, run)
    grid = np.linspace(centre - reach, centre + reach, 41)
    moments = [_reweighted_moments(run, grid) for run in (first, second)]
    means = [part.mean(axis=0) for part in moments]

    def with_first(m: Array) -> Array:
        return _crossing_of_moments(grid, m, means[1])

    def with_second(m: Array) -> Array:
        return _crossing_of_moments(grid, means[0], m)

    sizes = (first.size, second.size)
    plain = _crossing_of_moments(grid, *means)
    errors = [
        jackknife(function, blocks, n_blocks=len(blocks))[1]
        for function, blocks in zip((with_first, with_second), moments)
    ]
    temperature_error, cumulant_error = np.hypot(*errors)
    if not np.all(np.isfinite([*plain, temperature_error])):
        raise ValueError(
            f"the cumulants of L = {sizes[0]} and {sizes[1]} do not cross clearly between "
            f"T = {grid[0]:g} and {grid[-1]:g}: move the runs or take more samples"
        )
    return Crossing(
        sizes, float(plain[0]), float(temperature_error), float(plain[1]), float(cumulant_error)
    )


def extrapolated_crossing(
    found: Sequence[Crossing], one_over_nu: float = 1.0, omega: float = 1.75
) -> tuple[float, float]:
    """T_c and its error from crossings of finite sizes, by the law at the top of this page.

    Parameters
    ----------
    found : sequence of Crossing
        Two or more, of any ratios of sizes. A size that is in two pairs couples them; the error
        leaves that out.
    one_over_nu, omega : float
        Of the temperature, and of the leading correction to scaling; the defaults are those of
        the two-dimensional Ising model. In three dimensions they are 1.5875 and .83.

    Raises
    ------
    ValueError
        If there are fewer than two crossings, or an exponent is not above 0.
    """
    if len(found) < 2:
        raise ValueError(f"an extrapolation needs 2 crossings or more, not {len(found)}")
    if not (one_over_nu > 0 and omega > 0):
        raise ValueError(f"one_over_nu and omega must be above 0, not {one_over_nu}, {omega}")
    small, large = np.array([c.sizes for c in found], dtype=float).T
    ratio = large / small
    shift = (1 - ratio**-omega) / (ratio**one_over_nu - 1) * small ** -(one_over_nu + omega)
    values = np.array([c.temperature for c in found])
    design = np.stack([np.ones(len(found)), shift], axis=1)
    weights = 1 / np.array([c.temperature_error for c in found]) ** 2
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
    solution = covariance @ (design.T @ (weights * values))
    return float(solution[0]), float(np.sqrt(covariance[0, 0]))


def _require_curves(T: Array, U: Array, dU: Array, degree: int) -> None:
    """Raise ValueError unless curves of two sizes can be fitted to these points."""
    if len(T) <= degree or U.shape != (2, len(T)) or dU.shape != U.shape:
        raise ValueError(
            f"a fit of degree {degree} needs more than {degree} temperatures and as many "
            f"cumulants and errors of two sizes, not shapes {T.shape}, {U.shape}, {dU.shape}"
        )
    if not np.all(dU > 0):
        raise ValueError("errors must be above 0: leave out temperatures of perfect order")


def _nearest_roots(polynomials: Array) -> Array:
    """The root nearest 0 of each in [-1, 1], shape (n,); nan if there is none.

    Of coefficients of shape (n, degree + 1), highest power first; as `numpy.roots` finds them.
    """
    roots = np.full(polynomials.shape, np.nan, dtype=complex)
    whole = polynomials[:, [0, -1]].all(axis=1)
    first, rest = np.split(polynomials[whole], [1], axis=1)
    companions = np.tile(np.eye(rest.shape[1], k=-1), (len(rest), 1, 1))
    companions[:, :1] = (-rest / first)[:, None]
    roots[whole, :-1] = np.linalg.eigvals(companions)
    for k in np.flatnonzero(~whole):
        own = np.roots(polynomials[k])
        roots[k, : len(own)] = own
    inside = (np.abs(roots.imag) < 1e-9) & (np.abs(roots.real) <= 1)
    away = np.where(inside, np.abs(roots.real), np.inf)
    nearest = away.argmin(axis=1)[:, None]
    found = np.take_along_axis(roots.real, nearest, axis=1)[:, 0]
    return np.where(inside.any(axis=1), found, np.nan)


def _p_value(x: Array, values: Array, errors: Array, fits: Array) -> float:
    """Of chi^2 of both curves about their polynomials, coefficients of shape (2, degree + 1)."""
    fitted = np.array([np.polyval(fit, x) for fit in fits])
    n_free = values.size - fits.size
    chi2 = (((values - fitted) / errors) ** 2).sum()
    return float(chdtrc(n_free, chi2)) if n_free else np.nan


def _reweighted_moments(run: CanonicalRun, grid: Array) -> Array:
    """Means of w, w m^2 and w m^4 over blocks at each temperature, shape (n_blocks, n_T, 3)."""
    n_blocks = block_count(run.energy, run.magnetization**2)
    kept = len(run.energy) // n_blocks * n_blocks
    powers = run.magnetization[:, None] ** np.array([0, 2, 4])
    blocks = []
    for temperature in grid.tolist():
        weighted = boltzmann_weights(run, temperature)[:, None] * powers
        blocks.append(weighted[:kept].reshape(n_blocks, -1, 3).mean(axis=1))
    return np.stack(blocks, axis=1)


def _crossing_of_moments(grid: Array, first: Array, second: Array) -> Array:
    """Temperature and cumulant where two sets of moments, shape (n_T, 3), cross."""
    (norm, m2, m4), (norm2, n2, n4) = first.T, second.T
    smaller, larger = 1 - m4 * norm / (3 * m2**2), 1 - n4 * norm2 / (3 * n2**2)
    difference = larger - smaller
    changes = np.flatnonzero(np.sign(difference[:-1]) != np.sign(difference[1:]))
    if len(changes) == 0:
        return np.full(2, np.nan)
    i = changes[np.abs(changes - len(grid) / 2).argmin()]
    share = difference[i] / (difference[i] - difference[i + 1])
    return np.array(
        [grid[i] + share * (grid[i + 1] - grid[i]), smaller[i] + share * np.diff(smaller)[i]]
    )
