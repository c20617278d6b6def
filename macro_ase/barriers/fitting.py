"""Joint fit of hop barriers and formation energies.

The barrier of a hop and the formation energy of a crystal are linear in the same
parameters w = (constants and orbit weights of E_KRA, pair energies, subregular terms):

    minimise  sum_hops (E_hop - x.w)^2 + g sum_frames (E_form - y.w)^2 + sum_i p_i w_i^2

with g = (barrier error / formation error)^2. The prior p grows with distance, as the
interactions fall off: as d^4 for orbit weights and d^8 for pairs, d in first-neighbour
distances. Its two strengths are chosen by cross-validation over vacancy sites.

Barriers of one random cell alone leave the energy undetermined: many pair energies give
the same differences there and other ordering elsewhere. Formation energies settle it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kinetics.padding import pad, padded_sites
from ..kinetics.vacancy_walk import evaluate_barriers
from ..lattice import BCC, Crystal, SiteGrid
from .base import BarrierModel
from .fit_data import (
    BarrierTable,
    FormationFrames,
    find_tables,
    read_formation_frames,
    read_table,
    species_of,
)
from .kra import KRABarriers
from .orbits import HOP_DIRECTIONS, bond_orbits, orbit_distance
from .pair_energy import PairEnergy

N_SHELLS = 7
ORBIT_SHELLS = 7
BARRIER_ERROR_EV = 0.065
FORMATION_ERROR_EV = 0.002
ORBIT_DECAY, PAIR_DECAY = 4, 8
ORBIT_STRENGTHS = (1.0, 3.0, 10.0, 30.0)
PAIR_STRENGTHS = (1.0, 3.0, 10.0)
N_FOLDS, N_REPEATS = 8, 5

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """The linear problem.

    Attributes
    ----------
    hops : array, shape (n_hops, P)
        Rows x of the barriers.
    barrier_eV : array, shape (n_hops,)
    site : int array, shape (n_hops,)
        Vacancy site of each hop, numbered through all crystals: the unit of cross-validation.
    frames : array, shape (n_frames, P)
        Rows y of the formation energies.
    formation_eV : array, shape (n_frames,)
        Per atom.
    n_species : int
    """

    hops: Array
    barrier_eV: Array
    site: NDArray[np.int64]
    frames: Array
    formation_eV: Array
    n_species: int


def _pairs(n_species: int) -> list[tuple[int, int]]:
    """Species pairs that have a parameter: unlike atoms, and each atom with the vacancy."""
    return list(itertools.combinations(range(n_species + 1), 2))


def _one_hot(codes: NDArray[np.integer], n: int) -> Array:
    return np.eye(n)[codes]


def _orbit_rows(table: BarrierTable, n: int) -> Array:
    """Orbit counts by hopping species, shape (n_hops, n * n_orbits * n), centred over species."""
    grid, occupation = table.crystal.grid, table.crystal.occupation
    step = _hop_vector(table)
    hopping = _one_hot(occupation[table.target], n)
    rows: list[Array] = []
    for orbit in bond_orbits(ORBIT_SHELLS):
        sites = grid.coordinates[table.vacancy][:, None, :] + orbit[None] * step[:, None, :]
        counts = _one_hot(occupation[grid.index(sites)], n).sum(axis=1)
        rows.append(counts - counts.mean(axis=1, keepdims=True))
    stacked = np.stack(rows, axis=1)
    return np.einsum("ha,hob->haob", hopping, stacked).reshape(len(step), -1)


def _hop_vector(table: BarrierTable) -> NDArray[np.int64]:
    """Direction from the vacancy to the hopping atom, shape (n_hops, 3), units of a/2."""
    neighbours = table.crystal.grid.neighbors(HOP_DIRECTIONS)[table.vacancy]
    return HOP_DIRECTIONS[np.argmax(neighbours == table.target[:, None], axis=1)]


def _energy_change_rows(table: BarrierTable, n: int) -> Array:
    """Half the change of every pair count in a hop, shape (n_hops, n_shells * n_pairs)."""
    grid, occupation = table.crystal.grid, table.crystal.occupation
    hopping = occupation[table.target]
    rows: list[Array] = []
    for vectors in BCC.shells(N_SHELLS):
        neighbours = grid.neighbors(vectors)
        new, old = neighbours[table.vacancy], neighbours[table.target]
        species_new = _one_hot(occupation[new], n) * (new != table.target[:, None])[..., None]
        species_old = _one_hot(occupation[old], n) * (old != table.vacancy[:, None])[..., None]
        gain = species_new.sum(axis=1) - species_old.sum(axis=1)
        counts = np.zeros((len(hopping), n + 1, n + 1))
        counts[np.arange(len(hopping)), hopping, :n] += gain
        counts[:, n, :n] -= gain
        symmetric = counts + counts.transpose(0, 2, 1)
        rows.extend(0.5 * symmetric[:, a, b] for a, b in _pairs(n))
    return np.stack(rows, axis=1)


def _formation_row(crystal: Crystal, n: int) -> Array:
    """Pair counts per atom of a crystal without vacancies, then its subregular terms."""
    occupation = crystal.occupation
    row: list[float] = []
    for vectors in BCC.shells(N_SHELLS):
        neighbours = occupation[crystal.grid.neighbors(vectors)]
        code = (occupation[:, None].astype(int) * (n + 1) + neighbours).ravel()
        counts = np.bincount(code, minlength=(n + 1) ** 2).reshape(n + 1, n + 1)
        row.extend(counts[a, b] / len(occupation) for a, b in _pairs(n))
    c = crystal.counts[:n] / crystal.counts[:n].sum()
    row.extend(c[a] * c[b] * (c[a] - c[b]) for a, b in itertools.combinations(range(n), 2))
    return np.array(row)


def assemble(tables: list[BarrierTable], frames: FormationFrames | None, n: int) -> Problem:
    """Rows of all hops and frames, for ``n`` species."""
    n_subregular = n * (n - 1) // 2
    hops = [
        np.hstack(
            [
                _one_hot(t.crystal.occupation[t.target], n),
                _orbit_rows(t, n),
                _energy_change_rows(t, n),
                np.zeros((len(t.target), n_subregular)),
            ]
        )
        for t in tables
    ]
    width = hops[0].shape[1]
    y = np.zeros((0, width))
    if frames is not None:
        tail = np.array([_formation_row(c, n) for c in frames.crystals])
        y = np.hstack([np.zeros((len(tail), width - tail.shape[1])), tail])
    first = np.cumsum([0] + [t.crystal.grid.n_sites for t in tables])
    return Problem(
        hops=np.vstack(hops),
        barrier_eV=np.concatenate([t.barrier_eV for t in tables]),
        site=np.concatenate([t.vacancy + f for t, f in zip(tables, first)]),
        frames=y,
        formation_eV=np.zeros(0) if frames is None else frames.energy_eV,
        n_species=n,
    )


def _prior(n: int, orbit_strength: float, pair_strength: float) -> Array:
    """Diagonal p of the prior, shape (P,)."""
    orbits = np.array([orbit_distance(o) ** ORBIT_DECAY for o in bond_orbits(ORBIT_SHELLS)])
    lengths = np.array([np.sqrt((s[0] ** 2).sum() / 3) for s in BCC.shells(N_SHELLS)])
    return np.concatenate(
        [
            np.full(n, 1e-6),
            orbit_strength * np.tile(np.repeat(orbits, n), n),
            pair_strength * np.repeat(lengths**PAIR_DECAY, len(_pairs(n))),
            np.full(n * (n - 1) // 2, 1e-6),
        ]
    )


def solve(problem: Problem, prior: Array, hops: Any, frames: Any) -> Array:
    """Parameters from the chosen rows (boolean masks or slices)."""
    weight = (BARRIER_ERROR_EV / FORMATION_ERROR_EV) ** 2
    x, y = problem.hops[hops], problem.frames[frames]
    matrix = x.T @ x + weight * y.T @ y + np.diag(prior)
    right = x.T @ problem.barrier_eV[hops] + weight * y.T @ problem.formation_eV[frames]
    return np.linalg.solve(matrix, right)


def cross_validate(
    problem: Problem, prior: Array, seed: int, repeats: int = N_REPEATS
) -> tuple[Array, Array]:
    """Errors on left-out vacancy sites and frames; frames with equal rows are left out together.

    Returns
    -------
    barrier_error, formation_error : arrays, shape (repeats, n_hops) and (repeats, n_frames)
        Predicted minus given, eV; each row is one partition into folds.
    """
    barrier = np.zeros((repeats, len(problem.barrier_eV)))
    formation = np.zeros((repeats, len(problem.formation_eV)))
    sites, site_number = np.unique(problem.site, return_inverse=True)
    rows, row_number = np.unique(np.round(problem.frames, 9), axis=0, return_inverse=True)
    for r in range(repeats):
        rng = np.random.default_rng([seed, r])
        hop_fold = rng.permutation(np.arange(len(sites)) % N_FOLDS)[site_number]
        frame_fold = rng.permutation(np.arange(len(rows)) % N_FOLDS)[row_number.ravel()]
        for k in range(N_FOLDS):
            hops, frames = hop_fold == k, frame_fold == k
            w = solve(problem, prior, ~hops, ~frames)
            barrier[r, hops] = problem.hops[hops] @ w - problem.barrier_eV[hops]
            formation[r, frames] = problem.frames[frames] @ w - problem.formation_eV[frames]
    return barrier, formation


def choose_prior(problem: Problem, seed: int) -> tuple[float, float]:
    """Strengths (orbit, pair) with the least cross-validated barrier error."""
    candidates = list(itertools.product(ORBIT_STRENGTHS, PAIR_STRENGTHS))
    errors = [
        np.abs(cross_validate(problem, _prior(problem.n_species, *c), seed, repeats=2)[0]).mean()
        for c in candidates
    ]
    return candidates[int(np.argmin(errors))]


def unpack(w: Array, species: tuple[str, ...], compositions: Array) -> KRABarriers:
    """The model whose parameters are w."""
    n = len(species)
    n_orbits, n_pairs = len(bond_orbits(ORBIT_SHELLS)), len(_pairs(n))
    constant, orbit, pair, subregular = np.split(
        w, np.cumsum([n, n * n_orbits * n, N_SHELLS * n_pairs])
    )
    weights = orbit.reshape(n, n_orbits, n)
    matrices = np.zeros((N_SHELLS, n + 1, n + 1))
    for values, matrix in zip(pair.reshape(N_SHELLS, n_pairs), matrices):
        for value, (a, b) in zip(values, _pairs(n)):
            matrix[a, b] = matrix[b, a] = value
        matrix[n, :n] = matrix[:n, n] = matrix[n, :n] - matrix[n, :n].mean()
        matrix[n, n] = -matrix[:n, :n].mean()
    mixing = np.zeros((n, n))
    mixing[np.triu_indices(n, 1)] = subregular
    return KRABarriers(
        energy=PairEnergy(species, matrices, mixing),
        activation_eV=constant,
        orbit_weights_eV=weights - weights.mean(axis=2, keepdims=True),
        orbit_shells=ORBIT_SHELLS,
        compositions=compositions,
    )


def fit(
    tables: list[BarrierTable], frames: FormationFrames | None, seed: int = 0
) -> tuple[KRABarriers, dict[str, float]]:
    """Fit a model and measure it.

    Parameters
    ----------
    tables : list of BarrierTable
        Of crystals with the same species codes.
    frames : FormationFrames, optional
        Without them the energy is poorly determined (module docstring).
    seed : int
        Of the partitions into folds.

    Returns
    -------
    model : KRABarriers
    metrics : dict
        Cross-validated errors and sizes of the data.
    """
    species = tables[0].crystal.species[:-1]
    problem = assemble(tables, frames, len(species))
    strengths = choose_prior(problem, seed)
    prior = _prior(len(species), *strengths)
    barrier, formation = cross_validate(problem, prior, seed)
    compositions = np.array([t.crystal.counts[:-1] / t.crystal.grid.n_sites for t in tables])
    model = unpack(solve(problem, prior, slice(None), slice(None)), species, compositions)
    mae, variance = np.abs(barrier).mean(axis=1), np.var(problem.barrier_eV)
    by_site = [np.abs(barrier[:, problem.site == s]).mean() for s in np.unique(problem.site)]
    metrics = {
        "barrier_cv_mae_eV": float(mae.mean()),
        "barrier_cv_mae_error_eV": float(np.std(by_site, ddof=1) / np.sqrt(len(by_site))),
        "barrier_cv_r2": float(1 - np.mean(barrier**2) / variance) if variance > 1e-12 else 0.0,
        "orbit_strength": strengths[0],
        "pair_strength": strengths[1],
        "n_parameters": problem.hops.shape[1],
        "n_barriers": len(problem.barrier_eV),
        "n_collapsed": sum(len(t.collapsed) for t in tables),
    }
    if frames is not None:
        rms = np.sqrt((formation**2).mean(axis=0))
        total = float(np.sqrt((rms**2).mean()))
        spread = float(np.std(rms**2, ddof=1) / np.sqrt(len(rms)))
        metrics |= {
            "formation_rms_meV": 1e3 * total,
            "formation_rms_error_meV": 1e3 * spread / (2 * total),
            "n_frames": len(frames.energy_eV),
            "n_frames_skipped": frames.skipped,
        }
    return model, metrics


def load_data(
    directory: Path, energies: list[Path]
) -> tuple[list[BarrierTable], FormationFrames | None]:
    """Tables and frames of a fit, all in the same species codes.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong with it.
    """
    folders = find_tables(directory)
    species = species_of(folders)
    if not 1 <= len(species) <= 5:
        raise ValueError(f"{directory} has {len(species)} species; 1 to 5 can be fitted")
    tables = [read_table(folder, species) for folder in folders]
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
    rng = np.random.default_rng(seed)
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
        collapsed=(),
    )
    problem = assemble([table], None, n)
    w = solve(problem, _prior(n, 3.0, 1.0), slice(None), slice(None))
    return unpack(w, model.species, np.full((1, n), 1 / n)).energy
