"""Vacancy-hop barriers: models, their energy, and how they are fitted."""

from .base import BarrierModel
from .kra import KRABarriers
from .nnk import NNKBarriers
from .pair_calculator import PairEnergyCalculator
from .pair_energy import PairEnergy

__all__ = ["BarrierModel", "KRABarriers", "NNKBarriers", "PairEnergy", "PairEnergyCalculator"]
