"""Settings of a study of an alloy: one number or one for each temperature, and its patches."""

from __future__ import annotations

import pytest

from macro_ase.config import load_config
from macro_ase.studies.alloys.design import Design

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


def test_patches_with_sites_of_their_own_need_not_divide_the_large_system() -> None:
    """K = n / n_s is no whole number then, and the whole drifts as its patches do."""
    sizes = ("system.small_size=[4, 4, 4]", "system.patch_size=[2, 2, 2]")
    config = load_config("swap", True, (*sizes, "system.large_size=[5, 5, 5]"))
    d = Design.of(config)
    assert d.sites_per_patch == 32
    assert d.n_patches == 125 / 8
    assert d.system.n_patches(d.system.large_state) == 16
