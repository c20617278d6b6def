"""Drivers that are copied or pickled leave their files to the original, or say what holds them."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import Any

from ase.optimize.optimize import Log
from ase.parallel import world

FILE_WRITERS = ("_write_log", "_traj_write_image", "_write_frame")


def without_files(driver: Any) -> dict[str, Any]:
    """The state of a driver, without its log, its trajectory and what writes them."""
    state = dict(driver.__dict__)
    state.pop("comm", None)
    state.pop("_exitstack", None)
    kept = [o for o in driver.observers if not _writes(driver, o[0])]
    if len(kept) < len(driver.observers):
        warnings.warn(
            f"a copy of this {type(driver).__name__} writes neither its log nor its trajectory",
            stacklevel=4,
        )
    state.update(observers=kept, logfile=Log(None, world), trajectory=None, _orig_trajectory=None)
    return state


def _writes(driver: Any, function: Any) -> bool:
    own = getattr(function, "__self__", None) is driver
    return own and getattr(function, "__name__", "") in FILE_WRITERS


def refuse_unpicklable(driver: Any) -> None:
    """Name what keeps a driver from being pickled.

    Raises
    ------
    TypeError
        If its calculator cannot be, or an observer has no name that could be looked up.
    """
    name = type(driver).__name__
    for function, *_ in driver.observers:
        if inspect.isfunction(function) and "<" in function.__qualname__:
            raise TypeError(
                f"this {name} cannot be pickled: its observer {function.__qualname__} is no "
                "function of a module"
            )
    surroundings = getattr(driver, "surroundings", None)
    for holder in (driver, surroundings):
        calculator = getattr(holder, "calculator", None)
        try:
            pickle.dumps(calculator)
        except Exception as error:
            kind = type(calculator).__name__
            raise TypeError(
                f"this {name} cannot be pickled: its calculator {kind} cannot ({error})"
            ) from error


class Copyable:
    """A driver that can be copied and pickled wherever its calculator can."""

    def __getstate__(self) -> dict[str, Any]:
        return without_files(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        refuse_unpicklable(self)
        return super().__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        try:
            state = copy.deepcopy(self.__getstate__(), memo)
        except Exception as error:
            name = type(self).__name__
            raise TypeError(f"this {name} cannot be copied: {error}") from error
        twin.__setstate__(state)
        return twin

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, comm=world)
