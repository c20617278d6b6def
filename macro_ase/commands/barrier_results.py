"""What `macro-ase compute-barriers` leaves in its folder, and says, of the hops in its journal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import write
from numpy.typing import NDArray

from ..barriers.nudged_band import Hop, radius_error
from ..files import replacing
from ..run_folder import versions, write_json
from .journal import Journal

CRYSTAL = "crystal"
"""Key of the relaxed crystal in the journal."""

RADIUS_CHECKS = 4
"""Hops that are also computed with all atoms free, to measure the error of local relaxation."""

HOP_FIELDS = {field.name for field in fields(Hop)}

Pair = tuple[int, int]
Job = tuple[int, int, float | None]


def job_key(job: Job) -> str:
    """Key in the journal of (vacancy, target, relaxation radius); atoms by number from 1."""
    vacancy, target, radius_A = job
    return f"{target + 1} into {vacancy + 1}" + ("" if radius_A is None else ", local")


def is_record(n_atoms: int, key: str, record: Any) -> bool:
    """Whether an item of the journal is what became of the crystal or of a hop, whole."""
    if not isinstance(record, dict):
        return False
    if "failed" in record:
        return isinstance(record["failed"], str)
    if key == CRYSTAL:
        finite = _are_finite(record, ("energy_eV", "fmax_eV_A"))
        return finite and _are_positions(record.get("positions_A"), n_atoms)
    flags = all(isinstance(record.get(name), bool) for name in ("converged", "collapsed"))
    if not flags or set(record) != HOP_FIELDS:
        return False
    return not Hop(**record).usable or _are_finite(record, ("forward_eV", "backward_eV"))


def _are_finite(record: Mapping[str, Any], names: Sequence[str]) -> bool:
    values = [record.get(name) for name in names]
    return all(isinstance(v, int | float) and math.isfinite(v) for v in values)


def _are_positions(value: Any, n_atoms: int) -> bool:
    try:
        positions = np.array(value, dtype=float)
    except (TypeError, ValueError):
        return False
    return positions.shape == (n_atoms, 3) and bool(np.isfinite(positions).all())


def write_results(
    folder: Path,
    atoms: Atoms,
    neighbours: NDArray[np.int64],
    chosen: Sequence[Pair],
    journal: Journal,
) -> str:
    """Write tables and results, and describe them.

    POSCAR and tables have one block of atoms for each element; elsewhere atoms have the numbers of
    the structure file, which ``atoms_of_POSCAR`` lists in the order of POSCAR.

    Parameters
    ----------
    folder : Path
    atoms : ase.Atoms
    neighbours : int array, shape (n_atoms, 8)
        Indices of the first neighbours.
    chosen : sequence of (int, int)
        Hops (vacancy, target).
    journal : Journal
        Holds what became of them.
    """
    radius_A = journal.settings["relax_radius_A"]
    records = {pair: journal.records[job_key((*pair, radius_A))] for pair in chosen}
    table = np.full(neighbours.shape, np.nan)
    for (vacancy, target), record in records.items():
        if _fault(record) is None:
            table[vacancy, neighbours[vacancy] == target] = record["forward_eV"]
    order = _by_element(atoms)
    with replacing(folder / "POSCAR") as beside:
        write(beside, atoms[order], format="vasp", direct=True)
    with replacing(folder / "atomid_for_NN.txt") as beside:
        np.savetxt(beside, np.argsort(order)[neighbours[order]] + 1, fmt="%d")
    with replacing(folder / "barrier_for_NN.txt") as beside:
        np.savetxt(beside, table[order], fmt="%.6f")
    faults = {job_key((*p, None)): f for p, r in records.items() if (f := _fault(r)) is not None}
    error = None if radius_A is None else _radius_error(chosen, journal)
    crystal = {k: v for k, v in journal.records[CRYSTAL].items() if k != "positions_A"}
    hops = {job_key((*pair, None)): record for pair, record in records.items()}
    write_json(
        folder / "results.json",
        {
            "settings": journal.settings,
            "versions": versions(),
            "crystal": crystal,
            "atoms_of_POSCAR": (order + 1).tolist(),
            "left_out": faults,
            "radius_error": error,
            "hops": hops,
        },
    )
    return "\n".join(_describe(folder, table, len(chosen), faults, error, radius_A))


def _by_element(atoms: Atoms) -> NDArray[np.int64]:
    """Indices that put the atoms in one block for each element, in order of first appearance."""
    symbols = atoms.get_chemical_symbols()
    blocks = list(dict.fromkeys(symbols))
    return np.argsort([blocks.index(symbol) for symbol in symbols], kind="stable")


def _fault(record: Mapping[str, Any]) -> str | None:
    """Why a hop has no barrier, if it has none."""
    if "failed" in record:
        return str(record["failed"])
    if record["collapsed"]:
        lower = min(record["forward_eV"], record["backward_eV"])
        return "collapsed" if math.isnan(lower) else f"collapsed: a barrier of {lower:.4f} eV"
    return None if record["converged"] else "not converged"


def _radius_error(chosen: Sequence[Pair], journal: Journal) -> dict[str, float]:
    radius_A = journal.settings["relax_radius_A"]
    both = [
        [journal.records[job_key((*pair, r))] for r in (radius_A, None)]
        for pair in chosen[:RADIUS_CHECKS]
    ]
    hops = [[Hop(**r) for r in pair] for pair in both if not any("failed" in r for r in pair)]
    return asdict(radius_error([local for local, _ in hops], [whole for _, whole in hops]))


def _describe(
    folder: Path,
    table: NDArray[np.float64],
    n_hops: int,
    faults: Mapping[str, str],
    error: Mapping[str, float] | None,
    radius_A: float | None,
) -> Iterator[str]:
    values = table[np.isfinite(table)]
    yield f"hops        {n_hops} of {table.size}, {len(values)} with a barrier"
    if len(values):
        yield (
            f"barriers    mean {values.mean():.4f} eV, {values.min():.4f} to {values.max():.4f} eV"
        )
    yield f"left out    {len(faults)}, nan in the table"
    yield from (f"            atom {name}: {fault}" for name, fault in faults.items())
    if error is not None:
        yield (
            f"local       only atoms within {radius_A:g} A relax: error "
            f"{error['mean_eV']:+.4f} eV, at most {error['largest_eV']:.4f} eV, "
            f"in {error['n_hops']} hops and back"
        )
    yield f"written: {folder}"
