"""Energies of swaps by any ASE calculator, where positions relax after each trial.

    E(s) = min over positions of the active atoms,    change = E(s with i and j swapped) - E(s)

All other atoms stay where the relaxed crystal has them, and so does the cell. Metropolis' rule
samples exp(-E / k_B T) of the species as long as the minimum is a function of them, as it is near
their sites. A trial costs as many energies and forces as relaxing takes, some 10 to 30, where ideal
sites cost one energy: calls of the calculator with the active atoms and all within reach, or, of an
embedded-atom table, a compiled kernel that visits pairs with an active atom alone (`minima.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from ...arrays import Array
from ...patches import CutOut, Patch, cut_out
from ...site_cells import SiteCells
from ..patches.local_energy import cut_out_all, require_forces
from ..patches.receptive_field import reach
from .minima import Relaxing, relaxing
from .walks import Codes, Held, Ints, Swap

SKIN_A = 0.5
"""How much wider than the reach a halo is, so that atoms may move."""


class RelaxedEnergy:
    """`SwapEnergy` of a calculator on sites about which atoms relax.

    Parameters
    ----------
    cells : SiteCells
    calculator : ase Calculator
    numbers : int array, shape (S,)
        Atomic number of each species code.
    halo_A : float, optional
        How far around active atoms others are shown; default as far as forces reach.

    Raises
    ------
    ValueError
        If how far the calculator reaches is not known.
    """

    def __init__(
        self, cells: SiteCells, calculator: Any, numbers: Ints, halo_A: float | None = None
    ) -> None:
        self.cells, self.calculator, self.numbers = cells, calculator, np.asarray(numbers)
        self._halo_A = reach(calculator) if halo_A is None else halo_A
        self._last: tuple[bytes, Atoms] = (b"", Atoms())
        self._whole: Relaxing | None = None

    def begin(self, occupation: Codes, active: Ints) -> Held:
        """A state with these species codes, copied, relaxed as a whole."""
        codes = np.array(occupation, dtype=np.int8)
        cut = self._cut(self._crystal(codes), active)
        place = np.full(self.cells.n_sites, -1)
        place[cut.index[: cut.n_active]] = np.arange(cut.n_active)
        relax = relaxing(cut.atoms, cut.n_active, self.calculator)
        return Held(codes, active, {"atoms": cut.atoms, "place": place, "relax": relax})

    def changes(self, swaps: Sequence[Swap]) -> Array:
        """Energy changes of swaps, eV."""
        return np.array([self._change(swap) for swap in swaps])

    def accept(self, swap: Swap) -> None:
        """Make the swap that was asked for last of its state."""
        held, atoms, pair = swap.held, swap.held.memory["atoms"], [swap.i, swap.j]
        held.occupation[pair] = held.occupation[pair[::-1]]
        held.memory["energy"], atoms.numbers, atoms.positions = held.memory["asked"]

    def energy(self, held: Held) -> float:
        """Energy of a state up to a constant, relaxed, eV."""
        memory = held.memory
        if "energy" not in memory:
            memory["energy"] = memory["relax"](memory["atoms"])
        return float(memory["energy"])

    def check(self, occupation: Codes) -> None:
        """Raise ValueError if the calculator cannot give forces on a crystal of these codes."""
        require_forces(self.cells.atoms(self.numbers[occupation]), self.calculator)

    def _change(self, swap: Swap) -> float:
        memory = swap.held.memory
        atoms, pair, relax = memory["atoms"], memory["place"][[swap.i, swap.j]], memory["relax"]
        before = self.energy(swap.held)
        numbers, positions = atoms.numbers.copy(), atoms.positions.copy()
        atoms.numbers[pair] = numbers[pair[::-1]]
        memory["asked"] = relax(atoms), atoms.numbers.copy(), atoms.positions.copy()
        atoms.numbers, atoms.positions = numbers, positions
        return float(memory["asked"][0] - before)

    def _crystal(self, codes: Codes) -> Atoms:
        """The relaxed crystal of some codes; that asked for last is remembered, for its patches."""
        if self._last[0] != codes.tobytes():
            atoms = self.cells.atoms(self.numbers[codes])
            if self._whole is None:
                self._whole = relaxing(atoms, len(atoms), self.calculator)
            self._whole(atoms)
            atoms.calc = None
            self._last = codes.tobytes(), atoms
        return self._last[1]

    def _cut(self, crystal: Atoms, active: Ints) -> CutOut:
        if len(active) == len(crystal):
            return cut_out_all(crystal)
        mask = np.zeros(len(crystal), dtype=bool)
        mask[active] = True
        return cut_out(crystal, Patch.mask(mask).select(crystal), self._halo_A + SKIN_A)
