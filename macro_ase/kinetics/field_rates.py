"""What the kernels of fields ask of a model, dispatched at compile time.

A model gives the kernel a named tuple of numbers. The type of the tuple selects the compiled
right-hand side, so that one kernel serves every equation. `register` ties the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import overload


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
    """Use a compiled function for parameters of this type."""

    @overload(field_rates, strict=False)
    def _select(parameters: Any, padded: Any, out: Any) -> Any:
        named = isinstance(parameters, types.BaseNamedTuple)
        if not named or getattr(parameters, "instance_class", None) is not parameters_type:
            return None
        return lambda parameters, padded, out: function(parameters, padded, out)
