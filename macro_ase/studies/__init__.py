"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""

from typing import Any

from .allen_cahn_forces import AllenCahnForcesStudy
from .alloy import AlloyStudy
from .curie_weiss import CurieWeissStudy
from .ising import IsingStudy
from .ising_critical import CriticalIsingStudy
from .predator_prey import PredatorPreyStudy
from .predator_prey_forces import PredatorPreyForcesStudy

STUDIES: dict[str, Any] = {
    "vacancy-alloy": AlloyStudy,
    "swap-alloy": AlloyStudy,
    "curie-weiss": CurieWeissStudy,
    "ising": IsingStudy,
    "ising-critical": CriticalIsingStudy,
    "predator-prey": PredatorPreyStudy,
    "predator-prey-forces": PredatorPreyForcesStudy,
    "allen-cahn-forces": AllenCahnForcesStudy,
}

__all__ = ["STUDIES", "AlloyStudy"]
