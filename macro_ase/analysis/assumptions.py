"""The assumptions of the method, measured.

Given z, increments of different patches should be independent, and each should be what it
would be were the whole evolved. With residuals r of the increments after a fit in z, the first
says that the correlation rho of two patches of one snapshot is small; then

    K cov(whole) / cov(patch) = 1 + (K - 1) rho.

What the fit misses of the drift is common to the patches of a snapshot, and counts as correlation.
The fit has squares and products of z where there are 20 snapshots a term, and else is linear: then
young states, far from stationary ones, should be left out.

A whole also relaxes during dt, which one patch alone does not see: its mean increment is
smaller by about dt / (2 relaxation time), its covariance by twice that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array

SNAPSHOTS_PER_TERM = 20
OF_PAIRS = ("snapshot", "n_patches", "met", "z0", "dz")
EVOLVED = "evolved"
OF_WHOLES = ("whole_snapshot", "whole_z0", "whole_dz")


@dataclass(frozen=True)
class PatchCheck:
    """Patches against the whole at one temperature.

    Attributes
    ----------
    drift_slope, drift_slope_error : float
        Of the whole's increments against the drift that the fit to the patches' gives at the
        same states, through the origin, components weighted by their spread; 1 is perfect.
    mean_difference : float
        Largest difference of the two means over components, in standard errors.
    covariance_ratio, covariance_ratio_error : float
        Trace of K cov(whole) over that of cov(patch), components scaled to equal spread.
    correlation, correlation_error : float
        rho of two patches of one snapshot, given z; nan where one alone of several was evolved.
    met_share : float
        Share of pairs in which the patch met another vacancy.
    drift_share : float
        Share of the variance of single increments that their drift explains.
    n_patches : int
        K.
    """

    drift_slope: float
    drift_slope_error: float
    mean_difference: float
    covariance_ratio: float
    covariance_ratio_error: float
    correlation: float
    correlation_error: float
    met_share: float
    drift_share: float
    n_patches: int


@dataclass(frozen=True)
class _Fit:
    """Least squares of increments against polynomials of z."""

    centre: Array
    scale: Array
    degree: int
    coefficients: Array

    @classmethod
    def of(cls, z: Array, dz: Array, degree: int) -> _Fit:
        spread = z.std(axis=0)
        empty = cls(z.mean(axis=0), np.where(spread > 0, spread, 1.0), degree, np.zeros(0))
        fit = np.asarray(np.linalg.lstsq(empty.terms(z), dz, rcond=None)[0], dtype=np.float64)
        return replace(empty, coefficients=fit)

    def terms(self, z: Array) -> Array:
        """Powers of z up to the degree, shape (n, n_terms)."""
        x = (z - self.centre) / self.scale
        columns = [np.ones(len(z)), *x.T]
        if self.degree == 2:
            columns += [x[:, i] * x[:, j] for i in range(x.shape[1]) for j in range(i + 1)]
        return np.column_stack(columns)

    def __call__(self, z: Array) -> Array:
        return self.terms(z) @ self.coefficients

    def noise(self, z: Array, dz: Array, at: Array) -> float:
        """What errors of a fit to means dz at z, shape (n, d), add to its squares at ``at``."""
        terms, there = self.terms(z), self.terms(at)
        free = max(len(z) - self.n_terms, 1)
        variance = ((dz - terms @ self.coefficients) ** 2).sum() / free
        inverse = np.linalg.pinv(terms.T @ terms)
        return float(variance * np.einsum("ni,ij,nj->", there, inverse, there))

    @property
    def n_terms(self) -> int:
        return len(self.coefficients)


def slope_through_origin(
    x: Array, y: Array, noise: float = 0.0, free: int = 1
) -> tuple[float, float]:
    """Slope of y against x, both of shape (n, d), and its error.

    ``noise`` is what errors of x, of so many free numbers, add on average to the sum of its
    squares; left in, they would lower the slope (W. A. Fuller, *Measurement Error Models*, Wiley
    1987, section 1.2). How much they add is known to sqrt(2 / free) of it; where there is little
    else, neither slope nor error is known.
    """
    norm = float((x**2).sum()) - noise
    if norm <= noise / 2:
        return np.nan, np.nan
    slope = float((y * x).sum() / norm)
    unknown = 2 * noise * (noise + 2 * norm) / free
    scatter = float((((y - slope * x) * x) ** 2).sum()) + slope**2 * unknown
    return slope, float(np.sqrt(scatter)) / norm


def check_patches(chunk: Mapping[str, NDArray[Any]]) -> PatchCheck:
    """Compare patches with wholes in the pairs of one temperature.

    Parameters
    ----------
    chunk : mapping
        As `sampling.pairs` returns, chunks of one condition concatenated in any order.
        Of it are used: ``snapshot``, ``n_patches``, ``met``, shape (n,), and ``z0``, ``dz``, shape
        (n, d), with all K patches of every snapshot once, then all again, or, where
        ``evolved``, (n,), says how many, some chosen at random each time; of some of these
        snapshots ``whole_snapshot``, shape (m,), and ``whole_z0``, ``whole_dz``, shape (m, d).

    Raises
    ------
    ValueError
        Naming what is missing, or does not match.
    """
    own = _checked(chunk)
    n_patches, scale = int(own["n_patches"][0]), own["dz"].std(axis=0)
    dz, whole = own["dz"] / scale, own["whole_dz"] / scale
    numbers = np.unique(own["snapshot"])
    d = dz.shape[1]
    quadratic = len(numbers) >= SNAPSHOTS_PER_TERM * (1 + d + d * (d + 1) // 2)
    fit = _Fit.of(own["z0"], dz, 2 if quadratic else 1)
    fitted, model = fit(own["z0"]), fit(own["whole_z0"])
    groups = dz.reshape(len(numbers), -1, d).mean(axis=1)
    z_groups = own["z0"].reshape(len(numbers), -1, d)[:, 0]
    noise = fit.noise(z_groups, groups, own["whole_z0"])
    slope, slope_error = slope_through_origin(model, whole, noise, d * fit.n_terms)
    difference = whole - groups[np.searchsorted(numbers, own["whole_snapshot"])]
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(whole))
    rest = whole - model
    line = _Fit.of(own["whole_z0"], rest, 1)
    free = len(whole) / max(len(whole) - line.n_terms, 1)
    whole_trace = n_patches * free * ((rest - line(own["whole_z0"])) ** 2).sum(axis=1)
    residual = dz - fitted
    patch_trace = float((residual**2).sum() / (len(residual) - fit.n_terms))
    by_snapshot = residual.reshape(len(numbers), -1, int(own["evolved"][0]), d)
    alone = np.nan if n_patches > 1 else 0.0
    correlation, correlation_error = _correlation(by_snapshot, fit.n_terms, alone)
    return PatchCheck(
        drift_slope=slope,
        drift_slope_error=slope_error,
        mean_difference=float(np.abs(difference.mean(axis=0) / error).max()),
        covariance_ratio=float(whole_trace.mean() / patch_trace),
        covariance_ratio_error=float(whole_trace.std(ddof=1) / np.sqrt(len(whole)) / patch_trace),
        correlation=correlation,
        correlation_error=correlation_error,
        met_share=float(own["met"].mean()),
        drift_share=float(fitted.var(axis=0).sum() / dz.var(axis=0).sum()),
        n_patches=n_patches,
    )


def _checked(chunk: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What is used of a chunk, its rows in the order of snapshots."""
    missing = [name for name in (*OF_PAIRS, *OF_WHOLES) if name not in chunk]
    if missing:
        raise ValueError(f"pairs to be checked lack {', '.join(missing)}")
    own = {name: np.asarray(chunk[name]) for name in (*OF_PAIRS, *OF_WHOLES)}
    own[EVOLVED] = np.asarray(chunk.get(EVOLVED, own["n_patches"]))
    n, d = own["dz"].shape if own["dz"].ndim == 2 else (0, 0)
    m = len(own["whole_snapshot"])
    for names, rows in (((*OF_PAIRS, EVOLVED), n), (OF_WHOLES, m)):
        for name in names:
            shape = (rows, d) if name.endswith(("z0", "dz")) else (rows,)
            if own[name].shape != shape or not n or not np.isfinite(own[name]).all():
                raise ValueError(f"{name} must be finite, of shape {shape}, not {own[name].shape}")
    if m < 2:
        raise ValueError(f"{m} wholes are too few for a check; at least 2 are needed")
    numbers, times = np.unique(own["snapshot"], return_counts=True)
    k, each = int(own["n_patches"][0]), int(own[EVOLVED][0])
    mixed = np.any(own["n_patches"] != k) or np.any(own[EVOLVED] != each)
    if mixed or not 1 <= each <= k or np.ptp(times) or times[0] % each:
        raise ValueError(
            "all K patches of every snapshot are needed, or of each as many, as often, of one K"
        )
    if not np.isin(own["whole_snapshot"], numbers).all():
        raise ValueError("every whole needs the pairs of its snapshot")
    if not np.all(own["dz"].std(axis=0) > 0):
        raise ValueError("the increments of an observable do not vary")
    order = np.argsort(own["snapshot"], kind="stable")
    return own | {name: own[name][order] for name in (*OF_PAIRS, EVOLVED)}


