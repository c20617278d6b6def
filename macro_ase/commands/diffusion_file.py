"""Diffusion in a structure file: what ``macro-ase diffusion`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..analysis.diffusion import diffusion
from ..analysis.diffusion_table import DiffusionTable
from ..barriers.load import load_barriers
from ..lattice import VACANCY
from ..report.figures import colour, dots, line, panels
from ..report.numbers import rounded
from ..rng import stream
from ..structure_files import read_structure, split_index
from .file_roles import Files, require_apart
from .output_file import require_writable
from .random_vacancies import take_out


def diffusion_file(
    path: str | Path,
    temperatures_K: Sequence[float],
    hops: int,
    barriers: str | Path | None = None,
    vacancies: int = 0,
    vacancy_fraction: str | Path | float | None = None,
    equilibration_hops: int | None = None,
    seed: int = 0,
    csv: str | Path | None = None,
    plot: str | Path | None = None,
    species: Sequence[str] | None = None,
) -> str:
    """Diffusion coefficients of a crystal, as text.

    Parameters
    ----------
    path : str or Path
        As for `kmc_file`.
    temperatures_K, hops, vacancy_fraction, equilibration_hops
        Those of `diffusion`.
    barriers : str or Path, optional
        Default: the NbMoTa model that ships.
    vacancies : int
        Atoms taken out at random first.
    seed : int
    csv, plot : str or Path, optional
        Table and Arrhenius figure to write.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, with nothing written.
    """
    read: dict[str, str | Path | None] = {"structure": split_index(path)[0], "barriers": barriers}
    if isinstance(vacancy_fraction, str | Path) and Path(vacancy_fraction).is_file():
        read["vacancy-fraction"] = vacancy_fraction
    _require_files(read, csv, plot)
    model = load_barriers(barriers)
    atoms = model.crystal(read_structure(path, species=species)).to_atoms()
    take_out(atoms, vacancies, seed)
    rng, before = stream(seed, "diffusion"), equilibration_hops
    table = diffusion(atoms, model, temperatures_K, hops, vacancy_fraction, before, rng)
    if csv is not None:
        table.to_csv(csv)
    if plot is not None:
        plot_diffusion(Path(plot), table)
    lattice = model.crystal(atoms).grid.lattice.name
    title = f"{Path(path).name}: {len(atoms)} {lattice} sites, {atoms.symbols.formula:metal}"
    return "\n".join([title, *text(table)])


def _require_files(read: Files, csv: str | Path | None, plot: str | Path | None) -> None:
    """Raise an error unless both files can be written, and over none that is read."""
    require_apart(read, {"csv": csv, "plot": plot}, frozenset())
    for output, ending in ((csv, ""), (plot, ".png")):
        if output is not None:
            require_writable(Path(output), ending, "a figure")


def text(table: DiffusionTable) -> list[str]:
    """Lines on each temperature, and Arrhenius laws where there are several."""
    scaled, errors = table.coefficients_m2_s
    lines = [
        f"simulated: {table.rows[0].vacancy_fraction:.3g} vacancies a site; D of X is that of a "
        "vacancy, f its correlation factor"
    ]
    for k, row in enumerate(table.rows):
        lines += ["", f"{row.temperature_K:g} K, {row.hops} hops, {row.time_s:.3e} s"]
        header = f"{'':6}{'D (m^2/s)':<24}{'f':<20}{'jumps per s':<24}"
        if table.real is not None:
            c, spread = table.real.value[k], table.real.log_error[k]
            known = f", known within {spread:.0%}" if spread else ""
            lines[-1] += f"; in the laboratory {c:.3g} vacancies a site{known}"
            header += "D in the laboratory"
        lines.append(header.rstrip())
        for s, name in enumerate(row.species):
            cells = [
                f"{rounded(row.coefficient_m2_s[s], row.coefficient_error[s], '.3e'):<24}",
                f"{rounded(row.correlation[s], row.correlation_error[s]):<20}",
                f"{rounded(row.jumps_per_s[s], row.jumps_error[s], '.3e'):<24}",
            ]
            if table.real is not None:
                cells.append(rounded(scaled[k, s], errors[k, s], ".3e"))
            lines.append(f"{name:6}{''.join(cells)}".rstrip())
    return lines + (_laws(table) if len(set(table.temperatures_K)) > 1 else [])


def _laws(table: DiffusionTable) -> list[str]:
    """Arrhenius laws as a table."""
    where = "simulated crystal" if table.real is None else "laboratory"
    lines = ["", f"D = D0 exp(-Q / kT), {where}", f"{'':6}{'D0 (m^2/s)':<24}{'Q (eV)':<20}chi2"]
    for name, law in table.arrhenius().items():
        lines.append(
            f"{name:6}{rounded(law.prefactor, law.prefactor_error, '.2e'):<24}"
            f"{rounded(law.activation_eV, law.activation_error_eV):<20}"
            f"{law.chi2:.1f} of {law.degrees}"
        )
    return lines


def plot_diffusion(path: Path, table: DiffusionTable) -> None:
    """D against 1 / T with Arrhenius laws, and correlation factors."""
    inverse = 1000 / table.temperatures_K
    D, errors = table.coefficients_m2_s
    laws = table.arrhenius() if len(set(table.temperatures_K)) > 1 else {}
    with panels(path, columns=2) as (left, right):
        for s, name in enumerate(table.species):
            shade = colour(s)
            label = "vacancy" if name == VACANCY else name
            dots(left, inverse, D[:, s], shade, errors[:, s], label=label)
            if name in laws:
                line(left, inverse, laws[name].at(table.temperatures_K)[0], shade)
            f = [(row.correlation[s], row.correlation_error[s]) for row in table.rows]
            dots(right, table.temperatures_K, [a for a, _ in f], shade, [b for _, b in f])
        left.set_yscale("log")
        left.set(xlabel="1000 K / T", ylabel=r"$D$ (m$^2$/s)")
        right.set(xlabel="T (K)", ylabel="correlation factor")
