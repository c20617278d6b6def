"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""

from .alloy import AlloyStudy

STUDIES = {"vacancy-alloy": AlloyStudy, "swap-alloy": AlloyStudy}

__all__ = ["STUDIES", "AlloyStudy"]
