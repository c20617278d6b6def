"""Numbers as people read them."""

from typing import Any

import numpy as np
import pytest

from macro_ase.report.numbers import duration, rounded


@pytest.mark.parametrize(
    ("value", "error", "form", "text"),
    [
        (None, None, "", "–"),
        (float("nan"), 0.1, "", "–"),
        (float("inf"), 0.1, ".2f", "–"),
        (1024, None, "", "1024"),
        (np.int64(16384), None, "", "16384"),
        (0.123456, None, "", "0.1235"),
        (1.23456e-13, None, "", "1.235e-13"),
        (-0.18312, 0.0123, "", "-0.183 ± 0.012"),
        (0.5, 0.0, "", "0.5"),
        (0.5, float("nan"), ".2f", "0.50"),
        (12345.6, 321.0, "", "12346 ± 321"),
        (3.2e-13, 1e-14, "", "3.2e-13 ± 1e-14"),
        (0.5, 0.01234, "+.3f", "+0.500 ± 0.012"),
        (1.28e-4, 2.34e-5, ".2e", "1.28e-04 ± 2.3e-05"),
        (0.00444, None, ".2%", "0.44 %"),
        (-0.0111, 0.002, "+.1%", "-1.1 ± 0.2 %"),
        (0.0783, 0.0112, "%", "7.8 ± 1.1 %"),
        (0.02, None, "%", "2 %"),
    ],
)
def test_numbers_are_rounded_sensibly(value: Any, error: Any, form: str, text: str) -> None:
    assert rounded(value, error, form) == text


def test_durations() -> None:
    assert [duration(s) for s in (61.23, 200.0, 8000.0)] == ["61.2 s", "3.3 min", "2.2 h"]
