"""Threads that meet at one potential: what they ask for at the same time is one batch.

On a GPU a pass of many clusters takes hardly longer than one of few. So runs that a study gives to
threads of their own go in lockstep: each asks and waits, and when all have asked, one thread,
always the same, computes for all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Any

from ...arrays import Array
from .cluster_sites import batched_energies
from .clusters import BatchedEnergies, Cluster


class Meeting:
    """`BatchedEnergies` of all threads that take part, in one batch; of others at once.

    Parameters
    ----------
    energies : BatchedEnergies
    """

    def __init__(self, energies: BatchedEnergies) -> None:
        self._energies, self._lock, self._here = energies, threading.Lock(), threading.local()
        self._one, self._members = ThreadPoolExecutor(1, "energies"), 0
        self._asked: list[tuple[Sequence[Cluster], Future[list[Array]]]] = []

    @property
    def cutoff_A(self) -> float:
        """Longest bond, A."""
        return self._energies.cutoff_A

    @property
    def layers(self) -> int:
        """Over how many bonds the energy of an atom depends on others."""
        return self._energies.layers

    @contextmanager
    def member(self) -> Iterator[None]:
        """A block in which this thread takes part: the others wait for what it asks."""
        with self._lock:
            self._members += 1
        self._here.member = True
        try:
            yield
        finally:
            self._here.member = False
            with self._lock:
                self._members -= 1
                self._answer_if_all_asked()

    def __call__(self, clusters: Sequence[Cluster]) -> list[Array]:
        """Energies of the centres of each cluster, eV."""
        with self._lock:
            if not getattr(self._here, "member", False):
                return self._computed(clusters)
            answer: Future[list[Array]] = Future()
            self._asked.append((clusters, answer))
            self._answer_if_all_asked()
        return answer.result()

    def _answer_if_all_asked(self) -> None:
        if not self._asked or len(self._asked) < self._members:
            return
        asked, self._asked = self._asked, []
        try:
            found = iter(self._computed([cluster for clusters, _ in asked for cluster in clusters]))
        except Exception as error:
            for _, answer in asked:
                answer.set_exception(error)
            return
        for clusters, answer in asked:
            answer.set_result(list(islice(found, len(clusters))))

    def _computed(self, clusters: Sequence[Cluster]) -> list[Array]:
        return self._one.submit(self._energies, clusters).result()


def meet_at(calculator: Any) -> bool:
    """Let threads meet at a calculator whose batched energies are computed on an accelerator.

    Whether they do; if not, each thread needs a calculator of its own.
    """
    energies = batched_energies(calculator)
    if isinstance(energies, Meeting):
        return True
    if energies is None or not getattr(energies, "on_accelerator", False):
        return False
    calculator.batched_energies = Meeting(energies)
    return True


def taking_part(calculator: Any) -> AbstractContextManager[None]:
    """A block in which this thread takes part, where threads meet at the calculator."""
    energies = getattr(calculator, "batched_energies", None)
    return energies.member() if isinstance(energies, Meeting) else nullcontext()
