"""Barriers of the vacancy hops of a crystal: what ``macro-ase compute-barriers`` does.

The crystal is relaxed once, at its cell; then every hop is an item of its own. A calculator is
made anew for each, so that none depends on those before it, and the tables are the same for any
number of workers and after any interruption.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from .. import __version__
from ..barriers.nudged_band import FEWEST_IMAGES, FMAX_EV_A, IMAGES
from ..barriers.orbits import HOP_DIRECTIONS
from ..counts import require_count
from ..crystal import Crystal
from ..executors import Engine, workers_of
from ..jobs import Done, run_jobs
from ..progress import Progress
from ..reals import require_positive
from ..rng import stream, whole_seed
from .barrier_results import CRYSTAL, RADIUS_CHECKS, Job, Pair, is_record, job_key, write_results
from .crystal_work import digest_of, digests, held, processes, read_crystal, require_journal
from .hop_worker import compute_hop, relax_crystal
from .journal import Journal

JOURNAL = "hops.jsonl"


def compute_barriers_command(
    structure: str | Path,
    out: str | Path,
    calculator: str,
    hops: int | None = None,
    vacancies: Sequence[int] = (),
    workers: Engine = 1,
    seed: int = 0,
    relax_radius_A: float | None = None,
    images: int = IMAGES,
    fmax: float = FMAX_EV_A,
    species: Sequence[str] | None = None,
) -> str:
    """Compute barriers of vacancy hops, write the tables that barrier fits read, and describe them.

    Called again after an interruption, it goes on where it was. ``hops`` and ``workers`` may then
    differ: fewer hops are the first of more.

    Parameters
    ----------
    structure : str or Path
        A bcc block without vacancies, in any file that `read_structure` reads. Its cell is kept.
    out : str or Path
        Folder for ``POSCAR``, ``atomid_for_NN.txt``, ``barrier_for_NN.txt`` (nan: not computed or
        not usable), ``results.json`` and the journal ``hops.jsonl``. The first three have one
        block of atoms for each element.
    calculator : str
        See `macro_ase.engines.calculators`.
    hops : int, optional
        How many, chosen at random; default: all.
    vacancies : sequence of int
        Numbers of the atoms, from 1, that the hops lead into; default: any.
    workers : int, str or executor
        A number of processes, of one thread each, or another engine of `executors.workers_of`.
    seed : int
        Of the choice.
    relax_radius_A : float, optional
        Only atoms this near to the hop relax. The first hops are then computed both ways, and the
        error is stated.
    images, fmax
        As for `barriers.nudged_band.hop_barrier`.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.

    Returns
    -------
    str
        Mean and range of the barriers, hops left out, the error of local relaxation.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, naming what is wrong.
    """
    folder, atoms = Path(out), read_crystal(structure, species, "hops")
    plan = _plan(atoms, calculator, hops, vacancies, seed, relax_radius_A, images, fmax)
    require_journal(folder, JOURNAL)
    return _carry_out(folder, atoms, plan, workers)


class _Plan(NamedTuple):
    """What is to be computed, and how."""

    neighbours: NDArray[np.int64]  # (n_atoms, 8)
    chosen: list[Pair]  # hops in the order of the tables
    jobs: list[Job]  # hops, and those that are computed both ways first
    settings: dict[str, Any]  # what the journal holds later calls to


def _plan(
    atoms: Atoms,
    calculator: str,
    hops: int | None,
    vacancies: Sequence[int],
    seed: int,
    relax_radius_A: float | None,
    images: int,
    fmax: float,
) -> _Plan:
    """The hops and settings, checked."""
    neighbours, seed = _neighbours(atoms), whole_seed(seed)
    radius_A = None if relax_radius_A is None else require_positive(relax_radius_A, "relax radius")
    numbers = [require_count(v, "vacancies: an atom", 1, len(atoms)) for v in vacancies]
    settings = {
        "structure": digest_of(atoms),
        "calculator": calculator,
        "files": digests(calculator),
        "vacancies": numbers,
        "seed": seed,
        "relax_radius_A": radius_A,
        "images": require_count(images, "images", FEWEST_IMAGES),
        "fmax": require_positive(fmax, "fmax"),
        "macro_ase": __version__,
    }
    chosen = _choose(neighbours, hops, numbers, seed)
    jobs: list[Job] = [(v, t, radius_A) for v, t in chosen]
    if radius_A is not None:
        jobs = [(v, t, None) for v, t in chosen[:RADIUS_CHECKS]] + jobs
    return _Plan(neighbours, chosen, jobs, settings)


def _carry_out(folder: Path, atoms: Atoms, plan: _Plan, workers: Engine) -> str:
    """Compute what is missing, write the tables and describe them."""
    workers, calculator = processes(workers), plan.settings["calculator"]
    with held(folder):
        journal = Journal(folder / JOURNAL, plan.settings, partial(is_record, len(atoms)))
        _run(journal, atoms, plan.jobs, workers)
        if digests(calculator) != plan.settings["files"]:
            raise ValueError(f"{calculator} changed while {folder} was computed: begin another")
        return write_results(folder, atoms, plan.neighbours, plan.chosen, journal)


def _neighbours(atoms: Atoms) -> NDArray[np.int64]:
    """Indices of the first neighbours of every atom, shape (n_atoms, 8)."""
    crystal = Crystal.from_atoms(atoms)
    if len(crystal.vacancies):
        raise ValueError(
            f"the structure must have no vacancy, not {len(crystal.vacancies)}: each hop takes out "
            "an atom of the full crystal"
        )
    if min(crystal.grid.size) < 2:
        raise ValueError(f"the crystal must be 2 cells wide or more, not {crystal.grid.size}")
    atom_at = np.argsort(crystal.site_of_atom)
    return atom_at[crystal.grid.neighbors(HOP_DIRECTIONS)[crystal.site_of_atom]]


def _choose(
    neighbours: NDArray[np.int64], hops: int | None, vacancies: Sequence[int], seed: int
) -> list[Pair]:
    """Hops (vacancy, target) in a random order, the first so many of them."""
    allowed = sorted({v - 1 for v in vacancies}) or range(len(neighbours))
    pairs = [(int(v), int(t)) for v in allowed for t in neighbours[v]]
    if hops is not None:
        hops = require_count(hops, "hops", 1, len(pairs))
    order = np.random.default_rng(stream(seed, "hops")).permutation(len(pairs))
    return [pairs[n] for n in order[:hops]]


def _run(journal: Journal, atoms: Atoms, jobs: Sequence[Job], engine: Engine) -> None:
    """Compute what the journal lacks."""
    missing = [job for job in jobs if job_key(job) not in journal.records]
    if not missing:
        return
    text, fmax = journal.settings["calculator"], journal.settings["fmax"]
    with workers_of(engine) as workers:
        keep, done = _adder(journal), len(jobs) - len(missing)
        if CRYSTAL not in journal.records:
            with Progress("crystal", 1, unit="crystal") as progress:
                run_jobs(relax_crystal, [(CRYSTAL, (text, atoms, fmax))], keep, workers, progress)
        start = atoms.copy()
        start.positions = journal.records[CRYSTAL]["positions_A"]
        options = (text, start, journal.settings["images"], fmax)
        hops = ((job_key(job), (*options, *job)) for job in missing)
        with Progress("barriers", len(jobs), done, workers.number, "hop") as progress:
            run_jobs(compute_hop, hops, keep, workers, progress)


def _adder(journal: Journal) -> Callable[[Done], None]:
    def keep(done: Done) -> None:
        journal.add(done.key, done.result)

    return keep
