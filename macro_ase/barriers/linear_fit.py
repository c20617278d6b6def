"""The linear problem of a barrier fit: its rows, its prior, its solution.

The barrier of a hop and the formation energy of a crystal are linear in the same
parameters w = (constants and orbit weights of E_KRA, pair energies, subregular terms):

    minimise  sum_hops (E_hop - x.w)^2 + g sum_frames (E_form - y.w)^2 + sum_i p_i w_i^2

with g = (barrier error / formation error)^2. The prior p grows with distance, as the
interactions fall off: as d^4 for orbit weights and d^8 for pairs, d in first-neighbour
distances.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..crystal import Crystal
from ..lattice import BCC
from .fit_data import BarrierTable
from .formation_frames import FormationFrames
from .kra import KRABarriers
from .orbits import HOP_DIRECTIONS, bond_orbits, orbit_distance
from .pair_energy import PairEnergy

N_SHELLS = 7
ORBIT_SHELLS = 7
BARRIER_ERROR_EV = 0.065
FORMATION_ERROR_EV = 0.002
ORBIT_DECAY, PAIR_DECAY = 4, 8
SAME_COMPOSITION = 0.02


@dataclass(frozen=True)
class Problem:
    """The linear problem.

    Attributes
    ----------
    hops : array, shape (n_hops, P)
        Rows x of the barriers.
    barrier_eV : array, shape (n_hops,)
    site, composition : int arrays, shape (n_hops,)
        Vacancy site of each hop, numbered through all crystals, and number of the composition of
        its crystal: the units of cross-validation.
    frames : array, shape (n_frames, P)
        Rows y of the formation energies.
    formation_eV : array, shape (n_frames,)
        Per atom.
    n_species : int
    """

    hops: Array
    barrier_eV: Array
    site: NDArray[np.int64]
    composition: NDArray[np.int64]
    frames: Array
    formation_eV: Array
    n_species: int

    @property
    def hopping(self) -> NDArray[np.int64]:
        """Species code of the hopping atom, shape (n_hops,)."""
        codes: NDArray[np.int64] = self.hops[:, : self.n_species].argmax(axis=1)
        return codes


def _pairs(n_species: int) -> list[tuple[int, int]]:
    """Species pairs that have a parameter: unlike atoms, and each atom with the vacancy."""
    return list(itertools.combinations(range(n_species + 1), 2))


def _one_hot(codes: NDArray[np.integer], n: int) -> Array:
    rows: Array = np.eye(n)[codes]
    return rows


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
    products: Array = np.einsum("ha,hob->haob", hopping, stacked).reshape(len(step), -1)
    return products


def _hop_vector(table: BarrierTable) -> NDArray[np.int64]:
    """Direction from the vacancy to the hopping atom, shape (n_hops, 3), units of a/2."""
    neighbours = table.crystal.grid.neighbors(HOP_DIRECTIONS)[table.vacancy]
    which = np.argmax(neighbours == table.target[:, None], axis=1)
    steps: NDArray[np.int64] = HOP_DIRECTIONS[which]
    return steps


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
        composition=np.repeat(_composition_numbers(tables), [len(t.target) for t in tables]),
        frames=y,
        formation_eV=np.zeros(0) if frames is None else frames.energy_eV,
        n_species=n,
    )


def _composition_numbers(tables: list[BarrierTable]) -> list[int]:
    """Number of each table's composition: that of the first table with the same."""
    found = np.array([t.composition for t in tables])
    apart = np.abs(found[:, None] - found[None]).max(axis=2)
    return [int(n) for n in np.argmax(apart <= SAME_COMPOSITION, axis=1)]


def prior_of(n: int, orbit_strength: float, pair_strength: float) -> Array:
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


def normal_equations(problem: Problem, hops: Any, frames: Any) -> tuple[Array, Array]:
    """Matrix and right-hand side of the chosen rows (boolean masks or slices), without a prior."""
    weight = (BARRIER_ERROR_EV / FORMATION_ERROR_EV) ** 2
    x, y = problem.hops[hops], problem.frames[frames]
    matrix = x.T @ x + weight * y.T @ y
    return matrix, x.T @ problem.barrier_eV[hops] + weight * y.T @ problem.formation_eV[frames]


def solve(problem: Problem, prior: Array, hops: Any, frames: Any) -> Array:
    """Parameters from the chosen rows."""
    matrix, right = normal_equations(problem, hops, frames)
    return np.asarray(np.linalg.solve(matrix + np.diag(prior), right), dtype=float)


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
