"""An ASE calculator on one LAMMPS instance that is changed in place from call to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes

from ...potentials.exact_state import ExactState
from .box import element_order, given_order
from .commands import command_lines, named_elements, pair_style
from .library import cutoff_A
from .refusals import refuse_commands
from .system import LammpsSystem

PAIRWISE = ("lj", "morse", "born", "buck", "yukawa", "soft", "zbl", "table", "gauss", "mie", "zero")


class LammpsCalculator(ExactState):
    """Energy, forces and energies of atoms from a potential of LAMMPS.

    Elements that change, and atoms that move, are changed in the instance; it is made anew when
    the number of atoms, the cell or the vacancies change. Vacancies ``X`` are left out: they have
    no energy and feel no force.

    Parameters
    ----------
    commands : str or sequence of str
        ``pair_style`` and ``pair_coeff`` lines, word for word. Others are run too, ``shell`` and
        ``python`` among them: use lines and files that you trust. Lines that set what this package
        sets (``mass``, ``units``, ``run``, ...) are refused.
    specorder : sequence of str, optional
        Elements of the types; default: those that end ``pair_coeff * *``. It is asked for where
        these leave a type open, as with ``NULL``, and where types are told apart by numbers alone.
    threads : int

    Raises
    ------
    ValueError
        If the elements of the types are not known, or a calculation is refused by LAMMPS.

    Examples
    --------
    >>> from ase.build import bulk
    >>> atoms = bulk("Ar", a=5.3)
    >>> lines = ["pair_style lj/cut 8.0", "pair_coeff * * 0.0103 3.4"]
    >>> atoms.calc = LammpsCalculator(lines, ["Ar"])
    >>> f"{atoms.get_potential_energy():.3f} eV"
    '-0.081 eV'
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces"]  # noqa: RUF012

    def __init__(
        self,
        commands: str | Sequence[str],
        specorder: Sequence[str] | None = None,
        threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.commands, self.threads = command_lines(commands), threads
        refuse_commands(self.commands)
        named = named_elements(self.commands) if specorder is None else given_order(specorder)
        self.specorder = named or None
        self._system: LammpsSystem | None = None
        self._frame: tuple[bytes, ...] = ()
        self._inside = Atoms()
        self._reach_A: float | None = None

    @property
    def reach_A(self) -> float:
        """How far the forces on an atom, and the change of energy by its moves, reach; A."""
        if self._reach_A is None:
            species = self.specorder
            if species is None and self.atoms is not None:
                species = element_order(self.commands, self.atoms)
            if species is None:
                raise ValueError("the elements of the potential are not known: give specorder")
            self._reach_A = reach_A(self.commands, species)
        return self._reach_A

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        real = self.atoms.numbers != 0
        system = self._updated(without_masses(self.atoms[real]), real)
        energy = system.evaluate(energies="energies" in properties)
        forces = np.zeros((len(real), 3))
        forces[real] = system.forces()
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if "energies" in properties:
            self.results["energies"] = np.zeros(len(real))
            self.results["energies"][real] = system.energies()

    def close(self) -> None:
        """Free the instance; the next calculation makes a new one."""
        if self._system is not None:
            self._system.close()
        self._system = None

    def __getstate__(self) -> dict[str, Any]:
        """For a copy or a pickle, which makes an instance of its own."""
        return {**self.__dict__, "_system": None}

    def _updated(self, atoms: Atoms, real: Any) -> LammpsSystem:
        """The instance with these atoms in it."""
        frame = (real.tobytes(), atoms.cell.array.tobytes(), atoms.pbc.tobytes())
        if self._system is None or frame != self._frame:
            self.close()
            self._system = LammpsSystem(atoms, self.commands, self.specorder, self.threads)
        else:
            if not np.array_equal(atoms.numbers, self._inside.numbers):
                self._system.set_types(atoms)
            if not np.array_equal(atoms.positions, self._inside.positions):
                self._system.set_positions(atoms.positions)
        self._frame, self._inside = frame, atoms
        return self._system


def without_masses(atoms: Atoms) -> Atoms:
    """What energies depend on: LAMMPS keeps masses by type, and atoms may differ in theirs."""
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def reach_A(
    commands: Sequence[str], species: Sequence[str], command: Sequence[str] | None = None
) -> float:
    """How far an atom is felt, A: the cutoff of a pair potential, else twice the cutoff.

    The library is asked, or the executable that is given.
    """
    style = pair_style(commands)[:1]
    pairwise = [name.split("/")[0] in PAIRWISE for name in style] == [True]
    return cutoff_A(commands, species, command) * (1 if pairwise else 2)
