"""Metropolis Monte Carlo of a patch of atoms in its true, frozen surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from ...kinetics.site_moves import SpeciesBias
from ...lattice import VACANCY
from ...patches import CutOut, Patch, Region, cut_out
from ...potentials.eam_calculator import TableEAM
from ...rng import Seed
from ..belongings import exchange, turn_into
from ..driver import Driver
from ..restart_files import require_indices
from ..restart_identity import TOLERANCE
from ..swaps.ensembles import SemiGrand, no_bias
from ..swaps.moves import (
    Displacement,
    Move,
    NeighbourSwap,
    Swap,
    Transmute,
    VacancySwap,
    as_moves,
)
from ..temperature import Temperature
from .cluster_sites import ClusterSites, batched_energies
from .frozen_surroundings import movable_sites
from .local_energy import (
    checked_energy,
    cut_out_all,
    energy_without_vacancies,
    laid,
    required_halo,
)
from .moving_sites import MovingTableSites
from .sites import CalculatorSites, PatchSites, TableSites

DEFAULT_MOVE = Swap()
FREE_A = 0.5
SAME_PLACE_A = 1e-9
ENERGY_TOLERANCE = 1e-6


class PatchMC(Driver):
    """Metropolis moves of core and buffer of a patch; all other atoms stay as they are.

    A step is one attempt. With `TableEAM` a compiled kernel does them, at the cost of what is
    within the cutoff of an atom: below 1 us if species alone change, some 20 us if atoms are
    displaced too. With MACE, if atoms stay on their places, an attempt costs the energies of
    the atoms that it changes, in a batch for many patches (`run_in_lockstep`). Otherwise each costs
    a call of the calculator with the cut-out.
    Vacancies are atoms ``X``, which no calculator sees. Atoms under `FixAtoms` stay: they are
    neither displaced nor swapped. What belongs to an atom (mass, momentum, tag, charge, magnetic
    moment, your own arrays) travels with it in a swap; one that turns into another species takes
    its mass, and keeps its kinetic energy.

    Between two runs, or in an observer, you may change species, positions, cell, pbc and
    constraints of the atoms, and the temperature.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place.
    patch : Patch, optional
        Default: the whole cell. It is laid on the atoms once; over moving patches displaced atoms
        obey detailed balance if the patch does not depend on where they are (`Patch.mask`).
    calculator : ase Calculator, optional
        Default ``atoms.calc``.
    moves : Move or sequence of Move
        `Swap` (the default), `NeighbourSwap`, `VacancySwap`, `Displacement`, `Transmute`,
        mixed by weight.
    temperature_K : float or callable
        See `temperature_K`.
    rng : int, SeedSequence, Generator or None
    ensemble : SemiGrand, optional
        With `Transmute`: chemical potentials, and a composition to be held.
    halo_A : float, optional
        How far around the patch atoms are shown to the calculator; default as far as its
        energies reach (`receptive_field.reach`). A shorter one gives a warning with the error.
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in attempts.

    Attributes
    ----------
    energy_change_eV : float
        By its own moves since the start, without the terms of the ensemble.
    region : Region
        The atoms that may move or change places.
    patched : Region
        All atoms of the patch: also fixed ones.
    tally : int64 array, shape (n_moves, 2, S, S)
        Attempts and acceptances, by species (`species`) of the first site before and after.
    compiled : bool
        Whether the kernel does the moves.

    Raises
    ------
    ValueError
        If patch, moves, temperature or ensemble do not fit, or the calculator cannot do the atoms.
    """

    _heated = True
    _watched = ("numbers", "positions", "initial_magmoms", "initial_charges")
    _taken_up = frozenset({*_watched, "cell", "pbc", "constraints"})

    def __init__(
        self,
        atoms: Atoms,
        patch: Patch | None = None,
        calculator: Any = None,
        *,
        moves: Move | Sequence[Move] = DEFAULT_MOVE,
        temperature_K: Temperature,
        rng: Seed = None,
        ensemble: SemiGrand | None = None,
        halo_A: float | None = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
    ) -> None:
        self.calculator = atoms.calc if calculator is None else calculator
        if self.calculator is None:
            raise ValueError("give a calculator, or atoms that have one")
        self.moves = as_moves(moves)
        widths = [move.width_A for move in self.moves if isinstance(move, Displacement)]
        self._displaces = bool(widths)
        self._skin_A = 2 * FREE_A + math.sqrt(3) * max(widths) if widths else 0.0
        self.compiled = isinstance(self.calculator, TableEAM)
        self.species = self._species(atoms, ensemble)
        self._bias = self._bias_of(ensemble)
        self._halo_A, self.energy_change_eV = halo_A, 0.0
        self.tally = np.zeros((len(self.moves), 2) + 2 * (len(self.species),), dtype=np.int64)
        super().__init__(
            atoms, rng, logfile, trajectory, loginterval, append_trajectory, temperature_K
        )
        self.move_to(patch)

    def move_to(self, patch: Patch | None) -> None:
        """Go on with another patch of the same atoms, or with all of them (None).

        Raises
        ------
        ValueError
            As on construction.
        """
        patched = laid(self.atoms, patch)
        region = movable_sites(self.atoms, patched)
        self._refuse_moves(region)
        length_A = 0.0
        if patch is not None:
            length_A = required_halo(self.atoms, region, self.calculator, self._halo_A)
            length_A += self._skin_A
        self.patched, self.region, self._length_A = patched, region, length_A
        self._refuse_species()
        self._cut()

    def _refuse_species(self) -> None:
        """Raise ValueError if the calculator cannot do what the patch holds, or may come to."""
        strange = sorted(set(self.atoms.symbols[self.region.active]) - set(self.species))
        if strange:
            allowed = ", ".join(self.species[:-1])
            raise ValueError(f"atoms of the patch may be {allowed}, not {', '.join(strange)}")
        if self._displaces or not self.compiled:
            symbols = [self.species[code] for code in self._bias.allowed]
            checked_energy(self._cut_out(self.atoms).atoms, self.calculator, symbols)

    def _read_atoms(self, changed: frozenset[str]) -> None:
        kept = self.region
        try:
            self.region = movable_sites(self.atoms, self.patched)
            self._refuse_moves(self.region)
            self._refuse_species()
        except ValueError:
            self.region = kept
            raise
        if changed == {"numbers"}:
            self.read_atoms()
        else:
            self._cut()

    def read_atoms(self) -> None:
        """Take up what something else did to the species and positions of the patch.

        Costs what the patch costs, but where an atom has gone far: then a new halo is cut out.
        """
        cut = self._sites.cut
        positions = self.atoms.positions[cut.index] + cut.shift
        moved = not np.allclose(positions, cut.atoms.positions, rtol=0, atol=SAME_PLACE_A)
        if moved and self._length_A and not self._skin_A:
            self._skin_A = 2 * FREE_A
            self._length_A += self._skin_A
            self._cut()
            return
        cut.atoms.numbers = self.atoms.numbers[cut.index]
        if moved:
            cut.atoms.positions = positions
        if np.linalg.norm(positions - self._reference_A, axis=1).max() > self._free_A:
            self._cut()
        else:
            self._start_sites(cut)

    @property
    def _rows(self) -> Any:
        return self._sites.cut.index

    @property
    def acceptance(self) -> list[float]:
        """Share of attempts that were accepted, by move; attempts that change nothing count."""
        attempts, accepted = self.tally.sum(axis=(2, 3)).T
        shares: list[float] = (accepted / np.maximum(attempts, 1)).tolist()
        return shares

    @property
    def pair_acceptance(self) -> dict[tuple[str, str], float]:
        """Share accepted by pair of species that were to change places or into one another."""
        both = self.tally.sum(axis=0)
        both = both + both.swapaxes(1, 2)
        return {
            (self.species[a], self.species[b]): float(both[1, a, b] / both[0, a, b])
            for a in range(len(self.species))
            for b in range(a + 1, len(self.species))
            if both[0, a, b]
        }

    def _species(self, atoms: Atoms, ensemble: SemiGrand | None) -> tuple[str, ...]:
        if self.compiled:
            return (*self.calculator.table.species, VACANCY)
        named = set() if ensemble is None else set(ensemble.mu_eV)
        return (*sorted((set(atoms.get_chemical_symbols()) | named) - {VACANCY}), VACANCY)

    def _bias_of(self, ensemble: SemiGrand | None) -> SpeciesBias:
        transmutes = any(isinstance(move, Transmute) for move in self.moves)
        if transmutes != (ensemble is not None):
            raise ValueError("Transmute and an ensemble (SemiGrand) go together")
        return no_bias(len(self.species)) if ensemble is None else ensemble.bias(self.species)

    def _refuse_moves(self, region: Region) -> None:
        kinds = {type(move) for move in self.moves}
        if {NeighbourSwap, Displacement} <= kinds:
            raise ValueError("NeighbourSwap needs sites that stay: leave out Displacement")
        if VacancySwap in kinds and self.atoms.numbers[region.active].all():
            raise ValueError("VacancySwap needs a vacancy (X) in the patch")

    def _cut_out(self, atoms: Atoms) -> CutOut:
        """The patch of some atoms, with its halo; a length of 0 stands for all of them."""
        if not self._length_A:
            return cut_out_all(atoms, self.region)
        return cut_out(atoms, self.region, self._length_A)

    def _cut(self) -> None:
        """Take the patch from the atoms as they are now."""
        cut = self._cut_out(self.atoms)
        self._reference_A = cut.atoms.positions.copy()
        self._start_sites(cut)

    def _start_sites(self, cut: CutOut) -> None:
        self._positions_A = cut.atoms.positions.copy()
        self._sites: PatchSites
        if self.compiled and self._displaces:
            away = np.linalg.norm(cut.atoms.positions - self._reference_A, axis=1).max()
            free_A = min(self._free_A, FREE_A) - away
            self._sites = MovingTableSites(cut, self.calculator, self.moves, self._bias, free_A)
            return
        if self.compiled:
            self._sites = TableSites(cut, self.calculator.table, self.moves, self._bias)
            return
        own = cut, self.species, self.moves, self._bias
        energies = None if self._displaces else batched_energies(self.calculator)
        if energies is not None:
            self._sites = ClusterSites(*own, energies)
            return
        self._sites = CalculatorSites(*own, self.calculator, self._reference_A, self._free_A)

    @property
    def _free_A(self) -> float:
        """How far an atom may go from where it was when the halo was cut out."""
        return FREE_A if self._length_A else math.inf

    def _advance(self, steps: int) -> int:
        done = 0
        while done < steps:
            assert self._schedule is not None
            kT = units.kB * self._schedule.over(self.nsteps + done, steps - done)
            change, some = self._sites.run(1 / kT, steps - done, self.rng_state, self.tally)
            self.energy_change_eV += change
            done += some
            if done < steps:
                self._update_atoms()
                self._cut()
        return steps

    def _update_atoms(self) -> None:
        cut, n = self._sites.cut, self._sites.cut.n_active
        active, origin = cut.index[:n], self._sites.origin
        exchange(self.atoms, active, origin[:n])
        origin[:] = np.arange(len(origin))
        rng = np.random.default_rng(self.rng_state)
        turn_into(self.atoms, active, cut.atoms.numbers[:n], self.temperature_K, rng)
        moved = np.any(cut.atoms.positions[:n] != self._positions_A[:n], axis=1)
        self.atoms.positions[active[moved]] = (cut.atoms.positions - cut.shift)[:n][moved]

    def _log_header(self) -> str:
        return f"{'attempts':>12} {'accepted':>12} {'dE/eV':>14} {'T/K':>8}"

    def _log_line(self) -> str:
        return (
            f"{self.nsteps:12d} {self.tally[:, 1].sum():12d} {self.energy_change_eV:14.6f} "
            f"{self.temperature_K:8.1f}"
        )

    _free_lengths = frozenset({"core", "buffer"})

    def _setup(self) -> dict[str, Any]:
        return {
            "driver": type(self).__name__,
            "species": list(self.species),
            "moves": [repr(move) for move in self.moves],
            "cell": self.atoms.cell.array.tolist(),
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        if self._skin_A:
            self._cut()
        return {
            "energy_eV": np.array(energy_without_vacancies(self._sites.cut.atoms, self.calculator)),
            "energy_change_eV": np.array(self.energy_change_eV),
            "tally": self.tally,
            "core": self.patched.core,
            "buffer": self.patched.buffer,
            "centre": self.patched.centre,
            "lengths_A": np.array([self._length_A, self._skin_A]),
        }

    def _identity(self) -> dict[str, NDArray[Any]]:
        found = super()._identity()
        if not self._displaces:
            found["positions"] = self.atoms.positions.copy()
        if not any(isinstance(move, Transmute) for move in self.moves):
            found["composition"] = np.sort(self.atoms.numbers)
            found["masses"] = np.sort(self.atoms.get_masses())
        return found

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        patch = np.concatenate([saved["core"], saved["buffer"]])
        require_indices(path, "core and buffer", patch, len(self.atoms))

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        kept = self.patched, self.region, self._length_A, self._skin_A
        atoms = self.atoms.copy()
        atoms.numbers, atoms.positions = saved["numbers"], saved["positions"]
        try:
            self._restore_region(saved)
            self._refuse_other_surroundings(atoms)
            energy = energy_without_vacancies(self._cut_out(atoms).atoms, self.calculator)
        finally:
            self.patched, self.region, self._length_A, self._skin_A = kept
        before = float(saved["energy_eV"])
        if abs(energy - before) > ENERGY_TOLERANCE * max(1.0, abs(before)):
            raise ValueError("the restart was written with another energy")

    def _refuse_other_surroundings(self, saved: Atoms) -> None:
        frozen = np.ones(len(saved), dtype=bool)
        frozen[self.region.active] = False
        same = np.array_equal(saved.numbers[frozen], self.atoms.numbers[frozen])
        away = saved.positions[frozen] - self.atoms.positions[frozen]
        if not same or np.abs(away).max(initial=0.0) > TOLERANCE:
            raise ValueError("the restart was written with other atoms around the patch")

    def _restore_region(self, state: dict[str, NDArray[Any]]) -> None:
        self.patched = Region(state["core"], state["buffer"], state["centre"])
        self.region = movable_sites(self.atoms, self.patched)
        self._length_A, self._skin_A = state["lengths_A"].tolist()

    def _restore(self, state: dict[str, NDArray[Any]]) -> None:
        self.tally = state["tally"].copy()
        self.energy_change_eV = float(state["energy_change_eV"])
        self._restore_region(state)
        self._cut()
