"""Whatever settings, results and stores hold: one line and status 2, or work; never a traceback."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")
pytest.importorskip("torch")

from fuzzing import CHARACTERS, JSONS, SCALARS, Begun, bounded, exchanged, folder, places, refused  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from macro_ase.config import flatten, list_studies, load_config  # noqa: E402
from macro_ase.folder_lock import NAME as LOCK  # noqa: E402
from macro_ase.folder_lock import only_writer  # noqa: E402
from macro_ase.run_folder import prepare  # noqa: E402
from macro_ase.sampling import Store  # noqa: E402
from macro_ase.studies.registry import HOMES, study_class  # noqa: E402
from macro_ase.toml_text import dump_toml, toml_value  # noqa: E402

pytestmark = [pytest.mark.learn, pytest.mark.filterwarnings("ignore")]
NAMES = [name for name, _ in list_studies()]
KEYS = [(name, key) for name in NAMES for key in flatten(load_config(name))]


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> None:
        raise Begun

    for study in map(study_class, HOMES):
        monkeypatch.setattr(study, "compute" if hasattr(study, "compute") else "run", begin)


def toml(value: Any) -> str:
    """TOML of a value, or what a person might write for it."""
    try:
        return toml_value(value)
    except ValueError:
        return repr(value)


@pytest.mark.slow
@bounded(80)
@given(st.sampled_from(KEYS), JSONS)
def test_any_value_of_any_setting(place: tuple[str, str], value: Any) -> None:
    study, key = place
    if key == "workers" or (key.startswith("system.") and isinstance(value, str)):
        value = [value]
    with folder() as here:
        if refused("run", study, "--set", f"{key}={toml(value)}", "--out", "out"):
            assert not any(here.iterdir())


@pytest.mark.slow
@bounded(40)
@given(st.sampled_from(NAMES), st.data())
def test_settings_files_with_a_slip_of_the_pen(study: str, data: Any) -> None:
    text = dump_toml(load_config(study))
    at = data.draw(st.integers(0, len(text)))
    end = min(len(text), at + data.draw(st.integers(0, 12)))
    slip = data.draw(
        st.text(CHARACTERS, max_size=5) | st.sampled_from(["[", "]\n", '"', "=", "1e400", "\n\n"])
    )
    content = (text[:at] + slip + text[end:]).encode("utf-8", "surrogatepass")
    with folder() as here:
        (here / "my.toml").write_bytes(content)
        if refused("run", "my.toml", "--out", "out"):
            assert [path.name for path in here.iterdir()] == ["my.toml"]


@pytest.mark.slow
@bounded(60)
@given(st.binary(max_size=60))
def test_settings_files_of_any_bytes(content: bytes) -> None:
    with folder() as here:
        (here / "my.toml").write_bytes(content)
        assert refused("run", "my.toml", "--out", "out")
        assert [path.name for path in here.iterdir()] == ["my.toml"]


METRIC = {"value": 1.0, "error": 0.1, "truth": 0, "floor": None, "unit": "eV"}
FILES: dict[str, Any] = {
    "metrics.json": {
        "study": "toy",
        "versions": {"numpy": "2"},
        "seed": 0,
        "wall_s": 1.0,
        "stages": {"a": 1.0},
        "cost": {"a": 1.0},
        "metrics": {"a": METRIC},
    },
    "results.json": {
        "title": "t",
        "summary": ["s"],
        "sections": [
            {
                "title": "t",
                "text": "x",
                "tables": [{"caption": "c", "columns": ["a"], "rows": [[1]]}],
                "figures": [{"file": "figures/x.png", "caption": "c"}],
            }
        ],
        "checks": [
            {"name": "n", "passed": True, "value": 1, "allowed": "1", "text": "t"},
            {"name": "n", "verdict": "failed", "value": 1, "allowed": "1", "text": "t"},
        ],
        "baselines": {"caption": "c", "columns": ["a"], "rows": [[1]]},
        "cost": {"table": {"columns": ["a"], "rows": [[1]]}, "sentence": "s"},
    },
}


@pytest.mark.slow
@bounded(100)
@given(st.sampled_from(sorted(FILES)), st.data(), JSONS)
def test_reports_of_any_json(name: str, data: Any, other: Any) -> None:
    path = data.draw(st.sampled_from(places(FILES[name])))
    with folder() as here:
        (here / "figures").mkdir()
        (here / "figures" / "x.png").write_bytes(b"\x89PNG")
        (here / "config.toml").write_text("")
        for file, content in FILES.items():
            content = exchanged(content, path, other) if file == name else content
            (here / file).write_text(json.dumps(content))
        assert bool(refused("report", ".")) == (not (here / "report.html").exists())


@pytest.mark.slow
@bounded(60)
@given(st.sampled_from(["config.toml", "inputs.json", LOCK]), st.binary(max_size=30) | JSONS)
def test_run_folders_with_any_small_file(name: str, content: Any) -> None:
    """Finished data is never removed."""
    config = load_config("curie-weiss", True)
    with folder() as here:
        prepare(here / "out", config, False)
        kept = here / "out" / "data.zarr" / "kept"
        kept.parent.mkdir()
        kept.touch()
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (here / "out" / name).write_bytes(raw)
        refused("run", "curie-weiss", "--quick", "--out", "out")
        assert kept.exists()


@pytest.mark.slow
@bounded(40)
@given(JSONS)
def test_locks_of_any_json(content: Any) -> None:
    with folder() as here:
        (here / LOCK).write_text(json.dumps(content))
        with only_writer(here):
            pass


ARRAYS = {"z": np.arange(6.0).reshape(3, 2), "states": np.ones((2, 9), np.int8), "n": np.zeros(2)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "data.zarr"
    Store(path).write("small/0", ARRAYS)
    return path


@pytest.mark.slow
@bounded(40)
@given(st.data())
def test_stores_with_any_damage(store: Path, data: Any) -> None:
    """What is read is what was written."""
    files = sorted(p.relative_to(store) for p in store.rglob("*") if p.is_file())
    file = data.draw(st.sampled_from(files))
    content = (store / file).read_bytes()
    at = data.draw(st.integers(0, len(content)))
    end = at + data.draw(st.integers(0, len(content)))
    with folder() as here:
        shutil.copytree(store, here / "d")
        new = content[:at] + data.draw(st.binary(max_size=4)) + content[end:]
        (here / "d" / file).write_bytes(new)
        damaged = Store(here / "d")
        if damaged.has("small/0"):
            read = damaged.read("small/0")
            assert read.keys() == ARRAYS.keys()
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(read[name], array)
                assert read[name].dtype == array.dtype
        damaged.write("small/0", ARRAYS)
        assert damaged.has("small/0")


@pytest.mark.slow
@bounded(50)
@given(
    st.sampled_from(["--seed", "--vacancies", "--lattice-constant", "--ordered", "--size"]),
    SCALARS.map(str),
)
def test_any_argument_of_build(option: str, text: str) -> None:
    """Small numbers do build a crystal, and those between would take their time."""
    hypothesis.assume(not (text.isdecimal() and 8 < int(text) < 10**5))
    value = [text] * 3 if option == "--size" and text.lstrip("+-").isdecimal() else [text]
    with folder() as here:
        argv = ["build", "bcc", "NbMo", "--size", "2", "2", "2", option, *value, "--out", "a.xyz"]
        assert bool(refused(*argv)) == (not (here / "a.xyz").exists())


@pytest.mark.slow
@bounded(40)
@given(
    st.text(CHARACTERS, max_size=12)
    | st.from_regex(r"([A-Z][a-z]?[0-9.]{0,5}){1,3}", fullmatch=True, alphabet=CHARACTERS)
)
def test_any_composition_of_build(text: str) -> None:
    with folder() as here:
        argv = ["build", "bcc", "--size", "2", "2", "2", "--out", "a.xyz", "--", text]
        assert bool(refused(*argv)) == (not (here / "a.xyz").exists())
