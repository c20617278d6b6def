"""Heat treatment of an alloy by the model of a run: what ``macro-ase anneal`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..files import write_atomically
from ..report.figures import panels
from ..schedule import Schedule
from ..structure_files import split_index
from . import times_to_rest
from .alloy_alpha import as_alpha, draw_alpha
from .alloy_run import AlloyRun
from .alloy_times import AlloyTimes
from .file_roles import require_apart

if TYPE_CHECKING:
    from ..learning.models.heat_treatment import HeatTreatment
    from ..learning.models.times_to import TimesTo

ROWS, WIDE_RANGE, SUBDIVIDED = 12, 1e3, 65


@dataclass(frozen=True)
class RunAnnealing:
    """A heat treatment, or times to equilibrium, of the alloy of a run.

    Parameters
    ----------
    folder : Path
    schedule : str, optional
        In words as for `Schedule.parse`, or the name of a table as for `Schedule.read`.
    times_to : sequence of float
        Temperatures in K at which to say how long the order needs.
    structure : Path, optional
        Crystal to begin with, of any size; default the run's own.
    species : sequence of str, optional
        Elements of the atom types of a LAMMPS file that does not name them.
    vacancy_fraction : str, optional
        File or number as for `VacancyFraction.of`: times are then those of the laboratory.
    paths, seed : int
    csv, plot : Path, optional
        Files to write: of the schedule, or, without one, of the times.

    Raises
    ------
    ValueError, FileNotFoundError
        In one line, before any work.
    """

    folder: Path
    schedule: str | None = None
    times_to: Sequence[float] = ()
    structure: Path | None = None
    species: Sequence[str] | None = None
    vacancy_fraction: str | None = None
    paths: int = 50
    seed: int = 0
    csv: Path | None = None
    plot: Path | None = None

    def __post_init__(self) -> None:
        if self.schedule is None and not len(self.times_to):
            raise ValueError("nothing to do: give --schedule, --times-to or both")
        given = None if self.structure is None else split_index(self.structure)[0]
        read = {"structure": given, "schedule": self.schedule, "vacancy-fraction": None}
        if self.vacancy_fraction and Path(self.vacancy_fraction).is_file():
            read["vacancy-fraction"] = self.vacancy_fraction
        require_apart(read, {"csv": self.csv, "plot": self.plot}, frozenset())

    def run(self) -> str:
        """Treat, write the files, and say what came of it."""
        schedule = None if self.schedule is None else read_schedule(self.schedule)
        run = AlloyRun(self.folder)
        begin = run.beginning(self.structure, self.species)
        kelvin = [*self.times_to, *(() if schedule is None else schedule.temperatures.tolist())]
        own = AlloyTimes.of(run, begin, self.vacancy_fraction, kelvin)
        common: dict[str, Any] = {"n_sites": begin.n_sites, "n_patches": begin.n_patches}
        common |= {"condition": begin.condition}
        treat = common | {"time_scale": own.scale, "seed": self.seed}
        lines = [f"begins from {begin.what}", own.remark]
        if schedule is not None:
            treated = run.model.anneal(schedule, begin.z0, paths=self.paths, **treat)
            alpha = as_alpha(run, begin, treated)
            lines += [*_table(alpha, own.scale), *self._frozen(run, treated, common)]
            self._write(alpha, own.scale)
        if len(self.times_to):
            found = times_to_rest.times_to_rest(run, begin, self.times_to, treat)
            lines += times_to_rest.table(found)
            self._write_times(found, schedule is None)
        return "\n".join(lines)

    def _frozen(self, run: AlloyRun, treated: HeatTreatment, common: dict[str, Any]) -> list[str]:
        """At what temperature the order froze, where the schedule cools."""
        kelvin = treated.temperatures
        if kelvin[-1] >= kelvin.max() or len(run.design.temperatures) < 2:
            return []
        value, error = run.model.fictive_temperature(treated, **common)
        low, high = run.design.temperatures[0], run.design.temperatures[-1]
        if value <= low or value >= high:
            side, end = ("below", "lowest") if value <= low else ("above", "highest")
            return [
                f"the last order is that of {value:.0f} K or {side}, the {end} that was learned"
            ]
        spread = f" ± {error:.0f}" if np.isfinite(error) else ""
        return [f"the last order is that of equilibrium at {value:.0f}{spread} K"]

    def _write(self, alpha: HeatTreatment, scale: Callable[[float], float]) -> None:
        if self.csv is not None:
            columns, values = alpha.table()
            simulated = simulated_s(alpha.times, alpha.temperatures, scale)
            rows = np.column_stack([values, simulated]).tolist()
            lines = [",".join([*columns, "simulated_s"])]
            lines += [",".join(f"{x:.12g}" for x in row) for row in rows]
            write_atomically(self.csv, "\n".join(lines) + "\n")
        if self.plot is not None:
            draw(self.plot, alpha)

    def _write_times(self, found: Sequence[TimesTo], alone: bool) -> None:
        if alone and self.csv is not None:
            times_to_rest.write_csv(self.csv, found)
        if alone and self.plot is not None:
            times_to_rest.draw(self.plot, found)


def read_schedule(text: str) -> Schedule:
    """From a table, if there is a file of that name, else from words."""
    return Schedule.read(text) if Path(text).is_file() else Schedule.parse(text)


def simulated_s(times: Array, temperatures: Array, scale: Callable[[float], float]) -> Array:
    """Simulated time at laboratory times between which the temperature goes evenly."""
    share = np.linspace(0, 1, SUBDIVIDED)
    total = [0.0]
    for span, first, last in zip(np.diff(times), temperatures, temperatures[1:]):
        own = np.array([1 / scale(t) for t in first + share * (last - first)])
        total.append(total[-1] + span * float(np.mean((own[1:] + own[:-1]) / 2)))
    return np.array(total)


def draw(path: Path, alpha: HeatTreatment) -> None:
    """alpha against time and against temperature, with bands of 68 and 95 %."""
    moving = alpha.times[alpha.times > 0]
    wide = len(moving) and moving[-1] > WIDE_RANGE * moving[0]
    with panels(path, 2, width=5.6) as axes:
        for ax, x, label in zip(
            axes, (alpha.times, alpha.temperatures), ("time (s)", "temperature (K)")
        ):
            draw_alpha(ax, x, alpha, alpha.names if ax is axes[0] else ())
            ax.set_xlabel(label)
        if wide:
            axes[0].set_xscale("log")
            axes[0].set_xlim(moving[0], moving[-1])


def _table(alpha: HeatTreatment, scale: Callable[[float], float]) -> list[str]:
    """Some rows of both times, temperature, and alpha with half the width of its 68 % band."""
    simulated = simulated_s(alpha.times, alpha.temperatures, scale)
    rows = np.unique(np.linspace(0, len(alpha.times) - 1, ROWS).round().astype(int))
    half = np.diff(alpha.band_68, axis=0)[0] / 2
    names = [name.removeprefix("alpha ") for name in alpha.names]
    lines = ["Warren-Cowley alpha ± half of the 68 % band", ""]
    lines.append(
        f"{'time (s)':>10s} {'simulated':>10s} {'T (K)':>7s} "
        + " ".join(f"{n:>15s}" for n in names)
    )
    for k in rows:
        values = " ".join(f"{a:+8.4f} ± {e:.3f} " for a, e in zip(alpha.mean[k], half[k]))
        times = f"{alpha.times[k]:10.3e} {simulated[k]:10.3e}"
        lines.append(f"{times} {alpha.temperatures[k]:7.1f} {values}".rstrip())
    return [*lines, ""]
