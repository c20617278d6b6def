"""What to cite for a run: this package, and the papers whose methods and data its settings use."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import __version__

WORKS: dict[str, dict[str, str]] = {
    "macro_ase": {
        "type": "software",
        "author": "{The macro_ase developers}",
        "title": "{macro_ase}: how a large material behaves, learned from small patches",
        "version": __version__,
    },
    "patches": {
        "type": "article",
        "author": "Chen and Huang and Novoselov and Li",
        "title": "Scalable learning of macroscopic stochastic dynamics",
        "journal": "arXiv:2511.12842",
        "year": "2025",
    },
    "partial_forces": {
        "type": "article",
        "author": "Chen and Li",
        "title": "Learning Macroscopic Dynamics from Partial Microscopic Observations",
        "journal": "arXiv:2410.23938",
        "year": "2024",
    },
    "kinetically_resolved_activation": {
        "type": "article",
        "author": "Van der Ven, A. and Ceder, G. and Asta, M. and Tepesch, P. D.",
        "title": "First-principles theory of ionic diffusion with nondilute carriers",
        "journal": "Physical Review B",
        "volume": "64",
        "pages": "184307",
        "year": "2001",
    },
    "barriers_from_DFT": {
        "type": "misc",
        "author": "{UCICaoLab}",
        "title": "{First-principle-NNK}: barriers of vacancy hops from density functional theory",
        "howpublished": "repository UCICaoLab/First-principle-NNK",
    },
    "network_kinetics": {
        "type": "article",
        "author": "Xing, B. and Rupert, T. J. and Pan, X. and Cao, P.",
        "title": "Neural network kinetics for exploring diffusion multiplicity and chemical"
        " ordering in compositionally complex materials",
        "journal": "Nature Communications",
        "volume": "15",
        "pages": "3879",
        "year": "2024",
    },
    "energies_NbMoTaW": {
        "type": "article",
        "author": "Li, X.-G. and Chen, C. and Zheng, H. and Zuo, Y. and Ong, S. P.",
        "title": "Complex strengthening mechanisms in the {NbMoTaW} multi-principal element alloy",
        "journal": "npj Computational Materials",
        "volume": "6",
        "pages": "70",
        "year": "2020",
    },
    "embedded_atom": {
        "type": "article",
        "author": "Zhou, X. W. and Johnson, R. A. and Wadley, H. N. G.",
        "title": "Misfit-energy-increasing dislocations in vapor-deposited {CoFe/NiFe} multilayers",
        "journal": "Physical Review B",
        "volume": "69",
        "pages": "144113",
        "year": "2004",
    },
    "effective_medium": {
        "type": "article",
        "author": "Jacobsen, K. W. and Stoltze, P. and N{\\o}rskov, J. K.",
        "title": "A semi-empirical effective medium theory for metals and alloys",
        "journal": "Surface Science",
        "volume": "366",
        "pages": "394",
        "year": "1996",
    },
    "cluster_moves": {
        "type": "article",
        "author": "Wolff, U.",
        "title": "Collective {Monte Carlo} updating for spin systems",
        "journal": "Physical Review Letters",
        "volume": "62",
        "pages": "361",
        "year": "1989",
    },
}
FORCES = (
    *("predator-prey-forces", "allen-cahn-forces", "lennard-jones-forces"),
    "lennard-jones-saving",
)
VACANCIES = ("vacancy-alloy", "vacancy-alloy-compositions")


def citation(run: str | Path | None = None) -> str:
    """What to cite, as BibTeX.

    Parameters
    ----------
    run : str or Path, optional
        Folder of a run, or a file of settings; default: the package and its two papers.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such settings.
    """
    if run is None:
        return bibtex(("macro_ase", "patches", "partial_forces"))
    path = Path(run)
    file = path / "config.toml" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"{run} is neither the folder of a run nor a file of settings")
    try:
        return bibtex(works_of(tomllib.loads(file.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ValueError(f"{file} is not valid TOML: {error}") from error


def works_of(config: dict[str, Any]) -> Iterator[str]:
    """Keys of `WORKS` that the settings of a run use."""
    system = config.get("system", {})
    model, barriers = system.get("model"), str(system.get("barriers", ""))
    yield "macro_ase"
    yield "partial_forces" if model in FORCES else "patches"
    if model in VACANCIES:
        network = barriers.endswith(".npz")
        yield "network_kinetics" if network else "kinetically_resolved_activation"
        if not barriers.endswith((".npz", ".json")):
            yield from ("barriers_from_DFT", "energies_NbMoTaW")
    if model == "swap-alloy" and not system.get("potential"):
        yield from ("embedded_atom", "energies_NbMoTaW")
    if model == "swap-calculator" and system.get("calculator") == "emt":
        yield "effective_medium"
    if model == "ising-critical":
        yield "cluster_moves"


def bibtex(keys: Iterable[str]) -> str:
    """Entries of works, as BibTeX."""
    return "\n".join(_entry(key, WORKS[key]) for key in keys)


def _entry(key: str, work: dict[str, str]) -> str:
    fields = "".join(f"  {name} = {{{text}}},\n" for name, text in work.items() if name != "type")
    return f"@{work['type']}{{{key},\n{fields}}}\n"
