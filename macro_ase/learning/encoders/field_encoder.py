"""The encoder of tiles of a line, trained as the encoder of spin patches is.

    phihat_c(x_I) = mean over positions p inside the tile of f_c(u, v in the 5 cells around p)

t holds the tile's means of u^2 and u v and its squared gradients, less what mean u and mean v say
linearly, scaled to spread 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...arrays import Array
from ...observables.field_moments import second_moments, squared_gradients, tile_means
from ...rng import Seed
from ..options import EncoderOptions
from .patch_encoder import PatchEncoder, train_tiles


class FieldEncoder(PatchEncoder):
    """phihat of tiles of two fields, shape (n, 2, width), of any width from 5 on."""

    kind: ClassVar[str] = "field-encoder"

    def __init__(self, n_variables: int, channels: int) -> None:
        super().__init__(n_variables, channels)
        self.features = nn.Sequential(
            nn.Conv2d(2, channels, (1, 3)),
            nn.Tanh(),
            nn.Conv2d(channels, channels, (1, 3)),
            nn.Tanh(),
            nn.Conv2d(channels, n_variables, 1),
        )
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("centre", torch.zeros(2, 1))
        self.register_buffer("spread", torch.ones(2, 1))

    def inputs(self, tiles: NDArray[Any]) -> Tensor:
        """Tiles as floats."""
        return torch.as_tensor(tiles, dtype=torch.float32)

    def maps(self, tiles: Tensor) -> Tensor:
        """Features by position, shape (n, n_variables, 1, width - 4)."""
        maps: Tensor = self.features(((tiles - self.centre) / self.spread)[:, :, None])
        return maps


def targets_of(tiles: Array) -> Array:
    """What the decoder rebuilds, shape (n, 4)."""
    values = np.hstack([second_moments(tiles), squared_gradients(tiles)])
    x = np.column_stack([tile_means(tiles), np.ones(len(tiles))])
    rest: Array = values - x @ np.linalg.lstsq(x, values, rcond=None)[0]
    return rest


def train_field_encoder(
    tiles: Array, options: EncoderOptions, seed: Seed, checkpoint: Path | None = None
) -> tuple[FieldEncoder, Array]:
    """Train on tiles, shape (n, 2, width), of large states, as `train_encoder` does."""

    def make() -> FieldEncoder:
        encoder = FieldEncoder(options.n_variables, options.channels)
        encoder.centre.copy_(torch.as_tensor(tiles.mean(axis=(0, 2)))[:, None])
        encoder.spread.copy_(torch.as_tensor(tiles.std(axis=(0, 2)))[:, None])
        return encoder

    targets = targets_of(tiles)
    return train_tiles(make, tiles, tile_means(tiles), targets, options, seed, checkpoint)
