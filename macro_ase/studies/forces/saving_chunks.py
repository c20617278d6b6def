"""Chunks of work of the study of savings: runs and drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engines.patches.partial_forces import choose_block
from ...files import replacing
from ...rng import coerce_rng, stream
from ...systems.lennard_jones import LennardJones, Start
from ..stages import Chunk
from .lennard_jones import steps_of

if TYPE_CHECKING:
    from .saving import LennardJonesSavingStudy

Array = NDArray[np.float64]


def runs_chunk(
    study: LennardJonesSavingStudy,
    n: int,
    starts: list[Start],
    learn: bool,
    seed: np.random.SeedSequence,
) -> Chunk:
    """Paths of the temperature, and what every kept configuration says of the features.

    Without ``learn``: the features of the first configuration of each run alone.
    """
    from ...systems.pooled_features import PooledForces, pooled

    fluid: LennardJones = study.fluids[n]
    size, rng = study.config["data"]["block_atoms"], coerce_rng(seed)
    paths, firsts, parts = [], [], []
    for run in fluid.runs(starts, steps_of(study.config["data"])):
        paths.append(run.temperatures[:, None])
        if not learn:
            start = fluid.to_atoms(run.positions[0])
            firsts.append(pooled(start, run.velocities[0], study.basis)[0])
            continue
        for x, v, f in zip(run.positions, run.velocities, run.forces):
            atoms = fluid.to_atoms(x)
            block = choose_block(atoms, size, rng)
            parts.append(PooledForces.measure(atoms, v, f, block, study.basis))
    if learn:
        return PooledForces.join(parts).arrays()
    return {"path": np.stack(paths), "values": np.stack(firsts)}


def learning_chunk(
    study: LennardJonesSavingStudy, key: str, loss: str, amount: int, seed: int, tests: list[str]
) -> Chunk:
    """Errors, by atoms of every test, of what is learned from an amount of configurations."""
    import torch

    from ...learning.force_losses import QuadraticLoss
    from ...learning.models.drift_model import train_drift
    from ...learning.options import DriftOptions
    from ...systems.pooled_features import PooledForces, leading

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    data = PooledForces(**study.read(key))
    some = data.take(study.configurations(key, len(data.values), seed)[:amount])
    rates = some.rates() if loss == "Lz" else some.rates_from_blocks()
    table, name = study.config["encoder"], f"{key} {loss} {amount}"
    encoder = leading(data.values, table["components"], table["rates"])
    z, dzdt = some.values @ encoder.T, rates @ encoder.T
    options = dict(study.config["learning"])
    options.pop("rollout_step")
    form, none = QuadraticLoss.of_rates(dzdt, z.std(axis=0)), np.zeros((len(z), 0))
    own = stream(study.seed, "drift", *name.encode(), seed)
    drift = train_drift(z, none, form, DriftOptions(**options), own, name)
    folder = study.stages.folder / "model" / f"drift {name.replace('/', ' ')} {seed}"
    drift.save(folder)
    with replacing(folder / "encoder.npy") as beside:
        np.save(beside, encoder)
    return {
        f"errors{test.split('/')[1]}": study.errors(encoder, drift, study.read(test))
        for test in tests
    }
