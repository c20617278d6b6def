"""What does not fit the memory is refused before it is made."""

import pytest

from macro_ase.memory import memory_limit, require_memory


def test_the_limit_is_that_of_this_machine() -> None:
    assert 2**27 < memory_limit() < 2**50


def test_what_is_needed_and_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("macro_ase.memory.memory_limit", lambda: 3 * 2**30)
    require_memory(3 * 2**30, "this")
    with pytest.raises(ValueError, match="this would need about 4 GiB of memory, and there are 3"):
        require_memory(4 * 2**30, "this")
