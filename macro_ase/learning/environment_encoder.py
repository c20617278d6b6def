"""An encoder of atoms that does not depend on their order or number.

The environment of atom i, by its neighbours j within a cutoff, u = r_ij / |r_ij|, w = v_j - v_i:

    D_i = (sum_j R_k(r_ij),  sum_j R_k(r_ij) u . w,  |v_i|^2),   k = 1 .. K,

a smooth radial density, its rate of change, and the atom's own motion. The macroscopic state is

    z = (mean over atoms of A D_i,  mean over atoms of T h(D_i) + C D_i),

with A the given observables (temperature is one), h a small network, and T and C a linear
map that makes the mean of n phi' phi'^T diagonal. With g_i the derivative of all that by D_i, and
g = g_i + g_j in its parts by density and by rate, the columns of phi' of atom i are

    n dz/dx_i = - sum_j [sum_k (g_k + g_{K+k} u . w) R'_k u + sum_k g_{K+k} R_k (w - (u . w) u) / r]
    n dz/dv_i = - sum_j  sum_k g_{K+k} R_k u  +  2 g_{i,2K+1} v_i.

They need the environments of i and of its neighbours, and nothing else of the system.
n phi' phi'^T is the mean over atoms of n^2 (dz/d(x_i, v_i)) (dz/d(x_i, v_i))^T, so one encoder
serves every n.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ase import Atoms
from numpy.typing import NDArray

from ..files import write_atomically
from ..neighbour_pairs import NeighbourPairs, neighbour_pairs
from .conditioned_encoder import Head
from .model_files import read_tensors
from .reading import reading

Array = NDArray[np.float64]
PAIRS_AT_ONCE = 40_000


class Configuration(NamedTuple):
    """Atoms as the encoder sees them.

    Attributes
    ----------
    pairs : NeighbourPairs
        Within the cutoff of the encoder, in the unit of length of the radial functions.
    velocities : array, shape (n, 3)
    """

    pairs: NeighbourPairs
    velocities: Array

    @classmethod
    def of(cls, atoms: Atoms, cutoff: float) -> Configuration:
        """The configuration of atoms with velocities, in their own units."""
        return cls(neighbour_pairs(atoms, cutoff), np.asarray(atoms.get_velocities()))


@dataclass(frozen=True)
class RadialFunctions:
    """R_k(r) = exp(-(r - r_k)^2 / (2 s^2)) (1 + cos(pi r / cutoff)) / 2, zero beyond the cutoff.

    Attributes
    ----------
    cutoff : float
    number : int
        K; the centres r_k lie evenly from .3 to .95 of the cutoff, s is their distance.
    """

    cutoff: float
    number: int = 8

    def __call__(self, r: Array) -> tuple[Array, Array]:
        """Values and derivatives, (n,) to (n, K)."""
        centres = np.linspace(0.3, 0.95, self.number) * self.cutoff
        s = 0.65 * self.cutoff / max(self.number - 1, 1)
        off = (r[:, None] - centres) / s
        peak = np.exp(-(off**2) / 2)
        inside = r < self.cutoff
        fall = np.where(inside, (1 + np.cos(np.pi * r / self.cutoff)) / 2, 0.0)[:, None]
        slope = np.where(inside, -np.pi / (2 * self.cutoff) * np.sin(np.pi * r / self.cutoff), 0.0)
        return peak * fall, peak * (slope[:, None] - fall * off / s)


def environments(
    configuration: Configuration, radial: RadialFunctions, atoms: NDArray[np.int64] | None = None
) -> Array:
    """D of some atoms, shape (n_atoms, 2 K + 1), from their pairs alone; default: of all."""
    n = len(configuration.velocities)
    centres = np.arange(n) if atoms is None else np.asarray(atoms)
    out = np.zeros((len(centres), 2 * radial.number + 1))
    own, rows = _pairs_of(configuration.pairs, centres)
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = rows[start : start + PAIRS_AT_ONCE]
        bond = _Bonds.of(configuration, part)
        values, _ = radial(bond.r)
        both = np.concatenate([values, values * bond.closing[:, None]], axis=1)
        np.add.at(out[:, :-1], own[start : start + PAIRS_AT_ONCE], both)
    out[:, -1] = (configuration.velocities[centres] ** 2).sum(axis=1)
    return out


class _Bonds(NamedTuple):
    """Pairs seen from their first atom: r, u, w = v_j - v_i and u . w."""

    r: Array
    u: Array
    w: Array
    closing: Array

    @classmethod
    def of(cls, configuration: Configuration, rows: NDArray[np.int64]) -> _Bonds:
        pairs, v = configuration.pairs, configuration.velocities
        r = pairs.distance_A[rows]
        u = pairs.vector_A[rows] / r[:, None]
        w = v[pairs.j[rows]] - v[pairs.i[rows]]
        return cls(r, u, w, (u * w).sum(axis=1))


def _pairs_of(
    pairs: NeighbourPairs, atoms: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the pairs of some atoms, and the place of each pair's atom among them."""
    first = np.searchsorted(pairs.i, atoms, side="left")
    counts = np.searchsorted(pairs.i, atoms, side="right") - first
    own = np.repeat(np.arange(len(atoms)), counts)
    within = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
    return own, np.repeat(first, counts) + within


