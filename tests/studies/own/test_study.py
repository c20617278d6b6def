"""A person's own system through to its report: from Python, from a file, from an entry point."""

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tiny_alloy import chunks_of  # noqa: E402

from macro_ase import PatchStudy, load_config  # noqa: E402
from macro_ase.cli import main  # noqa: E402
from macro_ase.studies.registry import study_class, system_class  # noqa: E402

pytestmark = pytest.mark.learn
SOURCE = '''
import numpy as np
from macro_ase import LatticeSystem


class Voter(LatticeSystem):
    """A site takes a random value, the more readily the larger the noise."""

    names = ("first",)
    reach = 1

    def __init__(self, bias=0.5):
        self.bias = bias

    def evolve(self, states, active, duration, condition, rng):
        changed = rng.random(states.shape) < (1 - np.exp(-duration * condition["rate"])) * active
        drawn = rng.random(states.shape) < self.bias
        return np.where(changed, drawn, states).astype(np.int8)

    def observe(self, states):
        return states.mean(axis=(1, 2))[:, None]


class Halfway(LatticeSystem):
    names = ("first",)
'''
TINY = {"starts": 15, "epochs": 3, "members": 2, "runs": 6, "steps": 60, "check_runs": 5}
SETTINGS = """
[system]
class = "voters:Voter"
bias = 0.3
[conditions]
rate = [0.5, 1.0]
[sampling]
small = 4
large = 12
dt = 0.2
ages = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
buffer = 0
starts = 15
[learning]
epochs = 3
members = 2
[direct]
runs = 6
steps = 60
[checks]
check_runs = 5
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "voters.py").write_text(SOURCE)
    (folder / "mine.toml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def finished(home: Path) -> Path:
    out = home / "run"
    assert main(["run", str(home / "mine.toml"), "--out", str(out)]) == 0
    return out


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def study_of(home: Path, **settings: Any) -> PatchStudy:
    voter = system_class("voters:Voter", home)(bias=0.3)
    ages = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    usual = {"small": 4, "large": 12, "dt": 0.2, "buffer": 0, "ages": ages, **TINY}
    return PatchStudy(voter, conditions={"rate": [0.5, 1.0]}, **usual | settings)


@pytest.mark.slow
def test_a_file_makes_a_report(finished: Path) -> None:
    """Relaxation to the bias, with the truth, the baselines and the cost beside it."""
    metrics = metrics_of(finished)
    for rate in ("0.5", "1"):  # of relaxation, so that the first one is 5 % away still
        late = metrics[f"late_mean_first_rate{rate}"]
        assert abs(late["truth"] - 0.3) < 5 * late["floor"] + 0.03
        assert abs(late["value"] - 0.3) < 0.1
    page = (finished / "report.html").read_text()
    for text in ("small system itself", "direct runs of equal cost", "horizons from", "patches"):
        assert text in page
    checks = {c["name"]: c for c in json.loads((finished / "results.json").read_text())["checks"]}
    assert checks["drift of patches = drift of the whole"]["verdict"] in ("passed", "undecided")


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_python_gives_the_same_numbers(home: Path, finished: Path, tmp_path: Path) -> None:
    """A process that finds the file makes all that it simulates again, to the same bytes."""
    folder = study_of(home).run(tmp_path / "run", executor="threads:1")
    assert metrics_of(folder) == metrics_of(finished)
    made = chunks_of(folder)
    for stage in ("pairs", "small system", "direct runs", "direct runs again", "check"):
        shutil.rmtree(folder / "data.zarr" / stage)
    study_of(home).run(folder, executor="processes:1")
    assert len(made) > 10 and chunks_of(folder) == made == chunks_of(finished)
    assert metrics_of(folder) == metrics_of(finished)


@pytest.mark.slow
def test_another_source_is_another_study(home: Path, finished: Path, tmp_path: Path) -> None:
    """A run folder is not taken up with a system that was changed since."""
    own = tmp_path / "copy"
    shutil.copytree(finished, own)
    record = json.loads((own / "inputs.json").read_text())
    (changed,) = [key for key in record if key.endswith("voters.py")]
    (own / "inputs.json").write_text(json.dumps(record | {changed: "0" * 64}))
    with pytest.raises(FileExistsError, match=r"changed: .*voters\.py"):
        study_of(home).run(own)


def test_entry_points_name_systems_and_presets(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system_class("voters:Voter", home)  # makes the module importable, as an installed one is
    (tmp_path / "votes.toml").write_text(
        'title = "Votes"\nseed = 0\nworkers = 1\n[system]\nmodel = "votes"\nbias = 0.5\n'
    )

    class Votes:
        preset = tmp_path / "votes.toml"

    group = "macro_ase.studies"
    points = [EntryPoint("voter", "voters:Voter", group), EntryPoint("votes", "own:Votes", group)]
    monkeypatch.setattr(
        EntryPoint, "load", lambda own: Votes if own.name == "votes" else system_class(own.value)
    )
    for module in ("config", "studies.registry"):
        monkeypatch.setattr(f"macro_ase.{module}.entry_points", lambda group: points)
    assert system_class("voter").__name__ == "Voter"
    assert load_config("votes", overrides=["system.bias=0.25"])["system"]["bias"] == 0.25
    assert study_class("votes") is Votes
    assert load_config(tmp_path / "votes.toml")["study"] == "votes"
    mine = tmp_path / "mine.toml"
    mine.write_text('study = "votes.toml"\n[system]\nbias = 0.75\n')
    assert load_config(mine)["system"]["bias"] == 0.75


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("system.class=voters:Nobody", "has no attribute 'Nobody'"),
        ("system.class=nowhere_at_all:Voter", "No module named 'nowhere_at_all'"),
        ("system.class=voters:Halfway", "lacks evolve, observe"),
        ("system.class=voters:np", "is no system"),
        ("system.class=nobody", "or a name in the entry points"),
        ("system.other=1", "unexpected keyword argument"),
        ("sampling.dt=0.0", "sampling.dt, how long a patch evolves alone, must be given"),
        ("sampling.small=5", "sampling: small must divide large = 12"),
        ("sampling.buffer=9", "sampling: buffer must be from 0 to 4"),
        ("sampling.starts=5", "100 states in all"),
        ("conditions.rate=fast", "conditions.rate must be numbers"),
        ("conditions.rate=[]", "conditions.rate must be numbers"),
        ("learning.drift=other", "learning.drift must be one of"),
        ("samplin.dt=1.0", "unknown key 'samplin.dt'"),
    ],
)
def test_bad_settings(
    home: Path, change: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", str(home / "mine.toml"), "--out", str(tmp_path / "run"), "--set", change]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert ": --set " in error or change.startswith(("system", "conditions")), error
    assert not (tmp_path / "run").exists()


def test_what_is_no_system_is_refused(home: Path) -> None:
    with pytest.raises(ValueError, match="system must derive from System"):
        PatchStudy(3, small=4, large=8, dt=0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="an instance is needed"):
        PatchStudy(system_class("voters:Voter", home), small=4, large=8, dt=0.1)
    with pytest.raises(ValueError, match="unknown key 'bufer'"):
        study_of(home, bufer=3)
