"""Commands that measure how atoms move."""

from __future__ import annotations

import argparse

from .cli_arguments import (
    SEED,
    SPECIES,
    STRUCTURE,
    arg,
    barriers,
    command,
    output,
    positive,
    whole,
)


@command(
    "diffusion",
    STRUCTURE,
    arg("--temperatures", type=positive, nargs="+", required=True, metavar="K",
        help="temperatures in K"),
    arg("--hops", type=whole(1), required=True, metavar="N",
        help="hops of all vacancies, measured at each temperature"),
    arg("--equilibration", type=whole(0), metavar="N",
        help="hops before them (default: a quarter as many)"),
    arg("--barriers", type=barriers, metavar="FILE|NAME",
        help="barrier model, .json or .npz, or one that ships: NbMoTa (default), NbMoTaW, MoTaW,"
        " NbMoW, NbTaW"),
    arg("--vacancies", type=whole(0), default=0, metavar="N",
        help="atoms to take out at random first (default: 0)"),
    arg("--vacancy-fraction", metavar="FILE|NUMBER",
        help="share of vacant sites in the laboratory, from macro-ase vacancy-energy or a number:"
        " gives D there too"),
    arg("--csv", type=output, metavar="OUT", help="also write the numbers as CSV"),
    arg("--plot", type=output, metavar="OUT", help="also draw an Arrhenius figure, .png"),
    SPECIES,
    SEED,
)  # fmt: skip
def diffusion(args: argparse.Namespace) -> None:
    """Measure diffusion by vacancies: tracers of each species, the vacancy, correlation factors.

    D = <|R|^2> / (6 t), correlation factors f and jump frequencies, by vacancy kinetic Monte Carlo,
    with errors from windows that do not overlap; several temperatures give Arrhenius laws. What
    still falls with longer windows, as in alloys with order at low temperature, is said: it needs
    more hops. Barriers may depend on the species alone, on bcc, fcc or cubic lattices:
    {"format": "macro_ase constant barriers 1", "lattice": "fcc", "barriers_eV": {"Cu": 0.7}}.

    Examples:
      macro-ase build bcc NbMoTa --vacancies 1 --out alloy.xyz
      macro-ase diffusion alloy.xyz --temperatures 2000 2500 3000 --hops 2e6 --plot arrhenius.png
      macro-ase diffusion alloy.xyz --temperatures 2500 --hops 2e6 --vacancy-fraction 1e-6
      macro-ase diffusion copper.xyz --barriers copper.json --temperatures 1000 --hops 1e6
    """
    from macro_ase.commands.diffusion_file import diffusion_file

    options = {"barriers": args.barriers, "vacancies": args.vacancies, "seed": args.seed}
    options |= {"vacancy_fraction": args.vacancy_fraction, "species": args.species}
    options |= {"equilibration_hops": args.equilibration, "csv": args.csv, "plot": args.plot}
    print(diffusion_file(args.file, args.temperatures, args.hops, **options))
