"""Training of the patch encoder as the bottleneck of an autoencoder.

    minimise mean |decoder(m, broken bonds, phihat(x_I)) - t(x_I)|^2

over tiles x_I of relaxed large states. Means over a patch cannot rebuild its spins, so the decoder
rebuilds what the patch looks like inside: t holds the spread and correlation of its block averages,
and its short-range correlations, each scaled to spread 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from ..observables.spin_correlations import next_correlations, tile_correlation
from ..rng import Seed, coerce_rng
from .patch_encoder import PatchEncoder, as_squares

Array = NDArray[np.float64]
Spins = NDArray[np.int8]
BLOCK = 4
FARTHER = (((2, 1), (2, -1), (1, 2), (1, -2)), ((2, 2), (2, -2)), ((3, 0), (0, 3)))
TRAIN_SHARE, SPREAD_WEIGHT = 0.9, 0.01


def block_statistics(spins: Spins) -> Array:
    """What block averages of 4 x 4 say about tiles, shape (n, 3).

    Their variance, their mean product between neighbouring blocks, and their fourth moment.
    """
    side = round(np.sqrt(spins.shape[1]))
    n = side // BLOCK
    cut = spins.reshape(-1, side, side)[:, : n * BLOCK, : n * BLOCK]
    blocks = cut.reshape(len(spins), n, BLOCK, n, BLOCK).mean(axis=(2, 4))
    across = (blocks[:, 1:] * blocks[:, :-1]).mean(axis=(1, 2))
    along = (blocks[:, :, 1:] * blocks[:, :, :-1]).mean(axis=(1, 2))
    squares = blocks**2
    moments = [squares.mean(axis=(1, 2)), (across + along) / 2, (squares**2).mean(axis=(1, 2))]
    return np.stack(moments, axis=1)


def targets_of(spins: Spins) -> Array:
    """What the decoder rebuilds: block statistics and correlations, shape (n, 8)."""
    farther = np.stack([tile_correlation(spins, shifts) for shifts in FARTHER], axis=1)
    return np.concatenate([block_statistics(spins), next_correlations(spins), farther], axis=1)


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


def train_encoder(
    spins: Spins, observed: Array, options: EncoderOptions, seed: Seed
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

    Returns
    -------
    encoder : PatchEncoder
        Its variables have mean 0 and spread 1 over the tiles.
    unexplained : array, shape (8,)
        Share of each target's variance that the decoder left, on the last tenth of the tiles.
    """
    torch.set_num_threads(1)
    rng = coerce_rng(seed)
    torch.manual_seed(int(rng.integers(2**31)))
    known, targets = standardised(observed), standardised(targets_of(spins))
    encoder = PatchEncoder(options.n_variables, options.channels)
    decoder = new_decoder(known.shape[1] + options.n_variables, targets.shape[1])
    train = int(TRAIN_SHARE * len(spins))
    descend(encoder, decoder, as_squares(spins)[:train], known[:train], targets, options, rng)
    with torch.no_grad():
        latent = torch.as_tensor(encoder.encode(spins), dtype=torch.float32)
        rebuilt = decoder(torch.cat([known, latent], dim=1))[train:]
        left = ((rebuilt - targets[train:]) ** 2).mean(dim=0).numpy().astype(float)
        encoder.shift.copy_(latent.mean(dim=0))
        encoder.scale.copy_(latent.std(dim=0))
    return encoder.eval(), left


def new_decoder(n_in: int, n_out: int) -> nn.Sequential:
    """What tells targets from known and latent variables."""
    hidden = [nn.Linear(n_in, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(64, n_out))


def descend(
    encoder: nn.Module,
    decoder: nn.Sequential,
    inputs: Tensor,
    known: Tensor,
    targets: Tensor,
    options: EncoderOptions,
    rng: np.random.Generator,
) -> None:
    """Stochastic gradient descent; the spread of the latent variables is held near 1."""
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    for _ in tqdm(range(options.steps), desc="encoder", disable=None, unit="step"):
        rows = torch.as_tensor(rng.integers(0, len(inputs), options.batch_size))
        latent = encoder(inputs[rows])
        rebuilt = decoder(torch.cat([known[rows], latent], dim=1))
        loss = ((rebuilt - targets[rows]) ** 2).mean()
        loss = loss + SPREAD_WEIGHT * (torch.log(latent.std(dim=0)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def standardised(values: Array) -> Tensor:
    """Values, shape (n, d), less their means and over their spreads."""
    scaled = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-12)
    return torch.as_tensor(scaled, dtype=torch.float32)
