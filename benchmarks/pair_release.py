"""CPU time of a pair of the study `nbmota`, as the package on the path ships it, of any release.

    git worktree add first 0434ee1
    PYTHONPATH=first python benchmarks/pair_release.py
    python benchmarks/pair_release.py

All that a pair takes at 2000 K with the settings of the preset, of 16 states late in a small run:
growing and seams where states grow, every patch, and every fourth state as a whole. One core,
least of some calls; compile time is excluded.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from macro_ase.config import load_config
from macro_ase.rng import stream
from macro_ase.systems import MODELS

KELVIN, HOPS, STATES, CALLS = 2000.0, 500, 16, 7


def first_release(system: Any, config: Any) -> Callable[[], Any]:
    """The stage before systems had plans."""
    chunk = importlib.import_module("macro_ase.sampling.stages").pairs_chunk
    run = system.small_trajectory(KELVIN, 200_000, stream(0, "small", 0))
    sampling, states = config["sampling"], run.states[-STATES:]
    age = np.full(STATES, float(sampling["healing_events"]))
    own = (states, age, 0, HOPS * run.tau_w, sampling["repeats"], 0, 0)
    return lambda: chunk(system, KELVIN, *own)


def now(system: Any, config: Any) -> Callable[[], Any]:
    """The stage as it is."""
    chunk = importlib.import_module("macro_ase.sampling.pairs").grown_pairs_chunk
    sampling, condition = config["sampling"], {"T": KELVIN}
    sampled = system if sampling["grow"] else system.alone()
    run = system.small_trajectory(200_000, condition, stream(0, "small", 0))
    states, plan = run.states[-STATES:], sampled.plan(dt=HOPS * run.tau_w)
    age = np.full(STATES, float(sampling["healing_events"]))
    own = (plan, states, age, 0, sampling["repeats"], condition, 0, 0)
    return lambda: chunk(sampled, *own)


def main() -> None:
    """Measure and print."""
    config = load_config("nbmota", False)
    system = MODELS[config["system"]["model"]](config)[0]
    make = (now if "grow" in config["sampling"] else first_release)(system, config)
    pairs, best = len(make()["dz"]), np.inf
    for _ in range(CALLS):
        start = time.process_time()
        make()
        best = min(best, time.process_time() - start)
    print(f"{1e3 * best / pairs:.2f} CPU ms a pair, least of {CALLS} calls of {pairs} pairs")


if __name__ == "__main__":
    main()
