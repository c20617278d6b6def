"""Copies inside kernels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ..compiled import compiled


@compiled
def copy_into(out: NDArray[Any], x: NDArray[Any]) -> None:
    """out <- x, flat and of one size.

    ``out[:] = x`` does the same after a test of shapes, whose message takes a second to compile.
    """
    for i in range(out.size):
        out[i] = x[i]
