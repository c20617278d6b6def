"""A drift that bends in its potential alone, with a law of its own at every condition.

    a(y, c) = -(M + W) grad V,      V = |R (y - y_0)|^2 / 2 + U(y, c),
    y_0 = r(c) + B(c) (m - y) with a past m,

with M = L L^T positive definite and W antisymmetric, and all but U by the conditions alone. So
rates may differ by any factor from one condition to another without anything that bends between
states, which is drawn to 0: the law of small deviations from where a system rests (L. Onsager,
Phys. Rev. 37, 405 (1931)), and U beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from scipy.linalg import solve_continuous_lyapunov
from torch import Tensor, nn

PLAIN = "cpu"
"""Where identities and places of a matrix are made: without a device, which members of a file first
have, torch makes them by its compiler, which takes 2 s to load."""


class Smooth(nn.Module):
    """v + V c + S tanh(H c + h), which starts as v; no part of it is drawn to 0."""

    def __init__(self, c: int, start: Tensor, width: int) -> None:
        super().__init__()
        n = len(start)
        hidden = width if c else 0
        self.value = nn.Parameter(
            torch.cat([start[:, None], torch.zeros(n, c, device=PLAIN)], dim=1)
        )
        self.inner = nn.Parameter(torch.randn(hidden, 1 + c))
        self.outer = nn.Parameter(torch.zeros(n, hidden))

    def forward(self, c: Tensor) -> Tensor:
        hidden = torch.tanh(self.inner[:, 0] + c @ self.inner[:, 1:].T)
        return self.value[:, 0] + c @ self.value[:, 1:].T + hidden @ self.outer.T


class PotentialDrift(nn.Module):
    """a(y, c) of the module's text; ``past`` of the conditions, the last ones, are m - y.

    R, the entries of L and W as one matrix, r and B are `Smooth` in the others.
    """

    def __init__(self, d: int, c: int, width: int, depth: int, past: int = 0) -> None:
        super().__init__()
        self.d, self.past = d, past
        eye, nothing = torch.eye(d, device=PLAIN).ravel(), torch.zeros(d * (1 + past), device=PLAIN)
        self.law = Smooth(c, torch.cat([eye, 0.3 * eye, nothing]), width)
        self.potential = layers(d + c, 1, width, depth)
        start_small(self.potential, 0.1)

    def start_from(self, slope: Tensor, offset: Tensor, noise: Tensor) -> None:
        """Start from a linear drift A y + B (1, c), as `OnsagerDrift.start_from`."""
        found = relaxation(slope, noise)
        if found is None:
            return
        a, d = slope.double().numpy(), self.d
        rest = -torch.as_tensor(np.linalg.solve(a, offset.double().numpy()))
        known, behind = rest.split([rest.shape[1] - self.past, self.past], dim=1)
        with torch.no_grad():
            value = self.law.value
            value[: d * d, 0], value[d * d : 2 * d * d, 0] = (x.ravel() for x in found)
            value[2 * d * d : 2 * d * d + d] = known
            value[2 * d * d + d :, 0] = behind.ravel()

    def parts(self, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """R and the entries of L and W, shapes (n, d, d), and y_0, (n, d)."""
        d, n = self.d, self.d**2
        given, behind = c.split([c.shape[-1] - self.past, self.past], dim=-1)
        stiffness, entries, rest, turned = self.law(given).split([n, n, d, d * self.past], dim=-1)
        if self.past:
            rest = rest + times(turned.unflatten(-1, (d, self.past)), behind)
        return stiffness.unflatten(-1, (d, d)), entries.unflatten(-1, (d, d)), rest

    def energy(self, y: Tensor, c: Tensor) -> Tensor:
        """V, shape (n,)."""
        stiffness, _, rest = self.parts(c)
        return self._energy(stiffness, rest, y, c)

    def _energy(self, stiffness: Tensor, rest: Tensor, y: Tensor, c: Tensor) -> Tensor:
        given = c[..., : c.shape[-1] - self.past]
        bent: Tensor = self.potential(torch.cat([y, given], dim=-1))[..., 0]
        return 0.5 * (times(stiffness, y - rest) ** 2).sum(-1) + bent

    def forward(self, y: Tensor, c: Tensor) -> Tensor:
        """Drift, shape (n, d)."""
        stiffness, entries, rest = self.parts(c)
        own = partial(self._energy, stiffness, rest)
        return descent(entries, slope_of(own, y, c, self.training))

    def matrices(self, y: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """M and W, shape (n, d, d)."""
        return halves(self.parts(c)[1])


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
