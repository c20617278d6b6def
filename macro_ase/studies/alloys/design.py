"""The settings of a study of an alloy, typed and checked once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...engines.vacancies.fraction import VacancyFraction
from ...observables.past import Memory
from ...refusals import Refused
from ...rng import stream
from ...systems import MODELS
from ...systems.alloy import Alloy
from ...systems.alloy_crystals import AlloyCrystals, Codes
from ..settings import DRIFTS, LEARNING, require_choices, require_numbers, setting
from .sampling_settings import check_growth, check_steps, sampling_of

STATIONARY_AFTER = 6.0
"""Slowest relaxation times after which a run counts as stationary."""
LEAST_1 = ("small.runs", "small.events", "sampling.copies", "sampling.repeats", "predict.paths")
NOT_NEGATIVE = (
    "direct.runs",
    "small.treated",
    "sampling.healing_events",
    "sampling.patches_per_state",
    "sampling.memory_events",
    "learning.patience",
)
MOST = {"small.treated": 0.9}
ABOVE_0 = ("direct.relaxation_times", "learning.learning_rate")
SETTINGS = {
    "small_runs": "small.runs",
    "small_treated": "small.treated",
    "copies": "sampling.copies",
    "repeats": "sampling.repeats",
    "patches_per_state": "sampling.patches_per_state",
    "healing_events": "sampling.healing_events",
    "dt_events": "sampling.dt_events",
    "direct_runs": "direct.runs",
    "paths": "predict.paths",
}
"""Where the numbers of a `Design` come from."""
BY_TEMPERATURE = {
    "small_events": "small.events",
    "relaxation_times": "direct.relaxation_times",
    "memory_events": "sampling.memory_events",
}
"""The same of numbers for every temperature, in settings that may be one number for all."""


@dataclass(frozen=True)
class Design:
    """What a study of an alloy is to do: `SETTINGS` by name, temperatures ascending in K.

    ``small_events``, ``relaxation_times`` and ``memory_events`` are by temperature.

    The share ``small_treated`` of the small runs begins where one at another temperature ended;
    with ``early_parts`` the likelihood knows their first halves, too.
    Patches are those of large states that were grown from small ones, or, without ``grow``, of the
    small states themselves. The model remembers the past of a state over ``memory_events``
    (`observables.past`), unless they are 0. ``notes`` say how the system was made; ``learning``
    holds options of `TrainingOptions`, ``vacancy_fraction`` is that of the laboratory, if it is
    known, and ``label`` comes before the names of chunks, where a run holds those of several
    designs.
    """

    system: AlloyCrystals
    notes: tuple[str, ...]
    temperatures: tuple[float, ...]
    learning: Mapping[str, Any]
    seed: int
    small_runs: int
    small_events: Mapping[float, float]
    copies: int
    repeats: int
    healing_events: float
    dt_events: list[float]
    direct_runs: int
    relaxation_times: Mapping[float, float]
    paths: int
    grow: bool = True
    patches_per_state: int = 0
    memory_events: Mapping[float, float] = field(default_factory=dict)
    vacancy_fraction: VacancyFraction | None = None
    label: str = ""
    small_treated: float = 0.0
    early_parts: bool = False

    @classmethod
    def of(cls, config: dict[str, Any]) -> Design:
        """From settings, which are checked."""
        temperatures = config["conditions"]["temperatures_K"]
        if not temperatures or min(temperatures) <= 0:
            raise ValueError(f"conditions.temperatures_K must be above 0 K, not {temperatures}")
        config = config | {"sampling": sampling_of(config["sampling"])}
        config["small"] = {"treated": 0.0, **config["small"]}
        least = {**dict.fromkeys(LEAST_1, 1), **LEARNING}
        require_numbers(config, least, ABOVE_0, MOST, NOT_NEGATIVE)
        require_choices(config, {"learning.drift": DRIFTS})
        system, notes = MODELS[config["system"]["model"]](config)
        numbers = {name: setting(config, key) for name, key in SETTINGS.items()}
        numbers |= {name: _by_temperature(config, key) for name, key in BY_TEMPERATURE.items()}
        check_steps(config["sampling"]["dt_events"], min(numbers["small_events"].values()), system)
        grow = config["sampling"]["grow"]
        check_growth(config["sampling"], numbers["memory_events"].values())
        ordered = tuple(sorted(set(temperatures)))
        own = (system, tuple(notes), ordered, config["learning"], config["seed"])
        fraction = _vacancy_fraction(config, ordered)
        early = config["sampling"]["early_parts"]
        design = cls(*own, **numbers, grow=grow, vacancy_fraction=fraction, early_parts=early)
        most = design.sampled_sizes[1]
        if design.patches_per_state > most:
            raise Refused(
                f"sampling.patches_per_state must be at most {most}, the patches of a state (0: "
                f"all of them), not {design.patches_per_state}",
                {"sampling.patches_per_state": most},
            )
        return design

    @cached_property
    def sampled(self) -> AlloyCrystals:
        """The system whose large states patches are of."""
        return self.system if self.grow else self.system.alone()

    @property
    def sampled_sizes(self) -> tuple[int, int]:
        """Sites and patches K of a state from which patches evolve."""
        small = self.system.alone()
        copies = self.sampled.large.n_sites // small.large.n_sites
        return self.sampled.large.n_sites, copies * small.n_patches(small.large_state)

    @property
    def remembers(self) -> bool:
        """Whether the model knows the past of states."""
        return any(self.memory_events.values())

    @cached_property
    def memory(self) -> Memory:
        """Events of the memory against 1000 K / T."""
        own = self.memory_events
        return Memory.through([1000 / t for t in own], list(own.values()))

    @property
    def small_share(self) -> float:
        """Sites of a small crystal over those of a state from which patches evolve."""
        return self.system.alone().large.n_sites / self.sampled_sizes[0]

    @property
    def sites_per_patch(self) -> float:
        """n_s of the states from which patches evolve."""
        n, k = self.sampled_sizes
        return n / k

    @property
    def n_patches(self) -> float:
        """K of the large system; patches with sites of their own need not divide it."""
        if isinstance(self.system, Alloy):
            return self.system.n_patches(self.system.large_state)
        return self.system.large.n_sites / self.sites_per_patch

    @property
    def n_evolved(self) -> int:
        """Patches of a state that evolve."""
        return self.patches_per_state or self.sampled_sizes[1]

    def start(self, temperature: float, run: int) -> Codes:
        """Where a direct run starts: the crystal that was given, or a random one of its own."""
        return self.system.large_start(stream(self.seed, "start", round(1000 * temperature), run))

    def laboratory_scale(self, temperature: float) -> tuple[float, float]:
        """Seconds in the laboratory to a simulated one, and the relative error; 0, 0: unknown."""
        if self.vacancy_fraction is None:
            return 0.0, 0.0
        share = float(self.system.order.fractions[-1])
        scale = self.vacancy_fraction.time_scale(temperature, share)
        return scale, self.vacancy_fraction.log_error(temperature)

    def keys(self, stage: str, temperature: float) -> list[str]:
        """Of the chunks of a stage at a temperature: "small", "pairs" or "direct"."""
        runs = self.direct_runs if stage == "direct" else self.small_runs
        numbers = [f"{r}" for r in range(runs)]
        if stage == "pairs":
            numbers = [f"{c}/{r}" for c in range(self.copies) for r in numbers]
        return [f"{self.label}{stage}/{temperature!r}/{number}" for number in numbers]

    @property
    def fresh_runs(self) -> int:
        """Small runs at each temperature that begin with a crystal of their own."""
        treated = self.small_treated if len(self.temperatures) > 1 else 0
        return self.small_runs - math.floor(treated * self.small_runs)

    def begun_from(self, temperature: float, run: int) -> tuple[float, int] | None:
        """Temperature and number of the small run where one began; None of a fresh one."""
        number = run - self.fresh_runs
        if number < 0:
            return None
        others = [t for t in self.temperatures if t != temperature]
        first = self.temperatures.index(temperature)
        return others[(first + number) % len(others)], number % self.fresh_runs

    def n_steps(self, temperature: float, slowest: float, step: float) -> int:
        """Steps of direct runs and predicted paths, burn-in included; times in mean events."""
        return math.ceil((STATIONARY_AFTER + self.relaxation_times[temperature]) * slowest / step)

    @staticmethod
    def burn_in(slowest: float, step: float) -> int:
        """First row of a direct run that counts as stationary."""
        return math.ceil(STATIONARY_AFTER * slowest / step)


def _by_temperature(config: dict[str, Any], key: str) -> dict[float, float]:
    """A number for every temperature, from a setting of as many, or of one for all."""
    given, temperatures = setting(config, key), config["conditions"]["temperatures_K"]
    values = list(given) if isinstance(given, list) else [given]
    if len(values) == 1:
        values *= len(temperatures)
    if len(values) != len(temperatures):
        raise ValueError(
            f"{key} must be one number, or one for each of conditions.temperatures_K: "
            f"{len(temperatures)}, not {len(values)}"
        )
    return dict(zip(temperatures, values))


def _vacancy_fraction(
    config: dict[str, Any], temperatures: tuple[float, ...]
) -> VacancyFraction | None:
    """That of the setting ``time.vacancy_fraction``, which swaps of neighbours do not have."""
    given = config.get("time", {}).get("vacancy_fraction", "")
    if not given:
        return None
    try:
        fraction = VacancyFraction.of(given)
        for temperature in temperatures:
            fraction(temperature)
    except (ValueError, FileNotFoundError) as error:
        raise type(error)(f"time.vacancy_fraction: {error}") from error
    return fraction
