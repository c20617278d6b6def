"""Commands that make models: barriers from a calculator, barrier models, potentials."""

from __future__ import annotations

import argparse
from pathlib import Path

from .cli_arguments import (
    ENGINE,
    SEED,
    SPECIES,
    STRUCTURE,
    arg,
    command,
    file,
    finite,
    folder,
    output,
    positive,
    whole,
    workers,
)
from .slurm import slurm_workers


@command(
    "compute-barriers",
    STRUCTURE,
    arg("--calculator", required=True, metavar="KIND:SPEC",
        help="emt, eam:FILE, mace:FILE, snap:PREFIX, 'lammps:pair_style ...; pair_coeff ...' or "
        "python:MODULE:FUNCTION; MACE files (pickles) and python: run code"),
    arg("--out", type=Path, required=True, metavar="DIR", help="folder for the tables"),
    arg("--hops", type=whole(1), metavar="N", help="how many, at random (default: all)"),
    arg("--vacancies", type=whole(1), nargs="+", default=[], metavar="ATOM",
        help="only hops into these atoms' places, numbers from 1 (default: any)"),
    arg("--relax-radius", type=positive, metavar="A",
        help="relax only atoms this near to the hop; the error is measured (default: all)"),
    arg("--fmax", type=positive, default=0.02, metavar="F",
        help="largest force at the end, eV/A (default: 0.02)"),
    arg("--workers", type=workers, metavar="N",
        help="processes (default: what Slurm gives, else 1)"),
    *ENGINE,
    SPECIES,
    SEED,
)  # fmt: skip
def compute_barriers(args: argparse.Namespace) -> None:
    """Compute barriers of vacancy hops with any potential.

    FILE is a bcc crystal without vacancies; its cell is kept. Each hop is relaxed, and its barrier
    found, by itself. DIR gets the tables that macro-ase fit-barriers reads, with nan where a hop
    was not computed or has no barrier. Stopped or killed, the same command goes on where it was.

    Examples:
      macro-ase build bcc NbMoTa --size 4 4 4 --out alloy.xyz
      macro-ase compute-barriers alloy.xyz --calculator eam:NbMoTa.eam.alloy --hops 40 --out neb
      macro-ase compute-barriers alloy.xyz --calculator mace:my.model --workers 2 --out neb
      macro-ase fit-barriers neb --out barriers.json
    """
    from macro_ase.commands.compute_barriers import compute_barriers_command

    engine = args.engine or args.workers or slurm_workers() or 1
    options = {"hops": args.hops, "vacancies": args.vacancies, "workers": engine}
    options |= {"seed": args.seed, "relax_radius_A": args.relax_radius, "fmax": args.fmax}
    options |= {"species": args.species}
    print(compute_barriers_command(args.file, args.out, args.calculator, **options))


@command(
    "vacancy-energy",
    STRUCTURE,
    arg("--calculator", required=True, metavar="KIND:SPEC",
        help="as of compute-barriers; MACE files (pickles) and python: run code"),
    arg("--sites", type=whole(1), metavar="N",
        help="atoms taken out, one at a time, at random (default: all)"),
    arg("--relax", action="store_true", help="relax the atoms, at the cell of FILE"),
    arg("--fmax", type=positive, default=0.02, metavar="F",
        help="largest force at the end, eV/A (default: 0.02)"),
    arg("--entropy", type=finite, default=0.0, metavar="S",
        help="formation entropy in units of k (default: 0)"),
    arg("--temperatures", type=positive, nargs="+", metavar="K",
        help="of the table, in K (default: 1000 1500 2000 2500)"),
    arg("--out", type=output, metavar="OUT.json",
        help="write what macro-ase kmc --vacancy-fraction reads; OUT.sites keeps finished sites"),
    arg("--workers", type=workers, metavar="N",
        help="processes (default: what Slurm gives, else 1)"),
    *ENGINE,
    SPECIES,
    SEED,
)  # fmt: skip
def vacancy_energy(args: argparse.Namespace) -> None:
    """Compute formation energies of vacancies with any potential.

    FILE is a crystal of any lattice without vacancies; its cell is kept. One atom at a time is
    taken out, and replaced by each other species of the alloy, which gives chemical potentials.
    Prints the energies by species taken out, and as they count at temperatures. With --out a
    command that was stopped or killed goes on where it was.

    Examples:
      macro-ase build bcc NbMoTa --size 5 5 5 --out alloy.xyz
      macro-ase vacancy-energy alloy.xyz --calculator eam:NbMoTa.eam.alloy --sites 20 --relax
      macro-ase vacancy-energy alloy.xyz --calculator mace:my.model --relax --out vacancies.json
      macro-ase kmc hops.xyz --temperature 1600 --steps 1e6 --vacancy-fraction vacancies.json
    """
    from macro_ase.commands.vacancy_energy import TEMPERATURES_K, vacancy_energy_command

    engine = args.engine or args.workers or slurm_workers() or 1
    options = {"sites": args.sites, "out": args.out, "workers": engine, "relax": args.relax}
    options |= {"fmax": args.fmax, "seed": args.seed, "entropy_kB": args.entropy}
    options |= {"temperatures_K": args.temperatures or TEMPERATURES_K, "species": args.species}
    print(vacancy_energy_command(args.file, args.calculator, **options))


