"""Order of an alloy in equilibrium at any size, by the model of a run: ``macro-ase predict``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..files import write_atomically
from ..report.figures import colour, dots, panels
from ..structure_files import split_index
from .alloy_alpha import as_alpha, draw_alpha
from .alloy_run import AlloyRun
from .alloy_times import AlloyTimes
from .file_roles import require_apart

if TYPE_CHECKING:
    from ..learning.models.equilibria import Equilibria


@dataclass(frozen=True)
class RunPrediction:
    """Equilibrium and relaxation of the alloy of a run at a size.

    Parameters
    ----------
    folder : Path
    size : sequence of int, optional
        Cells of a random crystal of the run's composition to begin with.
    structure : Path, optional
        Crystal to begin with instead, of any size; without either it is the run's own.
    species : sequence of str, optional
        Elements of the atom types of a LAMMPS file that does not name them.
    temperatures : sequence of float
        In K; default those of the run.
    vacancy_fraction : str, optional
        File or number as for `VacancyFraction.of`: times of the laboratory are given too.
    paths, seed : int
    csv, plot : Path, optional
        Files to write.

    Raises
    ------
    ValueError, FileNotFoundError
        In one line, before any work.
    """

    folder: Path
    size: Sequence[int] | None = None
    structure: Path | None = None
    species: Sequence[str] | None = None
    temperatures: Sequence[float] = ()
    vacancy_fraction: str | None = None
    paths: int = 50
    seed: int = 0
    csv: Path | None = None
    plot: Path | None = None

    def __post_init__(self) -> None:
        given = None if self.structure is None else split_index(self.structure)[0]
        read = {"structure": given, "vacancy-fraction": None}
        if self.vacancy_fraction and Path(self.vacancy_fraction).is_file():
            read["vacancy-fraction"] = Path(self.vacancy_fraction)
        require_apart(read, {"csv": self.csv, "plot": self.plot}, frozenset())

    def run(self) -> str:
        """Predict, write the files, and say what came of it."""
        run = AlloyRun(self.folder)
        begin = run.beginning(self.structure, self.species, self.size)
        kelvin = np.unique(self.temperatures or run.design.temperatures)
        times = AlloyTimes.of(run, begin, self.vacancy_fraction, kelvin)
        laboratory = [
            np.array([own(t) for t in kelvin])[:, None] for own in (times.scale, times.log_error)
        ]
        sizes = begin.n_sites, begin.n_patches
        options: dict[str, Any] = {
            "paths": self.paths,
            "seed": self.seed,
            "condition": begin.condition,
        }
        found = as_alpha(run, begin, run.model.equilibrate(kelvin, begin.z0, *sizes, **options))
        relaxation = found.relaxation
        there = None if self.vacancy_fraction is None else _in_laboratory(relaxation, *laboratory)
        unit = run.design.system.time_unit
        if self.csv is not None:
            _write(self.csv, found, relaxation, there)
        if self.plot is not None:
            _draw(self.plot, found, relaxation if there is None else there, unit)
        lines = [f"begins from {begin.what}", ""]
        lines += _table(
            "Warren-Cowley alpha in equilibrium", found, found.mean, found.error, "+.4f"
        )
        lines += _table("spread of one crystal of this size", found, found.spread, None, ".5f")
        what = f"time to 1 - 1/e of the change from the start ({unit})"
        if there is not None:
            lines += _table(f"simulated {what}", found, *relaxation, ".3e")
            lines += [times.remark, *_table(f"laboratory {what}", found, *there, ".3e")]
        else:
            lines += [times.remark, *_table(what, found, *relaxation, ".3e")]
        if np.isnan(relaxation[0]).any():
            lines.append("-: it changes by less than five spreads")
        return "\n".join(lines).rstrip()


def _in_laboratory(
    relaxation: tuple[Array, Array], scale: Array, log_error: Array
) -> tuple[Array, Array]:
    """Times and errors there; the error holds that of the vacancy fraction."""
    value, error = relaxation
    return value * scale, scale * np.hypot(np.nan_to_num(error), value * log_error)


def _table(
    caption: str, found: Equilibria, values: Array, errors: Array | None, form: str
) -> list[str]:
    """A row a temperature, a column a component."""
    width = len(_cell(-1.0, None if errors is None else 1.0, form))
    names = [name.removeprefix("alpha ") for name in found.names]
    lines = [caption, f"{'T (K)':>7s} " + " ".join(f"{name:>{width}s}" for name in names)]
    for k, temperature in enumerate(found.temperatures):
        row = [
            _cell(value, None if errors is None else errors[k, j], form)
            for j, value in enumerate(values[k])
        ]
        lines.append(f"{temperature:7.1f} " + " ".join(f"{text:>{width}s}" for text in row))
    return [*lines, ""]


def _cell(value: float, error: float | None, form: str) -> str:
    """A value and its error, where it has one."""
    if np.isnan(value):
        return "-"
    if error is None or np.isnan(error):
        return f"{value:{form}}"
    return f"{value:{form}} ± {error:{form.replace('+', '').replace('.3e', '.1e')}}"


def _write(
    path: Path,
    found: Equilibria,
    relaxation: tuple[Array, Array],
    laboratory: tuple[Array, Array] | None,
) -> None:
    """Every component's mean, error, spread, bands and times, a row a temperature."""
    columns, values = ["temperature_K"], [found.temperatures]
    for k, name in enumerate(found.names):
        own = {
            "": found.mean,
            " error": found.error,
            " spread": found.spread,
            " low 68": found.band_68[0],
            " high 68": found.band_68[1],
            " low 95": found.band_95[0],
            " high 95": found.band_95[1],
            " relaxation": relaxation[0],
            " relaxation error": relaxation[1],
        }
        if laboratory is not None:
            own |= {" laboratory_s": laboratory[0], " laboratory_s error": laboratory[1]}
        columns += [name + what for what in own]
        values += [array[:, k] for array in own.values()]
    lines = [",".join(columns)]
    lines += [",".join(f"{x:.9g}" for x in row) for row in np.column_stack(values)]
    write_atomically(path, "\n".join(lines) + "\n")


def _draw(path: Path, found: Equilibria, relaxation: tuple[Array, Array], unit: str) -> None:
    """alpha with the bands of one crystal, and relaxation times, against temperature."""
    with panels(path, 2, width=5.6) as (left, right):
        draw_alpha(left, found.temperatures, found, found.names)
        for k in range(len(found.names)):
            own = (part[:, k] for part in relaxation)
            dots(right, found.temperatures, next(own), colour(k), next(own), fmt="o-")
        right.set(ylabel=f"relaxation time ({unit})", yscale="log")
        for ax in (left, right):
            ax.set_xlabel("temperature (K)")
