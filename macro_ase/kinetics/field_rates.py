"""What the kernels of fields ask of a model, dispatched at compile time.

A model gives the kernel a named tuple of numbers. The type of the tuple selects the compiled
right-hand side, so that one kernel serves every equation. `register` ties the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.extending import overload

from .registration import admitted, selects

_KNOWN: dict[type, Any] = {}


def field_rates(parameters: Any, padded: Any, out: Any) -> None:
    """Deterministic rates of change of the fields of one replica.

    Parameters
    ----------
    parameters : named tuple
        Of a registered type.
    padded : float64 array, shape (n_fields, rows + 2, columns + 2)
        Fields, ghost cells set.
    out : float64 array, shape (n_fields, rows + 2, columns + 2)
        Filled with the rates; ghost cells are left alone.
    """
    raise NotImplementedError("callable from compiled code only")


def register(parameters_type: type, function: Callable[..., None]) -> None:
    """Use a function for parameters of this type.

    Parameters
    ----------
    parameters_type : type
        Class of a named tuple, for which nothing else is registered. Numbers that change belong
        into it: compiled code holds global ones as they were when it was compiled.
    function : callable
        Takes what `field_rates` takes. It is compiled, with the kernels that call it, by each
        process anew, so that edits of it and of what it calls act at once.

    Raises
    ------
    TypeError, ValueError
        See `registration.admitted`.
    """
    function = admitted(parameters_type, function, _KNOWN)

    @overload(field_rates, strict=False)
    def _select(parameters: Any, padded: Any, out: Any) -> Any:
        if not selects(parameters, parameters_type, function):
            return None
        return lambda parameters, padded, out: function(parameters, padded, out)
