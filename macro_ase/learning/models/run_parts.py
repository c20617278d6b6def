"""Parts of runs of a whole, as something that the likelihood knows.

Over N steps a whole moves by the sum of its drifts and its noise, and late in a run by next to
nothing. So a run says how its system moves, where it rests and how far it fluctuates. With c the
mean of the states of a part, u = y - c, Q = b b^T / K the noise of a step, and s substeps a step,

    <a>                               = (y_N - y_0) / N            + noise of covariance Q / N,
    <u a^T + a u^T> + <a a^T> / s + Q = (u_N u_N^T - u_0 u_0^T) / N + noise,
    <v a^T + g u^T> + <g a^T> / s     = (v_N u_N^T - v_0 u_0^T) / N + noise,

the means over the states of the steps; the third line is of states with their past m, v = m - c,
which moves by g = (y - m) / theta without noise. It holds how long an order lasts that is
remembered, and so how slowly the rest of a deviation goes.

The noise of the second line is X + X^T, X = sum u xi^T / N, that of the third Y = sum v xi^T / N,
to the leading order and with u between two steps: their rows have the covariances
P = <u u^T> - Q / (2 s) and <v v^T>, their columns Q / N. Given Y, X is G Y, G = <u v^T> <v v^T>^-1,
and what is left of it has P' = P - G <v u^T>: entries ij and kl of X + X^T have the covariance
(P'_ik Q_jl + P'_il Q_jk + P'_jk Q_il + P'_jl Q_ik) / N. That is for parts of many relaxation times:
the mean of a short one follows its noise, and of parts on the way to rest the first line alone is
known. N steps of a whole say it better than pairs from some of its states
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
        are not `LATE` the first line alone is known: with few relaxation times their own mean
        follows their noise.
    mean, square : arrays, shapes (r, D) and (r, D, D)
        Of states, and of their outer products; D is d, or 2 d with their past.
    some : array, shape (r, n, D)
        Some states.
    moved, spread : array, shapes (r, D) and (r, D, d)
        Change of the state x and of x z^T in one step of the pairs' dt, in the mean.
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
        ends = np.array([x[[0, -1]] for x in states])
        n = np.asarray(steps, dtype=float)
        moved = (ends[:, 1] - ends[:, 0]) / n[:, None]
        outer = ends[..., None] * ends[..., None, :d]
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
        d, each = self.spread.shape[2], self.some.shape[1]
        share = steps / steps.sum()
        mean, moved = share @ self.mean[k], share @ self.moved[k]
        square = np.einsum("r,rij->ij", share, self.square[k])
        of_points = np.repeat(share / each, each)
        covariance = square - np.outer(mean, mean)
        points = _with_moments(np.concatenate(self.some[k]), of_points, mean, covariance)
        parts = np.split(points, len(mean) // d, axis=1)
        centre, scale = np.tile(mean[:d], len(parts)), np.tile(scaling.z_scale, len(parts))
        away = mean - centre
        spread = np.einsum("r,rij->ij", share, self.spread[k])
        spread -= np.outer(centre, moved[:d]) + np.outer(moved, mean[:d])
        return {
            "points": np.hstack([scaling.z(x) for x in parts]),
            "condition": scaling.condition(self.condition[k[:1]]).repeat(len(points), axis=0),
            "share": of_points,
            "centre": scaling.z(mean[:d]),
            "moved": moved[:d] / scaling.z_scale,
            "covariance": (covariance + np.outer(away, away)) / np.outer(scale, scale),
            "spread": spread / np.outer(scale, scaling.z_scale),
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
    covariance, spread : tensors, shapes (n_T, D, D) and (n_T, D, d)
        Of x = (u, v): <x x^T>, and the change of x u^T in a step.
    steps : tensor, shape (n_T,)
        N to a pair.
    still : tensor, shape (n_T,)
        1 where more than the first line is known, 0 elsewhere.
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
        """-ln of the likelihood of all lines, to a pair; errors are by the noise as it is.

        Of the drift of the states, shape (n, D), and b, at the points.
        """
        d = factor.shape[1]
        mean = self._mean(drift[:, :d])
        noise = self._mean(factor @ factor.mT) / self.n_patches
        whiten = torch.linalg.inv(torch.linalg.cholesky(noise.detach()))
        miss = (whiten @ (mean - self.moved)[:, :, None])[:, :, 0]
        left = whiten[:, None] @ self._left(drift, noise) @ whiten.mT[:, None]
        squares = self.still * self._of_squares(*left.unbind(dim=1), whiten=whiten)
        misfit: Tensor = 0.5 * (self.steps * ((miss**2).sum(1) + squares)).sum()
        return misfit

    def _left(self, drift: Tensor, noise: Tensor) -> Tensor:
        """What is left of the second line and, with a past, of the third: (n_T, 1 or 2, d, d)."""
        d = noise.shape[1]
        away = self.points - self.centre.tile(self.points.shape[1] // d)[self.group]
        a, u = drift[:, None, :d], away[:, None, :d]
        moved = away[:, :, None] * a + drift[:, :, None] * (u + a / self.substeps)
        second, *third = (self._mean(moved) - self.spread).split(d, dim=1)
        return torch.stack([second + noise, *third], dim=1)

    def _of_squares(self, second: Tensor, third: Tensor | None = None, *, whiten: Tensor) -> Tensor:
        """Their squares in their errors, of whitened ones, shape (n_T,)."""
        d, least, misfit = whiten.shape[1], 0.5 / self.substeps, second.new_zeros(len(second))
        spread = self.covariance.unflatten(1, (-1, d)).unflatten(-1, (-1, d))
        known = whiten @ spread[:, 0, :, 0] @ whiten.mT
        if third is not None:
            both, past = (whiten @ x @ whiten.mT for x in (spread[:, 0, :, 1], spread[:, 1, :, 1]))
            share = torch.linalg.solve(past, both.mT).mT
            misfit = (third * torch.linalg.solve(past, third)).sum((1, 2))
            known, told = known - share @ both.mT, share @ third
            second = second - told - told.mT
        own, axes = torch.linalg.eigh(known)
        p = (own - least).clamp(min=least)
        rotated = axes.mT @ second @ axes
        misfit = misfit + 0.5 * (rotated**2 / (p[:, :, None] + p[:, None, :])).sum((1, 2))
        return torch.as_tensor(misfit)

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
