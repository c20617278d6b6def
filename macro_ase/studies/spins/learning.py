"""The model of patches of one side: trained on pairs, or loaded if it was trained already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...sampling.spin_pairs import SpinSampling
from ...systems.spin_system import SpinSystem
from ..stages import Chunk

if TYPE_CHECKING:
    from ...learning.macro_model import MacroModel


def learn_model(
    folder: Path,
    system: SpinSystem,
    sampling: SpinSampling,
    pairs: Chunk,
    columns: list[int],
    table: dict[str, Any],
    seed: int,
) -> MacroModel:
    """Train a model and save it.

    A patch has sites of its own and relaxes as the whole does, so paths take steps of dt.

    Parameters
    ----------
    folder : Path
        Of the model.
    system : SpinSystem
    sampling : SpinSampling
        How the pairs were made.
    pairs : dict
        As `sampling.spin_pairs.pairs_chunk` returns.
    columns : list of int
        Columns of z that the model takes.
    table : dict
        The settings ``learning``.
    seed : int
    """
    import torch

    from ...learning.macro_model import Clock, MacroModel
    from ...learning.pairs import PairBatch
    from ...learning.training import TrainingOptions, train

    if (folder / "model.json").is_file():
        return MacroModel.load(folder)
    torch.set_num_threads(1)
    z0, dz, mean = (pairs[name][:, columns] for name in ("z0", "dz", "mean"))
    condition = np.tile(system.condition, (len(z0), 1))
    options = TrainingOptions(**{k: v for k, v in table.items() if k != "baseline"})
    batch = PairBatch(z0, dz, condition, pairs["snapshot"], mean)
    trained = train(batch, options, seed, f"learning {folder.name}")
    names = (*system.z_names, *(f"closure {k + 1}" for k in range(z0.shape[1])))
    unit = Clock(np.array([1.0]), np.array([0.0]))
    sites = float(sampling.sites_per_pair)
    model = MacroModel(trained, options, names[: z0.shape[1]], sampling.dt, sites, unit, substeps=1)
    model.save(folder)
    return model
