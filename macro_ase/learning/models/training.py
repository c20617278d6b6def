"""An ensemble of patch models, trained by maximum likelihood of the increments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ...arrays import Array
from ...rng import stream
from ..descent import ALL, Polish, Problem, Recipe, descend, initialised, meter
from ..options import TrainingOptions
from ..pairs import PairBatch, Scaling, linear_residuals
from .networks import PatchSDE, negative_log_likelihood
from .run_parts import Moves, RunParts, design_effect

EPS_SHARE = 0.005
VALIDATION_SHARE = 0.2
LBFGS = {"history_size": 20}


@dataclass(frozen=True)
class Trained:
    """An ensemble and how its training went.

    ``history`` has shape (members, epochs, 2), with nan after a member that ended before others.
    """

    members: list[PatchSDE]
    scaling: Scaling
    eps: float
    history: Array


def train(
    pairs: PairBatch,
    options: TrainingOptions,
    seed: int,
    progress: str = "",
    checkpoint: Path | None = None,
    known: RunParts | None = None,
) -> Trained:
    """Train an ensemble.

    Parameters
    ----------
    pairs : PairBatch
        With increments over one step, all of the same number of mean events.
    options : TrainingOptions
    seed : int
    progress : str
    checkpoint : Path, optional
        As in `descent.descend`.
    known : RunParts, optional
        How runs move, where they rest and how far they fluctuate, which members know beside their
        pairs: of the runs that they draw, or of all if pairs name no runs.
    """
    _check(pairs, options)
    scaling = Scaling.of(pairs)
    still = np.flatnonzero(np.ptp(pairs.dz, axis=0) == 0)
    if len(still):
        raise ValueError(f"increments of observable {still[0]} (counted from 0) do not vary")
    dy = pairs.dz / scaling.z_scale
    covariance = np.cov(dy.T).reshape(dy.shape[1], -1)
    smallest = _smallest_variance(pairs, dy)
    if smallest <= 1e-12 * np.trace(covariance):
        raise ValueError(
            "the increments are degenerate: without noise, or an observable depends on the others"
        )
    mean = () if pairs.mean is None else (pairs.mean / scaling.z_scale,)
    data = tuple(
        torch.as_tensor(x, dtype=torch.float32)
        for x in (_states(pairs, scaling), dy, scaling.condition(pairs.condition), *mean)
    )
    start = torch.as_tensor(np.linalg.cholesky(covariance), dtype=torch.float32)
    groups = pairs.snapshot if pairs.run is None else pairs.run
    if known is not None and pairs.run is not None:
        known = known.counted(design_effect(pairs, dy))
    own = (scaling, start, EPS_SHARE * smallest, options, known)
    ensemble = _Ensemble(data, groups, pairs.run is not None, *own)
    with meter(options.members * options.epochs, progress, "epoch") as bar:
        done = [ensemble.member(seed, k, bar, checkpoint) for k in range(options.members)]
    members, histories = zip(*done)
    longest = max(map(len, histories))
    rows = [np.pad(h, ((0, longest - len(h)), (0, 0)), constant_values=np.nan) for h in histories]
    return Trained(list(members), scaling, ensemble.eps, np.array(rows))


@dataclass(frozen=True)
class _Ensemble:
    """What all members share: scaled data as tensors, and how they start."""

    data: tuple[Tensor, ...]
    groups: NDArray[np.int64]
    drawn: bool
    scaling: Scaling
    start: Tensor
    eps: float
    options: TrainingOptions
    known: RunParts | None

    def member(
        self, seed: int, k: int, bar: tqdm, checkpoint: Path | None
    ) -> tuple[PatchSDE, Array]:
        """A trained member and its history."""
        options, rng = self.options, np.random.default_rng(stream(seed, "train", k))
        rows, check = (drawn_rows if self.drawn else split_rows)(self.groups, rng)
        new = partial(new_member, self.scaling, options, self.start)
        model = initialised(int(rng.integers(2**31)), new)
        linear = _linear_drift(self.data, rows, self.options.memory > 0)
        model.drift.start_from(*linear, self.start @ self.start.T)
        parts = max(1, len(rows) // options.batch_size)
        seen, unseen = (self._moves(x) for x in (rows, check))
        problem = Problem(
            model,
            lambda part: (_loss(model, self.data, rows if part is ALL else part, self.eps, seen),),
            lambda rng: np.array_split(rng.permutation(rows), parts),
            (*self.data, rows, parts, self.eps, *(vars(seen).values() if seen else ())),
            lambda: _loss(model, self.data, check, self.eps, unseen),
        )
        polish = Polish(options.polish, min(options.polish, 10) or 1, options.polish > 0, LBFGS)
        rates = (options.learning_rate, 10.0, options.weight_decay)
        recipe = Recipe(options.epochs, *rates, polish, options.patience)
        history = descend(problem, recipe, rng, bar, checkpoint, f"member {k}")
        return model.eval(), history

    def _moves(self, rows: NDArray[np.int64]) -> Moves | None:
        """How the runs of some rows move; of rows without, all, with their share of the steps."""
        if self.known is None:
            return None
        if self.drawn:
            return self.known.beside(rows, self.groups, self.scaling)
        part = self.known.counted(len(rows) / len(self.groups))
        return part.beside(rows, None, self.scaling)


def split_rows(
    groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and to validate on: a fifth of the groups is held out."""
    names = np.unique(groups)
    n_held_out = max(1, int(VALIDATION_SHARE * len(names)))
    held_out = np.isin(groups, rng.permutation(names)[:n_held_out])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def drawn_rows(
    groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of as many groups as there are, drawn with replacement, and of those never drawn."""
    names, own = np.unique(groups, return_inverse=True)
    times = np.ones(len(names), dtype=np.int64)
    while times.all():
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
    return np.repeat(np.arange(len(groups)), times[own]), np.flatnonzero(times[own] == 0)


def _smallest_variance(pairs: PairBatch, dy: Array) -> float:
    """Smallest eigenvalue, over conditions, of the residual covariance of the increments."""
    smallest = [
        np.linalg.eigvalsh(residual.T @ residual / len(residual))[0]
        for _, residual in linear_residuals(pairs.z0, dy, pairs.condition)
    ]
    if not smallest:
        smallest.append(np.linalg.eigvalsh(np.cov(dy.T).reshape(dy.shape[1], -1))[0])
    return float(min(smallest))


def _check(pairs: PairBatch, options: TrainingOptions) -> None:
    """Refuse pairs that are too few or of one piece, and what does not go together."""
    if len(pairs) < 100:
        raise ValueError(f"{len(pairs)} pairs are too few to learn from; at least 100 are needed")
    if len(np.unique(pairs.snapshot)) < 5:
        raise ValueError(
            "pairs of at least 5 snapshots are needed, some to validate on; number parts of a "
            "time series as snapshots"
        )
    if pairs.run is not None and len(np.unique(pairs.run)) < 2:
        raise ValueError("all pairs are of one run: members draw runs, at least 2 are needed")
    if (options.memory > 0) != (pairs.past is not None):
        there = "have none" if pairs.past is None else "have one"
        raise ValueError(
            f"a model with memory learns from pairs with a past, and no other does: memory is "
            f"{options.memory:g} and these pairs {there}"
        )


def _states(pairs: PairBatch, scaling: Scaling) -> Array:
    """Scaled states, with their past where it is remembered."""
    y = scaling.z(pairs.z0)
    return y if pairs.past is None else np.concatenate([y, scaling.z(pairs.past)], axis=1)


def _linear_drift(
    data: tuple[Tensor, ...], rows: NDArray[np.int64], remembers: bool
) -> tuple[Tensor, Tensor]:
    """A fit A y + B (1, c), shapes (d, d) and (d, 1 + c), to the increments or their means.

    A comes from differences within conditions: between them, what changes y is its place of rest.
    With a memory c goes on with m - y, whose part of B comes with A.
    """
    target = data[3] if len(data) > 3 else data[1]
    y0, dy, c = (x[rows].double().numpy() for x in (data[0], target, data[2]))
    d = dy.shape[1]
    if remembers:
        y0[:, d:] -= y0[:, :d]
    groups, own = np.unique(c, axis=0, return_inverse=True)
    own = own.ravel()
    y_mean, dy_mean = (_group_means(x, own, len(groups)) for x in (y0, dy))
    slope = np.linalg.lstsq(y0 - y_mean[own], dy - dy_mean[own], rcond=None)[0].T
    known = np.column_stack([np.ones(len(groups)), groups])
    offset = np.linalg.lstsq(known, dy_mean - y_mean @ slope.T, rcond=None)[0].T
    return torch.as_tensor(slope[:, :d]), torch.as_tensor(np.hstack([offset, slope[:, d:]]))


def _group_means(x: Array, group: NDArray[np.int64], n: int) -> Array:
    sums = np.stack([np.bincount(group, column, n) for column in x.T], axis=1)
    return sums / np.bincount(group, minlength=n)[:, None]


def new_member(scaling: Scaling, options: TrainingOptions, start: Tensor) -> PatchSDE:
    """An untrained member; ``start``, shape (d, d), as in `PatchSDE`."""
    d, c = len(scaling.z_mean), scaling.n_conditions
    own = (options.drift, options.width, options.depth, start)
    growth = options.memory_growth
    if not growth:
        return PatchSDE(d, c, *own, options.memory)
    first, scale = scaling.condition_mean[0], scaling.condition_scale[0]
    if scale == 0:
        raise ValueError("a memory grows with the first condition, which does not vary")
    at_mean = options.memory * float(np.exp(growth * first))
    return PatchSDE(d, c, *own, at_mean, growth * float(scale))


def _loss(
    model: PatchSDE,
    data: tuple[Tensor, ...],
    rows: NDArray[np.int64],
    eps: float,
    moves: Moves | None,
) -> Tensor:
    """Of a pair, over some rows; nan where a covariance is not positive definite any more."""
    y0, dy, c, *mean = (x[rows] for x in data)
    n, states = len(dy), (y0, c)
    if moves is not None:
        states = torch.cat([y0, moves.points]), torch.cat([c, moves.condition])
    drift, factor = model(*states)
    try:
        own = negative_log_likelihood(drift[:n], factor[:n], dy, eps, *mean)
        if moves is None:
            return own
        moving = torch.cat([drift[n:], model.of_past(moves.points, moves.condition)], dim=1)
        return own + moves.misfit(moving, factor[n:])
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        return next(model.parameters()).sum() * torch.nan
