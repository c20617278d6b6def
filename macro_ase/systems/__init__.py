"""Microscopic systems: what they are made of, how they move, what is measured."""

from .alloy import Alloy
from .alloy_setup import alloy_from_config
from .base import MicroSystem

MODELS = {"vacancy-alloy": alloy_from_config}

__all__ = ["MODELS", "Alloy", "MicroSystem"]