class EnvironmentEncoder:
    """phi = (mean A D, mean T h((D - shift) / scale) + C D).

    Parameters
    ----------
    radial : RadialFunctions
    given : array, shape (m, 2 K + 1)
        A.
    head : Head
        h, in double precision.
    shift, scale : arrays, shape (2 K + 1,)
    mix : array, shape (n_out, n_out), optional
        T; default the identity.
    add : array, shape (n_out, 2 K + 1), optional
        C; default none.
    """

    def __init__(
        self,
        radial: RadialFunctions,
        given: Array,
        head: Head,
        shift: Array,
        scale: Array,
        mix: Array | None = None,
        add: Array | None = None,
    ) -> None:
        n_out, q = head.linear.weight.shape
        self.radial, self.given, self.head = radial, given, head.double().eval()
        self.shift, self.scale = shift, scale
        self.mix = np.eye(n_out) if mix is None else mix
        self.add = np.zeros((n_out, q)) if add is None else add

    def encode(self, configuration: Configuration) -> Array:
        """z, shape (m + n_out,)."""
        return self.pooled(environments(configuration, self.radial))

    def pooled(self, environment: Array) -> Array:
        """z from the environments of all atoms, shape (n, 2 K + 1)."""
        with torch.no_grad():
            learned = self.head(self._scaled(environment)).numpy()
        mean = environment.mean(axis=0)
        return np.concatenate(
            [self.given @ mean, self.mix @ learned.mean(axis=0) + self.add @ mean]
        )

    def jacobian(
        self, configuration: Configuration, atoms: NDArray[np.int64] | None = None
    ) -> Array:
        """Columns of phi', shape (d, n_atoms, 6): by position, then by velocity.

        Parameters
        ----------
        configuration : Configuration
        atoms : int array, shape (n_atoms,), optional
            Default: all. Only pairs of these and of their neighbours are looked at.
        """
        n = len(configuration.velocities)
        chosen = np.arange(n) if atoms is None else np.asarray(atoms)
        own, rows = _pairs_of(configuration.pairs, chosen)
        needed = np.unique(np.concatenate([chosen, configuration.pairs.j[rows]]))
        slopes = self._slopes(environments(configuration, self.radial, needed))
        place = np.searchsorted(needed, chosen)
        out = np.zeros((len(chosen), slopes.shape[1], 6))
        v = configuration.velocities[chosen]
        out[:, :, 3:] = 2 * slopes[place, :, -1:] * v[:, None, :]
        for start in range(0, len(rows), self._at_once):
            part = slice(start, start + self._at_once)
            other = np.searchsorted(needed, configuration.pairs.j[rows[part]])
            both = slopes[place[own[part]]] + slopes[other]
            np.subtract.at(out, own[part], self._pull(configuration, rows[part], both))
        return out.transpose(1, 0, 2) / n

    def gram(self, configuration: Configuration, atoms: NDArray[np.int64] | None = None) -> Array:
        """phi' phi'^T, shape (d, d): exact, or estimated from some atoms.

        Parameters
        ----------
        configuration : Configuration
        atoms : int array, shape (n_atoms,), optional
            A uniform sample of the atoms to estimate it from.
        """
        columns = self.jacobian(configuration, atoms)
        flat = columns.reshape(len(columns), -1)
        return flat @ flat.T * (len(configuration.velocities) / columns.shape[1])

    @property
    def _at_once(self) -> int:
        return max(1, PAIRS_AT_ONCE // len(self.given[:, 0]) // len(self.mix))

    def _scaled(self, environment: Array) -> torch.Tensor:
        return torch.as_tensor((environment - self.shift) / self.scale)

    def _slopes(self, environment: Array) -> Array:
        """g, shape (n, d, 2 K + 1)."""
        with torch.no_grad():
            own = self.head.jacobian(self._scaled(environment)).numpy()
        learned = self.mix @ own / self.scale + self.add
        given = np.broadcast_to(self.given, (len(environment), *self.given.shape))
        return np.concatenate([given, learned], axis=1)

    def _pull(self, configuration: Configuration, rows: NDArray[np.int64], both: Array) -> Array:
        """What each pair takes from the columns of its first atom, shape (n_pairs, d, 6)."""
        bond, k = _Bonds.of(configuration, rows), self.radial.number
        values, slopes = self.radial(bond.r)
        density, rate = both[:, :, :k], both[:, :, k : 2 * k]
        along = density @ slopes[..., None] + rate @ (slopes * bond.closing[:, None])[..., None]
        turning = (rate @ values[..., None])[..., 0]
        across = (bond.w - bond.closing[:, None] * bond.u) / bond.r[:, None]
        by_position = along * bond.u[:, None] + turning[..., None] * across[:, None]
        return np.concatenate([by_position, turning[..., None] * bond.u[:, None]], axis=2)

    def save(self, folder: str | Path) -> None:
        """Write ``environment_encoder.safetensors``."""
        from safetensors.torch import save

        Path(folder).mkdir(parents=True, exist_ok=True)
        tensors = {f"head.{k}": v.contiguous() for k, v in self.head.state_dict().items()}
        tensors |= {k: torch.tensor(getattr(self, k), dtype=torch.float64) for k in ARRAYS}
        radial = [self.radial.cutoff, self.radial.number]
        tensors["radial"] = torch.tensor(radial, dtype=torch.float64)
        write_atomically(_file(folder), save(tensors))

    @classmethod
    def load(cls, folder: str | Path) -> EnvironmentEncoder:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no encoder, or a damaged one.
        """
        with reading(folder, "encoder"):
            tensors = read_tensors(_file(folder))
            head = Head.of_weights({k[5:]: v for k, v in tensors.items() if k.startswith("head.")})
            cutoff, number = tensors["radial"].tolist()
            given, *others = (tensors[k].numpy() for k in ARRAYS)
        return cls(RadialFunctions(cutoff, int(number)), given, head, *others)


ARRAYS = ("given", "shift", "scale", "mix", "add")


def _file(folder: str | Path) -> Path:
    return Path(folder) / "environment_encoder.safetensors"
