"""Interatomic potentials: files that ship, how they are made, and how they are read."""

from .shipped import path

__all__ = ["path"]
