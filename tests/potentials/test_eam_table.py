"""Tables survive the file; broken files are told apart; cubics are those of the formula."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from macro_ase.potentials.eam_table import EAMTable, hermite_cubics
from macro_ase.potentials.zhou import zhou_table

TABLE = zhou_table()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "zhou.eam.alloy"
    TABLE.write(path)
    return path


def test_a_table_survives_its_file(file: Path, tmp_path: Path) -> None:
    read = EAMTable.read(file)
    assert read.species == TABLE.species and read.lattices == TABLE.lattices
    assert read.comment == TABLE.comment
    assert (read.cutoff_A, read.dr_A, read.drho) == (TABLE.cutoff_A, TABLE.dr_A, TABLE.drho)
    np.testing.assert_array_equal(read.embedding, TABLE.embedding)
    np.testing.assert_array_equal(read.density, TABLE.density)
    np.testing.assert_allclose(read.masses, TABLE.masses, rtol=1e-9)
    np.testing.assert_allclose(read.pair[..., 1:], TABLE.pair[..., 1:], rtol=1e-14)
    TABLE.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == file.read_bytes()


def test_cubics_pass_through_the_knots_with_the_slopes_of_the_formula() -> None:
    x = np.arange(12.0)
    values = np.stack([np.exp(-x / 5), np.sin(x)])
    cubics = hermite_cubics(values)
    ends, slopes = cubics.sum(axis=-1), cubics @ [0, 1, 2, 3]
    np.testing.assert_array_equal(cubics[..., 0], values[:, :-1])
    np.testing.assert_allclose(ends, values[:, 1:], atol=1e-14)
    np.testing.assert_allclose(slopes[:, :-1], cubics[:, 1:, 1], atol=1e-14)
    inner = (values[:, :-4] - 8 * values[:, 1:-3] + 8 * values[:, 3:-1] - values[:, 4:]) / 12
    np.testing.assert_allclose(cubics[:, 2:-1, 1], inner, atol=1e-14)
    np.testing.assert_allclose(cubics[:, 1, 1], (values[:, 2] - values[:, 0]) / 2)
    np.testing.assert_allclose(cubics[:, 0, 1], values[:, 1] - values[:, 0])
    np.testing.assert_allclose(slopes[:, -1], values[:, -1] - values[:, -2])


def test_cubics_are_exact_for_parabolas_away_from_the_ends() -> None:
    x = np.arange(20.0)
    cubics = hermite_cubics(2 - x + 3 * x**2)
    middle = cubics @ 0.5 ** np.arange(4)
    np.testing.assert_allclose(middle[1:-1], (2 - (x + 0.5) + 3 * (x + 0.5) ** 2)[1:-2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "it ends in"),
        (lambda text: "\n".join(text.split("\n")[:3]), "fewer than four lines"),
        (lambda text: text + "1.0\n", "1 entries follow"),
        (lambda text: text.replace("3 Nb Mo Ta", "0"), "number of elements"),
        (lambda text: text.replace("4000 ", "4000.5 ", 1), "nrho must be a whole number"),
        (lambda text: text.replace(" 2000 ", " -2 ", 1), "nr must be a whole number"),
        (lambda text: text.replace("bcc\n", "bcc\nnonsense ", 1), "embedding energy of Nb"),
        (lambda text: text.replace("bcc\n", "bcc\nnan ", 1), "not finite"),
    ],
)
def test_broken_files_say_what_is_wrong(file: Path, tmp_path: Path, change, message: str) -> None:
    broken = tmp_path / "broken.eam.alloy"
    broken.write_text(change(file.read_text()))
    with pytest.raises(ValueError, match=message) as error:
        EAMTable.read(broken)
    assert str(broken) in str(error.value) and "\n" not in str(error.value)


def test_refusals() -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        EAMTable.read("gone.eam.alloy")
    with pytest.raises(ValueError, match="density must have the shape"):
        replace(TABLE, density=TABLE.density[:2])
    with pytest.raises(ValueError, match="embedding holds a number that is not finite"):
        replace(TABLE, embedding=np.full_like(TABLE.embedding, np.inf))
    with pytest.raises(ValueError, match="symmetric"):
        replace(TABLE, pair=TABLE.pair + np.arange(3)[:, None])
    with pytest.raises(ValueError, match="cutoff_A must be positive"):
        replace(TABLE, cutoff_A=0.0)
