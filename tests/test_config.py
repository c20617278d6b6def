"""Settings: defaults, order of precedence, refusals, and TOML both ways."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from macro_ase.config import (
    PRESETS,
    _list_studies,
    _load,
    _parse_override,
    list_studies,
    load_config,
)
from macro_ase.toml_text import dump_toml, toml_value

TOY = """
title = "A toy study"
seed = 0
workers = 1
[system]
structure = ""      # file of the user's own crystal
[small]
size = [8, 8, 8]
temperatures_K = [1000.0, 2000.0]
hops = 1000
periodic = false
[learn.net]
rate = 1e-3
[quick]
"small.hops" = 10
small.temperatures_K = [2000.0]
"""


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "toy.toml").write_text(TOY)
    return folder


def load(presets: Path, *overrides: str, study: str | Path = "toy", quick: bool = False) -> Any:
    return _load(study, quick, dict(map(_parse_override, overrides)), presets)


def write(presets: Path, text: str) -> Path:
    path = presets.parent / "mine.toml"
    path.write_text(text)
    return path


def test_defaults_are_the_preset_without_the_quick_table(presets: Path) -> None:
    expected = tomllib.loads(TOY)
    del expected["quick"]
    assert load(presets) == {"study": "toy", **expected}


def test_quick_applies_dotted_keys(presets: Path) -> None:
    small = load(presets, quick=True)["small"]
    assert (small["hops"], small["temperatures_K"]) == (10, [2000.0])


def test_precedence(presets: Path) -> None:
    path = write(presets, 'study = "toy"\nseed = 4\n[small]\nhops = 50\n')
    assert load(presets, study=path, quick=True)["small"]["hops"] == 50
    config = load(presets, "small.hops=70", study=path, quick=True)
    assert config["small"] == {
        "size": [8, 8, 8],
        "temperatures_K": [2000.0],
        "hops": 70,
        "periodic": False,
    }
    assert config["seed"] == 4


def test_a_complete_file_still_has_a_quick_version(presets: Path) -> None:
    path = write(presets, dump_toml(load(presets, "seed=2")))
    assert load(presets, study=path) == load(presets, "seed=2")
    assert load(presets, study=path, quick=True) == load(presets, "seed=2", quick=True)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("small.hops=2e6", "hops", 2_000_000),
        ("small.temperatures_K=[1500, 1600.5]", "temperatures_K", [1500.0, 1600.5]),
        ("small.periodic = true", "periodic", True),
    ],
)
def test_values_take_the_type_of_the_default(
    presets: Path, text: str, key: str, value: Any
) -> None:
    got = load(presets, text)["small"][key]
    assert got == value and type(got) is type(value)


def test_bare_words_are_strings(presets: Path) -> None:
    for text in ("system.structure=my file.xyz", 'system.structure="my file.xyz"'):
        assert load(presets, text)["system"]["structure"] == "my file.xyz"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("small.hop=3", "unknown key 'small.hop'; did you mean 'small.hops'?"),
        ("smal.size=3", "unknown key 'smal.size'; did you mean 'small.size'?"),
        ("study=toy", "unknown key 'study'"),
        ("small={size=[1,1,1]}", "unknown key 'small'"),
        ("small.hops=many", "small.hops = 'many': expected a whole number"),
        ("small.hops=2.5", "small.hops = 2.5: expected a whole number"),
        ("small.hops=true", "small.hops = True: expected a whole number"),
        ("learn.net.rate=nan", "learn.net.rate = nan: expected a number"),
        ("small.periodic=1", "small.periodic = 1: expected true or false"),
        ("system.structure=3", "system.structure = 3: expected a string"),
        ("small.size=8", r"small.size = 8: expected a list such as \[8, 8, 8\]"),
        ("small.size=[8, 8, 'x']", r"small.size\[2\] = 'x': expected a whole number"),
        ("small.size=[8, 8", r"small.size = \[8, 8 is not a TOML value"),
        ("small.hops", "expected KEY=VALUE, as in --set seed=3, not 'small.hops'"),
        ("small.hops=", "not a TOML value"),
        ("seed=-1", "seed must be 0 or larger, not -1"),
        ("workers=0", "workers must be 1 or larger, not 0"),
    ],
)
def test_bad_settings_are_refused(presets: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(presets, text)


def test_unknown_study_names_the_nearest(presets: Path) -> None:
    with pytest.raises(ValueError, match="unknown study 'tyo'; did you mean 'toy'"):
        load(presets, study="tyo")


def test_bad_files_are_refused(presets: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: .*gone\.toml"):
        load(presets, study=presets / "gone.toml")
    with pytest.raises(ValueError, match="does not name its study"):
        load(presets, study=write(presets, "seed = 1"))
    with pytest.raises(ValueError, match=r"mine\.toml is not valid TOML"):
        load(presets, study=write(presets, "seed = "))
    with pytest.raises(ValueError, match="unknown key 'sed'; did you mean 'seed'"):
        load(presets, study=write(presets, 'study = "toy"\nsed = 1'))


def test_list_studies(presets: Path) -> None:
    assert _list_studies(presets) == [("toy", "A toy study")]


def test_toml_round_trip() -> None:
    config = {
        "name": 'quotes " \\ and\nlines \x7f é',
        "float": 1e-16,
        "big": 1e22,
        "flags": [True, False],
        "empty": [],
        "nested": [[1, 2], [3.5]],
        "odd key.x": 1,
        "table": {"a": 1, "inner": {"b": "c"}, "only": {"deeper": {"d": 2}}, "void": {}},
        "mixed": [{"a": 1}],
    }
    assert tomllib.loads(dump_toml(config)) == config


def test_what_toml_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="no TOML form for None"):
        toml_value(None)


@pytest.mark.parametrize("study", [name for name, _ in list_studies()])
@pytest.mark.parametrize("quick", [False, True])
def test_shipped_presets_load_and_round_trip(study: str, quick: bool) -> None:
    config = load_config(study, quick=quick, seed=0, workers=1)
    assert tomllib.loads(dump_toml(config)) == config
    assert (PRESETS / f"{study}.toml").is_file()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("small.hops=1e300", "small.hops must be at most 10000000, not 1000000"),
        ("small.hops=1e26", "small.hops must be at most 10000000, not 1000000"),
        ("small.hops=-1e26", "small.hops must be at most 10000000, not -1000000"),
        ("small.hops=inf", "small.hops = inf: expected a whole number"),
        (f"small.hops={10**400}", r"small.hops = 1000.*\.\.\.: expected a whole number"),
        ("seed=9223372036854775808", "seed must be at most 9223372036854775807"),
        ("workers=5000", "workers must be at most 4096, not 5000"),
        ("learn.net.rate=1e300", "learn.net.rate must be 0 or, in size, 1e-12 to 1e[+]07"),
        ("learn.net.rate=1e-300", "learn.net.rate must be 0 or, in size, 1e-12 to 1e[+]07"),
        ("learn.net.rate=-inf", "learn.net.rate = -inf: expected a number"),
        (f"learn.net.rate={10**400}", "learn.net.rate = 1000.*: expected a number"),
        ("small.size=[8, 8, 1e9]", r"small.size\[2\] must be at most"),
        ("small.temperatures_K=[1e26]", r"small.temperatures_K\[0\] must be 0 or"),
    ],
)
def test_numbers_have_limits(presets: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        load(presets, text)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("seed", [3, np.int64(3), np.uint8(3), 3.0, np.float32(3), np.array(3)])
def test_seed_and_workers_are_whole_numbers_of_any_kind(seed: Any) -> None:
    config = load_config("nbmota", seed=seed, workers=seed)
    assert config["seed"] == config["workers"] == 3 and type(config["seed"]) is int


@pytest.mark.parametrize("seed", [True, np.bool_(True), 1.5, "3", [3]])
def test_what_is_no_whole_number_is_one_line(seed: Any) -> None:
    for key in ("seed", "workers"):
        with pytest.raises(ValueError, match=f"{key} = .*: expected a whole number"):
            load_config("nbmota", **{key: seed})
