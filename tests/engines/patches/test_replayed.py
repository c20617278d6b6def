"""Recordings of a GPU's work, on a stand-in for the GPU: what is recorded, kept, and given up."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

pytestmark = pytest.mark.learn


class Tape:
    """A graph that, replayed, does again what was done while it was recorded."""

    def __init__(self) -> None:
        self.replay: Any = None


@pytest.fixture
def doubled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Recordings of a function that doubles, and the shapes with which it was called."""
    import torch

    from macro_ase.engines.patches import replayed

    monkeypatch.setattr(replayed, "FIRST", 2)
    monkeypatch.setattr(replayed, "MOST", 2)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: 0)
    calls: list[int] = []
    tapes: list[Tape] = []

    def record(tape: Tape, pool: int, capture_error_mode: str) -> AbstractContextManager[None]:
        tapes.append(tape)
        return nullcontext()

    def double(inputs: Any) -> Any:
        calls.append(len(inputs["x"]))
        output = 2 * inputs["x"]
        if tapes and tapes[-1].replay is None:
            tapes[-1].replay = lambda: output.copy_(2 * inputs["x"])
        return output

    monkeypatch.setattr(torch.cuda, "graph", record)
    return replayed.Replayed(double), calls


def test_the_third_of_a_shape_is_recorded_and_replays_follow_their_inputs(doubled: Any) -> None:
    import torch

    function, calls = doubled
    for n in range(6):
        assert function({"x": torch.full((3,), float(n))}).tolist() == [2.0 * n] * 3
    assert calls == [3, 3, 3]


def test_what_was_not_used_for_longest_is_recorded_anew(doubled: Any) -> None:
    import torch

    function, calls = doubled
    for size in (1, 2, 3, 1):
        for n in range(4):
            assert function({"x": torch.full((size,), float(n))}).tolist() == [2.0 * n] * size
    assert calls == [1] * 3 + [2] * 3 + [3] * 3 + [1] * 3


def test_where_nothing_can_be_recorded_kernels_are_launched(
    doubled: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import torch

    def refuse(*args: Any, **options: Any) -> None:
        raise RuntimeError("not while recording\nmore")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    function, calls = doubled
    for n in range(5):
        assert function({"x": torch.tensor([float(n)])}).tolist() == [2.0 * n]
    assert calls == [1] * 5 and caplog.messages == [
        "kernels are launched one by one: not while recording"
    ]
