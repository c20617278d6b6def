"""Small runs as a model learns of them: their clock, the past of their states, where they rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Array, Chunk
from ...learning.past import past_of
from .design import Design

if TYPE_CHECKING:
    from ...learning.models.late_runs import LateRuns

Chunks = Mapping[str, Chunk]


def residence_time(runs: Sequence[Chunk]) -> float:
    """Mean residence time over small runs: the clock."""
    return float(np.mean([run["tau_w"][0] for run in runs]))


def with_past(d: Design, runs: Sequence[Chunk], z: Sequence[Array]) -> list[Array]:
    """Observables z of runs at one temperature, (n_t, d), beside their past: shape (n_t, 2 d).

    The memory is a time, as it is for the model; runs have records of their own length. Without a
    memory z is as it was.
    """
    if not d.memory_events:
        return list(z)
    memory = d.memory_events * residence_time(runs)
    return [np.hstack([x, past_of(x, memory / _interval(run))]) for x, run in zip(z, runs)]


def pasts(d: Design, small: Chunks, temperature: float) -> Array:
    """Past of every state that patches were sampled from, in the order of their numbers."""
    runs = [small[key] for key in d.keys("small", temperature)]
    whole = with_past(d, runs, [run["z"] for run in runs])
    return np.concatenate([x[run["kept"]] for x, run in zip(whole, runs)])[
        :, -len(runs[0]["z"].T) :
    ]


def late_runs(
    conditions: Sequence[tuple[Design, float]],
    small: Chunks,
    step: float,
    learned: Callable[[Design, float, Array], Array] = lambda d, t, z: z,
) -> LateRuns | None:
    """Second halves of the small runs, if it is their states that patches are of.

    Runs are numbered one condition after the other; ``step`` is dt in mean events, and ``learned``
    makes the model's observables of z.
    """
    from ...learning.models.late_runs import LateRuns

    if any(d.grow for d, _ in conditions):
        return None
    states: list[Array] = []
    rows, steps = [], []
    for d, t in conditions:
        runs = [small[key] for key in d.keys("small", t)]
        whole = with_past(d, runs, [learned(d, t, run["z"]) for run in runs])
        late = [x[len(x) // 2 :] for x in whole]
        dt = step * residence_time(runs)
        states += late
        steps += [(len(x) - 1) * _interval(run) / dt for x, run in zip(late, runs)]
        rows += [d.system.model_condition({"T": t})] * len(runs)
    one = conditions[0][0]
    own = one.sampled_sizes[1], len(one.system.names), one.system.substeps
    return LateRuns.of(range(len(states)), np.array(rows), states, steps, *own)


def _interval(run: Chunk) -> float:
    """Time between the records of a run."""
    return float(run["times"][1] - run["times"][0])
