"""Chunks on executors: only what is missing, the same bytes everywhere, errors passed on."""

import gc
import threading
import weakref
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from macro_ase.claims import Claims
from macro_ase.config import load_config
from macro_ase.rng import stream
from macro_ase.sampling import Store, run_chunks
from macro_ase.sampling.pairs import small_chunk
from macro_ase.sampling.store import Chunks
from macro_ase.systems.alloy_setup import alloy_from_config


class Noise:
    """Random chunks that count how often they were asked for."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.calls: list[int] = []
        self.fails_at = fails_at

    def __call__(self, item: int) -> dict[str, np.ndarray]:
        self.calls.append(item)
        if item == self.fails_at:
            raise RuntimeError(f"chunk {item} broke")
        return {"x": np.random.default_rng(stream(0, "noise", item)).normal(size=4)}


def jobs(n: int) -> dict[str, tuple[int]]:
    return {f"noise/{k}": (k,) for k in range(n)}


def contents(store: Store, keys: list[str]) -> dict[str, dict[str, bytes]]:
    return {k: {name: a.tobytes() for name, a in store.read(k).items()} for k in keys}


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    store, noise = Store(tmp_path / "d"), Noise()
    run_chunks(noise, jobs(3), store)
    assert sorted(noise.calls) == [0, 1, 2]
    run_chunks(noise, jobs(5), store)
    assert sorted(noise.calls) == [0, 1, 2, 3, 4]
    run_chunks(noise, jobs(5), store, 3)
    assert len(noise.calls) == 5


def test_nothing_to_do(tmp_path: Path) -> None:
    run_chunks(Noise(), {}, Store(tmp_path / "d"))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_is_passed_on_and_finished_chunks_stay(tmp_path: Path, workers: int) -> None:
    store = Store(tmp_path / "d")
    with pytest.raises(RuntimeError, match="chunk 3 broke"):
        run_chunks(Noise(fails_at=3), jobs(6), store, workers)
    assert not store.has("noise/3")
    done = [k for k in jobs(6) if store.has(k)]
    again = Noise()
    run_chunks(again, jobs(6), store, workers)
    assert sorted(again.calls) == [k for k in range(6) if f"noise/{k}" not in done]
    whole = Store(tmp_path / "whole")
    run_chunks(Noise(), jobs(6), whole)
    assert contents(store, list(jobs(6))) == contents(whole, list(jobs(6)))


def test_chunks_finished_before_an_error_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "d")
    done = threading.Event()

    def late_failure(item: int) -> dict[str, np.ndarray]:
        if item == 1:
            assert done.wait(20)
            raise RuntimeError("broke")
        return {"x": np.zeros(1)}

    class Watched(Store):
        def write(self, key: str, arrays) -> None:  # type: ignore[no-untyped-def]
            super().write(key, arrays)
            done.set()

    with pytest.raises(RuntimeError, match="broke"):
        run_chunks(late_failure, jobs(2), Watched(tmp_path / "d"), 2)
    assert store.has("noise/0") and not store.has("noise/1")


def test_a_lost_file_of_a_finished_chunk_is_computed_again(tmp_path: Path) -> None:
    store, noise = Store(tmp_path / "d"), Noise()
    run_chunks(noise, jobs(3), store)
    before = contents(store, list(jobs(3)))
    next((tmp_path / "d" / "noise" / "1" / "x" / "c").iterdir()).unlink()
    with pytest.warns(UserWarning, match=r"noise/1 is damaged.*computed again"):
        run_chunks(noise, jobs(3), store)
    assert noise.calls[3:] == [1] and contents(store, list(jobs(3))) == before


def test_what_another_task_wrote_a_moment_ago_stays(tmp_path: Path) -> None:
    class Late(Store):
        def has(self, key: str) -> bool:
            found = super().has(key)
            if not self.holds(key):
                Store(self.path).write(key, Noise()(int(key[-1])))
            return found

    noise, store = Noise(), Late(tmp_path / "d")
    with Claims(tmp_path, "task") as claims:
        run_chunks(noise, jobs(3), store, claims=claims)
        assert noise.calls == [] and all(map(store.has, jobs(3)))
        next((tmp_path / "d" / "noise" / "1" / "x" / "c").iterdir()).unlink()
        with pytest.warns(UserWarning, match=r"noise/1 is damaged"):
            run_chunks(noise, jobs(3), Store(store.path), claims=claims)
    assert noise.calls == [1] and all(map(store.has, jobs(3)))


def test_ctrl_c_ends_between_chunks(tmp_path: Path) -> None:
    """What runs is finished and kept, what has not begun does not begin."""
    begun, stopped = threading.Event(), threading.Event()

    def slow(item: int) -> dict[str, np.ndarray]:
        if item == 1:
            begun.set()
            assert stopped.wait(20)
        return {"x": np.full(1, item)}

    class Interrupted(Store):
        def write(self, key: str, arrays) -> None:  # type: ignore[no-untyped-def]
            super().write(key, arrays)
            if key == "noise/0" and not stopped.is_set():
                assert begun.wait(20)
                stopped.set()
                raise KeyboardInterrupt

    store = Interrupted(tmp_path / "d")
    with pytest.raises(KeyboardInterrupt):
        run_chunks(slow, jobs(40), store, 2)
    assert store.has("noise/0") and store.has("noise/1") and not store.has("noise/39")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_finished_chunks_do_not_pile_up(tmp_path: Path, workers: int) -> None:
    """Neither in memory nor unwritten: a kill loses at most one chunk a worker.

    Threads of a busy machine let go of an array some time after it was written.
    """
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    store, most, begun = Store(tmp_path / "d"), [0], []

    class Arrays(np.ndarray):
        __hash__ = object.__hash__

    def large(item: int) -> dict[str, np.ndarray]:
        begun.append(item)
        so_far = len(begun)
        assert so_far - sum(store.holds(key) for key in jobs(40)) <= workers
        made = np.zeros(1000).view(Arrays)
        alive.add(made)
        most[0] = max(most[0], len(alive))
        return {"x": made}

    run_chunks(large, jobs(40), store, workers)
    gc.collect()
    assert 1 <= most[0] <= 2 * workers + 1 and not alive
    chunks = Chunks(store, list(jobs(40)))
    assert len(chunks) == 40 and list(chunks) == list(jobs(40))
    assert chunks["noise/7"]["x"].shape == (1000,)
    with pytest.raises(KeyError):
        chunks["noise/40"]


@pytest.mark.parametrize("workers", [np.int64(2), 2.0, np.array(2)])
def test_workers_of_any_whole_kind(tmp_path: Path, workers: Any) -> None:
    run_chunks(Noise(), jobs(2), Store(tmp_path / "d"), workers)


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2", None])
def test_workers_that_are_no_number(tmp_path: Path, workers: Any) -> None:
    with pytest.raises(ValueError, match=r"(workers|the engine) must be .*, not"):
        run_chunks(Noise(), jobs(2), Store(tmp_path / "d"), workers)


def test_an_executor_that_is_passed_in_stays_open(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        run_chunks(Noise(), jobs(3), Store(tmp_path / "d"), pool)
        assert pool.submit(int, "3").result() == 3


@pytest.mark.slow
def test_simulations_give_the_same_bytes_on_any_executor(
    tmp_path: Path, another_interpreter: Executor
) -> None:
    settings = ("system.small_size=[4,4,4]", "system.large_size=[4,4,4]")
    system, _ = alloy_from_config(load_config("nbmota", True, settings))
    work = {f"small/2000/{r}": (system, 3000, {"T": 2000.0}, 0, (2_000_000, r)) for r in range(3)}
    results = []
    for name, executor in (("one", 1), ("three", 3), ("process", another_interpreter)):
        store = Store(tmp_path / name)
        run_chunks(small_chunk, work, store, executor)
        results.append(contents(store, list(work)))
    assert results[0] == results[1] == results[2]
    assert len({chunk["z"] for chunk in results[0].values()}) == 3
