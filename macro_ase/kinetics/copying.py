"""Copies inside kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled


@compiled
def copy_into(out: NDArray[Any], x: NDArray[Any]) -> None:
    """out <- x, flat and of one size.

    ``out[:] = x`` does the same after a test of shapes, whose message takes a second to compile.
    """
    for i in range(out.size):
        out[i] = x[i]


@compiled
def lengthened(x: NDArray[Any], rows: int) -> NDArray[Any]:
    """An array of more rows that begins with those of ``x``; the others hold anything."""
    longer = np.empty((rows, *x.shape[1:]), dtype=x.dtype)
    copy_into(longer[: len(x)].ravel(), x.ravel())
    return longer
