"""What a study of a person's own system does, from its settings, checked once."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Array
from ...refusals import Refused
from ...rng import stream
from ...systems.base import Condition, Plan, System
from ...systems.soundness import require_sound
from ..registry import system_class
from ..road import Lane
from ..settings import DRIFTS, LEARNING, require_choices, require_numbers

LEAST = {
    **dict.fromkeys(("sampling.small", "sampling.large", "direct.steps", "checks.check_runs"), 1),
    **LEARNING,
    "sampling.starts": 5,
    "direct.initial_states": 1,
    "direct.runs": 2,
    "sampling.buffer": 0,
    "sampling.relax_time": 0,
}
ABOVE_0 = ("direct.interval", "learning.learning_rate")
CHUNK = 16
MOST_CONDITIONS = 1000


@dataclass(frozen=True)
class OwnDesign:
    """A system, and all that is done with it.

    ``starts`` and ``check_runs`` are small runs for each condition, to learn from and to check;
    ``initial_states``, ``runs``, ``steps`` and ``interval`` those of direct runs and predictions.
    """

    system: System
    plan: Plan
    conditions: tuple[Condition, ...]
    starts: int
    check_runs: int
    initial_states: int
    runs: int
    steps: int
    interval: float
    learning: Mapping[str, Any]
    seed: int

    @classmethod
    def of(cls, config: dict[str, Any], system: System | None = None) -> OwnDesign:
        """From settings; of a system that is there, or of the class that they name.

        Raises
        ------
        ValueError
            Naming the setting and what is wrong with it.
        """
        require_choices(config, {"learning.drift": DRIFTS})
        require_numbers(config, LEAST, ABOVE_0)
        if not config["sampling"]["dt"] > 0:
            raise ValueError(
                "sampling.dt, how long a patch evolves alone, must be given, above 0: "
                "--set sampling.dt=TIME"
            )
        made = system_of(config["system"]) if system is None else system
        sampling, direct = config["sampling"], config["direct"]
        plan, conditions = plan_of(made, sampling), conditions_of(config.get("conditions", {}))
        require_sound(made, plan, conditions[0])
        return cls(
            system=made,
            plan=plan,
            conditions=conditions,
            starts=sampling["starts"],
            check_runs=config["checks"]["check_runs"],
            initial_states=direct["initial_states"],
            runs=direct["runs"],
            steps=direct["steps"],
            interval=direct["interval"] * sampling["dt"],
            learning=config["learning"],
            seed=config["seed"],
        )

    @property
    def times(self) -> Array:
        """Times at which runs are compared."""
        return self.interval * np.arange(self.steps + 1, dtype=np.float64)

    @property
    def sites(self) -> float:
        """Sites of the large system."""
        return float(self.plan.large**self.system.dimension)

    def lane(self, number: int) -> Lane:
        """Of a condition."""
        return Lane(
            f"{number}",
            self.system,
            self.plan,
            self.starts,
            self.seed,
            "own-pairs",
            (number,),
            condition=self.conditions[number],
            chunk=CHUNK,
        )

    def start(self, number: int, k: int) -> np.random.SeedSequence:
        """What an initial state of the large system is drawn from."""
        return stream(self.seed, "own-start", number, k)

    def label(self, number: int) -> str:
        """Of a condition, for people; "" if there is only one."""
        if len(self.conditions) == 1:
            return ""
        return ", ".join(f"{name} = {value:g}" for name, value in self.conditions[number].items())

    def events(self) -> dict[str, dict[str, float]]:
        """Sites times the time that each evolves, by stage and route."""
        d, n = self.system.dimension, len(self.conditions)
        horizon, runs = float(self.times[-1]), n * self.initial_states * self.runs
        learned = {k: n * v for k, v in self.plan.events(self.starts, d).items()}
        return {"learned": learned, "direct": {"direct runs": runs * self.sites * horizon}}


def system_of(table: Mapping[str, Any]) -> System:
    """The system of the settings ``system``.

    ValueError if there is no such class, or it refuses its arguments.
    """
    if not table["class"]:
        raise ValueError('system.class must name a class, such as "my_module:Potts"')
    own = system_class(table["class"])
    arguments = {k: v for k, v in table.items() if k not in ("model", "class")}
    try:
        inspect.signature(own).bind(**arguments)
        return own(**arguments)
    except (TypeError, ValueError) as error:
        given = ", ".join(arguments) or "no arguments"
        raise ValueError(f"system: {table['class']} with {given}: {error}") from error


def plan_of(system: System, table: Mapping[str, Any]) -> Plan:
    """The plan of the settings ``sampling``. ValueError naming what is wrong."""
    dt = table["dt"]
    try:
        plan = system.plan(
            small=table["small"],
            large=table["large"],
            ages=tuple(dt * age for age in table["ages"]),
            relax_time=dt * table["relax_time"],
            dt=dt,
            buffer=table["buffer"],
            boundary=table["boundary"],
        )
    except ValueError as error:
        raise ValueError(f"sampling: {error}") from error
    if table["starts"] * len(plan.ages) < 100:
        raise Refused(
            f"sampling.starts must be at least 5, and 100 states in all, not {table['starts']}",
            {"sampling.starts": math.ceil(100 / len(plan.ages))},
        )
    return plan


def conditions_of(table: Mapping[str, Any]) -> tuple[Condition, ...]:
    """All combinations of the values of the settings ``conditions``.

    ValueError if one is no number.
    """
    lists = {}
    for name, values in table.items():
        lists[name] = list(values) if isinstance(values, (list, tuple)) else [values]
        wrong = [v for v in lists[name] if isinstance(v, bool) or not isinstance(v, (int, float))]
        if wrong or not lists[name]:
            raise ValueError(f"conditions.{name} must be numbers, not {values!r}")
    made = [dict(zip(lists, map(float, row))) for row in itertools.product(*lists.values())]
    if len(made) > MOST_CONDITIONS:
        raise ValueError(f"conditions make {len(made)} combinations, more than {MOST_CONDITIONS}")
    return tuple(made)
