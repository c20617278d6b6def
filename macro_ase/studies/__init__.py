"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""

from typing import Any

from .alloy import AlloyStudy
from .curie_weiss import CurieWeissStudy
from .ising import IsingStudy
from .ising_critical import CriticalIsingStudy
from .predator_prey import PredatorPreyStudy

STUDIES: dict[str, Any] = {
    "vacancy-alloy": AlloyStudy,
    "swap-alloy": AlloyStudy,
    "curie-weiss": CurieWeissStudy,
    "ising": IsingStudy,
    "ising-critical": CriticalIsingStudy,
    "predator-prey": PredatorPreyStudy,
}

__all__ = ["STUDIES", "AlloyStudy"]
