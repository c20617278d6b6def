"""Arrays that people give: numbers, finite, of the shape that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Chunk = Mapping[str, NDArray[Any]]
"""Arrays by name, as a store keeps them."""


def finite_array(values: Any, name: str, *shape: int | None) -> Array:
    """Values as an array of real numbers.

    Parameters
    ----------
    values : array-like
    name : str
        What they are called where they were given.
    shape : int or None
        Lengths of the axes; None allows any.

    Raises
    ------
    ValueError
        If they are no finite numbers, or of another shape.
    """
    array = as_numbers(values, name)
    wanted = str(tuple(-1 if k is None else k for k in shape)).replace("-1", "any")
    fits = array.ndim == len(shape) and all(k is None or k == n for k, n in zip(shape, array.shape))
    if not fits:
        raise ValueError(f"{name} must have shape {wanted}, not {array.shape}")
    if not np.isfinite(array).all():
        wrong = np.argwhere(~np.isfinite(array))
        place = f", at index {wrong[0].tolist()}" if array.ndim else ""
        raise ValueError(f"{name} is not finite{place}: {array[tuple(wrong[0])]}")
    return array


def as_columns(values: Any, name: str, rows: int | None = None) -> Array:
    """Finite numbers, shape (n, k); shape (n,) is one column.

    Raises
    ------
    ValueError
        As `finite_array`, or if there are not as many rows as wanted.
    """
    array = as_numbers(values, name)
    return finite_array(array[:, None] if array.ndim == 1 else array, name, rows, None)


def as_conditions(values: Any, rows: int) -> Array:
    """Conditions, shape (n, c); None is none, a number stands for all rows, (n,) is one column.

    Raises
    ------
    ValueError
        As `as_columns`.
    """
    array = as_numbers(np.empty((rows, 0)) if values is None else values, "condition")
    return as_columns(np.full((rows, 1), array) if array.ndim == 0 else array, "condition", rows)


def one_condition(values: Any, c: int) -> Array:
    """A condition, shape (c,); one number is (1,), None is none.

    Raises
    ------
    ValueError
        As `finite_array`.
    """
    array = as_numbers([] if values is None else values, "condition")
    return finite_array(np.atleast_1d(array), "condition", c)


def whole_numbers(values: Any, name: str, rows: int) -> NDArray[np.int64]:
    """Whole numbers, shape (rows,).

    Raises
    ------
    ValueError
        If they are none, or of another shape.
    """
    array = finite_array(values, name, rows)
    if np.any(array != np.rint(array)):
        raise ValueError(f"{name} must hold whole numbers")
    return array.astype(np.int64)


def above_0(value: Any, name: str) -> float:
    """A finite number above 0.

    Raises
    ------
    ValueError
        If it is none.
    """
    number = float(finite_array(value, name))
    if not number > 0:
        raise ValueError(f"{name} must be above 0, not {number:g}")
    return number


def as_numbers(values: Any, name: str) -> Array:
    """Values as an array of float64, of any shape; ValueError if they are no real numbers."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} holds masked values: leave them out")
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "buif":
            raise ValueError
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of real numbers") from None
