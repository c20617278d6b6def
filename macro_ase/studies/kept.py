"""Models that a run keeps in its folder: loaded where they are whole, made again where not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def load_or_make(load: Callable[[], T], make: Callable[[], T]) -> T:
    """What an earlier session kept, or the same made anew where that is lost or damaged.

    Parameters
    ----------
    load, make : callable
    """
    try:
        return load()
    except FileNotFoundError:
        pass
    except Exception as error:  # damaged files fail in many ways
        warnings.warn(f"{error}; it is made again", stacklevel=2)
    return make()
