"""What studies of learning from forces on some particles have in common.

    runs -> encoder -> forces on all, or some, particles -> drift by each loss -> paths beside true

Losses are compared at equal numbers of force evaluations, counted in full-force equivalents:
configurations times the share p of particles whose forces are known. Every seed has its own
encoder, configurations, particles and drift. Every run, batch of forces and training is a chunk in
the run's store, so an interrupted study goes on where it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...rng import coerce_rng, stream
from ..kept import load_or_make
from ..stages import Chunk, Stages
from .chunks import (
    CONFIGURATIONS,
    Case,
    encoder_chunk,
    force_chunk,
    learning_chunk,
    test_chunk,
    training_chunk,
)
from .settings import check_settings
from .system import Array, ForceSystem, States, TestRuns


@dataclass(frozen=True)
class ForcesFindings:
    """What the stages of a study made.

    Attributes
    ----------
    test : TestRuns
    errors : dict
        Error of each test run, shape (seeds, runs), by loss and equivalents.
    paths : dict
        Predicted observables of the first seed, shape (runs, n_t, m), by the same.
    floor : array, shape (runs,)
        Error of true runs made again.
    histories : dict
        Losses of training, shape (seeds, members, n_records), by the same.
    encoders : list of dict
        Unexplained share of variance, condition number and share of the forces that lies outside
        the rows that meet them, of each seed's encoder.
    """

    test: TestRuns
    errors: dict[tuple[str, int], Array]
    paths: dict[tuple[str, int], Array]
    floor: Array
    histories: dict[tuple[str, int], Array]
    encoders: list[dict[str, float]]


class ForcesStudy(ABC):
    """A study of partial forces; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Raises
    ------
    ValueError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        check_settings(config)
        self.config, self.seed = config, config["seed"]
        self.system = self.make_system()
        self.p = config["forces"]["share"]
        self._check_amounts()
        self._check_rows()

    def _check_amounts(self) -> None:
        runs = self.config["data"]["training_runs"]
        given = runs * self.system.states_per_run
        amounts = [self.number(case) for case in self.cases]
        if max(amounts) > given:
            raise ValueError(
                f"forces.equivalents needs {max(amounts)} configurations, and data.training_runs "
                f"= {runs} give {given}"
            )
        least = len(self.system.z_names) + self.config["encoder"]["variables"] + 1
        if min(amounts) < least:
            raise ValueError(
                f"forces.equivalents gives {min(amounts)} configurations, and a linear drift of "
                f"{least - 1} variables needs {least}"
            )

    def _check_rows(self) -> None:
        known = self.system.columns(np.arange(self.particles("Lx_partial"))).size
        rows = self.config["encoder"]["width"] + len(self.system.z_names)
        if any(map(self.enters_components, self.config["forces"]["losses"])) and known < rows:
            raise ValueError(
                f"forces.share = {self.p:g} leaves {known} forces of a configuration, and {rows} "
                "rows need as many; lower encoder.width"
            )

    @abstractmethod
    def make_system(self) -> ForceSystem:
        """The system that the settings name."""

    @abstractmethod
    def write(self, folder: Path, quick: bool, findings: ForcesFindings) -> None:
        """Write metrics, tables and figures into the folder."""

    @property
    def cases(self) -> list[Case]:
        """All trainings, the small ones first."""
        table = self.config["forces"]
        return [
            Case(loss, size, k)
            for size in sorted(table["equivalents"])
            for loss in table["losses"]
            for k in range(table["seeds"])
        ]

    def particles(self, loss: str) -> int:
        """Particles of a configuration whose forces a loss sees."""
        n = self.system.n_particles
        return max(1, round(self.p * n)) if loss == "Lx_partial" else n

    def share(self, loss: str) -> float:
        """p of a loss: what these particles are of all."""
        return self.particles(loss) / self.system.n_particles

    def number(self, case: Case) -> int:
        """Configurations of a training."""
        return round(case.equivalents / self.share(case.loss))

    def enters_components(self, loss: str) -> bool:
        """Whether the forces that a loss sees meet the rows of the encoder's first layer."""
        return loss == "Lx_partial" and self.config["forces"]["rows"] == "components"

    def layer(self, encoder: Any, loss: str) -> Any:
        """What has the rows that meet the forces: an encoder, or its first layer."""
        return encoder.first if self.enters_components(loss) else encoder

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        self.stages = stages = Stages(folder, self.config["workers"])
        states = stages.timed("training runs", self.training_states)
        test = stages.timed("test runs", self.test_runs)
        encoders = stages.timed("encoders", self.encoders, states)
        stages.timed("forces", self.forces, states)
        done = stages.timed("learning", self.learn)
        self.write(folder, quick, self.findings(test, encoders, done))

    def training_states(self) -> States:
        """States of all training runs, shape (n, N)."""
        table, jobs = self.config["data"], {}
        for k, first in enumerate(range(0, table["training_runs"], table["chunk"])):
            runs = min(table["chunk"], table["training_runs"] - first)
            jobs[f"training/{k}"] = (self.system, runs, stream(self.seed, "training", k))
        done = self.stages.chunks("training runs", training_chunk, jobs)
        return np.concatenate([done[key]["states"] for key in jobs])

    def test_runs(self) -> TestRuns:
        """True runs to compare with."""
        job = {"test": (self.system, self.config["data"]["test_runs"], stream(self.seed, "test"))}
        return TestRuns(**self.stages.chunks("test runs", test_chunk, job)["test"])

    def encoders(self, states: States) -> list[dict[str, float]]:
        """Train an encoder for each seed; how good each is."""
        jobs = {f"encoder/{k}": (self, states, k) for k in range(self.config["forces"]["seeds"])}
        done = self.stages.chunks("encoders", encoder_chunk, jobs)
        for k in range(len(jobs)):
            load_or_make(partial(self.encoder, k), partial(encoder_chunk, self, states, k))
        return [{name: float(v[0]) for name, v in done[key].items()} for key in jobs]

    def forces(self, states: States) -> None:
        """Batches of forces of every training, kept in the store."""
        jobs = {}
        for case in self.cases:
            chosen = self.configurations(case, len(states))
            for k, first in enumerate(range(0, len(chosen), CONFIGURATIONS)):
                part = chosen[first : first + CONFIGURATIONS]
                jobs[f"forces/{case.key}/{k}"] = (self, states, case, part, k)
        self.stages.chunks("forces", force_chunk, jobs)

    def configurations(self, case: Case, n: int) -> NDArray[np.int64]:
        """Configurations of a training, of n in all; those of less data are among them."""
        order = coerce_rng(stream(self.seed, "configurations", case.seed)).permutation(n)
        return order[: self.number(case)]

    def learn(self) -> dict[str, Chunk]:
        """Train every drift and predict the test runs."""
        jobs = {f"learning/{case.key}": (self, case) for case in self.cases}
        return self.stages.chunks("learning", learning_chunk, jobs)

    def encoder(self, seed: int) -> Any:
        """The trained encoder of a seed."""
        from ...learning.encoders.conditioned_encoder import ConditionedEncoder

        return ConditionedEncoder.load(self.encoder_folder(seed), self.system.observables)

    def encoder_folder(self, seed: int) -> Path:
        """Where it is kept."""
        return self.stages.folder / "model" / f"encoder{seed}"

    def batch(self, case: Case) -> Any:
        """The `ForceBatch` of a training, from the store."""
        from ...learning.force_batch import ForceBatch

        number = -(-self.number(case) // CONFIGURATIONS)
        parts = [self.stages.store.read(f"forces/{case.key}/{k}") for k in range(number)]
        batch = ForceBatch.join([ForceBatch.from_arrays(part) for part in parts])
        floor = self.config["forces"]["floor"]
        return batch.with_floor(floor) if floor > 0 else batch

    def findings(
        self, test: TestRuns, encoders: list[dict[str, float]], done: dict[str, Chunk]
    ) -> ForcesFindings:
        """Everything that the results are written from."""
        from ...learning.models.paths import trajectory_errors

        errors, paths, histories = {}, {}, {}
        for case in self.cases:
            if case.seed:
                continue
            chunks = [
                done[f"learning/{Case(case.loss, case.equivalents, k).key}"]
                for k in range(self.config["forces"]["seeds"])
            ]
            key = case.loss, case.equivalents
            errors[key] = np.stack([chunk["errors"] for chunk in chunks])
            paths[key] = chunks[0]["paths"]
            histories[key] = np.stack([chunk["history"] for chunk in chunks])
        floor = trajectory_errors(test.again, test.z)
        return ForcesFindings(test, errors, paths, floor, histories, encoders)
