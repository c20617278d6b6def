"""All members of an ensemble at once, as plain arrays in double precision.

The same functions as `networks`, without the bookkeeping of training: for the small batches of a
path that is followed step by step, that is most of the work. Layers are tanh, so the gradient of a
potential is carried back by g <- (g (1 - x^2)) W.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ...arrays import Array
from .networks import NetworkDrift, OnsagerDrift, PatchSDE
from .potential_drift import PotentialDrift

Layers = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Stacked:
    """Drift and diffusion of all members; states have shape (M, n, d), conditions (M, n, c).

    Where members remember the past of states, d counts it, too, and ``memory`` and ``growth`` are
    theirs. Made by `of`.
    """

    kind: type
    arrays: dict[str, Array]
    layers: dict[str, Layers]
    d: int
    memory: float
    growth: float

    @property
    def number(self) -> int:
        """M."""
        return len(self.arrays["start"])

    @cached_property
    def observed(self) -> int:
        """Columns of a state without its past."""
        return self.d // 2 if self.memory else self.d

    @cached_property
    def rows(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Places of the entries of a lower triangular matrix."""
        return np.tril_indices(self.observed)

    @cached_property
    def diagonal(self) -> NDArray[np.intp]:
        """Those of its diagonal among these entries."""
        return np.flatnonzero(self.rows[0] == self.rows[1])

    @classmethod
    def of(cls, members: Sequence[PatchSDE]) -> Stacked:
        """Of members as they were trained."""
        drifts: list[Any] = [m.drift for m in members]
        kind = type(drifts[0])
        arrays = {"start": _stack([m.diffusion.start for m in members])}
        layers = {"diffusion": _layers([m.diffusion.network for m in members])}
        if kind is PotentialDrift:
            arrays |= {name: _stack([getattr(x.law, name) for x in drifts])
                       for name in ("value", "inner", "outer")}  # fmt: skip
            names = ["potential"]
        elif kind is OnsagerDrift:
            arrays |= {name: _stack([getattr(x, name) for x in drifts])
                       for name in ("stiffness", "entries")}  # fmt: skip
            arrays["rest"] = _stack([x.rest.value for x in drifts])
            names = ["potential", "mobility"] + (["bend"] if drifts[0].bend is not None else [])
        else:
            assert kind is NetworkDrift
            arrays |= {"slope": _stack([x.slope for x in drifts])}
            arrays["rest"] = _stack([x.offset.value for x in drifts])
            names = ["network"]
        layers |= {name: _layers([getattr(x, name) for x in drifts]) for name in names}
        return cls(kind, arrays, layers, members[0].n_state, members[0].memory, members[0].growth)

    def drift(self, y: Array, c: Array) -> Array:
        """a, shape (M, n, d)."""
        if not self.memory:
            return self._drift(y, c, c[..., :0])
        own, behind = self._parted(y)
        steps = self.memory * np.exp(self.growth * c[..., :1]) if self.growth else self.memory
        return np.concatenate([self._drift(own, c, behind), -behind / steps], axis=2)

    def factor(self, y: Array, c: Array) -> Array:
        """b, shape (M, n, d, d); 0 for the past."""
        if not self.memory:
            return self._factor(y, c)
        own, behind = self._parted(y)
        room = ((0, 0), (0, 0), (0, self.observed), (0, self.observed))
        return np.pad(self._factor(own, np.concatenate([c, behind], axis=2)), room)

    def _parted(self, y: Array) -> tuple[Array, Array]:
        """Observables, and how far their past lies from them."""
        own, past = y[..., : self.observed], y[..., self.observed :]
        return own, past - own

    def _drift(self, y: Array, c: Array, behind: Array) -> Array:
        if self.kind is PotentialDrift:
            return self._by_law(y, c, behind)
        c = np.concatenate([c, behind], axis=2) if self.memory else c
        rest = self.arrays["rest"]
        centre = _affine(rest, c)
        both = np.concatenate([y, c], axis=2)
        if self.kind is NetworkDrift:
            return (
                _outputs(self.layers["network"], both)[-1]
                + _apply(self.arrays["slope"], y)
                + centre
            )
        if "bend" in self.layers:
            centre = centre + _outputs(self.layers["bend"], c)[-1]
        stiffness = self.arrays["stiffness"]
        force = _apply(stiffness, y - centre) @ stiffness
        d = y.shape[2]
        force = force + _gradient(self.layers["potential"], both)[..., :d]
        change = _outputs(self.layers["mobility"], both)[-1].reshape(*y.shape, d)
        return _descent(self.arrays["entries"][:, None] + change, force)

    def _by_law(self, y: Array, c: Array, behind: Array) -> Array:
        """`PotentialDrift`; where all states have one condition its law is made once."""
        d = y.shape[2]
        root, entries, rest, turned = self._law(c if c.strides[1] else c[:, :1], d)
        away = y - rest
        if behind.shape[2]:
            away = away - _times(turned, behind)
        bent = _gradient(self.layers["potential"], np.concatenate([y, c], axis=2))
        force = _times(root.swapaxes(2, 3), _times(root, away)) + bent[..., :d]
        lower, upper = entries * np.tri(d), entries * (1 - np.tri(d))
        mobility = lower @ lower.swapaxes(2, 3) + upper - upper.swapaxes(2, 3)
        return -_times(mobility, force)

    def _law(self, c: Array, d: int) -> tuple[Array, Array, Array, Array]:
        """R, the entries of L and W, r and B at conditions, as `PotentialDrift.parts`."""
        value, inner, outer = (self.arrays[name] for name in ("value", "inner", "outer"))
        law = _affine(value, c) + _apply(outer, np.tanh(_affine(inner, c)))
        parts = np.split(law, [d * d, 2 * d * d, 2 * d * d + d], axis=2)
        root, entries, turned = (parts[k].reshape(*c.shape[:2], d, -1) for k in (0, 1, 3))
        return root, entries, parts[2], turned

    def _factor(self, y: Array, c: Array) -> Array:
        entries = _outputs(self.layers["diffusion"], np.concatenate([y, c], axis=2))[-1]
        entries[..., self.diagonal] = np.logaddexp(0.0, entries[..., self.diagonal] + 0.5413)
        change = np.zeros((*y.shape, y.shape[2]))
        change[..., *self.rows] = entries
        return self.arrays["start"][:, None] @ change


