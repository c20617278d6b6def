"""How networks are to be trained.

Learning rates are those of the start and fall to zero as a cosine. Options beyond their limits
are a `ValueError` that names them; whole numbers of any kind become int.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..counts import require_count

DRIFTS = ("onsager", "network", "potential")
FROM_1 = (
    *("width", "depth", "members", "epochs", "batch_size", "iterations"),
    *("n_variables", "channels", "variables"),
)
FROM_0 = ("steps", "polish", "patience")
ABOVE_0 = ("learning_rate",)
AT_LEAST_0 = ("weight_decay", "condition_weight", "raised", "memory")
MOST = 10**6
MOST_LAYERS = 100


class Options:
    """Options with limits by name."""

    def __post_init__(self) -> None:
        for name, value in vars(self).copy().items():
            if name == "drift" and value not in DRIFTS:
                raise ValueError(f"drift must be one of {', '.join(DRIFTS)}, not {value!r}")
            if name in (*FROM_1, *FROM_0):
                most = MOST_LAYERS if name == "depth" else MOST
                value = require_count(value, name, int(name in FROM_1), most)
            if name in (*ABOVE_0, *AT_LEAST_0):
                number = float(value) if isinstance(value, int | float | np.number) else np.nan
                if not (np.isfinite(number) and number >= 0 and (number or name in AT_LEAST_0)):
                    limit = "at least 0" if name in AT_LEAST_0 else "above 0"
                    raise ValueError(f"{name} must be a number {limit}, not {value!r}")
                value = number
            if name == "memory_growth":
                own = float(value) if isinstance(value, int | float | np.number) else np.nan
                if not np.isfinite(own):
                    raise ValueError(f"{name} must be a finite number, not {value!r}")
                if own and not vars(self)["memory"]:
                    raise ValueError(f"{name} is {own:g}, but memory is 0, and nothing grows")
                value = own
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class TrainingOptions(Options):
    """Of an ensemble of `PatchSDE`.

    Attributes
    ----------
    drift : {"onsager", "network", "potential"}
    width, depth : int
        Hidden layers of every network.
    members : int
        Size of the ensemble; every member leaves out other snapshots for validation.
    epochs : int
        The parameters of the best validation are kept.
    batch_size : int
    learning_rate : float
    weight_decay : float
        Of the weights of layers, times the learning rate, a step of Adam; what is linear in the
        states does not decay.
    polish : int
        Iterations of L-BFGS over all pairs at the end.
    patience : int
        Epochs without a better validation after which a member has no more of them; 0 is no limit.
    memory : float
        Steps over which the past of a state is averaged, which the drift then depends on, too
        (`observables.past`); 0 is none.
    memory_growth : float
        Of its logarithm with the first condition, such as 1000 K / T; ``memory`` is that at 0.
    """

    drift: str = "onsager"
    width: int = 32
    depth: int = 2
    members: int = 4
    epochs: int = 60
    batch_size: int = 2048
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    polish: int = 0
    patience: int = 0
    memory: float = 0.0
    memory_growth: float = 0.0


@dataclass(frozen=True)
class DriftOptions(Options):
    """Of a drift from forces.

    Attributes
    ----------
    drift, width, depth, members, batch_size, learning_rate
        As `TrainingOptions`; the drift is the mean of the ensemble.
    steps : int
        Of Adam.
    polish : int
        Iterations of L-BFGS over all data at the end.
    """

    drift: str = "network"
    width: int = 32
    depth: int = 2
    members: int = 1
    steps: int = 3000
    batch_size: int = 512
    learning_rate: float = 3e-3
    polish: int = 300


@dataclass(frozen=True)
class FitOptions(Options):
    """Of a symmetric model.

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


@dataclass(frozen=True)
class EncoderOptions(Options):
    """Of an encoder of tiles.

    Attributes
    ----------
    n_variables, channels : int
    steps : int
    batch_size : int
        Tiles a step.
    learning_rate : float
    """

    n_variables: int = 2
    channels: int = 8
    steps: int = 2000
    batch_size: int = 512
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class AutoencoderOptions(Options):
    """Of a conditioned encoder.

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
    """

    width: int = 32
    raised: float = 1.0
    variables: int = 2
    hidden: tuple[int, ...] = (32, 32)
    condition_weight: float = 1e-6
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 3e-3
