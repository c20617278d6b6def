"""Settings of the study of critical Ising models, refused before any work if they make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..settings import require_steps

POSITIVE = ("sampling.dt", "prediction.step", "prediction.time")
AT_LEAST = {
    "sampling.patch": 4,
    "sampling.buffer": 0,
    "sampling.small_time": 0,
    "sampling.relax_sweeps": 0,
    "sampling.gap": 1,
    "sampling.snapshots": 1,
    "sampling.words": 1,
    "learning.width": 1,
    "learning.depth": 1,
    "learning.members": 2,
    "learning.iterations": 1,
    "learning.weight_decay": 0,
    "learning.chains": 1,
    "prediction.paths": 2,
    "direct.samples": 100,
    "direct.interval": 1,
    "checks.wolff_rounds": 20,
    "checks.scan_rounds": 20,
    "checks.resamples": 2,
}
WHOLE = -1


def check_critical_settings(config: dict[str, Any]) -> None:
    """Refuse settings that make no sense.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    for key in POSITIVE:
        value = _value(config, key)
        if not value > 0:
            raise ValueError(f"{key} must be above 0, not {value:g}")
    for key, least in AT_LEAST.items():
        value = _value(config, key)
        if value < least:
            raise ValueError(f"{key} must be at least {least}, not {value:g}")
    require_steps(config, {"prediction.step": "prediction.time"})
    if not 0 <= config["sampling"]["beyond_share"] <= 1:
        value = config["sampling"]["beyond_share"]
        raise ValueError(f"sampling.beyond_share must lie in 0..1, not {value:g}")
    _check_sizes(config)
    _check_temperatures(config)
    _check_blocks(config)
    _check_scan(config)


def _value(config: dict[str, Any], key: str) -> Any:
    table, name = key.split(".")
    return config[table][name]


def _check_sizes(config: dict[str, Any]) -> None:
    system, patch = config["system"], config["sampling"]["patch"]
    sizes = [*system["sizes"], *system["beyond"]]
    wrong = [size for size in sizes if size < patch or size % patch]
    if wrong:
        raise ValueError(
            f"system.sizes and system.beyond must be multiples of sampling.patch = {patch}, "
            f"not {wrong[0]}"
        )
    if len(set(system["sizes"])) < 2 or sizes != sorted(set(sizes)):
        raise ValueError(
            f"system.sizes must be two or more and ascend, with system.beyond, not {sizes}"
        )


def _check_temperatures(config: dict[str, Any]) -> None:
    system = config["system"]
    temperatures = system["temperatures"]
    if len(temperatures) < 2 or np.any(np.diff(temperatures, prepend=0) <= 0):
        raise ValueError(
            f"system.temperatures must be two or more above 0 and ascend, not {temperatures}"
        )
    middle = system["middle"]
    if middle not in temperatures:
        raise ValueError(f"system.middle must be one of system.temperatures, not {middle:g}")


def _check_blocks(config: dict[str, Any]) -> None:
    table, chains = config["sampling"], config["learning"]["chains"]
    if 64 % chains or table["words"] * 64 // chains < 5:
        raise ValueError(
            f"learning.chains must divide 64 and leave 5 blocks or more of sampling.words = "
            f"{table['words']} words of 64 chains, not {chains}"
        )


def _check_scan(config: dict[str, Any]) -> None:
    table, system = config["checks"], config["system"]
    if table["scan_size"] not in system["sizes"]:
        raise ValueError(f"checks.scan_size must be one of system.sizes, not {table['scan_size']}")
    if not table["scan_times"] or min(table["scan_times"]) <= 0:
        raise ValueError(f"checks.scan_times must be above 0, not {table['scan_times']}")
    if not table["scan_buffers"] or min(table["scan_buffers"]) < 0:
        raise ValueError(f"checks.scan_buffers must not be negative, not {table['scan_buffers']}")
