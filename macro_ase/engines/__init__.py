"""Dynamics of atoms, as ASE drivers."""

from .swap_mc import SwapMC
from .vacancy_kmc import VacancyKMC

__all__ = ["SwapMC", "VacancyKMC"]
