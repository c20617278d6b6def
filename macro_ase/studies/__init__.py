"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""

from typing import Any

from .allen_cahn_forces import AllenCahnForcesStudy
from .alloy import AlloyStudy
from .curie_weiss import CurieWeissStudy
from .ising import IsingStudy
from .ising_critical import CriticalIsingStudy
from .lennard_jones_forces import LennardJonesForcesStudy
from .lennard_jones_saving import LennardJonesSavingStudy
from .predator_prey import PredatorPreyStudy
from .predator_prey_forces import PredatorPreyForcesStudy

STUDIES: dict[str, Any] = {
    "vacancy-alloy": AlloyStudy,
    "swap-alloy": AlloyStudy,
    "curie-weiss": CurieWeissStudy,
    "ising": IsingStudy,
    "predator-prey": PredatorPreyStudy,
    "predator-prey-forces": PredatorPreyForcesStudy,
    "allen-cahn-forces": AllenCahnForcesStudy,
    "ising-critical": CriticalIsingStudy,
    "lennard-jones-forces": LennardJonesForcesStudy,
    "lennard-jones-saving": LennardJonesSavingStudy,
}

__all__ = ["STUDIES", "AlloyStudy"]
