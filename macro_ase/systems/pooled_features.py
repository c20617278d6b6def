"""Features of atoms that are means over all of them: one encoder on them serves every number n.

    S = (T, R, dR/dt)

T is the temperature, R_k the mean over atoms of radial functions of their neighbours' distances
(`kinetics.environments`). Positions change as velocities say, so forces enter through the columns
of S' by velocity alone. With X the columns by position and V those by velocity, of T and dR/dt,

    d(T, dR/dt)/dt = X v + V F,        n V_T = 2 v n / (3 (n - 1)),   n V_k = n dR_k/dx.

V_k is the force of a pair potential R_k: where the pair forces of a system lie in the span of the
functions, forces F_I on a few atoms determine V F for all, through L_{x,p} of (T, dR/dt), exactly.
V V^T is a sum over the pairs of all atoms: this saves evaluations of forces, not of distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..arrays import Array
from ..engines.patches.partial_forces import Bins
from ..kinetics.environments import environment_sums


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

    number: int = 24
    first: float = 0.85
    last: float = 2.3
    cutoff: float = 2.5

    @property
    def centres(self) -> Array:
        """r_k, shape (K,)."""
        return np.linspace(self.first, self.last, self.number)

    @property
    def width(self) -> float:
        """s."""
        return (self.last - self.first) / max(self.number - 1, 1)


def pooled(atoms: Atoms, velocities: Array, basis: RadialBasis) -> tuple[Array, Array]:
    """S of atoms, shape (1 + 2 K,), and its Jacobian, (1 + 2 K, n, 6).

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
class PooledForces:
    """What configurations, and the forces on all their atoms or on a block I of each, say of S.

    Attributes
    ----------
    values : array, shape (n, 1 + 2 K)
        S.
    free : array, shape (n, 1 + K)
        X v, for which no forces are needed.
    forced : array, shape (n, 1 + K)
        V F.
    gram, gram_block : arrays, shape (n, 1 + K, 1 + K)
        V V^T, and V_I V_I^T / p.
    forced_block : array, shape (n, 1 + K)
        V_I F_I / p.
    square_block : array, shape (n,)
        |F_I|^2 / p.
    """

    values: Array
    free: Array
    forced: Array
    gram: Array
    gram_block: Array
    forced_block: Array
    square_block: Array

    @classmethod
    def measure(
        cls,
        atoms: Atoms,
        velocities: Array,
        forces: Array,
        block: NDArray[np.int64],
        basis: RadialBasis,
    ) -> PooledForces:
        """Of one configuration.

        Parameters
        ----------
        atoms : ase.Atoms
        velocities, forces : arrays, shape (n, 3)
        block : int array
            I.
        basis : RadialBasis
        """
        values, jacobian = pooled(atoms, velocities, basis)
        moved = np.r_[0, 1 + basis.number : len(values)]
        by_position, by_velocity = jacobian[moved, :, :3], jacobian[moved, :, 3:]
        v, p = _flat(by_velocity), len(block) / len(atoms)
        own = _flat(by_velocity[:, block])
        return cls(
            values[None],
            (_flat(by_position) @ velocities.ravel())[None],
            (v @ forces.ravel())[None],
            (v @ v.T)[None],
            (own @ own.T / p)[None],
            (own @ forces[block].ravel() / p)[None],
            np.array([(forces[block] ** 2).sum() / p]),
        )

    @classmethod
    def join(cls, parts: Sequence[PooledForces]) -> PooledForces:
        """Several as one."""
        return cls(*(np.concatenate([getattr(p, k.name) for p in parts]) for k in fields(cls)))

    def take(self, rows: NDArray[np.int64]) -> PooledForces:
        """Some configurations."""
        return PooledForces(**{k: v[rows] for k, v in self.arrays().items()})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def rates(self) -> Array:
        """dS/dt from all forces, shape (n, 1 + 2 K)."""
        return self._all_rates(self.forced)

    def rates_from_blocks(self, floor: float = 1e-6) -> Array:
        """dS/dt of least L_{x,p} from the forces on each block, shape (n, 1 + 2 K).

        Parameters
        ----------
        floor : float
            As `learning.force_batch.ForceBatch.with_floor`: some functions see hardly any pair.
        """
        more = np.diag(floor * np.diagonal(self.gram, axis1=1, axis2=2).mean(axis=0))
        inverse = np.linalg.inv(self.gram + more)
        metric = inverse @ (self.gram_block + more) @ inverse
        forced = np.linalg.solve(metric, inverse @ self.forced_block[..., None])[..., 0]
        return self._all_rates(np.asarray(forced, dtype=np.float64))

    def _all_rates(self, forced: Array) -> Array:
        moved, k = self.free + forced, self.free.shape[1] - 1
        return np.concatenate([moved[:, :1], self.values[:, 1 + k :], moved[:, 1:]], axis=1)


def leading(values: Array, components: int, rates: int) -> Array:
    """W of an encoder z = W S: T, leading components of R, and the rates of the first of these.

    Components are those of R in units of its spread, over configurations. With a rate among the
    variables a start from rest is no point at rest of z.

    Parameters
    ----------
    values : array, shape (n, 1 + 2 K)
        S of configurations.
    components, rates : int

    Returns
    -------
    array, shape (1 + components + rates, 1 + 2 K)

    Raises
    ------
    ValueError
        If there are not as many functions or components.
    """
    k = values.shape[1] // 2
    if not 0 <= rates <= components <= k:
        raise ValueError(f"0 <= rates <= components <= {k}, not {rates} and {components}")
    r = values[:, 1 : 1 + k]
    unit = np.maximum(r.std(axis=0), 1e-9 * np.abs(r).max())
    modes = np.linalg.svd((r - r.mean(axis=0)) / unit, full_matrices=False)[2] / unit
    matrix = np.zeros((1 + components + rates, 1 + 2 * k))
    matrix[0, 0] = 1.0
    matrix[1 : 1 + components, 1 : 1 + k] = modes[:components]
    matrix[1 + components :, 1 + k :] = modes[:rates]
    return matrix


def _flat(columns: Array) -> Array:
    return columns.reshape(len(columns), -1)
