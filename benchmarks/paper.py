"""Order of NbMoTa with the published barriers from 300 to 3000 K, beside what was published.

    python benchmarks/paper.py NETWORK.npz [--temperatures 300 ... 3000] [--folder OUT]
        [--plot FILE] [--quick]

NETWORK.npz holds the barrier network of repository UCICaoLab/NKK; it is not part of this package.
The protocol is that of arXiv:2511.12842: equimolar random crystals with a vacancy to 1,024 sites,
2e7 hops of a vacancy up to 1200 K and 2e6 above. From 1400 K on a model is learned from crystals of
1,024 sites, and asked for 8,192 sites at the end of these times and over the second half of the
direct run; colder crystals, whose vacancies undo most of their hops, have direct runs alone.
Direct runs are shorter than the paper's (`DIRECT`, hops of every vacancy); where the halves of the
second half of one differ by more than three errors, it still moves. All is kept in the folder
(default runs/paper), and used by the next call. The table is printed, and written to paper.md.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from paper_runs import HopRun, run
from paper_tables import Row, draw, table

from macro_ase.analysis.order_comparison import small_averages
from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.config import load_config
from macro_ase.files import write_atomically
from macro_ase.sampling.store import Store
from macro_ase.schedule import Schedule
from macro_ase.statistics import standard_error
from macro_ase.studies.alloys.design import Design
from macro_ase.workflow import run_study

PUBLISHED = Path(__file__).with_name("paper_published.csv")
PATHS, MOVES = 20, 3.0
DIRECT = {
    300: 2e6, 400: 2e6, 500: 3e6, 600: 4e6, 700: 4e6, 800: 2e6, 900: 1e6, 1000: 8e5, 1200: 6e5,
    1400: 1e6, 1600: 8e5, 1800: 6e5, 2000: 4e5, 2200: 4e5, 2400: 4e5, 2600: 4e5, 2800: 4e5,
    3000: 4e5,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Temperatures of one model, or, where ``learned`` is empty, of direct runs alone.

    ``learned`` has the hops of a small run by temperature, ``hops`` are the paper's of a vacancy.
    """

    name: str
    learned: Mapping[int, int]
    direct: Mapping[int, float]
    hops: float
    settings: tuple[str, ...] = ()


COLD = Part("cold", {}, {t: hops for t, hops in DIRECT.items() if t <= 1200}, 2e7)
HOT = Part(
    "hot",
    {1400: 1000000, 1800: 500000, 2400: 350000, 3000: 350000},
    {t: hops for t, hops in DIRECT.items() if t > 1200},
    2e6,
    ("system.small_size=[8,8,8]", "small.runs=16", "direct.runs=0", "workers=1",
     "direct.relaxation_times=[10]", "predict.paths=8"),
)  # fmt: skip
QUICK = Part(
    "quick",
    {1800: 4000, 3000: 4000},
    {300: 1e3, 3000: 4e3},
    2e6,
    ("system.small_size=[5,5,5]", "system.large_size=[6,6,6]", "system.sites_per_vacancy=216",
     "small.runs=2", "sampling.repeats=1", "sampling.dt_events=[500]", "learning.members=2",
     "learning.epochs=2", "learning.width=8", "direct.runs=0", "workers=1",
     "direct.relaxation_times=[1]", "predict.paths=2"),
)  # fmt: skip


def design_of(part: Part, network: Path, folder: Path, seed: int) -> tuple[Design, AlloyRun | None]:
    """The alloy, and the run of `nbmota` if there is one, which goes on or is done already."""
    own = [f'system.barriers="{network}"', f"seed={seed}", *part.settings]
    if not part.learned:
        return Design.of(load_config("nbmota", False, own)), None
    own += [f"conditions.temperatures_K={list(part.learned)}",
            f"small.events={list(part.learned.values())}"]  # fmt: skip
    config, where = load_config("nbmota", False, own), folder / part.name
    if not (where / "model" / "model.json").is_file():
        run_study(config, where)
    of = AlloyRun(where)
    if of.config != config:
        raise ValueError(f"{where} is a run of other settings: name a new --folder")
    return of.design, of


