"""The command that sets potentials beside each other."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from .cli_arguments import ENGINE, SEED, arg, command, file, folder, positive, whole, workers
from .slurm import slurm_workers


@command(
    "compare-potentials",
    arg("potentials", nargs="*", metavar="[NAME=]KIND:SPEC",
        help="as of compute-barriers, and pair:MODEL, a barrier model with its pair energy, by file"
        " or by the name of one that ships; MACE files (pickles) and python: run code"),
    arg("--out", type=Path, required=True, metavar="DIR",
        help="folder for NAME.json of each, comparison.csv and report.html"),
    arg("--species", nargs="+", default=[], metavar="NAME",
        help="elements (default: those of the table, else of the frames)"),
    arg("--table", type=folder, metavar="DIR",
        help="reference barriers, in files as fit-barriers reads them"),
    arg("--hops", type=whole(1), metavar="N", help="how many of them, at random (default: all)"),
    arg("--band", choices=("string", "climb"), default="string",
        help="string: as compute-barriers; climb: one image from half way, half of the work or less"
        " (default: string)"),
    arg("--fmax", type=positive, default=0.02, metavar="F",
        help="largest force at ends and saddle, eV/A (default: 0.02)"),
    arg("--frames", type=file, nargs="+", default=[], metavar="FILE",
        help="frames with reference energies, extxyz, pure ones of every element among them"),
    arg("--alloys", type=whole(1), metavar="N",
        help="how many of the frames that are alloys, at random (default: all)"),
    arg("--temperatures", type=positive, nargs="+", default=[], metavar="K",
        help="of swap Monte Carlo, in K (default: none)"),
    arg("--cells", type=whole(3, 20), default=3, metavar="N",
        help="conventional cells along an axis of its crystal (default: 3, 54 atoms)"),
    arg("--sweeps", type=whole(10), default=100, metavar="N",
        help="its attempts by atom (default: 100)"),
    arg("--atoms", type=whole(2, 10**6), nargs="+", default=[54, 128], metavar="N",
        help="crystals on which the cost is measured (default: 54 128)"),
    arg("--join", type=file, nargs="+", default=[], metavar="FILE",
        help="NAME.json of other calls, such as from an environment with other packages"),
    arg("--workers", type=workers, metavar="N",
        help="processes (default: what Slurm gives, else 1)"),
    *ENGINE,
    SEED,
)  # fmt: skip
def compare_potentials(args: argparse.Namespace) -> None:
    """Compare potentials with a reference: which may be trusted for an alloy's order and barriers.

    Asks every potential for barriers of vacancy hops (--table), formation energies of the ordered
    phases of bcc and of given structures (--frames), short-range order (--temperatures), lattice
    and elastic constants, and what an evaluation costs; prints them with 95 % intervals beside the
    reference. Stopped or killed, the same command goes on where it was; more hops, alloys or
    temperatures add to what is there. Where packages cannot be installed beside each other, give
    one call in each environment the same options, and join the files.

    Examples:
      macro-ase compare-potentials eam:NbMoTa.eam.alloy pair:NbMoTa --table neb --hops 100 --out cmp
      macro-ase compare-potentials eam:NbMoTa.eam.alloy mace:my.model --frames dft.xyz --out cmp
      macro-ase compare-potentials my=python:my_module:calculator --frames dft.xyz --out mine
      macro-ase compare-potentials --join cmp/NbMoTa-eam.json mine/my.json --out all
    """
    from macro_ase.commands.compare_potentials import ComparePotentials
    from macro_ase.commands.potential_plan import Questions

    questions = Questions(
        species=args.species,
        table=args.table,
        hops=args.hops,
        band=args.band,
        fmax=args.fmax,
        frames=args.frames,
        n_frames=args.alloys,
        temperatures_K=args.temperatures,
        cells=args.cells,
        sweeps=args.sweeps,
        cost_atoms=args.atoms,
        seed=args.seed,
    )
    engine = args.engine or args.workers or slurm_workers() or 1
    given = ComparePotentials(args.potentials, args.out, questions, args.join, engine, _words(args))
    print(given.run())


def _words(args: argparse.Namespace) -> str:
    """The command line, without what is not given."""
    words = ["macro-ase", "compare-potentials", *args.potentials]
    for name, value in vars(args).items():
        if name in ("potentials", "command", "verbose", "quiet") or value in (None, []):
            continue
        words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)
