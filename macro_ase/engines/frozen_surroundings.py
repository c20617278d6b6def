"""Energies and forces of atoms that move inside surroundings that do not.

The calculator that does the work sees a cut-out: the moving atoms and a frozen halo. The energy
is what the moving atoms add,

    E = E(moving atoms and halo) - E(halo alone),

which is that of the whole system up to a constant, however much halo is cut out, so long as
it reaches as far as the energies depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms

from ..patches import CutOut, Region, Vectors, cut_out, heights


class FrozenSurroundings(Calculator):
    """Calculator of the active atoms of a region, in the order of ``region.active``.

    A new cut-out is made (at a cost of O(n), n the size of the system) before an atom has gone
    so far that a frozen atom, or an image of a moving one, might be missed.

    Parameters
    ----------
    system : ase.Atoms
        All atoms; vacancies ``X`` are not shown to the calculator. Positions of active atoms
        are written when a new cut-out is made.
    region : Region
        Without vacancies among its atoms.
    calculator : ase Calculator
        Of the cut-out.
    halo_A : float
        How far from an active atom energies depend on other atoms.
    skin_A : float
        What the cut-out holds beyond that.

    Attributes
    ----------
    cut : CutOut
    cuts : int
        How many have been made.
    reference : array, shape (n_active, 3)
        Positions for which the last was made.
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012

    def __init__(
        self, system: Atoms, region: Region, calculator: Any, halo_A: float, skin_A: float
    ) -> None:
        super().__init__()
        self.system, self.region, self.calculator = system, region, calculator
        self.halo_A, self.skin_A = halo_A, skin_A
        self.cuts = 0
        self.cut_at(system.positions[region.active])

    def cut_at(self, positions: Vectors) -> None:
        """Make a new cut-out, for active atoms at these positions, shape (n_active, 3)."""
        self.system.positions[self.region.active] = positions
        cut = cut_out(self.system, self.region, self.halo_A + self.skin_A)
        self._free_A = min(self.skin_A, (_gap_to_images(self.system, cut) - self.halo_A) / 2)
        self.cut = _without_vacancies(cut)
        self.cut.atoms.set_constraint()
        self.cut.atoms.calc = self.calculator
        self.reference = np.array(positions)
        self._halo_energy: float | None = None
        self.cuts += 1

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        numbers, positions = self.atoms.numbers, self.atoms.positions
        if np.linalg.norm(positions - self.reference, axis=1).max() > self._free_A:
            self.cut_at(positions)
        n = self.cut.n_active
        self.cut.atoms.numbers[:n] = numbers
        self.cut.atoms.positions[:n] = positions + self.cut.shift[:n]
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


def movable(atoms: Atoms, region: Region) -> Region:
    """The region without vacancies ``X`` and without atoms under `FixAtoms`.

    Raises
    ------
    ValueError
        If nothing is left, or there is a constraint of another kind.
    """
    others = [c for c in atoms.constraints if not isinstance(c, FixAtoms)]
    if others:
        raise ValueError(f"only FixAtoms can hold atoms of a patch, not {others[0]}")
    free = atoms.numbers != 0
    for constraint in atoms.constraints:
        free[constraint.get_indices()] = False
    core, buffer = (part[free[part]] for part in (region.core, region.buffer))
    if not len(core) + len(buffer):
        raise ValueError("no atom of the patch can move: all are fixed or vacancies")
    return replace(region, core=core, buffer=buffer)


def _without_vacancies(cut: CutOut) -> CutOut:
    real = cut.atoms.numbers != 0
    return replace(cut, atoms=cut.atoms[real], index=cut.index[real], shift=cut.shift[real])


def _gap_to_images(system: Atoms, cut: CutOut) -> float:
    """Free length between the patch and its own images that the cut-out may leave out, A."""
    fractional = system.cell.complete().scaled_positions(cut.atoms.positions[: cut.n_active])
    gap = (1 - np.ptp(fractional, axis=0)) * heights(system)
    return float(gap[system.pbc & ~cut.atoms.pbc].min(initial=np.inf))
