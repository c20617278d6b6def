"""Paths of an ensemble by the Euler-Maruyama scheme, and what may be wrong with them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .networks import PatchSDE

Array = NDArray[np.float64]
TOLERATED_BIAS = 0.03


@dataclass(frozen=True)
class MacroPaths:
    """Predicted paths.

    Attributes
    ----------
    times : array, shape (n_t,)
        In the unit of the clock.
    z : array, shape (members, paths, n_t, d)
    """

    times: Array
    z: Array


@dataclass(frozen=True)
class Steps:
    """Equal steps from one record to the next.

    Attributes
    ----------
    number : int
    drift, noise : float
        What drift and diffusion of one training step are multiplied by in each.
    share : float
        Length of each in training steps of as many patches as there are.
    """

    number: int
    drift: float
    noise: float
    share: float


def euler_maruyama(
    members: Sequence[PatchSDE],
    start: Tensor,
    condition: Tensor,
    records: int,
    steps: Steps,
    seed: np.random.SeedSequence,
) -> Array:
    """Paths in scaled units, y += drift a(y, c) + noise b(y, c) xi, shape (members, n, n_t, d).

    Parameters
    ----------
    members : sequence of PatchSDE
    start : Tensor, shape (n, d)
    condition : Tensor, shape (c,)
    records : int
        After the first.
    steps : Steps
    seed : SeedSequence
    """
    generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
    many, results = condition.repeat(len(start), 1), []
    for member in members:
        y = start
        path = [y]
        with torch.no_grad():
            for _ in range(records):
                for _ in range(steps.number):
                    a, b = member(y, many)
                    xi = torch.randn(y.shape, generator=generator)
                    y = y + steps.drift * a + steps.noise * (b @ xi[..., None])[..., 0]
                path.append(y)
        results.append(torch.stack(path, dim=1).numpy())
    return np.array(results, dtype=float)


def warn_of_short_steps(
    members: Sequence[PatchSDE], condition: Tensor, share: float, stacklevel: int
) -> None:
    """Warn where steps of a share of the training step misjudge relaxation by more than 3 %.

    A training step that holds its own relaxation, a share r of a deviation, cut by the share s,
    gives rates and stationary variances that are wrong by r (1 - s) / 2. r is the largest slope of
    the drift across the spread of the training states.
    """
    d = members[0].diffusion.d
    ends = torch.cat([torch.eye(d), -torch.eye(d)])
    many = condition.repeat(2 * d, 1)
    with torch.no_grad():
        drifts = torch.stack([member.drift(ends, many) for member in members]).mean(dim=0).numpy()
    slope = (drifts[:d] - drifts[d:]) / 2
    relaxed = float(np.abs(np.linalg.eigvals(slope.astype(float)).real).max())
    if relaxed * (1 - share) / 2 > TOLERATED_BIAS:
        warnings.warn(
            f"the interval asks for steps of {share:.3g} training steps, but in one the model "
            f"relaxes by {relaxed:.0%}: rates and spreads are wrong by about "
            f"{relaxed * (1 - share) / 2:.0%}; record at multiples of the training step",
            stacklevel=stacklevel,
        )


def warn_of_divergence(paths: MacroPaths, stacklevel: int) -> None:
    """Warn of paths that are not finite to their end."""
    n_t = len(paths.times)
    fine = np.isfinite(paths.z).all(axis=-1).reshape(-1, n_t)
    if fine.all():
        return
    lost, first = ~fine.all(axis=1), int(np.argmin(fine.all(axis=0)))
    warnings.warn(
        f"{int(lost.sum())} of {lost.size} paths diverged, the first at time "
        f"{paths.times[first]:g}: they left what the model was trained on",
        stacklevel=stacklevel,
    )
