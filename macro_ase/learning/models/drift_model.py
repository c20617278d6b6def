"""The drift of dz/dt = g(z, c): an ensemble of networks and its scales, and its files.

In scaled units y = (z - <z>) / sigma and times of a rate r,

    g(z, c) = r sigma a(y, c),

with a one of `networks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...arrays import Array, above_0, as_columns, as_conditions, finite_array
from ...rng import coerce_sequence
from ..descent import initialised
from ..force_losses import QuadraticLoss
from ..options import DriftOptions
from ..pairs import Scaling
from ..saved import filled_members, read_ensemble, reading, write_ensemble
from .networks import NetworkDrift, OnsagerDrift, make_drift

Member = NetworkDrift | OnsagerDrift
FORMAT = "macro_ase drift 1"
FILES = ("drift.json", "drift.safetensors")


@dataclass(frozen=True)
class DriftModel:
    """dz/dt = g(z, c): an ensemble of networks and its scales.

    Attributes
    ----------
    members : list of NetworkDrift or OnsagerDrift
    scaling : Scaling
    rate : float
        r, in the inverse unit of time of the forces.
    options : DriftOptions
    history : array, shape (members, n_records)
        Loss at every hundredth step and after the polish, less what no drift explains.
    """

    members: list[Member]
    scaling: Scaling
    rate: float
    options: DriftOptions
    history: Array

    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Drift, mean over the members, shape (n, d), at states, shape (n, d).

        Raises
        ------
        ValueError
            If there is no condition, shape (n, c) or (c,), although the drift depends on some.
        """
        c = len(self.scaling.condition_mean)
        if condition is None and self.scaling.n_conditions == 0:
            condition = self.scaling.condition_mean
        own = np.asarray([] if condition is None else condition, dtype=float)
        if np.shape(z) != (len(z), len(self.scaling.z_mean)) or own.shape not in (
            (len(z), c),
            (c,),
        ):
            raise ValueError(
                f"states and conditions must have shapes (n, {len(self.scaling.z_mean)}) and "
                f"(n, {c}), not {np.shape(z)} and {own.shape}"
            )
        own = np.broadcast_to(own, (len(z), c))
        y = torch.as_tensor(self.scaling.z(z))
        given = torch.as_tensor(self.scaling.condition(own))
        with torch.no_grad():
            scaled = torch.stack([member(y, given) for member in self.members]).mean(dim=0)
        return scaled.numpy() * self.rate * self.scaling.z_scale

    def save(self, folder: str | Path) -> None:
        """Write ``drift.json`` and ``drift.safetensors``."""
        data = {
            "format": FORMAT,
            "options": vars(self.options),
            "rate": self.rate,
            "scaling": self.scaling.lists(),
            "history": self.history.tolist(),
        }
        write_ensemble(folder, FILES, data, self.members)

    @classmethod
    def load(cls, folder: str | Path) -> DriftModel:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no drift, or a damaged one.
        """
        with reading(folder, "drift"):
            data, weights = read_ensemble(folder, FILES, FORMAT)
            options, scaling = DriftOptions(**data["options"]), Scaling(**data["scaling"])
            members = filled_members(weights, options.members, lambda: new_member(scaling, options))
            rate = above_0(data["rate"], "rate")
            return cls(members, scaling, rate, options, np.array(data["history"], dtype=float))


def new_member(scaling: Scaling, options: DriftOptions) -> Member:
    """An untrained member, in double precision."""
    d = len(scaling.z_mean)
    return make_drift(options.drift, d, scaling.n_conditions, options.width, options.depth).double()


# __all__ = ["DriftModel", "DriftOptions", "linear_drift", "train_drift"]
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
