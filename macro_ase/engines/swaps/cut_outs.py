"""Energies of swaps by any ASE calculator, on ideal sites: only a cut-out around the two is shown.

With energies of atoms that reach R, those within R of one of the two sites change, and depend on
atoms within 2 R: the cut-out. Their energies before are remembered, so that a swap costs one
call of the calculator. Where it gives no energies of atoms, the whole cut-out is calculated before
and after. Where the crystal is no larger than the cut-out, it is shown whole, and its energy is
remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.geometry import get_distances
from numpy.typing import NDArray

from ...arrays import Array
from ...patches import Region, cut_out
from ...site_cells import SiteCells
from ..patches.local_energy import checked_energy, energy_without_vacancies, required_halo
from ..patches.receptive_field import reach, receptive_field
from .walks import Codes, Held, Ints, Swap

ROUNDING_A = 1e-6


@dataclass(frozen=True)
class _Place:
    """A cut-out around two sites of the first cell: relative cells and basis sites, (m, 3), (m,).

    ``inner`` says whose energies a swap changes. A place that is ``whole`` is the crystal.
    """

    atoms: Atoms
    cells: Ints
    basis: Ints
    inner: NDArray[np.bool_]
    whole: bool


class CutOutEnergy:
    """`SwapEnergy` of a calculator on the sites of a crystal.

    Parameters
    ----------
    cells : SiteCells
    calculator : ase Calculator
    numbers : int array, shape (S,)
        Atomic number of each species code.
    halo_A : float, optional
        How far around a swap atoms are shown; default as far as energy changes reach. A shorter one
        gives a warning with the error.

    Raises
    ------
    ValueError
        If the calculator cannot do the species, or how far it reaches is not known.
    """

    def __init__(
        self, cells: SiteCells, calculator: Any, numbers: Ints, halo_A: float | None = None
    ) -> None:
        self.cells, self.calculator, self.numbers = cells, calculator, np.asarray(numbers)
        self.crystal = cells.atoms()
        self._halo_A, self._places = halo_A, dict[tuple[int, int], _Place]()
        self._field_A = None if halo_A else _field_of_atoms(calculator)
        if not halo_A:
            reach(calculator)

    def begin(self, occupation: Codes, active: Ints) -> Held:
        """A state with these species codes, copied, of which some sites may change."""
        return Held(np.array(occupation, dtype=np.int8), active, {})

    def changes(self, swaps: Sequence[Swap]) -> Array:
        """Energy changes of swaps, eV."""
        return np.array([self._change(swap) for swap in swaps])

    def accept(self, swap: Swap) -> None:
        """Make the swap that was asked for last of its state."""
        held, i, j = swap.held, swap.i, swap.j
        held.occupation[[i, j]] = held.occupation[[j, i]]
        memory = held.memory
        if "total" in memory:
            memory["total"] = memory["asked"]
        if "energies" in memory:
            sites, values = memory["asked"]
            memory["energies"][sites] = values

    def _change(self, swap: Swap) -> float:
        place, sites = self._place(swap.i, swap.j)
        codes, memory = swap.held.occupation[sites], swap.held.memory
        after = codes.copy()
        if place.whole:
            if "total" not in memory:
                memory["total"] = self._energy(place, codes)
            after[[swap.i, swap.j]] = codes[[swap.j, swap.i]]
            memory["asked"] = self._energy(place, after)
            return float(memory["asked"] - memory["total"])
        after[sites == swap.i], after[sites == swap.j] = codes[1], codes[0]
        if self._field_A is None:
            return self._energy(place, after) - self._energy(place, codes)
        known = memory.setdefault("energies", np.full(self.cells.n_sites, np.nan))
        changed = sites[place.inner]
        if np.isnan(known[changed]).any():
            known[changed] = self._energies(place, codes)
        memory["asked"] = changed, self._energies(place, after)
        return float(memory["asked"][1].sum() - known[changed].sum())

    def _shown(self, place: _Place, codes: Codes) -> Atoms:
        place.atoms.numbers = self.numbers[codes]
        return place.atoms

    def _energy(self, place: _Place, codes: Codes) -> float:
        return energy_without_vacancies(self._shown(place, codes), self.calculator)

    def _energies(self, place: _Place, codes: Codes) -> Array:
        energies = self.calculator.get_potential_energies(self._shown(place, codes))
        return np.array(energies)[place.inner]

    def _place(self, i: int, j: int) -> tuple[_Place, Ints]:
        """The cut-out around two sites, and the site of each of its atoms."""
        cell, key = self.cells.as_from_first(i, j)
        if key not in self._places:
            self._places[key] = self._cut(*key)
        place = self._places[key]
        if place.whole:
            return place, np.arange(self.cells.n_sites)
        return place, self.cells.site_of(place.cells + cell, place.basis)

    def _cut(self, i: int, j: int) -> _Place:
        region = Region(np.array([i, j]), np.arange(0), self.crystal.positions[i])
        filled = self._filled()
        halo_A = required_halo(filled, region, self.calculator, self._halo_A)
        cut = cut_out(filled, region, halo_A)
        cells, basis = self.cells.cell_and_basis(cut.index)
        whole = bool(cut.atoms.pbc.all()) or len(cut.index) >= self.cells.n_sites
        atoms = self.crystal.copy() if whole else cut.atoms
        atoms.calc = None
        shown, two = cut.atoms, cut.atoms.positions[:2]
        away = get_distances(shown.positions, two, shown.cell, shown.pbc)[1]
        inner = away.min(axis=1) <= (self._field_A or 0.0) + ROUNDING_A
        return _Place(atoms, cells, basis, inner, whole)

    def _filled(self) -> Atoms:
        """The crystal with its first species everywhere but for one of each other one."""
        filled: Atoms = self.crystal.copy()
        filled.numbers[:] = self.numbers[0]
        filled.numbers[: len(self.numbers)] = self.numbers
        return filled

    def check(self, occupation: Codes) -> None:
        """Raise ValueError if the calculator cannot do the crystal with these species codes."""
        crystal = self.crystal.copy()
        crystal.numbers = self.numbers[occupation]
        checked_energy(crystal, self.calculator)


def _field_of_atoms(calculator: Any) -> float | None:
    """Within which the energy of an atom depends on others, A; None where atoms have no energies.

    Also where what reaches less, the energy of all, is known: then that is the shorter way.
    """
    try:
        field_A = receptive_field(calculator)
    except ValueError:
        return None
    given = "energies" in getattr(calculator, "implemented_properties", ())
    return field_A if given and reach(calculator) >= 2 * field_A else None
