"""Checks of how networks are to be trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counts import require_count

DRIFTS = ("onsager", "network")
MOST = 10**6
MOST_LAYERS = 100


def check_options(
    options: Any, least: Mapping[str, int], above_0: Iterable[str], at_least_0: Iterable[str] = ()
) -> None:
    """Refuse options that cannot be; whole numbers of any kind become int.

    Parameters
    ----------
    options : TrainingOptions or DriftOptions
    least : mapping
        Names of whole numbers, with the smallest allowed.
    above_0, at_least_0 : iterable of str
        Names of real numbers.

    Raises
    ------
    ValueError
        Naming the option.
    """
    if options.drift not in DRIFTS:
        raise ValueError(f"drift must be one of {', '.join(DRIFTS)}, not {options.drift!r}")
    for name, fewest in least.items():
        most = MOST_LAYERS if name == "depth" else MOST
        whole = require_count(getattr(options, name), name, fewest, most)
        object.__setattr__(options, name, whole)
    for name in (*above_0, *at_least_0):
        value = getattr(options, name)
        number = float(value) if isinstance(value, int | float | np.number) else np.nan
        if not (np.isfinite(number) and (number > 0 or (number == 0 and name in at_least_0))):
            limit = "at least 0" if name in at_least_0 else "above 0"
            raise ValueError(f"{name} must be a number {limit}, not {value!r}")
        object.__setattr__(options, name, number)


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes
    ----------
    drift : {"onsager", "network"}
    width, depth : int
        Hidden layers of every network.
    members : int
        Size of the ensemble; every member leaves out other snapshots for validation.
    epochs : int
        Upper limit; the parameters of the best validation epoch are kept.
    batch_size : int
    learning_rate : float
        At the start; it falls to zero as a cosine.
    weight_decay : float

    Raises
    ------
    ValueError
        If the drift is unknown, or a number beyond its limits.
    """

    drift: str = "onsager"
    width: int = 32
    depth: int = 2
    members: int = 4
    epochs: int = 60
    batch_size: int = 2048
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        least = dict.fromkeys(("width", "depth", "members", "epochs", "batch_size"), 1)
        check_options(self, least, above_0=("learning_rate",), at_least_0=("weight_decay",))


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
class EncoderOptions:
    """How to train.

    Attributes
    ----------
    n_variables, channels : int
    steps : int
        Of stochastic gradient descent.
    batch_size : int
        Tiles a step.
    learning_rate : float
        At the start; it falls to zero as a cosine.
    """

    n_variables: int = 2
    channels: int = 8
    steps: int = 2000
    batch_size: int = 512
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class AutoencoderOptions:
    """How to train.

    Attributes
    ----------
    width : int
        Principal components that enter.
    raised : float
        How alike they are in size: see `PrincipalComponents.fit`.
    variables : int
        Closure variables.
    hidden : tuple of int
        Layers of the encoder's network, and, reversed, of the decoder's.
    condition_weight : float
        lambda_cond.
    steps, batch_size : int
    learning_rate : float
        At the start; it falls to zero as a cosine.
    """

    width: int = 32
    raised: float = 1.0
    variables: int = 2
    hidden: tuple[int, ...] = (32, 32)
    condition_weight: float = 1e-6
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    width, depth : int
        Hidden layers of both networks.
    iterations : int
        Of L-BFGS, upper limit.
    weight_decay : float
        Times the sum of squared weights, added to the loss.
    """

    width: int = 16
    depth: int = 2
    iterations: int = 200
    weight_decay: float = 1e-6
