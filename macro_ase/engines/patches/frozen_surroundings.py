"""Energies and forces of atoms that move inside surroundings that do not.

The calculator that does the work sees a cut-out: the moving atoms and a frozen halo. The energy
is what the moving atoms add,

    E = E(moving atoms and halo) - E(halo alone),

which is that of the whole system up to a constant, however much halo is cut out, so long as
it reaches as far as the energies depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes
from numpy.typing import NDArray

from ...patches import CutOut, Indices, Region, Vectors, cut_out, heights
from ...potentials.eam_calculator import TableEAM
from ...potentials.exact_state import ExactState
from ..shared_state import fixed_atoms
from .eam_surroundings import EAMSurroundings
from .local_energy import cut_out_all

ROUNDING_A = 1e-9


class FrozenSurroundings(ExactState):
    """Calculator of the moving atoms of a patch, in the order of ``region.active``.

    A new cut-out is made (at a cost of O(n), n the size of the system) before an atom has gone
    so far that a frozen atom, or an image of a moving one, might be missed.

    Parameters
    ----------
    system : ase.Atoms
        All atoms; vacancies ``X`` are not shown to the calculator. Positions of moving atoms
        are written when a new cut-out is made.
    patched : Region
        What the cut-out is made around.
    region : Region
        The moving atoms of it, without vacancies.
    calculator : ase Calculator
        Of the cut-out. With `TableEAM` only pairs with a moving atom are visited.
    halo_A : float
        How far from a moving atom energies depend on other atoms; not used if all are patched.
    skin_A : float
        What the cut-out holds beyond that.

    Attributes
    ----------
    cut : CutOut
        Moving atoms first, then those that they feel.
    cuts : int
        How many have been made.
    reference : array, shape (n_patched, 3)
        Positions of the atoms of ``patched`` for which the last was made.
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012

    def __init__(
        self,
        system: Atoms,
        patched: Region,
        region: Region,
        calculator: Any,
        halo_A: float,
        skin_A: float,
    ) -> None:
        super().__init__()
        self.system, self.patched, self.region = system, patched, region
        self.calculator, self.halo_A, self.skin_A = calculator, halo_A, skin_A
        self.cuts = 0
        self.cut_at(system.positions[patched.active])

    def cut_at(self, positions: Vectors) -> None:
        """Make a new cut-out, for patched atoms at these positions, shape (n_patched, 3)."""
        self.system.positions[self.patched.active] = positions
        if len(positions) == len(self.system):
            self._around = cut_out_all(self.system)
        else:
            self._around = cut_out(self.system, self.patched, self.halo_A + self.skin_A)
        gap_A = _gap_to_images(self.system, self._around)
        self._free_A = min(self.skin_A, (gap_A - self.halo_A) / 2)
        self.reference = np.array(positions)
        self.cuts += 1
        self._show()

    @property
    def around(self) -> Indices:
        """Indices of the atoms on which what happens in the patch depends."""
        return self._around.index

    def lay(self, region: Region) -> None:
        """Make a new cut-out of the system as it is now; ``region`` holds the moving atoms."""
        self.region = region
        self.reset()
        self.cut_at(self.system.positions[self.patched.active])

    def read_species(self, region: Region) -> None:
        """Take the species that the system has now; these are the moving atoms from now on."""
        active, before = self.patched.active, self._around.atoms.numbers
        changed = before[: len(active)] != self.system.numbers[active]
        before[: len(active)] = self.system.numbers[active]
        same = np.array_equal(region.active, self.region.active)
        self.region = region
        if not same or changed[~np.isin(active, region.active)].any():
            self.reset()
            self._show()

    def _show(self) -> None:
        """Sort the cut-out: moving atoms first, no vacancies."""
        around, n = self._around, len(self.patched.active)
        moving = np.isin(around.index, self.region.active) & (np.arange(len(around.index)) < n)
        rest = np.flatnonzero(~moving & (around.atoms.numbers != 0))
        self._moving = np.flatnonzero(moving)
        order = np.concatenate([self._moving, rest])
        self.cut = CutOut(
            around.atoms[order],
            around.index[order],
            around.shift[order],
            len(self.region.core),
            len(self._moving),
            around.halo_A,
        )
        self.cut.atoms.set_constraint()
        self.cut.atoms.calc = self.calculator
        self._halo_energy: float | None = None
        self._table: EAMSurroundings | None = None
        if isinstance(self.calculator, TableEAM):
            n, room_A = self.cut.n_active, self._free_A
            self._table = EAMSurroundings(self.cut.atoms, n, self.calculator, room_A)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        numbers, positions = self.atoms.numbers, self.atoms.positions
        away = np.linalg.norm(positions - self.reference[self._moving], axis=1)
        if away.max() > self._free_A:
            self.system.positions[self.region.active] = positions
            self.cut_at(self.system.positions[self.patched.active])
        n = self.cut.n_active
        self.cut.atoms.numbers[:n] = numbers
        self.cut.atoms.positions[:n] = positions + self.cut.shift[:n]
        if self._table is not None:
            energy, self.results["forces"] = self._table.evaluate(self.cut.atoms)
            self.results.update(energy=energy, free_energy=energy)
            return
        self.results["forces"] = self.cut.atoms.get_forces()[:n]
        if set(properties) - {"forces"}:
            energy = self._energy(self.cut.atoms) - self._energy_of_halo()
            self.results.update(energy=energy, free_energy=energy)

    def _energy(self, atoms: Atoms) -> float:
        """The energy that belongs to the forces, eV."""
        consistent = "free_energy" in getattr(self.calculator, "implemented_properties", ())
        return float(atoms.get_potential_energy(force_consistent=consistent))

    def _energy_of_halo(self) -> float:
        if self._halo_energy is None:
            halo = self.cut.atoms[self.cut.n_active :]
            halo.calc = self.calculator
            self._halo_energy = self._energy(halo) if len(halo) else 0.0
        return self._halo_energy


