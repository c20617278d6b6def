"""Cost of spin flips: this package's kernels, and the loops one would write without them.

    python benchmarks/spins.py [--quick]

Ising at T = 2.5, h = 0.1 from its equilibrium, Wolff at Tc, Curie-Weiss at T = 1.1, h = 0.1.
CPU time of one core, compile time excluded, best of five stretches. The loops run on the same
spins in the same minute, and are first seen to have the same rates.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from macro_ase.analysis.exact_ising import CRITICAL_TEMPERATURE
from macro_ase.engines.spins.ensemble import SpinEnsemble, curie_weiss_paths
from macro_ase.engines.spins.models import CurieWeiss, Ising
from macro_ase.kinetics.ising import FLIPS

TEMPERATURE, FIELD = 2.5, 0.1
SMALL, LARGE = 64, 1024
ATTEMPT_TARGET_NS, EVENT_TARGET_NS = 10.0, 250.0
REPEATS = 5


class Row(NamedTuple):
    """One line of the table; a target is an upper limit, 0 where there is none."""

    what: str
    length: int
    nanoseconds: float
    per: str
    target: float = 0.0
    slower_loop: float = 0.0


def best_ns(run: Callable[[], int]) -> float:
    """Least CPU time in ns of one of the things whose number ``run`` returns."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        count = run()
        times.append((time.process_time() - start) / count)
    return 1e9 * min(times)


def relaxed(length: int, kernel: str) -> SpinEnsemble:
    """One replica near equilibrium; its kernel is compiled."""
    model = Ising((length, length), 1.0, FIELD)
    start = np.where(np.random.default_rng(0).random(model.n_sites) < 0.86, 1, -1)
    ensemble = SpinEnsemble(model, start, TEMPERATURE, 1, kernel=kernel)
    ensemble.checkerboard(interval=30)
    ensemble.recount()
    ensemble.advance(0.0)
    return ensemble


def advance(ensemble: SpinEnsemble, attempts: float) -> Callable[[], int]:
    """A stretch of about so many attempts; returns the number of flips."""

    def run() -> int:
        before = ensemble.tally[0, FLIPS]
        ensemble.advance(ensemble.time[0] + attempts / ensemble.model.n_sites)
        return int(ensemble.tally[0, FLIPS] - before)

    return run


def all_rates(spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """Rates of all flips of a square lattice, with numpy."""
    around = sum(np.roll(spins, step, axis) for axis in (0, 1) for step in (1, -1))
    return 1 / (1 + np.exp(2 * spins * (around + FIELD) / TEMPERATURE))


def attempt_loop(spins: NDArray[np.int8], attempts: int) -> Callable[[], int]:
    """Random-site heat bath as a Python loop over a numpy array."""
    length, rng = len(spins), np.random.default_rng(0)

    def run() -> int:
        for _ in range(attempts):
            i, j = rng.integers(length), rng.integers(length)
            around = (
                int(spins[i - 1, j])
                + spins[(i + 1) % length, j]
                + spins[i, j - 1]
                + spins[i, (j + 1) % length]
            )
            difference = 2 * spins[i, j] * (around + FIELD)
            if rng.random() < 1 / (1 + math.exp(difference / TEMPERATURE)):
                spins[i, j] = -spins[i, j]
        return attempts

    return run


def rejection_free_loop(spins: NDArray[np.int8], events: int) -> Callable[[], int]:
    """Rejection-free dynamics with all rates made anew for every event."""
    rng = np.random.default_rng(0)

    def run() -> int:
        clock = 0.0
        for _ in range(events):
            sums = np.cumsum(all_rates(spins))
            clock += rng.exponential(1 / sums[-1])
            site = np.searchsorted(sums, rng.random() * sums[-1], side="right")
            spins.flat[site] *= -1
        return events

    return run


def ising_rows(length: int, scale: float) -> Iterator[Row]:
    """Both Glauber kernels and their loops at one size."""
    heat_bath, n_fold = relaxed(length, "heat-bath"), relaxed(length, "n-fold")
    attempts = 4e6 * scale
    square = heat_bath.spins[0].reshape(length, length)
    classes = (square > 0) * 5 + (
        4 + sum(np.roll(square, s, a) for a in (0, 1) for s in (1, -1))
    ) // 2
    np.testing.assert_allclose(heat_bath._rates[0][classes], all_rates(square))
    per_flip = best_ns(advance(heat_bath, attempts))
    accepted = heat_bath.tally[0, FLIPS] / (heat_bath.time[0] * length**2)
    per_attempt = per_flip * accepted
    naive = best_ns(attempt_loop(square.copy(), int(20_000 * scale)))
    name = "random-site heat bath"
    yield Row(name, length, per_attempt, "attempt", ATTEMPT_TARGET_NS, naive / per_attempt)
    yield Row("the same", length, per_flip, "flip")
    per_event = best_ns(advance(n_fold, attempts))
    events = max(3, int(4e6 * scale / length**2))
    scan = best_ns(rejection_free_loop(square.copy(), events))
    yield Row("n-fold way", length, per_event, "flip", EVENT_TARGET_NS, scan / per_event)


def other_rows(scale: float) -> Iterator[Row]:
    """Patches, clusters, Curie-Weiss."""
    ensemble = relaxed(SMALL, "heat-bath")
    grid = np.arange(SMALL**2).reshape(SMALL, SMALL)
    patches = np.stack(
        [
            np.roll(grid, (-i, -j), (0, 1))[:16, :16].ravel()
            for i in range(0, SMALL, 8)
            for j in range(0, SMALL, 8)
        ]
    )
    copies = SpinEnsemble(
        ensemble.model, np.tile(ensemble.spins, (len(patches), 1)), TEMPERATURE, 2, patches
    )

    def evolve() -> int:
        copies.advance(copies.time[0] + 100 * scale)
        return int(len(patches) * 100 * scale)

    yield Row("patch 8x8, buffer 4, heat bath", SMALL, best_ns(evolve), "patch and unit of time")
    critical = SpinEnsemble(Ising((SMALL, SMALL)), np.ones((1, SMALL**2)), CRITICAL_TEMPERATURE, 0)
    critical.wolff(interval=300)

    def turn() -> int:
        before = critical.tally[0, FLIPS]
        critical.wolff(interval=int(1000 * scale))
        return int(critical.tally[0, FLIPS] - before)

    yield Row("Wolff clusters at Tc", SMALL, best_ns(turn), "turned spin")

    def count() -> int:
        paths = curie_weiss_paths(CurieWeiss(SMALL**2, FIELD), 0, 1.1, 1000 * scale, 0)
        return int(paths[0, -1, 1])

    count()
    yield Row("Curie-Weiss by counts", SMALL, best_ns(count), "flip")


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the events")
    scale = 0.05 if parser.parse_args().quick else 1.0
    print("| kernel | L | ns | per | target | plain loop is slower by |")
    print("|---|---|---|---|---|---|")
    rows = (*ising_rows(SMALL, scale), *ising_rows(LARGE, scale), *other_rows(scale))
    for row in rows:
        verdict = "met" if row.nanoseconds <= row.target else "MISSED"
        target = f"<= {row.target:g}, {verdict}" if row.target else ""
        ratio = f"{row.slower_loop:,.0f} times" if row.slower_loop else ""
        print(
            f"| {row.what} | {row.length} | {row.nanoseconds:,.1f} | {row.per} | {target} "
            f"| {ratio} |"
        )


if __name__ == "__main__":
    main()
