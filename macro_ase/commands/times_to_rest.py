"""How long the order of an alloy needs, against temperature: table, CSV and figure of anneal.

The figure is read as those of transformations are: at each temperature, from the crystal that one
begins with, the times at which a tenth, a half and nine tenths of the first deviation from
equilibrium are gone, on a logarithmic axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import write_atomically
from ..report.figures import colour, panels
from .alloy_run import AlloyRun, Beginning

if TYPE_CHECKING:
    from ..learning.models.times_to import TimesTo

LEFT = (0.9, 0.5, 0.1)
"""Parts of the first deviation that are left."""


def times_to_rest(
    run: AlloyRun, begin: Beginning, temperatures: Sequence[float], options: dict[str, Any]
) -> list[TimesTo]:
    """Times to each of `LEFT`, in ascending temperatures; ``options`` as `MacroModel.time_to`."""
    kelvin = np.unique(temperatures)
    return [run.model.time_to(kelvin, begin.z0, within=left, **options) for left in LEFT]


def table(found: Sequence[TimesTo]) -> list[str]:
    """Rows by temperature of the last of them."""
    last = found[-1]
    lines = [f"time until {last.within:g} of the first deviation from equilibrium is left", ""]
    lines.append(
        f"{'T (K)':>7s} {'time (s)':>10s} {'of the mean':>11s} {'68 %':>23s} {'95 %':>23s}"
    )
    for k, (t, time) in enumerate(zip(last.temperatures, last.times)):
        limits = (last.interval_68[:, k], last.interval_95[:, k])
        both = " ".join(f"{low:10.3e} - {high:10.3e}" for low, high in limits)
        lines.append(f"{t:7.1f} {time:10.3e} {last.of_mean[k]:11.3e} {both}")
    return lines


def write_csv(path: Path, found: Sequence[TimesTo]) -> None:
    """A row for each temperature and part that is left; times in s, empty where there is none."""
    columns = "temperature_K,left,time_s,of_mean_s,low_68_s,high_68_s,low_95_s,high_95_s"
    lines = [columns]
    for own in found:
        rows = zip(own.temperatures, own.times, own.of_mean, *own.interval_68, *own.interval_95)
        for kelvin, *times in rows:
            cells = ["" if np.isnan(t) else f"{t:.6g}" for t in times]
            lines.append(",".join([f"{kelvin:g}", f"{own.within:g}", *cells]))
    write_atomically(path, "\n".join(lines) + "\n")


def draw(path: Path, found: Sequence[TimesTo]) -> None:
    """Temperature against the logarithm of time, with bands of 68 and 95 %."""
    with panels(path, 1, width=5.6, height=4.0) as (ax,):
        for k, own in enumerate(found):
            label = f"{100 * (1 - own.within):g} % of the way"
            ax.plot(own.times, own.temperatures, "o-", ms=3, color=colour(k), label=label)
            for band, alpha in ((own.interval_68, 0.25), (own.interval_95, 0.12)):
                ax.fill_betweenx(own.temperatures, *band, color=colour(k), alpha=alpha, lw=0)
        ax.set_xscale("log")
        ax.set_xlabel("time (s)")
        ax.set_ylabel("temperature (K)")
