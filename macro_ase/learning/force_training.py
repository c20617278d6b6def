"""Training of the drift of dz/dt = g(z) on a loss that is quadratic in g.

In scaled units y = (z - <z>) / sigma and times of the mean rate r of a linear fit,

    g(z, c) = r sigma a(y, c),

with a one of `networks`. The linear fit is the exact minimiser of the loss among linear drifts;
networks start from it. Adam over random batches is followed by L-BFGS over all data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from ..files import write_atomically
from .force_losses import QuadraticLoss
from .initialisation import initialised
from .networks import NetworkDrift, OnsagerDrift, make_drift
from .pairs import Scaling

Array = NDArray[np.float64]
Member = NetworkDrift | OnsagerDrift
FORMAT = "macro_ase drift 1"
RECORD = 100


@dataclass(frozen=True)
class DriftOptions:
    """How to train.

    Attributes
    ----------
    drift : {"network", "onsager"}
    width, depth : int
        Hidden layers.
    members : int
        Size of the ensemble; the drift is their mean.
    steps : int
        Of Adam.
    batch_size : int
    learning_rate : float
        At the start; it falls to zero as a cosine.
    polish : int
        Iterations of L-BFGS over all data at the end.
    """

    drift: str = "network"
    width: int = 32
    depth: int = 2
    members: int = 1
    steps: int = 3000
    batch_size: int = 512
    learning_rate: float = 3e-3
    polish: int = 300


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
        """Drift, mean over the members, shape (n, d), at states, shape (n, d)."""
        own = (
            np.zeros((len(z), len(self.scaling.condition_mean))) if condition is None else condition
        )
        y = torch.as_tensor(self.scaling.z(z))
        c = torch.as_tensor(self.scaling.condition(own))
        with torch.no_grad():
            scaled = torch.stack([member(y, c) for member in self.members]).mean(dim=0)
        return scaled.numpy() * self.rate * self.scaling.z_scale

    def save(self, folder: str | Path) -> None:
        """Write ``drift.json`` and ``drift.safetensors``."""
        from safetensors.torch import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{k}.{name}": value.contiguous()
            for k, member in enumerate(self.members)
            for name, value in member.state_dict().items()
        }
        write_atomically(folder / "drift.safetensors", save(tensors))
        data = {
            "format": FORMAT,
            "options": vars(self.options),
            "rate": self.rate,
            "scaling": {name: value.tolist() for name, value in vars(self.scaling).items()},
            "history": self.history.tolist(),
        }
        write_atomically(folder / "drift.json", json.dumps(data, indent=1) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> DriftModel:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no drift, or a damaged one.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        try:
            data = json.loads((folder / "drift.json").read_text())
            weights = load_file(folder / "drift.safetensors")
            return cls._from_data(data, weights)
        except (KeyError, TypeError, json.JSONDecodeError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{folder} holds no complete drift: {error}") from error

    @classmethod
    def _from_data(cls, data: dict[str, Any], weights: dict[str, Tensor]) -> DriftModel:
        if data["format"] != FORMAT:
            raise ValueError(f"drift format {data['format']!r} is not {FORMAT!r}")
        options = DriftOptions(**data["options"])
        scaling = Scaling(**{k: np.array(v) for k, v in data["scaling"].items()})
        members = []
        for k in range(options.members):
            member = _new_member(scaling, options)
            mine = {n[len(f"{k}.") :]: w for n, w in weights.items() if n.startswith(f"{k}.")}
            member.load_state_dict(mine)
            members.append(member.eval())
        return cls(members, scaling, data["rate"], options, np.array(data["history"]))


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
    seed: np.random.SeedSequence,
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
    seed : SeedSequence
    progress : str
        Label of the progress bar.

    Raises
    ------
    ValueError
        If the data do not determine a drift.
    """
    scaling = Scaling.of_states(z0, condition)
    y = scaling.z(z0)
    unit = scaling.z_scale
    scaled = QuadraticLoss(loss.metric * unit[:, None] * unit, loss.linear * unit, loss.constant)
    slope, intercept = linear_drift(y, scaled)
    rate = float(np.sqrt(np.mean((y @ slope + intercept) ** 2)))
    data = _Data.of(scaling, rate, z0, condition, loss)
    offset = np.column_stack([intercept / rate, np.zeros((len(slope), scaling.n_conditions))])
    start = torch.as_tensor(slope.T / rate), torch.as_tensor(offset)
    members, history = [], []
    bar = tqdm(total=options.members * options.steps, desc=progress, disable=None, unit="step")
    with bar:
        for own in seed.spawn(options.members):
            member, losses = _train_member(data, scaling, start, options, own, bar)
            members.append(member)
            history.append(losses)
    return DriftModel(members, scaling, rate, options, np.array(history))


def _new_member(scaling: Scaling, options: DriftOptions) -> Member:
    d = len(scaling.z_mean)
    return make_drift(options.drift, d, scaling.n_conditions, options.width, options.depth).double()


def _train_member(
    data: _Data,
    scaling: Scaling,
    start: tuple[Tensor, Tensor],
    options: DriftOptions,
    seed: np.random.SeedSequence,
    bar: tqdm,
) -> tuple[Member, list[float]]:
    rng = np.random.default_rng(seed)
    model = initialised(int(rng.integers(2**31)), lambda: _new_member(scaling, options))
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
