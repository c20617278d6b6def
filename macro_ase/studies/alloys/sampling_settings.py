"""What settings of sampling an alloy's study can be made of, and what they are without."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from ...ratios import either, near_multiples, whole_ratio
from ...refusals import Refused
from ...systems.alloy_crystals import AlloyCrystals


def sampling_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of sampling; a study that does not say how often states are copied grows none."""
    usual = {"copies": 1, "healing_events": 0.0, "memory_events": 0.0, "early_parts": False}
    return {"grow": "copies" in given, **usual, **given}


def check_growth(sampling: Mapping[str, Any], memory_events: Collection[float]) -> None:
    """Raise ValueError for what only grown states have, or only those that do not grow."""
    if not sampling["grow"]:
        _check_not_grown(sampling)
    elif any(memory_events):
        raise Refused(
            "sampling.memory_events must be 0 where states grow, for these have no past",
            {"sampling.memory_events": 0},
        )
    elif sampling["early_parts"]:
        raise Refused(
            "sampling.early_parts must be false where states grow, for these are of no run",
            {"sampling.early_parts": False},
        )
    if any(memory_events) and not all(memory_events):
        raise ValueError("sampling.memory_events must be 0 at no temperature or at all of them")


def _check_not_grown(sampling: Mapping[str, Any]) -> None:
    """Raise ValueError for what only grown states have."""
    for name, only in (("copies", 1), ("healing_events", 0)):
        if sampling[name] != only:
            raise Refused(
                f"sampling.{name} must be {only} where states do not grow (sampling.grow = false), "
                f"not {sampling[name]}",
                {f"sampling.{name}": only},
            )


def check_steps(steps: list[float], events: float, system: AlloyCrystals) -> None:
    """Steps must be whole samples, and small runs hold twice the longest lag of the scan."""
    sample = system.record_events
    wrong = [h for h in steps if whole_ratio(h, sample) is None]
    if wrong or not steps:
        near = [near_multiples(h, sample) for h in wrong or [sample]]
        nearest = dict(zip(wrong, (values[0] for values in near)))
        raise Refused(
            f"sampling.dt_events must be multiples of {sample:g}, not {wrong}: the nearest is "
            f"{either(near[0])}",
            {"sampling.dt_events": [nearest.get(h, h) for h in steps] or [sample]},
        )
    least = system.least_small_events(max(steps))
    if events < least:
        raise Refused(
            f"small.events must be at least {least:g} for the longest of sampling.dt_events, "
            f"not {events:g}",
            {"small.events": math.ceil(least)},
        )
