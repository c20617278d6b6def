"""Fitting a small MACE potential to frames with energies and forces.

The loss of a batch, with n the atoms of a frame, is

    w_E mean_frames w ((E - E_ref) / n)^2 + w_F mean_components (F - F_ref)^2

with w above 1 for elastic frames, and the last part of the training raises w_E. The learning
rate of Adam falls from its highest value to nothing along half a cosine, and what is returned is
the exponential moving average of the parameters. The state is kept after every epoch, and a
training that goes on from there ends as the uninterrupted one would.
"""

from __future__ import annotations

import io
import math
import pickle
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..extras import need
from ..files import write_atomically
from ..rng import stream, whole_seed
from .dft_frames import Frame
from .mace_model import MACESettings, graphs_of, new_model

LARGEST_GRADIENT = 10.0


def fit_mace(
    frames: Sequence[Frame],
    settings: MACESettings | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool | None = None,
) -> Any:
    """Train a MACE model in float32, on one thread.

    Parameters
    ----------
    frames : sequence of Frame
        All of them are trained on; hold some out before.
    settings : MACESettings, optional
    seed : int
        Of the first parameters and of the order of the frames.
    checkpoint : str or Path, optional
        Written after every epoch. If it is there, training goes on from it.
    progress : bool, optional
        Show a progress bar; default: if a terminal watches.

    Returns
    -------
    mace.modules.ScaleShiftMACE
        With averaged parameters, ready for `mace_model.save_mace`.

    Raises
    ------
    ModuleNotFoundError
        If ``mace-torch`` is not installed.
    ValueError
        If there are no frames, or the checkpoint is of another training.
    """
    need("mace", "a MACE model")
    import torch
    from mace.tools.torch_tools import default_dtype

    if not frames:
        raise ValueError("no frames to train on")
    settings, seed = settings or MACESettings(), whole_seed(seed)
    file, what = Path(checkpoint) if checkpoint else None, _what(frames, settings, seed)
    saved = _read_state(file, what) if file and file.exists() else None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with default_dtype(torch.float32), torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(stream(seed, "mace-start").generate_state(1)[0]))
            graphs = graphs_of(frames, settings)
            training = _Training(new_model(graphs, frames, settings), settings, seed, what)
            if saved:
                training.resume(saved)
            return training.run(graphs, file, progress)
    finally:
        torch.set_num_threads(threads)


def _what(frames: Sequence[Frame], settings: MACESettings, seed: int) -> dict[str, Any]:
    """What a training is of."""
    energies = np.array([frame.energy_eV for frame in frames])
    return {**asdict(settings), "seed": seed, "frames": zlib.crc32(energies.tobytes())}


def _read_state(checkpoint: Path, what: dict[str, Any]) -> dict[str, Any]:
    """What a training had written; ValueError if it is of another one."""
    import torch

    try:
        saved: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{checkpoint} is not the state of a training") from error
    for key, value in what.items():
        if saved["what"][key] != value:
            raise ValueError(
                f"{checkpoint} is of another training: {key} = {saved['what'][key]}, not {value}"
            )
    return saved


class _Training:
    """A model, its optimiser and the moving average of its parameters."""

    def __init__(self, model: Any, settings: MACESettings, seed: int, what: dict[str, Any]) -> None:
        import torch
        from torch_ema import ExponentialMovingAverage

        self.model, self.settings, self.seed = model, settings, seed
        self.optimiser = torch.optim.Adam(model.parameters(), settings.learning_rate, amsgrad=True)
        self.average = ExponentialMovingAverage(model.parameters(), settings.averaging)
        self.epoch, self.what = 0, what

    def run(self, graphs: list[Any], checkpoint: Path | None, progress: bool | None) -> Any:
        """Train to the last epoch; the model with its averaged parameters."""
        hidden = None if progress is None else not progress
        bar = tqdm(total=self.settings.epochs, initial=self.epoch, unit="epoch", disable=hidden)
        with bar:
            while self.epoch < self.settings.epochs:
                bar.set_postfix_str(self._pass(graphs))
                self.epoch += 1
                bar.update()
                if checkpoint is not None:
                    self._save(checkpoint)
        self.average.copy_to()
        return self.model

    def _pass(self, graphs: list[Any]) -> str:
        """One epoch; the rms errors of its batches while training."""
        settings = self.settings
        late = self.epoch >= (1 - settings.late_fraction) * settings.epochs
        energy_weight = settings.late_energy_weight if late else settings.energy_weight
        batches = list(self._batches(graphs))
        squares = np.zeros(2)
        for number, batch in enumerate(batches):
            done = (self.epoch + number / len(batches)) / settings.epochs
            for group in self.optimiser.param_groups:
                group["lr"] = settings.learning_rate * (1 + math.cos(math.pi * done)) / 2
            squares += self._step(batch, energy_weight)
        energy, force = 1e3 * np.sqrt(squares / len(batches))
        return f"{energy:.1f} meV/atom, {force:.0f} meV/A"

    def _batches(self, graphs: list[Any]) -> Iterator[Any]:
        from mace.tools.torch_geometric import Batch

        rng = np.random.default_rng(stream(self.seed, "mace-epoch", self.epoch))
        order, size = rng.permutation(len(graphs)), self.settings.batch_size
        for first in range(0, len(order), size):
            yield Batch.from_data_list([graphs[k] for k in order[first : first + size]])

    def _step(self, batch: Any, energy_weight: float) -> NDArray[np.float64]:
        """Mean squared errors of energies per atom and of force components."""
        import torch

        self.optimiser.zero_grad(set_to_none=True)
        predicted = self.model(batch.to_dict(), training=True)
        energy = ((predicted["energy"] - batch.energy) / batch.ptr.diff()) ** 2
        forces = (predicted["forces"] - batch.forces) ** 2
        loss = energy_weight * (batch.energy_weight * energy).mean()
        (loss + self.settings.forces_weight * forces.mean()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        self.average.update()
        return np.array([energy.mean().item(), forces.mean().item()])

    def _save(self, checkpoint: Path) -> None:
        import torch

        state = {
            name: getattr(self, name).state_dict() for name in ("model", "optimiser", "average")
        }
        whole = io.BytesIO()
        torch.save({**state, "epoch": self.epoch, "what": self.what}, whole)
        write_atomically(checkpoint, whole.getvalue())

    def resume(self, saved: dict[str, Any]) -> None:
        """Go on from what `_read_state` gives."""
        for name in ("model", "optimiser", "average"):
            getattr(self, name).load_state_dict(saved[name])
        self.epoch = saved["epoch"]