def _stack(tensors: Sequence[Tensor]) -> Array:
    return np.stack([x.detach().double().numpy() for x in tensors])


def _layers(networks: Sequence[nn.Sequential]) -> Layers:
    """Weights, shape (M, out, in), and biases, (M, out), of every linear layer."""
    linear = [[x for x in network if isinstance(x, nn.Linear)] for network in networks]
    return [
        (_stack([x.weight for x in own]), _stack([x.bias for x in own])) for own in zip(*linear)
    ]


def _apply(matrix: Array, y: Array) -> Array:
    return y @ matrix.swapaxes(1, 2)


def _times(matrices: Array, columns: Array) -> Array:
    """Of matrices, shape (M, n or 1, d, k), and columns, (M, n, k)."""
    if matrices.shape[1] == 1:
        return _apply(matrices[:, 0], columns)
    return np.asarray((matrices @ columns[..., None])[..., 0])


def _affine(value: Array, c: Array) -> Array:
    """v + V c of arrays (v, V), shape (M, n_out, 1 + c)."""
    return value[:, None, :, 0] + _apply(value[:, :, 1:], c)


def _descent(entries: Array, force: Array) -> Array:
    """-(M + W) times a gradient, as `drift_parts.descent`."""
    d, column = force.shape[2], force[..., None]
    lower, upper = entries * np.tri(d), entries * (1 - np.tri(d))
    turned = upper @ column - upper.swapaxes(2, 3) @ column
    return np.asarray(-(lower @ (lower.swapaxes(2, 3) @ column) + turned)[..., 0])


def _outputs(layers: Layers, x: Array) -> list[Array]:
    """Of every layer; tanh between them."""
    found = []
    for k, (weight, bias) in enumerate(layers):
        x = _apply(weight, x) + bias[:, None]
        if k < len(layers) - 1:
            x = np.tanh(x)
        found.append(x)
    return found


def _gradient(layers: Layers, x: Array) -> Array:
    """Of a network with one output by its inputs, shape of x."""
    *hidden, last = _outputs(layers, x)
    g = np.ones_like(last)
    for k in range(len(layers) - 1, -1, -1):
        g = g @ layers[k][0]
        if k:
            g = g * (1 - hidden[k - 1] ** 2)
    return g
