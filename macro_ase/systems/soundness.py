"""Whether a lattice model that a person wrote does what the road relies on, tried on small states.

A fault found here is one line before any work, and not a wrong answer after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Condition, Plan, System
from .lattice import LatticeSystem
from .tiles import inner_sites, repeated

REPLICAS = 4
TOLERANCE = 1e-9


def require_sound(system: System, plan: Plan, condition: Condition) -> None:
    """Try a system's own methods on a few states of the small size.

    Raises
    ------
    ValueError
        Naming the method and what it does that it must not.
    """
    if not isinstance(system, LatticeSystem):
        return
    kind, shape = type(system).__name__, (plan.small,) * system.dimension
    names = system.names
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{kind}.names must be several words, not {names!r}")
    values = np.array(list(system.values))
    if values.dtype.kind not in "iub" or not np.all((values >= -128) & (values < 128)):
        raise ValueError(f"{kind}.values must be whole numbers from -128 to 127, not {values}")
    rng = np.random.default_rng(0)
    states = _states(f"{kind}.initial", system.initial(REPLICAS, shape, condition, rng), shape)
    z = _observed(system, kind, states)
    twice = _observed(system, kind, system.grid(repeated(_flat(states), 2, system.dimension)))
    if np.abs(twice - z).max() > TOLERANCE * (1 + np.abs(z).max()):
        raise ValueError(
            f"{kind}.observe must give means over the sites of a periodic lattice: of a state "
            f"repeated along each axis it gave {twice[0].tolist()}, not {z[0].tolist()}"
        )
    _require_still(system, kind, states, plan.dt, condition)


def _require_still(
    system: LatticeSystem, kind: str, states: np.ndarray, dt: float, condition: Condition
) -> None:
    """Only active sites may move, and those of other replicas must not follow each other."""
    shape, rng = states.shape[1:], np.random.default_rng(1)
    active = np.zeros(states[0].size, dtype=bool)
    active[inner_sites(shape[0], min(1, (shape[0] - 1) // 2), system.dimension)] = True
    mask, own = active.reshape(shape), np.repeat(states[:1], 64, axis=0)
    after = own.copy()
    try:
        moved = system.evolve(after, mask, dt, condition, rng)
    except KeyError as error:
        given = ", ".join(condition) or "none"
        raise ValueError(
            f"{kind}.evolve asks for {error}, and the conditions are {given}"
        ) from error
    after = after if moved is None else _states(f"{kind}.evolve", moved, shape)
    if np.any(after[:, ~mask] != own[:, ~mask]):
        raise ValueError(f"{kind}.evolve moved sites that are not active")
    changed = np.any(after != own, axis=tuple(range(1, own.ndim)))
    if changed.sum() > 1 and np.all(after == after[0]):
        raise ValueError(
            f"{kind}.evolve moved all replicas alike: each needs random numbers of its own"
        )


def _observed(system: LatticeSystem, kind: str, states: np.ndarray) -> np.ndarray:
    z = np.asarray(system.observe(states))
    wanted = (len(states), len(system.names))
    if z.shape != wanted or z.dtype.kind not in "fiub" or not np.isfinite(z).all():
        raise ValueError(
            f"{kind}.observe must give finite numbers of shape {wanted} for {len(system.names)} "
            f"names, not {z.shape}"
        )
    return z.astype(float)


def _states(what: str, states: Any, shape: tuple[int, ...]) -> np.ndarray:
    found = np.asarray(states)
    if found.shape[1:] != shape or found.dtype.kind not in "iub":
        kind = f"{found.dtype} of shape {found.shape}"
        raise ValueError(f"{what} must give whole numbers of shape (n, *{shape}), not {kind}")
    if np.any((found < -128) | (found > 127)):
        raise ValueError(f"{what} must give whole numbers from -128 to 127")
    return found.astype(np.int8)


def _flat(states: np.ndarray) -> np.ndarray:
    return states.reshape(len(states), -1)
