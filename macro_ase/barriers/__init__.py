"""Vacancy-hop barriers: models, their energy, and how they are fitted."""

from .base import BarrierModel
from .constant import ConstantBarriers
from .kra import KRABarriers
from .nnk import NNKBarriers
from .pair_calculator import PairEnergyCalculator
from .pair_energy import PairEnergy

__all__ = [
    "BarrierModel",
    "ConstantBarriers",
    "KRABarriers",
    "NNKBarriers",
    "PairEnergy",
    "PairEnergyCalculator",
]
