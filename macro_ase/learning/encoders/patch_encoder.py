"""The encoder of spin patches: closure variables as means of local features.

    phihat_c(x_I) = mean over positions p inside the patch of f_c(spins in a 5 x 5 window at p)

f is a small convolutional network without padding, so it reads spins of the patch alone, moving
a pattern moves its features and changes nothing else, and a patch may have any side from 5 on.
The same f serves every patch of every system.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from ...arrays import Array
from ...files import write_atomically
from ...observables.spin_correlations import next_correlations, tile_correlation
from ...rng import Seed, coerce_rng
from ..options import EncoderOptions
from ..saved import read_tensors, reading

Spins = NDArray[np.int8]
FIELD_OF_VIEW = 5
ROWS = 4096
FORMAT = "macro_ase patch encoder 1"


class PatchEncoder(nn.Module):
    """phihat: two convolutions, then one value a position and variable, then the mean.

    Parameters
    ----------
    n_variables : int
    channels : int
    """

    def __init__(self, n_variables: int, channels: int) -> None:
        super().__init__()
        self.n_variables, self.channels = n_variables, channels
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

    def maps(self, squares: Tensor) -> Tensor:
        """Features by position, shape (n, n_variables, side - 4, side - 4)."""
        return self.features(squares[:, None])

    def forward(self, squares: Tensor) -> Tensor:
        """Closure variables, shape (n, n_variables), of squares, shape (n, side, side)."""
        return (self.maps(squares).mean(dim=(2, 3)) - self.shift) / self.scale

    def encode(self, spins: Spins) -> Array:
        """Closure variables, shape (n, n_variables), of tiles, int8 of shape (n, side**2)."""
        torch.set_num_threads(1)  # each of a study's workers is a thread of its own already
        with torch.no_grad():
            parts = [
                self.forward(as_squares(spins[k : k + ROWS])).numpy().astype(float)
                for k in range(0, len(spins), ROWS)
            ]
        return np.concatenate(parts) if parts else np.zeros((0, self.n_variables))

    def save(self, folder: str | Path, unexplained: Array) -> None:
        """Write ``encoder.json``, with what training left unexplained, and its weights."""
        from safetensors.torch import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "encoder.safetensors", save(self.state_dict()))
        data = {"format": FORMAT, "n_variables": self.n_variables, "channels": self.channels}
        data |= {"unexplained": unexplained.tolist()}
        write_atomically(folder / "encoder.json", json.dumps(data) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError, ValueError
            If the folder holds no encoder, a damaged one or one of another format.
        """
        with reading(folder, "encoder"):
            data = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r} is not {FORMAT!r}")
            encoder = cls(data["n_variables"], data["channels"])
            encoder.load_state_dict(read_tensors(Path(folder) / "encoder.safetensors"))
        return encoder


def as_squares(spins: Spins) -> Tensor:
    """Tiles, shape (n, side**2), as squares of floats, shape (n, side, side)."""
    side = round(np.sqrt(spins.shape[1]))
    if side < FIELD_OF_VIEW:
        raise ValueError(f"patches must have a side of at least {FIELD_OF_VIEW}, not {side}")
    return torch.as_tensor(spins.reshape(-1, side, side), dtype=torch.float32)


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
