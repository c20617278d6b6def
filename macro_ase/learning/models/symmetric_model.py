"""One variable whose reversal is a symmetry: networks with odd drift and even diffusion.

    b(m, c) = s_b [g(m, c) - g(-m, c)] / 2,    D(m, c) = s_D exp([h(m, c) + h(-m, c)] / 2)

g and h are networks of scaled m and c; s_b and s_D are the sizes of the targets, which close to
T_c differ by orders of magnitude: the drift is small against everything else and has to be known
to a per cent. Hence all data at once, double precision and L-BFGS, with the parameters of the
best validation kept.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...arrays import Array
from ...files import write_atomically
from ..options import FitOptions

FORMAT = "macro_ase symmetric model 1"
PER_CHECK = 10
MEMORY = 20
SCALES = ("m", "condition", "condition_spread", "drift", "diffusion")


def _network(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in in (2, *(width,) * (depth - 1)):
        layers += [nn.Linear(n_in, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


class SymmetricSDE(nn.Module):
    """Drift and diffusion of m per unit of time.

    Parameters
    ----------
    width, depth : int
    scales : dict
        Of m, mean and spread of the condition, sizes of drift and diffusion.
    """

    def __init__(self, width: int, depth: int, scales: dict[str, float]) -> None:
        super().__init__()
        self.scales = scales
        self.odd, self.even = _network(width, depth), _network(width, depth)
        self.double()

    def forward(self, m: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """b and D, shape (n,), from m and condition, shape (n,)."""
        s = self.scales
        y, c = m / s["m"], (condition - s["condition"]) / s["condition_spread"]
        there, back = torch.stack([y, c], dim=-1), torch.stack([-y, c], dim=-1)
        drift = (self.odd(there) - self.odd(back))[:, 0] / 2
        log_diffusion = (self.even(there) + self.even(back))[:, 0] / 2
        return s["drift"] * drift, s["diffusion"] * torch.exp(log_diffusion)

    def moments(self, m: Array, condition: float) -> tuple[Array, Array]:
        """b and D, shape (n,), at one condition."""
        x = torch.as_tensor(m, dtype=torch.float64)
        with torch.no_grad():
            drift, diffusion = self(x, torch.full_like(x, condition))
        return drift.numpy(), diffusion.numpy()


@dataclass(frozen=True)
class SymmetricModel:
    """What was learned, and how its training went.

    Attributes
    ----------
    network : SymmetricSDE
    options : FitOptions
    history : array, shape (n_checks, 2)
        Training and validation loss.
    """

    network: SymmetricSDE
    options: FitOptions
    history: Array

    def save(self, folder: Path) -> None:
        """Write ``model.json`` and ``weights.safetensors``."""
        from safetensors.torch import save

        folder.mkdir(parents=True, exist_ok=True)
        weights = {k: v.contiguous() for k, v in self.network.state_dict().items()}
        write_atomically(folder / "weights.safetensors", save(weights))
        data = {
            "format": FORMAT,
            "options": vars(self.options),
            "scales": self.network.scales,
            "history": self.history.tolist(),
        }
        write_atomically(folder / "model.json", json.dumps(data, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> SymmetricModel:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError
            If the folder holds no model.
        ValueError
            If it is damaged or of another kind.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            data = json.loads((folder / "model.json").read_text())
            if data["format"] != FORMAT:
                raise ValueError(f"its format is {data['format']!r}")
            options = FitOptions(**data["options"])
            network = SymmetricSDE(options.width, options.depth, data["scales"])
            network.load_state_dict(load_file(folder / "weights.safetensors"))
        except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{folder} holds no symmetric model: {error}") from error
        return cls(network, options, np.array(data["history"]))


def fit_symmetric(
    training: Array, validation: Array, options: FitOptions, seed: int
) -> SymmetricModel:
    """Fit drift and diffusion to means over snapshots of the same m and condition.

    Drift is fitted to the mean drift by least squares, diffusion to the mean square of the
    increments by maximum likelihood; both count as often as there are snapshots.

    Parameters
    ----------
    training, validation : arrays, shape (n, 5)
        Number of snapshots, m, condition, mean drift, mean square increment per unit of time.
    options : FitOptions
    seed : int

    Raises
    ------
    ValueError
        If there are fewer than 10 rows to train on, or none to validate on.
    """
    if len(training) < 10 or len(validation) == 0:
        raise ValueError(
            f"a fit needs 10 rows and some to validate on, not {len(training)}, {len(validation)}"
        )
    torch.manual_seed(seed)
    network = SymmetricSDE(options.width, options.depth, _scales(training))
    history = _minimise(network, _tensors(training), _tensors(validation), options)
    return SymmetricModel(network, options, history)


def _scales(rows: Array) -> dict[str, float]:
    weight, m, condition, drift, square = rows.T
    mean = np.average(condition, weights=weight)
    spread = np.sqrt(np.average((condition - mean) ** 2, weights=weight))
    sizes = (np.sqrt(np.average(x**2, weights=weight)) for x in (m, drift))
    m_scale, drift_scale = sizes
    numbers = (m_scale, mean, spread or 1.0, drift_scale, np.average(square, weights=weight))
    return dict(zip(SCALES, map(float, numbers)))


def _tensors(rows: Array) -> tuple[Tensor, ...]:
    """Share of the snapshots, then the other columns."""
    columns = torch.as_tensor(rows.T.copy(), dtype=torch.float64)
    return (columns[0] / columns[0].sum(), *columns[1:])


def _loss(network: SymmetricSDE, data: tuple[Tensor, ...]) -> Tensor:
    """Mean squared misfit of the drift and negative log-likelihood of the noise, scaled."""
    weight, m, condition, drift, square = data
    b, d = network(m, condition)
    misfit = ((drift - b) / network.scales["drift"]) ** 2
    likelihood = square / d + torch.log(d / network.scales["diffusion"])
    return 0.5 * (weight * (misfit + likelihood)).sum()


def _minimise(
    network: SymmetricSDE,
    training: tuple[Tensor, ...],
    validation: tuple[Tensor, ...],
    options: FitOptions,
) -> Array:
    parameters = list(network.parameters())
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=PER_CHECK, history_size=MEMORY, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        decay = torch.stack([(p**2).sum() for p in parameters]).sum()
        loss = _loss(network, training) + options.weight_decay * decay
        loss.backward()
        return loss

    best: dict[str, Any] = copy.deepcopy(network.state_dict())
    history: list[tuple[float, float]] = []
    for _ in range(max(1, options.iterations // PER_CHECK)):
        optimizer.step(closure)
        with torch.no_grad():
            losses = float(_loss(network, training)), float(_loss(network, validation))
        if losses[1] < min((check for _, check in history), default=np.inf):
            best = copy.deepcopy(network.state_dict())
        history.append(losses)
    network.load_state_dict(best)
    return np.array(history)
