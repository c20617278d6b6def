"""A sweep's table: what it holds, cuts, reweights and keeps on disk."""

from pathlib import Path

import numpy as np
import pytest

from macro_ase.analysis.response import quantities
from macro_ase.analysis.sweep_table import SweepTable


@pytest.fixture(scope="module")
def runs(ising, tiny_ising):
    return [
        model.draw(T, 2000, seed=int(10 * T))[1]
        for T in (2.5, 2.1, 2.3)
        for model in (ising, tiny_ising)
    ]


@pytest.fixture(scope="module")
def table(runs) -> SweepTable:
    return SweepTable.from_runs(runs)


def test_rows_are_in_order(table: SweepTable, runs) -> None:
    assert len(table) == 6 and table.sizes == [3, 4]
    assert table.size.tolist() == [3, 3, 3, 4, 4, 4]
    assert table.temperature.tolist() == [2.1, 2.3, 2.5] * 2
    values, errors = table.column("chi")
    expected = quantities(runs[0])
    assert (values[5], errors[5]) == (expected[0][3], expected[1][3])


def test_independent_samples_have_tau_of_a_half(table: SweepTable) -> None:
    assert np.abs((table.tau - 0.5) / table.tau_error).max() < 4


def test_cuts(table: SweepTable) -> None:
    assert table.of_size(4).sizes == [4]
    assert table.between(2.2, 2.4).temperature.tolist() == [2.3, 2.3]
    with pytest.raises(ValueError, match="no size 5; there are 3, 4"):
        table.of_size(5)
    with pytest.raises(ValueError, match="no column 'U'; there are m_abs"):
        table.column("U")


def test_at_a_simulated_temperature_nothing_changes(table: SweepTable) -> None:
    here = table.at(2.3)
    assert here.size.tolist() == [3, 4]
    np.testing.assert_array_equal(here.values, table.between(2.3, 2.3).values)


def test_at_another_temperature_it_is_exact(table: SweepTable, ising, tiny_ising) -> None:
    there = table.at(2.2)
    exact = np.array([model.quantities(2.2) for model in (tiny_ising, ising)])
    assert np.abs((there.values - exact) / there.errors).max() < 4.5
    assert there.temperature.tolist() == [2.2, 2.2]


def same(first: SweepTable, second: SweepTable, names: tuple[str, ...]) -> None:
    for name in names:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


COLUMNS = ("size", "temperature", "n_samples", "tau", "values", "errors", "dimension")


def test_npz_keeps_everything(table: SweepTable, tmp_path: Path) -> None:
    table.save(tmp_path / "sweep.npz")
    same(table, SweepTable.load(tmp_path / "sweep.npz"), (*COLUMNS, "energy", "magnetization"))


def test_csv_keeps_all_but_the_samples(table: SweepTable, tmp_path: Path) -> None:
    table.save(tmp_path / "sweep.csv")
    again = SweepTable.load(tmp_path / "sweep.csv")
    same(table, again, COLUMNS)
    with pytest.raises(ValueError, match="samples were not kept"):
        again.run(0)
    with pytest.raises(ValueError, match="samples were not kept"):
        again.at(2.2)


def test_bad_files_are_refused(table: SweepTable, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"saved as .npz or .csv, not"):
        table.save(tmp_path / "sweep.txt")
    with pytest.raises(FileNotFoundError):
        SweepTable.load(tmp_path / "nothing.npz")
    for name in ("other.csv", "other.npz"):
        (tmp_path / name).write_text("L,T\n1,2\n")
        with pytest.raises(ValueError, match=f"{name} is not a table of a sweep"):
            SweepTable.load(tmp_path / name)
