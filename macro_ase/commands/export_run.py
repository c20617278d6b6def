"""What a run keeps, for other programs: snapshots as structures, arrays and tables as files.

extxyz, traj   every snapshot of an alloy's small runs, a file for each run
npz            every chunk of the store, a file for each
csv            the same as tables, the report's tables and its metrics
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io import write
from numpy.typing import NDArray

from ..arrays import Chunk
from ..config import load_config
from ..crystal import Crystal
from ..files import replacing
from ..lattice import VACANCY
from ..sampling.meanings import axes_of
from ..sampling.store import Store
from ..site_cells import SiteCells
from ..studies.alloys.design import Design
from ..studies.compositions.design import MODEL as COMPOSITIONS
from ..studies.compositions.design import CompositionDesign
from ..systems import MODELS
from ..systems.alloy_crystals import AlloyCrystals
from ..systems.alloy_start import large_crystal

STRUCTURES = ("extxyz", "traj")
KINDS = (*STRUCTURES, "npz", "csv")
MOST_COLUMNS = 100


@dataclass(frozen=True)
class RunExport:
    """Files of a run for other programs.

    Parameters
    ----------
    folder : Path
        Of the run.
    kind : {"extxyz", "traj", "npz", "csv"}
    out : Path, optional
        Folder to write into; default: ``export`` in that of the run.
    only : str
        Chunks whose key matches this pattern, such as ``"small/2000.0/*"``.
    every : int
        One of so many snapshots.

    Raises
    ------
    ValueError
        If the folder holds no run, or nothing that such files could hold.
    """

    folder: Path
    kind: str
    out: Path | None = None
    only: str = "*"
    every: int = 1

    def run(self) -> str:
        """Write the files; says where they are."""
        store = self.folder / "data.zarr"
        if not (self.folder / "config.toml").is_file() or not store.is_dir():
            raise ValueError(f"{self.folder} holds no run: it has no config.toml or no data.zarr")
        chunks = Store(store)
        keys = [key for key in chunks.keys() if fnmatchcase(key, self.only)]
        if not keys:
            known = sorted({f"{key.rpartition('/')[0] or key}/*" for key in chunks.keys()})
            raise ValueError(f"no chunk matches {self.only!r}; there are {', '.join(known[:20])}")
        make = self._structures if self.kind in STRUCTURES else self._arrays
        files = list(make(chunks, keys))
        if self.kind == "csv" and self.only == "*":
            files += self._tables()
        return f"{self._place}: {len(files)} files"

    @property
    def _place(self) -> Path:
        return self.out or self.folder / "export"

    def _file(self, key: str, suffix: str) -> Path:
        file = self._place / f"{key}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _structures(self, chunks: Store, keys: Sequence[str]) -> Iterator[Path]:
        """A file of the snapshots of each small run."""
        runs = small_runs(self.folder)
        chosen = [key for key in keys if key in runs]
        if not chosen:
            raise ValueError(f"{self.only!r} names no small run of an alloy: try 'small/*'")
        for key in chosen:
            frames = snapshots(chunks.read(key), *runs[key])[:: self.every]
            file = self._file(key, self.kind)
            with replacing(file) as beside:
                write(beside, frames, format=self.kind)
            yield file

    def _arrays(self, chunks: Store, keys: Sequence[str]) -> Iterator[Path]:
        for key in keys:
            arrays = chunks.read(key)
            if self.kind == "npz":
                file = self._file(key, "npz")
                with replacing(file) as beside, beside.open("wb") as stream:
                    np.savez(stream, **arrays)  # type: ignore[arg-type]
                yield file
                continue
            for rows, table in tables_of(arrays).items():
                yield _write_csv(self._file(f"{key}.{rows}", "csv"), *table)

    def _tables(self) -> Iterator[Path]:
        """The report's tables and metrics, where the run is finished."""
        results, metrics = self.folder / "results.json", self.folder / "metrics.json"
        if not (results.is_file() and metrics.is_file()):
            return
        told = json.loads(results.read_text(encoding="utf-8"))
        parts = [told.get("baselines"), (told.get("cost") or {}).get("table")]
        parts += [table for part in told.get("sections") or [] for table in part["tables"]]
        for number, table in enumerate(filter(None, parts), 1):
            words = re.sub(r"\W+", "-", table["caption"]).strip("-").lower()[:60]
            yield _write_csv(
                self._file(f"report/{number:02d}-{words}", "csv"), table["columns"], table["rows"]
            )
        numbers = json.loads(metrics.read_text(encoding="utf-8"))["metrics"]
        columns = ["metric", "value", "error", "truth", "floor", "unit"]
        rows = [[name, *(m.get(c) for c in columns[1:])] for name, m in numbers.items()]
        yield _write_csv(self._file("report/metrics", "csv"), columns, rows)


