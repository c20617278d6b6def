"""The assumptions of the method, measured.

Given z, increments of different patches should be independent, and each should be what it
would be were the whole evolved. With residuals r of the increments after a fit linear in
z, the first says that the correlation rho of two patches of one snapshot is small; then

    K cov(whole) / cov(patch) = 1 + (K - 1) rho.

A whole also relaxes during dt, which one patch alone does not see: its mean increment is
smaller by about dt / (2 relaxation time), its covariance by twice that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PatchCheck:
    """Patches against the whole at one temperature.

    Attributes
    ----------
    drift_slope, drift_slope_error : float
        Of the whole's increments against the mean increments of the patches of the same
        snapshots, through the origin, components weighted by their spread; 1 is perfect.
    mean_difference : float
        Largest difference of the two means over components, in standard errors.
    covariance_ratio, covariance_ratio_error : float
        Trace of K cov(whole) over that of cov(patch), components scaled to equal spread.
    correlation : float
        rho of two patches of one snapshot, given z.
    met_share : float
        Share of pairs in which the patch met another vacancy.
    drift_share : float
        Share of the variance of single increments that their drift explains.
    """

    drift_slope: float
    drift_slope_error: float
    mean_difference: float
    covariance_ratio: float
    covariance_ratio_error: float
    correlation: float
    met_share: float
    drift_share: float


def _fit_linear(z: Array, dz: Array) -> tuple[Array, Array]:
    """Fitted values, and residuals of unbiased variance, of dz against (1, z - mean)."""
    x = np.column_stack([np.ones(len(z)), z - z.mean(axis=0)])
    fitted = x @ np.linalg.lstsq(x, dz, rcond=None)[0]
    return fitted, (dz - fitted) * np.sqrt(len(z) / max(len(z) - x.shape[1], 1))


def slope_through_origin(x: Array, y: Array) -> tuple[float, float]:
    """Slope of y against x, both of shape (n, d), and its error."""
    norm = float((x**2).sum())
    slope = float((y * x).sum() / norm)
    return slope, float(np.sqrt((((y - slope * x) * x) ** 2).sum())) / norm


def check_patches(chunk: Mapping[str, NDArray[Any]]) -> PatchCheck:
    """Compare patches with wholes in the pairs of one temperature.

    Parameters
    ----------
    chunk : mapping
        As `sampling.stages.pairs_chunk` returns, chunks of a temperature concatenated.
    """
    scale = chunk["dz"].std(axis=0)
    dz, whole = chunk["dz"] / scale, chunk["whole_dz"] / scale
    n_patches = int(chunk["n_patches"][0])
    fitted, residual = _fit_linear(chunk["z0"], dz)
    _, whole_residual = _fit_linear(chunk["whole_z0"], whole)
    by_snapshot = dz.reshape(-1, n_patches, dz.shape[1])
    snapshots = chunk["snapshot"].reshape(-1, n_patches)[:, 0]
    patch_mean = by_snapshot.mean(axis=1)[np.searchsorted(snapshots, chunk["whole_snapshot"])]
    model = fitted.reshape(by_snapshot.shape)[:, 0][
        np.searchsorted(snapshots, chunk["whole_snapshot"])
    ]
    slope, slope_error = slope_through_origin(model, whole)
    difference = (whole - patch_mean).mean(axis=0)
    error = (whole - patch_mean).std(axis=0, ddof=1) / np.sqrt(len(whole))
    whole_trace = n_patches * (whole_residual**2).sum(axis=1)
    patch_trace = float((residual**2).sum(axis=1).mean())
    groups = residual.reshape(by_snapshot.shape)
    between = (groups.sum(axis=1) ** 2 - (groups**2).sum(axis=1)).mean()
    return PatchCheck(
        drift_slope=slope,
        drift_slope_error=slope_error,
        mean_difference=float(np.abs(difference / error).max()),
        covariance_ratio=float(whole_trace.mean() / patch_trace),
        covariance_ratio_error=float(whole_trace.std(ddof=1) / np.sqrt(len(whole)) / patch_trace),
        correlation=float(between / ((n_patches - 1) * n_patches * (groups**2).mean()))
        if n_patches > 1
        else 0.0,
        met_share=float(chunk["met"].mean()),
        drift_share=float(fitted.var(axis=0).sum() / dz.var(axis=0).sum()),
    )


def seam_difference(seams: Array) -> tuple[Array, Array]:
    """Mean order of seams minus that of the bulk, and its error, shape (d,).

    Parameters
    ----------
    seams : array, shape (n, 2, d)
        Bond densities in the seam band and in the bulk of every large state.
    """
    difference = seams[:, 0] - seams[:, 1]
    return difference.mean(axis=0), difference.std(axis=0, ddof=1) / np.sqrt(len(seams))
