"""Functions that compiled kernels choose by the class of a named tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

from numba.core.caching import NullCache
from numba.extending import is_jitted

from ..compiled import INSIDE, compiled


def admitted(kind: type, function: Callable[..., Any], known: dict[type, Any]) -> Any:
    """Check what is registered, and compile it if numba has not.

    Parameters
    ----------
    kind : type
        Class of a named tuple.
    function : callable
        Compiled by numba, or to be compiled.
    known : dict
        Functions by class; the new one is added.

    Returns
    -------
    numba dispatcher

    Raises
    ------
    TypeError
        For other classes.
    ValueError
        For a class that has another function, or belongs to the package: compiled kernels
        hold theirs.
    """
    if not (isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")):
        raise TypeError(f"a function is registered for a class of named tuples, not for {kind!r}")
    if not callable(function):
        raise TypeError(f"what is registered for {kind.__name__} must be a function: {function!r}")
    if kind.__module__.startswith(INSIDE) and not function.__module__.startswith(INSIDE):
        raise ValueError(f"{kind.__qualname__} is a class of macro_ase: register one of your own")
    names = {other.__name__ for other in known if other is not kind}
    if kind.__name__ in names:  # numba takes classes of one name and the same fields for one
        kind.__name__ = f"{kind.__name__}_{len(known)}"
    if known.setdefault(kind, function) is not function:
        raise ValueError(
            f"{kind.__qualname__} has the function {known[kind].__name__} already, which compiled "
            f"kernels hold: define the class anew before it is registered with {function.__name__}"
        )
    return function if is_jitted(function) else compiled(function)


def selects(argument: Any, kind: type, function: Any) -> bool:
    """Whether numba's type of an argument is this class; then the function is made ready for it."""
    if getattr(argument, "instance_class", None) is not kind:
        return False
    _forget_kept_code(function, set())
    return True


def _forget_kept_code(function: Any, seen: set[int]) -> bool:
    """Drop what numba kept of a user's function and its callees: their edits escape it.

    Returns whether there may have been any.
    """
    jitted: bool = is_jitted(function)
    if not jitted or function.__module__.startswith(INSIDE) or id(function) in seen:
        return False
    seen.add(id(function))
    kept = not isinstance(function._cache, NullCache)
    function._cache = NullCache()
    for value in _referred(function.py_func):
        kept |= _forget_kept_code(value, seen)
    if kept and function.overloads:
        function.recompile()
    return kept


def _referred(function: Any) -> Iterator[Any]:
    """Objects to which a function refers, by a name or as an attribute of a module."""
    names = function.__code__.co_names
    for name in names:
        value = function.__globals__.get(name)
        yield value
        if isinstance(value, ModuleType):
            yield from (getattr(value, name, None) for name in names)
    for cell in function.__closure__ or ():
        with suppress(ValueError):
            yield cell.cell_contents
