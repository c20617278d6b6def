"""Drift and diffusion networks of a stochastic differential equation.

All act in scaled units, y for the observables and c for the conditions, and per step:
drift a(y, c), shape (n, d), and a lower triangular factor b(y, c) with covariance b b^T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..options import DRIFTS
from .drift_parts import (
    PLAIN,
    Affine,
    descent,
    halves,
    layers,
    relaxation,
    slope_of,
    start_small,
    times,
)
from .potential_drift import PotentialDrift


class NetworkDrift(nn.Module):
    """a(y, c): a plain network beside a linear map of y and c."""

    def __init__(self, d: int, c: int, width: int, depth: int) -> None:
        super().__init__()
        self.network = layers(d + c, d, width, depth)
        self.slope = nn.Parameter(torch.zeros(d, d))
        self.offset = Affine(c, d)
        start_small(self.network, 0.1)

    def start_from(self, slope: Tensor, offset: Tensor, noise: Tensor) -> None:
        """Start from slope y + offset (1, c), as `OnsagerDrift.start_from`."""
        with torch.no_grad():
            self.slope.copy_(slope)
        self.offset.start_from(offset)

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Drift, shape (n, d)."""
        linear = y @ self.slope.T + self.offset(c)
        drift: Tensor = self.network(torch.cat([y, c], dim=-1)) + linear
        return drift


class OnsagerDrift(nn.Module):
    """a(y, c) = -(M + W) grad V, with M positive definite, W antisymmetric.

    V(y, c) = |R (y - y_0(c))|^2 / 2 + U(y, c), and M + W = L L^T + T + (networks of y, c). The
    generalised Onsager principle of H. Yu, X. Tian, W. E and Q. Li, Phys. Rev. Fluids 6, 114402
    (2021), here with M, W and V conditioned on c.
    """

    def __init__(self, d: int, c: int, width: int, depth: int) -> None:
        super().__init__()
        self.d = d
        self.rest = Affine(c, d)
        self.bend = layers(c, d, width, 1) if c else None
        self.stiffness = nn.Parameter(torch.eye(d, device=PLAIN))
        self.entries = nn.Parameter(0.3 * torch.eye(d, device=PLAIN))
        self.potential = layers(d + c, 1, width, depth)
        self.mobility = layers(d + c, d * d, width, depth)
        for network in (self.potential, self.mobility, *([self.bend] if self.bend else [])):
            start_small(network, 0.1)

    def start_from(self, slope: Tensor, offset: Tensor, noise: Tensor) -> None:
        """Start from a linear drift A y + B (1, c), if all that it does is relax.

        With D the noise, as `drift_parts.relaxation` says. Nothing is changed if some deviation
        would grow.
        """
        found = relaxation(slope, noise)
        if found is None:
            return
        with torch.no_grad():
            self.stiffness.copy_(found[0])
            self.entries.copy_(found[1])
        a = slope.double().numpy()
        self.rest.start_from(-torch.as_tensor(np.linalg.solve(a, offset.double().numpy())))

    def centre(self, c: Tensor) -> Tensor:
        """y_0, shape (n, d)."""
        centre: Tensor = self.rest(c) if self.bend is None else self.rest(c) + self.bend(c)
        return centre

    def energy(self, y: Tensor, c: Tensor) -> Tensor:
        """V, shape (n,)."""
        well = (y - self.centre(c)) @ self.stiffness.T
        bent: Tensor = self.potential(torch.cat([y, c], dim=-1))[..., 0]
        return 0.5 * (well**2).sum(-1) + bent

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Drift, shape (n, d)."""
        gradient = slope_of(self.energy, y, c, self.training)
        return descent(self._entries(y, c), gradient)

    def matrices(self, y: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """M and W, shape (n, d, d)."""
        return halves(self._entries(y, c))

    def _entries(self, y: Tensor, c: Tensor) -> Tensor:
        """Of L and T, shape (n, d, d)."""
        change = self.mobility(torch.cat([y, c], dim=-1)).unflatten(-1, (self.d, self.d))
        return torch.as_tensor(self.entries + change)


Drift = NetworkDrift | OnsagerDrift | PotentialDrift


def make_drift(drift: str, d: int, c: int, width: int, depth: int, past: int = 0) -> Drift:
    """A drift of a kind: ``"network"``, ``"onsager"`` or ``"potential"``.

    Beside c conditions it has ``past`` columns of m - y.
    """
    if drift not in DRIFTS:
        raise ValueError(f"drift must be one of {', '.join(DRIFTS)}, not {drift!r}")
    if drift == "potential":
        return PotentialDrift(d, c, width, depth, past)
    return (OnsagerDrift if drift == "onsager" else NetworkDrift)(d, c + past, width, depth)


class Diffusion(nn.Module):
    """b(y, c): a full lower triangular factor with positive diagonal."""

    def __init__(self, d: int, c: int, width: int, depth: int, start: Tensor) -> None:
        super().__init__()
        self.d = d
        self.network = layers(d + c, d * (d + 1) // 2, width, depth)
        start_small(self.network, 0.1)
        self.start: Tensor
        self.rows: Tensor
        self.register_buffer("start", start.clone())
        self.register_buffer("rows", torch.tril_indices(d, d, device=PLAIN))

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Factor, shape (n, d, d), around that of the covariance it started from."""
        entries, d = self.network(torch.cat([y, c], dim=-1)), self.d
        if d == 1:
            return self.start * functional.softplus(entries + 0.5413)[..., None]
        places = functional.one_hot(self.rows[0] * d + self.rows[1], d * d).to(entries.dtype)
        change, one = (entries @ places).unflatten(-1, (d, d)), torch.eye(d)
        positive = functional.softplus(torch.diagonal(change, dim1=-2, dim2=-1) + 0.5413)
        shape = change * (1 - one) + positive[..., None, :] * one
        factor: Tensor = (shape.mT @ self.start.T).mT
        return factor


