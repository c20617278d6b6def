"""Settings of a study of an alloy: one number or one for each temperature, and its patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from macro_ase.build import build_crystal
from macro_ase.config import load_config
from macro_ase.observables.past import past_of
from macro_ase.rng import stream
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.small_states import pasts

COLD = "conditions.temperatures_K=[1800.0, 1200.0, 1500.0]"
SMALL = ("system.small_size=[6, 6, 6]", "system.large_size=[8, 8, 8]")


def design(*given: str) -> Design:
    return Design.of(load_config("nbmota", overrides=(COLD, *SMALL, *given)))


def test_one_number_is_for_all() -> None:
    d = design("small.events=300000", "direct.relaxation_times=[30.0]")
    assert dict(d.small_events) == dict.fromkeys((1200.0, 1500.0, 1800.0), 300000)
    assert d.n_steps(1200.0, 1e4, 500.0) == d.n_steps(1800.0, 1e4, 500.0) == 36 * 20


def test_several_are_in_the_order_of_the_temperatures() -> None:
    d = design("small.events=[300000, 9000000, 1000000]", "direct.relaxation_times=[80, 10, 40]")
    assert d.temperatures == (1200.0, 1500.0, 1800.0)
    assert [d.small_events[t] for t in d.temperatures] == [9000000, 1000000, 300000]
    assert d.n_steps(1200.0, 1e4, 500.0) == 16 * 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("small.events=[300000, 400000]", r"small.events must be one number, or one for each"),
        ("direct.relaxation_times=[1, 2]", r"one for each of conditions.temperatures_K: 3, not 2"),
        ("small.events=[300000, 300000, 100]", "small.events must be at least"),
        ("small.events=[]", "small.events must not be empty"),
    ],
)
def test_other_numbers_are_refused(given: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        design(given)


def test_the_past_is_that_of_the_run_that_a_state_is_from() -> None:
    """The memory is a time: 1,000 mean residence times, whatever the records of a run are."""
    d = design(
        "small.runs=2", "small.treated=0", "small.events=300000", "sampling.memory_events=1000"
    )
    rng, records, tau_w = np.random.default_rng(0), (100.0, 130.0), (0.9, 1.3)
    small = {
        key: {"z": rng.normal(size=(30, 6)), "kept": np.array([2, 20]) + k,
              "times": records[k] * np.arange(30), "tau_w": np.array([tau_w[k]])}
        for k, key in enumerate(d.keys("small", 1500.0))
    }  # fmt: skip
    own = pasts(d, small, 1500.0)
    runs = [past_of(run["z"], 1100 / records[k]) for k, run in enumerate(small.values())]
    np.testing.assert_array_equal(own, [runs[0][2], runs[0][20], runs[1][3], runs[1][21]])


def test_a_memory_of_its_own_for_every_temperature_is_a_line_in_one_over_T() -> None:
    d = design("conditions.temperatures_K=[1000, 2000]", "sampling.memory_events=[40000, 1000]")
    assert [d.memory(1000 / t) for t in (1000, 2000)] == pytest.approx([40000, 1000])
    assert d.memory(1000 / 1500) == pytest.approx(1000 * 40 ** (1 / 3))


def test_states_that_grow_have_no_past() -> None:
    grow = ("sampling.grow=true", "sampling.copies=2", "system.large_size=[12, 12, 12]")
    with pytest.raises(ValueError, match=r"sampling.memory_events must be 0 where states grow"):
        design(*grow, "sampling.memory_events=100")
    with pytest.raises(ValueError, match=r"memory_events must be 0 at no temperature or at all"):
        design("conditions.temperatures_K=[1500, 2000]", "sampling.memory_events=[0, 100]")
    with pytest.raises(ValueError, match=r"sampling.early_parts must be false where states grow"):
        design(*grow, "sampling.memory_events=0")
    assert design(*grow, "sampling.memory_events=0", "sampling.early_parts=false").grow


def test_half_of_the_runs_begin_where_others_ended_and_each_of_all_the_others() -> None:
    d = design("small.runs=7", "small.treated=0.5", "small.events=300000")
    assert d.fresh_runs == 4
    for t in d.temperatures:
        begun = [d.begun_from(t, r) for r in range(7)]
        assert begun[:4] == [None] * 4
        assert {kelvin for kelvin, _ in begun[4:]} == set(d.temperatures) - {t}
        assert all(run < 4 for _, run in begun[4:])
    one = design("conditions.temperatures_K=[1500]", "small.treated=0.9", "small.events=300000")
    assert one.fresh_runs == one.small_runs
    with pytest.raises(ValueError, match=r"small.treated must be at most 0.9, not 1"):
        design("small.treated=1.0")


def test_patches_with_sites_of_their_own_need_not_divide_the_large_system() -> None:
    """K = n / n_s is no whole number then, and the whole drifts as its patches do."""
    sizes = ("system.small_size=[4, 4, 4]", "system.patch_size=[2, 2, 2]")
    config = load_config("swap", True, (*sizes, "system.large_size=[5, 5, 5]"))
    d = Design.of(config)
    assert d.sites_per_patch == 32
    assert d.n_patches == 125 / 8
    assert d.system.n_patches(d.system.large_state) == 16


def test_direct_runs_start_from_random_crystals_of_their_own(tmp_path: Path) -> None:
    d = design()
    starts = [d.start(1500.0, r) for r in (0, 1)] + [d.start(1800.0, 0)]
    assert all(np.array_equal(np.sort(x), np.sort(d.system.large_state)) for x in starts)
    assert len({x.tobytes() for x in starts}) == 3
    assert np.array_equal(d.start(1500.0, 1), design().start(1500.0, 1))
    given = build_crystal("bcc", "NbMoTa", (8, 8, 8), rng=0)
    given.write(tmp_path / "own.xyz")
    own = design(f"system.structure={tmp_path / 'own.xyz'}")
    assert own.start(1500.0, 1) is own.system.large_state


def test_small_runs_start_from_random_crystals_of_their_own(tmp_path: Path) -> None:
    """But from blocks of a crystal that is given, whose order they keep."""
    system, seeds = design().system, [stream(0, "small", k) for k in range(20)]
    starts = [system.small_start(seed) for seed in seeds]
    assert len({x.tobytes() for x in starts}) == 20
    assert all(np.array_equal(np.sort(x), np.sort(system.small_states[0])) for x in starts)
    build_crystal("bcc", "NbMoTa", (8, 8, 8), rng=0).write(tmp_path / "own.xyz")
    own = design(f"system.structure={tmp_path / 'own.xyz'}").system
    blocks = {x.tobytes() for x in own.small_states}
    assert all(own.small_start(seed).tobytes() in blocks for seed in seeds)