def unfixed(atoms: Atoms, region: Region) -> Region:
    """The region without atoms under `FixAtoms`.

    Raises
    ------
    ValueError
        If there is a constraint of another kind.
    """
    held = fixed_atoms(atoms)
    return _those(region, lambda part: ~np.isin(part, held))


def occupied(atoms: Atoms, region: Region) -> Region:
    """The region without vacancies ``X``, in a time that does not depend on the system's size.

    Raises
    ------
    ValueError
        If nothing is left.
    """
    found = _those(region, lambda part: atoms.numbers[part] != 0)
    if not len(found.active):
        raise ValueError("no atom of the patch can move: all are fixed or vacancies")
    return found


def movable_sites(atoms: Atoms, region: Region) -> Region:
    """The region without atoms under `FixAtoms`, vacancies among them.

    Raises
    ------
    ValueError
        If nothing is left, or there is a constraint of another kind.
    """
    found = unfixed(atoms, region)
    if not len(found.active):
        raise ValueError("no atom of the patch can move: all are fixed")
    return found


def movable(atoms: Atoms, region: Region) -> Region:
    """The region without vacancies ``X`` and without atoms under `FixAtoms`; errors as above."""
    return occupied(atoms, unfixed(atoms, region))


def _those(region: Region, chosen: Callable[[Indices], NDArray[np.bool_]]) -> Region:
    core, buffer = (part[chosen(part)] for part in (region.core, region.buffer))
    return replace(region, core=core, buffer=buffer)


def _gap_to_images(system: Atoms, cut: CutOut) -> float:
    """Free length between the patch and its own images that the cut-out may leave out, A."""
    fractional = system.cell.complete().scaled_positions(cut.atoms.positions[: cut.n_active])
    gap = (1 - np.ptp(fractional, axis=0)) * heights(system)
    return float(gap[system.pbc & (gap > cut.halo_A - ROUNDING_A)].min(initial=np.inf))
