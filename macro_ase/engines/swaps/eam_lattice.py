"""An embedded-atom potential on fixed sites: tables once, then moves of any patch of any state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms, units
from numpy.typing import ArrayLike, NDArray

from ...kinetics.eam_sites import EAMSites, SiteState, fill_state, site_energies
from ...kinetics.eam_swaps import metropolis, move_energy
from ...kinetics.site_moves import Neighbourhood, SpeciesBias, surroundings
from ...lattice import VACANCY, SiteGrid
from ...potentials.eam_calculator import interpolate
from ...potentials.eam_table import EAMTable, Splines
from ...reals import require_positive
from ...site_cells import SiteCells
from .ensembles import no_bias
from .moves import Move, as_moves, kernel_moves
from .neighbours import crystal_neighbourhood, neighbourhood, pairs_within

DENSITY_BITS = 52
SUM_BITS = 62
"""What sums of densities may need, of the 63 bits that there are."""

Ints = NDArray[np.int64]


class EAMLattice:
    """Sites that stay where they are, and the energies of species on them.

    Built once for a grid or for given positions; `state` then holds the species. States are
    independent of each other: threads may evolve different states on one lattice.

    Parameters
    ----------
    table : EAMTable
    near : Neighbourhood
        All neighbours within the cutoff.
    lengths_A : array, shape (n_kinds,)
        Distances of their kinds, ascending.
    n_shells : int
        Kinds of distances whose bonds are counted: on a perfect lattice neighbour shells.

    Attributes
    ----------
    species : tuple of str
        Symbol of each species code: those of the table, then ``X``, the vacancy.
    tables : EAMSites
        What the compiled kernel takes.

    Raises
    ------
    ValueError
        If fewer shells than are to be counted lie within the cutoff, or densities are too far
        beyond the table's embedding energies to be added up.
    """

    def __init__(
        self,
        table: EAMTable,
        near: Neighbourhood,
        lengths_A: NDArray[np.float64],
        n_shells: int = 0,
    ) -> None:
        kinds = np.arange(len(lengths_A))
        if n_shells > len(kinds):
            raise ValueError(f"{len(kinds)} shells lie within {table.cutoff_A:g} A, not {n_shells}")
        self.species = (*table.species, VACANCY)
        self.n_sites, self.n_shells = len(near.nearest), n_shells
        most = int(np.diff(near.starts).max(initial=0))
        splines = table.splines()
        pair, density, bits = _functions(table, splines, lengths_A, most)
        shells = np.where(kinds < n_shells, kinds, -1)
        embedding = splines.with_vacancy().embedding
        self.tables = EAMSites(near, pair, density, shells, embedding, bits, 2.0**-bits)

    @classmethod
    def from_grid(
        cls, grid: SiteGrid, table: EAMTable, lattice_constant_A: float, n_shells: int = 2
    ) -> EAMLattice:
        """The sites of a perfect lattice, numbered as in the grid.

        Raises
        ------
        ValueError
            As on construction, or if the lattice constant is not positive.
        """
        a = require_positive(lattice_constant_A, "lattice constant", "A")
        basis = a / 2 * np.array(grid.lattice.basis)
        cell = Atoms(f"X{len(basis)}", positions=basis, cell=[a, a, a], pbc=True)
        return cls.from_cell(cell, grid.size, table, n_shells)

    @classmethod
    def from_cell(
        cls, cell: Atoms, size: Sequence[int], table: EAMTable, n_shells: int = 2
    ) -> EAMLattice:
        """A perfect crystal of any structure, such as fcc or hcp, of any cell.

        Sites are numbered as the atoms of ``cell.repeat(size)``; what they are does not matter.
        """
        periodic = cell.copy()
        periodic.pbc = True
        return cls(table, *crystal_neighbourhood(periodic, size, table.cutoff_A), n_shells)

    @classmethod
    def from_cells(cls, cells: SiteCells, table: EAMTable, n_shells: int = 2) -> EAMLattice:
        """The sites of any cells, numbered as in these; shells are theirs."""
        one = cells.resized((1, 1, 1)).atoms()
        near, lengths = crystal_neighbourhood(one, cells.size, table.cutoff_A)
        made = cls(table, near, lengths)
        shells = cells.shell_of(lengths, n_shells)
        if shells.max(initial=-1) + 1 < n_shells:
            raise ValueError(
                f"{shells.max(initial=-1) + 1} shells lie within {table.cutoff_A:g} A, not "
                f"{n_shells}"
            )
        made.tables, made.n_shells = made.tables._replace(shells=shells), n_shells
        return made

    @classmethod
    def from_atoms(cls, atoms: Atoms, table: EAMTable) -> EAMLattice:
        """Any positions, numbered as the atoms."""
        pairs = pairs_within(atoms, table.cutoff_A)
        return cls(table, *neighbourhood(pairs, len(atoms)))

    def codes(self, atoms: Atoms) -> NDArray[np.int8]:
        """Species codes of atoms, shape (n_atoms,).

        Raises
        ------
        ValueError
            If the potential lacks an element.
        """
        symbols = atoms.get_chemical_symbols()
        missing = sorted(set(symbols) - set(self.species))
        if missing:
            known = ", ".join(self.species[:-1])
            raise ValueError(f"the potential knows {known}, not {', '.join(missing)}")
        return np.array([self.species.index(symbol) for symbol in symbols], dtype=np.int8)

    def state(self, occupation: ArrayLike) -> SiteState:
        """A state with these species codes, shape (n_sites,), copied.

        Raises
        ------
        ValueError
            If shape or codes do not fit.
        """
        codes = np.array(occupation, dtype=np.int8)
        if codes.shape != (self.n_sites,):
            raise ValueError(f"occupation has shape {codes.shape}, not {(self.n_sites,)}")
        if codes.min() < 0 or codes.max() >= len(self.species):
            raise ValueError(f"species codes lie from 0 to {len(self.species) - 1}")
        n = self.n_sites
        state = SiteState(
            codes,
            np.zeros(n, dtype=np.int64),
            np.zeros(n),
            np.full(n, -1, dtype=np.int32),
            np.zeros(n, dtype=np.int8),
        )
        fill_state(self.tables, state)
        return state

    def energies(self, state: SiteState) -> NDArray[np.float64]:
        """Energies of the sites, shape (n_sites,), eV."""
        return np.asarray(site_energies(self.tables, state))

    def energy(self, state: SiteState) -> float:
        """Energy in eV."""
        return float(self.energies(state).sum())

    def swap_energy(self, state: SiteState, i: int, j: int) -> float:
        """Energy change in eV if two sites exchanged their species."""
        return float(move_energy(self.tables, state, i, j, state.occupation[j]))

    def run(
        self,
        state: SiteState,
        attempts: int,
        temperature_K: ArrayLike,
        rng_state: NDArray[np.uint64],
        moves: Move | Sequence[Move],
        active: ArrayLike | None = None,
        n_core: int | None = None,
        bonds: NDArray[np.float64] | None = None,
        tally: Ints | None = None,
        bias: SpeciesBias | None = None,
    ) -> float:
        """Attempt moves; ``state``, ``rng_state``, ``bonds`` and ``tally`` change in place.

        Parameters
        ----------
        attempts : int
            Time is attempts / number of active sites.
        temperature_K : float, or array of shape (attempts,)
        rng_state : uint64 array, shape (4,)
        moves : SiteMove or several
        active : int array, optional
            Sites that may change, those of the core first; default all.
        n_core : int, optional
            Default all of them.
        bonds : float64 array, shape (n_shells, S, S), optional
            To which the whole changes of ordered bond counts by moves in the core are added;
            half of the change where one of the two sites lies there.
        tally : int64 array, shape (n_moves, 2, S, S), optional
            To which attempts and acceptances are added, by species before and after at the
            first site.
        bias : SpeciesBias, optional
            Of a semi-grand ensemble.

        Returns
        -------
        float
            Change of the energy, eV.
        """
        chosen = as_moves(moves)
        sites = np.arange(self.n_sites) if active is None else np.asarray(active, dtype=np.int64)
        core = len(sites) if n_core is None else n_core
        halves = self._counts(0 if bonds is None else self.n_shells)
        change = metropolis(
            *(self.tables, state, sites, core, self.vacancies(state, sites)),
            *kernel_moves(chosen),
            no_bias(len(self.species)) if bias is None else bias,
            np.atleast_1d(1 / (units.kB * np.asarray(temperature_K, dtype=float))),
            attempts,
            rng_state,
            self._counts(len(chosen), 2) if tally is None else tally,
            halves,
            np.zeros(0, dtype=np.int64),
        )
        if bonds is not None:
            bonds += halves / 2
        return float(change)

    def vacancies(self, state: SiteState, sites: Ints) -> Ints:
        """Those of some sites that are vacant, ascending."""
        vacant = state.occupation[sites] == len(self.species) - 1
        return np.sort(sites[vacant])

    def _counts(self, *shape: int) -> Ints:
        """Zeros for counts by two species, shape (..., S, S)."""
        return np.zeros((*shape, len(self.species), len(self.species)), dtype=np.int64)

    def try_patch(
        self,
        state: SiteState,
        attempts: int,
        temperature_K: float,
        rng_state: NDArray[np.uint64],
        moves: Move | Sequence[Move],
        active: ArrayLike,
        n_core: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Evolve a patch alone, then undo it exactly; costs as much as the patch is large.

        Returns
        -------
        change : float64 array, shape (n_shells, S, S)
            Change of the ordered bond counts, counted as ``bonds`` of `run`.
        after : int8 array, shape (n_active,)
            Species codes that the active sites had in the end.
        """
        sites = np.asarray(active, dtype=np.int64)
        reach = surroundings(self.tables.near, sites, state.place)
        kept: list[NDArray[Any]] = [state.occupation, state.density, state.embedded]
        saved = [values[reach] for values in kept]
        s = len(self.species)
        change = np.zeros((self.n_shells, s, s))
        self.run(state, attempts, temperature_K, rng_state, moves, sites, n_core, change)
        after = state.occupation[sites]
        for values, before in zip(kept, saved):
            values[reach] = before
        return change, after


