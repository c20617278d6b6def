"""The model of patches of one side: trained on pairs, or loaded if it was trained already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...systems.spin_system import SpinPlan, SpinSystem
from ..patch_model import learn_patch_model
from ..stages import Chunk

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel


def learn_model(
    folder: Path,
    system: SpinSystem,
    sampling: SpinPlan,
    pairs: Chunk,
    columns: list[int],
    table: dict[str, Any],
    seed: int,
) -> MacroModel:
    """Train a model and save it, or load it.

    Parameters
    ----------
    folder : Path
        Of the model.
    system : SpinSystem
    sampling : SpinPlan
        How the pairs were made.
    pairs : dict
        As `sampling.pairs.pairs_chunk` returns.
    columns : list of int
        Columns of z that the model takes.
    table : dict
        The settings ``learning``.
    seed : int
    """
    own = {name: pairs[name][:, columns] for name in ("z0", "dz", "mean")}
    own["snapshot"] = pairs["snapshot"]
    options = {key: value for key, value in table.items() if key != "baseline"}
    sites, condition = sampling.sites_per_pair(2), system.model_condition({})
    return learn_patch_model(
        folder, own, condition, system.names, sampling.dt, sites, options, seed
    )