@command(
    "fit-barriers",
    arg("directories", type=folder, nargs="+", metavar="DIR",
        help="POSCAR files and barrier tables"),
    arg("--out", type=output, required=True, metavar="FILE", help="model to write, .json"),
    arg("--energies", type=file, nargs="+", action="extend", default=[], metavar="FILE",
        help="relaxed frames with energies, extxyz"),
    SEED,
)  # fmt: skip
def fit_barriers(args: argparse.Namespace) -> None:
    """Fit a barrier model to barriers and formation energies.

    DIR holds POSCAR files and tables of vacancy-hop barriers in eV, atom numbers from 1 as in
    POSCAR; nan leaves a hop out. Barriers alone do not fix the energy of the alloy: give formation
    energies too. Collapsed hops are named and dropped, and cross-validated errors printed; of
    several compositions also how each is predicted alone, together with the others, and left out.
    What cannot be trusted is printed first, saved in FILE, and repeated whenever FILE is used.

    Examples:
      macro-ase fit-barriers neb/ --energies frames.extxyz --out barriers.json
      macro-ase fit-barriers NbMoTaW NbTaW --energies elements.xyz alloys.xyz --out barriers.json
    """
    from macro_ase.commands.fit_barriers import fit_barriers_command

    print(fit_barriers_command(args.directories, args.out, args.energies, args.seed))


@command(
    "make-potential",
    arg("kind", choices=("eam", "mace"), help="embedded atoms (half a minute), or MACE (hours)"),
    arg("--data", type=file, nargs="+", action="extend", required=True, metavar="FILE",
        help="frames with energies and forces, extxyz"),
    arg("--out", type=output, required=True, metavar="FILE",
        help="potential to write, .eam.alloy or .model"),
    arg("--energy-key", metavar="NAME", help="of energies (default: energy or REF_energy)"),
    arg("--forces-key", metavar="NAME", help="of forces (default: forces or REF_forces)"),
    arg("--epochs", type=whole(1), metavar="N", help="of MACE (default: as what ships)"),
    arg("--quick", action="store_true", help="a tiny MACE, to see that all works"),
    SEED,
)  # fmt: skip
def make_potential(args: argparse.Namespace) -> None:
    """Make an interatomic potential of Nb, Mo and Ta from frames.

    eam: elements of Zhou, Johnson and Wadley; pairs of unlike atoms fitted, errors on held-out
    compositions. mace: a small model trained from nothing, errors on held-out structures; stopped
    or killed, the same command goes on where it was. Both print properties of crystals beside
    references.

    Examples:
      macro-ase make-potential eam --data elements.xyz alloys.xyz --out my.eam.alloy
      macro-ase make-potential mace --data elements.xyz alloys.xyz --out my.model
    """
    keys = args.energy_key, args.forces_key
    if args.kind == "eam":
        if args.epochs is not None or args.quick:
            raise ValueError("--epochs and --quick are of MACE; an EAM fit takes half a minute")
        from macro_ase.commands.make_eam import make_eam_command

        print(make_eam_command(args.data, args.out, args.seed, *keys))
    else:
        from macro_ase.commands.make_mace import make_mace_command

        options = {"epochs": args.epochs, "seed": args.seed, "quick": args.quick}
        options |= dict(zip(("energy_key", "forces_key"), keys))
        print(make_mace_command(args.data, args.out, **options))
