"""What the likelihood is told of the small runs of a study."""

from dataclasses import replace

import numpy as np
import pytest

from macro_ase.config import load_config

pytest.importorskip("torch")

from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.small_states import run_parts, with_past

pytestmark = pytest.mark.learn
COLD, HOT = 1800.0, 3000.0
OWN = (
    f"conditions.temperatures_K=[{COLD}, {HOT}]",
    "small.runs=2",
    "small.treated=0",
    "sampling.early_parts=true",
    "sampling.memory_events=900",
)
RESIDENCE = {COLD: 2.0, HOT: 0.5}
RECORDS, INTERVAL = 141, 30.0


@pytest.fixture(scope="module")
def design() -> Design:
    return Design.of(load_config("nbmota", True, OWN, workers=1))


def runs(d: Design) -> dict:
    """Small runs that walk at random, with records so far apart in time at every temperature."""
    rng, made = np.random.default_rng(0), {}
    for t, tau in RESIDENCE.items():
        for key in d.keys("small", t):
            z = rng.normal(size=(RECORDS, len(d.system.names))).cumsum(axis=0)
            times = INTERVAL * np.arange(RECORDS)
            made[key] = {"z": z, "times": times, "tau_w": np.array([tau])}
    return made


def test_parts_of_all_small_runs_with_their_past_and_clock(design: Design) -> None:
    """The second half, then the first in parts of which each is as long as all before."""
    small, events = runs(design), 250.0
    found = run_parts([(design, COLD), (design, HOT)], small, events)
    ends = [(70, 140), (0, 35), (35, 70)]
    run, n = 0, len(design.system.names)
    for t in RESIDENCE:
        pasts = with_past(design, t, small)
        for key, whole in zip(design.keys("small", t), pasts):
            np.testing.assert_array_equal(whole[:, :n], small[key]["z"])
            for k, (first, last) in enumerate(ends):
                row = 3 * run + k
                assert found.run[row] == run and found.part[row] == 3 * k
                np.testing.assert_array_equal(
                    found.condition[row], design.system.model_condition({"T": t})
                )
                steps = (last - first) * INTERVAL / (events * RESIDENCE[t])
                assert found.steps[row] == pytest.approx(steps)
                own = whole[first : last + 1]
                np.testing.assert_allclose(found.mean[row], own.mean(axis=0))
                change = own[-1] - own[0]
                np.testing.assert_allclose(found.moved[row] * steps, change)
            run += 1
    assert len(found.run) == 3 * run == 12
    assert found.n_patches == design.sampled_sizes[1]
    assert found.substeps == design.system.substeps == 4


def test_steps_of_a_small_crystal_say_as_much_as_fewer_of_a_large_one(design: Design) -> None:
    grown = replace(design, grow=True, memory_events={}, early_parts=False)
    plain = replace(design, memory_events={}, early_parts=False)
    small = runs(design)
    ours, own = (run_parts([(d, COLD)], small, 250.0) for d in (grown, plain))
    share = design.system.small.n_sites / design.system.large.n_sites
    assert grown.small_share == share < 1
    assert plain.small_share == 1
    np.testing.assert_allclose(ours.steps, share * own.steps)
    assert ours.n_patches * share == own.n_patches


def test_a_run_goes_on_with_the_past_of_the_one_that_it_began_from(design: Design) -> None:
    d = replace(design, small_runs=3, small_treated=0.4)
    small, n = runs(d), len(d.system.names)
    whole = with_past(d, HOT, small)
    before = with_past(d, COLD, small)
    assert d.begun_from(HOT, 2) == (COLD, 0) and d.begun_from(HOT, 1) is None
    np.testing.assert_array_equal(whole[2][0, n:], before[0][-1, n:])
    for fresh in whole[:2]:
        np.testing.assert_array_equal(fresh[0, n:], fresh[0, :n])


def test_runs_from_warmer_and_colder_crystals_are_known_apart(design: Design) -> None:
    d = replace(design, small_runs=3, small_treated=0.4)
    found = run_parts([(d, COLD), (d, HOT)], runs(d), 250.0)
    kinds = {(c[0], r % 3): set(found.part[found.run == r] % 3)
             for r, c in zip(found.run, found.condition)}  # fmt: skip
    cold, hot = 1000 / COLD, 1000 / HOT
    assert kinds[(cold, 2)] == {0, 1} and kinds[(hot, 2)] == {0, 2}
    assert kinds[(cold, 0)] == kinds[(hot, 1)] == {0}
