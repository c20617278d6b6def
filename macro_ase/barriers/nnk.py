"""The published neural-network kinetics (NNK) barriers of NbMoTa.

A network with four hidden layers of 128 units reads the types of the atoms around a
vacancy on a 9 x 9 x 9 grid of voxels of a/2 = 1.62 A, turned about z and reflected in z
so that the hop is along (1,1,1), and gives the barrier in eV; a layer is
Dense -> BatchNorm -> ReLU. Weights: UCICaoLab/NKK (MIT licence), of B. Xing, T. J. Rupert,
X. Pan and P. Cao, Nat. Commun. 15, 3879 (2024).

The first layer numbers the voxels of the turned grid in one of two orders:

* ``"original"``, the authors' code: y slowest, then x, then z;
* ``"paper"``, as used in arXiv 2511.12842: x slowest, then y, then z.

The one is the other in the mirror x <-> y: the ``"original"`` barrier of a hop in a crystal
is the ``"paper"`` barrier of the mirrored hop in the mirrored crystal. Single barriers
differ (by up to .04 eV); what does not tell a crystal from its mirror image, such as
short-range order, has the same statistics.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kinetics.nnk_hops import KEY_WORDS, WAYS, NNKTables
from ..kinetics.padding import linear_offsets
from ..lattice import BCC, SiteGrid
from ..reasons import reason
from .base import BarrierModel
from .orbits import HOP_DIRECTIONS

WIDTH = 128
REACH = 4
EDGE = 2 * REACH + 1
N_SHELLS = 8
AXIS_ORDERS = {"paper": (0, 1, 2), "original": (1, 0, 2)}
"""Axes of the turned grid, slowest first, by name of the order."""


def _array_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the arrays of a network file."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(4):
        shapes[f"W{layer}"] = (WIDTH if layer else EDGE**3, WIDTH)
        for name in ("b", "gamma", "beta", "mean", "var"):
            shapes[f"{name}{layer}"] = (WIDTH,)
    return {**shapes, "W4": (WIDTH, 1), "b4": (1,)}


@dataclass(frozen=True, eq=False)
class NNKBarriers(BarrierModel):
    """NNK barriers.

    Attributes
    ----------
    arrays : dict of arrays
        W0 (729, 128), W1, W2, W3 (128, 128), W4 (128, 1), b4 (1,), and for l = 0 .. 3
        b, gamma, beta, mean, var (128,), named b0 and so on.
    batch_norm_eps : float
        Added to the variances: 1e-3 in the authors' code, 1e-5 in arXiv 2511.12842.
    axis_order : str
        ``"paper"`` or ``"original"``; see the module.
    cache_size : int
        Environments remembered, 96 bytes each; rounded up to a power of two.
    """

    arrays: dict[str, NDArray[np.float64]] = field(repr=False)
    batch_norm_eps: float = 1e-5
    axis_order: str = "paper"
    cache_size: int = 2**17

    species = ("Nb", "Mo", "Ta")

    def __post_init__(self) -> None:
        if self.axis_order not in AXIS_ORDERS:
            raise ValueError(
                f"axis_order must be {' or '.join(AXIS_ORDERS)}, not {self.axis_order!r}"
            )
        if self.batch_norm_eps <= 0:
            raise ValueError(f"batch_norm_eps must be positive, not {self.batch_norm_eps}")
        if self.cache_size < 1:
            raise ValueError(f"cache_size must be at least 1, not {self.cache_size}")

    @classmethod
    def load(
        cls,
        path: str | Path,
        batch_norm_eps: float = 1e-5,
        axis_order: str = "paper",
        cache_size: int = 2**17,
    ) -> NNKBarriers:
        """Read a network from an ``.npz`` file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged or is not such a network.
        """
        return cls(_read_arrays(Path(path)), batch_norm_eps, axis_order, cache_size)

    def tables(self, grid: SiteGrid) -> NNKTables:
        """Weights on a grid, with an empty memory."""
        seen = np.vstack(BCC.shells(N_SHELLS))
        weights, biases = self._folded
        rows = np.ravel_multi_index(tuple((seen + REACH).T), (EDGE,) * 3)
        axes = np.argsort(AXIS_ORDERS[self.axis_order])
        numbering = np.arange(EDGE**3).reshape((EDGE,) * 3).transpose(axes)
        n_sets = 1 << max(0, (self.cache_size - 1).bit_length() - (WAYS.bit_length() - 1))
        return NNKTables(
            targets=linear_offsets(grid, HOP_DIRECTIONS),
            reach=linear_offsets(grid, seen),
            turned=np.array([_places_after_turn(seen, hop) for hop in HOP_DIRECTIONS]),
            first=weights[0][numbering.ravel()[rows]].astype(np.float32),
            hidden=np.array(weights[1:4], dtype=np.float32),
            biases=np.array(biases, dtype=np.float32),
            last=np.append(self.arrays["W4"][:, 0], self.arrays["b4"]).astype(float),
            keys=np.zeros((n_sets, WAYS, KEY_WORDS), dtype=np.uint64),
            values=np.zeros((n_sets, WAYS, 8)),
            oldest=np.zeros(n_sets, dtype=np.uint8),
        )

    @cached_property
    def _folded(self) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Weights and biases of the hidden layers with BatchNorm folded in."""
        weights, biases = [], []
        for layer in range(4):
            weight, bias, gamma, beta, mean, var = self._layer(layer)
            scale = gamma / np.sqrt(var + self.batch_norm_eps)
            weights.append(weight * scale)
            biases.append((bias - mean) * scale + beta)
        return weights, biases

    def _layer(self, layer: int) -> list[NDArray[np.float64]]:
        return [self.arrays[f"{k}{layer}"] for k in ("W", "b", "gamma", "beta", "mean", "var")]

    def barriers_of_environment(self, voxels: ArrayLike) -> NDArray[np.float64]:
        """Barriers computed layer by layer in double precision: slow, to check the kernel.

        Parameters
        ----------
        voxels : int array, shape (9, 9, 9)
            Axes x, y, z, the vacancy in the middle: 1 Nb, 2 Mo, 3 Ta, 0 or less elsewhere.

        Returns
        -------
        array, shape (8,)
            In eV, in the order of `hop_barriers`; inf where the target is vacant.
        """
        grid = np.maximum(np.asarray(voxels), 0)
        distance = np.sqrt(((np.indices(grid.shape) - REACH) ** 2).sum(axis=0))
        grid = np.where(distance * 1.62 <= 7.5, grid, 0)
        turned = [_turned_grid(grid, hop) for hop in HOP_DIRECTIONS]
        axes = AXIS_ORDERS[self.axis_order]
        h = np.array([t.transpose(axes).ravel() for t in turned], dtype=float)
        for layer in range(4):
            weight, bias, gamma, beta, mean, var = self._layer(layer)
            h = h @ weight + bias
            h = gamma * (h - mean) / np.sqrt(var + self.batch_norm_eps) + beta
            h = np.maximum(h, 0.0)
        energies = (h @ self.arrays["W4"] + self.arrays["b4"])[:, 0]
        occupied = grid[tuple((HOP_DIRECTIONS + REACH).T)] > 0
        return np.where(occupied, energies, np.inf)


