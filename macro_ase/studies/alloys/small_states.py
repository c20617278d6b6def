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


def with_past(
    d: Design, temperature: float, runs: Sequence[Chunk], z: Sequence[Array]
) -> list[Array]:
    """Observables z of runs at a temperature, (n_t, d), beside their past: shape (n_t, 2 d).

    The memory is a time, as it is for the model; runs have records of their own length. Without a
    memory z is as it was.
    """
    if not d.remembers:
        return list(z)
    memory = d.memory(1000 / temperature) * residence_time(runs)
    return [np.hstack([x, past_of(x, memory / _interval(run))]) for x, run in zip(z, runs)]


def pasts(d: Design, small: Chunks, temperature: float) -> Array:
    """Past of every state that patches were sampled from, in the order of their numbers."""
    runs = [small[key] for key in d.keys("small", temperature)]
    whole = with_past(d, temperature, runs, [run["z"] for run in runs])
    return np.concatenate([x[run["kept"]] for x, run in zip(whole, runs)])[
        :, -len(runs[0]["z"].T) :
    ]


def late_states(d: Design, temperature: float, runs: Sequence[Chunk]) -> list[Array]:
    """Second halves of small runs, with their past."""
    whole = with_past(d, temperature, runs, [run["z"] for run in runs])
    return [x[len(x) // 2 :] for x in whole]


def late_runs(
    conditions: Sequence[tuple[Design, float]],
    small: Chunks,
    step: float,
    states: Callable[[Design, float, Sequence[Chunk]], list[Array]] = late_states,
) -> LateRuns:
    """Second halves of the small runs, as ``states`` makes those of the crystals patches are of.

    Runs are numbered one condition after the other; ``step`` is dt in mean events. Of a crystal
    that is smaller than those N steps say as much as fewer of a larger one, by their sites.
    """
    from ...learning.models.late_runs import LateRuns

    late: list[Array] = []
    rows, steps = [], []
    for d, t in conditions:
        runs = [small[key] for key in d.keys("small", t)]
        own, dt = states(d, t, runs), step * residence_time(runs)
        steps += [d.small_share * (len(x) - 1) * _interval(run) / dt for x, run in zip(own, runs)]
        late += own
        rows += [d.system.model_condition({"T": t})] * len(runs)
    one = conditions[0][0]
    sizes = one.sampled_sizes[1], len(one.system.names), one.system.substeps
    return LateRuns.of(range(len(late)), np.array(rows), late, steps, *sizes)


def _interval(run: Chunk) -> float:
    """Time between the records of a run."""
    return float(run["times"][1] - run["times"][0])
