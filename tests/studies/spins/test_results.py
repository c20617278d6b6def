"""Checks of patches against wholes pass, fail or stay open by their errors."""

import pytest

from macro_ase.analysis.assumptions import PatchCheck
from macro_ase.studies.spins.results import patch_checks


@pytest.mark.parametrize(
    ("slope", "error", "passed"),
    [(0.95, 0.03, True), (0.95, 0.06, None), (0.84, 0.07, None), (0.7, 0.05, False)],
)
def test_a_check_is_decided_by_two_errors(slope: float, error: float, passed: bool | None) -> None:
    good = PatchCheck(1.0, 0.01, 0.5, 1.0, 0.01, 0.0, 0.001, 0.0, 0.1, 16)
    other = PatchCheck(slope, error, 0.5, 0.99, 0.02, 0.0, 0.001, 0.0, 0.1, 16)
    drift, noise = patch_checks({8: good, 16: other})
    assert drift["passed"] is passed and noise["passed"] is True
    assert drift["value"] == f"1.00 ± 0.01, {slope:.2f} ± {error:.2f}"
