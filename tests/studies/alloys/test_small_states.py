"""What the likelihood is told of the small runs of a study."""

from dataclasses import replace

import numpy as np
import pytest

from macro_ase.config import load_config

pytest.importorskip("torch")

from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.small_states import late_runs, with_past

pytestmark = pytest.mark.learn
COLD, HOT = 1800.0, 3000.0
OWN = (f"conditions.temperatures_K=[{COLD}, {HOT}]", "small.runs=2", "sampling.memory_events=900")
RESIDENCE = {COLD: 2.0, HOT: 0.5}
RECORDS, INTERVAL = 41, 30.0


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


def test_second_halves_of_all_small_runs_with_their_past_and_clock(design: Design) -> None:
    small, events = runs(design), 250.0
    late = late_runs([(design, COLD), (design, HOT)], small, events)
    d, half = len(design.system.names), RECORDS // 2
    keys = [key for t in RESIDENCE for key in design.keys("small", t)]
    np.testing.assert_array_equal(late.run, range(4))
    expected = [design.system.model_condition({"T": t}) for t in (COLD, COLD, HOT, HOT)]
    np.testing.assert_array_equal(late.condition, expected)
    dt = [events * RESIDENCE[t] for t in (COLD, COLD, HOT, HOT)]
    np.testing.assert_allclose(late.steps, (RECORDS - 1 - half) * INTERVAL / np.array(dt))
    for k, (key, t) in enumerate(zip(keys, (COLD, COLD, HOT, HOT))):
        z = small[key]["z"]
        whole = np.hstack([z, with_past(design, t, [small[key]], [z])[0][:, d:]])
        np.testing.assert_allclose(late.mean[k], whole[half:].mean(axis=0))
        np.testing.assert_allclose(late.moved[k] * late.steps[k], z[-1] - z[half])
    assert late.n_patches == design.sampled_sizes[1]
    assert late.substeps == design.system.substeps == 4


def test_steps_of_a_small_crystal_say_as_much_as_fewer_of_a_large_one(design: Design) -> None:
    grown = replace(design, grow=True, memory_events={})
    plain = replace(design, memory_events={})
    small = runs(design)
    ours, own = (late_runs([(d, COLD)], small, 250.0) for d in (grown, plain))
    share = design.system.small.n_sites / design.system.large.n_sites
    assert grown.small_share == share < 1
    assert plain.small_share == 1
    np.testing.assert_allclose(ours.steps, share * own.steps)
    assert ours.n_patches * share == own.n_patches
