"""Direct runs of the benchmark of sizes: they go on to the same bytes, and are measured right."""

import re
import shutil
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from commands.hand_made_run import hand_made

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from direct_runs import ROWS, DirectRun, alloy_of, crystal, go_on, mean_start, read, units
from size_tables import report
from sizes import crossings, main, mean_of, pieces, predict, spread_of

from macro_ase.commands.alloy_run import AlloyRun

pytestmark = pytest.mark.learn


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_made(tmp_path_factory.mktemp("runs") / "alloy")


def test_a_run_goes_on_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    whole = DirectRun(run, tmp_path, 10, 2500.0, 0, 3, 2e-10)
    (tmp_path / "parts").mkdir()
    part = replace(whole, folder=tmp_path / "parts", pieces=1)
    go_on(part)
    assert part.done == 1 and len(read(part)["z"]) == ROWS + 1
    once, twice = whole, replace(part, pieces=3)
    go_on(once)
    go_on(twice)
    first, second = read(once), read(twice)
    for name in ("times", "z", "extra", "state", "hops"):
        np.testing.assert_array_equal(first[name], second[name])
    assert first["z"].shape == (3 * ROWS + 1, 6) and first["hops"] > 300
    begin = AlloyRun(run).beginning(size=(10, 10, 10))
    np.testing.assert_allclose(first["z"][0], begin.of_small(begin.z0), rtol=1e-12)
    go_on(replace(whole, number=1))
    assert np.any(read(replace(whole, number=1))["z"][-1] != first["z"][-1])


def test_runs_with_crystals_of_their_own_begin_each_with_another(run: Path, tmp_path: Path) -> None:
    """Random ones of the same atoms, the same at every temperature; predictions know their mean."""
    one = DirectRun(run, tmp_path, 8, 2500.0, 0, 1, 2e-11, own_crystal=True)
    jobs = [one, replace(one, number=1), replace(one, temperature=2000.0)]
    for job in [*jobs, replace(one, own_crystal=False)]:
        go_on(job)
    assert len(list(tmp_path.glob("*.npz"))) == 4
    first, second, colder = (read(job)["z"][0] for job in jobs)
    np.testing.assert_array_equal(first, colder)
    shared = read(replace(one, own_crystal=False))["z"][0]
    assert np.any(first != second) and np.any(first != shared)
    own = AlloyRun(run)
    begin = own.beginning(size=(8, 8, 8))
    states = [crystal(own, begin, k) for k in (0, 1)]
    assert all(np.array_equal(np.sort(s), np.sort(begin.state)) for s in states)
    mean = mean_start(own, begin, 2)
    np.testing.assert_allclose(begin.of_small(mean), (first + second) / 2, rtol=1e-12)
    np.testing.assert_allclose(mean_start(own, begin, 0), begin.z0, rtol=1e-12)


def test_units_stay_those_of_the_folder_and_another_alloy_is_refused(
    run: Path, tmp_path: Path
) -> None:
    own = AlloyRun(run)
    assert units(tmp_path, own, {2000.0: 1.0}) == {2000.0: 1.0}
    assert units(tmp_path, own, {2000.0: 5.0, 1600.0: 7.0}) == {2000.0: 1.0, 1600.0: 7.0}
    other = AlloyRun(hand_made(tmp_path / "other", "seed=1"))
    with pytest.raises(ValueError, match="holds runs of another alloy"):
        units(tmp_path, other, {2000.0: 1.0})


@pytest.mark.parametrize(
    ("cells", "quick", "stationary", "units"),
    [(16, False, None, 108), (64, False, None, 24), (16, False, 10, 18), (8, True, None, 11),
     (8, True, 2, 5)],
)  # fmt: skip
def test_direct_runs_last_as_long_as_they_are_asked_to(
    cells: int, quick: bool, stationary: int | None, units: int
) -> None:
    settling, whole = pieces(cells, Namespace(quick=quick, stationary=stationary))
    assert (settling, whole) == (3 if quick else 8, units)


