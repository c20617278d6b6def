"""Tables that fits read: what is used, what is dropped, what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from macro_ase.barriers.fit_data import read_table
from macro_ase.barriers.fitting import load_data


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("POSCAR", None, "no POSCAR"),
        ("POSCAR", "nonsense", "POSCAR cannot be read"),
        ("atomid_for_NN.txt", None, r"expected one atomid\*.txt"),
        ("barrier_for_NN.txt", "1 2\n3 4\n", "54 atoms need tables of 54 x 8"),
        ("barrier_for_NN.txt", "1 two\n", "two"),
        ("barrier_for_NN.txt", "-1 " * 8 + "\n", "54 x 8"),
        ("barrier_for_NN.txt", "", "barrier_for_NN.txt holds no data"),
        ("barrier_for_NN.txt", ("nan " * 8 + "\n") * 54, "every barrier is nan"),
        ("atomid_for_NN.txt", ("0 " * 8 + "\n") * 54, r"whole and lie in 1..54"),
        ("atomid_for_NN.txt", ("nan " * 8 + "\n") * 54, r"whole and lie in 1..54"),
        ("atomid_for_NN.txt", ("1.5 " * 8 + "\n") * 54, r"whole and lie in 1..54"),
        ("atomid_for_NN.txt", ("1 " * 8 + "\n") * 54, "line 1 of atomid names an atom twice"),
        ("barrier_for_NN.txt", ("-1 " * 8 + "\n") * 54, "432 of 432 hops have collapsed"),
    ],
)
def test_bad_tables_are_refused(
    synthetic: Any, tmp_path: Path, file: str, text: str | None, message: str
) -> None:
    synthetic.write_table(tmp_path)
    (tmp_path / file).unlink()
    if text is not None:
        (tmp_path / file).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_data([tmp_path], [])


def test_folders_of_folders(synthetic: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        synthetic.write_table(tmp_path / name, seed=ord(name))
    tables, _ = load_data([tmp_path], [])
    assert len(tables) == 2
    np.testing.assert_array_equal(
        tables[1].barrier_eV, read_table(tmp_path / "b", tables[0].crystal.species[:-1]).barrier_eV
    )


def test_the_same_crystal_twice_is_refused(synthetic: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        synthetic.write_table(tmp_path / name)
    with pytest.raises(ValueError, match=r"b holds the crystal of .*a: join their hops"):
        load_data([tmp_path], [])


def rewritten(file: Path, change: Any) -> None:
    numbers = np.loadtxt(file)
    np.savetxt(file, change(numbers), fmt="%d" if "atomid" in file.name else "%.8f")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: np.where(e == e[2, 5], 50.0, e), "line 3, entry 6: 50 eV is no barrier"),
        (lambda e: np.where(e == e[2, 5], np.inf, e), "line 3, entry 6: inf eV is no barrier"),
        (lambda e: np.where(e == e[2, 5], -50.0, e), "line 3, entry 6: -50 eV is no barrier"),
        (lambda e: 1000 * e, r"entry 1: \d+.* eV is no barrier .*432 such.*in eV"),
        (lambda e: 96.485 * e, r"\(432 such\): barriers are in eV"),
        (lambda e: e / 1000, "432 of 432 hops have collapsed.*barriers are in eV"),
    ],
)
def test_what_is_no_barrier_in_electronvolts(
    synthetic: Any, tmp_path: Path, change: Any, message: str
) -> None:
    synthetic.write_table(tmp_path)
    rewritten(tmp_path / "barrier_for_NN.txt", change)
    with pytest.raises(ValueError, match=message):
        load_data([tmp_path], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ids: ids - 1, r"lie in 1..54; these count from 0"),
        (lambda ids: ids[::-1], "entry . is no first neighbour|is no first neighbour of atom"),
        (lambda ids: np.where(np.arange(8) == 7, ids[:, :1], ids), "line 1 of atomid names an"),
        (lambda ids: ids + 1, r"lie in 1..54"),
    ],
)
def test_wrong_atom_numbers(synthetic: Any, tmp_path: Path, change: Any, message: str) -> None:
    synthetic.write_table(tmp_path)
    rewritten(tmp_path / "atomid_for_NN.txt", change)
    with pytest.raises(ValueError, match=message):
        load_data([tmp_path], [])


def test_crystals_that_cannot_be_used(synthetic: Any, tmp_path: Path) -> None:
    synthetic.write_table(tmp_path)
    atoms = read(tmp_path / "POSCAR")
    write(tmp_path / "POSCAR", atoms[:-1], format="vasp")
    with pytest.raises(ValueError, match="POSCAR must hold the full crystal, not one with 1 vac"):
        load_data([tmp_path], [])
    write(tmp_path / "POSCAR", bulk("Cu", cubic=True) * (3, 3, 3), format="vasp")
    with pytest.raises(ValueError, match="POSCAR: "):
        load_data([tmp_path], [])


def test_the_order_of_entries_and_lines_is_free(synthetic: Any, tmp_path: Path) -> None:
    """The same hops from a table whose entries stand in another order."""
    barriers = synthetic.write_table(tmp_path)
    (expected,), _ = load_data([tmp_path], [])
    order = np.random.default_rng(0).permuted(np.tile(np.arange(8), (54, 1)), axis=1)
    for file in tmp_path.glob("*.txt"):
        rewritten(file, lambda numbers: np.take_along_axis(numbers, order, axis=1))
    (found,), _ = load_data([tmp_path], [])
    assert len(found.barrier_eV) == barriers.size
    hops = [
        {(v, t): e for v, t, e in zip(b.vacancy.tolist(), b.target.tolist(), b.barrier_eV)}
        for b in (expected, found)
    ]
    assert hops[0].keys() == hops[1].keys()
    assert all(hops[1][hop] == pytest.approx(e, abs=1e-7) for hop, e in hops[0].items())
