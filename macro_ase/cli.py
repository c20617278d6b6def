"""The command `macro-ase`: reads the command line, calls the package, prints what it says.

Each command is one function; its docstring is its `--help`. Bad input is one line on standard
error and exit status 2. What a command needs is imported when it runs, so that `--help` is quick
and an extra is asked for only where it is used.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from . import cli_runs  # noqa: F401  (its commands come first)
from .cli_arguments import (
    COMMANDS,
    SEED,
    SPECIES,
    STRUCTURE,
    arg,
    barriers,
    command,
    file,
    output,
    positive,
    understand,
    whole,
)
from .executors import OutOfTime
from .extras import EXTRAS, with_extra
from .progress import told

RESUMED = (
    "run",
    "work",
    "compute-barriers",
    "vacancy-energy",
    "make-potential",
    "compare-potentials",
)
TIME_IS_UP = 75


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; default: those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 where nobody reads the output or a self test fails, 2 after bad input, 75
        when the time that was given is up, 130 after Ctrl-C, 143 after SIGTERM.
    """
    args = argparse.Namespace(command=None, verbose=False, quiet=False)
    warnings.showwarning = _warn_once(args)
    with termination_as_ctrl_c() as signals:
        try:
            understand(argv, args)
            with told(args.verbose, args.quiet):
                status = COMMANDS[args.command][0](args) or 0
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except KeyboardInterrupt:
            return _stopped(args.command, 128 + (signals[0] if signals else signal.SIGINT))
        except OutOfTime as error:
            return _stopped(args.command, TIME_IS_UP, f": {error}")
        except ModuleNotFoundError as error:
            return _refuse(_missing_extra(error))
        except MemoryError as error:
            return _refuse(f"not enough memory for this: {error or 'try a smaller system'}")
        except (ValueError, OSError) as error:
            return _stopped(args.command, 128 + signals[0]) if signals else _refuse(str(error))
    return status


@contextmanager
def termination_as_ctrl_c() -> Iterator[list[int]]:
    """SIGTERM, as schedulers send it, raises `KeyboardInterrupt` too; yields those received."""
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _stopped(command: str | None, status: int, why: str = "") -> int:
    hint = "; run the same command again to go on" if command in RESUMED else ""
    start = "\n" if sys.stderr.isatty() else ""
    print(f"{start}stopped{why}{hint}", file=sys.stderr)
    return status


def _warn_once(args: argparse.Namespace) -> Callable[..., None]:
    """A `warnings.showwarning` that says each sentence once, whoever repeats it."""
    said: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        sentence = " ".join(str(message).split())
        if sentence not in said and not args.quiet:
            said.add(sentence)
            print(f"macro-ase: warning: {sentence}", file=sys.stderr)

    return show


