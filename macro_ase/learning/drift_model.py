"""The drift of dz/dt = g(z, c): an ensemble of networks and its scales, and its files.

In scaled units y = (z - <z>) / sigma and times of a rate r,

    g(z, c) = r sigma a(y, c),

with a one of `networks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..arrays import above_0
from .model_files import filled_members, read_ensemble, write_ensemble
from .networks import NetworkDrift, OnsagerDrift, make_drift
from .options import check_options
from .pairs import Scaling
from .reading import reading

Array = NDArray[np.float64]
Member = NetworkDrift | OnsagerDrift
FORMAT = "macro_ase drift 1"
FILES = ("drift.json", "drift.safetensors")


@dataclass(frozen=True)
class DriftOptions:
    """How to train.

    Attributes
    ----------
    drift : {"network", "onsager"}
    width, depth : int
        Hidden layers.
    members : int
        Size of the ensemble; the drift is their mean.
    steps : int
        Of Adam.
    batch_size : int
    learning_rate : float
        At the start; it falls to zero as a cosine.
    polish : int
        Iterations of L-BFGS over all data at the end.

    Raises
    ------
    ValueError
        If the drift is unknown, or a number beyond its limits.
    """

    drift: str = "network"
    width: int = 32
    depth: int = 2
    members: int = 1
    steps: int = 3000
    batch_size: int = 512
    learning_rate: float = 3e-3
    polish: int = 300

    def __post_init__(self) -> None:
        least = dict.fromkeys(("width", "depth", "members", "batch_size"), 1)
        check_options(self, least | {"steps": 0, "polish": 0}, above_0=("learning_rate",))


@dataclass(frozen=True)
class DriftModel:
    """dz/dt = g(z, c): an ensemble of networks and its scales.

    Attributes
    ----------
    members : list of NetworkDrift or OnsagerDrift
    scaling : Scaling
    rate : float
        r, in the inverse unit of time of the forces.
    options : DriftOptions
    history : array, shape (members, n_records)
        Loss at every hundredth step and after the polish, less what no drift explains.
    """

    members: list[Member]
    scaling: Scaling
    rate: float
    options: DriftOptions
    history: Array

    def __call__(self, z: Array, condition: Array | None = None) -> Array:
        """Drift, mean over the members, shape (n, d), at states, shape (n, d).

        Raises
        ------
        ValueError
            If there is no condition, shape (n, c) or (c,), although the drift depends on some.
        """
        c = len(self.scaling.condition_mean)
        if condition is None and self.scaling.n_conditions == 0:
            condition = self.scaling.condition_mean
        own = np.asarray([] if condition is None else condition, dtype=float)
        if np.shape(z) != (len(z), len(self.scaling.z_mean)) or own.shape not in (
            (len(z), c),
            (c,),
        ):
            raise ValueError(
                f"states and conditions must have shapes (n, {len(self.scaling.z_mean)}) and "
                f"(n, {c}), not {np.shape(z)} and {own.shape}"
            )
        own = np.broadcast_to(own, (len(z), c))
        y = torch.as_tensor(self.scaling.z(z))
        given = torch.as_tensor(self.scaling.condition(own))
        with torch.no_grad():
            scaled = torch.stack([member(y, given) for member in self.members]).mean(dim=0)
        return scaled.numpy() * self.rate * self.scaling.z_scale

    def save(self, folder: str | Path) -> None:
        """Write ``drift.json`` and ``drift.safetensors``."""
        data = {
            "format": FORMAT,
            "options": vars(self.options),
            "rate": self.rate,
            "scaling": self.scaling.lists(),
            "history": self.history.tolist(),
        }
        write_ensemble(folder, FILES, data, self.members)

    @classmethod
    def load(cls, folder: str | Path) -> DriftModel:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no drift, or a damaged one.
        """
        with reading(folder, "drift"):
            data, weights = read_ensemble(folder, FILES, FORMAT)
            options, scaling = DriftOptions(**data["options"]), Scaling(**data["scaling"])
            members = filled_members(weights, options.members, lambda: new_member(scaling, options))
            rate = above_0(data["rate"], "rate")
            return cls(members, scaling, rate, options, np.array(data["history"], dtype=float))


def new_member(scaling: Scaling, options: DriftOptions) -> Member:
    """An untrained member, in double precision."""
    d = len(scaling.z_mean)
    return make_drift(options.drift, d, scaling.n_conditions, options.width, options.depth).double()
