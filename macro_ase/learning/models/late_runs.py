"""Late parts of runs of a whole, as something that the likelihood knows.

Over N steps a whole moves by the sum of its drifts and its noise, and late in a run by next to
nothing:

    <a(y)> = (y_N - y_0) / N + noise of covariance b b^T / (K N),

the mean over the states of the steps. So a run says where its system rests, and N steps of a whole
say it better than pairs from some of its states do, of which many are of one state, and know no
more than this state does. The mean of the drift is that over 2 D points that have the mean and
covariance of the states, their past included (S. J. Julier and J. K. Uhlmann, Proc. SPIE 3068,
182 (1997)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...arrays import Array
from ..pairs import PairBatch, Scaling, linear_residuals
from .networks import PatchSDE


@dataclass(frozen=True)
class LateRuns:
    """Sums over the late states of runs, one row a run.

    Attributes
    ----------
    run : int array, shape (r,)
        As `PairBatch.run`.
    condition : array, shape (r, c)
    mean, square : arrays, shapes (r, D) and (r, D, D)
        Of states, and of their outer products; D is d, or 2 d with their past.
    moved : array, shape (r, d)
        Change in one step of the pairs' dt, in the mean.
    steps : array, shape (r,)
        N.
    n_patches : float
        K of the whole.
    """

    run: NDArray[np.int64]
    condition: Array
    mean: Array
    square: Array
    moved: Array
    steps: Array
    n_patches: float

    @classmethod
    def of(
        cls,
        run: Sequence[int],
        condition: Array,
        states: Sequence[Array],
        steps: Sequence[float],
        n_patches: float,
        d: int,
    ) -> LateRuns:
        """Of the late states of every run, shape (n_t, D), which span so many steps."""
        mean = np.array([x.mean(axis=0) for x in states])
        square = np.array([x.T @ x / len(x) for x in states])
        moved = np.array([(x[-1, :d] - x[0, :d]) / n for x, n in zip(states, steps)])
        own = np.asarray(run, dtype=np.int64), np.asarray(condition, dtype=float)
        return cls(*own, mean, square, moved, np.asarray(steps, dtype=float), n_patches)

    def counted(self, times: float) -> LateRuns:
        """The same with so many times the steps, beside pairs of which so many count as one."""
        return replace(self, steps=times * self.steps)

    def beside(self, rows: NDArray[np.int64], run: NDArray[np.int64], scaling: Scaling) -> Rests:
        """Of some rows of pairs that are of these runs: a run as often as its pairs are there."""
        n = max(run.max(), self.run.max()) + 1
        times = np.bincount(run[rows], minlength=n) / np.maximum(np.bincount(run, minlength=n), 1)
        weight = times[self.run] * self.steps
        conditions, own = np.unique(self.condition, axis=0, return_inverse=True)
        shares = (own.ravel() == np.arange(len(conditions))[:, None]) * weight
        seen = shares.sum(axis=1) > 0
        steps = shares[seen].sum(axis=1)
        share = shares[seen] / steps[:, None]
        mean = share @ self.mean
        covariance = np.einsum("tr,rij->tij", share, self.square) - mean[:, :, None] * mean[:, None]
        variance, axes = np.linalg.eigh(covariance)
        reach = (np.sqrt(mean.shape[1] * variance.clip(0))[:, None] * axes).swapaxes(1, 2)
        points = mean[:, None] + np.concatenate([reach, -reach], axis=1)
        parts = np.split(points, mean.shape[1] // self.moved.shape[1], axis=2)
        scaled = (
            np.concatenate([scaling.z(x) for x in parts], axis=2),
            scaling.condition(conditions[seen])[:, None].repeat(points.shape[1], axis=1),
            share @ self.moved / scaling.z_scale,
            steps * self.n_patches / len(rows),
        )
        return Rests(*(torch.as_tensor(x, dtype=torch.float32) for x in scaled))


@dataclass(frozen=True)
class Rests:
    """Where some runs rest, by condition, in the networks' units.

    ``points``, shape (n_T, 2 D, D), each with a condition, stand for the states, which ``moved``,
    (n_T, d), a step in the mean; ``weight``, (n_T,), is K N to a pair.
    """

    points: Tensor
    condition: Tensor
    moved: Tensor
    weight: Tensor

    def misfit(self, model: PatchSDE) -> Tensor:
        """-ln of the likelihood of the moves, to a pair; it leaves the noise as it is."""
        drift, factor = model(self.points.flatten(0, 1), self.condition.flatten(0, 1))
        n_t, n_points, d = *self.points.shape[:2], self.moved.shape[1]
        miss = drift.reshape(n_t, n_points, d).mean(dim=1) - self.moved
        noise = (factor @ factor.mT).detach().reshape(n_t, n_points, d, d).mean(dim=1)
        inverse = torch.linalg.solve(noise, miss[..., None])[..., 0]
        misfit: Tensor = 0.5 * (self.weight * (miss * inverse).sum(dim=1)).sum()
        return misfit


def design_effect(pairs: PairBatch, dy: Array) -> float:
    """Pairs that say as much as one alone: L. Kish's design effect of runs as clusters of pairs.

    Of increments ``dy``, shape (n, d), less their linear fit by condition; the mean over
    components and conditions of n_run var(run means) / var(within), and at least 1.
    """
    assert pairs.run is not None
    found = []
    states = pairs.z0 if pairs.past is None else np.hstack([pairs.z0, pairs.past])
    for rows, residual in linear_residuals(states, dy, pairs.condition):
        runs, own, number = np.unique(pairs.run[rows], return_inverse=True, return_counts=True)
        if len(runs) < 2:
            continue
        means = np.stack([np.bincount(own, r) / number for r in residual.T], axis=1)
        between = (number[:, None] * means**2).sum(axis=0) / (len(runs) - 1)
        within = ((residual - means[own]) ** 2).sum(axis=0) / (len(own) - len(runs))
        found.append(np.mean(between / within))
    return max(1.0, float(np.mean(found))) if found else 1.0
