"""Settings as a file: complete, with meaning and limits, and read back as they were."""

import tomllib
from pathlib import Path

import pytest

from macro_ase.cli import main
from macro_ase.commands.list_settings import settings_text
from macro_ase.config import list_studies, load_config, preset_of

NAMES = [name for name, _ in list_studies()]


@pytest.mark.parametrize("study", NAMES)
def test_the_text_is_a_file_of_the_same_settings(
    study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macro_ase.commands.list_settings.installed", lambda _: False)
    config = load_config(study, quick=True, seed=7)
    file = tmp_path / "all.toml"
    file.write_text(settings_text(config, preset_of(study)))
    assert load_config(file) == config
    comments = [line for line in preset_of(study).read_text().splitlines() if line[:1] == "#"]
    listed = file.read_text().splitlines()
    assert len(comments) > 5 and set(comments) <= set(listed)
    keys = [line for line in listed if "=" in line and line[0] not in "#["]
    assert all("  # " in line for line in keys[1:])


def test_limits_are_those_of_the_study_and_defaults_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("torch")
    words = ["run", "curie-weiss", "--list-settings", "--set", "direct.steps=7"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "steps = 7  # whole number; at least 1; at most 1e+07; default: 500" in text
    assert 'baseline = "none"  # text; of none, naive' in text
    assert tomllib.loads(text)["study"] == "curie-weiss"


def test_names_of_ones_own_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('system.class = "mine:Potts"\nsystem.q = 3\nconditions.T = [1.5]\n')
    assert main(["run", str(file), "--list-settings"]) == 0
    listed = tomllib.loads(capsys.readouterr().out)
    assert listed["system"]["q"] == 3 and listed["conditions"] == {"T": [1.5]}
    assert not (tmp_path / "runs").exists()
