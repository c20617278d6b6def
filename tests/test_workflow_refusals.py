"""Studies that cannot be run: one line, and nothing is written."""

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

torch = pytest.importorskip("torch")

from tiny_alloy import refusal, settings  # noqa: E402

from macro_ase.build import build_crystal  # noqa: E402
from macro_ase.folder_lock import only_writer  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sampling.copies=2", "sampling.copies must be 1 where states do not grow"),
        ("sampling.healing_events=10", "sampling.healing_events must be 0 where states do not"),
        ("system.boundary='periodic'", "system.boundary must be embedded where states do not grow"),
        ("system.small_size=[9,9,9]", r"small_size \[9, 9, 9\] is larger than the large system's"),
    ],
)
def test_what_only_grown_states_have_is_refused(setting: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        run_study(settings("sampling.grow=false", setting), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def structure(kind: str, folder: Path) -> Path:
    file = folder / f"{kind}.xyz"
    crystals: dict[str, Atoms] = {
        "fcc": bulk("Nb", "fcc", a=4.2, cubic=True) * (4, 4, 4),
        "tungsten": build_crystal("bcc", "W", (8, 8, 8), rng=0),
        "odd": build_crystal(size=(6, 6, 6), rng=0),
        "moved": build_crystal(size=(8, 8, 8), rng=0),
    }
    if kind == "text":
        file.write_text("hello\n")
        return file
    atoms = crystals[kind]
    if kind == "moved":
        atoms.positions[3, 0] += 0.6
    write(file, atoms)
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "cannot be read as a structure"),
        ("fcc", "fcc.xyz: not a block of conventional bcc cells"),
        ("tungsten", "species W not among Nb, Mo, Ta"),
        ("odd", "system.small_size [4, 4, 4] does not divide the large system's [6, 6, 6] cells"),
        ("moved", " A from the nearest bcc site; at most 0.3 A is snapped"),
    ],
)
def test_bad_structures_are_one_line_and_nothing_is_written(
    kind: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = structure(kind, tmp_path)
    assert message in refusal(capsys, tmp_path / "out", "--structure", str(file))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--structure", "gone.xyz"), "no such file: gone.xyz"),
        (("--set", "system.structure=gone.xyz"), "no such file: gone.xyz"),
        (("--set", "system.small_size=[16,16,16]"), "does not divide"),
        (("--set", "system.small_size=[3,3,3]"), "--set system.small_size=[4,4,4]"),
        (("--set", "system.small_size=[2,2,2]"), "three numbers of at least 3"),
        (("--set", "conditions.temperatures_K=[0]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperatures_K=[2000, -1]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperatures_K=[]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperature_K=[900]"), "did you mean 'conditions.temperatures_K'"),
        (("--set", "system.barriers=gone.json"), "no such file: gone.json"),
        (("--set", "system.composition=Nb"), "at least two species"),
        (("--set", "small.events=0"), "small.events must be at least 1, not [0]"),
        (("--set", "small.events=2000"), "small.events must be at least 4000"),
        (("--set", "small.runs=0"), "small.runs must be at least 1, not 0"),
        (("--set", "sampling.dt_events=[100]"), "sampling.dt_events must be multiples of 125"),
        (("--set", "direct.runs=-1"), "direct.runs must not be negative, not -1"),
        (("--set", "learning.drift=linear"), "learning.drift must be one of network, onsager"),
        (("--set", "learning.epochs=0"), "learning.epochs must be at least 1, not 0"),
        (("--set", "learning.learning_rate=0"), "learning.learning_rate must be above 0"),
        (("--set", "direct.relaxation_times=0"), "direct.relaxation_times must be above 0"),
        (("--set", "predict.paths=0"), "predict.paths must be at least 1, not 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:composition")
def test_bad_settings_are_one_line_and_nothing_is_written(
    more: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(capsys, tmp_path / "out", *more)
    assert not (tmp_path / "out").exists()


def test_two_runs_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_writer(tmp_path / "run"):
        assert "is in use by process" in refusal(capsys, tmp_path / "run")
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.lock"]
