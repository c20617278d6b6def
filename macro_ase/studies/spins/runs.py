"""Runs of the large system from states of given mean spin: simulated directly, and predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array
from ...rng import stream

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel
    from .study import SpinStudy

TRUTH, SECOND, PREDICTED = range(3)


def direct_chunk(study: SpinStudy, number: int, use: int) -> dict[str, Array]:
    """Direct runs from the initial mean spin of a number."""
    states = study.initial_states(number, use, study.config["direct"]["runs"])
    rng = stream(study.seed, "direct", number, use)
    return {"z": study.system.direct(states, study.side, study.times, rng)}


def predict_chunk(study: SpinStudy, patch: int, model: MacroModel) -> dict[str, Array]:
    """Paths of a model from initial states of the large system."""
    table = study.config["direct"]
    paths = -(-table["runs"] // len(model.trained.members))
    starts = range(len(table["magnetisations"]))
    states = [study.initial_states(k, PREDICTED, paths) for k in starts]
    own = stream(study.seed, "predict", patch)
    return {"z": predict_runs(study, patch, model, states, None, own)}


def predict_runs(
    study: SpinStudy,
    patch: int,
    model: MacroModel,
    states: list[NDArray[np.int8]],
    columns: list[int] | None,
    seed: np.random.SeedSequence,
) -> Array:
    """Paths of every member from each state, in steps of dt or somewhat less, as fits.

    Parameters
    ----------
    study : SpinStudy
    patch : int
        Side of the patches that the model was learned from.
    model : MacroModel
    states : list of int8 arrays, shape (n, side**2)
        Large states of each start.
    columns : list of int, optional
        The model's columns of all that is measured; default the study's own.
    seed : SeedSequence

    Returns
    -------
    array, shape (n_starts, members * n, n_t, d)
        z* alone.
    """
    import torch

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    sampling, n = study.sampling(patch), len(states[0])
    closure = study.closure(patch)
    z0 = np.concatenate([study.system.z(sampling, x, closure) for x in states])
    use = study.columns(patch, z0) if columns is None else columns
    table = study.config["direct"]
    result = model.simulate(
        z0[:, use],
        study.system.model_condition({}),
        table["steps"],
        study.side**2,
        paths=len(z0),
        seed=seed,
        interval=table["interval"],
    )
    z = result.z[..., : len(study.system.names)]
    z = z.reshape(len(z), len(states), n, *z.shape[2:]).swapaxes(0, 1)
    return z.reshape(len(states), -1, *z.shape[3:])
