"""The rule for a check, and what parts refuse."""

from pathlib import Path

import numpy as np
import pytest

from macro_ase.report import Check, Figure, Table, Value

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "errors", "low", "high", "verdict"),
    [
        (0.9, None, 0.85, 1.15, "passed"),
        (1.15, None, 0.85, 1.15, "passed"),
        (1.1501, None, 0.85, 1.15, "failed"),
        (0.8, None, 0.85, 1.15, "failed"),
        (1.1, 0.02, 0.85, 1.15, "passed"),
        (1.1, 0.03, 0.85, 1.15, "undecided"),
        (1.2, 0.03, 0.85, 1.15, "undecided"),
        (1.2, 0.02, 0.85, 1.15, "failed"),
        (0.8, 0.02, 0.85, 1.15, "failed"),
        (0.8, 0.03, 0.85, 1.15, "undecided"),
        (0.8, 10.0, 0.85, 1.15, "undecided"),
        (0.02, 0.004, -INF, 0.03, "passed"),
        (0.02, 0.006, -INF, 0.03, "undecided"),
        (0.05, 0.006, -INF, 0.03, "failed"),
        (-1e9, None, -INF, 0.03, "passed"),
        (50.0, None, 50.0, INF, "passed"),
        (49.0, None, 50.0, INF, "failed"),
        ([0.9, 1.0, 1.1], None, 0.85, 1.15, "passed"),
        ([0.9, 1.0, 1.2], None, 0.85, 1.15, "failed"),
        ([0.9, 1.1], [0.01, 0.1], 0.85, 1.15, "undecided"),
        ([0.5, 1.1], [0.01, 0.1], 0.85, 1.15, "failed"),
        ([0.9, 1.1], 0.01, 0.85, 1.15, "passed"),
        (NAN, None, 0.85, 1.15, "undecided"),
        ([1.0, NAN], None, 0.85, 1.15, "undecided"),
        ([2.0, NAN], None, 0.85, 1.15, "failed"),
        (1.0, NAN, 0.85, 1.15, "undecided"),
        (1.0, INF, 0.85, 1.15, "undecided"),
        (INF, None, -INF, 0.03, "failed"),
        (-INF, None, -INF, 0.03, "passed"),
        ([], None, 0.85, 1.15, "undecided"),
        (np.ones((2, 2)), np.zeros((2, 2)), 0.85, 1.15, "passed"),
    ],
)
def test_a_limit_is_kept_or_missed_by_two_errors(
    values: object, errors: object, low: float, high: float, verdict: str
) -> None:
    assert Check("x", values, errors, low, high).verdict == verdict
    assert Check("x", values, errors, low, high, informs=True).verdict == "information"


def test_mirrored_values_and_limits_have_the_same_verdict() -> None:
    rng = np.random.default_rng(0)
    for value, error, low in rng.normal(size=(200, 3)).tolist():
        limits = (low, low + 1.0)
        check = Check("x", value, abs(error), *limits)
        mirrored = Check("x", -value, abs(error), -limits[1], -limits[0])
        assert check.verdict == mirrored.verdict


@pytest.mark.parametrize(
    ("check", "shown", "allowed"),
    [
        (
            Check("x", 0.9, 0.02, 0.85, 1.15),
            "0.900 ± 0.020",
            "0.85 to 1.15",
        ),
        (Check("x", [0.9, 1.0], None, 0.85, 1.15, form=".2f"), "0.90, 1.00", "0.85 to 1.15"),
        (Check("x", [3, 1, 2, 5, 4], low=1), "1 to 5", "at least 1"),
        (Check("x", 0.0044, high=0.02, form=".2%"), "0.44 %", "at most 2 %"),
        (Check("x", -0.0028, low=-0.01, high=0.01, form="+.2%"), "-0.28 %", "within 1 %"),
        (Check("x", 1.28e-4, high=2e-4, form=".2e"), "1.28e-04", "at most 0.0002"),
        (Check("x", NAN, 0.1, high=1, note="what one likes"), "–", "what one likes"),
        (Check("x", [], high=1), "", "at most 1"),
        (Check("x", 0.3, informs=True), "0.3", ""),
    ],
)
def test_a_check_says_what_it_found_and_what_is_allowed(
    check: Check, shown: str, allowed: str
) -> None:
    assert (check.shown, check.allowed) == (shown, allowed)


def test_parts_refuse_what_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="table 'T' has 2 columns, but a row of 3"):
        Table("T", ["a", "b"], [[1, 2], [1, 2, 3]])
    for name in ("../x.png", "figures/x.png", "x.svg", "", "/x.png"):
        with pytest.raises(ValueError, match="a figure must be named like"):
            Figure(name, "x", Path.touch)


def test_a_value_is_its_text() -> None:
    assert str(Value(-0.18312, 0.0123)) == "-0.183 ± 0.012" and str(Value(None)) == "–"
