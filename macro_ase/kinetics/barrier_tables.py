"""What the vacancy kernel asks of a barrier model, dispatched at compile time.

A barrier model gives the kernel a named tuple of arrays, its *tables*. The type of the
tuple selects the compiled function, so that one kernel serves every model.
`register` ties the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.extending import overload

from .registration import admitted, selects

_KNOWN: dict[type, Any] = {}


def barriers_at(tables: Any, padded: Any, site: Any, basis: Any, out: Any) -> int:
    """Barriers (eV) of the Z hops of the vacancy at a padded position.

    Parameters
    ----------
    tables : named tuple
        Of a registered type.
    padded : int8 array
        Species codes with halo.
    site, basis : int
        Where the vacancy is.
    out : float64 array, shape (Z,)
        Filled with the barriers; inf where the target is vacant.

    Returns
    -------
    int
        How many other vacancies the barriers depend on; 0 means none is near.
    """
    raise NotImplementedError("callable from compiled code only")


def register(tables_type: type, function: Callable[..., int]) -> None:
    """Use a function for tables of this type.

    Parameters
    ----------
    tables_type : type
        Class of a named tuple, for which nothing else is registered. Numbers that change belong
        into it: compiled code holds global ones as they were when it was compiled.
    function : callable
        Takes and returns what `barriers_at` does. It is compiled, with the kernels that call it,
        by each process anew, so that edits of it and of what it calls act at once.

    Raises
    ------
    TypeError, ValueError
        See `registration.admitted`.
    """
    function = admitted(tables_type, function, _KNOWN)

    @overload(barriers_at, strict=False)
    def _select(tables: Any, padded: Any, site: Any, basis: Any, out: Any) -> Any:
        if not selects(tables, tables_type, function):
            return None
        return lambda tables, padded, site, basis, out: function(tables, padded, site, basis, out)
