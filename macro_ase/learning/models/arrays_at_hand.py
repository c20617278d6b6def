"""Pairs for a model from the arrays that a person has: increments, or time series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import Array, as_columns, as_conditions, as_numbers
from ...observables.past import Memory, past_of
from ..options import TrainingOptions
from ..pairs import PairBatch

BLOCKS = 50


def pairs_of(z0: ArrayLike, dz: ArrayLike, condition: Any, groups: Any) -> PairBatch:
    """Pairs in groups that are validated on together; default: neighbours, in 50 groups."""
    states, moves = as_columns(z0, "z0"), as_columns(dz, "dz")
    n = len(states)
    if groups is None:
        return PairBatch(states, moves, condition, np.arange(n) * BLOCKS // max(n, 1))
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups must have shape ({n},), one for each pair, not {labels.shape}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("groups must be labels, not nan")
    return PairBatch(states, moves, condition, np.unique(labels, return_inverse=True)[1])


def pairs_of_series(z: Any, condition: Any, memory: Memory | None = None) -> PairBatch:
    """Neighbours in time of one series or of several; groups are stretches of time.

    With a memory, in steps, pairs have the past of their series; one that grows with the condition
    wants this to be one for each series.
    """
    many = isinstance(z, list | tuple) and bool(z) and all(isinstance(x, np.ndarray) for x in z)
    given = {f"series {k} (counted from 0)": x for k, x in enumerate(z)} if many else {"z": z}
    series = [as_columns(x, name) for name, x in given.items()]
    short = [name for name, x in zip(given, series) if len(x) < 2]
    if short:
        raise ValueError(f"{short[0]} must hold at least 2 states")
    if len({own.shape[1] for own in series}) > 1:
        raise ValueError("all series must have the same number of observables")
    own = _conditions(series, condition, many)
    stretch = max(1, sum(len(x) - 1 for x in series) // BLOCKS)
    groups: list[NDArray[np.int64]] = []
    for x in series:
        first = groups[-1][-1] + 1 if groups else 0
        groups.append(first + np.arange(len(x) - 1) // stretch)
    z0 = np.concatenate([x[:-1] for x in series])
    dz = np.concatenate([np.diff(x, axis=0) for x in series])
    past = None
    if memory:
        steps = [_steps(memory, name, c) for name, c in zip(given, own)]
        past = np.concatenate([past_of(x[:-1], theta) for x, theta in zip(series, steps)])
    conditions, snapshots = np.concatenate([c[:-1] for c in own]), np.concatenate(groups)
    return PairBatch(z0, dz, conditions, snapshots, past=past)


def _steps(memory: Memory, name: str, condition: Array) -> float:
    """Of a series."""
    if not memory.growth:
        return memory.at_0
    if not condition.shape[1] or np.ptp(condition[:, 0]) > 0:
        raise ValueError(
            f"{name} must have one condition, with which the memory grows (memory_growth)"
        )
    return memory(float(condition[0, 0]))


def _conditions(series: Sequence[Array], condition: Any, many: bool) -> list[Array]:
    """Of every state of every series, shape (n_t, c): given for each state, or once a series."""
    each = condition if many and np.ndim(condition) else [condition] * len(series)
    if len(each) != len(series):
        raise ValueError(f"there are {len(series)} series and conditions of {len(each)}")
    found = []
    for x, c in zip(series, each):
        if c is None or np.ndim(c) == 0 or len(np.asarray(c)) == len(x):
            found.append(as_conditions(c, len(x)))
        else:
            found.append(as_conditions(np.tile(as_numbers(c, "condition"), (len(x), 1)), len(x)))
    return found


def training_options(given: dict[str, Any]) -> TrainingOptions:
    """Options by keyword; ValueError that names one that there is not."""
    unknown = [name for name in given if name not in TrainingOptions.__dataclass_fields__]
    if unknown:
        known = ", ".join(TrainingOptions.__dataclass_fields__)
        raise ValueError(f"{unknown[0]!r} is no option of training; there are {known}")
    return TrainingOptions(**given)
