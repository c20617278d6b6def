"""Heat treatments of a run's alloy: the model's, never trained on one, beside direct runs.

    python benchmarks/heat_treatment.py RUN [--runs 8] [--workers 2] [--cells N]
        [--only SCHEDULE] [--plot FILE] [--quick]

RUN is a run of `nbmota` that has learned a model; ramps end at its coldest temperature. Of each
schedule: root mean square over components and records of delta, predicted mean less mean of direct
runs, with the direct runs' own error; the worst component and time, in delta and in errors; shares
of records of single direct runs inside the bands; the temperature at which the Mo-Ta order of the
end would be that of equilibrium, by the direct runs of RUN, with the error of both ends; seconds.
Direct runs change their temperature in steps of at most 10 K.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from macro_ase.arrays import Array
from macro_ase.commands.alloy_alpha import draw_alpha
from macro_ase.commands.alloy_run import AlloyRun, Beginning
from macro_ase.learning.models.heat_treatment import HeatTreatment
from macro_ase.report.figures import colour, panels
from macro_ase.rng import stream
from macro_ase.sampling.store import Store
from macro_ase.schedule import Schedule

TREATMENTS = {
    "ramp, 2e10 K/s": "3000 K, hold 20 ns, 2e10 K/s to {coldest:g} K",
    "ramp, 2e9 K/s": "3000 K, hold 20 ns, 2e9 K/s to {coldest:g} K",
    "ramp, 4e8 K/s": "3000 K, hold 20 ns, 4e8 K/s to {coldest:g} K",
    "quench and hold": "3000 K, hold 20 ns, quench to 1800 K, hold 1 us",
    "cycle": "3000 K, hold 20 ns, 1e10 K/s to 1700 K, hold 0.2 us, 1e10 K/s to 2600 K, "
    "hold 20 ns, 1e10 K/s to 1700 K, hold 0.2 us",
}
STEP_K, PARTS, PATHS = 10.0, 40, 60
SHOWN = "ramp, 2e9 K/s"


def record_times(schedule: Schedule) -> Array:
    """Even ones, and those that a change of temperature asks for."""
    fine = np.linspace(0, schedule.duration, 4001)
    kelvin = np.array([float(schedule.temperature_at(t)) for t in fine])
    travelled = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(kelvin)))])
    marks = np.searchsorted(travelled, np.arange(STEP_K, travelled[-1], STEP_K))
    even = np.linspace(0, schedule.duration, PARTS + 1)
    return np.unique(np.concatenate([even, fine[np.minimum(marks, 4000)], schedule.times]))


def direct_run(run: AlloyRun, begin: Beginning, schedule: Schedule, times: Array, r: int) -> Array:
    """z of one direct run, shape (n_t, d); each part at the temperature of its middle."""
    system, state, z = run.design.system, begin.state, [begin.of_small(begin.z0)]
    for k, (first, last) in enumerate(pairwise(times)):
        kelvin = float(schedule.temperature_at((first + last) / 2))
        span, seed = np.array([0.0, last - first]), stream(r, "heat treatment", k)
        part, _, (state,) = system.path(begin.grid, state, span, kelvin, seed, (1,))
        z.append(part[-1])
    return np.array(z)


def equilibrium(run: AlloyRun, component: int) -> tuple[Array, Array]:
    """1000 K / T, ascending, and z of a component by the direct runs that the study has."""
    d, store = run.design, Store(run.folder / "data.zarr")
    found = {}
    for t in d.temperatures[::-1]:
        keys = d.keys("direct", t)
        if keys and all(map(store.has, keys)):
            runs = [store.read(key)["z"][:, component] for key in keys]
            found[t] = np.mean([z[len(z) // 2 :].mean() for z in runs])
    return 1000 / np.array(list(found)), np.array(list(found.values()))


COLUMNS = (
    "rms",
    "floor",
    "worst",
    "errors",
    "in 68 %",
    "in 95 %",
    "T_f",
    "direct",
    "error",
    "s",
    "direct s",
)


@dataclass(frozen=True)
class Treated:
    """A schedule's treatment by the model and by direct runs, z (runs, n_t, d), and both times."""

    made: HeatTreatment
    direct: Array
    own_s: float
    direct_s: float

    def row(self, scale: Array, timed: int, rest: tuple[Array, Array]) -> list[float]:
        """The numbers of `COLUMNS`."""
        made, z, n = self.made, self.direct, len(scale)
        miss = (made.mean - z.mean(axis=0))[1:, :n] / scale
        error = z[:, 1:, :n].std(axis=0, ddof=1) / scale / np.sqrt(len(z))
        own = made.members[:, 1:, :n].std(axis=0, ddof=1) / scale
        worst = np.unravel_index(np.abs(miss).argmax(), miss.shape)
        inside = [
            float(np.mean((z[:, 1:, :n] > low[1:, :n]) & (z[:, 1:, :n] < high[1:, :n])))
            for low, high in (made.band_68, made.band_95)
        ]
        ends = made.mean[-1, timed], z[:, -1, timed].mean()
        inverse, order = rest
        frozen = [1000 / float(np.interp(end, order, inverse)) for end in ends]
        width = np.hypot(error[-1, timed], own[-1, timed]) * scale[timed]
        slope = float(np.interp(ends[1], order, np.gradient(inverse, order)))
        frozen.append(width * slope * frozen[1] ** 2 / 1000)
        in_errors = (np.abs(miss) / np.hypot(error, own))[worst]
        sizes = [np.sqrt(np.mean(x**2)) for x in (miss, error)]
        return [*sizes, np.abs(miss[worst]), in_errors, *inside, *frozen, self.own_s, self.direct_s]