def _refuse(message: str) -> int:
    print(f"macro-ase: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _missing_extra(error: ModuleNotFoundError) -> str:
    """Which extra to install; anything else missing is a fault of the package and is raised."""
    if (error.name or "").partition(".")[0] in EXTRAS or error.name is None:
        return str(with_extra(error))
    raise error


@command(
    "sro",
    STRUCTURE,
    arg("--index", metavar="I",
        help="frames as in ASE: -1 for the last, ::10 for every tenth, --index=-9: for the last"
        " nine (default: all)"),
    arg("--shells", type=whole(1), metavar="N", help="neighbour shells (default: 2)"),
    arg("--cutoffs", type=positive, nargs="+", metavar="R",
        help="outer radius of each shell in A, instead of --shells"),
    arg("--weights", choices=("auto", "residence", "time", "frames"), default="auto",
        help="what a frame counts in means: its residence time, the time to the next, or all alike"
        " (default: auto, the first that the frames tell)"),
    arg("--csv", type=output, metavar="OUT", help="also write the numbers as CSV"),
    arg("--per-atom", type=output, metavar="OUT",
        help="also write one frame with neighbours by atom, shell and species, as extended XYZ"),
    SPECIES,
)  # fmt: skip
def sro(args: argparse.Namespace) -> None:
    """Measure the short-range order of a crystal.

    Prints the Warren-Cowley parameters alpha_AB and delta_AB of each shell of neighbours. Any
    crystal, relaxed or hot, any lattice and species: atoms of periodic sc, bcc and fcc crystals
    are put on sites, elsewhere shells come from distances. A trajectory or a LAMMPS dump gives
    means with errors; frames of kinetic Monte Carlo count by the time that their states last.

    Examples:
      macro-ase sro alloy.xyz
      macro-ase sro run.traj --shells 3 --csv order.csv
      macro-ase sro run.traj@-1 --per-atom neighbours.xyz
    """
    from macro_ase.commands.sro_file import sro_file

    options = {"n_shells": args.shells, "csv": args.csv, "species": args.species}
    options |= {"per_atom": args.per_atom, "index": args.index, "weights": args.weights}
    try:
        print(sro_file(args.file, cutoffs_A=args.cutoffs, **options))
    except ValueError as error:
        raise ValueError(str(error).replace("cutoffs_A", "--cutoffs")) from error


@command(
    "kmc",
    STRUCTURE,
    arg("--temperature", type=positive, required=True, metavar="K", help="temperature in K"),
    arg("--ramp", type=positive, metavar="K", help="temperature at the end, reached evenly"),
    arg("--steps", type=whole(0), required=True, metavar="N", help="number of hops"),
    arg("--barriers", type=barriers, metavar="FILE|NAME",
        help="barrier model, .json or .npz, or one that ships: NbMoTa (default), NbMoTaW, MoTaW,"
        " NbMoW, NbTaW"),
    arg("--vacancies", type=whole(0), default=0, metavar="N",
        help="atoms to take out at random first (default: 0)"),
    arg("--traj", type=output, metavar="OUT", help="write an ASE trajectory"),
    arg("--interval", type=whole(1), default=1000, metavar="N",
        help="hops between frames, and between lines of the log (default: 1000)"),
    arg("--log", type=output, metavar="OUT", help="write a log"),
    arg("--append", action="store_true",
        help="go on with trajectory, clock and log instead of writing them anew"),
    arg("--restart", type=file, metavar="STATE", help="go on from the state of a run of FILE"),
    arg("--write-restart", type=output, metavar="STATE", help="write the state at the end"),
    arg("--out", type=output, metavar="FINAL", help="write the last structure, in any format"),
    arg("--csv", type=output, metavar="OUT",
        help="write step, time, temperature, residence time and order by interval"),
    arg("--vacancy-fraction", metavar="FILE|NUMBER",
        help="share of vacant sites in the laboratory, from macro-ase vacancy-energy or a number:"
        " gives times there too"),
    SPECIES,
    arg("--seed", type=whole(0), metavar="N", help="random seed (default: 0)"),
)  # fmt: skip
def kmc(args: argparse.Namespace) -> None:
    """Vacancy kinetic Monte Carlo of a crystal.

    Rejection-free hops of the vacancies (the symbol X) of a bcc crystal, with the exact clock; at
    one temperature also diffusion coefficients by species (macro-ase diffusion says more).
    Temperatures are in K, energies in eV, times in seconds. Frames have their time in
    info["time_s"], and in info["residence_s"] what they count in averages over time.
    A simulated crystal has more vacancies than a real one and moves faster by their ratio:
    --vacancy-fraction gives the time in the laboratory beside the simulated one.

    Examples:
      macro-ase build bcc NbMoTa --vacancies 1 --out alloy.xyz
      macro-ase kmc alloy.xyz --temperature 2000 --steps 100000 --traj hops.traj
      macro-ase kmc hops.traj --temperature 2000 --steps 100000 --traj hops.traj --append
      macro-ase kmc alloy.xyz --temperature 2000 --ramp 800 --steps 1e6 --out cold.xyz
      macro-ase kmc alloy.xyz --temperature 1600 --steps 1e6 --vacancy-fraction vacancies.json
    """
    from macro_ase.commands.kmc_file import kmc_file

    options = {"barriers": args.barriers, "vacancies": args.vacancies, "trajectory": args.traj}
    options |= {"interval": args.interval, "seed": args.seed, "log": args.log}
    options |= {"species": args.species}
    options |= {"ramp_to_K": args.ramp, "append": args.append, "restart": args.restart}
    options |= {"write_restart": args.write_restart, "final": args.out, "csv": args.csv}
    options |= {"vacancy_fraction": args.vacancy_fraction}
    print(kmc_file(args.file, args.temperature, args.steps, **options))


@command(
    "build",
    arg("lattice", choices=("bcc", "fcc", "cubic"), help="bcc, fcc or cubic"),
    arg("composition", help="atomic fractions: Nb0.33Mo0.33Ta0.34, or NbMoTa for equal parts"),
    arg("--size", type=whole(1), nargs=3, default=[8, 8, 8], metavar="N",
        help="conventional cells along each axis (default: 8 8 8)"),
    arg("--vacancies", type=whole(0), default=0, metavar="N",
        help="atoms to take out at random, marked X (default: 0)"),
    arg("--ordered", choices=("B2", "D0_3", "L1_2", "L1_0"),
        help="order of the first two species: B2 or D0_3 of bcc, L1_2 or L1_0 of fcc (default: at "
        "random)"),
    arg("--lattice-constant", type=positive, metavar="A",
        help="in A (default: 3.24 for NbMoTa, else from the elements' atomic volumes)"),
    SEED,
    arg("--out", type=output, required=True, metavar="FILE", help="file to write"),
)  # fmt: skip
def build(args: argparse.Namespace) -> None:
    """Build a crystal: lattice, composition, size, vacancies, order.

    The cell takes the whole numbers of atoms nearest to the composition. The name of FILE chooses
    its format; .xyz keeps vacancies as X. LAMMPS data files (.data, .lmp) and dumps (.dump,
    .lammpstrj) have the atom types, and POSCAR files the blocks, in the order of the composition.

    Examples:
      macro-ase build bcc Nb0.33Mo0.33Ta0.34 --size 8 8 8 --vacancies 1 --out alloy.xyz
      macro-ase build bcc Mo0.5Ta0.5 --ordered B2 --out b2.xyz
      macro-ase build fcc Cu3Au --ordered L1_2 --out l12.xyz
      macro-ase build bcc NbMoTa --out alloy.data
    """
    from macro_ase.build import build_crystal, parse_composition
    from macro_ase.structure_files import kind_of_name, write_structure

    choice = (args.lattice, args.composition, args.size, args.vacancies, args.ordered)
    kind_of_name(args.out)
    atoms = build_crystal(*choice, args.lattice_constant, args.seed)
    write_structure(args.out, atoms, list(parse_composition(args.composition)))
    print(f"{args.out}: {len(atoms)} sites, {atoms.symbols.formula:metal}")


from . import (  # noqa: E402  (their commands come after these)
    cli_kinetics,  # noqa: F401
    cli_models,  # noqa: F401
    cli_potentials,  # noqa: F401
    cli_tools,  # noqa: F401
)
