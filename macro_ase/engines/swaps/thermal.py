"""Energies of swaps by any ASE calculator, of atoms that vibrate about their sites.

Before each trial the active atoms go along a short piece of dynamics with momenta drawn anew, p ~
N(0, m k_B T), which is kept with the chance

    min(1, exp(-(H' - H) / k_B T)),    H = U(x) + sum p^2 / 2 m

(hybrid Monte Carlo: S. Duane et al., Phys. Lett. B 195, 216 (1987)); then two atoms exchange their
species where they are, by Metropolis' rule. Both leave exp(-U(s, x) / k_B T) of species and
positions as it is, whatever the time step: order has the entropy of vibrations, which minima leave
out. All other atoms stay where the relaxed crystal has them, and so does the cell. A trial costs
`STEPS` + 1 energies with forces, and one energy, of the active atoms and all within reach; before
the first atoms go from their minimum for `WARMING` pieces. How fast order relaxes is a matter of
the moves, as with fixed sites.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from ...arrays import Array
from ...kinetics.normal import normal_pair
from ..patches.proposed_sites import metropolis_accepts
from .relaxed import RelaxedEnergy
from .walks import Bath, Held, Swap

STEPS = 5
STEP_FS = 4.0
WARMING = 8
"""Pieces of dynamics before the first trial."""


class ThermalEnergy(RelaxedEnergy):
    """`SwapEnergy` of a calculator on sites about which atoms vibrate; see `RelaxedEnergy`."""

    def vibrate(self, held: Held, pieces: int = 1) -> int:
        """Let the active atoms of a state that is walked go; how many pieces were kept."""
        memory, atoms, bath = held.memory, held.memory["atoms"], held.bath
        assert bath is not None
        atoms.calc = self.calculator
        n, kept = len(held.active), 0
        if "energy" not in memory:
            memory["energy"] = float(atoms.get_potential_energy())
        for _ in range(pieces):
            kept += self._piece(atoms, n, memory, bath)
        return kept

    def _change(self, swap: Swap) -> float:
        held, memory = swap.held, swap.held.memory
        self.vibrate(held, 1 if "energy" in memory else WARMING)
        atoms, pair = memory["atoms"], memory["place"][[swap.i, swap.j]]
        numbers = atoms.numbers.copy()
        atoms.numbers[pair] = numbers[pair[::-1]]
        memory["asked"] = self._asked(atoms)
        atoms.numbers = numbers
        return float(memory["asked"][0] - memory["energy"])

    def _asked(self, atoms: Atoms) -> tuple[float, NDArray[np.int64], Array]:
        return float(atoms.get_potential_energy()), atoms.numbers.copy(), atoms.positions.copy()

    @staticmethod
    def _piece(atoms: Atoms, n: int, memory: dict[str, float], bath: Bath) -> bool:
        """Velocity Verlet of the first n atoms, kept or not."""
        masses = atoms.get_masses()[:n, None]
        step, before = STEP_FS * units.fs, atoms.positions.copy()
        momenta = _normals(n, bath.rng) * np.sqrt(masses / bath.beta)
        start = memory["energy"] + _kinetic(momenta, masses)
        forces = atoms.get_forces()[:n]
        for _ in range(STEPS):
            momenta = momenta + step / 2 * forces
            atoms.positions[:n] += step * momenta / masses
            forces = atoms.get_forces()[:n]
            momenta = momenta + step / 2 * forces
        energy = float(atoms.get_potential_energy())
        kept = metropolis_accepts(energy + _kinetic(momenta, masses) - start, bath.beta, bath.rng)
        if kept:
            memory["energy"] = energy
        else:
            atoms.positions = before
        return kept


def _kinetic(momenta: Array, masses: Array) -> float:
    return float((momenta**2 / (2 * masses)).sum())


def _normals(n: int, rng: NDArray[np.uint64]) -> Array:
    """Normal numbers, shape (n, 3)."""
    pairs = [normal_pair(rng) for _ in range((3 * n + 1) // 2)]
    return np.array(pairs).ravel()[: 3 * n].reshape(n, 3)
