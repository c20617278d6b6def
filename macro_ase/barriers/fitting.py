"""Joint fit of hop barriers and formation energies, and how good it is.

Barriers of one random cell alone leave the energy undetermined: many pair energies give the same
differences there and other ordering elsewhere. Formation energies settle it (`linear_fit`). The
two strengths of the prior are chosen by cross-validation over vacancy sites.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..crystal import Crystal
from ..kinetics.hop_rates import evaluate_barriers
from ..kinetics.padding import pad, padded_sites
from ..lattice import BCC, SiteGrid
from ..rng import coerce_rng, whole_seed
from .base import BarrierModel
from .cross_validation import choose_prior, cross_validate
from .fit_data import BarrierTable, find_tables, read_table, species_of
from .fit_warnings import fit_warnings
from .formation_frames import FormationFrames, read_formation_frames
from .grouped_errors import composition_errors, species_errors
from .kra import KRABarriers
from .linear_fit import ORBIT_SHELLS, Problem, assemble, prior_of, solve, unpack
from .orbits import HOP_DIRECTIONS
from .pair_energy import PairEnergy

BARRIER_OUTLIER_SIGMAS, BARRIER_OUTLIER_EV = 6.0, 0.1
FORMATION_OUTLIER_SIGMAS, FORMATION_OUTLIER_EV = 20.0, 0.03


def fit(
    tables: list[BarrierTable], frames: FormationFrames | None, seed: int = 0
) -> tuple[KRABarriers, dict[str, Any]]:
    """Fit a model and measure it.

    Parameters
    ----------
    tables : list of BarrierTable
        Of crystals with the same species codes.
    frames : FormationFrames, optional
        Without them the energy is poorly determined (module docstring).
    seed : int
        Of the partitions into folds and of the bootstrap.

    Returns
    -------
    model : KRABarriers
        Its ``fit_warnings`` say what cannot be trusted.
    metrics : dict
        Cross-validated errors and sizes of the data.

    Raises
    ------
    ValueError
        If all hops lead into one site: nothing can then be left out.
    """
    seed, species = whole_seed(seed), tables[0].crystal.species[:-1]
    problem = assemble(tables, frames, len(species))
    if len(np.unique(problem.site)) < 2:
        raise ValueError("all hops lead into one site: without hops into others no fit can be made")
    strengths = choose_prior(problem, seed)
    prior = prior_of(len(species), *strengths)
    barrier, formation = cross_validate(problem, prior, seed)
    metrics = {
        **_barrier_metrics(problem, barrier),
        "orbit_strength": strengths[0],
        "pair_strength": strengths[1],
        "orbit_shells": ORBIT_SHELLS,
        "n_parameters": problem.hops.shape[1],
        "n_barriers": len(problem.barrier_eV),
        "n_collapsed": sum(len(t.collapsed) for t in tables),
        "n_hops": {s: int(np.sum(problem.hopping == n)) for n, s in enumerate(species)},
        "closure_error_eV": max(t.closure_error_eV for t in tables),
        "outliers": _barrier_outliers(problem, barrier, tables),
        "species": species_errors(problem, barrier, species, seed),
        **composition_errors(problem, prior, barrier, tables, seed),
        **({} if frames is None else _formation_metrics(frames, formation)),
    }
    model = unpack(
        solve(problem, prior, slice(None), slice(None)),
        species,
        np.array([t.composition for t in tables]),
    )
    unfitted = tuple(s for s, n in metrics["n_hops"].items() if n == 0)
    warnings = fit_warnings(metrics, frames)
    return replace(model, unfitted_species=unfitted, fit_warnings=warnings), metrics


def _barrier_metrics(problem: Problem, error: Array) -> dict[str, float]:
    """Sizes of barriers, and errors of those of left-out sites."""
    variance = float(np.var(problem.barrier_eV))
    by_site = [np.abs(error[:, problem.site == s]).mean() for s in np.unique(problem.site)]
    return {
        "barrier_cv_mae_eV": float(np.abs(error).mean(axis=1).mean()),
        "barrier_cv_mae_error_eV": float(np.std(by_site, ddof=1) / np.sqrt(len(by_site))),
        "barrier_cv_r2": float(1 - np.mean(error**2) / variance) if variance > 1e-12 else 0.0,
        "barrier_std_eV": variance**0.5,
        "barrier_median_eV": float(np.median(problem.barrier_eV)),
    }


def _barrier_outliers(problem: Problem, error: Array, tables: list[BarrierTable]) -> list[str]:
    """Barriers far from what the others predict, or, of too few hops, from their median."""
    return _outliers(
        problem.barrier_eV,
        error if _enough_hops(problem) else _from_median(problem.barrier_eV),
        [name for t in tables for name in t.names],
        BARRIER_OUTLIER_SIGMAS,
        BARRIER_OUTLIER_EV,
    )


def _enough_hops(problem: Problem) -> bool:
    """Whether what a fit without a hop predicts of it can be held against the hop."""
    n_hops, n_parameters = problem.hops.shape
    return bool(n_hops >= n_parameters)


def _from_median(values: Array) -> Array:
    return (np.median(values) - values)[None]


def _outliers(
    values_eV: Array, error: Array, names: Sequence[str], sigmas: float, least_eV: float
) -> list[str]:
    """Values far from what the fit without them predicts, the farthest first."""
    from scipy.stats import median_abs_deviation

    miss = np.median(error, axis=0)
    limit = sigmas * median_abs_deviation(miss, scale="normal")
    far = np.flatnonzero(np.abs(miss) > max(limit, least_eV))
    return [
        f"{names[n] if names else f'number {n}'}, {values_eV[n] + miss[n]:.3f} eV predicted"
        for n in far[np.argsort(-np.abs(miss[far]))]
    ]


def _formation_metrics(frames: FormationFrames, error: Array) -> dict[str, Any]:
    """Errors of formation energies of left-out frames."""
    rms = np.sqrt((error**2).mean(axis=0))
    total = float(np.sqrt((rms**2).mean()))
    spread = float(np.std(rms**2, ddof=1) / np.sqrt(len(rms)))
    return {
        "formation_rms_meV": 1e3 * total,
        "formation_rms_error_meV": 1e3 * spread / (2 * total) if total > 0 else 0.0,
        "formation_std_eV": float(np.std(frames.energy_eV)),
        "n_frames": len(frames.energy_eV),
        "n_frames_skipped": frames.skipped,
        "formation_outliers": _outliers(
            frames.energy_eV,
            error,
            [f"{n}: {e:.3f} eV/atom" for n, e in zip(frames.names, frames.energy_eV)],
            FORMATION_OUTLIER_SIGMAS,
            FORMATION_OUTLIER_EV,
        ),
    }


def load_data(
    directories: Sequence[Path], energies: list[Path]
) -> tuple[list[BarrierTable], FormationFrames | None]:
    """Tables of some folders, or of their subfolders, and frames, all in the same species codes.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong with it.
    """
    folders = [folder for directory in directories for folder in find_tables(directory)]
    species = species_of(folders)
    if not 1 <= len(species) <= 5:
        where = ", ".join(map(str, directories))
        raise ValueError(f"{where}: {len(species)} species; 1 to 5 can be fitted")
    tables = [read_table(folder, species) for folder in folders]
    for (one, a), (two, b) in itertools.combinations(zip(folders, tables), 2):
        same = a.crystal.grid.size == b.crystal.grid.size
        if same and np.array_equal(a.crystal.occupation, b.crystal.occupation):
            raise ValueError(f"{two} holds the crystal of {one}: join their hops in one table")
    frames = read_formation_frames(energies, species) if energies else None
    return tables, frames


def energy_of(model: BarrierModel, n_cells: int = 5, seed: int = 0) -> PairEnergy:
    """A pair energy fitted to the barriers of a model that has none, such as a network.

    Parameters
    ----------
    model : BarrierModel
    n_cells : int
        Edge, in cells, of the random equimolar crystal whose hops are taken.
    seed : int
    """
    grid, n = SiteGrid(BCC, (n_cells,) * 3), len(model.species)
    rng = coerce_rng(seed)
    codes = rng.permutation(np.arange(grid.n_sites) % n).astype(np.int8)
    neighbours = grid.neighbors(HOP_DIRECTIONS)
    barriers = np.empty((grid.n_sites, 8))
    for site in range(grid.n_sites):
        occupied = codes.copy()
        occupied[site] = n
        evaluate_barriers(
            model.tables_for(grid),
            pad(grid, occupied),
            int(padded_sites(grid, site)),
            site % grid.lattice.n_basis,
            barriers[site],
        )
    table = BarrierTable(
        crystal=Crystal.from_sites(grid, model.species, codes, 1.0),
        vacancy=np.repeat(np.arange(grid.n_sites), 8),
        target=neighbours.ravel(),
        barrier_eV=barriers.ravel(),
    )
    problem = assemble([table], None, n)
    w = solve(problem, prior_of(n, 3.0, 1.0), slice(None), slice(None))
    return unpack(w, model.species, np.full((1, n), 1 / n)).energy
