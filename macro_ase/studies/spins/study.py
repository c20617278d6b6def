"""What studies of spin models have in common: from settings to predictions beside direct runs.

    small runs -> upsampled, relaxed states -> patches evolved alone -> one model for each side
    direct runs of the large system -> prediction beside truth

Every simulation is a chunk in the run's store, so an interrupted study goes on where it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.assumptions import PatchCheck, check_patches
from ...arrays import Array
from ...rng import coerce_rng, stream
from ...sampling.pairs import pairs_chunk, wholes_chunk
from ...systems.base import NO_CONDITION, Closure, no_closure
from ...systems.spin_system import SpinPlan, Spins, SpinSystem
from ..stages import Chunk, Stages
from .findings import SpinFindings
from .learning import learn_model
from .runs import SECOND, TRUTH, direct_chunk, predict_chunk
from .scan import Scan, scan_patches
from .settings import check_settings

CHUNK = 64
CHECK_STARTS = 2048
LAST_AGES = 4


class SpinStudy(ABC):
    """A study of a spin model; made from its settings, which it checks first.

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
        self.side, self.patches = config["system"]["side"], config["sampling"]["patches"]

    @abstractmethod
    def make_system(self) -> SpinSystem:
        """The system that the settings name."""

    @abstractmethod
    def write(self, folder: Path, quick: bool, findings: SpinFindings) -> None:
        """Write metrics, tables and figures into the folder."""

    def sampling(self, patch: int) -> SpinPlan:
        """How pairs of patches of a side are made."""
        table = self.config["sampling"]
        low, high = table["magnetisation"]
        return SpinPlan(
            small=patch,
            large=self.side,
            magnetisation=(low, high),
            ages=tuple(table["times"]),
            relax_time=table["relax_time"],
            dt=table["dt"],
            buffer=table.get("buffer", 0),
            boundary=table["boundary"],
            baseline=self.config["learning"]["baseline"],
        )

    def closure(self, patch: int) -> Closure:
        """Closure variables of tiles of a side, all that are measured."""
        return no_closure

    def columns(self, patch: int, z: Array) -> list[int]:
        """Columns of z, shape (..., d), that the model of a side takes."""
        return list(range(z.shape[-1]))

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        self.stages = stages = Stages(folder, self.config["workers"])
        stages.timed("closure", self.prepare_closure)
        pairs = {p: stages.timed(f"pairs {p}", self.pairs, p) for p in self.patches}
        models = {p: stages.timed(f"learning {p}", self.learn, p, pairs[p]) for p in self.patches}
        self.after_learning(pairs)
        true, second = stages.timed("direct runs", self.direct)
        predicted = {
            p: stages.timed(f"prediction {p}", self.predict, p, models[p]) for p in self.patches
        }
        checks = {p: stages.timed(f"checks {p}", self.check, p) for p in self.patches}
        scan = stages.timed("scan", self.scan)
        histories = {p: model.trained.history for p, model in models.items()}
        members = self.config["learning"]["members"]
        findings = (self.times, true, second, predicted, members, checks, histories, scan)
        self.write(folder, quick, SpinFindings(*findings))

    def prepare_closure(self) -> None:  # noqa: B027, a hook and not a duty
        """Whatever closure variables need before they can be measured."""

    def after_learning(self, pairs: dict[int, Chunk]) -> None:  # noqa: B027
        """Whatever else is learned from the pairs."""

    def pairs(self, patch: int) -> Chunk:
        """Training pairs of patches of a side."""
        starts = self.config["sampling"]["starts"]
        plan, closure = self.sampling(patch), self.closure(patch)
        common = (self.system, plan, min(CHUNK, starts), closure, NO_CONDITION)
        jobs = {
            f"pairs/{patch}/{k}": (*common, stream(self.seed, "spin-pairs", patch, k), k)
            for k in range(-(-starts // CHUNK))
        }
        return _joined(self.stages.chunks(f"pairs {patch}", pairs_chunk, jobs))

    def learn(
        self, patch: int, pairs: Chunk, columns: list[int] | None = None, name: str = ""
    ) -> Any:
        """Train the model of a side, or load it if it was trained already.

        ``columns`` choose other observables of the pairs, ``name`` another folder.
        """
        folder = self.stages.folder / "model" / (name or f"patch{patch}")
        use = self.columns(patch, pairs["z0"]) if columns is None else columns
        table, sampling = self.config["learning"], self.sampling(patch)
        return learn_model(folder, self.system, sampling, pairs, use, table, self.seed)

    @property
    def times(self) -> Array:
        """Times at which runs are compared."""
        table = self.config["direct"]
        return table["interval"] * np.arange(table["steps"] + 1)

    def initial_states(self, number: int, use: int, runs: int) -> Spins:
        """Initial states of runs from the initial mean spin of a number."""
        m = self.config["direct"]["magnetisations"][number]
        rng = coerce_rng(stream(self.seed, "start", number, use))
        return self.system.random_states(self.side, np.full(runs, m), rng)

    def direct(self) -> tuple[Array, Array]:
        """Direct runs, twice: the second set shows what noise alone does to the errors."""
        numbers = range(len(self.config["direct"]["magnetisations"]))
        jobs = {
            f"direct/{use}/{number}": (self, number, use)
            for use in (TRUTH, SECOND)
            for number in numbers
        }
        done = self.stages.chunks("direct runs", direct_chunk, jobs)
        true, second = (
            np.stack([done[f"direct/{use}/{number}"]["z"] for number in numbers])
            for use in (TRUTH, SECOND)
        )
        return true, second

    def predict(self, patch: int, model: Any) -> Array:
        """Predicted runs from the same initial mean spins."""
        key = f"predicted/{patch}"
        return self.stages.chunks(
            f"prediction {patch}", predict_chunk, {key: (self, patch, model)}
        )[key]["z"]

    def check(self, patch: int) -> PatchCheck:
        """Patches of a side against wholes, from states of the last ages."""
        sampling = self.sampling(patch)
        sampling = replace(sampling, ages=sampling.ages[-LAST_AGES:])
        starts = min(CHECK_STARTS, self.config["sampling"]["starts"])
        common = (self.system, sampling, min(CHUNK, starts), NO_CONDITION)
        jobs = {
            f"check/{patch}/{k}": (*common, stream(self.seed, "spin-check", patch, k), k)
            for k in range(-(-starts // CHUNK))
        }
        return check_patches(_joined(self.stages.chunks(f"checks {patch}", wholes_chunk, jobs)))

    def scan(self) -> Scan:
        """Patches against wholes, by time step, buffer and boundary."""
        table = {"buffers": [0]} | self.config["scan"]
        return scan_patches(self.stages, self.system, self.side, table, self.seed)


def _joined(chunks: dict[str, Chunk]) -> Chunk:
    """Chunks one after another."""
    parts = list(chunks.values())
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
