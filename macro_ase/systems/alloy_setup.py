"""The system of an alloy study from its settings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..barriers import BarrierModel, ConstantBarriers, KRABarriers, PairEnergy
from ..barriers.fitting import energy_of
from ..barriers.load import load_barriers
from ..crystal import Crystal
from ..potentials.eam_table import EAMTable
from ..potentials.shipped import given_or_shipped
from ..refusals import Refused
from .alloy import Alloy
from .alloy_start import (
    check_alone,
    check_division,
    grid_from,
    large_crystal,
    small_states,
    with_vacancies,
)
from .alloy_swap import SwapAlloy
from .swap_engines import EAMSwaps

BOUNDARIES = ("embedded", "periodic")


def alloy_from_config(config: dict[str, Any]) -> tuple[Alloy, list[str]]:
    """The system of a study of vacancy diffusion, and what should be said of how it was made.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    settings, seed = config["system"], config["seed"]
    _check_order_settings(settings)
    if settings["sites_per_vacancy"] < 2:
        text = f"system.sites_per_vacancy must be at least 2, not {settings['sites_per_vacancy']}"
        raise Refused(text, {"system.sites_per_vacancy": 2})
    barriers = load_barriers(settings["barriers"] or None)
    crystal, notes = large_crystal(settings, barriers.species, seed)
    notes += _barrier_remarks(barriers, crystal)
    _check_species(crystal)
    small = grid_from(settings, "small_size")
    if config["sampling"]["grow"]:
        check_division(small, crystal.grid)
    else:
        check_alone(small, crystal.grid, settings["boundary"])
    occupation, added = with_vacancies(crystal, settings["sites_per_vacancy"], seed)
    alloy = Alloy(
        barriers=barriers,
        healing_energy=_healing_energy(barriers),
        small=small,
        large=crystal.grid,
        small_states=small_states(occupation, small, crystal.grid, crystal.vacancy_code, seed),
        large_state=occupation,
        random_start=not settings["structure"],
        shells=settings["shells"],
        boundary=settings["boundary"],
    )
    return alloy, notes + added


def swap_alloy_from_config(config: dict[str, Any]) -> tuple[SwapAlloy, list[str]]:
    """The system of a study of swaps of neighbours, and what should be said of how it was made.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    settings, seed = config["system"], config["seed"]
    _check_order_settings(settings)
    file = given_or_shipped(settings["potential"] or "NbMoTa.eam.alloy")
    table = EAMTable.read(file)
    crystal, notes = large_crystal(settings, table.species, seed)
    _check_species(crystal)
    small = grid_from(settings, "small_size")
    check_division(small, crystal.grid)
    if settings["buffer_cells"] < 1:
        text = f"system.buffer_cells must be at least 1, not {settings['buffer_cells']}"
        raise Refused(text, {"system.buffer_cells": 1})
    occupation = crystal.occupation.copy()
    alloy = SwapAlloy(
        swaps=EAMSwaps(table, crystal.lattice_constant_A, settings["shells"]),
        small=small,
        large=crystal.grid,
        small_states=small_states(occupation, small, crystal.grid, crystal.vacancy_code, seed),
        large_state=occupation,
        random_start=not settings["structure"],
        shells=settings["shells"],
        buffer_cells=settings["buffer_cells"],
        boundary=settings["boundary"],
    )
    return alloy, [*notes, f"Energies from {file.name} on the ideal sites."]


def _check_order_settings(settings: dict[str, Any]) -> None:
    """Raise ValueError for a boundary or number of shells that there is not."""
    if settings["boundary"] not in BOUNDARIES:
        raise Refused(
            f"system.boundary must be one of {', '.join(BOUNDARIES)}, not {settings['boundary']!r}",
            {"system.boundary": BOUNDARIES[0]},
        )
    if not 1 <= settings["shells"] <= 3:
        text = f"system.shells must be 1, 2 or 3, not {settings['shells']}"
        raise Refused(text, {"system.shells": min(max(settings["shells"], 1), 3)})


def _check_species(crystal: Crystal) -> None:
    """Raise ValueError unless there are atoms of two species."""
    if np.count_nonzero(crystal.counts[:-1]) < 2:
        raise Refused(
            "short-range order needs atoms of at least two species: see system.composition",
            {"system.composition": "".join(crystal.species)},
        )


def _barrier_remarks(barriers: BarrierModel, crystal: Crystal) -> list[str]:
    """Warn of what cannot be trusted in the barriers, and say so in the notes too."""
    remarks = barriers.remarks(crystal)
    for remark in remarks:
        warnings.warn(remark, stacklevel=3)
    return [f"Warning: {remark}." for remark in remarks]


def _healing_energy(barriers: BarrierModel) -> PairEnergy:
    """The model's own energy, or for a network one fitted to its barriers."""
    if isinstance(barriers, KRABarriers):
        return barriers.energy
    if isinstance(barriers, ConstantBarriers):
        raise ValueError(
            "system.barriers holds constant barriers, without an energy: their alloy has no order "
            "to learn; give KRA barriers or a network (macro-ase kmc and diffusion take these)"
        )
    return energy_of(barriers)
