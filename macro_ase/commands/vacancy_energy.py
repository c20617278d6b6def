"""Formation energies of the vacancies of a crystal: what ``macro-ase vacancy-energy`` does.

The crystal is relaxed once, at its cell, where that is asked for; then every site is an item of its
own, empty and with each species on it (`engines.vacancies.formation`). As in
``compute-barriers``, the result is the same for any number of workers and after any interruption.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from .. import __version__
from ..barriers.nudged_band import FMAX_EV_A
from ..counts import require_count
from ..engines.calculators import calculator_from_text
from ..executors import Engine, Workers, workers_of
from ..jobs import Done, run_jobs
from ..lattice import VACANCY
from ..progress import Progress
from ..reals import require_finite, require_positive
from ..rng import stream, whole_seed
from .crystal_work import digest_of, digests, held, processes, read_crystal, require_journal
from .journal import Journal
from .output_file import require_writable
from .vacancy_results import CRYSTAL, Results, is_record, site_key
from .vacancy_worker import compute_crystal, compute_site

JOURNAL = "sites.jsonl"
TEMPERATURES_K = (1000.0, 1500.0, 2000.0, 2500.0)


def vacancy_energy_command(structure: str | Path, calculator: str, *args: Any, **kw: Any) -> str:
    """Compute formation energies of vacancies over many sites, and describe them.

    Called again after an interruption with the same ``out``, it goes on where it was. ``sites``,
    ``workers``, the entropy and temperatures may then differ: fewer sites are the first of more.

    Parameters
    ----------
    structure, calculator, *args, **kw
        Those of `VacancyWork`.

    Returns
    -------
    str
        Chemical potentials; mean, error and spread of E_f by species taken out; effective E_f and
        c_v by temperature.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, naming what is wrong.
    """
    return VacancyWork(structure, calculator, *args, **kw).run()


@dataclass(frozen=True)
class VacancyWork:
    """What is to be computed, and how.

    Parameters
    ----------
    structure : str or Path
        A crystal without vacancies, of any lattice, in any file that `read_structure` reads. Its
        cell is kept.
    calculator : str
        See `macro_ase.engines.calculators`.
    sites : int, optional
        How many atoms are taken out, one at a time, chosen at random; default: all.
    out : str or Path, optional
        A `VacancyFraction` to write, ``.json``; a folder beside it of the same name, ending in
        ``.sites``, keeps every finished site.
    workers : int, str or executor
        A number of processes, of one thread each, or another engine of `executors.workers_of`.
    relax : bool
        Relax atoms, at a fixed cell, around each vacancy and each atom that is put in.
    fmax : float
        Largest force at the end, eV/A.
    seed : int
        Of the choice.
    entropy_kB : float
        Formation entropy S_f in units of k, which energies do not tell.
    temperatures_K : sequence of float
        Of the table.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.
    """

    structure: str | Path
    calculator: str
    sites: int | None = None
    out: str | Path | None = None
    workers: Engine = 1
    relax: bool = False
    fmax: float = FMAX_EV_A
    seed: int = 0
    entropy_kB: float = 0.0
    temperatures_K: Sequence[float] = TEMPERATURES_K
    species: Sequence[str] | None = None

    def run(self) -> str:
        """Compute what is missing, write the file and describe it."""
        atoms = read_crystal(self.structure, self.species, "vacancies")
        names = _species(atoms, self.structure)
        given, least = self.sites, 1 if len(names) == 1 else 2
        number = require_count(len(atoms) if given is None else given, "sites", least, len(atoms))
        kelvin = [require_positive(t, "temperature", "K") for t in self.temperatures_K]
        entropy, out = require_finite(self.entropy_kB, "entropy"), self.out
        settings = self._settings(atoms)
        calculator_from_text(self.calculator, names)
        rng = np.random.default_rng(stream(settings["seed"], "vacancies"))
        chosen, engine = rng.permutation(len(atoms))[:number].tolist(), processes(self.workers)
        place = None if out is None else Path(out)
        records = _computed(atoms, names, chosen, settings, place, engine)
        results = Results(atoms, names, chosen, records, entropy)
        lines = list(results.lines(kelvin))
        if out is not None:
            replace(results.fraction, info=results.provenance(settings)).write(out)
            lines.append(f"written: {out}")
        return "\n".join(lines)

    def _settings(self, atoms: Atoms) -> dict[str, Any]:
        """What the journal holds later calls to."""
        fmax = require_positive(self.fmax, "fmax", "eV/A")
        return {
            "structure": digest_of(atoms),
            "calculator": self.calculator,
            "files": digests(self.calculator),
            "relaxed_to_eV_A": fmax if self.relax else None,
            "seed": whole_seed(self.seed),
            "macro_ase": __version__,
        }


def _species(atoms: Atoms, structure: str | Path) -> tuple[str, ...]:
    """Symbols in the crystal, sorted."""
    names = tuple(sorted(set(atoms.get_chemical_symbols())))
    if VACANCY in names:
        raise ValueError(f"{structure} must have no vacancy: atoms are taken out of the full one")
    if len(atoms) < 2:
        raise ValueError(f"{structure} must have more than one atom: a vacancy needs surroundings")
    return names


def _computed(
    atoms: Atoms,
    names: tuple[str, ...],
    sites: Sequence[int],
    settings: dict[str, Any],
    out: Path | None,
    engine: Engine,
) -> dict[str, Any]:
    """What became of the crystal and of the sites, by key."""
    with _folder(out) as folder:
        journal = Journal(folder / JOURNAL, settings, partial(is_record, names))
        _run(journal, atoms, names, sites, engine)
        if digests(settings["calculator"]) != settings["files"]:
            changed = f"{settings['calculator']} changed while {folder} was computed"
            raise ValueError(f"{changed}: begin another")
        return journal.records


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """A folder for the journal, for this process alone; one that lasts only beside a result."""
    if out is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
        return
    require_writable(out, ".json", "a vacancy fraction")
    folder = out.with_suffix(".sites")
    require_journal(folder, JOURNAL)
    with held(folder):
        yield folder


def _run(
    journal: Journal, atoms: Atoms, names: tuple[str, ...], sites: Sequence[int], engine: Engine
) -> None:
    """Compute what the journal lacks."""
    missing = [site for site in sites if site_key(site) not in journal.records]
    if not missing and CRYSTAL in journal.records:
        return
    text, fmax = journal.settings["calculator"], journal.settings["relaxed_to_eV_A"]
    with workers_of(engine) as workers:
        keep, done = _adder(journal), len(sites) - len(missing)
        if CRYSTAL not in journal.records:
            _begin(compute_crystal, (text, atoms, fmax), keep, workers)
        start = atoms.copy()
        start.positions = journal.records[CRYSTAL]["positions_A"]
        jobs = (
            (site_key(s), (text, start, s, tuple(n for n in names if n != start.symbols[s]), fmax))
            for s in missing
        )
        with Progress("vacancies", len(sites), done, workers.number, "site") as progress:
            run_jobs(compute_site, jobs, keep, workers, progress)


def _begin(
    function: Callable[..., Any],
    job: tuple[Any, ...],
    keep: Callable[[Done], None],
    workers: Workers,
) -> None:
    with Progress("crystal", 1, unit="crystal") as progress:
        run_jobs(function, [(CRYSTAL, job)], keep, workers, progress)


def _adder(journal: Journal) -> Callable[[Done], None]:
    def keep(done: Done) -> None:
        journal.add(done.key, done.result)

    return keep
