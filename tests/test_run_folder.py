"""A run's folder: when it is made, taken up, refused and emptied."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from macro_ase.run_folder import CONTENT, prepare, versions, write_json


def config(**changes: Any) -> dict[str, Any]:
    settings = {"study": "toy", "seed": 0, "workers": 1, "system": {"hops": 5}}
    return settings | changes


def write_all(folder: Path) -> None:
    """What a finished run leaves."""
    for name in CONTENT:
        path = folder / name
        if name == "inputs.json":
            continue
        if path.suffix in (".json", ".html"):
            path.write_text("{}")
        elif path.suffix != ".toml":
            path.mkdir(exist_ok=True)
            (path / "inside").write_text("x")


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mine"
    prepare(folder, config(), False)
    assert (folder / "figures").is_dir()
    assert (folder / "config.toml").read_text().startswith('study = "toy"')


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    prepare(tmp_path, config(), False)
    assert (tmp_path / "config.toml").is_file()


def test_the_same_settings_go_on_where_they_were(tmp_path: Path) -> None:
    prepare(tmp_path, config(), False)
    write_all(tmp_path)
    (tmp_path / "note.txt").write_text("mine")
    prepare(tmp_path, config(), False)
    assert {p.name for p in tmp_path.iterdir()} == {*CONTENT, "note.txt"}
    assert (tmp_path / "data.zarr" / "inside").is_file()


def test_how_settings_are_written_does_not_count(tmp_path: Path) -> None:
    """A person writes in config.toml, and goes on."""
    prepare(tmp_path, config(), False)
    file = tmp_path / "config.toml"
    file.write_text("# mine\n" + file.read_text().replace("hops = 5", "hops = 5.0 # as before"))
    assert "5.0" in file.read_text()
    prepare(tmp_path, config(), False)
    assert "5.0" not in file.read_text()


def test_the_number_of_workers_may_change(tmp_path: Path) -> None:
    prepare(tmp_path, config(workers=1), False)
    prepare(tmp_path, config(workers=7), False)
    assert "workers = 7" in (tmp_path / "config.toml").read_text()


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"system": {"hops": 6}}, {"study": "other"}, {"more": True}]
)
def test_other_settings_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    prepare(tmp_path, config(), False)
    before = (tmp_path / "config.toml").read_text()
    with pytest.raises(FileExistsError, match=r"is not empty .* --out or give --overwrite"):
        prepare(tmp_path, config(**changes), False)
    assert (tmp_path / "config.toml").read_text() == before


@pytest.mark.parametrize("key", ["structure", "barriers", "potential"])
def test_a_changed_input_file_is_refused(tmp_path: Path, key: str) -> None:
    """The settings name the same file, which now holds something else."""
    file, folder = tmp_path / "my.file", tmp_path / "run"
    file.write_text("one")
    settings = config(system={key: str(file)})
    prepare(folder, settings, False)
    prepare(folder, settings, False)
    file.write_text("another")
    with pytest.raises(FileExistsError, match=r"settings, inputs and version \(changed: .*my.file"):
        prepare(folder, settings, False)
    prepare(folder, settings, True)


def test_barriers_that_ship_are_named_and_known_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, folder = config(system={"barriers": "NbMoTaW"}), tmp_path / "run"
    prepare(folder, settings, False)
    prepare(folder, settings, False)
    changed = tmp_path / "changed.json"
    changed.write_text("{}")
    monkeypatch.setattr("macro_ase.run_folder.barrier_file", lambda name: changed)
    with pytest.raises(FileExistsError, match=r"\(changed: NbMoTaW\)"):
        prepare(folder, settings, False)


def test_what_differs_is_named(tmp_path: Path) -> None:
    prepare(tmp_path, config(), False)
    with pytest.raises(FileExistsError, match=r"changed: system.hops was 5, now 6"):
        prepare(tmp_path, config(system={"hops": 6}), False)


@pytest.mark.parametrize("damage", ["", "seed = ", "\udcff", None])
def test_damaged_settings_are_written_again(tmp_path: Path, damage: str | None) -> None:
    """Finished data stays, and other settings are refused as ever."""
    prepare(tmp_path, config(), False)
    write_all(tmp_path)
    settings = tmp_path / "config.toml"
    whole = settings.read_text()
    if damage is None:
        settings.unlink()
    else:
        settings.write_text(damage, errors="surrogateescape")
    with pytest.raises(FileExistsError, match="settings, inputs and version"):
        prepare(tmp_path, config(seed=1), False)
    prepare(tmp_path, config(), False)
    assert settings.read_text() == whole
    assert (tmp_path / "data.zarr" / "inside").is_file()


@pytest.mark.filterwarnings("ignore:.*is not there")
@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", "\udcff"])
def test_damaged_inputs_are_named_with_a_way_out(tmp_path: Path, damage: str) -> None:
    """Whether the files are the same cannot be known; whoever says so goes on, with the data."""
    prepare(tmp_path, config(), False)
    write_all(tmp_path)
    (tmp_path / "inputs.json").write_text(damage, errors="surrogateescape")
    with pytest.raises(ValueError, match=r"inputs.json is damaged: .* remove it and run again"):
        prepare(tmp_path, config(), False)
    (tmp_path / "inputs.json").unlink()
    with pytest.raises(FileExistsError):
        prepare(tmp_path, config(seed=1), False)
    with pytest.warns(UserWarning, match="inputs.json is not there: taken that the files"):
        prepare(tmp_path, config(), False)
    assert (tmp_path / "data.zarr" / "inside").is_file()


def test_damaged_settings_of_an_earlier_version_are_named_with_a_way_out(tmp_path: Path) -> None:
    """Its inputs.json says nothing of the settings."""
    prepare(tmp_path, config(), False)
    record = json.loads((tmp_path / "inputs.json").read_text())
    del record["settings"]
    (tmp_path / "inputs.json").write_text(json.dumps(record))
    prepare(tmp_path, config(), False)
    (tmp_path / "inputs.json").write_text(json.dumps(record))
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(ValueError, match=r"config.toml is damaged: .* remove it and run again"):
        prepare(tmp_path, config(), False)
    (tmp_path / "config.toml").unlink()
    with pytest.warns(UserWarning, match="config.toml is not there"):
        prepare(tmp_path, config(), False)


def test_files_that_do_not_change_are_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path, config(), False)
    before = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.*"))]
    prepare(tmp_path, config(), False)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.*"))] == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        prepare(tmp_path, config(), False)
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_refused(tmp_path: Path, overwrite: bool) -> None:
    file = tmp_path / "out"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="is a file, not a folder"):
        prepare(file, config(), overwrite)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("seed", [0, 1])
def test_overwrite_removes_the_runs_own_files_only(tmp_path: Path, seed: int) -> None:
    prepare(tmp_path, config(), False)
    write_all(tmp_path)
    (tmp_path / "note.txt").write_text("mine")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").write_text("mine")
    prepare(tmp_path, config(seed=seed), True)
    found = {p.name for p in tmp_path.iterdir()}
    assert found == {"config.toml", "inputs.json", "figures", "note.txt", "models"}
    assert list((tmp_path / "figures").iterdir()) == []
    assert (tmp_path / "models" / "mine").read_text() == "mine"
    assert f"seed = {seed}" in (tmp_path / "config.toml").read_text()


def test_overwrite_follows_no_link(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    prepare(folder, config(), False)
    (folder / "model").symlink_to(outside)
    prepare(folder, config(seed=1), True)
    assert (outside / "precious").read_text() == "mine"
    assert not (folder / "model").exists()


def test_versions_name_python_and_what_results_depend_on() -> None:
    found = versions()
    assert {"python", "numpy", "numba", "ase", "macro-ase"} <= set(found)
    assert found["numpy"] == np.__version__


def test_json_has_null_for_nan(tmp_path: Path) -> None:
    data = {
        "a": np.float64("nan"),
        "b": [1.5, float("nan")],
        "c": np.array([[1, 2]]),
        "d": np.int64(3),
        "e": (True, None, "x"),
        5: np.array(2.5),
    }
    write_json(tmp_path / "x.json", data)
    back = json.loads((tmp_path / "x.json").read_text())
    assert back == {
        "a": None,
        "b": [1.5, None],
        "c": [[1, 2]],
        "d": 3,
        "e": [True, None, "x"],
        "5": 2.5,
    }


def test_json_has_no_infinity(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": float("inf"), "b": -np.inf})

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    back = json.loads((tmp_path / "x.json").read_text(), parse_constant=refuse)
    assert back == {"a": None, "b": None}
