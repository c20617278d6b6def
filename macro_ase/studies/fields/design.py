"""What a study of a field system does, from its settings, checked once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import numpy as np

from ...arrays import Array
from ...refusals import Refused
from ...rng import stream
from ...systems.allen_cahn import AllenCahnMeans
from ...systems.base import Closure
from ...systems.field import FieldPlan, FieldSystem
from ...systems.predator_prey import PredatorPrey
from ..road import Lane
from ..settings import (
    DRIFTS,
    LEARNING,
    require_choices,
    require_multiple,
    require_numbers,
    require_steps,
)

WAYS: dict[str, dict[str, Any]] = {
    "single increments": {"increments": "single"},
    "unit spacing": {"spacing": 1.0},
    "unrelaxed": {"relax_time": 0.0},
    "periodic patches": {"boundary": "periodic", "buffer": 0},
}
"""Other ways to sample, as changes of the settings ``sampling``."""
LEAST = {
    **LEARNING,
    **{f"closure.{name}": 1 for name in ("variables", "channels", "steps")},
    **dict.fromkeys(("sampling.early_age", "sampling.relax_time", "scan.buffers"), 0),
    **{"learning.repeats": 1, "scan.starts": 1, "direct.runs": 2, "sampling.starts": 5},
}
ABOVE_0 = (
    *(f"sampling.{k}" for k in ("dt", "interval", "early_interval", "last_age", "spacing")),
    *("direct.end", "direct.interval", "learning.learning_rate", "system.time_step"),
    *("prediction.lambdas", "scan.times"),
)
CHUNK, CHECKED_AGES, MOST_STATES = 10, 4, 1000


SYSTEMS: dict[str, tuple[type[FieldSystem], float]] = {
    "predator-prey": (PredatorPrey, 0),
    "allen-cahn": (AllenCahnMeans, -1),
}
"""Systems that ship, by the setting ``system.model``, with the lowest mean of an initial state."""
PLANNED = {field.name for field in fields(FieldPlan)}


@dataclass(frozen=True)
class FieldDesign:
    """A field system, and all that is done with it.

    ``plans`` are by way to sample, the study's own under ""; ``scan`` has those whose patches are
    checked against wholes, the study's own first; ``starts`` and ``checked`` are small runs to
    learn from and to check; ``encoder`` has its variables, channels and steps; ``direct`` and
    ``held_out`` hold initial states, as `FieldSystem.start` takes them.
    """

    system: FieldSystem
    plans: Mapping[str, FieldPlan]
    scan: Mapping[str, FieldPlan]
    starts: int
    checked: int
    kind: str
    compared: tuple[str, ...]
    encoder: tuple[int, int, int]
    repeats: int
    learning: Mapping[str, Any]
    direct: list[Any]
    held_out: list[Any]
    runs: int
    times: Array
    lambdas: tuple[float, ...]
    seed: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> FieldDesign:
        """From settings.

        Raises
        ------
        ValueError
            Naming the setting and what is wrong with it.
        """
        system = _checked_system(config)
        closure, direct, learning = (config[k] for k in ("closure", "direct", "learning"))
        every, seed = direct["interval"], config["seed"]
        steps = require_multiple(direct["end"], every, "direct.end", "direct.interval")
        ways: dict[str, Any] = {"": {}} | {way: WAYS[way] for way in config["prediction"]["ways"]}
        return cls(
            system=system,
            plans={way: _plan(config, system, **changes) for way, changes in ways.items()},
            scan=_scan(config, system),
            starts=config["sampling"]["starts"],
            checked=config["scan"]["starts"],
            kind=closure["kind"],
            compared=tuple(closure["compare"]),
            encoder=(closure["variables"], closure["channels"], closure["steps"]),
            repeats=learning["repeats"],
            learning={key: value for key, value in learning.items() if key != "repeats"},
            direct=_starts(direct, seed, 0),
            held_out=_starts(closure, seed, 1),
            runs=direct["runs"],
            times=every * np.arange(steps + 1),
            lambdas=tuple(config["prediction"]["lambdas"]),
            seed=seed,
        )

    @property
    def plan(self) -> FieldPlan:
        """The study's own."""
        return self.plans[""]

    @property
    def k(self) -> float:
        """K, patches of the large system."""
        return self.sites / self.plan.sites_per_pair(self.system.dimension)

    @property
    def sites(self) -> float:
        """Cells of the large system."""
        return float(self.plan.large**self.system.dimension)

    def seed_of(self, repeat: int) -> int:
        """Of one repetition of everything from the small runs on."""
        return int(stream(self.seed, "repeat", repeat).generate_state(1)[0])

    def lane(self, repeat: int, closure: Closure, way: str = "") -> Lane:
        """Of a repetition and a way to sample."""
        own = (f"{repeat}-{slug(way) or 'own'}", self.system, self.plans[way], self.starts)
        return Lane(*own, self.seed_of(repeat), "field-pairs", closure=closure, chunk=CHUNK)

    def checked_lane(self, number: int) -> Lane:
        """Of a plan of the scan."""
        plan = list(self.scan.values())[number]
        return Lane(f"{number}", self.system, plan, self.checked, self.seed, "", (number,))

    def small_lane(self, closure: Closure) -> Lane:
        """Of the small system by itself, as if it were a large one."""
        side, spacing, lane = self.plan.small, self.plan.spacing, self.lane(0, closure)
        alone = replace(self.plan, large=side, core=0, buffer=0, spacing=1.0, boundary="frozen")
        return replace(lane, system=self.system.on_grid(side, spacing), plan=alone)

    def events(self) -> dict[str, dict[str, float]]:
        """Cells times the time that each evolves, by stage and route; of one repetition."""
        learned = self.plan.events(self.starts, self.system.dimension)
        time = len(self.direct) * self.runs * float(self.times[-1])
        return {"learned": learned, "direct": {"direct runs": time * self.sites}}


