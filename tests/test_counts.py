"""Whole numbers of any kind, and nothing else."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macro_ase.counts import require_count


@pytest.mark.parametrize(
    "value", [3, np.int8(3), np.uint64(3), 3.0, np.float32(3), np.array(3), Fraction(6, 2)]
)
def test_whole_numbers(value: Any) -> None:
    count = require_count(value, "size")
    assert count == 3 and type(count) is int


@pytest.mark.parametrize(
    "value",
    [-1, 3.5, "3", b"3", True, np.bool_(True), None, float("nan"), float("inf"), 1e300, [3, 4], 3j],
)
def test_anything_else_is_one_line_that_names_it(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^size must be .*, not ") as error:
        require_count(value, "size")
    assert "\n" not in str(error.value)


def test_limits() -> None:
    assert require_count(7, "size", 1, 7) == 7
    with pytest.raises(ValueError, match=r"size must be .*1 to 7, not 8"):
        require_count(8, "size", 1, 7)
