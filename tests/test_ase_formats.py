"""ASE reads and writes by the formats that the package registers."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from ase.io.formats import define_external_io_format, ioformats

from macro_ase import ConstantBarriers, SwapMC, VacancyKMC, build_crystal

ROOT = Path(__file__).parent.parent
GROUP = "ase.ioformats"
LABELLED = """written by hand

2 atoms
2 atom types

0 4 xlo xhi
0 4 ylo yhi
0 4 zlo zhi

Atom Type Labels

1 Ta_bulk
2 Mo

Masses

Ta_bulk 180.94788
Mo 95.95

Atoms # atomic

7 Mo 1 1 1
3 Ta_bulk 2 2 2
"""


@pytest.fixture(autouse=True)
def formats() -> Iterator[None]:
    """The entry points of the project, also where an earlier version is installed."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
    added = [EntryPoint(n, value, GROUP) for n, value in points.items() if n not in ioformats]
    for point in added:
        define_external_io_format(point)
    yield
    for point in added:
        del ioformats[point.name]


def alloy(vacancies: int = 0) -> Atoms:
    return build_crystal("bcc", "NbMoTa", (4, 4, 4), vacancies=vacancies, rng=0)


def test_type_labels_that_are_no_elements(tmp_path: Path) -> None:
    (tmp_path / "data.in").write_text(LABELLED)
    atoms = read(tmp_path / "data.in", format="macro-ase-lammps-data")
    assert sorted(zip(atoms.arrays["id"].tolist(), atoms.get_chemical_symbols())) == [
        (3, "Ta"),
        (7, "Mo"),
    ]


@pytest.mark.parametrize("name", ["a.lmp", "a.lmp.gz"])
def test_data_files_there_and_back(name: str, tmp_path: Path) -> None:
    atoms = alloy()
    options = {"format": "macro-ase-lammps-data", "species": ["Ta", "Nb", "Mo"]}
    write(tmp_path / name, atoms, **options)
    back = read(tmp_path / name, format="macro-ase-lammps-data")
    assert (back.numbers == atoms.numbers).all() and np.allclose(back.positions, atoms.positions)


def test_dumps_there_and_back(tmp_path: Path) -> None:
    frames = [alloy(), alloy()]
    frames[1].rattle(0.1, seed=0)
    write(tmp_path / "a.dump", frames, format="macro-ase-lammps-dump")
    back = read(tmp_path / "a.dump", ":", format="macro-ase-lammps-dump")
    assert len(back) == 2 and np.allclose(back[1].positions, frames[1].positions)
    last = read(tmp_path / "a.dump", format="macro-ase-lammps-dump")
    assert np.allclose(last.positions, frames[1].positions)


def test_restarts_hold_the_atoms(tmp_path: Path) -> None:
    hopping = alloy(vacancies=1)
    barriers = ConstantBarriers({"Nb": 1.0, "Mo": 1.0, "Ta": 1.0})
    kmc = VacancyKMC(hopping, barriers, temperature_K=2000, rng=0)
    kmc.run(50)
    swapped = alloy()
    swaps = SwapMC(swapped, temperature_K=2000, rng=0)
    swaps.run(50)
    for driver, atoms in ((kmc, hopping), (swaps, swapped)):
        driver.write_restart(tmp_path / "state.npz")
        back = read(tmp_path / "state.npz", format="macro-ase-restart")
        assert (back.numbers == atoms.numbers).all() and back.info["nsteps"] == 50
        assert np.allclose(back.positions, atoms.positions) and np.allclose(back.cell, atoms.cell)


def test_what_holds_no_atoms_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", spins=np.ones(4))
    with pytest.raises(ValueError, match="holds no atoms: it has no numbers and no positions"):
        read(tmp_path / "other.npz", format="macro-ase-restart")
