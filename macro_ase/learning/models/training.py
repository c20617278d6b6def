"""Training of an ensemble of patch models."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ...rng import stream
from ..options import TrainingOptions
from ..pairs import PairBatch, Scaling
from .networks import PatchSDE, negative_log_likelihood

EPS_SHARE = 0.005
VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Trained:
    """An ensemble and how its training went.

    Attributes
    ----------
    members : list of PatchSDE
    scaling : Scaling
    eps : float
        Added to the covariance in the likelihood, in scaled units.
    history : array, shape (members, epochs, 2)
        Training and validation loss.
    """

    members: list[PatchSDE]
    scaling: Scaling
    eps: float
    history: NDArray[np.float64]


def train(pairs: PairBatch, options: TrainingOptions, seed: int, progress: str = "") -> Trained:
    """Train an ensemble by maximum likelihood of the increments.

    Parameters
    ----------
    pairs : PairBatch
        With increments over one step, all of the same number of mean events.
    options : TrainingOptions
    seed : int
    progress : str
        Label of the progress bar.

    Raises
    ------
    ValueError
        If there are fewer than 100 pairs or 5 snapshots, if an observable does not vary or the
        increments are degenerate, or if the training diverges.
    """
    if len(pairs) < 100:
        raise ValueError(f"{len(pairs)} pairs are too few to learn from; at least 100 are needed")
    if len(np.unique(pairs.snapshot)) < 5:
        raise ValueError(
            "pairs of at least 5 snapshots are needed, some to validate on; number parts of a "
            "time series as snapshots"
        )
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
    eps = EPS_SHARE * smallest
    mean = () if pairs.mean is None else (pairs.mean / scaling.z_scale,)
    data = tuple(
        torch.as_tensor(x, dtype=torch.float32)
        for x in (scaling.z(pairs.z0), dy, scaling.condition(pairs.condition), *mean)
    )
    start = torch.as_tensor(np.linalg.cholesky(covariance), dtype=torch.float32)
    members, history = [], []
    bar = tqdm(total=options.members * options.epochs, desc=progress, disable=None, unit="epoch")
    with bar:
        for k in range(options.members):
            member_seed = stream(seed, "train", k)
            model, losses = _train_member(
                data, pairs.snapshot, scaling, start, eps, options, member_seed, bar
            )
            _require_convergence(losses, k)
            members.append(model)
            history.append(losses)
    return Trained(members, scaling, eps, np.array(history))


def _require_convergence(losses: NDArray[np.float64], member: int) -> None:
    """Refuse a member whose losses were never finite; warn of one that was lost on the way."""
    fine = np.isfinite(losses).all(axis=1)
    if not fine.any():
        raise ValueError(f"training of member {member} diverged; lower learning_rate")
    if not fine.all():
        warnings.warn(
            f"training of member {member} diverged in epoch {int(np.argmin(fine)) + 1}; what it "
            "was before is kept: lower learning_rate",
            stacklevel=3,
        )


def _smallest_variance(pairs: PairBatch, dy: NDArray[np.float64]) -> float:
    """Smallest eigenvalue, over conditions, of the residual covariance of the increments."""
    smallest = []
    for condition in np.unique(pairs.condition, axis=0):
        rows = np.all(pairs.condition == condition, axis=1)
        if rows.sum() <= 2 * dy.shape[1] + 2:
            continue
        x = np.column_stack([np.ones(rows.sum()), pairs.z0[rows]])
        residual = dy[rows] - x @ np.linalg.lstsq(x, dy[rows], rcond=None)[0]
        smallest.append(np.linalg.eigvalsh(residual.T @ residual / rows.sum())[0])
    if not smallest:
        smallest.append(np.linalg.eigvalsh(np.cov(dy.T).reshape(dy.shape[1], -1))[0])
    return float(min(smallest))


def _linear_drift(data: tuple[Tensor, ...], rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """A linear fit A y + B (1, c) to the increments, or to their means.

    A comes from differences within conditions: between them, what changes y is its place of rest.

    Returns
    -------
    slope : Tensor, shape (d, d)
    offset : Tensor, shape (d, 1 + c)
    """
    target = data[3] if len(data) > 3 else data[1]
    y0, dy, c = (x[rows].double().numpy() for x in (data[0], target, data[2]))
    groups, own = np.unique(c, axis=0, return_inverse=True)
    own = own.ravel()
    y_mean, dy_mean = (_group_means(x, own, len(groups)) for x in (y0, dy))
    slope = np.linalg.lstsq(y0 - y_mean[own], dy - dy_mean[own], rcond=None)[0].T
    known = np.column_stack([np.ones(len(groups)), groups])
    offset = np.linalg.lstsq(known, dy_mean - y_mean @ slope.T, rcond=None)[0].T
    return torch.as_tensor(slope), torch.as_tensor(offset)


def _group_means(x: NDArray[np.float64], group: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    sums = np.stack([np.bincount(group, column, n) for column in x.T], axis=1)
    return sums / np.bincount(group, minlength=n)[:, None]


def new_member(scaling: Scaling, options: TrainingOptions, start: Tensor) -> PatchSDE:
    """An untrained member; ``start``, shape (d, d), as in `PatchSDE`."""
    sizes = len(scaling.z_mean), scaling.n_conditions
    return PatchSDE(*sizes, options.drift, options.width, options.depth, start)


def _train_member(
    data: tuple[Tensor, ...],
    snapshot: NDArray[np.int64],
    scaling: Scaling,
    start: Tensor,
    eps: float,
    options: TrainingOptions,
    seed: np.random.SeedSequence,
    bar: tqdm,
) -> tuple[PatchSDE, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    names = np.unique(snapshot)
    n_held_out = max(1, int(VALIDATION_SHARE * len(names)))
    held_out = np.isin(snapshot, rng.permutation(names)[:n_held_out])
    rows, check = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    torch.manual_seed(int(rng.integers(2**31)))
    model = new_member(scaling, options, start)
    model.drift.start_from(*_linear_drift(data, rows), start @ start.T)
    optimizer = torch.optim.AdamW(
        model.parameters(), options.learning_rate, weight_decay=options.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    best, best_loss, history = copy.deepcopy(model.state_dict()), np.inf, []
    for _ in range(options.epochs):
        model.train()
        losses = []
        order = rng.permutation(rows)
        for part in np.array_split(order, max(1, len(order) // options.batch_size)):
            loss = _loss(model, data, part, eps)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
        model.eval()
        with torch.no_grad():
            validation = float(_loss(model, data, check, eps))
        history.append((float(np.mean(losses)), validation))
        if validation < best_loss:
            best, best_loss = copy.deepcopy(model.state_dict()), validation
        bar.update()
    model.load_state_dict(best)
    model.eval()
    return model, np.array(history)


def _loss(model: PatchSDE, data: tuple[Tensor, ...], rows: NDArray[np.int64], eps: float) -> Tensor:
    """Over some rows; nan where a covariance is not positive definite any more."""
    y0, dy, c, *mean = (x[rows] for x in data)
    try:
        return negative_log_likelihood(model, y0, dy, c, eps, *mean)
    except torch.linalg.LinAlgError:
        return next(model.parameters()).sum() * torch.nan
