"""Vacancy-hop barriers: models, their energy, and how they are fitted."""

from .base import BarrierModel
from .kra import KRABarriers
from .nnk import NNKBarriers
from .pair_energy import PairEnergy, PairEnergyCalculator

__all__ = ["BarrierModel", "KRABarriers", "NNKBarriers", "PairEnergy", "PairEnergyCalculator"]
