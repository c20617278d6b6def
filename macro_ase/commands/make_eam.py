"""What ``macro-ase make-potential eam`` does: fit cross terms of an EAM, and say how good it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..potentials.accuracy import accuracy_table, crystal_properties
from ..potentials.dft_frames import read_frames
from ..potentials.eam_calculator import TableEAM
from ..potentials.eam_fit import Result, fit
from ..rng import whole_seed
from .output_file import require_writable

ENDING = ".eam.alloy"


def make_eam_command(
    data_files: Sequence[str | Path],
    out: str | Path,
    seed: int = 0,
    energy_key: str | None = None,
    forces_key: str | None = None,
) -> str:
    """Fit the cross terms of the Nb-Mo-Ta embedded-atom potential, save and describe it.

    Parameters
    ----------
    data_files : sequence of str or Path
        Frames with energies and forces: pure Nb, Mo and Ta at rest, and alloys. See `read_frames`.
    out : str or Path
        Table to write for LAMMPS's ``pair_style eam/alloy``, ``.eam.alloy``.
    seed : int
        Of the partition into folds.
    energy_key, forces_key : str, optional
        See `read_frames`.

    Returns
    -------
    str
        Errors on held-out structures, the parameters, and properties of crystals.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong with it; nothing is then written.
    """
    file, files = Path(out), [Path(name) for name in data_files]
    require_writable(file, ENDING, "an EAM table")
    seed = whole_seed(seed)
    result = fit(read_frames(files, energy_key, forces_key), seed)
    table = replace(result.table, comment=_comment(files, file, seed))
    table.write(file)
    properties = crystal_properties(TableEAM(table), table.species, seed)
    return "\n".join(
        [
            *_errors(result),
            "",
            *_parameters(result),
            "",
            accuracy_table(properties),
            "",
            f"written: {file}",
        ]
    )


def _comment(files: Sequence[Path], out: Path, seed: int) -> tuple[str, str, str]:
    """What the table was made from and how; names without directories."""
    sums = [f"{f.name} sha256 {hashlib.sha256(f.read_bytes()).hexdigest()[:16]}" for f in files]
    names = " ".join(f.name for f in files)
    return (
        "Nb, Mo, Ta: Zhou-Johnson-Wadley EAM; cross terms fitted by macro_ase to the frames in",
        "; ".join(sums),
        f"macro-ase make-potential eam --data {names} --out {out.name} --seed {seed}",
    )


def _errors(result: Result) -> list[str]:
    return [
        "root-mean-square errors of frames whose structure was held out",
        "",
        "| alloy | frames | energy (meV/atom) | force (meV/A) |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {e.frames} | {e.energy_meV:.2f} | {e.force_meV_A:.0f} |"
            for name, e in result.errors.items()
        ),
    ]


def _parameters(result: Result) -> list[str]:
    species, p = result.table.species, result.parameters
    return [
        f"scales s of the densities    {_by(species, p.density_scales.tolist())}",
        f"cubic embedding terms c (eV) {_by(species, p.cubic_eV.tolist())}",
        f"smoothness lambda            {result.smoothness:g}",
    ]


def _by(species: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in zip(species, values))
