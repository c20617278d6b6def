"""Small runs as a model learns of them: their clock, the past of their states, how they move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Array, Chunk
from ...learning.pairs import LATE
from ...observables.past import past_of
from .design import Design

if TYPE_CHECKING:
    from ...learning.models.run_parts import RunParts

Chunks = Mapping[str, Chunk]
Part = tuple[int, int, Array]
"""Number of a small run at its condition, of a part, and states at all its records."""
KINDS, LEAST_RECORDS = 3, 28


def residence_time(runs: Sequence[Chunk]) -> float:
    """Mean residence time over small runs: the clock."""
    return float(np.mean([run["tau_w"][0] for run in runs]))


def with_past(d: Design, temperature: float, small: Chunks) -> list[Array]:
    """Observables of the small runs at a temperature beside their past: shape (n_t, 2 d) each.

    The memory is a time, as it is for the model; runs have records of their own length. One that
    began where another ended goes on with the past of that one. Without a memory there is z alone.
    """
    runs = [small[key] for key in d.keys("small", temperature)]
    if not d.remembers:
        return [run["z"] for run in runs]
    memory = d.memory(1000 / temperature) * residence_time(runs)
    firsts = (_past_before(d, small, temperature, r) for r in range(len(runs)))
    return [
        np.hstack([run["z"], past_of(run["z"], memory / _interval(run), first)])
        for run, first in zip(runs, firsts)
    ]


def _past_before(d: Design, small: Chunks, temperature: float, number: int) -> Array | None:
    """Past at the end of the run where one began, by the clock of that run; None of a fresh one."""
    before = d.begun_from(temperature, number)
    if before is None:
        return None
    run = small[d.keys("small", before[0])[before[1]]]
    memory = d.memory(1000 / before[0]) * residence_time([run])
    return np.asarray(past_of(run["z"], memory / _interval(run))[-1])


def pasts(d: Design, small: Chunks, temperature: float) -> Array:
    """Past of every state that patches were sampled from, in the order of their numbers."""
    n = len(d.system.names)
    kept = [small[key]["kept"] for key in d.keys("small", temperature)]
    whole = with_past(d, temperature, small)
    return np.concatenate([x[rows, n:] for x, rows in zip(whole, kept)])


def parts_of_runs(d: Design, temperature: float, small: Chunks) -> list[Part]:
    """Second halves of small runs with their past, and their first halves if they are asked for.

    These are in parts of which each is as long as all before. Runs that come from a warmer or a
    colder temperature are not of one kind with those that begin at random.
    """
    parts = []
    for r, x in enumerate(with_past(d, temperature, small)):
        half, before = len(x) // 2, d.begun_from(temperature, r)
        kind = 0 if before is None else 1 + (before[0] < temperature)
        parts.append((r, LATE, x[half:]))
        cuts = [half] if d.early_parts else []
        while cuts and cuts[0] // 2 >= LEAST_RECORDS:
            cuts.insert(0, cuts[0] // 2)
        for k, (first, last) in enumerate(pairwise([0, *cuts]), 1):
            parts.append((r, KINDS * k + kind, x[first : last + 1]))
    return parts


def run_parts(
    conditions: Sequence[tuple[Design, float]],
    small: Chunks,
    step: float,
    parts: Callable[[Design, float, Chunks], list[Part]] = parts_of_runs,
) -> RunParts:
    """Parts of the small runs, as ``parts`` makes those of the crystals patches are of.

    Runs are numbered one condition after the other; ``step`` is dt in mean events. Of a crystal
    that is smaller than those N steps say as much as fewer of a larger one, by their sites.
    """
    from ...learning.models.run_parts import RunParts

    number, label, states, rows, steps = [], [], [], [], []
    for k, (d, t) in enumerate(conditions):
        runs = [small[key] for key in d.keys("small", t)]
        dt, condition = step * residence_time(runs), d.system.model_condition({"T": t})
        for r, part, x in parts(d, t, small):
            number.append(k * d.small_runs + r)
            label.append(part)
            states.append(x)
            rows.append(condition)
            steps.append(d.small_share * (len(x) - 1) * _interval(runs[r]) / dt)
    one = conditions[0][0]
    sizes = one.sampled_sizes[1], len(one.system.names), one.system.substeps
    return RunParts.of(number, np.array(rows), label, states, steps, *sizes)


def _interval(run: Chunk) -> float:
    """Time between the records of a run."""
    return float(run["times"][1] - run["times"][0])
