"""Microscopic systems: what they are made of, how they move, what is measured."""

from .alloy import Alloy
from .base import MicroSystem

__all__ = ["Alloy", "MicroSystem"]
