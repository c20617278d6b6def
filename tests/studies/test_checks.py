"""One function checks patches of every system: it passes what should, and fails what should not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import macro_ase.studies
from macro_ase.analysis.assumptions import PatchCheck
from macro_ase.studies.checks import patch_checks, patch_table, training_check

GOOD = PatchCheck(1.0, 0.02, 0.5, 1.0, 0.03, 0.0, 0.002, 0.1, 0.2, 9)


def verdicts(*own: PatchCheck, **limits: float) -> list[str]:
    by_label = {f"case {k}": check for k, check in enumerate(own)}
    return [check.verdict for check in patch_checks(by_label, **limits)]


def test_patches_that_are_as_the_whole_pass() -> None:
    assert verdicts(GOOD) == verdicts(GOOD, GOOD) == ["passed"] * 3


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"drift_slope": 1.2}, ["failed", "passed", "passed"]),
        ({"drift_slope": 1.2, "drift_slope_error": 0.05}, ["undecided", "passed", "passed"]),
        ({"covariance_ratio": 0.7}, ["passed", "failed", "passed"]),
        (
            {"covariance_ratio": 0.7, "covariance_ratio_error": 0.06},
            ["passed", "undecided", "passed"],
        ),
        ({"correlation": -0.05}, ["passed", "passed", "failed"]),
        ({"correlation": 0.04}, ["passed", "passed", "undecided"]),
    ],
)
def test_one_condition_that_is_wrong_is_enough(
    fault: dict[str, float], expected: list[str]
) -> None:
    assert verdicts(GOOD, replace(GOOD, **fault)) == expected  # type: ignore[arg-type]


def test_limits_are_the_caller_s() -> None:
    assert verdicts(replace(GOOD, drift_slope=1.2), drift=0.3)[0] == "passed"
    assert verdicts(GOOD, noise=0.01)[1] == "undecided"
    assert verdicts(GOOD, shared=0.01)[2] == "undecided"


def losses(*best: int, epochs: int = 12) -> np.ndarray:
    """Of members whose held-out loss is least at an epoch; the other falls all the time."""
    held_out = np.abs(np.arange(1, epochs + 1) - np.array(best)[:, None])
    return np.stack([np.broadcast_to(-np.arange(epochs), held_out.shape), held_out], axis=2)


@pytest.mark.parametrize(
    ("best", "verdict", "shown"),
    [
        ((12, 12, 11, 12), "passed", "0.98 ± 0.02"),
        ((6, 7, 8), "passed", "0.58 ± 0.05"),
        ((1, 1, 2, 1), "failed", "0.10 ± 0.02"),
        ((2, 7), "undecided", "0.38 ± 0.21"),
        ((12,), "passed", "1.00"),
        ((1,), "failed", "0.08"),
    ],
)
def test_training_that_was_best_at_first_is_noticed(
    best: tuple[int, ...], verdict: str, shown: str
) -> None:
    check = training_check({"": losses(*best)})
    assert (check.verdict, check.shown) == (verdict, shown)


def test_every_report_that_shows_a_training_checks_it() -> None:
    reports = [p.read_text() for p in Path(macro_ase.studies.__path__[0]).rglob("report.py")]
    shown = [text for text in reports if "training_figure(" in text]
    assert len(shown) == 5 and all("training_check({" in text for text in shown)


def test_epochs_that_patience_left_out_count() -> None:
    left = losses(2, 2, 3).astype(float)
    left[:, 5:] = np.nan
    assert training_check({"": left}).verdict == "failed"
    both = training_check({"8 x 8": losses(12, 12), "16 x 16": left})
    assert both.verdict == "failed" and both.text.endswith("Of 8 x 8, 16 x 16.")


def test_the_table_has_a_row_a_label_and_the_columns_given() -> None:
    table = patch_table({"1000 K": GOOD, "2000 K": GOOD}, "T", {"met": [0.1, 0.2]})
    assert (table.columns[0], table.columns[-1]) == ("T", "met")
    assert [(row[0], row[-1]) for row in table.rows] == [("1000 K", 0.1), ("2000 K", 0.2)]
    assert str(table.rows[0][1]) == "1.000 ± 0.020"