def rows(
    part: Part, design: Design, of: AlloyRun | None, kelvin: Sequence[int], folder: Path
) -> list[Row]:
    """What was found at some temperatures."""
    found = []
    (folder / part.name).mkdir(exist_ok=True)
    for t in [t for t in part.direct if t in kelvin]:
        job = HopRun(folder / part.name, t, part.direct[t])
        kept = run(job, design)
        print(f"{t} K: {job.hops:.2g} hops of a vacancy, {kept['cpu_s']:.0f} CPU s", flush=True)
        order = design.system.order
        late = order.delta(kept["z"], kept["extra"])[len(kept["z"]) // 2 :]
        halves = np.array_split(late, 2)
        apart = np.abs(halves[1].mean(axis=0) - halves[0].mean(axis=0))
        moves = bool(np.any(apart > MOVES * np.hypot(*map(standard_error, halves))))
        told: tuple[Any, ...] = (None, None, None, np.nan)
        if of is not None and t >= min(design.temperatures):
            during = np.linspace(0.5, 1, 11) * job.hops
            told = small(of, t), *predicted(of, t, part.hops, during)
        direct = late.mean(axis=0), standard_error(late)
        shares = job.hops, part.hops, moves, float(kept["cpu_s"])
        found.append(Row(t, published().get(t), direct, *told, *shares))
    return found


def predicted(
    of: AlloyRun, kelvin: float, hops: float, during: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array], float]:
    """Delta after so many hops of a vacancy and over others, with errors, and the time in s."""
    begin, tau_w = of.beginning(), of.model.clock.tau_w(kelvin)
    end = hops * tau_w
    hold = Schedule(np.array([0.0, end]), np.array([kelvin, kelvin]))
    v = of.vacancy_neighbours(np.array([kelvin]), begin.order)[0]
    records = np.unique([*during * tau_w, end])
    made = of.model.anneal(hold, begin.z0, begin.n_sites, begin.n_patches, PATHS, records).of(
        lambda z: begin.order.delta(begin.of_small(z), v), begin.order.all_names
    )
    window = np.flatnonzero(made.times > 0)[: len(during)]
    members = made.members.std(axis=0, ddof=1)
    last, over = (
        (made.mean[rows].mean(axis=0), members[rows].mean(axis=0)) for rows in ([-1], window)
    )
    return last, over, end


def small(of: AlloyRun, kelvin: float) -> Array | None:
    """Delta of the small crystals, second halves of runs, where there are any."""
    d = of.design
    if kelvin not in d.temperatures:
        return None
    store = Store(of.folder / "data.zarr")
    runs = [store.read(key) for key in d.keys("small", float(kelvin))]
    return small_averages(d.system.small_order, runs, 1.0)[0][0]


def published() -> dict[int, Array]:
    """Delta by temperature: the predictions of arXiv:2511.12842 for 8,192 sites."""
    with PUBLISHED.open(encoding="utf-8") as file:
        given = list(csv.reader(file))[1:]
    return {int(t): np.array(values, dtype=float) for t, *values in given}


def measure(args: argparse.Namespace) -> str:
    """Learn, run, compare, draw."""
    args.folder.mkdir(parents=True, exist_ok=True)
    found: list[Row] = []
    for part in (QUICK,) if args.quick else (COLD, HOT):
        kelvin = args.temperatures or part.direct
        if any(t in kelvin for t in part.direct):
            design, of = design_of(part, args.network, args.folder, args.seed)
            found += rows(part, design, of, kelvin, args.folder)
            names = design.system.order.all_names
    if args.plot:
        draw(args.plot, found, names)
    return table(found, names)


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("network", type=Path, metavar="NETWORK.npz")
    parser.add_argument("--temperatures", type=int, nargs="+", metavar="K", help="default: all")
    parser.add_argument("--folder", type=Path, metavar="OUT", default=Path("runs/paper"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="figure, such as order.png")
    parser.add_argument("--quick", action="store_true", help="tiny crystals, two temperatures")
    args = parser.parse_args()
    known = QUICK.direct if args.quick else DIRECT
    if wrong := [t for t in args.temperatures or () if t not in known]:
        parser.error(f"--temperatures must be of {', '.join(map(str, known))}, not {wrong[0]}")
    try:
        text = measure(args)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print(text)
    write_atomically(args.folder / "paper.md", text)


if __name__ == "__main__":
    main()
