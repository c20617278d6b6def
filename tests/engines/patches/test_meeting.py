"""Threads that meet at a potential: one batch, each its own answer, no one waits for who left."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from macro_ase.engines.patches.meeting import Meeting, meet_at, taking_part


class Numbers:
    """Energies that say what was asked for; notes who computed and how much at a time."""

    cutoff_A, layers, on_accelerator = 3.0, 2, True

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.threads: set[int] = set()

    def __call__(self, clusters: Sequence[Any]) -> list[np.ndarray]:
        self.sizes.append(len(clusters))
        self.threads.add(get_ident())
        if "bad" in clusters:
            raise ValueError("a bad cluster")
        return [np.array([float(c)]) for c in clusters]


def ask(meeting: Any, turns: Sequence[int], all_here: Barrier) -> list[list[float]]:
    with meeting.member():
        all_here.wait(10)
        return [[float(e[0]) for e in meeting([t, -t])] for t in turns]


def test_all_that_take_part_are_one_batch() -> None:
    energies = Numbers()
    meeting, here = Meeting(energies), Barrier(4)
    assert (meeting.cutoff_A, meeting.layers) == (3.0, 2)
    turns = [range(10 * n, 10 * n + length) for n, length in enumerate((3, 5, 5, 8))]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda own: ask(meeting, own, here), turns))
    assert found == [[[t, -t] for t in own] for own in turns]
    assert sorted(energies.sizes, reverse=True) == [8, 8, 8, 6, 6, 2, 2, 2]
    assert len(energies.threads) == 1


def test_who_takes_no_part_is_answered_at_once() -> None:
    energies = Numbers()
    assert Meeting(energies)([1, 2])[1] == 2 and energies.sizes == [2]


def test_an_error_reaches_all_and_stops_no_later_batch() -> None:
    meeting, here = Meeting(Numbers()), Barrier(2)

    def asking(cluster: Any) -> Any:
        with meeting.member():
            here.wait(10)
            try:
                return meeting([cluster])
            except ValueError as error:
                return str(error)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(asking, [1, "bad"])) == ["a bad cluster"] * 2
    assert meeting([3])[0] == 3


@pytest.mark.parametrize("on_accelerator", [True, False])
def test_threads_meet_at_an_accelerator_only(on_accelerator: bool) -> None:
    energies = Numbers()
    energies.on_accelerator = on_accelerator
    calculator = SimpleNamespace(batched_energies=energies)
    assert meet_at(calculator) is on_accelerator
    assert isinstance(calculator.batched_energies, Meeting) is on_accelerator
    with taking_part(calculator):
        assert calculator.batched_energies([4])[0] == 4
    assert not meet_at(object())
