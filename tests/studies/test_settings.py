"""Settings without sense are refused before any work, whatever the study."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from macro_ase.config import flatten, list_studies, load_config
from macro_ase.engines.vacancies.fraction import VacancyFraction
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.studies.registry import study_of
from macro_ase.studies.settings import MOST_STEPS, require_numbers, require_steps
from macro_ase.toml_text import toml_value

SECONDS = 20


@contextmanager
def time_limit() -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError("settings were checked by work without end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


CORNERS = ["Nb0.6Mo0.2Ta0.2", "Nb0.2Mo0.6Ta0.2", "Nb0.2Mo0.2Ta0.6"]
SCAN = ("scan.times=[0.5]", "scan.buffers=[4]")
FEWER = {
    "nbmota-composition": (
        f"conditions.compositions={CORNERS}",
        "held_out.compositions=['Mo0.5Ta0.5']",
        "system.large_size=[8,8,8]",
    ),
    "predator-prey": SCAN,
    "allen-cahn": SCAN,
}
"""Of what there are many alike, and sites."""


def made(study: str, *overrides: str) -> Any:
    with time_limit():
        config = load_config(study, False, overrides)
        return study_of(config)


def numbers_of(study: str) -> dict[str, Any]:
    flat = flatten(load_config(study))
    return {k: v for k, v in flat.items() if not isinstance(v, (str, bool))}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:composition")
@pytest.mark.parametrize("study", [name for name, _ in list_studies()])
def test_every_number_of_every_study_has_limits(
    study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond them: one line that names the setting and what would do instead, where the preset runs
    without a class of the user's. At them: no traceback and no endless loop."""
    monkeypatch.setattr(EAMTable, "read", cache(EAMTable.read))
    for key, default in numbers_of(study).items():
        first = default[0] if isinstance(default, list) and default else default
        if not isinstance(first, (int, float)):
            continue
        extremes = (-1, 0, 10**7) if isinstance(first, int) else (-1.0, 0.0, 1e-12, 1e7)
        for value in (*extremes, 1e26, 1e300, float("nan"), float("inf")):
            given = [value] * len(default) if isinstance(default, list) else value
            try:
                made(study, *FEWER.get(study, ()), f"{key}={toml_value(given)}")
            except ValueError as error:
                assert "\n" not in str(error)
                assert ": --set " in str(error) or study == "own", str(error)
            else:
                assert abs(value) <= 1e7


@pytest.mark.parametrize(
    ("study", "change", "message"),
    [
        ("predator-prey", "sampling.interval=1e-9", "sampling.interval = 1e-09 divides"),
        ("predator-prey", "sampling.interval=40.0", "must be at most sampling.last_age = 30"),
        ("predator-prey", "direct.interval=31.0", "must be at most direct.end = 30, not 31"),
        ("predator-prey", "direct.interval=1e-8", "direct.interval = 1e-08 divides direct.end"),
        ("predator-prey", "system.time_step=1e-9", "system.time_step = 1e-09 divides"),
        ("predator-prey-forces", "data.dt=1e-9", "data.dt = 1e-09 divides data.time = 30"),
        ("lennard-jones-forces", "data.dt=1e-9", "data.dt = 1e-09 divides data.time"),
        ("lennard-jones-forces", "learning.rollout_step=1e-9", "learning.rollout_step = 1e-09"),
        ("lennard-jones-saving", "data.velocity_seed=2147483648", "must be at most"),
        ("ising-critical", "prediction.step=1e-9", "prediction.step = 1e-09 divides"),
        ("ising-critical", "sampling.beyond_share=-1.0", "sampling.beyond_share must lie in 0..1"),
        ("ising", "system.model=ising-critical", "system.model of the study ising is 'ising'"),
        ("nbmota", "system.model=''", "system.model of the study nbmota is 'vacancy-alloy'"),
        (
            "nbmota",
            "time.vacancy_fraction='1.5'",
            "time.vacancy_fraction: a fixed vacancy fraction",
        ),
        (
            "nbmota",
            "time.vacancy_fraction='gone.json'",
            "time.vacancy_fraction: no such file",
        ),
        ("ising", "system.side=0", "system.side must be at least 4"),
    ],
)
def test_intervals_and_sizes_are_refused(study: str, change: str, message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        made(study, change)


def test_a_crystal_that_does_not_fit_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("macro_ase.memory.memory_limit", lambda: 2**36)
    with pytest.raises(ValueError, match=r"large_size = .* of 2000000000 sites would need about"):
        made("nbmota", "system.large_size=[1000, 1000, 1000]")


def test_seeds_for_lammps() -> None:
    made("lennard-jones-forces", "data.velocity_seed=10000000", "seed=9223372036854775807")


def test_limits_of_steps() -> None:
    config = {"a": {"step": 0.5, "times": [1.0, 2.0]}}
    require_steps(config, {"a.step": "a.times"})
    config["a"]["step"] = 1.5
    require_steps(config, {"a.step": "a.times"}, beyond=True)
    with pytest.raises(ValueError, match=r"a.step must be at most a.times = 1, not 1.5"):
        require_steps(config, {"a.step": "a.times"})
    config["a"]["step"] = 1.0 / MOST_STEPS
    with pytest.raises(ValueError, match=r"a.step = 1e-07 divides a.times = 2 into more"):
        require_steps(config, {"a.step": "a.times"})


def test_limits_of_numbers() -> None:
    config = {"a": {"b": 3}}
    require_numbers(config, {"a.b": 3}, ("a.b",), {"a.b": 3})
    with pytest.raises(ValueError, match=r"a.b must be at most 2, not 3"):
        require_numbers(config, {}, (), {"a.b": 2})


def test_a_file_of_vacancies_is_one_of_the_inputs(tmp_path: Path) -> None:
    VacancyFraction(2.9, 0.1).write(tmp_path / "v.json")
    study = made("nbmota", f"time.vacancy_fraction='{tmp_path / 'v.json'}'")
    assert study.inputs == (tmp_path / "v.json",)
    scale, error = study.design.laboratory_scale(2000.0)
    assert scale == pytest.approx(8 / 8192 / VacancyFraction(2.9)(2000)) and error > 0.5
    assert made("nbmota").inputs == () and made("nbmota").design.laboratory_scale(2000.0)[0] == 0
    assert made("nbmota-swap").design.vacancy_fraction is None
