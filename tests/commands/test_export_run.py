"""What a run keeps comes out as it is, in every format."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from hand_made_snapshots import KEY, run_with_snapshots

from macro_ase.cli import main
from macro_ase.sampling.store import Store


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "run"
    run_with_snapshots(folder)
    table = {"caption": "Order at 2000 K", "columns": ["pair", "alpha"], "rows": [["Mo-Ta", -0.1]]}
    part = {"title": "Order", "tables": [table], "figures": []}
    (folder / "results.json").write_text(json.dumps({"sections": [part], "baselines": None}))
    metrics = {"alpha error": {"value": 0.01, "error": 0.002, "unit": ""}}
    (folder / "metrics.json").write_text(json.dumps({"metrics": metrics}))
    return folder


@pytest.mark.parametrize("kind", ["extxyz", "traj"])
def test_snapshots_are_structures(run: Path, kind: str, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", kind, "--out", str(tmp_path)]) == 0
    frames = read(tmp_path / f"{KEY}.{kind}", ":")
    kept = Store(run / "data.zarr").read(KEY)
    assert [f.info["time"] for f in frames] == [0.0, 2e-9]
    assert {f.info["temperature_K"] for f in frames} == {2000.0}
    symbols = np.array(["Nb", "Mo", "Ta", "X"])
    for frame, state in zip(frames, kept["states"]):
        assert (np.array(frame.get_chemical_symbols()) == symbols[state]).all()
        assert frame.cell.lengths() == pytest.approx(4 * 3.24) and frame.pbc.all()


def test_snapshots_can_be_thinned(run: Path, tmp_path: Path) -> None:
    words = ["export", str(run), "--to", "traj", "--out", str(tmp_path), "--every", "2"]
    assert main(words) == 0
    assert len(read(tmp_path / f"{KEY}.traj", ":")) == 1


def test_arrays_are_the_same_bytes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--to", "npz"]) == 0
    assert capsys.readouterr().out == f"{run / 'export'}: 1 files\n"
    kept = Store(run / "data.zarr").read(KEY)
    with np.load(run / "export" / f"{KEY}.npz") as file:
        for name, array in kept.items():
            assert file[name].tobytes() == array.tobytes()


def test_tables_have_a_row_for_each_time(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", "csv", "--out", str(tmp_path)]) == 0
    with (tmp_path / f"{KEY}.time.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["times"]) for row in rows] == [0.0, 1e-9, 2e-9]
    assert [float(row["z 5"]) for row in rows] == [5, 11, 17]
    assert (
        tmp_path / "report" / "01-order-at-2000-k.csv"
    ).read_text() == "pair,alpha\nMo-Ta,-0.1\n"
    assert "alpha error,0.01,0.002,,," in (tmp_path / "report" / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--to", "npz", "--only", "smal/*"),
            "no chunk matches 'smal/*'; there are small/2000.0/*",
        ),
        (("--to", "xyz"), "invalid choice: 'xyz'"),
        (("--to", "npz", "--every", "0"), "expected a whole number >= 1"),
    ],
)
def test_refusals(
    run: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), *words]) == 2
    assert message in capsys.readouterr().err


def test_runs_without_atoms_say_what_they_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('study = "ising"\n')
    assert main(["export", str(tmp_path), "--to", "npz"]) == 2
    assert "holds no run" in capsys.readouterr().err
    Store(tmp_path / "data.zarr").write("direct/0/0", {"z": np.zeros((2, 3, 2))})
    assert main(["export", str(tmp_path), "--to", "extxyz"]) == 2
    assert "is a run of 'ising' and keeps no atoms: --to npz or csv" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--to", "csv"]) == 0
    text = (tmp_path / "export" / "direct" / "0" / "0.run-time.csv").read_text()
    assert text.splitlines()[:2] == ["run,time,z 0,z 1", "0,0,0.0,0.0"]
