"""What a sweep over sizes and temperatures found, as a table that can be saved and cut."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..files import replacing
from ..statistics import autocorrelation_time_error, integrated_autocorrelation_time
from .response import QUANTITIES, CanonicalRun, quantities
from .reweighting import boltzmann_weights, warn_of_small_overlap

FEWEST_RESOLVED = 20
"""Independent samples below which a measured autocorrelation time is not to be trusted."""


@dataclass(frozen=True)
class SweepTable:
    """One row a (size, temperature) point, by size and then temperature.

    Attributes
    ----------
    size : int array, shape (n,)
        Edge L, in sites.
    temperature : array, shape (n,)
        In units of J / k_B.
    n_samples : int array, shape (n,)
    tau : array, shape (n,)
        Integrated autocorrelation time of |m|, in samples; 1/2 if they are independent.
    values, errors : arrays, shape (n, 8)
        The columns of `response.QUANTITIES`. Errors are infinite where the autocorrelation of |m|
        or of the energy was not resolved: see `resolved`.
    energy, magnetization : arrays, shape (n, n_t)
        Per site, for reweighting; n_t = 0 if they were not kept.
    dimension : int
    """

    size: NDArray[np.int64]
    temperature: Array
    n_samples: NDArray[np.int64]
    tau: Array
    values: Array
    errors: Array
    energy: Array
    magnetization: Array
    dimension: int = 2

    @classmethod
    def from_runs(cls, runs: Sequence[CanonicalRun], keep_series: bool = True) -> SweepTable:
        """A table of finished runs.

        Raises
        ------
        ValueError
            If there is none, or they differ in length or dimension.
        """
        kinds = {(len(run.energy), run.dimension) for run in runs}
        if len(kinds) != 1:
            raise ValueError(f"runs must share (samples, dimension), not have {sorted(kinds)}")
        ordered = sorted(runs, key=lambda run: (run.size, run.temperature))
        values, errors = zip(*[quantities(run) for run in ordered])
        kept = slice(None) if keep_series else slice(0)
        tau = [integrated_autocorrelation_time(np.abs(run.magnetization)) for run in ordered]
        longest = np.maximum(tau, [integrated_autocorrelation_time(run.energy) for run in ordered])
        lengths = np.array([len(run.energy) for run in ordered])
        unknown = lengths < 2 * longest * FEWEST_RESOLVED
        return cls(
            np.array([run.size for run in ordered]),
            np.array([run.temperature for run in ordered]),
            lengths,
            np.array(tau),
            np.array(values),
            np.where(unknown[:, None], np.inf, errors),
            np.array([run.energy[kept] for run in ordered]),
            np.array([run.magnetization[kept] for run in ordered]),
            ordered[0].dimension,
        )

    def __len__(self) -> int:
        return len(self.size)

    @property
    def sizes(self) -> list[int]:
        """The sizes, ascending."""
        sizes: list[int] = np.unique(self.size).tolist()
        return sizes

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Where errors are known, shape (n,): from 20 independent samples or more."""
        return np.asarray(np.isfinite(self.errors).all(axis=1))

    @property
    def tau_error(self) -> Array:
        """Error of ``tau``, shape (n,)."""
        return autocorrelation_time_error(self.tau, self.n_samples)

    def column(self, name: str) -> tuple[Array, Array]:
        """Values and errors, shape (n,), of one of `response.QUANTITIES`.

        Raises
        ------
        ValueError
            If there is no such quantity.
        """
        if name not in QUANTITIES:
            raise ValueError(f"no column {name!r}; there are {', '.join(QUANTITIES)}")
        k = QUANTITIES.index(name)
        return self.values[:, k], self.errors[:, k]

    def rows(self, chosen: NDArray[np.bool_]) -> SweepTable:
        """The table of the rows where ``chosen``, shape (n,), is true."""
        names = [field.name for field in fields(self) if field.name != "dimension"]
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def of_size(self, size: int) -> SweepTable:
        """The rows of one size.

        Raises
        ------
        ValueError
            If there are none.
        """
        if size not in self.size:
            raise ValueError(f"no size {size}; there are {', '.join(map(str, self.sizes))}")
        return self.rows(self.size == size)

    def between(self, low: float, high: float) -> SweepTable:
        """The rows with temperatures from ``low`` to ``high``."""
        return self.rows((self.temperature >= low) & (self.temperature <= high))

    def run(self, row: int) -> CanonicalRun:
        """The samples of one row.

        Raises
        ------
        ValueError
            If they were not kept.
        """
        if self.energy.shape[1] == 0:
            raise ValueError("the samples were not kept: sweep with keep_series=True, save as .npz")
        size, temperature = int(self.size[row]), float(self.temperature[row])
        return CanonicalRun(
            size, temperature, self.energy[row], self.magnetization[row], self.dimension
        )

    def at(self, temperature: float) -> SweepTable:
        """One row a size at a temperature: the simulated one, or the nearest one reweighted.

        Raises
        ------
        ValueError
            If it was not simulated and the samples were not kept.
        """
        nearest = [self._nearest_row(size, temperature) for size in self.sizes]
        table = self.rows(np.isin(np.arange(len(self)), nearest))
        moved = ~np.isclose(table.temperature, temperature, rtol=1e-12)
        values, errors = table.values.copy(), table.errors.copy()
        for row in np.flatnonzero(moved).tolist():
            run = table.run(row)
            weights = boltzmann_weights(run, temperature)
            warn_of_small_overlap([weights], temperature, run)
            values[row], errors[row] = quantities(run, weights, temperature)
        errors[~table.resolved] = np.inf
        nothing = np.empty((len(table), 0))
        return replace(
            table,
            temperature=np.full(len(table), float(temperature)),
            values=values,
            errors=errors,
            energy=nothing,
            magnetization=nothing,
        )

    def _nearest_row(self, size: int, temperature: float) -> int:
        distance = np.where(self.size == size, np.abs(self.temperature - temperature), np.inf)
        return int(np.argmin(distance))

    def save(self, path: str | Path) -> None:
        """Write ``.npz`` (everything) or ``.csv`` (all but the samples).

        Raises
        ------
        ValueError
            If the path ends otherwise.
        """
        if Path(path).suffix == ".npz":
            columns = {f.name: getattr(self, f.name) for f in fields(self)}
            with replacing(path) as beside:
                np.savez_compressed(beside, **columns)
        elif Path(path).suffix == ".csv":
            self._write_csv(Path(path))
        else:
            raise ValueError(f"a table is saved as .npz or .csv, not as {Path(path).name}")

    def _write_csv(self, path: Path) -> None:
        with replacing(path) as beside, beside.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            for i in range(len(self)):
                pairs = np.stack([self.values[i], self.errors[i]], axis=1).ravel()
                whole = [int(x) for x in (self.dimension, self.size[i], self.n_samples[i])]
                writer.writerow([*whole, self.temperature[i], self.tau[i], *pairs])

    @classmethod
    def load(cls, path: str | Path) -> SweepTable:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not a table of this kind.
        """
        try:
            return cls._read_csv(Path(path)) if Path(path).suffix == ".csv" else cls._read(path)
        except (KeyError, IndexError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is not a table of a sweep") from error

    @classmethod
    def _read(cls, path: str | Path) -> SweepTable:
        with np.load(path) as file:
            columns = {field.name: file[field.name] for field in fields(cls)}
        return cls(**columns | {"dimension": int(columns["dimension"])})

    @classmethod
    def _read_csv(cls, path: Path) -> SweepTable:
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        if header != _HEADER:
            raise ValueError(f"its columns are {header}")
        data = np.array(rows, dtype=float)
        whole, nothing = data[:, :3].astype(np.int64), np.empty((len(data), 0))
        pairs = data[:, 5:].reshape(len(data), -1, 2)
        return cls(
            whole[:, 1],
            data[:, 3],
            whole[:, 2],
            data[:, 4],
            pairs[..., 0],
            pairs[..., 1],
            nothing,
            nothing,
            int(whole[0, 0]),
        )


_HEADER = ["dimension", "L", "n_samples", "T", "tau"]
_HEADER += [part for name in QUANTITIES for part in (name, f"{name}_error")]