def _functions(
    table: EAMTable, splines: Splines, lengths_A: NDArray[np.float64], n_neighbours: int
) -> tuple[NDArray[np.float64], Ints, int]:
    """phi (eV) and f (in units) at the distances, with a vacancy that is nothing; bits of a unit.

    So many bits that the table's last knot needs at most `DENSITY_BITS`.
    """
    n = len(table.species)
    bits = DENSITY_BITS - math.ceil(math.log2(splines.embedding.shape[1]))
    unit = splines.drho * 2.0**-bits
    pair = np.zeros((len(lengths_A), n + 1, n + 1))
    density = np.zeros((len(lengths_A), n + 1), dtype=np.int64)
    for b in range(n):
        which = np.full(len(lengths_A), b)
        f, _ = interpolate(splines.density, splines.dr_A, lengths_A, which)
        largest = np.abs(f).max(initial=0.0)
        if largest * n_neighbours >= unit * 2.0**SUM_BITS:
            raise ValueError(
                f"the density of {table.species[b]}, up to {largest:.3g} at one neighbour, is too "
                f"far beyond that of the embedding energies, which end at {table.rho[-1]:.3g}"
            )
        density[:, b] = np.rint(f / unit)
        for a in range(n):
            z, _ = interpolate(
                splines.r_pair, splines.dr_A, lengths_A, np.full_like(which, a), which
            )
            pair[:, a, b] = z / lengths_A
    return pair, density, bits
