"""Direct runs of an alloy at several sizes, kept in a folder, that go on where they were stopped.

A run is pieces one after another, each from the state at the end of the last with random numbers
of its own; waiting times have no memory, so that pieces have the law of one run. Every piece is
saved as it is done, in one file a run. Lengths are in units of time by temperature that are kept
beside: a folder begun with one model goes on with another.
"""

from __future__ import annotations

import io
import json
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun, Beginning
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.files import write_atomically
from macro_ase.rng import kernel_state, stream
from macro_ase.systems.alloy import Alloy

ROWS = 50
"""Records of a piece, which is one unit of time long."""
OWN_SETTINGS = ("composition", "structure", "sites_per_vacancy", "barriers", "shells")


@dataclass(frozen=True)
class DirectRun:
    """One run: a random crystal of so many cells along each axis, for so many units of time.

    Runs of a size begin with one crystal, or each with its own.
    """

    alloy: Path
    folder: Path
    cells: int
    temperature: float
    number: int
    pieces: int
    unit_s: float
    own_crystal: bool = False

    @property
    def file(self) -> Path:
        """Where it is kept."""
        own = "-own" if self.own_crystal else ""
        return self.folder / f"{self.cells}-{self.temperature:g}K-{self.number}{own}.npz"

    @property
    def done(self) -> int:
        """Pieces that are there."""
        return int(read_kept(self.file)["pieces"]) if self.file.is_file() else 0


def alloy_of(run: AlloyRun) -> dict[str, object]:
    """What decides the crystals of a run."""
    system = run.config["system"]
    return {name: system[name] for name in OWN_SETTINGS} | {"seed": run.config["seed"]}


def units(folder: Path, run: AlloyRun, proposed: Mapping[float, float]) -> dict[float, float]:
    """Units of time in s by temperature: those of the folder, and proposed ones for the others.

    Raises
    ------
    ValueError
        If the folder holds runs of another alloy.
    """
    file, own = folder / "units.json", alloy_of(run)
    kept = {"alloy": own, "units_s": {}}
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["alloy"] != own:
            raise ValueError(f"{folder} holds runs of another alloy: name a new --folder")
    new = {f"{t:g}": s for t, s in proposed.items()} | kept["units_s"]
    write_atomically(file, json.dumps({"alloy": own, "units_s": new}, indent=1) + "\n")
    return {t: new[f"{t:g}"] for t in proposed}


def crystal(run: AlloyRun, begin: Beginning, number: int) -> NDArray[np.int8]:
    """Another random crystal, as large as one and of its atoms."""
    seed = stream(run.config["seed"], "crystal", begin.n_sites, number)
    return np.random.default_rng(seed).permutation(begin.state)


def mean_start(run: AlloyRun, begin: Beginning, crystals: int) -> Array:
    """Bond densities, shape (d,), of so many of these in the mean, or of the one if none."""
    system, order = run.design.system, begin.order
    states = [crystal(run, begin, k) for k in range(crystals)] or [begin.state]
    bonds = [system.bonds(state, begin.grid) for state in states]
    z: Array = np.mean([order.state(own, begin.n_sites) for own in bonds], axis=0)
    return z / begin.over_small


def go_on(job: DirectRun) -> str:
    """Do what is left of a run, piece by piece."""
    run = AlloyRun(job.alloy)
    begin, alloy = run.beginning(size=(job.cells,) * 3), run.design.system
    if not isinstance(alloy, Alloy):
        raise ValueError(f"{job.alloy} has no vacancies that hop")
    seed = stream(run.config["seed"], "sizes", job.cells, round(1000 * job.temperature), job.number)
    state = crystal(run, begin, job.number) if job.own_crystal else begin.state
    kept = read_kept(job.file) if job.file.is_file() else _start(state)
    every = job.unit_s / ROWS * np.arange(1, ROWS + 1)
    for own in seed.spawn(job.pieces)[int(kept["pieces"]) :]:
        cpu = time.process_time()
        walker = VacancyWalker(
            begin.grid,
            kept["state"],
            alloy.barriers,
            job.temperature,
            kernel_state(own),
            n_shells=alloy.shells,
        )
        rows, hops = [], 0
        for at in [0.0, *every] if not kept["pieces"] else every:
            hops += walker.advance(end_time=at).hops
            z = begin.order.state(walker.bonds, begin.n_sites)
            rows.append((z, begin.order.vacancy_neighbours(walker.bonds[0])))
        z, extra = (np.array(column) for column in zip(*rows))
        kept |= {
            "z": np.concatenate([kept["z"].reshape(-1, z.shape[1]), z]),
            "extra": np.concatenate([kept["extra"].reshape(-1, extra.shape[1]), extra]),
            "state": walker.occupation,
            "pieces": kept["pieces"] + 1,
            "hops": kept["hops"] + hops,
            "cpu_s": kept["cpu_s"] + time.process_time() - cpu,
            "peak_MiB": np.maximum(kept["peak_MiB"], peak_MiB()),
        }
        write_kept(job.file, kept)
    return f"{job.file.name}: {kept['hops']:.3g} hops, {kept['cpu_s']:.0f} CPU s"


def read(job: DirectRun) -> dict[str, Array]:
    """A finished run: ``times``, ``z``, ``extra``, ``hops``, ``cpu_s``, ``peak_MiB``."""
    kept = read_kept(job.file)
    rows = job.pieces * ROWS + 1
    times = job.unit_s / ROWS * np.arange(rows)
    return kept | {"times": times, "z": kept["z"][:rows], "extra": kept["extra"][:rows]}


def peak_MiB() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _start(state: Array) -> dict[str, Array]:
    numbers = dict.fromkeys(("pieces", "hops"), np.array(0))
    numbers |= dict.fromkeys(("cpu_s", "peak_MiB"), np.array(0.0))
    return {"z": np.empty(0), "extra": np.empty(0), "state": state} | numbers


def read_kept(file: Path) -> dict[str, Array]:
    """What `write_kept` wrote."""
    with np.load(file, allow_pickle=False) as kept:
        return dict(kept)


def write_kept(file: Path, kept: dict[str, Array]) -> None:
    """Arrays of a run that may be stopped at any moment."""
    beside = io.BytesIO()
    np.savez_compressed(beside, **kept)
    write_atomically(file, beside.getvalue())
