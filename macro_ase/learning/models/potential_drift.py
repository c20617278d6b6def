"""A drift that bends in its potential alone, with a law of its own at every condition.

    a(y, c) = -(M + W) grad V,      V = |R (y - y_0)|^2 / 2 + U(y, c),
    y_0 = r(c) + B(c) (m - y) with a past m,

with M = L L^T positive definite and W antisymmetric, and all but U by the conditions alone. So
rates may differ by any factor from one condition to another without anything that bends between
states, which is drawn to 0: the law of small deviations from where a system rests (L. Onsager,
Phys. Rev. 37, 405 (1931)), and U beside it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

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


class Smooth(Affine):
    """v + V c + S tanh(H c + h), which starts as v; no part of it is drawn to 0."""

    def __init__(self, c: int, start: Tensor, width: int) -> None:
        n, hidden = len(start), width if c else 0
        super().__init__(c, n)
        self.value = nn.Parameter(
            torch.cat([start[:, None], torch.zeros(n, c, device=PLAIN)], dim=1)
        )
        self.inner = nn.Parameter(torch.randn(hidden, 1 + c))
        self.outer = nn.Parameter(torch.zeros(n, hidden))

    def forward(self, c: Tensor) -> Tensor:
        hidden = torch.tanh(self.inner[:, 0] + c @ self.inner[:, 1:].T)
        return super().forward(c) + hidden @ self.outer.T


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
