"""Vacancies put into a crystal at random, as the option ``--vacancies`` does."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from ..rng import coerce_rng, stream

VACANCY_NUMBER = 0


def take_out(atoms: Atoms, number: int, seed: int) -> None:
    """Turn random atoms into vacancies, in place.

    Raises
    ------
    ValueError
        If there are not more atoms than that.
    """
    occupied = np.flatnonzero(atoms.numbers != VACANCY_NUMBER)
    if number >= len(occupied):
        raise ValueError(f"cannot take {number} vacancies out of {len(occupied)} atoms")
    chosen = coerce_rng(stream(seed, "vacancies")).choice(occupied, number, replace=False)
    atoms.numbers[chosen] = VACANCY_NUMBER
