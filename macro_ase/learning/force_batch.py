"""What the losses of macroscopic drift see of forces on a few particles.

With J_I the columns of phi' that belong to the chosen particles I, a share p of all, the losses
need of each configuration

    z0,   G = phi' phi'^T,   G_I = J_I J_I^T / p,   b = J_I f_I / p,   c = |f_I|^2 / p

and nothing else, so a batch takes d^2 numbers a configuration whatever n and p are. Drawn
uniformly, I gives G_I and b the means G and dz/dt = phi' f; with p = 1 they are equal to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array, Chunk, above_0, as_columns, as_conditions, finite_array
from ..files import replacing
from .saved import reading


@dataclass(frozen=True)
class ForceBatch:
    """Forces on some particles of each configuration, seen through an encoder.

    Attributes
    ----------
    z0 : array, shape (n, d)
        Macroscopic state of the configuration, or what an encoder's first layer sees of it.
    gram : array, shape (n, d, d)
        G, of all particles.
    gram_part : array, shape (n, d, d)
        G_I.
    dzdt : array, shape (n, d)
        b: an estimate of dz/dt from the forces at hand; exact where all are.
    square : array, shape (n,)
        c.
    p : float
        Share of the particles whose forces are known.
    condition : array, shape (n, n_conditions)
        What else the drift may depend on; no column where there is nothing, one number stands for
        all configurations.
    """

    z0: Array
    gram: Array
    gram_part: Array
    dzdt: Array
    square: Array
    p: float
    condition: Array

    def __post_init__(self) -> None:
        z0 = as_columns(self.z0, "z0")
        n, d = z0.shape
        shapes = {"gram": (n, d, d), "gram_part": (n, d, d), "dzdt": (n, d), "square": (n,)}
        own = {k: finite_array(getattr(self, k), k, *shape) for k, shape in shapes.items()}
        own |= {"z0": z0, "condition": as_conditions(self.condition, n)}
        for name, value in own.items():
            object.__setattr__(self, name, value)
        p = float(finite_array(self.p, "p"))
        if not 0 < p <= 1:
            raise ValueError(f"p, the share of particles, must lie in (0, 1], not {p:g}")
        object.__setattr__(self, "p", p)

    @classmethod
    def of(
        cls,
        z0: Array,
        gram: Array,
        jacobian: Array,
        forces: Array,
        p: float,
        condition: Array | None = None,
    ) -> ForceBatch:
        """A batch from columns of phi', shape (n, d, k), and their forces, shape (n, k)."""
        states = as_columns(z0, "z0")
        n, d = states.shape
        known = finite_array(forces, "forces", n, None)
        share = above_0(p, "p, the share of particles,")
        columns = finite_array(jacobian, "jacobian", n, d, known.shape[1])
        part = columns @ columns.transpose(0, 2, 1) / share
        dzdt = (columns @ known[..., None])[..., 0] / share
        square = (known**2).sum(axis=1) / share
        own = np.zeros((n, 0)) if condition is None else condition
        return cls(states, gram, part, dzdt, square, share, own)

    @classmethod
    def of_all(cls, z0: Array, gram: Array, dzdt: Array, forces: Array) -> ForceBatch:
        """A batch of all forces, shape (n, N), with dz/dt = phi' f, shape (n, d)."""
        square = (finite_array(forces, "forces", len(z0), None) ** 2).sum(axis=1)
        return cls(z0, gram, gram, dzdt, square, 1.0, np.zeros((len(z0), 0)))

    @classmethod
    def join(cls, batches: Sequence[ForceBatch]) -> ForceBatch:
        """Several batches of one p as one."""
        kinds = {(b.p, b.z0.shape[1], b.condition.shape[1]) for b in batches}
        if len(kinds) != 1:
            raise ValueError(
                f"batches must be of one p, d and number of conditions, not of {sorted(kinds)}"
            )
        parts = {k: np.concatenate([getattr(b, k) for b in batches]) for k in ARRAYS}
        return cls(**parts, p=batches[0].p)

    def __len__(self) -> int:
        return len(self.z0)

    def take(self, rows: NDArray[Any]) -> ForceBatch:
        """Some configurations (mask or numbers)."""
        return ForceBatch(**{k: getattr(self, k)[rows] for k in ARRAYS}, p=self.p)

    def with_floor(self, floor: float) -> ForceBatch:
        """The batch of a system with one more coordinate for each variable, always at rest.

        phi' gets d columns, diagonal, whose squares are ``floor`` times the mean of the Gram
        matrix's diagonal, and their forces are known to be 0. That leaves dz/dt as it is and keeps
        the Gram matrix regular where a variable is stationary: there the loss asks its drift to
        vanish.
        """
        size = floor * np.diagonal(self.gram, axis1=1, axis2=2).mean(axis=0)
        more = np.diag(size)
        return replace(self, gram=self.gram + more, gram_part=self.gram_part + more)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays by name, as a store keeps them."""
        return {k: getattr(self, k) for k in ARRAYS} | {"p": np.array([self.p])}

    @classmethod
    def from_arrays(cls, arrays: Chunk) -> ForceBatch:
        """What `arrays` gave."""
        missing = {*ARRAYS, "p"} - arrays.keys()
        if missing:
            raise ValueError(f"a force batch lacks {', '.join(sorted(missing))}")
        return cls(**{k: arrays[k] for k in ARRAYS}, p=float(np.ravel(arrays["p"])[0]))

    def save(self, file: str | Path) -> None:
        """Write an npz file."""
        arrays: dict[str, Any] = self.arrays()
        with replacing(file) as beside, beside.open("wb") as stream:
            np.savez(stream, **arrays)

    @classmethod
    def load(cls, file: str | Path) -> ForceBatch:
        """Read what `save` wrote."""
        with reading(file, "force batch"), np.load(file, allow_pickle=False) as data:
            return cls.from_arrays(dict(data))


ARRAYS = tuple(field.name for field in fields(ForceBatch) if field.name != "p")
