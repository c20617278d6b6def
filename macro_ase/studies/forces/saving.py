"""The study of how many force evaluations partial forces save, against the truth.

For each number of atoms, drifts are learned from more and more configurations, by L_z from the
forces on all atoms and by L_{x,p} from those on one block of atoms of each, through an encoder on
`systems.pooled_features`, which serves every number of atoms. How many evaluations of the force
on an atom each needs to reach an error is read from errors against true runs:

    saving = evaluations by L_z / evaluations by L_{x,p}.

A second part learns from a small fluid with free seeds and predicts large fluids, as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Chunk
from ...learning.force_losses import QuadraticLoss
from ...learning.models.paths import trajectory_errors
from ...rng import coerce_rng, stream
from ...sampling.execution import Jobs
from ...systems.pooled_features import PooledForces, leading
from ..runner import Runner
from .chunks import Comparison, files_of, learning_chunk, linear_chunk, runs_chunk
from .compare import kept_drift
from .saving_design import LOSSES, SavingDesign


class Training(NamedTuple):
    """Learning from an amount of configurations of a set of runs; ``tests`` are sets to predict."""

    runs: str
    loss: str
    amount: int
    seed: int
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.runs} {self.loss} {self.amount}"


@dataclass(frozen=True)
class SavingFindings:
    """What the stages made, by number of atoms and loss.

    Errors, also of linear drifts from all data and of what the free fluid taught, have shape (...,
    seeds, runs), paths (runs, n_t, 1). Floors are the scatter of free runs of one temperature.
    """

    errors: dict[tuple[int, str], Array]
    linear: dict[tuple[int, str], Array]
    paths: dict[int, Array]
    coarse: dict[int, Array]
    transfers: dict[tuple[int, str], Array]
    floors: dict[int, Array]
    cpu_s: dict[str, float]


@dataclass(frozen=True)
class SavingStages:
    """A study's stages on a runner."""

    design: SavingDesign
    runner: Runner

    def findings(self) -> SavingFindings:
        """Simulate, learn, predict and compare."""
        paths, coarse, errors, linear = {}, {}, {}, {}
        for n in self.design.training_runs:
            paths[n], coarse[n] = self.runner.timed(f"runs {n}", self.family, n)
            for loss in LOSSES:
                found = self.runner.timed(f"learning {n} {loss}", self.curve, n, loss)
                errors[n, loss], linear[n, loss] = found
        transfers, floors = self.runner.timed("free seeds", self.transfers)
        spent = self.runner.cpu_s
        return SavingFindings(errors, linear, paths, coarse, transfers, floors, spent)

    def family(self, n: int) -> tuple[Array, Array]:
        """Runs from the same atoms and directions; paths to compare with, true and coarse."""
        fluid, test = self.design.fluids[n], f"test/{n}"
        rough = replace(fluid, system=fluid.system.coarser())
        self.runs(f"family/{n}", fluid.training)
        return self.runs(test, fluid.test)["path"], self.runs(test, rough.test, "coarse")["path"]

    def runs(self, key: str, make: Callable[..., Chunk], called: str = "") -> Chunk:
        """A set of runs, in chunks; all of it."""
        starts, size = self.design.starts(key), self.design.chunk
        own = key.replace("test", called) if called else key
        jobs = {
            f"{own}/{k}": (make, starts[first : first + size], stream(self.design.seed, key, k))
            for k, first in enumerate(range(0, len(starts), size))
        }
        return self.runner.joined(own, runs_chunk, jobs)

    def read(self, key: str) -> Chunk:
        """A set of runs that are there, likewise."""
        number = -(-self.design.number_of_runs(key) // self.design.chunk)
        parts = [self.runner.store.read(f"{key}/{k}") for k in range(number)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def curve(self, n: int, loss: str) -> tuple[Array, Array]:
        """Errors by amount of data, and of the linear drift from all of it."""
        seeds, amounts, test = range(self.design.seeds), self.design.amounts_of(n), (f"test/{n}",)
        trainings = {
            f"{n}/{loss}/{a}/{s}": Training(f"family/{n}", loss, a, s, test)
            for a in amounts
            for s in seeds
        }
        most = {key: own for key, own in trainings.items() if own.amount == amounts[-1]}
        errors, linear = (
            np.stack([chunk[f"errors{n}"] for chunk in self.learn(kind, stage, own).values()])
            for kind, stage, own in (
                ("learning", f"learning {n} {loss}", trainings),
                ("linear", "linear", most),
            )
        )
        return errors.reshape(len(amounts), len(seeds), -1), linear

    def transfers(self) -> tuple[dict[tuple[int, str], Array], dict[int, Array]]:
        """Learn from the small fluid with free seeds, predict others; errors and their floors."""
        design, floors, key = self.design, {}, f"free/{self.design.free.n_atoms}"
        for n in design.free.test:
            make = design.fluids[n].test
            one, two = (self.runs(f"free-{use}/{n}", make)["path"] for use in ("one", "two"))
            floors[n] = trajectory_errors(two, one) / np.sqrt(2)
        amount = len(self.runs(key, design.fluids[design.free.n_atoms].training)["values"])
        tests = tuple(f"free-one/{n}" for n in design.free.test)
        trainings = {
            f"{loss}/{s}": Training(key, loss, amount, s, tests)
            for loss in LOSSES
            for s in range(design.seeds)
        }
        done = self.learn("transfer", "transfer", trainings)
        errors: dict[tuple[int, str], list[Array]] = {}
        for training, chunk in zip(trainings.values(), done.values()):
            for n in design.free.test:
                errors.setdefault((n, training.loss), []).append(chunk[f"errors{n}"])
        return {key: np.stack(each) for key, each in errors.items()}, floors

    def learn(
        self, kind: str, stage: str, trainings: Mapping[str, Training]
    ) -> Mapping[str, Chunk]:
        """Drifts with their errors, by a kind of chunk and the key of a training."""
        keys = {f"{kind}/{key}": training for key, training in trainings.items()}
        function = linear_chunk if kind == "linear" else learning_chunk
        done = self.runner.chunks(stage, function, Jobs(keys, self.inputs))
        if kind != "linear":
            for key, training in keys.items():
                kept_drift(self.runner, key, f"{training.name} {training.seed}")
        return done

    def inputs(self, training: Training) -> tuple[Any, ...]:
        """What a chunk of learning is given."""
        design, key = self.design, training.runs
        data = PooledForces(**self.read(key))
        rng = coerce_rng(stream(design.seed, "configurations", *key.encode(), training.seed))
        some = data.take(rng.permutation(len(data.values))[: training.amount])
        rates = some.rates() if training.loss == "Lz" else some.rates_from_blocks()
        encoder = leading(data.values, design.components, design.rates)
        z, dzdt = some.values @ encoder.T, rates @ encoder.T
        tests = {}
        for test in training.tests:
            true, times = self.read(test), design.fluid(test).system.times
            own = true["values"] @ encoder.T, times, true["path"], design.rollout_step
            tests[test.split("/")[1]] = Comparison(*own)
        seed = stream(design.seed, "drift", *training.name.encode(), training.seed)
        form, matrix = QuadraticLoss.of_rates(dzdt, z.std(axis=0)), BytesIO()
        np.save(matrix, encoder)
        beside = files_of({"encoder.npy": matrix.getvalue()})
        return design.learning, z, form, tests, seed, training.name, beside
