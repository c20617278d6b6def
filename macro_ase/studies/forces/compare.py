"""Stages of the studies of partial forces, and what they make.

    runs -> encoder -> forces on all, or some, particles -> drift by each loss -> paths beside true

Every seed has its own encoder, configurations, particles and drift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array, Chunk
from ...learning.encoders.conditioned_encoder import ConditionedEncoder
from ...learning.force_batch import ForceBatch
from ...learning.models.drift_model import DriftModel
from ...rng import coerce_rng, stream
from ...sampling.execution import Jobs
from ...systems.forces import States, TrueRuns
from ..runner import Runner
from .chunks import (
    Comparison,
    encoder_chunk,
    force_chunk,
    layer_of,
    learning_chunk,
    linear_chunk,
    runs_chunk,
    states_and_loss,
    write_files,
)
from .design import CONFIGURATIONS, Case, ForcesDesign, Key

LEFT_OUT = "unexplained", "kappa", "outside"
T = TypeVar("T")


@dataclass(frozen=True)
class ForcesFindings:
    """What the stages made, by loss and equivalents.

    Errors of learned and of linear drifts have shape (seeds, runs), paths of ``coarse`` runs (runs,
    n_t, m); ``first`` are the chunks of the first seed, ``left_out`` the numbers `LEFT_OUT`.
    """

    test: TrueRuns
    coarse: Array
    errors: dict[Key, Array]
    linear: dict[Key, Array]
    first: dict[Key, Chunk]
    left_out: list[tuple[float, ...]]
    cpu_s: dict[str, float]


@dataclass(frozen=True)
class Stages:
    """A study's stages on a runner."""

    design: ForcesDesign
    runner: Runner

    def findings(self) -> ForcesFindings:
        """Simulate, learn, predict and compare."""
        timed = self.runner.timed
        states = timed("training runs", self.training_states)
        test, coarse = timed("test runs", self.test_runs)
        left_out = timed("encoders", self.encoders, states)
        timed("forces", self.forces, states)
        del states
        learned, linear = timed("learning", self.learn, test)
        first = {key: chunks[0] for key, chunks in learned.items()}
        errors, straight = (
            {key: np.stack([chunk["errors"] for chunk in chunks]) for key, chunks in own.items()}
            for own in (learned, linear)
        )
        return ForcesFindings(test, coarse.z, errors, straight, first, left_out, self.runner.cpu_s)

    def training_states(self) -> States:
        """States of all training runs, shape (n, N)."""
        design, jobs = self.design, {}
        for k, first in enumerate(range(0, design.training_runs, design.chunk)):
            runs = min(design.chunk, design.training_runs - first)
            seed = stream(design.seed, "training", k)
            jobs[f"training/{k}"] = (design.system.training, runs, seed)
        return self.runner.joined("training runs", runs_chunk, jobs)["states"]

    def test_runs(self) -> tuple[TrueRuns, TrueRuns]:
        """True runs to compare with, and the same at a share of the cost."""
        design = self.design
        own = design.test_runs, stream(design.seed, "test")
        systems = {"test": design.system, "coarse": design.system.coarser()}
        made = [
            self.runner.chunks(f"{key} runs", runs_chunk, {key: (system.test, *own)})[key]
            for key, system in systems.items()
        ]
        return TrueRuns(**made[0]), TrueRuns(**made[1])

    def encoders(self, states: States) -> list[tuple[float, ...]]:
        """Train an encoder for each seed; what each leaves out."""
        design = self.design

        def job(k: int) -> tuple[Any, ...]:
            order = coerce_rng(stream(design.seed, "encoder-states", k)).permutation(len(states))
            chosen = states[np.sort(order[: design.encoder_states])]
            return design, chosen, stream(design.seed, "encoder", k), f"encoder {k + 1}"

        seeds = {f"encoder/{k}": k for k in range(design.forces.seeds)}
        done = self.runner.chunks("encoders", encoder_chunk, Jobs(seeds, job))
        return [tuple(float(chunk[name][0]) for name in LEFT_OUT) for chunk in done.values()]

    @cached_property
    def trained(self) -> list[ConditionedEncoder]:
        """The encoder of each seed."""
        observables, seeds = self.design.system.observables, range(self.design.forces.seeds)

        def load(folder: Path) -> ConditionedEncoder:
            return ConditionedEncoder.load(folder, observables)

        return [kept_model(self.runner, f"encoder{k}", f"encoder/{k}", load) for k in seeds]

    def forces(self, states: States) -> None:
        """Batches of forces of every training, kept in the store."""
        design, parts = self.design, {}
        for case in design.cases:
            chosen = design.configurations(case, len(states))
            for k, first in enumerate(range(0, len(chosen), CONFIGURATIONS)):
                parts[f"forces/{case.key}/{k}"] = case, chosen[first : first + CONFIGURATIONS], k

        def job(part: tuple[Case, NDArray[np.int64], int]) -> tuple[Any, ...]:
            case, rows, k = part
            seed = stream(design.seed, "particles", case.seed, case.equivalents, k)
            layer = layer_of(design, self.trained[case.seed], case.loss)
            return design.system, layer, states[rows], design.particles(case.loss), seed

        self.runner.chunks("forces", force_chunk, Jobs(parts, job))

    def learn(self, test: TrueRuns) -> list[dict[Key, list[Chunk]]]:
        """Every drift with its paths of the test runs, and the linear ones beside them."""
        design, runner = self.design, self.runner

        def job(case: Case) -> tuple[Any, ...]:
            encoder = self.trained[case.seed]
            z, loss = states_and_loss(design, case, encoder, self.batch(case))
            true = Comparison(encoder.encode(test.start), test.times, test.z, design.rollout_step)
            seed = stream(design.seed, f"drift {case.loss}", case.equivalents, case.seed)
            return design.learning, z, loss, {"": true}, seed, f"learning {case.key}", {}

        found = []
        for stage, function in (("learning", learning_chunk), ("linear", linear_chunk)):
            jobs = {f"{stage}/{case.key}": case for case in design.cases}
            each: dict[Key, list[Chunk]] = {}
            done = runner.chunks(stage, function, Jobs(jobs, job))
            for key, case in jobs.items():
                each.setdefault((case.loss, case.equivalents), []).append(done[key])
            found.append(each)
        for case in design.cases:
            kept_drift(runner, f"learning/{case.key}", case.key)
        return found

    def batch(self, case: Case) -> ForceBatch:
        """The `ForceBatch` of a training, from the store."""
        number = -(-self.design.number(case) // CONFIGURATIONS)
        parts = [self.runner.store.read(f"forces/{case.key}/{k}") for k in range(number)]
        return ForceBatch.join([ForceBatch.from_arrays(part) for part in parts])


def kept_model(runner: Runner, name: str, key: str, load: Callable[[Path], T]) -> T:
    """A model of a chunk, kept among the models of the run."""

    def make(folder: Path) -> T:
        write_files(runner.store.read(key), folder)
        return load(folder)

    return runner.kept(name, load, make)


def kept_drift(runner: Runner, key: str, name: str) -> DriftModel:
    """The drift of a chunk, likewise."""
    return kept_model(runner, f"drift {name.replace('/', ' ')}", key, DriftModel.load)
