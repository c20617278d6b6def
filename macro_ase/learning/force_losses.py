"""Losses of a macroscopic drift g from forces on all particles, or on some.

    L_z     = mean |phi' f - g|^2
    L_x     = mean |f - phi'^+ g|^2
    L_{x,p} = mean |f_I - (phi'^+)_I g|^2 / p,      (phi'^+)_I = J_I^T (phi' phi'^T)^-1

All are quadratic in g with a metric M, a linear part b and a constant c of their own,

    mean of  g^T M g - 2 b^T g + c,

    L_z:      M = 1,               b = phi' f,            c = |phi' f|^2
    L_x:      M = G^-1,            b = G^-1 phi' f,       c = |f|^2
    L_{x,p}:  M = G^-1 G_I G^-1,   b = G^-1 J_I f_I / p,  c = |f_I|^2 / p

in the names of `force_batch`. Over random I the mean of L_{x,p} is L_x, so it has the same
minimiser from a share p of the forces of each configuration. Chen and Li, arXiv 2410.23938.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .force_batch import ForceBatch


@dataclass(frozen=True)
class QuadraticLoss:
    """A loss of each configuration as a quadratic form of the drift there."""

    metric: Array
    linear: Array
    constant: Array

    def __call__(self, drift: Array) -> Array:
        """Values, shape (n,), at drifts, shape (n, d)."""
        squares = np.einsum("ni,nij,nj->n", drift, self.metric, drift)
        values: Array = squares - 2 * (self.linear * drift).sum(axis=1) + self.constant
        return values

    @classmethod
    def of_rates(cls, rates: Array, scale: Array) -> QuadraticLoss:
        """Squared misfits of rates dz/dt, shape (n, d), in units of ``scale``, shape (d,)."""
        metric = np.broadcast_to(np.diag(scale**-2.0), (*rates.shape, len(scale)))
        return cls(metric, rates / scale**2, ((rates / scale) ** 2).sum(axis=1))

    def relative(self, least: float) -> QuadraticLoss:
        """Each configuration's loss over its value at no drift, c, and ``least`` times the mean c.

        Where z is closed the minimiser is the same; fast and slow stretches count alike.
        """
        weight = 1 / (self.constant + least * self.constant.mean())
        linear = self.linear * weight[:, None]
        return QuadraticLoss(self.metric * weight[:, None, None], linear, self.constant * weight)

    def carried(self, chain: Array) -> QuadraticLoss:
        """A loss of the rates of S as one of z' = B S', shape (n, d, m) for B: its least value.

        Over all S' with B S' = g it is (g - r)^T (B M^-1 B^T)^-1 (g - r) and a constant, with
        r = B M^-1 b. L_x of S becomes L_x of z, less a constant.
        """
        inverse = _inverse(self.metric)
        across = chain @ inverse
        best = (across @ self.linear[..., None])[..., 0]
        metric = _inverse(across @ chain.transpose(0, 2, 1))
        metric = (metric + metric.transpose(0, 2, 1)) / 2
        linear = (metric @ best[..., None])[..., 0]
        explained = np.einsum("ni,nij,nj->n", self.linear, inverse, self.linear)
        left = self.constant - explained
        return QuadraticLoss(metric, linear, left + (linear * best).sum(axis=1))

    def rescaled(self, scale: Array) -> QuadraticLoss:
        """The same minimisers; misfits are counted in units of ``scale``, shape (d,)."""
        return self.of_rates(self.minimiser(), scale)

    def minimiser(self) -> Array:
        """The drift of least loss in each configuration, shape (n, d).

        Of L_{x,p} it is the least-squares estimate of dz/dt from the forces at hand, exact where
        these lie in the rows of phi'.
        """
        best = np.linalg.solve(self.metric, self.linear[..., None])[..., 0]
        return np.asarray(best, dtype=np.float64)

    def take(self, rows: NDArray[Any]) -> QuadraticLoss:
        """Some configurations (mask or numbers)."""
        return QuadraticLoss(self.metric[rows], self.linear[rows], self.constant[rows])


def loss_z(batch: ForceBatch) -> QuadraticLoss:
    """L_z, from the forces on all particles."""
    _require_all(batch, "L_z")
    metric = np.broadcast_to(np.eye(batch.z0.shape[1]), batch.gram.shape)
    return QuadraticLoss(metric, batch.dzdt, (batch.dzdt**2).sum(axis=1))


def loss_x(batch: ForceBatch) -> QuadraticLoss:
    """L_x, from the forces on all particles."""
    _require_all(batch, "L_x")
    inverse = _inverse(batch.gram)
    return QuadraticLoss(inverse, (inverse @ batch.dzdt[..., None])[..., 0], batch.square)


def loss_x_partial(batch: ForceBatch) -> QuadraticLoss:
    """L_{x,p}, from the forces on a share p of the particles."""
    inverse = _inverse(batch.gram)
    metric = inverse @ batch.gram_part @ inverse
    return QuadraticLoss(metric, (inverse @ batch.dzdt[..., None])[..., 0], batch.square)


LOSSES: dict[str, Callable[[ForceBatch], QuadraticLoss]] = {
    "Lz": loss_z,
    "Lx": loss_x,
    "Lx_partial": loss_x_partial,
}


def _require_all(batch: ForceBatch, name: str) -> None:
    if batch.p != 1:
        raise ValueError(f"{name} needs the forces on all particles, not a share p = {batch.p:g}")


def _inverse(gram: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(gram), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise ValueError(
            "a Gram matrix of the encoder is singular: its variables depend on each other"
        ) from None
