"""Whether runs were long enough, by what they remember of where they began."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from macro_ase.config import load_config
from macro_ase.studies.alloys.compare import Findings, apart
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.run_checks import run_checks

RUNS, RECORDS = 32, 400


@pytest.fixture(scope="module")
def design() -> Design:
    own = ("conditions.temperatures_K=[1800, 3000]", f"small.runs={RUNS}", "small.treated=0.5")
    return Design.of(load_config("nbmota", True, own, workers=1))


def runs_that(d: Design, remember: float) -> list[list[dict[str, np.ndarray]]]:
    """Noise about a random crystal, and late in runs from elsewhere more of the last pair."""
    order, rng = d.system.small_order, np.random.default_rng(0)
    made = []
    for _ in d.temperatures:
        own = []
        for r in range(RUNS):
            z = order.random_state(2) + 0.01 * rng.normal(size=(RECORDS, 6))
            if r >= d.fresh_runs:
                z[:, 2] += remember * order.fractions[1]
            own.append({"z": z, "extra": np.zeros((RECORDS, 3))})
        made.append(own)
    return made


def verdicts(d: Design, remember: float) -> dict[str, str]:
    found = SimpleNamespace(
        small_lengths=[20.0], direct_lengths=[], apart=apart(d, runs_that(d, remember))
    )
    return {check.name: check.verdict for check in run_checks(d, cast(Findings, found))}


def test_runs_that_have_not_forgotten_where_they_came_from_fail(design: Design) -> None:
    assert verdicts(design, 0.0) == {
        "small runs long enough": "passed",
        "small runs at rest": "passed",
    }
    assert verdicts(design, 0.05)["small runs at rest"] == "failed"


def test_how_far_they_are_apart_is_in_delta_with_the_error_of_both(design: Design) -> None:
    found = apart(design, runs_that(design, 0.05))
    assert found is not None
    column = design.system.small_order.all_names.index("Mo-Ta")
    assert found.value.shape == (2, 6)
    np.testing.assert_allclose(found.value[:, column], 0.05, atol=4 * found.error[:, column].max())
    expected = 0.01 / design.system.small_order.fractions[1] / np.sqrt(RECORDS / 2 * RUNS / 4)
    np.testing.assert_allclose(found.error[:, column], expected, rtol=0.4)


def test_without_runs_of_both_kinds_nothing_is_said(design: Design) -> None:
    for treated in (0.0, 0.9):
        few = replace(design, small_runs=4, small_treated=treated)
        assert apart(few, runs_that(design, 0.0)) is None