def _turned_grid(grid: NDArray[Any], hop: NDArray[np.int64]) -> NDArray[Any]:
    """Voxels turned about z by quarter turns, and flipped in z, to bring a hop to (1,1,1)."""
    quarters = {(1, 1): 0, (1, -1): 1, (-1, -1): 2, (-1, 1): 3}[int(hop[0]), int(hop[1])]
    turned = np.rot90(grid, quarters)
    return turned if hop[2] > 0 else turned[:, :, ::-1]


def _places_after_turn(sites: NDArray[np.int64], hop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the site, shape (n,), at which each one comes to lie when the hop is turned."""
    x, y, z = sites.T
    plane = (x + 1j * y) * (1 + 1j) / (hop[0] + 1j * hop[1])
    turned = np.rint(np.stack([plane.real, plane.imag, z * hop[2]], axis=1)).astype(int)
    number = {tuple(site): n for n, site in enumerate(sites.tolist())}
    return np.array([number[tuple(site)] for site in turned.tolist()], dtype=np.int64)


def _read_arrays(path: Path) -> dict[str, NDArray[np.float64]]:
    """Arrays of a network file, checked by name, shape and value."""
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    shapes = _array_shapes()
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in shapes if name not in file]
            arrays = {name: np.array(file[name], dtype=float) for name in shapes if name in file}
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a complete .npz network file: {reason(error)}") from error
    if missing:
        raise ValueError(f"{path} is not an NNK network: it lacks {', '.join(missing)}")
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise ValueError(
                f"{path}: {name} has shape {array.shape}, not {shapes[name]} as in the "
                "729-128x4-1 network"
            )
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{path}: {name} holds values that are not finite")
    return arrays
