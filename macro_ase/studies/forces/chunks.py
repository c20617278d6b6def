"""Chunks of work of the studies of partial forces: runs, encoders, batches of forces, drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...rng import coerce_rng, stream
from .system import Array, ForceSystem, States

if TYPE_CHECKING:
    from ...learning.force_batch import ForceBatch
    from ...learning.force_losses import QuadraticLoss
    from .study import ForcesStudy

CONFIGURATIONS = 500
CHECKED = 1000


@dataclass(frozen=True)
class Case:
    """One training: a loss, an amount of data and a seed.

    Attributes
    ----------
    loss : {"Lz", "Lx", "Lx_partial"}
    equivalents : int
        Configurations times p.
    seed : int
        Number of the seed, from 0.
    """

    loss: str
    equivalents: int
    seed: int

    @property
    def key(self) -> str:
        """Its place in the store and among the models."""
        return f"{self.loss}/{self.equivalents}/{self.seed}"


def training_chunk(
    system: ForceSystem, runs: int, seed: np.random.SeedSequence
) -> dict[str, NDArray[Any]]:
    """States of some training runs, in single precision."""
    return {"states": system.training_states(runs, coerce_rng(seed)).astype(np.float32)}


def test_chunk(
    system: ForceSystem, runs: int, seed: np.random.SeedSequence
) -> dict[str, NDArray[Any]]:
    """The test runs."""
    return system.test_runs(runs, coerce_rng(seed))._asdict()


def encoder_chunk(study: ForcesStudy, states: States, seed: int) -> dict[str, Array]:
    """Train and keep the encoder of a seed."""
    import torch

    from ...learning.encoders.conditioned_autoencoder import train_autoencoder
    from ...learning.options import AutoencoderOptions

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    table = dict(study.config["encoder"])
    number = min(table.pop("states"), len(states))
    rng = coerce_rng(stream(study.seed, "encoder-states", seed))
    chosen = states[np.sort(rng.permutation(len(states))[:number])]
    options = AutoencoderOptions(**table | {"hidden": tuple(table["hidden"])})
    own = stream(study.seed, "encoder", seed)
    encoder, training = train_autoencoder(
        chosen,
        study.system.observables,
        options,
        own,
        f"encoder {seed + 1}",
        study.system.features,
    )
    encoder.save(study.encoder_folder(seed))
    few = chosen[:: max(1, len(chosen) // CHECKED)]
    unexplained, kappa = training.history[-1]
    outside = share_outside(study.system, study.layer(encoder, "Lx_partial"), few)
    return {
        "unexplained": np.array([unexplained]),
        "kappa": np.array([kappa]),
        "outside": np.array([outside]),
    }


def share_outside(system: ForceSystem, layer: Any, states: States) -> float:
    """Share of sum |f|^2 that lies outside the rows of a Jacobian: the noise of partial forces."""
    left = total = 0.0
    for first in range(0, len(states), CONFIGURATIONS):
        part = np.asarray(states[first : first + CONFIGURATIONS], dtype=np.float64)
        f = system.forces(part)
        rates = layer.rates(part, f)
        inverse = np.linalg.pinv(layer.gram(part), rcond=1e-10, hermitian=True)
        total += float((f**2).sum())
        left += float((f**2).sum() - np.einsum("ni,nij,nj->", rates, inverse, rates))
    return left / total


def force_chunk(
    study: ForcesStudy, states: States, case: Case, rows: NDArray[np.int64], number: int
) -> dict[str, NDArray[Any]]:
    """Forces of some configurations, as the losses see them."""
    from ...learning.force_batch import ForceBatch

    system, layer = study.system, study.layer(study.encoder(case.seed), case.loss)
    some = np.asarray(states[rows], dtype=np.float64)
    seen, gram, number_known = layer.encode(some), layer.gram(some), study.particles(case.loss)
    if number_known == system.n_particles:
        forces = system.forces(some)
        return ForceBatch.of_all(seen, gram, layer.rates(some, forces), forces).arrays()
    rng = coerce_rng(stream(study.seed, "particles", case.seed, case.equivalents, number))
    shuffled = np.argsort(rng.random((len(some), system.n_particles)), axis=1)
    particles = shuffled[:, :number_known]
    jacobian = layer.jacobian(some, system.columns(particles))
    p = number_known / system.n_particles
    return ForceBatch.of(seen, gram, jacobian, system.forces(some, particles), p).arrays()


def states_and_loss(
    study: ForcesStudy, case: Case, batch: ForceBatch
) -> tuple[Array, QuadraticLoss]:
    """z of the configurations, and the loss of a drift there."""
    from ...learning.force_losses import LOSSES, QuadraticLoss

    loss, spread = LOSSES[case.loss](batch), study.config["forces"]["units"] == "spread"
    if not study.enters_components(case.loss):
        return batch.z0, loss.rescaled(batch.z0.std(axis=0)) if spread else loss
    encoder = study.encoder(case.seed)
    z, rates = encoder.carry(batch.z0, loss.minimiser())
    if spread:
        return z, QuadraticLoss.of_rates(rates, z.std(axis=0))
    return z, loss.carried(encoder.chain(batch.z0))


def learning_chunk(study: ForcesStudy, case: Case) -> dict[str, Array]:
    """Train and keep the drift of a case, and predict the test runs."""
    import torch

    from ...learning.models.drift_model import train_drift
    from ...learning.models.paths import rollout, trajectory_errors
    from ...learning.options import DriftOptions

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    batch, table = study.batch(case), dict(study.config["learning"])
    longest_step = table.pop("rollout_step")
    own = stream(study.seed, f"drift {case.loss}", case.equivalents, case.seed)
    z, loss = states_and_loss(study, case, batch)
    least = study.config["forces"]["relative"]
    loss = loss.relative(least) if least > 0 else loss
    drift = train_drift(
        z, batch.condition, loss, DriftOptions(**table), own, f"learning {case.key}"
    )
    drift.save(study.stages.folder / "model" / f"drift {case.key.replace('/', ' ')}")
    test = study.stages.store.read("test")
    start = study.encoder(case.seed).encode(test["start"])
    paths = rollout(drift, start, test["times"], longest_step)[..., : test["z"].shape[-1]]
    return {
        "errors": trajectory_errors(paths, test["z"]),
        "paths": paths,
        "history": drift.history,
    }
