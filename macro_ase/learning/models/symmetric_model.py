"""One variable whose reversal is a symmetry: networks with odd drift and even diffusion.

    b(m, c) = s_b [g(m, c) - g(-m, c)] / 2,    D(m, c) = s_D exp([h(m, c) + h(-m, c)] / 2)

g and h are networks of scaled m and c; s_b and s_D are the sizes of the targets, which close to
T_c differ by orders of magnitude: the drift is small against everything else and has to be known
to a per cent. Hence all data at once, double precision and L-BFGS, with the parameters of the
best validation kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from ...arrays import Array
from ..descent import ALL, Polish, Problem, Recipe, descend, initialised, meter
from ..options import FitOptions
from ..saved import Saved

PER_CHECK, MEMORY = 10, 20
SCALES = ("m", "condition", "condition_spread", "drift", "diffusion")


def _network(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in in (2, *(width,) * (depth - 1)):
        layers += [nn.Linear(n_in, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


class SymmetricSDE(nn.Module):
    """Drift and diffusion of m per unit of time."""

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
class SymmetricModel(Saved):
    """What was learned, and how its training went."""

    network: SymmetricSDE
    options: FitOptions
    history: Array
    kind: ClassVar[str] = "symmetric-model"

    def _parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        told = {"options": vars(self.options), "scales": self.network.scales}
        return told | {"history": self.history.tolist()}, self.network.state_dict()

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, Tensor], *given: Any) -> Self:
        options = FitOptions(**data["options"])
        network = SymmetricSDE(options.width, options.depth, data["scales"])
        network.load_state_dict(weights)
        return cls(network, options, np.array(data["history"]))


def fit_symmetric(
    training: Array,
    validation: Array,
    options: FitOptions,
    seed: int,
    checkpoint: Path | None = None,
) -> SymmetricModel:
    """Fit drift and diffusion to means over snapshots of the same m and condition.

    Drift is fitted to the mean drift by least squares, diffusion to the mean square of the
    increments by maximum likelihood; both count as often as there are snapshots.
    """
    if len(training) < 10 or len(validation) == 0:
        raise ValueError(
            f"a fit needs 10 rows and some to validate on, not {len(training)}, {len(validation)}"
        )
    sizes = options.width, options.depth, _scales(training)
    network = initialised(seed, lambda: SymmetricSDE(*sizes))
    own, held_out, weights = _tensors(training), _tensors(validation), list(network.parameters())

    def loss(rows: slice) -> tuple[Tensor, Tensor]:
        decay = torch.stack([(p**2).sum() for p in weights]).sum()
        misfit = _loss(network, own)
        return misfit + options.weight_decay * decay, misfit

    told = (*own, *held_out, options.weight_decay)
    problem = Problem(network, loss, lambda rng: [ALL], told, lambda: _loss(network, held_out))
    polish = Polish(options.iterations, PER_CHECK, True, {"history_size": MEMORY})
    with meter(polish.blocks, "") as bar:
        rng = np.random.default_rng(seed)
        history = descend(problem, Recipe(polish=polish), rng, bar, checkpoint)
    return SymmetricModel(network, options, history[:, 1:])


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
    loss: Tensor = 0.5 * (weight * (misfit + likelihood)).sum()
    return loss