def slug(way: str) -> str:
    """A way to sample in names of chunks and models."""
    return way.replace(" ", "-")


def _checked_system(config: dict[str, Any]) -> FieldSystem:
    table, sampling = dict(config["system"]), config["sampling"]
    kind, lowest = SYSTEMS[table.pop("model")]
    pairs = product(("sampling", "closure", "direct"), ("means", "amplitudes"))
    ranges = [f"{name}.{key}" for name, key in pairs if key in config[name]]
    least, most = LEAST | dict.fromkeys(ranges, lowest), dict.fromkeys(ranges, 1)
    states = [f"{k}.initial_states" for k in ("direct", "closure") if "initial_states" in config[k]]
    least, most = least | dict.fromkeys(states, 1), most | dict.fromkeys(states, MOST_STATES)
    require_numbers(config, least, ABOVE_0, most)
    initial = {k: v for k, v in sampling.items() if hasattr(kind, k) and k not in PLANNED}
    for key in initial.keys() & {"means", "amplitudes"}:
        if len(initial[key]) != 2 or initial[key][0] > initial[key][1]:
            raise ValueError(f"sampling.{key} must be two ascending numbers, not {initial[key]}")
    step = table.pop("time_step")
    try:
        system = kind(**table).changed(time_step=step, **initial)
        system.number_of_steps(sampling["dt"], system.step)
    except ValueError as error:
        raise ValueError(f"system: {error}") from error
    lines = system.dimension == 1 and len(system.fields) == 2
    closures = ("none", *system.closures, *(("encoder",) if lines else ()))
    choices = {"learning.drift": DRIFTS, "prediction.ways": tuple(WAYS)}
    require_choices(config, choices | dict.fromkeys(("closure.kind", "closure.compare"), closures))
    for key in ("sampling.dt", "scan.times", "sampling.last_age", "direct.end"):
        require_steps(config, {"system.time_step": key}, beyond=True)
    parts = ("sampling.early_interval", "sampling.interval")
    require_steps(config, dict.fromkeys(parts, "sampling.last_age"))
    require_steps(config, {"direct.interval": "direct.end"})
    if sampling["starts"] * len(_ages(sampling)) < 100:
        raise Refused(
            f"sampling.starts must make 100 states in all, or more, not {sampling['starts']}",
            {"sampling.starts": math.ceil(100 / len(_ages(sampling)))},
        )
    return system


def _plan(
    config: dict[str, Any], system: FieldSystem, of: str = "sampling", **changes: Any
) -> FieldPlan:
    table = config["sampling"] | changes
    own = {key: table[key] for key in PLANNED & table.keys()}
    try:
        return system.plan(**own, large=system.grid[0], core=table["patch"], ages=_ages(table))
    except ValueError as error:
        raise ValueError(f"{of}: {error}") from error


def _scan(config: dict[str, Any], system: FieldSystem) -> dict[str, FieldPlan]:
    """Plans by label, of a few ages: every time step with every buffer and periodic patches."""
    shapes: list[dict[str, Any]] = [{"buffer": b} for b in config["scan"]["buffers"]]
    plans: dict[str, FieldPlan] = {}
    for dt in (config["sampling"]["dt"], *config["scan"]["times"]):
        for shape in ({}, *shapes, WAYS["periodic patches"]):
            plan = _plan(config, system, "scan", **shape, dt=dt)
            few = plan.ages[:: -max(1, len(plan.ages) // CHECKED_AGES)][:CHECKED_AGES][::-1]
            label = f"dt {dt:g}, {plan.boundary}, buffer {plan.buffer}"
            plans.setdefault(label, replace(plan, ages=few))
    return plans


def _starts(table: dict[str, Any], seed: int, use: int) -> list[Any]:
    """Initial states: waves (m, k), or seeds of states that are drawn."""
    if "initial_states" in table:
        return [stream(seed, "field-start", use, k) for k in range(table["initial_states"])]
    return list(product(table["means"], table["amplitudes"]))


def _ages(table: dict[str, Any]) -> tuple[float, ...]:
    """Ages of the kept states of small runs."""
    early, last = min(table["early_age"], table["last_age"]), table["last_age"]
    step, every, left = table["early_interval"], table["interval"], 0
    name = "sampling.early_age" if early < last else "sampling.last_age"
    first = require_multiple(early, step, name, "sampling.early_interval") if early > 0 else 0
    if last > early:
        name = "sampling.last_age - sampling.early_age"
        left = require_multiple(last - early, every, name, "sampling.interval")
    return (*(step * k for k in range(first)), *(early + every * k for k in range(left + 1)))
