"""An encoder whose latent state holds given observables beside learned closure variables.

    phi(x) = (phi*(x), phihat(x)),   phihat(x) = V s + h(s),   s = W (x - <x>)

phi* are the given observables with their exact Jacobian, s the scaled principal components of
the states, V a matrix and h a small network (softplus). With S(x) = (phi*'(x); W) and
B(s) = diag(1, V + h'(s))

    phi' = B S,   phi' phi'^T = B (S S^T) B^T,   phi'^+ = phi'^T (phi' phi'^T)^-1,

so columns of phi' for some particles need their columns of S alone, and the Gram matrix costs
nothing in N where phi*' is constant. `conditioned_autoencoder` trains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .principal_components import PrincipalComponents

Array = NDArray[np.float64]
States = NDArray[np.floating]
ROWS = 512
FILE = "encoder.safetensors"


class Observables(Protocol):
    """Given macroscopic observables phi*."""

    def __call__(self, states: States) -> Array:
        """Values, (n, N) to (n, m)."""

    def jacobian(self, states: States) -> Array:
        """phi*', shape (n, m, N), or (1, m, N) where it does not depend on the state."""


@dataclass(frozen=True)
class LinearObservables:
    """phi*(x) = A x.

    Attributes
    ----------
    rows : array, shape (m, N)
        A.
    """

    rows: Array

    def __call__(self, states: States) -> Array:
        """Values, (n, N) to (n, m)."""
        return np.asarray(states, dtype=np.float64) @ self.rows.T

    def jacobian(self, states: States) -> Array:
        """A, shape (1, m, N)."""
        return self.rows[None]


class Head(nn.Module):
    """V s + h(s), with its Jacobian in closed form.

    Parameters
    ----------
    n_in, n_out : int
    hidden : sequence of int
        Widths of the layers of h.
    """

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
        return self.linear(s) + self.last(y)

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


@dataclass(frozen=True)
class Reduced:
    """What training needs of states, without any axis of length N.

    Attributes
    ----------
    s : Tensor, shape (n, w)
    given : Tensor, shape (n, m)
    gram : Tensor, shape (n or 1, m + w, m + w)
        S S^T.
    """

    s: Tensor
    given: Tensor
    gram: Tensor

    def take(self, rows: Tensor) -> Reduced:
        """Some states."""
        gram = self.gram if len(self.gram) == 1 else self.gram[rows]
        return Reduced(self.s[rows], self.given[rows], gram)


class ConditionedEncoder:
    """phi: given observables beside learned closure variables.

    Parameters
    ----------
    observables : Observables
    components : PrincipalComponents
    head : Head
        In double precision.
    """

    def __init__(
        self, observables: Observables, components: PrincipalComponents, head: Head
    ) -> None:
        self.observables, self.components = observables, components
        self.head = head.double().eval()

    def encode(self, states: States) -> Array:
        """z, shape (n, d), of states, shape (n, N)."""
        s = torch.as_tensor(self.components(states) / self.components.scale)
        with torch.no_grad():
            learned = self.head(s).numpy()
        return np.concatenate([self.observables(states), learned], axis=1)

    def jacobian(self, states: States, columns: NDArray[np.int64] | None = None) -> Array:
        """Columns of phi', shape (n, d, k), the same k for every state, or k of each.

        Parameters
        ----------
        states : array, shape (n, N)
        columns : int array, shape (k,) or (n, k), optional
            Default: all N.
        """
        given, head = self.observables.jacobian(states), self._head_jacobian(states)
        rows = self.components.directions / self.components.scale[:, None]
        if columns is not None and columns.ndim == 2:
            given = np.take_along_axis(given, columns[:, None, :], axis=2)
            learned = np.einsum("nhw,wnk->nhk", head, rows[:, columns], optimize=True)
        else:
            use = slice(None) if columns is None else columns
            given, learned = given[:, :, use], head @ rows[:, use]
        given = np.broadcast_to(given, (len(states), *given.shape[1:]))
        return np.concatenate([given, learned], axis=1)

    def gram(self, states: States) -> Array:
        """phi' phi'^T, shape (n, d, d)."""
        reduced = reduce_states(self.observables, self.components, states)
        with torch.no_grad():
            return gram_of(self.head, reduced).numpy()

    def _head_jacobian(self, states: States) -> Array:
        s = torch.as_tensor(self.components(states) / self.components.scale)
        with torch.no_grad():
            return self.head.jacobian(s).numpy()

    def save(self, folder: str | Path) -> None:
        """Write ``encoder.safetensors``: the head and the components, not the observables."""
        from safetensors.torch import save_file

        Path(folder).mkdir(parents=True, exist_ok=True)
        kept = self.components
        tensors = {f"head.{k}": v.contiguous() for k, v in self.head.state_dict().items()} | {
            "mean": torch.as_tensor(kept.mean),
            "directions": torch.as_tensor(kept.directions),
            "scale": torch.as_tensor(kept.scale),
            "left_out": torch.tensor([kept.left_out], dtype=torch.float64),
        }
        save_file(tensors, Path(folder) / FILE)

    @classmethod
    def load(cls, folder: str | Path, observables: Observables) -> ConditionedEncoder:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no encoder, or a damaged one.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            tensors = load_file(Path(folder) / FILE)
            weights = {k[5:]: v for k, v in tensors.items() if k.startswith("head.")}
            head = Head.of_weights(weights)
            mean, directions, scale = (
                tensors[name].numpy() for name in ("mean", "directions", "scale")
            )
            left_out = float(tensors["left_out"][0])
            components = PrincipalComponents(mean, directions, scale, left_out)
        except (KeyError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{folder} holds no complete encoder: {error}") from error
        return cls(observables, components, head)


def reduce_states(
    observables: Observables, components: PrincipalComponents, states: States
) -> Reduced:
    """Components, observables and S S^T of states, in blocks of rows."""
    rows = components.directions / components.scale[:, None]
    within = rows @ rows.T
    blocks = [_block_grams(observables, rows, within, part) for part in _parts(states)]
    gram = blocks[0] if len(blocks[0]) == 1 < len(states) else np.concatenate(blocks)
    s = np.concatenate([components(part) for part in _parts(states)]) / components.scale
    given = np.concatenate([observables(part) for part in _parts(states)])
    return Reduced(*(torch.as_tensor(x, dtype=torch.float64) for x in (s, given, gram)))


def _parts(states: States) -> list[States]:
    return [states[k : k + ROWS] for k in range(0, len(states), ROWS)]


def _block_grams(observables: Observables, rows: Array, within: Array, states: States) -> Array:
    given = observables.jacobian(states)
    m, across = given.shape[1], given @ rows.T
    gram = np.empty((len(given), m + len(rows), m + len(rows)))
    gram[:, :m, :m] = given @ given.transpose(0, 2, 1)
    gram[:, :m, m:], gram[:, m:, :m] = across, across.transpose(0, 2, 1)
    gram[:, m:, m:] = within
    return gram


def gram_of(head: Head, reduced: Reduced) -> Tensor:
    """B (S S^T) B^T, shape (n, d, d)."""
    n, m = reduced.given.shape
    learned = head.jacobian(reduced.s)
    b = learned.new_zeros(n, m + learned.shape[1], m + learned.shape[2])
    b[:, :m, :m] = torch.eye(m, dtype=b.dtype)
    b[:, m:, m:] = learned
    return b @ reduced.gram @ b.transpose(1, 2)
