"""The drift of dz/dt = g(z, c), learned from a loss that is quadratic in g.

In scaled units y = (z - <z>) / sigma and times of the mean rate r of a linear fit,

    g(z, c) = r sigma a(y, c),

with a one of `networks`. The linear fit is the exact minimiser of the loss among linear drifts;
networks start from it. Adam over random batches is followed by L-BFGS over all data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...arrays import Array, above_0, as_columns, as_conditions, finite_array
from ...rng import coerce_sequence
from ..descent import ALL, Polish, Problem, Recipe, descend, drawn, initialised, meter
from ..force_losses import QuadraticLoss
from ..options import DriftOptions
from ..pairs import Scaling
from ..saved import Saved, ensemble_weights, filled_members
from .networks import Drift, make_drift

RECORD = 100
LBFGS = {"history_size": 50, "tolerance_grad": 1e-12, "tolerance_change": 1e-15}


@dataclass(frozen=True)
class DriftModel(Saved):
    """dz/dt = g(z, c): an ensemble of networks and its scales.

    Attributes
    ----------
    members : list of Drift
    scaling : Scaling
    rate : float
        r, in the inverse unit of time of the forces.
    options : DriftOptions
    history : array, shape (members, n_records)
        Loss at every hundredth step and after the polish, less what no drift explains.
    """

    members: list[Drift]
    scaling: Scaling
    rate: float
    options: DriftOptions
    history: Array
    kind: ClassVar[str] = "drift"

    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Drift, mean over the members, shape (n, d), at states, shape (n, d)."""
        d, c = len(self.scaling.z_mean), len(self.scaling.condition_mean)
        if condition is None and self.scaling.n_conditions == 0:
            condition = self.scaling.condition_mean
        own = np.asarray([] if condition is None else condition, dtype=float)
        if np.shape(z) != (len(z), d) or own.shape not in ((len(z), c), (c,)):
            raise ValueError(
                f"states and conditions must have shapes (n, {d}) and (n, {c}), not {np.shape(z)} "
                f"and {own.shape}"
            )
        y = torch.as_tensor(self.scaling.z(z))
        given = torch.as_tensor(self.scaling.condition(np.broadcast_to(own, (len(z), c))))
        with torch.no_grad():
            scaled = torch.stack([member(y, given) for member in self.members]).mean(dim=0)
        return scaled.numpy() * self.rate * self.scaling.z_scale

    def _parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        numbers = {"rate": self.rate, "history": self.history.tolist()}
        told = {"options": vars(self.options), "scaling": self.scaling.lists()}
        return told | numbers, ensemble_weights(self.members)

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, Tensor], *given: Any) -> Self:
        options, scaling = DriftOptions(**data["options"]), Scaling(**data["scaling"])
        members = filled_members(weights, options.members, lambda: new_member(scaling, options))
        rate, history = above_0(data["rate"], "rate"), np.array(data["history"], dtype=float)
        return cls(members, scaling, rate, options, history)


def new_member(scaling: Scaling, options: DriftOptions) -> Drift:
    """An untrained member, in double precision."""
    d = len(scaling.z_mean)
    return make_drift(options.drift, d, scaling.n_conditions, options.width, options.depth).double()


def linear_drift(z0: Array, loss: QuadraticLoss) -> tuple[Array, Array]:
    """The linear drift z @ slope + intercept of least loss, exactly; shapes (d, d) and (d,)."""
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

    def loss(self, model: Drift, rows: Tensor | slice) -> Tensor:
        a, linear = model(self.y[rows], self.c[rows]), self.linear[rows]
        pulled = (self.metric[rows] @ a[..., None])[..., 0] - 2 * linear
        loss: Tensor = (a * pulled).sum(dim=1).mean()
        return loss


def train_drift(
    z0: Array,
    condition: Array,
    loss: QuadraticLoss,
    options: DriftOptions,
    seed: int | np.random.SeedSequence | None,
    progress: str = "",
    checkpoint: Path | None = None,
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
    checkpoint : Path, optional
        As in `descent.descend`.
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
    y, unit = scaling.z(z0), scaling.z_scale
    scaled = QuadraticLoss(loss.metric * unit[:, None] * unit, loss.linear * unit, loss.constant)
    slope, intercept = linear_drift(y, scaled)
    rate = float(np.sqrt(np.mean((y @ slope + intercept) ** 2)))
    data = _Data.of(scaling, rate, z0, condition, loss)
    offset = np.column_stack([intercept / rate, np.zeros((d, scaling.n_conditions))])
    start = torch.as_tensor(slope.T / rate), torch.as_tensor(offset)
    seeds = coerce_sequence(seed).spawn(options.members)
    with meter(options.members * options.steps, progress) as bar:
        done = [
            _train_member(data, scaling, start, options, own, bar, checkpoint, k)
            for k, own in enumerate(seeds)
        ]
    members, histories = zip(*done)
    return DriftModel(list(members), scaling, rate, options, np.array(histories))


def _train_member(
    data: _Data,
    scaling: Scaling,
    start: tuple[Tensor, Tensor],
    options: DriftOptions,
    seed: np.random.SeedSequence,
    bar: tqdm,
    checkpoint: Path | None,
    k: int,
) -> tuple[Drift, list[float]]:
    rng = np.random.default_rng(seed)
    model = initialised(int(rng.integers(2**31)), lambda: new_member(scaling, options))
    model.start_from(*start, torch.eye(len(scaling.z_mean)))
    n, size = len(data.y), options.batch_size
    batches = (lambda rng: [ALL]) if size >= n else drawn(n, size)
    problem = Problem(
        model, lambda rows: (data.loss(model, rows),), batches, (*vars(data).values(), size)
    )
    polish = Polish(options.polish, options=LBFGS)
    recipe = Recipe(options.steps, options.learning_rate, 10.0, polish=polish)
    history = descend(problem, recipe, rng, bar, checkpoint, f"member {k}")
    seen = history[RECORD - 1 : options.steps : RECORD, 0]
    last = data.loss(model, ALL).item()
    return model.eval(), [*seen, last]
