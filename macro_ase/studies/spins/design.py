"""What a study of a spin model does, from its settings, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Array
from ...ratios import either, near_divisors
from ...refusals import Refused
from ...rng import stream
from ...systems.base import BOUNDARIES, Closure, no_closure
from ...systems.curie_weiss import CurieWeissSystem
from ...systems.ising import IsingSystem
from ...systems.spin_system import SpinPlan, SpinSystem
from ..road import PREDICTED, Lane, Prediction
from ..settings import DRIFTS, LEARNING, require_choices, require_numbers, setting

MOST_STARTS, MOST_SITES = 64, 2**28  # of the large states of a chunk
BASELINES = ("none", "naive")
CLOSURES = ("none", "correlations", "encoder")
SYSTEMS: dict[str, type[SpinSystem]] = {"curie-weiss": CurieWeissSystem, "ising": IsingSystem}
LEAST = {**LEARNING, "direct.steps": 1, "system.side": 4, "sampling.relax_time": 0}
ABOVE_0 = ("sampling.dt", "direct.interval", "learning.learning_rate", "system.temperature")
CHOICES = {
    "sampling.boundary": BOUNDARIES,
    "learning.drift": DRIFTS,
    "learning.baseline": BASELINES,
}


@dataclass(frozen=True)
class Direct:
    """The settings ``direct``."""

    magnetisations: list[float]
    runs: int
    steps: int
    interval: float
    few_runs: int


@dataclass(frozen=True)
class Scanned:
    """The settings ``scan``."""

    patch: int
    times: list[float]
    states: int
    magnetisation: float
    age: float
    buffers: list[int]


@dataclass(frozen=True)
class Closures:
    """The settings ``closure``; without such a table there are no closure variables."""

    kind: str = "none"
    compare: list[str] = field(default_factory=list)
    compare_patch: int = 0
    magnetisations: list[float] = field(default_factory=list)
    runs: int = 1
    variables: int = 1
    channels: int = 1
    steps: int = 1

    def kinds(self, patch: int) -> list[str]:
        """Those that are measured on patches of a side: one, or those that are compared."""
        compared = self.compare if patch == self.compare_patch else []
        return [kind for kind in CLOSURES if kind == self.kind or kind in compared]


@dataclass(frozen=True)
class SpinDesign:
    """A spin model, and all that is done with it.

    ``plans`` are by side of the patches; ``starts`` are small runs; ``learning`` holds options of
    training; ``direct``, ``scan`` and ``closures`` are settings.
    """

    system: SpinSystem
    plans: dict[int, SpinPlan]
    starts: int
    learning: Mapping[str, Any]
    direct: Direct
    scan: Scanned
    closures: Closures
    seed: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> SpinDesign:
        """From settings.

        Raises
        ------
        ValueError
            Naming the setting and what is wrong with it.
        """
        _check(config)
        system, sampling, learning = (config[k] for k in ("system", "sampling", "learning"))
        low, high = sampling["magnetisation"]
        plans = {
            patch: SpinPlan(
                small=patch,
                large=system["side"],
                magnetisation=(low, high),
                ages=tuple(sampling["times"]),
                relax_time=sampling["relax_time"],
                dt=sampling["dt"],
                buffer=sampling.get("buffer", 0),
                boundary=sampling["boundary"],
                baseline=learning["baseline"],
            )
            for patch in sampling["patches"]
        }
        return cls(
            SYSTEMS[system["model"]](system["temperature"], system["field"]),
            plans,
            sampling["starts"],
            {key: value for key, value in learning.items() if key != "baseline"},
            Direct(**config["direct"]),
            Scanned(**{"buffers": [0]} | config["scan"]),
            Closures(**config.get("closure", {})),
            config["seed"],
        )

    @property
    def side(self) -> int:
        """Of the large system."""
        return next(iter(self.plans.values())).large

    @property
    def times(self) -> Array:
        """Times at which runs are compared."""
        return self.direct.interval * np.arange(self.direct.steps + 1, dtype=np.float64)

    def lane(self, patch: int, closure: Closure = no_closure) -> Lane:
        """Of the patches of a side."""
        name, items = str(patch), (patch,)
        plan = self.plans[patch]
        chunk = max(1, min(MOST_STARTS, MOST_SITES // (self.side**2 * len(plan.ages))))
        own = (name, self.system, plan, self.starts, self.seed, "spin-pairs", items)
        return Lane(*own, closure=closure, chunk=chunk)

    def start_seed(self, number: int, use: int) -> np.random.SeedSequence:
        """Of states of the initial mean spin of a number."""
        return stream(self.seed, "start", number, use)

    def prediction(self, members: int, columns: list[int]) -> Prediction:
        """Of as many runs as direct ones, from the same initial mean spins."""
        direct = self.direct
        starts = [(m, self.start_seed(k, PREDICTED)) for k, m in enumerate(direct.magnetisations)]
        when = (direct.runs, direct.steps, direct.interval)
        kept = len(self.system.names)
        return Prediction(starts, *when, self.side**2, columns=columns, kept=kept)

    def events(self) -> dict[str, dict[str, float]]:
        """Attempts to flip by stage and route."""
        learned: dict[str, float] = {}
        for patch, plan in self.plans.items():
            own = plan.events(self.starts, self.system.dimension)
            learned |= {f"{stage}, {patch} x {patch}": number for stage, number in own.items()}
        runs = len(self.direct.magnetisations) * self.direct.runs
        return {
            "learned": learned,
            "direct": {"direct runs": runs * self.side**2 * float(self.times[-1])},
        }


def _check(config: dict[str, Any]) -> None:
    """Refuse settings that make no sense, naming them."""
    require_numbers(config, LEAST, ABOVE_0)
    require_choices(config, CHOICES)
    side, table = config["system"]["side"], config["sampling"]
    wrong = [p for p in table["patches"] if p < 4 or side % p]
    if wrong or not table["patches"]:
        near = near_divisors((wrong or [side])[0], side, 4)
        raise Refused(
            f"sampling.patches must be sides from 4 on that divide system.side = {side}, "
            f"not {wrong or table['patches']}: the nearest is {either(near)}",
            {"sampling.patches": near[:1]},
        )
    _check_buffer("sampling.buffer", table.get("buffer", 0), table["patches"], side)
    low_high = table["magnetisation"]
    if len(low_high) != 2 or not -1 <= low_high[0] < low_high[1] <= 1:
        raise ValueError(
            f"sampling.magnetisation must be two ascending numbers from -1 to 1, not {low_high}"
        )
    times, starts = table["times"], table["starts"]
    if not times or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"sampling.times must ascend from 0 or later, not {times}")
    if starts * len(times) < 100 or starts < 5:
        text = f"sampling.starts must be at least 5, and 100 states in all, not {starts}"
        raise Refused(text, {"sampling.starts": max(5, 100 // len(times) + 1)})
    _require_spins(config, "direct.magnetisations")
    direct = config["direct"]
    if not 1 <= direct["few_runs"] <= direct["runs"] or direct["runs"] < 2:
        raise ValueError(
            f"direct.runs = {direct['runs']} must be at least 2, and direct.few_runs = "
            f"{direct['few_runs']} at least 1 and no larger"
        )
    _check_scan(config)
    if "closure" in config:
        _check_closure(config)


def _check_buffer(key: str, buffer: int, patches: list[int], side: int) -> None:
    """Refuse a buffer that meets itself around the system; patches that fill it need none."""
    widest = min([(side - patch) // 2 for patch in patches if patch < side], default=buffer)
    if not 0 <= buffer <= widest:
        raise ValueError(
            f"{key} must be from 0 to {widest} for patches of {patches} in a system of side "
            f"{side}, not {buffer}"
        )


def _require_spins(config: dict[str, Any], key: str) -> None:
    values = setting(config, key)
    if not values or not all(-1 <= m <= 1 for m in values):
        raise ValueError(f"{key} must lie in -1..1, not {values}")


def _check_scan(config: dict[str, Any]) -> None:
    table, side = config["scan"], config["system"]["side"]
    if table["patch"] < 4 or side % table["patch"]:
        raise ValueError(
            f"scan.patch must divide system.side = {side}, not {table['patch']}: the "
            f"nearest is {either(near_divisors(table['patch'], side, 4))}"
        )
    if not table["times"] or min(table["times"]) <= 0:
        raise ValueError(f"scan.times must be above 0, not {table['times']}")
    for buffer in table.get("buffers", []):
        _check_buffer("scan.buffers", buffer, [table["patch"]], side)
    least = {"scan.states": 2, "scan.age": 0, "scan.magnetisation": -1}
    require_numbers(config, least, (), {"scan.magnetisation": 1})


def _check_closure(config: dict[str, Any]) -> None:
    table, patches = config["closure"], config["sampling"]["patches"]
    require_choices(config, {"closure.kind": CLOSURES, "closure.compare": CLOSURES})
    keys = ("closure.variables", "closure.channels", "closure.steps", "closure.runs")
    require_numbers(config, dict.fromkeys(keys, 1), ())
    _require_spins(config, "closure.magnetisations")
    if "encoder" in (table["kind"], *table["compare"]) and min(patches) < 5:
        raise ValueError(f"an encoder needs sampling.patches of a side from 5 on, not {patches}")
