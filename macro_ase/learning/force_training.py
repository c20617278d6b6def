"""Training of the drift of dz/dt = g(z) on a loss that is quadratic in g.

In scaled units y = (z - <z>) / sigma and times of the mean rate r of a linear fit,

    g(z, c) = r sigma a(y, c),

with a one of `networks`. The linear fit is the exact minimiser of the loss among linear drifts;
networks start from it. Adam over random batches is followed by L-BFGS over all data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ..arrays import as_columns, as_conditions, finite_array
from ..rng import coerce_sequence
from .drift_model import DriftModel, DriftOptions, Member, new_member
from .force_losses import QuadraticLoss
from .initialisation import initialised
from .pairs import Scaling

__all__ = ["DriftModel", "DriftOptions", "linear_drift", "train_drift"]
Array = NDArray[np.float64]
RECORD = 100


def linear_drift(z0: Array, loss: QuadraticLoss) -> tuple[Array, Array]:
    """The linear drift z @ slope + intercept of least loss, exactly.

    Returns
    -------
    slope : array, shape (d, d)
    intercept : array, shape (d,)

    Raises
    ------
    ValueError
        If the data do not determine it.
    """
    n, d = z0.shape
    x = np.column_stack([z0, np.ones(n)])
    products = (x[:, :, None] * x[:, None, :]).reshape(n, -1)
    blocks = (products.T @ loss.metric.reshape(n, -1)).reshape(d + 1, d + 1, d, d)
    matrix = blocks.transpose(0, 2, 1, 3).reshape(d * (d + 1), d * (d + 1))
    solution, _, rank, _ = np.linalg.lstsq(matrix, (x.T @ loss.linear).ravel(), rcond=None)
    if rank < len(matrix):
        raise ValueError("the configurations are too few, or too alike, to determine a drift")
    fit = np.asarray(solution, dtype=np.float64).reshape(d + 1, d)
    return fit[:-1], fit[-1]


@dataclass(frozen=True)
class _Data:
    """A loss in scaled units, as tensors; `of` divides it by the mean of its metric."""

    y: Tensor
    c: Tensor
    metric: Tensor
    linear: Tensor

    @classmethod
    def of(cls, scaling: Scaling, rate: float, z0: Array, c: Array, loss: QuadraticLoss) -> _Data:
        unit = rate * scaling.z_scale
        metric = loss.metric * unit[:, None] * unit
        size = np.trace(metric.mean(axis=0)) / len(unit)
        parts = scaling.z(z0), scaling.condition(c), metric / size, loss.linear * unit / size
        return cls(*(torch.as_tensor(x, dtype=torch.float64) for x in parts))

    def loss(self, model: Member, rows: Tensor | slice) -> Tensor:
        a, linear = model(self.y[rows], self.c[rows]), self.linear[rows]
        pulled = (self.metric[rows] @ a[..., None])[..., 0] - 2 * linear
        return (a * pulled).sum(dim=1).mean()


def train_drift(
    z0: Array,
    condition: Array,
    loss: QuadraticLoss,
    options: DriftOptions,
    seed: int | np.random.SeedSequence | None,
    progress: str = "",
) -> DriftModel:
    """Train an ensemble.

    Parameters
    ----------
    z0 : array, shape (n, d)
    condition : array, shape (n, c)
    loss : QuadraticLoss
        Of the same configurations.
    options : DriftOptions
    seed : int, SeedSequence or None
    progress : str
        Label of the progress bar.

    Raises
    ------
    ValueError
        If the arrays do not match or are not finite, the data do not determine a drift, or the
        training diverges.
    """
    z0 = as_columns(z0, "z0")
    n, d = z0.shape
    condition = as_conditions(condition, n)
    loss = QuadraticLoss(
        finite_array(loss.metric, "the loss's metric", n, d, d),
        finite_array(loss.linear, "the loss's linear part", n, d),
        finite_array(loss.constant, "the loss's constant", n),
    )
    scaling = Scaling.of_states(z0, condition)
    y = scaling.z(z0)
    unit = scaling.z_scale
    scaled = QuadraticLoss(loss.metric * unit[:, None] * unit, loss.linear * unit, loss.constant)
    slope, intercept = linear_drift(y, scaled)
    rate = float(np.sqrt(np.mean((y @ slope + intercept) ** 2)))
    data = _Data.of(scaling, rate, z0, condition, loss)
    offset = np.column_stack([intercept / rate, np.zeros((len(slope), scaling.n_conditions))])
    start = torch.as_tensor(slope.T / rate), torch.as_tensor(offset)
    members: list[Member] = []
    history = []
    bar = tqdm(total=options.members * options.steps, desc=progress, disable=None, unit="step")
    with bar:
        for own in coerce_sequence(seed).spawn(options.members):
            member, losses = _train_member(data, scaling, start, options, own, bar)
            if not np.isfinite(losses).all():
                raise ValueError(f"training of member {len(members)} diverged; lower learning_rate")
            members.append(member)
            history.append(losses)
    return DriftModel(members, scaling, rate, options, np.array(history))


def _train_member(
    data: _Data,
    scaling: Scaling,
    start: tuple[Tensor, Tensor],
    options: DriftOptions,
    seed: np.random.SeedSequence,
    bar: tqdm,
) -> tuple[Member, list[float]]:
    rng = np.random.default_rng(seed)
    model = initialised(int(rng.integers(2**31)), lambda: new_member(scaling, options))
    model.start_from(*start, torch.eye(len(scaling.z_mean)))
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(options.steps, 1))
    losses, n = [], len(data.y)
    for step in range(options.steps):
        whole = options.batch_size >= n
        rows = slice(None) if whole else torch.as_tensor(rng.integers(0, n, options.batch_size))
        value = data.loss(model, rows)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        bar.update()
        if step % RECORD == RECORD - 1:
            losses.append(value.item())
    losses.append(_polish(model, data, options.polish))
    return model.eval(), losses


def _polish(model: Member, data: _Data, iterations: int) -> float:
    """L-BFGS over all data; the loss at its end."""
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=max(iterations, 1),
        history_size=50,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = data.loss(model, slice(None))
        value.backward()
        return value

    if iterations > 0:
        optimizer.step(closure)
    with torch.enable_grad():
        return data.loss(model, slice(None)).item()
