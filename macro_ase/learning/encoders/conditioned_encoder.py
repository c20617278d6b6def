"""An encoder whose latent state holds given observables beside learned closure variables.

    phi(x) = (phi*(x), phihat(x)),   phihat = V s + h(s)

phi* are the given observables with their exact Jacobian, s the scaled principal components of
the states (together the `first_layer` S), V a matrix and h a small network (softplus). With
B = diag(1, V + h'(s))

    phi' = B S',   phi' phi'^T = B (S' S'^T) B^T,   phi'^+ = phi'^T (phi' phi'^T)^-1,

so columns of phi' for some particles need their columns of S' alone. `conditioned_autoencoder`
trains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...arrays import Array
from ...observables.differentiable import Observables, States
from ..saved import Saved
from .first_layer import FirstLayer, Reduced
from .principal_components import PrincipalComponents

ARRAYS = ("mean", "directions", "scale")


class Head(nn.Module):
    """V s + h(s), with its Jacobian in closed form."""

    def __init__(self, n_in: int, n_out: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        sizes = [n_in, *hidden, n_out]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes[:-1]))
        self.last = nn.Linear(sizes[-2], n_out)
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    @classmethod
    def of_weights(cls, weights: dict[str, Tensor]) -> Head:
        """A head of the sizes and values of weights, as ``state_dict`` gives them."""
        number = sum(k.startswith("layers.") and k.endswith("bias") for k in weights)
        sizes = [len(weights[f"layers.{k}.bias"]) for k in range(number)]
        n_out, n_in = weights["linear.weight"].shape
        head = cls(n_in, n_out, sizes).double()
        head.load_state_dict(weights)
        return head

    def forward(self, s: Tensor) -> Tensor:
        """Values, (n, n_in) to (n, n_out)."""
        y = s
        for layer in self.layers:
            y = functional.softplus(layer(y))
        values: Tensor = self.linear(s) + self.last(y)
        return values

    def jacobian(self, s: Tensor) -> Tensor:
        """Derivatives, (n, n_in) to (n, n_out, n_in)."""
        y, transposed = s, torch.eye(s.shape[1], dtype=s.dtype).expand(len(s), -1, -1)
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            before = layer(y)
            slope = torch.sigmoid(before)[:, None, :]
            transposed = functional.linear(transposed, layer.weight) * slope
            y = functional.softplus(before)
        bent = functional.linear(transposed, self.last.weight)
        return self.linear.weight + bent.transpose(1, 2)


class ConditionedEncoder(Saved):
    """phi: given observables beside learned closure variables."""

    kind: ClassVar[str] = "conditioned-encoder"

    def __init__(
        self, observables: Observables, components: PrincipalComponents, head: Head
    ) -> None:
        self.first = FirstLayer(observables, components)
        self.head = head.double().eval()

    @property
    def observables(self) -> Observables:
        """phi*."""
        return self.first.observables

    @property
    def components(self) -> PrincipalComponents:
        """Of the states."""
        return self.first.components

    def encode(self, states: States) -> Array:
        """z, shape (n, d), of states, shape (n, N)."""
        return self._finish(self.first.encode(states))

    def jacobian(self, states: States, columns: NDArray[np.int64] | None = None) -> Array:
        """Columns of phi', shape (n, d, k), as `FirstLayer.jacobian`."""
        return self.chain(self.first.encode(states)) @ self.first.jacobian(states, columns)

    def rates(self, states: States, forces: Array) -> Array:
        """phi' f, shape (n, d), of the forces on all particles, shape (n, N)."""
        return self.carry(self.first.encode(states), self.first.rates(states, forces))[1]

    def carry(self, seen: Array, rates: Array) -> tuple[Array, Array]:
        """z and dz/dt, shape (n, d), of the first layer's values and rates, shape (n, m + w)."""
        return self._finish(seen), (self.chain(seen) @ rates[..., None])[..., 0]

    def _finish(self, seen: Array) -> Array:
        m = self._given(seen)
        with torch.no_grad():
            learned = self.head(torch.as_tensor(seen[:, m:])).numpy()
        return np.concatenate([seen[:, :m], learned], axis=1)

    def chain(self, seen: Array) -> Array:
        """B = dz/dS, shape (n, d, m + w), at the first layer's values, shape (n, m + w)."""
        s = torch.as_tensor(seen[:, self._given(seen) :])
        with torch.no_grad():
            return chain_of(self.head, s, seen.shape[1]).numpy()

    def _given(self, seen: Array) -> int:
        return int(seen.shape[1]) - len(self.components.scale)

    def gram(self, states: States) -> Array:
        """phi' phi'^T, shape (n, d, d)."""
        with torch.no_grad():
            return gram_of(self.head, self.first.reduced(states)).numpy()

    def _parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """The head and the components, not the observables."""
        kept = self.components
        arrays = {name: torch.as_tensor(getattr(kept, name)) for name in ARRAYS}
        left_out = {"left_out": torch.tensor([kept.left_out], dtype=torch.float64)}
        head = {f"head.{k}": v for k, v in self.head.state_dict().items()}
        return {}, head | arrays | left_out

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, Tensor], *given: Any) -> Self:
        head = Head.of_weights({k[5:]: v for k, v in weights.items() if k.startswith("head.")})
        left_out = float(weights["left_out"][0])
        mean, directions, scale = (weights[name].numpy() for name in ARRAYS)
        return cls(given[0], PrincipalComponents(mean, directions, scale, left_out), head)


def chain_of(head: Head, s: Tensor, n_seen: int) -> Tensor:
    """B, shape (n, d, n_seen), of components, shape (n, w)."""
    learned, m = head.jacobian(s), n_seen - s.shape[1]
    b = learned.new_zeros(len(s), m + learned.shape[1], n_seen)
    b[:, :m, :m] = torch.eye(m, dtype=b.dtype)
    b[:, m:, m:] = learned
    return b


def gram_of(head: Head, reduced: Reduced) -> Tensor:
    """B (S' S'^T) B^T, shape (n, d, d)."""
    b = chain_of(head, reduced.s, reduced.gram.shape[1])
    return b @ reduced.gram @ b.transpose(1, 2)
