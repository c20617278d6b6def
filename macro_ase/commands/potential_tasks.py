"""What is asked of every potential that is compared: one task is one item of its journal.

A task holds all it needs, so that any process may carry it out. What a task finds depends on its
potential alone. A potential without forces, such as the pair energy, has neither lattice constants
nor elastic constants, and stays on the sites.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator

from ..barriers.kra import KRABarriers
from ..barriers.nudged_band import IMAGES, climbed_barrier, hop_barrier
from ..crystal import Crystal
from ..lattice import BCC
from ..observables.bonds import bond_counts
from ..observables.ordered_phases import OrderedPhase
from ..observables.short_range_order import random_offset, warren_cowley_from_bonds
from ..patches import order_axes
from ..potentials.accuracy import elastic_constants
from ..rng import stream
from ..statistics import standard_error
from .asked_potential import Potential, at_rest

BURN_IN = 0.2
"""Share of the sweeps of swap Monte Carlo that is not counted."""
COORDINATION = 8
TIMED = 5
Band = Literal["string", "climb"]


@dataclass(frozen=True)
class Element:
    """Lattice and elastic constants of a bcc element."""

    name: str

    @property
    def key(self) -> str:
        return f"element {self.name}"

    def run(self, potential: Potential) -> dict[str, float]:
        """Energy per atom; lattice constant in A and C11, C12, C44 in GPa if there are forces."""

        def crystal(a: float) -> Atoms:
            crystal: Atoms = bulk(self.name, "bcc", a=a, cubic=True) * (2, 2, 2)
            return crystal

        a, energy = at_rest(potential, crystal, [self.name])
        found = {"energy_eV": energy}
        if a is None:
            return found
        constants = elastic_constants(potential.calculator(), self.name, a)
        return found | {"a_A": a} | {k.split()[0]: v for k, v in constants.items()}


@dataclass(frozen=True)
class Phase:
    """An ordered phase, on its sites, at the volume of lowest energy."""

    phase: OrderedPhase

    @property
    def key(self) -> str:
        return f"phase {self.phase.kind} {self.phase.formula}"

    def run(self, potential: Potential) -> dict[str, float]:
        """Energy per atom in eV."""
        return {"energy_eV": at_rest(potential, self.phase.atoms, self.phase.species)[1]}


@dataclass(frozen=True)
class Frame:
    """Atoms as they are."""

    number: int
    atoms: Atoms = field(repr=False)

    @property
    def key(self) -> str:
        return f"frame {self.number}"

    def run(self, potential: Potential) -> dict[str, float]:
        """Energy per atom in eV."""
        atoms = self.atoms.copy()
        order_axes(atoms)
        return {"energy_eV": float(potential.calculator().get_potential_energy(atoms)) / len(atoms)}


@dataclass(frozen=True)
class HopOf:
    """The hop of an atom into the place of another, atoms by index.

    By the band that is named; where an image that climbs does not arrive, by the string.
    """

    atoms: Atoms = field(repr=False)
    vacancy: int
    target: int
    band: Band
    fmax: float

    @property
    def key(self) -> str:
        return f"hop {self.atoms.symbols[self.target]} {self.target + 1} into {self.vacancy + 1}"

    def run(self, potential: Potential) -> dict[str, float]:
        """Barrier in eV; raises where there is none."""
        model = potential.barriers
        if model is not None:
            return {"barrier_eV": self._of(model)}
        calculator, ends = potential.calculator(), (self.atoms, self.vacancy, self.target)
        hop = None
        if self.band == "climb":
            hop = climbed_barrier(*ends, calculator, fmax=self.fmax)
        if hop is None or not (hop.converged or hop.collapsed):
            hop = hop_barrier(*ends, calculator, IMAGES, fmax=self.fmax)
        if not hop.usable:
            raise ValueError("collapsed" if hop.collapsed else "not converged")
        return {"barrier_eV": hop.forward_eV}

    def _of(self, model: KRABarriers) -> float:
        atoms = self.atoms.copy()
        atoms.symbols[self.vacancy] = "X"
        targets, barriers = model.hop_barriers(atoms, self.vacancy)
        return float(barriers[targets == self.target][0])


@dataclass(frozen=True)
class Order:
    """Short-range order of a random alloy by Metropolis swaps of unlike atoms of the whole cell.

    Sites stay where they are, at the volume of lowest energy of the random alloy. Of alpha what a
    random alloy of this cell has is subtracted, so that 0 is random. The first fifth of the sweeps
    is left out.
    """

    crystal: Crystal = field(repr=False)
    temperature_K: float
    sweeps: int
    seed: int

    @property
    def key(self) -> str:
        return f"order {self.temperature_K:g} K, {self.sweeps} sweeps"

    def run(self, potential: Potential) -> dict[str, Any]:
        """First-shell alpha with its standard error by pair, and the share accepted."""

        def scaled(a: float) -> Atoms:
            atoms = self.crystal.to_atoms()
            atoms.set_cell(atoms.cell * (a / self.crystal.lattice_constant_A), scale_atoms=True)
            return atoms

        a, _ = at_rest(potential, scaled, sorted(set(scaled(1.0).get_chemical_symbols())))
        series, accepted = self._sample(scaled(a or 3.2), potential.calculator())
        counts, names = self.crystal.counts[:-1], self.crystal.species[:-1]
        alpha = warren_cowley_from_bonds(np.array(series), counts, COORDINATION)
        random = -random_offset(counts, COORDINATION) * counts.sum() / (COORDINATION * counts)
        found: dict[str, Any] = {"accepted": accepted}
        for i, j in itertools.combinations(range(len(names)), 2):
            own = alpha[:, i, j] - random[i, j]
            found[f"{names[i]}-{names[j]}"] = [float(own.mean()), float(standard_error(own))]
        return found

    def _sample(self, atoms: Atoms, calculator: Calculator) -> tuple[list[Any], float]:
        """Bond counts after every sweep, and the share of swaps accepted."""
        key = round(1e3 * self.temperature_K)
        rng = np.random.default_rng(stream(self.seed, "swaps", key))
        n, beta = len(atoms), 1 / (units.kB * self.temperature_K)
        near = self.crystal.grid.neighbors(BCC.shells(1)[0])
        names = list(self.crystal.species)
        energy, accepted, series = calculator.get_potential_energy(atoms), 0, []
        for sweep in range(self.sweeps):
            for _ in range(n):
                i, j = _unlike(atoms.numbers, rng)
                atoms.numbers[[i, j]] = atoms.numbers[[j, i]]
                new = calculator.get_potential_energy(atoms)
                if math.log(1 - rng.random()) < -beta * (new - energy):
                    energy, accepted = new, accepted + 1
                else:
                    atoms.numbers[[i, j]] = atoms.numbers[[j, i]]
            if sweep >= BURN_IN * self.sweeps:
                codes = np.empty(n, dtype=np.int8)
                symbols = atoms.get_chemical_symbols()
                codes[self.crystal.site_of_atom] = [names.index(s) for s in symbols]
                series.append(bond_counts(codes, near, len(names))[:-1, :-1])
        return series, accepted / (self.sweeps * n)


def _unlike(numbers: Any, rng: np.random.Generator) -> tuple[int, int]:
    """Two random atoms of unlike elements."""
    while True:
        i, j = rng.integers(len(numbers), size=2)
        if numbers[i] != numbers[j]:
            return int(i), int(j)


@dataclass(frozen=True)
class Cost:
    """What an evaluation costs in processor time."""

    atoms: Atoms = field(repr=False)

    @property
    def key(self) -> str:
        return f"cost {len(self.atoms)}"

    def run(self, potential: Potential) -> dict[str, float]:
        """CPU seconds of energy and forces, or of the energy where there are none: the median."""
        calculator, atoms = potential.calculator(), self.atoms.copy()
        ask = calculator.get_forces if potential.has_forces else calculator.get_potential_energy
        read: Callable[[Atoms], Any] = ask
        seconds = []
        for k in range(TIMED + 1):
            atoms.rattle(0.01, seed=k)
            start = time.process_time()
            read(atoms)
            seconds.append(time.process_time() - start)
        return {"cpu_s": statistics.median(seconds[1:])}


Task = Element | Phase | Frame | HopOf | Order | Cost


def carry_out(text: str, task: Task) -> dict[str, Any]:
    """What a task finds; what a calculator raises is kept too."""
    try:
        found = task.run(Potential(text))
    except Exception as error:  # calculators raise many kinds
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())}
    if not np.isfinite([x for value in found.values() for x in np.ravel(value)]).all():
        return {"failed": "a number that is not finite"}
    return found
