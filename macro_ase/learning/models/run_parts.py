"""Parts of runs of a whole, as something that the likelihood knows.

Over N steps a whole moves by the sum of its drifts and its noise, and late in a run by next to
nothing. So a run says how its system moves, where it rests and how far it fluctuates. With c the
mean of the states of a part, u = y - c, Q = b b^T / K the noise of a step, and s substeps a step,

    <a>                               = (y_N - y_0) / N            + noise of covariance Q / N,
    <u a^T + a u^T> + <a a^T> / s + Q = (u_N u_N^T - u_0 u_0^T) / N + noise,

the means over the states of the steps. The noise of the second line is sum (v xi^T + xi v^T) / N to
the leading order, with v the state between two steps: entries ij and kl have the covariance
(P_ik Q_jl + P_il Q_jk + P_jk Q_il + P_jl Q_ik) / N, P = <u u^T> - Q / (2 s). That is for parts of
many relaxation times: the mean of a short one follows its noise, and of parts on the way to rest
the first line alone is known. N steps of a whole say it better than pairs from some of its states
do, of which many are of one state, and know no more than this state does. Some of the states stand
for all, moved and stretched to have their mean and covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...arrays import Array
from ..pairs import LATE, PairBatch, Scaling, linear_residuals

STATES = 100
"""That stand for all of a group, where groups are few."""
ALL_STATES = 2000
"""That stand for those of all groups together."""


@dataclass(frozen=True)
class RunParts:
    """States of parts of runs, one row a part.

    Attributes
    ----------
    run : int array, shape (r,)
        That it is of, as `PairBatch.run`.
    condition : array, shape (r, c)
    part : int array, shape (r,)
        Its label: parts of one label and condition are a group, known by its means. Of parts that
        are not `LATE` the second line is not known: with few relaxation times their own mean
        follows their noise.
    mean, square : arrays, shapes (r, D) and (r, D, D)
        Of states, and of their outer products; D is d, or 2 d with their past.
    some : array, shape (r, n, D)
        Some states.
    moved, spread : array, shapes (r, d) and (r, d, d)
        Change of z and of z z^T in one step of the pairs' dt, in the mean.
    steps : array, shape (r,)
        N.
    n_patches : float
        K of the whole.
    substeps : int
        s, as in `MacroModel`.
    """

    run: NDArray[np.int64]
    condition: Array
    part: NDArray[np.int64]
    mean: Array
    square: Array
    some: Array
    moved: Array
    spread: Array
    steps: Array
    n_patches: float
    substeps: int

    @classmethod
    def of(
        cls,
        run: Sequence[int],
        condition: Array,
        part: Sequence[int],
        states: Sequence[Array],
        steps: Sequence[float],
        n_patches: float,
        d: int,
        substeps: int = 1,
    ) -> RunParts:
        """Of the states of every part, shape (n_t, D), which span so many steps."""
        mean = np.array([x.mean(axis=0) for x in states])
        square = np.array([x.T @ x / len(x) for x in states])
        groups = np.unique(np.column_stack([condition, part]), axis=0)
        own_states = min(STATES * len(groups), ALL_STATES)
        each = -(-own_states // len(states))
        some = np.array([x[np.linspace(0, len(x) - 1, each).round().astype(int)] for x in states])
        ends = np.array([x[[0, -1], :d] for x in states])
        n = np.asarray(steps, dtype=float)
        moved = (ends[:, 1] - ends[:, 0]) / n[:, None]
        outer = ends[..., None] * ends[..., None, :]
        spread = (outer[:, 1] - outer[:, 0]) / n[:, None, None]
        own, label = (np.asarray(x, dtype=np.int64) for x in (run, part))
        of_states = label, mean, square, some, moved, spread, n
        return cls(own, np.asarray(condition, dtype=float), *of_states, n_patches, substeps)

    def counted(self, times: float) -> RunParts:
        """The same with so many times the steps, beside pairs of which so many count as one."""
        return replace(self, steps=times * self.steps)

    def beside(
        self, rows: NDArray[np.int64], run: NDArray[np.int64] | None, scaling: Scaling
    ) -> Moves:
        """Of some rows of pairs that are of these runs: a run as often as its pairs are there.

        Without the ``run`` of every pair, all runs once.
        """
        weight = self.steps if run is None else self._drawn(rows, run) * self.steps
        groups = np.column_stack([self.condition, self.part])
        own = [(groups == c).all(axis=1) for c in np.unique(groups, axis=0)]
        seen = [np.flatnonzero(x & (weight > 0)) for x in own]
        each = [self._scaled(k, weight[k] / len(rows), scaling) for k in seen if len(k)]
        of_points = ("points", "condition", "share")
        arrays = {
            name: (np.concatenate if name in of_points else np.stack)([one[name] for one in each])
            for name in each[0]
        }
        tensors: dict[str, Any] = {
            name: torch.as_tensor(x, dtype=torch.float32) for name, x in arrays.items()
        }
        group = torch.repeat_interleave(torch.tensor([len(one["share"]) for one in each]))
        return Moves(**tensors, group=group, n_patches=self.n_patches, substeps=self.substeps)

    def _drawn(self, rows: NDArray[np.int64], run: NDArray[np.int64]) -> Array:
        """How often each run is in some rows, shape (r,)."""
        n = max(run.max(), self.run.max()) + 1
        times = np.bincount(run[rows], minlength=n) / np.maximum(np.bincount(run, minlength=n), 1)
        drawn: Array = times[self.run]
        return drawn

    def _scaled(self, k: NDArray[np.int64], steps: Array, scaling: Scaling) -> dict[str, Array]:
        """Arrays of `Moves` for runs k of a condition, of which each has so many steps."""
        d, squares = self.moved.shape[1], np.outer(scaling.z_scale, scaling.z_scale)
        share, each = steps / steps.sum(), self.some.shape[1]
        mean, moved = share @ self.mean[k], share @ self.moved[k]
        covariance = np.einsum("r,rij->ij", share, self.square[k]) - np.outer(mean, mean)
        spread = np.einsum("r,rij->ij", share, self.spread[k])
        spread -= np.outer(mean[:d], moved) + np.outer(moved, mean[:d])
        of_points = np.repeat(share / each, each)
        points = _with_moments(np.concatenate(self.some[k]), of_points, mean, covariance)
        parts = np.split(points, points.shape[1] // d, axis=1)
        return {
            "points": np.hstack([scaling.z(x) for x in parts]),
            "condition": scaling.condition(self.condition[k[:1]]).repeat(len(points), axis=0),
            "share": of_points,
            "centre": scaling.z(mean[:d]),
            "moved": moved / scaling.z_scale,
            "covariance": covariance[:d, :d] / squares,
            "spread": spread / squares,
            "steps": steps.sum(),
            "still": float(self.part[k[0]] == LATE),
        }


def _with_moments(some: Array, share: Array, mean: Array, covariance: Array) -> Array:
    """States, shape (n, D), moved and stretched so that their shares give a mean and covariance."""
    middle = share @ some
    away = some - middle
    variance, axes = np.linalg.eigh(away.T @ (share[:, None] * away))
    there = variance > 1e-12 * variance[-1]
    shrink = axes[:, there] / np.sqrt(variance[there])
    stretch, directions = np.linalg.eigh(covariance)
    root = (directions * np.sqrt(stretch.clip(0))) @ directions.T
    stretched: Array = mean + away @ shrink @ axes[:, there].T @ root
    return stretched


@dataclass(frozen=True)
class Moves:
    """How some runs move, rest and fluctuate, by group of parts, in the networks' units.

    Attributes
    ----------
    points, condition : tensors, shapes (n, D) and (n, c)
        States, each with a condition.
    share, group : tensors, shape (n,)
        What of a group a state stands for, and which group.
    centre, moved : tensors, shape (n_T, d)
        c, and the change of y in a step.
    covariance, spread : tensors, shape (n_T, d, d)
        <u u^T>, and the change of u u^T in a step.
    steps : tensor, shape (n_T,)
        N to a pair.
    still : tensor, shape (n_T,)
        1 where the second line is known, 0 elsewhere.
    n_patches : float
        K.
    substeps : int
        s.
    """

    points: Tensor
    condition: Tensor
    share: Tensor
    group: Tensor
    centre: Tensor
    moved: Tensor
    covariance: Tensor
    spread: Tensor
    steps: Tensor
    still: Tensor
    n_patches: float
    substeps: int

    def misfit(self, drift: Tensor, factor: Tensor) -> Tensor:
        """-ln of the likelihood of both lines, to a pair; errors are by the noise as it is.

        Of a and b at the points.
        """
        d = drift.shape[1]
        mean = self._mean(drift)
        noise = self._mean(factor @ factor.mT) / self.n_patches
        u_a = self._mean(self.points[:, :d, None] * drift[:, None, :])
        u_a = u_a - self.centre[:, :, None] * mean[:, None, :]
        a_a = self._mean(drift[:, :, None] * drift[:, None, :]) / self.substeps
        spread = u_a + u_a.mT + a_a + noise - self.spread
        whiten = torch.linalg.inv(torch.linalg.cholesky(noise.detach()))
        fluctuations = whiten @ self.covariance @ whiten.mT
        own, axes = torch.linalg.eigh(fluctuations)
        p = (own - 0.5 / self.substeps).clamp(min=0.5 / self.substeps)
        rotate = axes.mT @ whiten
        miss = (rotate @ (mean - self.moved)[:, :, None])[:, :, 0]
        miss2 = rotate @ spread @ rotate.mT
        second = 0.5 * (miss2**2 / (p[:, :, None] + p[:, None, :])).sum((1, 2))
        misfit: Tensor = 0.5 * (self.steps * ((miss**2).sum(1) + self.still * second)).sum()
        return misfit

    def _mean(self, of_points: Tensor) -> Tensor:
        """Over the states of a group: shape (n_T, ...) of (n, ...)."""
        weighted = self.share.reshape(-1, *[1] * (of_points.dim() - 1)) * of_points
        means = weighted.new_zeros(len(self.steps), *of_points.shape[1:])
        return means.index_add(0, self.group, weighted)


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
