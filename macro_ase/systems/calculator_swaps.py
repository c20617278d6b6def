"""Swaps of the atoms of an alloy by any calculator."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ..arrays import Array
from ..engines.calculators import EMT_METALS, calculator_files, calculator_from_text
from ..engines.patches.cluster_sites import batched_energies
from ..engines.patches.meeting import meet_at, taking_part
from ..engines.swaps.cluster_energy import ClusterEnergy
from ..engines.swaps.cut_outs import CutOutEnergy
from ..engines.swaps.neighbours import nearest_pairs, neighbourhood
from ..engines.swaps.relaxed import RelaxedEnergy
from ..engines.swaps.thermal import ThermalEnergy
from ..engines.swaps.walks import Held, Neighbours, SwapEnergy, Walk, go_together
from ..potentials.eam_calculator import TableEAM
from ..potentials.eam_table import EAMTable
from ..potentials.emt_table import emt_table
from ..site_cells import SiteCells
from .alloy_crystals import Codes, Sites
from .swap_engines import Laid

SiteEnergy = ClusterEnergy | CutOutEnergy | RelaxedEnergy | ThermalEnergy
MOVING = {"relaxed": RelaxedEnergy, "thermal": ThermalEnergy}
_OWN = threading.local()
"""Calculators and what is made with them, of this thread alone."""
_SHARED: dict[tuple[str, tuple[str, ...], bool], Any] = {}
"""Calculators at which threads meet."""
_MAKING = threading.Lock()


@dataclass(frozen=True)
class CalculatorSwaps:
    """Any calculator: patches go together, a swap of each at a time.

    On ideal sites a potential with batched energies, such as MACE, computes those of all patches in
    one batch; on a GPU those of all threads. Where positions relax, tables of embedded atoms do it
    in a compiled kernel.

    Every thread makes a calculator of its own from the text, once; on a GPU the first makes that of
    all.

    Attributes
    ----------
    calculator : str
        In words, as of `engines.calculators`.
    species : tuple of str
    shells : int
        Neighbour shells whose bonds are counted.
    halo_A : float
        How far around a swap the calculator is shown atoms; 0: as far as its energies reach.
    sites : {"ideal", "relaxed", "thermal"}
        Where atoms are: on their sites, relaxed after each trial, or vibrating about them.
    """

    calculator: str
    species: tuple[str, ...]
    shells: int
    halo_A: float = 0.0
    sites: str = "ideal"

    def begin(self, grid: Sites, codes: Codes) -> Held:
        """A state with these species codes."""
        return self._energy(grid).begin(codes, np.arange(grid.n_sites))

    def run(
        self,
        grid: Sites,
        state: Held,
        attempts: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
        bonds: Array,
    ) -> None:
        """Attempt swaps of the whole; state, random numbers and bonds follow."""
        walk = self._walk(grid, state, grid.n_sites, attempts, temperature, rng_state)
        with taking_part(self._calculator()):
            go_together([walk], self._energy(grid))
        bonds += walk.bonds

    def try_patches(
        self,
        grid: Sites,
        codes: Codes,
        attempts: Sequence[int],
        temperature: float,
        rng_states: Sequence[NDArray[np.uint64]],
        patches: Sequence[Laid],
    ) -> list[Array]:
        """Changes of bonds by each patch alone."""
        energy = self._energy(grid)
        with taking_part(self._calculator()):
            walks = [
                self._walk(grid, energy.begin(codes, active), n_core, number, temperature, rng)
                for number, rng, (active, n_core) in zip(attempts, rng_states, patches)
            ]
            go_together(walks, energy)
        return [walk.bonds for walk in walks]

    def check(self, grid: SiteCells, codes: Codes) -> None:
        """Raise ValueError if the calculator cannot do a crystal, or its reach is not known."""
        energy, _ = self._made(grid)
        energy.check(codes)

    def _walk(
        self,
        grid: Sites,
        held: Held,
        n_core: int,
        attempts: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
    ) -> Walk:
        near = self._made(grid)[1]
        n_species = len(self.species) + 1
        return Walk(held, near, n_species, n_core, attempts, temperature, rng_state)

    def _energy(self, grid: Sites) -> SwapEnergy:
        return self._made(grid)[0]

    def _made(self, grid: Sites) -> tuple[SiteEnergy, Neighbours]:
        """Energy and neighbours of a grid, of this thread."""
        assert isinstance(grid, SiteCells)
        made = _OWN.__dict__.setdefault("made", {})
        if (self, grid) not in made:
            near = neighbourhood(nearest_pairs(grid.atoms()), grid.n_sites)[0]
            made[self, grid] = self._site_energy(grid), Neighbours(near, grid.shells(self.shells))
        energy, neighbours = made[self, grid]
        return energy, neighbours

    def _site_energy(self, grid: SiteCells) -> SiteEnergy:
        calculator = self._calculator()
        numbers = np.array([atomic_numbers[name] for name in self.species])
        if self.sites in MOVING:
            return MOVING[self.sites](grid, calculator, numbers, self.halo_A or None)
        if not self.halo_A and batched_energies(calculator) is not None:
            return ClusterEnergy(grid, calculator, numbers)
        return CutOutEnergy(grid, calculator, numbers, self.halo_A or None)

    def _calculator(self) -> Any:
        made = _OWN.__dict__.setdefault("calculators", {})
        moving = self.sites in MOVING
        own = self.calculator, self.species, moving or self.halo_A > 0
        if (own, moving) not in made:
            with _MAKING:
                made[own, moving] = _SHARED.get(own) or self._new_calculator()
                if not own[-1] and meet_at(made[own, moving]):
                    _SHARED[own] = made[own, moving]
        return made[own, moving]

    def _new_calculator(self) -> Any:
        own = self.calculator, self.species
        table = table_of(*own) if self.sites in MOVING else None
        return TableEAM(table) if table else calculator_from_text(*own)


def table_of(text: str, species: tuple[str, ...]) -> EAMTable | None:
    """The calculator of a text as an embedded-atom table of these species, if it is of that form.

    Raises
    ------
    ValueError, FileNotFoundError
        If the text is no calculator, or a table lacks a species.
    """
    files = calculator_files(text)
    if text == "emt" and set(species) <= set(EMT_METALS):
        return emt_table(species)
    if text.startswith("eam:"):
        calculator_from_text(text, species)
        return EAMTable.read(files[0]).only(species)
    return None
