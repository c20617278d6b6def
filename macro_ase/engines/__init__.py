"""Dynamics of atoms, as ASE drivers."""

from .swap_mc import SwapMC
from .vacancy_kmc import VacancyKMC
from .vacancy_walker import VacancyWalker

__all__ = ["SwapMC", "VacancyKMC", "VacancyWalker"]
