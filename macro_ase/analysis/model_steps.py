"""What the pairs of one condition show: of patches, of seams, and of a model's own steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .assumptions import PatchCheck, check_patches, seam_difference, slope_through_origin

ENOUGH = 200


@dataclass(frozen=True)
class PairsShown:
    """What the pairs of one condition show.

    Attributes
    ----------
    check : PatchCheck
    step : (float, float)
        Slope of increments of wholes against the model's mean step, and its error.
    seam : (array, array)
        Order of the seams less that of the bulk, and its error, shape (d,).
    eps_share : float
        eps over the smallest eigenvalue of the learned patch covariance.
    number : int
    """

    check: PatchCheck
    step: tuple[float, float]
    seam: tuple[Array, Array]
    eps_share: float
    number: int


class StepModel(Protocol):
    """What of `learning.models.macro_model.MacroModel` is asked."""

    @property
    def trained(self) -> Any:
        """With ``eps`` and ``scaling``."""

    def step_means(
        self, z: Array, condition: Array, n_sites: float, n_patches: float | None = None
    ) -> Array:
        """Mean change over a step."""

    def step_moments(self, z: Array, condition: Array) -> tuple[Array, Array]:
        """Drift and patch covariance per step of every member."""


def step_slope(
    model: StepModel,
    chunk: Mapping[str, NDArray[Any]],
    condition: Array,
    n_sites: float,
    n_patches: float,
) -> tuple[float, float]:
    """Slope of increments of wholes against the model's mean step, and its error.

    Parameters
    ----------
    chunk : mapping
        With ``dz``, and of some states ``whole_z0``, ``whole_dz``, shape (m, d); and
        ``whole_past`` for a model that remembers.
    condition : array, shape (c,)
    n_sites, n_patches : float
        Of the large system.
    """
    scale = chunk["dz"].std(axis=0)
    parts = [chunk[name] for name in ("whole_z0", "whole_past") if name in chunk]
    step = model.step_means(np.concatenate(parts, axis=1), condition, n_sites, n_patches)
    return slope_through_origin(step / scale, chunk["whole_dz"] / scale)


def eps_share(model: StepModel, z: Array, condition: Array) -> float:
    """eps over the smallest eigenvalue of the mean patch covariance at states, shape (n, d)."""
    units = model.trained.scaling.z_scale
    covariance = model.step_moments(z[:: max(1, len(z) // ENOUGH)], condition)[1]
    scaled = covariance.mean(axis=(0, 1)) / np.outer(units, units)
    return float(model.trained.eps / np.linalg.eigvalsh(scaled)[0])


def examine(
    model: StepModel,
    chunk: Mapping[str, NDArray[Any]],
    condition: Array,
    n_sites: float,
    n_patches: float,
) -> PairsShown:
    """All of this; parameters as for `step_slope`, ``chunk`` also as `check_patches` asks."""
    return PairsShown(
        check_patches(chunk),
        step_slope(model, chunk, condition, n_sites, n_patches),
        seam_difference(chunk["seam"]),
        eps_share(model, chunk["z0"], condition),
        len(chunk["dz"]),
    )
