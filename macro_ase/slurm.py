"""What the scheduler of a cluster says: limits of time, cores and the number of a task."""

from __future__ import annotations

import os

SLURM = "SLURM_CPUS_PER_TASK"


def seconds_of(text: str) -> float:
    """A time limit as schedulers write it: D-HH:MM:SS, HH:MM:SS, MM:SS, or seconds.

    Raises
    ------
    ValueError
    """
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    numbers = [days or "0", *["0"] * (3 - len(parts)), *parts]
    if len(parts) > 3 or bool(dash) != bool(days) or not all(n.isdecimal() for n in numbers):
        raise ValueError(f"a time is HH:MM:SS or a number of seconds, not {text!r}")
    d, h, m, s = map(int, numbers)
    return float(((24 * d + h) * 60 + m) * 60 + s)


def slurm_workers() -> int | None:
    """Cores that Slurm gave this task; None where it says nothing."""
    given = os.environ.get(SLURM, "")
    return int(given) if given.isdecimal() and int(given) > 0 else None


def slurm_task() -> tuple[int, int]:
    """Number of this task in Slurm's array, and how many there are; one alone without an array."""
    number, of = (os.environ.get(f"SLURM_ARRAY_TASK_{name}", "") for name in ("ID", "COUNT"))
    return (int(number), int(of)) if number.isdecimal() and of.isdecimal() else (0, 1)
