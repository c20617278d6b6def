"""A study of an alloy's short-range order, from its settings to its results.

    small runs -> time step -> upsampled states and patch pairs -> model
    direct runs of the large system -> prediction beside truth

Every simulation is a chunk in the run's store, so an interrupted study goes on where it
was and gives the same numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.order_comparison import OrderComparison, compare_order
from ...ratios import whole_ratio
from ...rng import stream
from ...sampling.stages import direct_chunk, pairs_chunk, small_chunk
from ...sampling.time_step import TimeStepScan, scan_time_steps
from ...statistics import standard_error
from ...systems import MODELS
from ...systems.base import MicroSystem
from ..kept import load_or_make
from ..stages import Chunk, Stages
from .checks import STATIONARY_AFTER
from .data import StudyData
from .results import write_results

DRIFTS = ("onsager", "network")
LEAST_1 = (
    *(f"small.{name}" for name in ("runs", "events")),
    *(f"learning.{name}" for name in ("width", "depth", "members", "epochs", "batch_size")),
    *("sampling.copies", "sampling.repeats", "predict.paths"),
)


class AlloyStudy:
    """A study of vacancy diffusion or of swaps; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        _check(config)
        self.config = config
        self.system, self.notes = MODELS[config["system"]["model"]](config)
        _check_steps(config, self.system)
        self.temperatures = sorted(set(config["conditions"]["temperatures_K"]))
        self.seed = config["seed"]

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        self.stages = stages = Stages(folder, self.config["workers"])
        small = stages.timed("small runs", self.small)
        scan = stages.timed("time step", self.time_step, small)
        pairs = stages.timed("patch pairs", self.pairs, small, scan)
        model = stages.timed("learning", self.learn, pairs, small, scan)
        direct = stages.timed("direct runs", self.direct, scan, model)
        paths = stages.timed("prediction", self.predict, model, scan)
        comparison = stages.timed("comparison", self.compare, small, direct, paths, scan)
        made = (small, scan, pairs, model, direct, paths, comparison)
        data = StudyData(self.config, quick, self.system, self.notes, *made)
        write_results(folder, data, stages)

    def small(self) -> list[list[Chunk]]:
        """Small runs by temperature."""
        runs, events = self.config["small"]["runs"], self.config["small"]["events"]
        keys = {
            f"small/{t!r}/{r}": (self.system, t, events, self.seed, (round(1000 * t), r))
            for t in self.temperatures
            for r in range(runs)
        }
        done = self.stages.chunks("small runs", small_chunk, keys)
        return [[done[f"small/{t!r}/{r}"] for r in range(runs)] for t in self.temperatures]

    def time_step(self, small: list[list[Chunk]]) -> TimeStepScan:
        """The step, from the second halves of the small runs."""
        late = [[run["z"][len(run["z"]) // 2 :] for run in runs] for runs in small]
        return scan_time_steps(
            late,
            self.temperatures,
            self.system.record_events,
            self.config["sampling"]["dt_events"],
        )

    def pairs(self, small: list[list[Chunk]], scan: TimeStepScan) -> list[Chunk]:
        """Patch pairs by temperature, of several large states from each small snapshot.

        No state heals for longer than it is old, or young states would be missing.
        """
        sampling, jobs = self.config["sampling"], {}
        for t, runs in zip(self.temperatures, small):
            tau_w, number = _residence_time(runs), 0
            dt = scan.chosen * tau_w
            for copy in range(sampling["copies"]):
                for r, run in enumerate(runs):
                    job = (
                        self.system,
                        t,
                        run["states"],
                        np.minimum(sampling["healing_events"], run["times"][run["kept"]] / tau_w),
                        number,
                        dt,
                        sampling["repeats"],
                        self.seed,
                        round(1000 * t),
                    )
                    jobs[f"pairs/{t!r}/{copy}/{r}"] = job
                    number += len(run["states"])
        done = self.stages.chunks("patch pairs", pairs_chunk, jobs)
        return [
            _concatenate([done[k] for k in jobs if k.startswith(f"pairs/{t!r}/")])
            for t in self.temperatures
        ]

    def learn(self, pairs: list[Chunk], small: list[list[Chunk]], scan: TimeStepScan) -> Any:
        """Train the ensemble, or load it if it was trained already."""
        from ...learning.models.macro_model import MacroModel

        folder = self.stages.folder / "model"
        return load_or_make(
            lambda: MacroModel.load(folder), lambda: self._train(folder, pairs, small, scan)
        )

    def _train(
        self, folder: Path, pairs: list[Chunk], small: list[list[Chunk]], scan: TimeStepScan
    ) -> Any:
        import torch

        from ...learning.models.macro_model import Clock, MacroModel
        from ...learning.models.training import train
        from ...learning.options import TrainingOptions
        from ...learning.pairs import PairBatch

        torch.set_num_threads(1)
        first = np.cumsum([0] + [int(chunk["snapshot"].max()) + 1 for chunk in pairs])
        batch = PairBatch(
            z0=np.concatenate([c["z0"] for c in pairs]),
            dz=np.concatenate([c["dz"] for c in pairs]),
            condition=np.concatenate([c["condition"] for c in pairs]),
            snapshot=np.concatenate([c["snapshot"] + f for c, f in zip(pairs, first)]),
        )
        options = TrainingOptions(**self.config["learning"])
        trained = train(batch, options, self.seed, "learning")
        tau = np.array([_residence_time(runs) for runs in small])
        clock = Clock(1000 / np.array(self.temperatures[::-1]), np.log(tau[::-1]))
        per_patch = self.system.large.n_sites / float(pairs[0]["n_patches"][0])
        model = MacroModel(
            trained,
            options,
            self.system.z_names,
            scan.chosen,
            per_patch,
            clock,
            self.system.substeps,
        )
        model.save(folder)
        return model

    def direct(self, scan: TimeStepScan, model: Any) -> list[list[Chunk]]:
        """Direct runs of the large system by temperature, on the model's time grid."""
        runs, jobs = self.config["direct"]["runs"], {}
        for t, slowest in zip(self.temperatures, scan.slowest_chosen):
            times = model.dt(t) * np.arange(self._n_steps(slowest, scan.chosen) + 1)
            for r in range(runs):
                item = (round(1000 * t), r)
                jobs[f"direct/{t!r}/{r}"] = (
                    self.system, self.system.large_state, t, times, self.seed, item
                )  # fmt: skip
        done = self.stages.chunks("direct runs", direct_chunk, jobs)
        return [[done[f"direct/{t!r}/{r}"] for r in range(runs)] for t in self.temperatures]

    def _n_steps(self, slowest: float, step: float) -> int:
        """Steps of direct runs and predicted paths, burn-in included."""
        length = STATIONARY_AFTER + self.config["direct"]["relaxation_times"]
        return int(np.ceil(length * slowest / step))

    def predict(self, model: Any, scan: TimeStepScan) -> list[tuple[np.ndarray, np.ndarray]]:
        """Paths of the model from the large system's initial state, by temperature."""
        paths = []
        for t, slowest in zip(self.temperatures, scan.slowest_chosen):
            result = model.simulate(
                self.system.start,
                self.system.condition(t),
                self._n_steps(slowest, scan.chosen),
                self.system.large.n_sites,
                self.system.n_patches(self.system.large_state),
                self.config["predict"]["paths"],
                stream(self.seed, "predict", round(1000 * t)),
            )
            paths.append((result.times, result.z))
        return paths

    def compare(
        self,
        small: list[list[Chunk]],
        direct: list[list[Chunk]],
        paths: list[tuple[np.ndarray, np.ndarray]],
        scan: TimeStepScan,
    ) -> OrderComparison:
        """Prediction beside truth."""
        vacancy = []
        scale = self.system.vacancy_scale
        for runs in small:
            late = [run["extra"][len(run["extra"]) // 2 :] * scale for run in runs]
            error = np.sqrt(np.mean([standard_error(x) ** 2 for x in late], axis=0) / len(late))
            vacancy.append((np.mean([x.mean(axis=0) for x in late], axis=0), error))
        first = [self.first_stationary(s, scan.chosen) for s in scan.slowest_chosen]
        return compare_order(self.system.order, self.temperatures, direct, paths, vacancy, first)

    @staticmethod
    def first_stationary(slowest: float, step: float) -> int:
        """First row of a direct run that counts as stationary."""
        return int(np.ceil(STATIONARY_AFTER * slowest / step))


def _residence_time(runs: list[Chunk]) -> float:
    return float(np.mean([run["tau_w"][0] for run in runs]))


def _concatenate(chunks: list[Chunk]) -> Chunk:
    return {name: np.concatenate([c[name] for c in chunks]) for name in chunks[0]}


def _check(config: dict[str, Any]) -> None:
    temperatures = config["conditions"]["temperatures_K"]
    if not temperatures or min(temperatures) <= 0:
        raise ValueError(f"conditions.temperatures_K must be above 0 K, not {temperatures}")
    for key in LEAST_1:
        table, name = key.split(".")
        if config[table][name] < 1:
            raise ValueError(f"{key} must be at least 1, not {config[table][name]}")
    for key in ("direct.runs", "sampling.healing_events", "learning.weight_decay"):
        table, name = key.split(".")
        if config[table][name] < 0:
            raise ValueError(f"{key} must not be negative, not {config[table][name]}")
    for key in ("direct.relaxation_times", "learning.learning_rate"):
        table, name = key.split(".")
        if not config[table][name] > 0:
            raise ValueError(f"{key} must be above 0, not {config[table][name]}")
    if config["learning"]["drift"] not in DRIFTS:
        drift = config["learning"]["drift"]
        raise ValueError(f"learning.drift must be one of {', '.join(DRIFTS)}, not {drift!r}")


def _check_steps(config: dict[str, Any], system: MicroSystem) -> None:
    """Steps must be whole samples, and small runs hold twice the longest lag of the scan."""
    steps, sample = config["sampling"]["dt_events"], system.record_events
    wrong = [h for h in steps if whole_ratio(h, sample) is None]
    if wrong or not steps:
        raise ValueError(f"sampling.dt_events must be multiples of {sample:g}, not {wrong}")
    least = system.least_small_events(max(steps))
    if config["small"]["events"] < least:
        raise ValueError(
            f"small.events must be at least {least:g} for the longest of sampling.dt_events, "
            f"not {config['small']['events']:g}"
        )
