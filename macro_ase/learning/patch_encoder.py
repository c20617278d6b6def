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

from ..files import write_atomically
from .model_files import read_tensors
from .reading import reading

Array = NDArray[np.float64]
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
