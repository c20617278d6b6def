"""A small MACE model for the tests of patches and of swaps."""

from collections.abc import Iterator
from typing import Any

import pytest
from engines.small_mace import small_mace


@pytest.fixture(scope="module")
def mace() -> Iterator[Any]:
    """A small random MACE model of two layers, in double precision."""
    torch = pytest.importorskip("torch")
    torch.set_default_dtype(torch.float64)
    yield small_mace()
    torch.set_default_dtype(torch.float32)
