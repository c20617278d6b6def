"""The study of stochastic predator-prey: means of u and v from waves, predicted from patches.

Everything from the small runs on is repeated with other seeds. The covariance that the likelihood
of a patch sees is lambda times that of the whole; paths are predicted for several lambda.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...learning.encoders.tile_closure import SeveralClosures
from ...rng import stream
from ...sampling.field_pairs import (
    Array,
    Closure,
    FieldSampling,
    pairs_chunk,
    start_of,
    tiles_chunk,
)
from ..kept import load_or_make
from ..stages import Chunk, Stages
from .findings import Findings
from .learning import fit_closures, learn_fields, predicted_paths
from .results import write_results
from .scan import ScanRow, scan_fields
from .settings import CLOSURES, WAYS, check_settings, sampling_of, system_of

CHUNK = 10
TILE_STARTS = 12
TRUTH, SECOND, HELD_OUT = range(3)


@dataclass(frozen=True)
class Repeat:
    """What one seed made.

    Attributes
    ----------
    number : int
    seed : int
    closures : SeveralClosures
    """

    number: int
    seed: int
    closures: SeveralClosures


class PredatorPreyStudy:
    """A study of predator-prey; made from its settings, which it checks first.

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
        self.system, self.sampling = system_of(config), sampling_of(config)
        self.kind = config["closure"]["kind"]

    @property
    def times(self) -> Array:
        """Times at which runs are compared."""
        table = self.config["direct"]
        return table["interval"] * np.arange(round(table["end"] / table["interval"]) + 1)

    def waves(self, table: str) -> list[tuple[float, float]]:
        """Initial waves (m, k) of the settings ``direct`` or ``closure``."""
        return list(product(self.config[table]["means"], self.config[table]["amplitudes"]))

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        self.stages = stages = Stages(folder, self.config["workers"])
        numbers = range(self.config["learning"]["repeats"])
        repeats = [stages.timed(f"closure {r}", self.repeat, r) for r in numbers]
        true, second = (
            stages.timed(f"direct runs {use}", self.direct, use, "direct", repeats[0])
            for use in (TRUTH, SECOND)
        )
        own = self.columns(repeats[0], self.kind)
        predicted = [stages.timed(f"prediction {r.number}", self.scan_lambda, r) for r in repeats]
        findings = Findings(
            times=self.times,
            true=true[..., own],
            second=second[..., own],
            predicted={k: np.stack([p[k] for p in predicted]) for k in predicted[0]},
            ways=stages.timed("other ways", self.other_ways, repeats[0]),
            closures=stages.timed("closures", self.compare_closures, repeats[0]),
            histories=[self.learn(r).trained.history for r in repeats],
            scan=stages.timed("scan", self.scan),
        )
        write_results(folder, self.config, stages, findings, quick)

    def repeat(self, number: int) -> Repeat:
        """Closures of one seed; of the first, all that are compared."""
        seed = int(stream(self.seed, "repeat", number).generate_state(1)[0])
        compared = self.config["closure"]["compare"] if number == 0 else []
        kinds = [kind for kind in CLOSURES if kind == self.kind or kind in compared]
        key = f"tiles/{number}"
        tiles = self.stages.chunks(key, tiles_chunk, {key: (self.sampling, TILE_STARTS, seed)})
        folder = self.stages.folder / "model" / f"encoder{number}"
        table = self.config["closure"]
        return Repeat(number, seed, fit_closures(folder, tiles[key]["tiles"], kinds, table, seed))

    def columns(self, repeat: Repeat, kind: str) -> list[int]:
        """Columns of z that belong to the means and one closure."""
        return repeat.closures.columns(kind, len(self.system.names))

    def learn(self, repeat: Repeat, kind: str = "", way: str = "") -> Any:
        """The model of one closure and way to sample, the study's own by default."""
        kind = kind or self.kind
        from ...learning.models.macro_model import MacroModel

        sampling = sampling_of(self.config, **WAYS[way]) if way else self.sampling
        name = f"{repeat.number}-{kind}" + (f"-{way.replace(' ', '-')}" if way else "")
        folder = self.stages.folder / "model" / name

        def make() -> MacroModel:
            pairs = self.pairs(repeat, sampling, way)
            columns, table = self.columns(repeat, kind), self.config["learning"]
            return learn_fields(folder, sampling, pairs, columns, table, repeat.seed)

        return load_or_make(lambda: MacroModel.load(folder), make)

    def pairs(self, repeat: Repeat, sampling: FieldSampling, way: str) -> Chunk:
        """Training pairs of one way to sample."""
        starts = self.config["sampling"]["starts"]
        name = f"pairs/{repeat.number}-{way.replace(' ', '-') or 'own'}"
        jobs = {
            f"{name}/{k}": (sampling, min(CHUNK, starts), repeat.closures, repeat.seed, k)
            for k in range(-(-starts // CHUNK))
        }
        parts = list(self.stages.chunks(name, pairs_chunk, jobs).values())
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def direct(self, use: int, table: str, repeat: Repeat) -> Array:
        """Direct runs, shape (n_waves, runs, n_t, d), closure variables included."""
        dt, closure = self.config["system"]["time_step"], repeat.closures
        common = (self.sampling, self.times, dt, self.config["direct"]["runs"], closure)
        jobs = {
            f"direct/{use}/{k}": (*common, wave, stream(self.seed, "direct", use, k))
            for k, wave in enumerate(self.waves(table))
        }
        done = self.stages.chunks("direct runs", direct_chunk, jobs)
        return np.stack([done[key]["z"] for key in jobs])

    def predict(
        self, name: str, model: Any, repeat: Repeat, kind: str, table: str, factor: float
    ) -> Array:
        """Predicted runs, shape (n_waves, runs, n_t, d)."""
        half_waves = self.config["sampling"]["half_waves"]
        fields = np.concatenate([self.system.wave(m, k, half_waves) for m, k in self.waves(table)])
        starts = start_of(self.sampling.patches, fields, repeat.closures)
        key, seed = f"predicted/{name}", stream(repeat.seed, "predict")
        runs, steps = self.config["direct"]["runs"], len(self.times) - 1
        interval = self.config["direct"]["interval"]
        job = (model, starts[:, self.columns(repeat, kind)], factor, runs, steps, interval, seed)
        return self.stages.chunks("prediction", predict_chunk, {key: job})[key]["z"]

    def scan_lambda(self, repeat: Repeat) -> dict[float, Array]:
        """Predicted runs by lambda."""
        model, own = self.learn(repeat), repeat.number
        factors = {*self.config["prediction"]["lambdas"], float(self.sampling.patches.number)}
        return {
            factor: self.predict(f"{own}-{factor:g}", model, repeat, self.kind, "direct", factor)
            for factor in sorted(factors)
        }

    def other_ways(self, repeat: Repeat) -> dict[str, Array]:
        """Predicted runs by way to sample, with the right lambda."""
        k = float(self.sampling.patches.number)
        return {
            way: self.predict(
                f"way-{way.replace(' ', '-')}",
                self.learn(repeat, way=way),
                repeat,
                self.kind,
                "direct",
                k,
            )
            for way in self.config["prediction"]["ways"]
        }

    def compare_closures(self, repeat: Repeat) -> dict[str, tuple[Array, Array]]:
        """Predicted and direct means of u and v from other waves, by closure."""
        kinds: Sequence[str] = self.config["closure"]["compare"]
        if not kinds:
            return {}
        true, k = self.direct(HELD_OUT, "closure", repeat), float(self.sampling.patches.number)
        found = {}
        for kind in kinds:
            model = self.learn(repeat, kind)
            runs = self.predict(f"closure-{kind}", model, repeat, kind, "closure", k)
            found[kind] = (runs[..., :2], true[..., :2])
        return found

    def scan(self) -> list[ScanRow]:
        """Patches against wholes, by time step, buffer and boundary."""
        table = self.config["scan"]
        job = (self.sampling, table["times"], table["buffers"], table["starts"], self.seed)
        return scan_fields(self.stages, *job)


def direct_chunk(
    sampling: FieldSampling,
    times: Array,
    dt: float,
    runs: int,
    closure: Closure,
    wave: tuple[float, float],
    seed: np.random.SeedSequence,
) -> dict[str, Array]:
    """Direct runs from one wave: means and closure variables at all times."""
    system: Any = sampling.patches.system
    start = system.wave(np.full(runs, wave[0]), wave[1], sampling.half_waves)
    frames = system.run(start, times, dt, seed)
    flat = frames.reshape(-1, *frames.shape[2:])
    return {"z": start_of(sampling.patches, flat, closure).reshape(runs, len(times), -1)}


def predict_chunk(*inputs: Any) -> dict[str, Array]:
    """As `predicted_paths`."""
    return {"z": predicted_paths(*inputs)}
