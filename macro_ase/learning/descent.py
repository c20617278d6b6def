"""Weights of new networks from a seed, whatever other threads do."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import torch

T = TypeVar("T")
_TURN = Lock()


def initialised(seed: int, make: Callable[[], T]) -> T:
    """What ``make`` builds with PyTorch's generator, which all threads share, set to a seed."""
    with _TURN:
        torch.manual_seed(seed)
        return make()