def treated(run: AlloyRun, begin: Beginning, text: str, runs: int, workers: int) -> Treated:
    """Both, at the same times."""
    schedule = Schedule.parse(text)
    times, start = record_times(schedule), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(direct_run, run, begin, schedule, times, r) for r in range(runs)]
        z = np.array([job.result() for job in jobs])
    between = time.process_time()
    sizes = begin.n_sites, begin.n_patches
    made = run.model.anneal(schedule, begin.z0, *sizes, paths=PATHS, records=times[1:])
    made = made.of(begin.of_small, made.names)
    return Treated(made, z, time.process_time() - between, between - start)


def draw(path: Path, run: AlloyRun, begin: Beginning, found: Treated) -> None:
    """Predicted alpha with bands, direct runs dotted, and the temperature."""
    order = begin.order
    v = run.vacancy_neighbours(found.made.temperatures, order)
    alpha = found.made.of(lambda z: order.alpha(order.delta(z, v)), order.all_names)
    ns = 1e9 * alpha.times
    with panels(path, 1, width=6.8, height=4.2) as (ax,):
        draw_alpha(ax, ns, alpha, order.all_names)
        for z in found.direct:
            for k, own in enumerate(order.alpha(order.delta(z, v)).T):
                ax.plot(ns, own, ":", color=colour(k), lw=0.7)
        ax.set_xlabel("time (ns)")
        ax.legend(frameon=False, fontsize=8, ncols=2)
        right = ax.twinx()
        right.plot(ns, alpha.temperatures, "--", color="0.5", lw=1)
        right.set_ylabel("temperature (K), dashed")


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--runs", type=int, default=8, help="direct runs of each schedule")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cells", type=int, help="of a random crystal along each axis")
    parser.add_argument("--only", choices=TREATMENTS, help="one schedule")
    parser.add_argument("--plot", type=Path, help=f"figure of the {SHOWN}")
    parser.add_argument("--quick", action="store_true", help="two direct runs, the fast ramp")
    args = parser.parse_args()
    run, runs = AlloyRun(args.run), 2 if args.quick else args.runs
    begin = run.beginning(size=(args.cells,) * 3) if args.cells else run.beginning()
    order = begin.order
    scale = np.array([order.fractions[a] for a, _ in order.pairs])
    timed = order.pair_names.index("Mo-Ta")
    rest = equilibrium(run, timed)
    print(f"{'':18}" + "".join(f"{name:>9}" for name in COLUMNS))
    names = [args.only] if args.only else list(TREATMENTS)[: 1 if args.quick else None]
    for name in names:
        text = TREATMENTS[name].format(coldest=min(run.design.temperatures))
        found = treated(run, begin, text, runs, args.workers)
        row = found.row(scale, timed, rest)
        print(f"{name:18}" + "".join(f"{x:9.4g}" for x in row), flush=True)
        if args.plot and name == SHOWN:
            draw(args.plot, run, begin, found)


if __name__ == "__main__":
    main()
