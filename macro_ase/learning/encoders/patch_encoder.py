"""The encoder of spin patches, and the training of encoders of tiles as bottlenecks.

    phihat_c(x_I) = mean over positions p inside the patch of f_c(spins in a 5 x 5 window at p)
    minimise mean |decoder(known of x_I, phihat(x_I)) - t(x_I)|^2

f is a small convolutional network without padding, so it reads spins of the patch alone, moving
a pattern moves its features and changes nothing else, and a patch may have any side from 5 on.
The same f serves every patch of every system. Means over a patch cannot rebuild its spins, so the
decoder rebuilds what the patch looks like inside: t holds the spread and correlation of its block
averages, and its short-range correlations, each scaled to spread 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...arrays import Array
from ...observables.spin_correlations import inner_statistics
from ...rng import Seed, coerce_rng
from ..descent import Problem, Recipe, descend, drawn, initialised, meter
from ..options import EncoderOptions
from ..saved import Saved

Spins = NDArray[np.int8]
FIELD_OF_VIEW, ROWS = 5, 4096
TRAIN_SHARE, SPREAD_WEIGHT = 0.9, 0.01


class PatchEncoder(nn.Module, Saved):
    """phihat: two convolutions, then one value a position and variable, then the mean."""

    kind: ClassVar[str] = "patch-encoder"

    def __init__(self, n_variables: int, channels: int) -> None:
        super().__init__()
        self.n_variables, self.channels = n_variables, channels
        self.unexplained = np.zeros(0)
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, 3),
            nn.Tanh(),
            nn.Conv2d(channels, channels, 3),
            nn.Tanh(),
            nn.Conv2d(channels, n_variables, 1),
        )
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", torch.ones(n_variables))
        self.register_buffer("shift", torch.zeros(n_variables))

    def inputs(self, tiles: NDArray[Any]) -> Tensor:
        """Tiles, shape (n, side**2), as squares of floats, shape (n, side, side)."""
        side = round(np.sqrt(tiles.shape[1]))
        if side < FIELD_OF_VIEW:
            raise ValueError(f"patches must have a side of at least {FIELD_OF_VIEW}, not {side}")
        return torch.as_tensor(tiles.reshape(-1, side, side), dtype=torch.float32)

    def maps(self, squares: Tensor) -> Tensor:
        """Features by position, shape (n, n_variables, side - 4, side - 4)."""
        maps: Tensor = self.features(squares[:, None])
        return maps

    def forward(self, inputs: Tensor) -> Tensor:
        """Closure variables, shape (n, n_variables), of what `inputs` makes of tiles."""
        return (self.maps(inputs).mean(dim=(2, 3)) - self.shift) / self.scale

    def encode(self, tiles: NDArray[Any]) -> Array:
        """Closure variables, shape (n, n_variables), of tiles, int8 of shape (n, side**2)."""
        torch.set_num_threads(1)  # each of a study's workers is a thread of its own already
        firsts = range(0, max(len(tiles), 1), ROWS)
        with torch.no_grad():
            parts = [self.forward(self.inputs(tiles[k : k + ROWS])).numpy() for k in firsts]
        return np.concatenate(parts).astype(float)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        told = {"n_variables": self.n_variables, "channels": self.channels}
        return told | {"unexplained": self.unexplained.tolist()}, self.state_dict()

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, Tensor], *given: Any) -> Self:
        encoder = cls(data["n_variables"], data["channels"])
        encoder.load_state_dict(weights)
        encoder.unexplained = np.array(data["unexplained"], dtype=float)
        return encoder


Encoder = TypeVar("Encoder", bound=PatchEncoder)


def train_encoder(
    spins: Spins,
    observed: Array,
    options: EncoderOptions,
    seed: Seed,
    checkpoint: Path | None = None,
) -> tuple[PatchEncoder, Array]:
    """Train encoder and decoder on tiles.

    Parameters
    ----------
    spins : int8 array, shape (n, side**2)
        Tiles of relaxed large states.
    observed : array, shape (n, d)
        What is known of each tile besides, such as its mean spin and broken bonds.
    options : EncoderOptions
    seed : int, SeedSequence, Generator or None
    checkpoint : Path, optional
        As in `descent.descend`.

    Returns
    -------
    encoder : PatchEncoder
        Its variables have mean 0 and spread 1 over the tiles.
    unexplained : array, shape (8,)
        Share of each target's variance that the decoder left, on the last tenth of the tiles.
    """
    sizes = options.n_variables, options.channels
    targets = inner_statistics(spins)
    return train_tiles(
        lambda: PatchEncoder(*sizes), spins, observed, targets, options, seed, checkpoint
    )


def train_tiles(
    make: Callable[[], Encoder],
    tiles: NDArray[Any],
    known: Array,
    targets: Array,
    options: EncoderOptions,
    seed: Seed,
    checkpoint: Path | None,
) -> tuple[Encoder, Array]:
    """Train an encoder of any kind of tiles, whose decoder knows ``known`` and tells ``targets``.

    The spread of the latent variables is held near 1.
    """
    torch.set_num_threads(1)
    rng = coerce_rng(seed)
    given, wanted = _standardised(known), _standardised(targets)
    sizes = given.shape[1] + options.n_variables, wanted.shape[1]
    encoder, decoder = initialised(int(rng.integers(2**31)), lambda: (make(), _new_decoder(*sizes)))
    train = int(TRAIN_SHARE * len(tiles))
    inputs = encoder.inputs(tiles)[:train]

    def loss(rows: Tensor) -> tuple[Tensor, ...]:
        latent = encoder(inputs[rows])
        rebuilt = decoder(torch.cat([given[rows], latent], dim=1))
        misfit = ((rebuilt - wanted[rows]) ** 2).mean()
        return (misfit + SPREAD_WEIGHT * (torch.log(latent.std(dim=0)) ** 2).mean(),)

    batches = drawn(train, options.batch_size)
    told = inputs, given, wanted, options.batch_size
    problem = Problem(nn.ModuleList([encoder, decoder]), loss, batches, told)
    with meter(options.steps, "encoder") as bar:
        recipe = Recipe(options.steps, options.learning_rate)
        descend(problem, recipe, rng, bar, checkpoint, "the encoder")
    with torch.no_grad():
        latent = torch.as_tensor(encoder.encode(tiles), dtype=torch.float32)
        rebuilt = decoder(torch.cat([given, latent], dim=1))[train:]
        left = ((rebuilt - wanted[train:]) ** 2).mean(dim=0).numpy().astype(float)
        encoder.shift.copy_(latent.mean(dim=0))
        encoder.scale.copy_(latent.std(dim=0))
    encoder.unexplained = left
    return encoder.eval(), left


def _new_decoder(n_in: int, n_out: int) -> nn.Sequential:
    """What tells targets from known and latent variables."""
    hidden = [nn.Linear(n_in, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(64, n_out))


def _standardised(values: Array) -> Tensor:
    """Values, shape (n, d), less their means and over their spreads."""
    scaled = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-12)
    return torch.as_tensor(scaled, dtype=torch.float32)
