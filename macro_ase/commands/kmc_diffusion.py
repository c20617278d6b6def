"""Diffusion coefficients from a run of a vacancy driver, in windows of its own hops."""

from __future__ import annotations

import numpy as np

from ..analysis.diffusion import A2_PER_S
from ..analysis.displacement_windows import FEWEST, joined, windowed_ratio
from ..arrays import Array
from ..engines.vacancies.kmc import VacancyKMC
from ..lattice import VACANCY
from ..report.numbers import rounded

HALVES = 2 * FEWEST


class Displacements:
    """An observer that sums squared displacements by species over windows and their halves.

    Parameters
    ----------
    dynamics : VacancyKMC
    hops, interval : int
        Of the whole run, which is cut into `FEWEST` windows or some more, and between calls.
    """

    def __init__(self, dynamics: VacancyKMC, hops: int, interval: int) -> None:
        self.dynamics, self.half = dynamics, hops // HALVES // interval * interval
        symbols = np.array(dynamics.atoms.get_chemical_symbols())
        self.symbols, self.kinds = np.unique(symbols, return_inverse=True)
        self.closed, self.start_s = dynamics.nsteps, dynamics.time
        self.origins = [dynamics.atoms.positions.copy() for _ in range(2)]
        self.times_s: list[float] = []
        self.squares: tuple[list[Array], list[Array]] = ([], [])

    def __call__(self) -> None:
        """Close a half of a window when it is full."""
        if self.half == 0 or self.dynamics.nsteps - self.closed < self.half:
            return
        self.closed = self.dynamics.nsteps
        self.times_s.append(self.dynamics.time)
        for level in (0, 1):
            if len(self.times_s) % 2**level == 0:
                moved = self.dynamics.atoms.positions - self.origins[level]
                sums = np.bincount(self.kinds, (moved**2).sum(axis=1), len(self.symbols))
                self.squares[level].append(np.asarray(sums, dtype=float))
                self.origins[level] = self.dynamics.atoms.positions.copy()

    def lines(self) -> list[str]:
        """A line a species; none where the run was too short for windows."""
        whole = len(self.times_s) // 2
        if whole < FEWEST:
            return []
        spans = joined(np.diff([self.start_s, *self.times_s])[: 2 * whole], 1)
        halves, wholes = np.array(self.squares[0])[: 2 * whole], np.array(self.squares[1])
        lines = ["diffusion coefficients, m^2/s"]
        for s in np.argsort(self.symbols == VACANCY, kind="stable"):
            scale = A2_PER_S / (6 * (self.kinds == s).sum())
            found = windowed_ratio(scale * halves[:, s], scale * wholes[:, s], spans)
            more = "" if found.settled else "; too large: falls with longer windows"
            name = "vacancy" if self.symbols[s] == VACANCY else self.symbols[s]
            lines.append(f"{name:8}{rounded(found.value, found.error, '.3e')}{more}")
        return lines
