"""Chunks of the studies of partial forces: runs, encoders, forces, drifts and their predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ...arrays import Array, Chunk
from ...files import write_atomically
from ...learning.encoders.conditioned_autoencoder import train_autoencoder
from ...learning.encoders.conditioned_encoder import ConditionedEncoder
from ...learning.encoders.first_layer import FirstLayer
from ...learning.force_batch import ForceBatch
from ...learning.force_losses import LOSSES, QuadraticLoss
from ...learning.models.drift_model import linear_drift, train_drift
from ...learning.models.paths import rollout, trajectory_errors
from ...learning.options import DriftOptions
from ...rng import coerce_rng
from ...systems.forces import ForceSystem, States
from .design import CONFIGURATIONS, Case, ForcesDesign

CHECKED = 1000
FILE = "file "
Layer = ConditionedEncoder | FirstLayer


class Comparison(NamedTuple):
    """Paths of the first m of z, (runs, n_t, m), to be predicted from ``start``, (runs, d)."""

    start: Array
    times: Array
    z: Array
    longest_step: float


def runs_chunk(make: Callable[..., Chunk], what: Any, seed: np.random.SeedSequence) -> Chunk:
    """Runs as a system's method makes them, of a number or of starts."""
    return make(what, coerce_rng(seed))


def encoder_chunk(
    design: ForcesDesign, states: States, seed: np.random.SeedSequence, label: str
) -> Chunk:
    """An encoder, as files, and what it leaves out: of the variance, and of the forces."""
    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    system = design.system
    encoder, training = train_autoencoder(
        states, system.observables, design.encoder, seed, label, system.features
    )
    unexplained, kappa = training.history[-1]
    few = states[:: max(1, len(states) // CHECKED)]
    outside = share_outside(system, layer_of(design, encoder, "Lx_partial"), few)
    numbers = {"unexplained": unexplained, "kappa": kappa, "outside": outside}
    found = {name: np.array([number]) for name, number in numbers.items()}
    return {**found, **files_of(encoder.content())}


def layer_of(design: ForcesDesign, encoder: ConditionedEncoder, loss: str) -> Layer:
    """What has the rows that meet the forces: an encoder, or its first layer."""
    return encoder.first if design.enters_components(loss) else encoder


def share_outside(system: ForceSystem, layer: Layer, states: States) -> float:
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
    system: ForceSystem, layer: Layer, states: States, known: int, seed: np.random.SeedSequence
) -> Chunk:
    """Forces on some particles of each configuration, drawn anew, as the losses see them."""
    some = np.asarray(states, dtype=np.float64)
    seen, gram = layer.encode(some), layer.gram(some)
    if known == system.n_particles:
        forces = system.forces(some)
        return ForceBatch.of_all(seen, gram, layer.rates(some, forces), forces).arrays()
    shuffled = np.argsort(coerce_rng(seed).random((len(some), system.n_particles)), axis=1)
    particles = shuffled[:, :known]
    jacobian = layer.jacobian(some, system.columns(particles))
    p = known / system.n_particles
    return ForceBatch.of(seen, gram, jacobian, system.forces(some, particles), p).arrays()


def states_and_loss(
    design: ForcesDesign, case: Case, encoder: ConditionedEncoder, batch: ForceBatch
) -> tuple[Array, QuadraticLoss]:
    """z of the configurations, and the loss of a drift there."""
    table = design.forces
    batch = batch.with_floor(table.floor) if table.floor > 0 else batch
    z, loss, spread = batch.z0, LOSSES[case.loss](batch), table.units == "spread"
    if design.enters_components(case.loss):
        z, rates = encoder.carry(batch.z0, loss.minimiser())
        if spread:
            loss = QuadraticLoss.of_rates(rates, z.std(axis=0))
        else:
            loss = loss.carried(encoder.chain(batch.z0))
    elif spread:
        loss = loss.rescaled(z.std(axis=0))
    return z, loss.relative(table.relative) if table.relative > 0 else loss


def learning_chunk(
    options: DriftOptions,
    z: Array,
    loss: QuadraticLoss,
    tests: Mapping[str, Comparison],
    seed: np.random.SeedSequence,
    label: str,
    beside: Chunk,
) -> Chunk:
    """A drift, as files with those ``beside``, and its paths and errors by the suffix of tests."""
    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    drift = train_drift(z, np.zeros((len(z), 0)), loss, options, seed, label)
    own = {"history": drift.history, **files_of(drift.content()), **beside}
    return {**own, **predicted(drift, tests)}


def linear_chunk(
    _: DriftOptions, z: Array, loss: QuadraticLoss, tests: Mapping[str, Comparison], *__: Any
) -> Chunk:
    """What the linear drift of least loss predicts: the simplest other way to the same end."""
    mean, unit = z.mean(axis=0), z.std(axis=0)
    scaled = QuadraticLoss(loss.metric * unit[:, None] * unit, loss.linear * unit, loss.constant)
    slope, intercept = linear_drift((z - mean) / unit, scaled)

    def drift(at: Array) -> Array:
        drifts: Array = unit * ((at - mean) / unit @ slope + intercept)
        return drifts

    return predicted(drift, tests)


def predicted(drift: Callable[[Array], Array], tests: Mapping[str, Comparison]) -> Chunk:
    """Paths of a drift and their errors, by the suffixes of the tests."""
    found: dict[str, Array] = {}
    for suffix, (start, times, z, longest_step) in tests.items():
        paths = rollout(drift, start, times, longest_step)[..., : z.shape[-1]]
        found |= {f"errors{suffix}": trajectory_errors(paths, z), f"paths{suffix}": paths}
    return found


def files_of(contents: Mapping[str, bytes]) -> Chunk:
    """Files by name as arrays of bytes."""
    return {FILE + name: np.frombuffer(each, np.uint8) for name, each in contents.items()}


def write_files(chunk: Mapping[str, Any], folder: Path) -> None:
    """Write what `files_of` read; where a file is damaged or lost, all are written again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in chunk.items():
        if name.startswith(FILE):
            write_atomically(folder / name.removeprefix(FILE), content.tobytes())
