"""A macroscopic model of patches whose sites are their own: trained once, then loaded.

Such a patch relaxes within dt as the whole does, so paths take steps of dt.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .kept import load_or_make
from .stages import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..learning.models.macro_model import MacroModel


def learn_patch_model(
    folder: Path,
    pairs: Chunk,
    condition: NDArray[np.float64],
    z_names: tuple[str, ...],
    dt: float,
    sites: float,
    table: dict[str, Any],
    seed: int,
) -> MacroModel:
    """Train a model and save it, or load it.

    Parameters
    ----------
    folder : Path
        Of the model.
    pairs : dict
        ``z0``, ``dz``, shape (n, d), and ``snapshot``; with a ``mean`` the drift is fitted to it.
    condition : array, shape (c,)
    z_names : tuple of str
        Of the observables; what follows them in z is closure.
    dt : float
        Time that patches evolved.
    sites : float
        n_s.
    table : dict
        The options of `learning.models.training.TrainingOptions`.
    seed : int
    """
    from ..learning.models.macro_model import MacroModel

    own = (folder, pairs, condition, z_names, dt, sites, table, seed)
    return load_or_make(lambda: MacroModel.load(folder), lambda: _train(*own))


def _train(
    folder: Path,
    pairs: Chunk,
    condition: NDArray[np.float64],
    z_names: tuple[str, ...],
    dt: float,
    sites: float,
    table: dict[str, Any],
    seed: int,
) -> MacroModel:
    import torch

    from ..learning.models.macro_model import Clock, MacroModel
    from ..learning.models.training import train
    from ..learning.options import TrainingOptions
    from ..learning.pairs import PairBatch

    torch.set_num_threads(1)
    n, d = pairs["z0"].shape
    conditions, mean = np.tile(condition, (n, 1)), pairs.get("mean")
    batch = PairBatch(pairs["z0"], pairs["dz"], conditions, pairs["snapshot"], mean)
    options = TrainingOptions(**table)
    trained = train(batch, options, seed, f"learning {folder.name}", folder)
    names = (*z_names, *(f"closure {k + 1}" for k in range(d - len(z_names))))
    unit = Clock(np.array([1.0]), np.array([0.0]))
    model = MacroModel(trained, options, names, dt, sites, unit, substeps=1)
    model.save(folder)
    return model
