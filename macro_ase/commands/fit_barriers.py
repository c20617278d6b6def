"""What ``macro-ase fit-barriers`` does: fit a barrier model to files, and say how good it is."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..barriers.fit_data import find_tables
from ..barriers.fitting import fit, load_data
from ..barriers.kra import KRABarriers
from ..build import build_crystal
from ..crystal import Crystal
from ..lattice import BCC
from ..observables.bonds import bond_counts
from ..observables.short_range_order import warren_cowley_from_bonds
from ..rng import stream, whole_seed
from ..statistics import standard_error
from .output_file import require_writable

ALPHA_TEMPERATURE_K = 2000.0
ALPHA_CELLS = (10, 10, 10)
ALPHA_SWEEPS, ALPHA_EQUILIBRATION = 3000, 300


def fit_barriers_command(
    directories: Sequence[str | Path],
    out: str | Path,
    energies: Sequence[str | Path] = (),
    seed: int = 0,
) -> str:
    """Fit a barrier model, save it with its accuracy and provenance, and describe it.

    Parameters
    ----------
    directories : sequence of str or Path
        Each holds ``POSCAR`` and barrier tables, or subfolders that do.
    out : str or Path
        Model to write, ``.json``.
    energies : sequence of str or Path
        Files of relaxed frames with energies, extxyz.
    seed : int
        Of the partitions into folds, the bootstrap and the swap Monte Carlo.

    Returns
    -------
    str
        What cannot be trusted, errors, data sizes, pair energies and short-range order.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong with it; nothing is then written.
    """
    folders, frame_files = [[Path(p) for p in paths] for paths in (directories, energies)]
    file = Path(out)
    seed = whole_seed(seed)
    require_writable(file, ".json", "a barrier model")
    tables, frames = load_data(folders, frame_files)
    model, metrics = fit(tables, frames, seed)
    alpha = first_shell_alpha(model, tables[0].crystal.lattice_constant_A, seed)
    model.info["metrics"] = {**metrics, "alpha_2000K": alpha}
    model.info["provenance"] = _provenance(folders, file, frame_files, seed)
    model.save(file)
    return "\n".join(
        [
            *(f"WARNING: {sentence}" for sentence in model.fit_warnings),
            *_errors(model.info["metrics"]),
            *(f"            collapsed: {name}" for table in tables for name in table.collapsed),
            *(f"            outlier: {name}" for name in _all_outliers(metrics)),
            *_pair_energies(model),
            *_alphas(alpha),
            f"written: {file}",
        ]
    )


def first_shell_alpha(
    model: KRABarriers, lattice_constant_A: float, seed: int
) -> dict[str, tuple[float, float]]:
    """First-shell Warren-Cowley alpha of unlike pairs at 2000 K, with errors, on the energy.

    From swap Monte Carlo of a random crystal of 10 x 10 x 10 cells with the mean composition
    of the cells that the barriers were fitted to.

    Returns
    -------
    dict
        (alpha, standard error) by pair, such as ``"Mo-Ta"``.
    """
    from ..engines.swaps.mc import SwapMC

    if len(model.species) == 1:
        return {}
    composition = dict(zip(model.species, model.compositions.mean(axis=0)))
    start = build_crystal(
        "bcc",
        composition,
        ALPHA_CELLS,
        lattice_constant_A=lattice_constant_A,
        rng=np.random.default_rng(stream(seed, "alpha-start")),
    )
    crystal = Crystal.from_atoms(start, species=model.species)
    swaps = SwapMC(start, ALPHA_TEMPERATURE_K, model.energy, rng=stream(seed, "alpha"))
    neighbours, sweep = crystal.grid.neighbors(BCC.shells(1)[0]), crystal.grid.n_sites
    swaps.run(ALPHA_EQUILIBRATION * sweep)
    bonds = []
    for _ in range(ALPHA_SWEEPS):
        swaps.run(sweep)
        bonds.append(bond_counts(swaps.occupation, neighbours, len(crystal.species)))
    alpha = warren_cowley_from_bonds(np.array(bonds), crystal.counts, 8)
    mean, error = alpha.mean(axis=0), standard_error(alpha)
    return {
        f"{model.species[a]}-{model.species[b]}": (
            round(float(mean[a, b]), 5),
            round(float(error[a, b]), 5),
        )
        for a, b in itertools.combinations(range(len(model.species)), 2)
    }


def _provenance(folders: list[Path], out: Path, energies: list[Path], seed: int) -> dict[str, Any]:
    """What the model was made from and how; names without directories."""
    tables = {
        file: str(file.relative_to(folder.parent))
        for folder in folders
        for table in find_tables(folder)
        for pattern in ("POSCAR", "atomid*.txt", "barrier*.txt")
        for file in sorted(table.glob(pattern))
    }
    names = [*tables.values(), *(f.name for f in energies)]
    command = ["macro-ase", "fit-barriers", *(folder.name for folder in folders)]
    if energies:
        command += ["--energies", *(f.name for f in energies)]
    command += ["--out", out.name, "--seed", str(seed)]
    return {
        "files": [
            {
                "name": name,
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for name, file in zip(names, [*tables, *energies])
        ],
        "macro_ase": __version__,
        "seed": seed,
        "command": " ".join(command),
    }


def _errors(m: dict[str, Any]) -> list[str]:
    """Data sizes and cross-validated errors."""
    lines = [
        f"barriers    {m['n_barriers']:6d} used, {m['n_collapsed']} collapsed hops dropped",
        f"            cross-validated MAE {m['barrier_cv_mae_eV']:.4f}"
        f" +- {m['barrier_cv_mae_error_eV']:.4f} eV, R^2 {m['barrier_cv_r2']:.3f}",
    ]
    lines += _species_errors(m)
    if "compositions" in m:
        lines += _composition_errors(m)
    if "n_frames" in m:
        lines += [
            f"energies    {m['n_frames']:6d} relaxed frames used, {m['n_frames_skipped']} left out",
            f"            cross-validated rms {m['formation_rms_meV']:.2f}"
            f" +- {m['formation_rms_error_meV']:.2f} meV/atom",
        ]
    return lines


def _all_outliers(m: dict[str, Any]) -> list[str]:
    return [*m["outliers"], *m.get("formation_outliers", [])]


def _species_errors(m: dict[str, Any]) -> list[str]:
    """Barriers by hopping species, eV: given, predicted without their sites, and the error."""
    head = "            hops of    number    mean  spread   predicted  spread    MAE"
    return [
        head,
        *(
            f"            {name:7s}{m['n_hops'][name]:10d}{e['mean_eV']:8.3f}{e['std_eV']:8.3f}"
            f"{e['cv_mean_eV']:12.3f}{e['cv_std_eV']:8.3f}   {_with_error(e, 'cv_mae')}"
            for name, e in m["species"].items()
        ),
    ]


def _composition_errors(m: dict[str, Any]) -> list[str]:
    """Mean absolute errors by composition: fitted alone, with the others, left out; mean shift."""
    columns = {"alone_mae": "alone", "cv_mae": "together", "left_out_mae": "left out"}
    columns["left_out_shift"] = "mean shift of these"
    head = "".join(title.ljust(19) for title in columns.values())
    width = max(map(len, m["compositions"]))
    return [
        "            whole compositions left out: "
        f"MAE {_with_error(m, 'left_out_composition_mae')} eV",
        f"            {'MAE, eV, fitted'.ljust(width)}  {head}".rstrip(),
        *(
            f"            {name.ljust(width)}  "
            + "".join(_with_error(errors, key).ljust(19) for key in columns).rstrip()
            for name, errors in m["compositions"].items()
        ),
    ]


def _with_error(m: dict[str, Any], name: str) -> str:
    value = m[f"{name}_eV"]
    return "unknown" if value is None else f"{value:.4f} +- {m[f'{name}_error_eV']:.4f}"


def _pair_energies(model: KRABarriers) -> list[str]:
    """Energies of bonds by shell, atoms with atoms and with the vacancy."""
    names = (*model.species, "X")
    pairs = list(itertools.combinations(range(len(names)), 2))
    head = "".join(f"{names[a]}-{names[b]}".rjust(8) for a, b in pairs)
    rows = [
        f"{k + 1:5d}" + "".join(f"{1e3 * shell[a, b]:8.1f}" for a, b in pairs)
        for k, shell in enumerate(model.energy.pair_eV)
    ]
    return ["pair energies, meV a bond", f"shell{head}", *rows]


def _alphas(alpha: dict[str, tuple[float, float]]) -> list[str]:
    if not alpha:
        return []
    return [
        f"Warren-Cowley alpha, first shell, swap Monte Carlo at {ALPHA_TEMPERATURE_K:g} K",
        *(f"{pair:>8} {value:8.4f} +- {error:.4f}" for pair, (value, error) in alpha.items()),
    ]