def _correlation(residuals: Array, n_terms: int, alone: float) -> tuple[float, float]:
    """Intra-class correlation of residuals, shape (n_snapshots, repeats, K, d), and its error.

    From mean squares between and within groups of K, (B - W) / (B + (K - 1) W) (R. A. Fisher,
    *Statistical Methods for Research Workers*, 1925), of a fit of so many terms; the error is the
    jackknife's over snapshots (M. H. Quenouille, Biometrika 43, 353 (1956)). Both are ``alone``
    where groups hold one.
    """
    n, repeats, k, _ = residuals.shape
    if k == 1:
        return alone, alone
    means = residuals.mean(axis=2)
    between = k * (means**2).sum(axis=(1, 2))
    within = ((residuals - means[:, :, None]) ** 2).sum(axis=(1, 2, 3))

    def correlation(own: Array, other: Array, left: int) -> Array:
        b, w = own / (left * repeats - n_terms), other / (left * repeats * (k - 1))
        return np.asarray((b - w) / (b + (k - 1) * w))

    without = correlation(between.sum() - between, within.sum() - within, n - 1)
    error = np.sqrt((n - 1) * without.var())
    return float(correlation(between.sum(), within.sum(), n)), float(error)


def seam_difference(seams: Array) -> tuple[Array, Array]:
    """Mean order of seams minus that of the bulk, and its error, shape (d,).

    Parameters
    ----------
    seams : array, shape (n, 2, d)
        Bond densities in the seam band and in the bulk of every large state.
    """
    difference = seams[:, 0] - seams[:, 1]
    return difference.mean(axis=0), difference.std(axis=0, ddof=1) / np.sqrt(len(seams))
