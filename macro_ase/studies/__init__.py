"""Whole studies: what is simulated, learned, predicted and compared, by the kind of system."""

from typing import Any

from .alloys.study import AlloyStudy
from .critical.study import CriticalIsingStudy
from .fields.predator_prey import PredatorPreyStudy
from .forces.allen_cahn import AllenCahnForcesStudy
from .forces.lennard_jones import LennardJonesForcesStudy
from .forces.predator_prey import PredatorPreyForcesStudy
from .forces.saving import LennardJonesSavingStudy
from .spins.curie_weiss import CurieWeissStudy
from .spins.ising import IsingStudy

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
