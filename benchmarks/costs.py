"""What answers cost by direct runs, by small crystals and by a model, its training included.

    python benchmarks/costs.py RUN [--sites 8192 524288]

RUN is a finished run of `nbmota` with direct runs, or of `nbmota-composition`, of which a map is
asked (`map_costs`). Of each question: vacancy hops and CPU seconds
at equal error, the standard error of the model's answer. The mean of N direct runs of n sites has
the error s / sqrt(n N), with s / sqrt(n) the spread of one, which the model knows; at rest
independent values are two relaxation times apart, after the first six. At least two runs are
counted, without which there is no error bar. Small crystals are direct runs of RUN's small size:
they answer the same, but for the offset of their size. Hops are those of the clock of RUN, seconds
those that its direct runs took for each. What the model takes is measured: its training, and the
questions put to it.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from heat_treatment import TREATMENTS
from map_costs import of_map

from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun, Beginning
from macro_ase.config import load_config
from macro_ase.schedule import Schedule
from macro_ase.studies.compositions.design import MODEL as COMPOSITIONS

RATES = np.geomspace(4e8, 4e10, 20)
BURN_IN, LEAST_RUNS, PATHS = 6.0, 2, 8


@dataclass(frozen=True)
class Question:
    """What is asked.

    A direct run of it takes ``hops`` of every vacancy, ``runs`` of one site would have the error of
    the model, which took ``own_s`` seconds.
    """

    name: str
    hops: float
    runs: float
    own_s: float
    values: float = 0.0
    """Of a question about rest, whose ``hops`` are a relaxation time: independent values, n = 1."""

    def direct(self, sites: float, each: float) -> float:
        """Hops of all its runs at a size, one vacancy to so many sites."""
        if self.values:
            lengths = LEAST_RUNS * BURN_IN + max(LEAST_RUNS, 2 * self.values / sites)
        else:
            lengths = max(LEAST_RUNS, self.runs / sites)
        return self.hops * sites / each * lengths


def timed(function: Callable[[], object]) -> tuple[object, float]:
    """Its result, and CPU seconds."""
    begin = time.process_time()
    return function(), time.process_time() - begin


def runs_at_1(std: Array, error: Array, sites: float) -> float:
    """Runs of one site, in the mean over components, whose mean has an error; all arrays (d,)."""
    return float(np.mean(std**2 * sites / error**2))


def of_equilibrium(run: AlloyRun, begin: Beginning, kelvin: Sequence[float], name: str) -> Question:
    """Values at rest: to the hops of one site belong the first six relaxation times of a run."""
    model, n = run.model, len(begin.order.pairs)
    ask = lambda: model.equilibrate(kelvin, begin.z0, begin.n_sites, begin.n_patches)  # noqa: E731
    found, own_s = timed(ask)
    slowest = np.nanmax(found.relaxation[0][:, :n], axis=1)
    hops = slowest / [model.clock.tau_w(t) for t in kelvin]
    values = runs_at_1(found.spread[:, :n], found.error[:, :n], begin.n_sites)
    return Question(name, float(np.sum(hops)), 0.0, own_s, values)


def of_schedules(run: AlloyRun, begin: Beginning, texts: Sequence[str], name: str) -> Question:
    """Mean paths under schedules of temperature."""
    model, n = run.model, len(begin.order.pairs)
    hops, runs, own_s = 0.0, [], 0.0
    for text in texts:
        schedule = Schedule.parse(text)
        ask = lambda s=schedule: model.anneal(  # noqa: E731
            s, begin.z0, begin.n_sites, begin.n_patches, paths=PATHS
        )
        made, seconds = timed(ask)
        members, paths = made.members[:, 1:, :n], made.paths[:, :, 1:, :n]
        std = (paths - paths.mean(axis=1, keepdims=True)).std(axis=(0, 1))
        error = members.std(axis=0, ddof=1)
        sizes = (np.sqrt(np.mean(x**2, axis=0)) for x in (std, error))
        runs.append(runs_at_1(*sizes, begin.n_sites))
        times = np.linspace(0, schedule.duration, 2001)
        tau = [model.clock.tau_w(float(schedule.temperature_at(t))) for t in times]
        hops += float(np.trapezoid(1 / np.array(tau), times))
        own_s += seconds
    return Question(name, hops, float(np.mean(runs)), own_s)


def of_times(run: AlloyRun, begin: Beginning) -> Question:
    """Times from the first order to a tenth of it, at the temperatures of RUN."""
    model, kelvin = run.model, run.design.temperatures
    ask = lambda: model.time_to(kelvin, begin.z0, n_sites=begin.n_sites, n_patches=begin.n_patches)  # noqa: E731
    found, own_s = timed(ask)
    tau = np.array([model.clock.tau_w(t) for t in found.temperatures])
    whole = [f"{t:g} K, hold {s:.6g} s" for t, s in zip(found.temperatures, found.of_mean)]
    runs = of_schedules(run, begin, whole, "").runs
    hops = float(np.nansum(found.of_mean / tau))
    return Question("time to equilibrium at every temperature of RUN", hops, runs, own_s)


def ramps(coldest: float) -> tuple[str, list[str]]:
    """One ramp to the coldest temperature of a run, and twenty at other rates."""
    one = TREATMENTS["ramp, 2e9 K/s"].format(coldest=coldest)
    return one, [one.replace("2e9", f"{rate:.3g}") for rate in RATES]


def questions(run: AlloyRun, begin: Beginning) -> list[Question]:
    """All of the table."""
    coldest = min(run.design.temperatures)
    ramp, twenty = ramps(coldest)
    middle = float(np.median(run.design.temperatures))
    return [
        of_equilibrium(run, begin, [middle], f"order at rest, {middle:g} K"),
        of_equilibrium(run, begin, run.design.temperatures, "the same, all temperatures of RUN"),
        of_schedules(run, begin, [ramp], f"one ramp, 3000 to {coldest:g} K at 2e9 K/s"),
        of_schedules(run, begin, twenty, "twenty ramps, 4e8 to 4e10 K/s"),
        of_times(run, begin),
    ]


def asked_of(folder: Path) -> tuple[list[Question], float, int]:
    """Questions to a run, the sites to a vacancy, and those of its small crystals."""
    if load_config(folder / "config.toml")["system"]["model"] == COMPOSITIONS:
        found, own_s = timed(lambda: of_map(folder))
        return [Question(found.name, found.hops, 0.0, own_s, found.values)], found.each, found.small
    run = AlloyRun(folder)
    begin, small = run.beginning(), run.design.system.alone().small.n_sites
    return questions(run, begin), begin.n_sites / begin.n_patches, small


def measure(folder: Path, sites: Sequence[int]) -> list[str]:
    """The table in Markdown."""
    questions_asked, each, small = asked_of(folder)
    cost = json.loads((folder / "results.json").read_text(encoding="utf-8"))["cost"]["table"]
    events, seconds = spent(cost["rows"])
    hop_s = seconds["direct runs"] / events["direct runs"]
    learned = sum(seconds[stage] for stage in ("small runs", "patch pairs", "learning"))
    sizes = {f"direct, {n:,} sites": n for n in sites} | {f"small crystals, {small:,}": small}
    lines = [
        f"Training: {events['all']:.2g} hops, {learned:.0f} CPU s, once. A hop: "
        f"{1e6 * hop_s:.2f} us. Entries: hops / CPU s.",
        "",
        "| | " + " | ".join([*sizes, "model, once trained", "model, training included"]) + " |",
        "|---" * (len(sizes) + 3) + "|",
    ]
    for asked in questions_asked:
        hops = [asked.direct(n, each) for n in sizes.values()]
        cells = [f"{h:.2g} / {h * hop_s:,.0f}" for h in hops]
        whole = f"{events['all']:.2g} / {learned + asked.own_s:,.0f}"
        lines.append("| " + " | ".join([asked.name, *cells, f"{asked.own_s:.1f}", whole]) + " |")
    return lines


def spent(rows: Sequence[Sequence[str | None]]) -> tuple[dict[str, float], dict[str, float]]:
    """Events and CPU seconds by stage; "all" is the learned route."""
    events = {
        stage: float(n) for way, stage, n, _ in rows if n and (way, stage) != ("direct", "all")
    }
    return events, {stage: float(s) for _, stage, _, s in rows if s}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="folder of a finished run of nbmota, or of nbmota-composition",
    )
    parser.add_argument("--sites", type=int, nargs="+", default=[8192, 524288], metavar="N")
    args = parser.parse_args()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines = measure(args.run, args.sites)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
