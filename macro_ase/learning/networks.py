"""Drift and diffusion networks of a stochastic differential equation.

All act in scaled units, y for the observables and c for the conditions, and per step:
drift a(y, c), shape (n, d), and a lower triangular factor b(y, c) with covariance b b^T.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DRIFTS = ("onsager", "network")


def _mlp(n_in: int, n_out: int, width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(n_in, width), nn.Tanh()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


class _Constant(nn.Module):
    """What a network of no inputs is: one vector, shape (n_out,), for every row."""

    def __init__(self, n_out: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(n_out))

    def forward(self, c: Tensor) -> Tensor:
        return self.value.expand(*c.shape[:-1], -1)


def _start_small(network: nn.Sequential, factor: float) -> None:
    last = network[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)


class NetworkDrift(nn.Module):
    """a(y, c): a plain network beside a linear map of y."""

    def __init__(self, d: int, c: int, width: int, depth: int) -> None:
        super().__init__()
        self.network = _mlp(d + c, d, width, depth)
        self.linear = nn.Linear(d, d)
        _start_small(self.network, 0.1)

    def start_from(self, slope: Tensor, intercept: Tensor) -> None:
        """Start from y @ slope + intercept, of shapes (d, d) and (d,)."""
        with torch.no_grad():
            self.linear.weight.copy_(slope.T)
            self.linear.bias.copy_(intercept)

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Drift, shape (n, d)."""
        return self.network(torch.cat([y, c], dim=-1)) + self.linear(y)


class OnsagerDrift(nn.Module):
    """a(y, c) = -(M + W) grad V, with M positive definite, W antisymmetric.

    V(y, c) = |R (y - y_0(c))|^2 / 2 + U(y, c). The generalised Onsager principle of H. Yu,
    X. Tian, W. E and Q. Li, Phys. Rev. Fluids 6, 114402 (2021), here with M, W and V
    conditioned on c.
    """

    def __init__(self, d: int, c: int, width: int, depth: int) -> None:
        super().__init__()
        self.d = d
        self.centre = _mlp(c, d, width, 1) if c else _Constant(d)
        self.stiffness = nn.Parameter(torch.eye(d))
        self.potential = _mlp(d + c, 1, width, depth)
        self.mobility = _mlp(d + c, d * d, width, depth)
        _start_small(self.potential, 0.1)
        _start_small(self.mobility, 0.1)

    def energy(self, y: Tensor, c: Tensor) -> Tensor:
        """V, shape (n,)."""
        well = (y - self.centre(c)) @ self.stiffness.T
        return 0.5 * (well**2).sum(-1) + self.potential(torch.cat([y, c], dim=-1))[..., 0]

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Drift, shape (n, d)."""
        with torch.enable_grad():
            point = y if y.requires_grad else y.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(
                self.energy(point, c).sum(), point, create_graph=self.training
            )
        entries = self.mobility(torch.cat([y, c], dim=-1)).unflatten(-1, (self.d, self.d))
        lower = torch.tril(entries) + 0.3 * torch.eye(self.d)
        upper = torch.triu(entries, diagonal=1)
        turning = upper - upper.transpose(-1, -2)
        matrix = lower @ lower.transpose(-1, -2) + turning
        return -(matrix @ gradient[..., None])[..., 0]


class Diffusion(nn.Module):
    """b(y, c): a full lower triangular factor with positive diagonal."""

    def __init__(self, d: int, c: int, width: int, depth: int, start: Tensor) -> None:
        super().__init__()
        self.d = d
        self.network = _mlp(d + c, d * (d + 1) // 2, width, depth)
        _start_small(self.network, 0.1)
        self.start: Tensor
        self.rows: Tensor
        self.register_buffer("start", start.clone())
        self.register_buffer("rows", torch.tril_indices(d, d))

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Factor, shape (n, d, d), around that of the covariance it started from."""
        entries = self.network(torch.cat([y, c], dim=-1))
        change = y.new_zeros(*y.shape[:-1], self.d, self.d)
        change[..., self.rows[0], self.rows[1]] = entries
        diagonal = torch.diagonal(change, dim1=-2, dim2=-1)
        positive = functional.softplus(diagonal + 0.5413)
        shape = torch.tril(change, diagonal=-1) + torch.diag_embed(positive)
        return self.start @ shape


class PatchSDE(nn.Module):
    """Drift and patch diffusion of one model.

    Parameters
    ----------
    d, c : int
        Numbers of observables and of conditions.
    drift : {"onsager", "network"}
    width, depth : int
        Hidden layers.
    start : Tensor, shape (d, d)
        Lower triangular factor of the mean covariance of the increments.
    """

    def __init__(self, d: int, c: int, drift: str, width: int, depth: int, start: Tensor) -> None:
        super().__init__()
        if drift not in DRIFTS:
            raise ValueError(f"drift must be one of {', '.join(DRIFTS)}, not {drift!r}")
        kind = OnsagerDrift if drift == "onsager" else NetworkDrift
        self.drift = kind(d, c, width, depth)
        self.diffusion = Diffusion(d, c, width, depth, start)

    def forward(self, y: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Drift (n, d) and factor (n, d, d), per step."""
        return self.drift(y, c), self.diffusion(y, c)


def negative_log_likelihood(
    model: PatchSDE, y0: Tensor, dy: Tensor, c: Tensor, eps: float, mean: Tensor | None = None
) -> Tensor:
    """Mean of -ln N(dy; a, b b^T + eps 1), up to a constant.

    With a ``mean`` of less noise beside each increment, the drift is fitted to it alone, as if
    its errors were normal and of unknown size, and only the covariance to the increment.
    """
    drift, factor = model(y0, c)
    misfit = dy.new_zeros(())
    if mean is not None:
        misfit = 0.5 * torch.log(((mean - drift) ** 2).mean(dim=0)).sum()
        drift = drift.detach()
    d = y0.shape[-1]
    covariance = factor @ factor.transpose(-1, -2) + eps * torch.eye(d)
    lower = torch.linalg.cholesky(covariance)
    residual = torch.linalg.solve_triangular(lower, (dy - drift)[..., None], upper=False)
    log_determinant = torch.log(torch.diagonal(lower, dim1=-2, dim2=-1)).sum(-1)
    return (0.5 * (residual[..., 0] ** 2).sum(-1) + log_determinant).mean() + misfit
