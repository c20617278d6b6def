"""An encoder that sums over atoms: one serves every number of atoms, in any order.

    z = W (T, S, dS/dt)

T is the temperature, S_k the mean over atoms of radial functions of their neighbours' distances
(`kinetics.environments`) and W a learned linear map that keeps T. With the distances stand their
rates of change, as forces change rates and not positions. All columns of phi' follow from sums over
an atom's neighbours; phi' phi'^T is a sum over atoms. What the losses of forces need is measured
once, before W is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..engines.partial_forces import Bins
from ..kinetics.environments import environment_sums
from .force_batch import ForceBatch

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RadialBasis:
    """Gaussians times a cosine that ends them; their centres lie evenly between two distances.

    Attributes
    ----------
    number : int
        K.
    first, last : float
        The first and the last centre; the width is the distance between centres.
    cutoff : float
    """

    number: int = 8
    first: float = 0.95
    last: float = 1.85
    cutoff: float = 2.2

    @property
    def centres(self) -> Array:
        """r_k, shape (K,)."""
        return np.linspace(self.first, self.last, self.number)

    @property
    def width(self) -> float:
        """s."""
        return (self.last - self.first) / max(self.number - 1, 1)


def macroscopic(atoms: Atoms, velocities: Array, basis: RadialBasis) -> tuple[Array, Array]:
    """(T, S, dS/dt) of atoms, shape (1 + 2 K,), and its Jacobian, (1 + 2 K, n, 6).

    Columns are by position, then by velocity.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic or not, of mass 1.
    velocities : array, shape (n, 3)
        Their mean is 0.
    basis : RadialBasis
    """
    n, k = len(atoms), basis.number
    bins = Bins(atoms, basis.cutoff)
    v = np.ascontiguousarray(velocities, dtype=np.float64)
    numbers = basis.centres, basis.width, basis.cutoff
    density, rate, pull, turn = environment_sums(bins.cells, v, *numbers)
    jacobian = np.zeros((1 + 2 * k, n, 6))
    jacobian[0, :, 3:] = 2 * v / (3 * (n - 1))
    jacobian[1 : 1 + k, :, :3] = jacobian[1 + k :, :, 3:] = pull.transpose(1, 0, 2) / n
    jacobian[1 + k :, :, :3] = turn.transpose(1, 0, 2) / n
    temperature = (v**2).sum() / (3 * (n - 1))
    return np.concatenate([[temperature], density, rate]), jacobian


@dataclass(frozen=True)
class RawForces:
    """What configurations and the forces on them say about (T, S, dS/dt), of size q = 1 + 2 K.

    Attributes
    ----------
    z : array, shape (n, q)
    gram : array, shape (n, q, q)
        phi' phi'^T.
    dzdt : array, shape (n, q)
        phi' f, from the forces on all atoms.
    block_gram : array, shape (n, b, q, q)
        X X^T + V_I V_I^T / p of b blocks of atoms of each configuration: X, the columns by
        position, of all atoms, since x' = v needs no forces; V_I, by velocity, of a block.
    block_dzdt : array, shape (n, b, q)
        X v + V_I F_I / p.
    square, block_square : arrays, shape (n,), (n, b)
        |f|^2, and |v|^2 + |F_I|^2 / p.
    """

    z: Array
    gram: Array
    dzdt: Array
    block_gram: Array
    block_dzdt: Array
    square: Array
    block_square: Array

    @classmethod
    def measure(
        cls,
        atoms: Atoms,
        velocities: Array,
        forces: Array,
        blocks: Sequence[NDArray[np.int64]],
        basis: RadialBasis,
    ) -> RawForces:
        """Of one configuration, and of some blocks of its atoms.

        Parameters
        ----------
        atoms : ase.Atoms
        velocities, forces : arrays, shape (n, 3)
        blocks : sequence of int arrays
        basis : RadialBasis
        """
        n = len(atoms)
        z, columns = macroscopic(atoms, velocities, basis)
        f = np.concatenate([velocities, forces], axis=1)
        gram, dzdt, square = _sums(columns, f, 1.0)
        free = _sums(columns[:, :, :3], velocities, 1.0)
        parts = [_sums(columns[:, i, 3:], forces[i], len(i) / n) for i in blocks]
        some = [(sum_of_all + np.stack(part))[None] for sum_of_all, part in zip(free, zip(*parts))]
        return cls(z[None], gram[None], dzdt[None], some[0], some[1], np.array([square]), some[2])

    @classmethod
    def join(cls, parts: Sequence[RawForces]) -> RawForces:
        """Several as one."""
        return cls(*(np.concatenate([getattr(p, k.name) for p in parts]) for k in fields(cls)))

    def take(self, rows: NDArray[np.int64], blocks: int | None = None) -> RawForces:
        """Some configurations, with the first few of their blocks; default: all blocks."""
        few = {"block_gram", "block_dzdt", "block_square"}
        chosen = {f.name: getattr(self, f.name)[rows] for f in fields(self)}
        return RawForces(**{k: v[:, :blocks] if k in few else v for k, v in chosen.items()})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _sums(columns: Array, f: Array, p: float) -> tuple[Array, Array, float]:
    """J J^T / p, J f / p and |f|^2 / p."""
    flat, forces = columns.reshape(len(columns), -1), f.ravel()
    return flat @ flat.T / p, flat @ forces / p, float(forces @ forces) / p


@dataclass(frozen=True)
class PooledEncoder:
    """z = W (T, S, dS/dt), T unchanged.

    Attributes
    ----------
    basis : RadialBasis
    matrix : array, shape (1 + 2 r, 1 + 2 K)
        W.
    """

    basis: RadialBasis
    matrix: Array

    @classmethod
    def fit(cls, basis: RadialBasis, raw: RawForces, variables: int) -> PooledEncoder:
        """W from some configurations: r principal components of S, and their rates.

        They are mixed and scaled so that the mean of phi' phi'^T is a multiple of the identity:
        its condition number is 1, and no loss favours a variable.

        Raises
        ------
        ValueError
            If there are more variables than functions.
        """
        k = basis.number
        if not 1 <= variables <= k:
            raise ValueError(f"variables must lie in 1..{k}, not {variables}")
        density = raw.z[:, 1 : 1 + k]
        modes = np.linalg.svd(density - density.mean(axis=0), full_matrices=False)[2][:variables]
        matrix = np.zeros((1 + 2 * variables, 1 + 2 * k))
        matrix[0, 0] = 1.0
        matrix[1 : 1 + variables, 1 : 1 + k] = matrix[1 + variables :, 1 + k :] = modes
        gram = matrix @ raw.gram.mean(axis=0) @ matrix.T
        mixing = np.linalg.inv(np.linalg.cholesky(gram)) * np.sqrt(gram[0, 0])
        return cls(basis, mixing @ matrix)

    def encode(self, z: Array) -> Array:
        """z of (T, S, dS/dt), shape (n, 1 + 2 K)."""
        return z @ self.matrix.T

    def all_forces(self, raw: RawForces) -> ForceBatch:
        """The batch of the forces on all atoms."""
        m = self.matrix
        gram, none = m @ raw.gram @ m.T, np.zeros((len(raw.z), 0))
        return ForceBatch(self.encode(raw.z), gram, gram, raw.dzdt @ m.T, raw.square, 1.0, none)

    def some_forces(self, raw: RawForces, p: float) -> ForceBatch:
        """The batch of the forces on blocks, each of them with its whole configuration."""
        m, b = self.matrix, raw.block_square.shape[1]
        n = len(raw.z) * b
        return ForceBatch(
            np.repeat(self.encode(raw.z), b, axis=0),
            np.repeat(m @ raw.gram @ m.T, b, axis=0),
            (m @ raw.block_gram @ m.T).reshape(n, len(m), len(m)),
            (raw.block_dzdt @ m.T).reshape(n, -1),
            raw.block_square.reshape(n),
            p,
            np.zeros((n, 0)),
        )
