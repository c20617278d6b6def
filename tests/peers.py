"""Other packages that tests compare with."""

from collections.abc import Iterator
from contextlib import contextmanager

import numba
import pytest


@contextmanager
def interpreted() -> Iterator[None]:
    """py-pde in Python: it compiles ten times longer than a few hundred steps take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        yield