class PatchSDE(nn.Module):
    """Drift and patch diffusion of one model.

    With a ``memory``, in steps, states are rows (y, m) of observables and their past, and m - y is
    a condition beside c: `observables.past`. It is that at c = 0, and grows with the first of c.
    """

    def __init__(
        self,
        d: int,
        c: int,
        drift: str,
        width: int,
        depth: int,
        start: Tensor,
        memory: float = 0.0,
        growth: float = 0.0,
    ) -> None:
        super().__init__()
        self.d, self.memory, self.growth = d, memory, growth
        past = d if memory else 0
        self.drift = make_drift(drift, d, c, width, depth, past)
        self.diffusion = Diffusion(d, c + past, width, depth, start)

    @property
    def n_state(self) -> int:
        """Columns of a state: d, or 2 d with its past."""
        return 2 * self.d if self.memory else self.d

    def forward(self, y: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Drift (n, d) and factor (n, d, d) of the observables, per step."""
        if self.memory:
            y, m = y.split(self.d, dim=-1)
            c = torch.cat([c, m - y], dim=-1)
        return self.drift(y, c), self.diffusion(y, c)

    def of_state(self, y: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The same of whole states, shape (n, n_state), whose past has no noise of its own."""
        a, b = self(y, c)
        if not self.memory:
            return a, b
        room = (0, self.d, 0, self.d)
        return torch.cat([a, self.of_past(y, c)], dim=-1), functional.pad(b, room)

    def of_past(self, y: Tensor, c: Tensor) -> Tensor:
        """How the past of states moves in a step; of states without one no columns."""
        if not self.memory:
            return y[..., :0]
        own, m = y.split(self.d, dim=-1)
        steps = self.memory * torch.exp(self.growth * c[..., :1]) if self.growth else self.memory
        moved: Tensor = (own - m) / steps
        return moved


def negative_log_likelihood(
    drift: Tensor, factor: Tensor, dy: Tensor, eps: float, mean: Tensor | None = None
) -> Tensor:
    """Mean of -ln N(dy; a, b b^T + eps 1), up to a constant, by drifts a and factors b.

    With a ``mean`` of less noise beside each increment, the drift is fitted to it alone, as if
    its errors were normal and of unknown size, and only the covariance to the increment.
    """
    misfit = dy.new_zeros(())
    if mean is not None:
        misfit = 0.5 * torch.log(((mean - drift) ** 2).mean(dim=0)).sum()
        drift = drift.detach()
    return _gaussian(dy - drift, factor, eps).mean() + misfit


def _gaussian(residual: Tensor, factor: Tensor, eps: float) -> Tensor:
    """-ln N(residual; 0, b b^T + eps 1) up to a constant, shape (n,); one observable by numbers."""
    d = residual.shape[-1]
    if d == 1:
        variance = factor[..., 0, 0] ** 2 + eps
        return 0.5 * (residual[..., 0] ** 2 / variance + torch.log(variance))
    values: Tensor = _Gaussian.apply(residual, factor, eps)  # type: ignore[no-untyped-call]
    return values


class _Gaussian(torch.autograd.Function):
    """r . w / 2 + ln det S / 2 with S = b b^T + eps 1 and w = S^-1 r, of rows of r and b.

    Its derivatives are w by r and (S^-1 - w w^T) b by b: quicker than back through a factorisation.
    """

    @staticmethod
    def forward(ctx: Any, residual: Tensor, factor: Tensor, eps: float) -> Tensor:
        covariance = factor @ factor.mT + eps * torch.eye(factor.shape[-1])
        lower = torch.linalg.cholesky(covariance)
        inverse = torch.cholesky_inverse(lower)
        whitened = times(inverse, residual)
        ctx.save_for_backward(whitened, inverse, factor)
        log_determinant = torch.log(torch.diagonal(lower, dim1=-2, dim2=-1)).sum(-1)
        return 0.5 * (residual * whitened).sum(-1) + log_determinant

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        whitened, inverse, factor = ctx.saved_tensors
        slope = inverse - whitened[..., :, None] * whitened[..., None, :]
        weighted = gradient[..., None] * whitened
        return weighted, (gradient[..., None, None] * slope) @ factor, None
