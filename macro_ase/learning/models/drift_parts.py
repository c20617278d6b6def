"""What drifts are made of: layers, maps of conditions, and the structure -(M + W) grad V."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.linalg import solve_continuous_lyapunov
from torch import Tensor, nn

PLAIN = "cpu"
"""Where identities and places of a matrix are made: without a device, which members of a file first
have, torch makes them by its compiler, which takes 2 s to load."""


class Affine(nn.Module):
    """b + B c, which starts as 0."""

    def __init__(self, c: int, d: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(d, 1 + c))

    def start_from(self, value: Tensor) -> None:
        """Start from (b, B), shape (d, 1 + c)."""
        with torch.no_grad():
            self.value.copy_(value)

    def forward(self, c: Tensor) -> Tensor:
        return self.value[:, 0] + c @ self.value[:, 1:].T


def layers(n_in: int, n_out: int, width: int, depth: int) -> nn.Sequential:
    """A network with hidden layers of tanh."""
    own: list[nn.Module] = []
    for _ in range(depth):
        own += [nn.Linear(n_in, width), nn.Tanh()]
        n_in = width
    return nn.Sequential(*own, nn.Linear(n_in, n_out))


def start_small(network: nn.Sequential, factor: float) -> None:
    """Let a network begin with so many times its outputs."""
    last = network[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.mul_(factor)
        last.bias.mul_(factor)


def slope_of(
    energy: Callable[[Tensor, Tensor], Tensor], y: Tensor, c: Tensor, trained: bool
) -> Tensor:
    """The gradient of V by y, shape (n, d), through which a training goes back."""
    with torch.enable_grad():
        point = y if y.requires_grad else y.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(energy(point, c).sum(), point, create_graph=trained)
    return gradient


def relaxation(slope: Tensor, noise: Tensor) -> tuple[Tensor, Tensor] | None:
    """R and entries of L and W of the linear drift A y with noise D; None if something would grow.

    The stationary covariance S solves A S + S A^T = -D, and A = -(D / 2 + W) S^-1 with
    W = (S A^T - A S) / 2.
    """
    a, d = slope.double().numpy(), noise.double().numpy()
    if np.linalg.eigvals(a).real.max() >= 0:
        return None
    covariance = solve_continuous_lyapunov(a, -d)
    stiffness = np.linalg.inv(covariance)
    unit = len(a) / np.trace(stiffness)
    turning = (covariance @ a.T - a @ covariance) / (2 * unit)
    entries = np.linalg.cholesky(d / (2 * unit)) + np.triu(turning, k=1)
    root = np.linalg.cholesky(unit * stiffness).T
    return torch.as_tensor(root), torch.as_tensor(entries)


def descent(entries: Tensor, gradient: Tensor) -> Tensor:
    """-(M + W) grad V, shape (n, d): entries are L and, above the diagonal, T with W = T - T^T."""
    lower, upper = _triangles(entries)
    relaxing = times(lower, times(lower.mT, gradient))
    return times(upper.mT, gradient) - times(upper, gradient) - relaxing


def halves(entries: Tensor) -> tuple[Tensor, Tensor]:
    """M and W of entries, shape (n, d, d)."""
    lower, upper = _triangles(entries)
    return lower @ lower.mT, upper - upper.mT


def _triangles(entries: Tensor) -> tuple[Tensor, Tensor]:
    """L and T."""
    below = torch.ones(entries.shape[-2:]).tril()
    return entries * below, entries * (1 - below)


def times(matrices: Tensor, columns: Tensor) -> Tensor:
    """Products of small matrices, shape (n, d, d), and columns, (n, d): quicker than a bmm."""
    return (matrices * columns[..., None, :]).sum(-1)