@pytest.mark.slow
def test_crossings_and_spreads_hold_within_their_errors() -> None:
    """Of exponentials with AR(1) noise of known spread, over 300 trials of four runs."""
    rng, times = np.random.default_rng(0), np.linspace(0, 20, 1001)
    tau, change, spread, phi = np.array([1.0, 2.0, 1.0]), np.array([1.0, -0.5, 0.01]), 0.03, 0.98
    mean, found = change * (1 - np.exp(-times[:, None] / tau)), []
    for _ in range(300):
        kicks = rng.normal(size=(4, 1001, 3)) * spread * np.sqrt(1 - phi**2)
        kicks[:, 0] = 0
        runs = mean + lfilter([1], [1, -phi], kicks, axis=1)
        late = runs[:, 500:]
        own, error = spread_of(list(late))
        rest = mean_of(list(late))
        value, off = crossings(times, runs.mean(axis=0), rest, own, 4)
        assert np.isnan(value[2])
        misses = (rest[0] - change) / rest[1]
        found.append([*(value[:2] - tau[:2]) / off[:2], *(own - spread) / error, *misses])
    size = np.sqrt(np.mean(np.square(found), axis=0))
    assert np.all((0.6 < size) & (size < 1.35))


@pytest.mark.slow
def test_tables_of_a_prediction_beside_a_truth(run: Path) -> None:
    """Sizes without direct runs have predictions alone; where both are one, nothing is missed."""
    (small, _), (large, longest) = (predict(run, n, [2000.0, 2500.0], 20) for n in (8, 12))
    assert (small.sites, large.sites) == (1024, 3456) and longest.shape == (2,)
    truth = replace(small, runs=2, hops=1e6)
    text = report([small, large], {1024: truth}, [2000.0, 2500.0], ["a"] * 6)
    row = next(line for line in text.splitlines() if line.startswith("| 1,024 | 0"))
    assert "| 0.0000" in row and "| 3,456 |  |  |" in text
    assert "1.00e+06" in text and text.count("predicted |") >= 4


@pytest.mark.slow
def test_a_prediction_begins_with_the_mean_of_crystals(run: Path) -> None:
    """It ends where that of one crystal does, and takes another time to get there."""
    (one, _), (mean, _) = (predict(run, 16, [2000.0], 20, None, own) for own in (0, 3))
    np.testing.assert_array_equal(one.delta[0], mean.delta[0])
    seen = np.isfinite(one.relaxation[0]) & np.isfinite(mean.relaxation[0])
    assert seen.any() and np.all(one.relaxation[0][seen] != mean.relaxation[0][seen])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--runs", "-1", "--sizes", "8"], "--runs must be 0 or more"),
        (["--workers", "0"], "--workers 1 or more"),
        (["--runs", "1", "2", "--sizes", "8"], "--runs must be 1 numbers"),
        (["--stationary", "0"], "--stationary must be 1 or more"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["sizes.py", str(tmp_path / "none"), *words])
    with pytest.raises(SystemExit):
        main()
    assert message in capsys.readouterr().err and not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_crystals_may_be_those_of_another_run(run: Path, tmp_path: Path) -> None:
    """The model stays: other crystals of the same size end alike, and do not begin alike."""
    other = tmp_path / "other"
    shutil.copytree(run, other)
    config = other / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"(?m)^seed = \d+$", "seed = 77", text), encoding="utf-8")
    assert alloy_of(AlloyRun(other)) == alloy_of(AlloyRun(run)) | {"seed": 77}
    (own, _), (theirs, _) = (predict(run, 8, [2500.0], 20, crystals) for crystals in (None, other))
    np.testing.assert_allclose(own.delta[0], theirs.delta[0], atol=0.02)
    assert np.any(own.relaxation[0] != theirs.relaxation[0])
