"""Microscopic systems: what they are made of, how they move, what is measured."""

from collections.abc import Callable
from typing import Any

from .alloy import Alloy
from .alloy_setup import alloy_from_config, swap_alloy_from_config
from .alloy_sites import sites_from_config
from .alloy_swap import SwapAlloy
from .base import System

MODELS: dict[str, Callable[[dict[str, Any]], tuple[Any, list[str]]]] = {
    "vacancy-alloy": alloy_from_config,
    "swap-alloy": swap_alloy_from_config,
    "swap-calculator": sites_from_config,
}

__all__ = ["MODELS", "Alloy", "SwapAlloy", "System"]