def small_runs(folder: Path) -> dict[str, tuple[Atoms, NDArray[np.int64], float]]:
    """The sites, atomic numbers by species code, and the temperature in K of every small run.

    Raises
    ------
    ValueError
        If it is a run of something else.
    """
    config = load_config(folder / "config.toml")
    model = config["system"]["model"]
    if model not in (*MODELS, COMPOSITIONS):
        raise ValueError(f"{folder} is a run of {model!r} and keeps no atoms: --to npz or csv")
    made = CompositionDesign.of(config).training if model == COMPOSITIONS else (Design.of(config),)
    found: dict[str, tuple[Atoms, NDArray[np.int64], float]] = {}
    for design in made:
        numbers = np.array([atomic_numbers[name] for name in (*design.system.species, VACANCY)])
        sites = _small_sites(design.system, config)
        for temperature in design.temperatures:
            own = (sites, numbers, temperature)
            found |= dict.fromkeys(design.keys("small", temperature), own)
    return found


def _small_sites(system: AlloyCrystals, config: dict[str, Any]) -> Atoms:
    """The small crystal of an alloy with its first state, in the order of its sites."""
    if isinstance(system.small, SiteCells):
        return system.small.atoms()
    settings = config["system"]
    constant = settings["lattice_constant_A"]
    if settings.get("structure"):
        constant = large_crystal(settings, system.species, config["seed"])[0].lattice_constant_A
    first = system.small_states[0]
    return Crystal.from_sites(system.small, system.species, first, constant).to_atoms()


def snapshots(
    run: Chunk, sites: Atoms, numbers: NDArray[np.int64], temperature_K: float
) -> list[Atoms]:
    """Atoms on ideal sites at the times that were kept, vacancies as X."""
    frames = []
    for state, row in zip(run["states"], run["kept"]):
        atoms = sites.copy()
        atoms.numbers = numbers[state]
        atoms.info |= {"time": float(run["times"][row]), "temperature_K": temperature_K}
        frames.append(atoms)
    return frames


def tables_of(arrays: Chunk) -> dict[str, tuple[list[str], list[list[Any]]]]:
    """Columns and rows by the name of what a row is, from the arrays of a chunk.

    All but the last axis of an array count rows, its last one columns where it has several axes;
    arrays of more than 100 columns, such as states, are left out.
    """
    axes, found = axes_of(arrays), dict[tuple[str, ...], dict[str, NDArray[Any]]]()
    for name, array in arrays.items():
        if array.ndim == 0 or (array.ndim > 1 and array.shape[-1] > MOST_COLUMNS):
            continue
        rows = axes[name][:-1] or axes[name]
        columns = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array[:, None]
        names = [f"{name} {k}" for k in range(columns.shape[1])] if array.ndim > 1 else [name]
        index = np.indices(array.shape[: len(rows)]).reshape(len(rows), -1)
        own = dict(zip(rows, index)) | dict(zip(names, columns.T))
        found[rows] = found.get(rows, {}) | own
    return {
        "-".join(rows).replace(" ", "_"): (list(own), np.array([*own.values()], object).T.tolist())
        for rows, own in found.items()
    }


def _write_csv(file: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with replacing(file) as beside, beside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
    return file
