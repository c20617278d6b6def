"""Direct runs of an alloy counted in hops, kept in a folder, that go on where they were stopped.

Cold crystals have waiting times over many orders of magnitude, so that runs are as long as their
hops say, as those of arXiv:2511.12842 are. A run is pieces one after another, each with random
numbers of its own; what is kept is saved as each is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from direct_runs import read_kept, write_kept

from macro_ase.arrays import Array
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.rng import kernel_state, stream
from macro_ase.studies.alloys.design import Design
from macro_ase.systems.alloy import Alloy

PIECES, ROWS = 10, 20


@dataclass(frozen=True)
class HopRun:
    """The large crystal of a design at a temperature in K, for so many hops of every vacancy."""

    folder: Path
    temperature: float
    hops: float

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return self.folder / f"direct-{self.temperature:g}K-{self.hops:g}.npz"


def run(job: HopRun, design: Design) -> dict[str, Array]:
    """What a run found, after what is left of it has been done.

    Returns
    -------
    dict
        ``z``, shape (201, d), and ``extra``, (201, S - 1), at equal numbers of hops from the
        start on; ``state``; ``pieces``, ``time_s``, the mean time of all hops, and ``cpu_s``.
    """
    system = design.system
    assert isinstance(system, Alloy)
    kept = read_kept(job.file) if job.file.is_file() else {"state": system.large_state}
    vacancies = system.n_patches(system.large_state)
    each = max(1, round(job.hops * vacancies / (PIECES * ROWS)))
    seeds = stream(design.seed, "hops", round(1000 * job.temperature)).spawn(PIECES)
    for seed in seeds[int(kept.get("pieces", 0)) :]:
        cpu, first, exposure = time.process_time(), "z" not in kept, 0.0
        walker = VacancyWalker(
            system.large,
            kept["state"],
            system.barriers,
            job.temperature,
            kernel_state(seed),
            n_shells=system.shells,
        )
        rows = [_observe(system, walker)] if first else []
        for _ in range(ROWS):
            exposure += walker.advance(max_hops=each).exposure_s
            rows.append(_observe(system, walker))
        for name, column in zip(("z", "extra"), zip(*rows)):
            own = np.array(column)
            kept[name] = own if first else np.concatenate([kept[name], own])
        cpu = time.process_time() - cpu
        for name, value in (("pieces", 1), ("time_s", exposure), ("cpu_s", cpu)):
            kept[name] = kept.get(name, np.array(0)) + value
        kept["state"] = walker.occupation
        write_kept(job.file, kept)
    return kept


def _observe(system: Alloy, walker: VacancyWalker) -> tuple[Array, Array]:
    """Bond densities, and vacancy neighbours."""
    order = system.order
    z = order.state(walker.bonds, walker.grid.n_sites)
    return z, order.vacancy_neighbours(walker.bonds[0])
