"""Settings that a study does not have: the one that was meant is named, or that there is none."""

import pytest

from macro_ase.config import load_config
from macro_ase.unknown_keys import meant, unknown_key

KNOWN = ["seed", "system.side", "small.runs", "small.events", "direct.runs", "past.memory_events"]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("system.sise", ["system.side"]),
        ("smal.events", ["small.events"]),
        ("sed", ["seed"]),
        ("event", ["small.events"]),
        ("runs", ["direct.runs", "small.runs"]),
        ("direct.run", ["direct.runs"]),
        ("past.memory", ["past.memory_events"]),
        ("small.memory_events", ["past.memory_events"]),
        ("system.side.x", ["system.side"]),
        ("system.temperature", []),
        ("small.memories", []),
    ],
)
def test_the_name_that_was_meant(key: str, names: list[str]) -> None:
    assert sorted(meant(key, KNOWN)) == names


def test_a_table_says_what_it_has() -> None:
    text = "unknown key 'small': that is a table; name a setting of it: small.runs, small.events"
    assert unknown_key("small", "toy", KNOWN) == text


@pytest.mark.parametrize(
    ("study", "change", "said"),
    [
        ("nbmota-swap", "sampling.memory_events=9", "nbmota-swap has no such setting (nbmota has)"),
        ("ising", "system.barriers=NbMoW", "(nbmota-composition and nbmota have): leave it out"),
        ("ising", "learning.memory=3", "ising has no such setting: leave it out; learning has"),
        ("ising", "memory=3", "leave it out, or see macro-ase run ising --list-settings"),
        (
            "ising",
            "sampling.patch=8",
            "'sampling.patches'?: --set sampling.patches=[8,16]",
        ),
        ("ising", "runs=8", "did you mean 'direct.runs' or 'closure.runs'?: --set direct.runs=8"),
        ("nbmota", "temperature=900", ": --set conditions.temperatures_K=[900.0]"),
        ("nbmota", "learning.memory=900", "--set sampling.memory_events=[900]"),
    ],
)
def test_an_option_mends_it_or_none_does(study: str, change: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        load_config(study, False, [change])
    text = str(error.value)
    assert said in text and "\n" not in text
    if "--set" in said:
        load_config(study, False, [text.partition("--set ")[2]])
    else:
        assert "--set" not in text


def test_of_a_value_that_is_missing() -> None:
    with pytest.raises(
        ValueError, match=r"seed= is not a TOML value, for there is none: seed=VALUE"
    ):
        load_config("ising", False, ["seed="])
