"""SNAP potentials that a user has: their two files made fit for today's LAMMPS.

Published parameter files hold keys that LAMMPS has dropped since: ``diagonalstyle``, of which
only 3 is left and built in, and ``gamma`` (1). They are taken out of a copy; the files themselves
are not changed. The format: docs.lammps.org/pair_snap.html.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..reasons import absent

REQUIRED = ("rcutfac", "twojmax")
KNOWN = (
    *REQUIRED,
    "rfac0",
    "rmin0",
    "switchflag",
    "bzeroflag",
    "quadraticflag",
    "chemflag",
    "bnormflag",
    "wselfallflag",
    "switchinnerflag",
    "sinner",
    "dinner",
    "chunksize",
    "parallelthresh",
)
BUILT_IN = {"diagonalstyle": 3.0, "gamma": 1.0}
PUBLISHED_WITHOUT_ZBL = frozenset({"Nb", "Mo", "Ta", "W"})


@dataclass(frozen=True)
class SnapPotential:
    """A SNAP potential, ready for LAMMPS.

    Attributes
    ----------
    commands : tuple of str
        ``pair_style`` and ``pair_coeff`` lines, for `LammpsCalculator` and `LammpsPatch`.
    species : tuple of str
        Elements of the atom types 1, 2, ...
    cutoff_A : float
        Longest distance between atoms that interact, rcutfac times twice the largest radius.
    folder : tempfile.TemporaryDirectory
        Holds the cleaned files, as long as this object lives.
    """

    commands: tuple[str, ...]
    species: tuple[str, ...]
    cutoff_A: float
    folder: tempfile.TemporaryDirectory[str]


def load_snap(
    snapcoeff: str | Path,
    snapparam: str | Path,
    species: Sequence[str] | None = None,
    zbl_A: tuple[float, float] | None = None,
) -> SnapPotential:
    """Read the files of a SNAP potential.

    Parameters
    ----------
    snapcoeff, snapparam : str or Path
    species : sequence of str, optional
        Which elements, in which order of atom types; default: those of the file.
    zbl_A : (inner, outer), optional
        Adds the Ziegler-Biersack-Littmark repulsion with this switching range, if the potential
        was fitted on top of it.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    ValueError
        If a file is broken, a key means what LAMMPS no longer does, or an element is not in it.
    """
    for file in (snapcoeff, snapparam):
        if not Path(file).is_file():
            raise FileNotFoundError(absent(file))
    radii = _elements(Path(snapcoeff))
    order = tuple(species) if species is not None else tuple(radii)
    missing = [name for name in order if name not in radii]
    if missing:
        raise ValueError(f"{snapcoeff} knows {', '.join(radii)}, not {', '.join(missing)}")
    parameters = _parameters(Path(snapparam))
    folder = tempfile.TemporaryDirectory(prefix="macro_ase_snap_")
    coefficients, cleaned = (Path(folder.name) / name for name in ("snapcoeff", "snapparam"))
    coefficients.write_text(Path(snapcoeff).read_text())
    cleaned.write_text("".join(f"{key} {value}\n" for key, value in parameters.items()))
    files = f"{coefficients} {cleaned} {' '.join(order)}"
    largest = max(radii[name] for name in order)
    cutoff = 2 * float(parameters["rcutfac"]) * largest
    return SnapPotential(_commands(files, order, zbl_A), order, cutoff, folder)


def _commands(
    files: str, order: tuple[str, ...], zbl_A: tuple[float, float] | None
) -> tuple[str, ...]:
    if zbl_A is None:
        return ("pair_style snap", f"pair_coeff * * {files}")
    if set(order) <= PUBLISHED_WITHOUT_ZBL:
        warnings.warn(
            "ZBL on top of the published SNAP of Nb, Mo, Ta and W makes its energies wrong",
            stacklevel=3,
        )
    from ase.data import atomic_numbers

    pairs = [
        f"pair_coeff {n} {m} zbl {atomic_numbers[a]} {atomic_numbers[b]}"
        for n, a in enumerate(order, 1)
        for m, b in enumerate(order[n - 1 :], n)
    ]
    style = f"pair_style hybrid/overlay zbl {zbl_A[0]:g} {zbl_A[1]:g} snap"
    return (style, *pairs, f"pair_coeff * * snap {files}")


def _words(file: Path) -> list[list[str]]:
    """Words of each line that is not empty or a comment."""
    lines = (line.partition("#")[0].split() for line in file.read_text().splitlines())
    return [words for words in lines if words]


def _elements(file: Path) -> dict[str, float]:
    """Radius by element, in the order of the file; the number of coefficients is checked."""
    lines = _words(file)
    try:
        n_elements, n_coefficients = (int(word) for word in lines[0][:2])
        heads = [lines[1 + k * (1 + n_coefficients)] for k in range(n_elements)]
        radii = {name: float(radius) for name, radius, _ in heads}
        values = [float(words[0]) for words in lines[1:] if words not in heads]
    except (ValueError, IndexError):
        raise ValueError(f"{file} is no SNAP coefficient file, or it ends early") from None
    if len(values) != n_elements * n_coefficients or len(radii) != n_elements:
        raise ValueError(
            f"{file} holds {len(values)} coefficients, not {n_coefficients} for each of "
            f"{n_elements} elements"
        )
    return radii


def _parameters(file: Path) -> dict[str, str]:
    """Keys that today's LAMMPS takes."""
    try:
        found = {words[0]: " ".join(words[1:]) for words in _words(file)}
        past = {key: float(found[key]) for key in BUILT_IN if key in found}
        unknown = sorted(found.keys() - set(KNOWN) - BUILT_IN.keys())
        for key in REQUIRED:
            float(found[key])
    except KeyError as error:
        raise ValueError(f"{file} lacks {error.args[0]}") from None
    except ValueError:
        raise ValueError(f"{file} is no SNAP parameter file") from None
    if unknown:
        raise ValueError(f"{file} has the unknown key {unknown[0]}; known are {', '.join(KNOWN)}")
    for key, value in past.items():
        if value != BUILT_IN[key]:
            raise ValueError(
                f"{file}: LAMMPS no longer has {key} {value:g}, only {BUILT_IN[key]:g}"
            )
    return {key: value for key, value in found.items() if key not in BUILT_IN}
