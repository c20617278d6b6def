"""The encoder of tiles of a line, and its training as the bottleneck of an autoencoder.

    phihat_c(x_I) = mean over positions p inside the tile of f_c(u, v in the 5 cells around p)
    minimise mean |decoder(mean u, mean v, phihat(x_I)) - t(x_I)|^2

As the encoder of spin patches, in one dimension and with two fields. t holds the tile's means of
u^2 and u v and its squared gradients, less what mean u and mean v say linearly, scaled to spread 1.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ...arrays import Array
from ...observables.field_moments import second_moments, squared_gradients, tile_means
from ...rng import Seed, coerce_rng
from ..options import EncoderOptions
from .patch_encoder import (
    ROWS,
    TRAIN_SHARE,
    PatchEncoder,
    descend,
    new_decoder,
    standardised,
)


class FieldEncoder(PatchEncoder):
    """phihat of tiles of fields, of any width from 5 on.

    Parameters
    ----------
    n_variables, channels : int
    """

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

    def maps(self, tiles: Tensor) -> Tensor:
        """Features by position, shape (n, n_variables, 1, width - 4)."""
        return self.features(((tiles - self.centre) / self.spread)[:, :, None])

    def encode(self, tiles: Array) -> Array:  # type: ignore[override]
        """Closure variables, shape (n, n_variables), of tiles, shape (n, 2, width)."""
        inputs = torch.as_tensor(tiles, dtype=torch.float32)
        with torch.no_grad():
            parts = [self.forward(part) for part in inputs.split(ROWS)]
        return torch.cat(parts).numpy().astype(float)


def targets_of(tiles: Array) -> Array:
    """What the decoder rebuilds, shape (n, 4)."""
    values = np.hstack([second_moments(tiles), squared_gradients(tiles)])
    x = np.column_stack([tile_means(tiles), np.ones(len(tiles))])
    return values - x @ np.linalg.lstsq(x, values, rcond=None)[0]


def train_field_encoder(
    tiles: Array, options: EncoderOptions, seed: Seed
) -> tuple[FieldEncoder, Array]:
    """Train encoder and decoder on tiles.

    Parameters
    ----------
    tiles : array, shape (n, 2, width)
        Of large states.
    options : EncoderOptions
    seed : int, SeedSequence, Generator or None

    Returns
    -------
    encoder : FieldEncoder
        Its variables have mean 0 and spread 1 over the tiles.
    unexplained : array, shape (4,)
        Share of each target's variance that the decoder left, on the last tenth of the tiles.
    """
    torch.set_num_threads(1)
    rng = coerce_rng(seed)
    torch.manual_seed(int(rng.integers(2**31)))
    known, targets = standardised(tile_means(tiles)), standardised(targets_of(tiles))
    encoder = FieldEncoder(options.n_variables, options.channels)
    encoder.centre.copy_(torch.as_tensor(tiles.mean(axis=(0, 2)))[:, None])
    encoder.spread.copy_(torch.as_tensor(tiles.std(axis=(0, 2)))[:, None])
    decoder = new_decoder(2 + options.n_variables, targets.shape[1])
    inputs, train = torch.as_tensor(tiles, dtype=torch.float32), int(TRAIN_SHARE * len(tiles))
    descend(encoder, decoder, inputs[:train], known[:train], targets, options, rng)
    with torch.no_grad():
        latent = torch.as_tensor(encoder.encode(tiles), dtype=torch.float32)
        rebuilt = decoder(torch.cat([known, latent], dim=1))[train:]
        left = ((rebuilt - targets[train:]) ** 2).mean(dim=0).numpy().astype(float)
        encoder.shift.copy_(latent.mean(dim=0))
        encoder.scale.copy_(latent.std(dim=0))
    return encoder.eval(), left
