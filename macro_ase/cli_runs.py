"""Commands that run studies: alone, as a task among several, and what looks at finished runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .cli_arguments import (
    ENGINE,
    SEED,
    SPECIES,
    arg,
    barriers,
    command,
    folder,
    output,
    positive,
    seed,
    structure,
    task,
    time,
    whole,
    workers,
)
from .slurm import slurm_task, slurm_workers

SETTINGS = (
    arg("--quick", action="store_true", help="a small version that takes minutes"),
    arg("--workers", type=workers, metavar="N",
        help="how many compute (default: what Slurm gives, else as configured)"),
    arg("--seed", type=seed, metavar="N", help="random seed (default: as configured)"),
    arg("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="set any key, such as seed=3; may be given many times"),
    arg("--structure", type=structure, metavar="FILE",
        help="initial state of the large system, such as alloy.data or run.traj@-1 "
        "(system.structure)"),
    SPECIES,
    arg("--calculator", metavar="KIND:SPEC",
        help="energies of your alloy in the study swap, as of compute-barriers, or "
        "pair:MODEL of a barrier model (system.calculator)"),
    arg("--barriers", type=barriers, metavar="FILE|NAME",
        help="barrier model, .json or .npz, or one that ships, such as NbMoTaW (system.barriers)"),
)  # fmt: skip
VACANCY_FRACTION = arg(
    "--vacancy-fraction",
    metavar="FILE|NUMBER",
    help="from macro-ase vacancy-energy, or a fixed share: times are those of the laboratory",
)
HOW = (
    *ENGINE,
    arg("--walltime", type=time, metavar="HH:MM:SS",
        help="or seconds: begin nothing that would not end in time; exit status 75"),
)  # fmt: skip


@command(
    "run",
    arg("study", metavar="STUDY|CONFIG.toml|DIR",
        help="a name from macro-ase list, a file, or the folder of a run that was begun"),
    arg("--out", type=Path, metavar="DIR", help="run folder (default: runs/STUDY[-quick])"),
    arg("--overwrite", action="store_true", help="empty a folder that holds another run"),
    arg("--list-settings", action="store_true",
        help="print every setting with its meaning and limits, as a CONFIG.toml, and run nothing"),
    *SETTINGS,
    *HOW,
)  # fmt: skip
def run(args: argparse.Namespace) -> None:
    """Run a study: simulate, learn, predict, compare, report.

    The folder it writes holds config.toml, the data, the model, metrics.json, figures, run.log and
    report.html. Interrupted, the same command goes on where it was, and so does macro-ase run DIR.
    A CONFIG.toml holds study = "NAME" and only the keys that it changes; macro-ase list shows where
    all keys are. Results do not depend on the engine.

    Examples:
      macro-ase run nbmota --quick
      macro-ase run nbmota --structure my.xyz --workers 8 --out runs/mine
      macro-ase run swap --structure alloy.xyz --calculator eam:NiCu.eam.alloy
      macro-ase run my.toml --seed 1 --set 'system.large_size=[32, 32, 32]'
      macro-ase run nbmota --engine processes:16 --walltime 02:30:00
      macro-ase run nbmota --list-settings > my.toml
    """
    config, quick = settings_of(args)
    if args.list_settings:
        from macro_ase.commands.list_settings import settings_text
        from macro_ase.config import preset_of

        print(settings_text(config, preset_of(config["study"])), end="")
        return
    named = Path("runs") / (config["study"] + ("-quick" if quick else ""))
    out = args.out or (Path(args.study) if _is_run(args.study) else named)

    from macro_ase.report.numbers import metrics_text
    from macro_ase.report.page import write_report
    from macro_ase.workflow import run_study

    folder = run_study(
        config, out, args.overwrite, quick, executor=args.engine, walltime=args.walltime
    )
    report = write_report(folder)
    print(metrics_text(json.loads((folder / "metrics.json").read_text(encoding="utf-8"))))
    print(f"report: {report}")


@command(
    "work",
    arg("folder", type=Path, metavar="DIR", help="the run folder"),
    arg("study", nargs="?", metavar="STUDY|CONFIG.toml",
        help="what to begin, as for macro-ase run (default: what DIR holds)"),
    arg("--task", type=task, metavar="I/N",
        help="number of this task, and how many there are (default: those of Slurm's array)"),
    *SETTINGS,
    *HOW,
)  # fmt: skip
def work(args: argparse.Namespace) -> None:
    """Compute a share of a run, beside other tasks: for job arrays.

    Any number of tasks work in one folder at the same time, on any hosts that share it, and any
    of them may be killed: each begins with its own share of the missing chunks and goes on with
    what others left. When all chunks are there, macro-ase run DIR makes the report.

    Examples:
      macro-ase work runs/nbmota nbmota --task 1/8
      macro-ase work runs/nbmota --task 2/8 --walltime 02:30:00
      macro-ase run runs/nbmota
    """
    args.study = args.study or str(args.folder)
    config, quick = settings_of(args)

    from macro_ase.workflow import work_on

    number = slurm_task() if args.task is None else args.task
    folder = work_on(config, args.folder, number, quick, args.engine, args.walltime)
    print(f"all chunks are there; macro-ase run {folder} makes the report")


def _is_run(text: str) -> bool:
    from macro_ase.config import list_studies

    known = text in (name for name, _ in list_studies())
    return not known and (Path(text) / "config.toml").is_file()


def settings_of(args: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """The settings that a command line asks for, and whether they are a quick form."""
    from macro_ase.config import load_config
    from macro_ase.run_folder import was_quick
    from macro_ase.toml_text import toml_value

    def study_of(config: dict[str, Any]) -> Any:
        from macro_ase.studies.registry import study_of

        return study_of(config)

    overrides = list(args.overrides)
    if args.barriers is not None:
        model = args.barriers.resolve() if args.barriers.is_file() else args.barriers
        overrides.append(f"system.barriers={toml_value(str(model))}")
    if args.calculator is not None:
        overrides.append(f"system.calculator={toml_value(args.calculator)}")
    if args.species is not None:
        overrides.append(f"system.structure_species={toml_value(args.species)}")
    structure = args.structure and args.structure.resolve()
    workers = args.workers
    if workers is None and not any(text.startswith("workers") for text in overrides):
        workers = slurm_workers()
    options = overrides, args.seed, workers, structure, None, study_of
    if _is_run(args.study):
        begun = Path(args.study)
        return load_config(begun / "config.toml", False, *options), was_quick(begun)
    if Path(args.study).is_dir() and not Path(args.study).suffix:
        raise ValueError(f"{args.study} holds no run that was begun: it has no config.toml")
    return load_config(args.study, args.quick, *options), args.quick


@command("list")
def list_(args: argparse.Namespace) -> None:
    """List the studies that ship.

    Each is a TOML file with every key of the study, its default and its meaning; the folder that
    holds them is printed last.

    Examples:
      macro-ase list
    """
    from macro_ase.config import PRESETS, list_studies

    studies = list_studies()
    width = max(len(name) for name, _ in studies)
    for name, title in studies:
        print(f"{name:{width}s} {title}")
    print(f"settings: {PRESETS}")


@command("report", arg("folder", type=Path, metavar="DIR", help="the folder of a finished run"))
def report(args: argparse.Namespace) -> None:
    """Write the report of a run again.

    Makes DIR/report.html, one file with its figures inside, from what the run left there.

    Examples:
      macro-ase report runs/nbmota
    """
    from macro_ase.report.page import write_report

    print(write_report(args.folder))


@command(
    "predict",
    arg("folder", type=folder, metavar="RUN", help="the folder of a run of an alloy"),
    arg("--size", type=whole(3), nargs=3, metavar="N",
        help="cells of a random crystal of its composition to begin with"),
    arg("--structure", type=structure, metavar="FILE",
        help="or a crystal of any size; FILE@INDEX: one frame (default: the run's own)"),
    SPECIES,
    arg("--temperature", type=positive, nargs="+", default=[], metavar="K",
        help="one or more (default: those of the run)"),
    VACANCY_FRACTION,
    arg("--paths", type=whole(1, 10**6), default=50, metavar="N",
        help="of every member of the ensemble (default: 50)"),
    arg("--csv", type=output, metavar="OUT", help="write values, errors, spreads, bands and times"),
    arg("--plot", type=output, metavar="OUT", help="draw them, as .png, .pdf or .svg"),
    SEED,
)  # fmt: skip
def predict(args: argparse.Namespace) -> None:
    """Predict the order of an alloy in equilibrium, at any size.

    By the model that a run has learned, in seconds, without a new study. Prints, by temperature,
    Warren-Cowley alpha of the first shell with its standard error over the ensemble, the spread of
    a crystal of this size, and the relaxation times from the start. Temperatures outside of those
    that were learned are said, and have larger errors.

    Examples:
      macro-ase predict runs/nbmota --size 64 64 64
      macro-ase predict runs/nbmota --structure my.xyz --temperature 1600 2000 --csv order.csv
      macro-ase predict runs/nbmota --size 128 128 128 --vacancy-fraction vacancies.json
    """
    from macro_ase.commands.predict_run import RunPrediction

    names = ("size", "structure", "species", "vacancy_fraction", "paths", "csv", "plot", "seed")
    options = {name: getattr(args, name) for name in names}
    print(RunPrediction(args.folder, temperatures=args.temperature, **options).run())


@command(
    "anneal",
    arg("folder", type=folder, metavar="RUN", help="the folder of a run of an alloy"),
    arg("--schedule", metavar="TEXT|FILE",
        help='such as "2400 K, 1e6 K/s to 1000 K, hold 10 s", or a table of time_s, temperature_K'),
    arg("--times-to", type=positive, nargs="+", default=[], metavar="K",
        help="say how long the order needs at these temperatures"),
    arg("--structure", type=structure, metavar="FILE",
        help="crystal to begin with, of any size; FILE@INDEX: one frame (default: the run's own)"),
    SPECIES,
    VACANCY_FRACTION,
    arg("--paths", type=whole(0, 10**6), default=50, metavar="N",
        help="of every member of the ensemble (default: 50; 0: means alone)"),
    arg("--csv", type=output, metavar="OUT",
        help="write means and bands at all times; without a schedule, the times to equilibrium"),
    arg("--plot", type=output, metavar="OUT", help="draw them, as .png, .pdf or .svg"),
    SEED,
)  # fmt: skip
def anneal(args: argparse.Namespace) -> None:
    """Predict the order of an alloy after any heat treatment.

    By the model that a run has learned, in seconds, whatever the schedule lasts. It begins with a
    temperature; then follow, with commas between them: "RATE K/s to T K", "to T K in TIME", "hold
    TIME", "quench to T K", "N x (...)"; times in ns, us, ms, s, min or h. What lies outside the
    temperatures that were learned is said, and has wider bands.

    Examples:
      macro-ase anneal runs/nbmota --schedule "2400 K, 1e9 K/s to 1600 K, hold 1 us"
      macro-ase anneal runs/nbmota --schedule furnace.csv --structure my.xyz --csv order.csv
      macro-ase anneal runs/nbmota --times-to 1600 2000 2400 --vacancy-fraction vacancies.json
      macro-ase anneal runs/nbmota --times-to 1600 1800 2000 2200 2400 --plot times.png
    """
    from macro_ase.commands.anneal_run import RunAnnealing

    names = ("schedule", "times_to", "structure", "species", "vacancy_fraction")
    options = {name: getattr(args, name) for name in (*names, "paths", "csv", "plot", "seed")}
    print(RunAnnealing(args.folder, **options).run())


@command(
    "map",
    arg("folder", type=folder, metavar="RUN", help="the folder of a run of nbmota-composition"),
    arg("--temperature", type=positive, required=True, metavar="K", help="in K"),
    arg("--parts", type=whole(1, 200), default=20, metavar="N",
        help="of each side of the triangle, for the files (default: 20)"),
    arg("--csv", type=output, metavar="OUT", help="write alpha at all compositions of the map"),
    arg("--plot", type=output, metavar="OUT", help="draw it, as .png, .pdf or .svg"),
)  # fmt: skip
def map_(args: argparse.Namespace) -> None:
    """Predict the order of a ternary alloy at every composition.

    Warren-Cowley alpha of the first shell, at a temperature, by the model that a run has learned
    from some compositions; blank for pairs of a species that is absent. What lies outside the
    compositions and temperatures learned from, or those that barriers were fitted to, is said.

    Examples:
      macro-ase run nbmota-composition
      macro-ase map runs/nbmota-composition --temperature 1600
      macro-ase map runs/nbmota-composition --temperature 2000 --csv order.csv --plot order.png
    """
    from macro_ase.commands.map_run import RunMap

    options = {name: getattr(args, name) for name in ("parts", "csv", "plot")}
    print(RunMap(args.folder, args.temperature, **options).run())
