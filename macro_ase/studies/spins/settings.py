"""Settings of the studies of spin models, refused before any work starts if they make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...systems.base import BOUNDARIES

DRIFTS, BASELINES = ("network", "onsager"), ("none", "naive")
LEAST_1 = (
    *(f"learning.{name}" for name in ("width", "depth", "members", "epochs", "batch_size")),
    *("direct.steps", "sampling.starts"),
)


def check_settings(config: dict[str, Any]) -> None:
    """Refuse settings that make no sense.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    for key in LEAST_1:
        table, name = key.split(".")
        if config[table][name] < 1:
            raise ValueError(f"{key} must be at least 1, not {config[table][name]}")
    for key in ("sampling.dt", "direct.interval", "learning.learning_rate", "system.temperature"):
        table, name = key.split(".")
        if not config[table][name] > 0:
            raise ValueError(f"{key} must be above 0, not {config[table][name]}")
    if config["system"]["side"] < 4 or config["learning"]["weight_decay"] < 0:
        raise ValueError("system.side must be at least 4, and learning.weight_decay 0 or more")
    if config["sampling"]["relax_time"] < 0:
        value = config["sampling"]["relax_time"]
        raise ValueError(f"sampling.relax_time must not be negative, not {value}")
    _check_choices(config)
    _check_patches(config)
    _check_direct(config)
    _check_scan(config)


def _check_choices(config: dict[str, Any]) -> None:
    choices = {
        "sampling.boundary": BOUNDARIES,
        "learning.drift": DRIFTS,
        "learning.baseline": BASELINES,
    }
    for key, allowed in choices.items():
        table, name = key.split(".")
        if config[table][name] not in allowed:
            value = config[table][name]
            raise ValueError(f"{key} must be one of {', '.join(allowed)}, not {value!r}")


def _check_patches(config: dict[str, Any]) -> None:
    side, table = config["system"]["side"], config["sampling"]
    wrong = [p for p in table["patches"] if p < 4 or side % p]
    if wrong or not table["patches"]:
        raise ValueError(
            f"sampling.patches must be sides from 4 on that divide system.side = {side}, "
            f"not {wrong or table['patches']}"
        )
    _check_buffer("sampling.buffer", table.get("buffer", 0), table["patches"], side)
    _check_range("sampling.magnetisation", table["magnetisation"])
    times = table["times"]
    if not times or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"sampling.times must ascend from 0 or later, not {times}")
    if table["starts"] * len(times) < 100 or table["starts"] < 5:
        raise ValueError(
            f"sampling.starts must be at least 5, and 100 states in all, not {table['starts']}"
        )


def _check_buffer(key: str, buffer: int, patches: list[int], side: int) -> None:
    """Refuse a buffer that meets itself around the system; patches that fill it need none."""
    widest = min([(side - patch) // 2 for patch in patches if patch < side], default=buffer)
    if not 0 <= buffer <= widest:
        raise ValueError(
            f"{key} must be from 0 to {widest} for patches of {patches} in a system of side "
            f"{side}, not {buffer}"
        )


def _check_range(key: str, values: list[float]) -> None:
    if len(values) != 2 or not -1 <= values[0] < values[1] <= 1:
        raise ValueError(f"{key} must be two ascending numbers from -1 to 1, not {values}")


def _check_direct(config: dict[str, Any]) -> None:
    table = config["direct"]
    wrong = [m for m in table["magnetisations"] if not -1 <= m <= 1]
    if wrong or not table["magnetisations"]:
        raise ValueError(f"direct.magnetisations must lie in -1..1, not {table['magnetisations']}")
    if not 1 <= table["few_runs"] <= table["runs"] or table["runs"] < 2:
        raise ValueError(
            f"direct.runs = {table['runs']} must be at least 2, and direct.few_runs = "
            f"{table['few_runs']} at least 1 and no larger"
        )


def _check_scan(config: dict[str, Any]) -> None:
    """Refuse settings of the scan that make no sense, naming them."""
    table, side = config["scan"], config["system"]["side"]
    if table["patch"] < 4 or side % table["patch"]:
        raise ValueError(f"scan.patch must divide system.side = {side}, not {table['patch']}")
    if not table["times"] or min(table["times"]) <= 0:
        raise ValueError(f"scan.times must be above 0, not {table['times']}")
    for buffer in table.get("buffers", []):
        _check_buffer("scan.buffers", buffer, [table["patch"]], side)
    if table["states"] < 2 or table["age"] < 0 or not -1 <= table["magnetisation"] <= 1:
        raise ValueError("scan.states, scan.age or scan.magnetisation makes no sense")


def spin_parameters(config: dict[str, Any]) -> tuple[float, float]:
    """Temperature and field of a study's settings.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    table = config["system"]
    if not table["temperature"] > 0:
        raise ValueError(f"system.temperature must be above 0, not {table['temperature']:g}")
    return table["temperature"], table["field"]
