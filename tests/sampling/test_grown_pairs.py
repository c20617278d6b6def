"""Chunks of systems with a clock of their own, on one whose answers are known."""

from typing import Any

import numpy as np
import pytest

from macro_ase.rng import stream
from macro_ase.sampling.pairs import direct_run_chunk, grown_pairs_chunk, small_chunk
from macro_ase.systems.base import Increments, Plan, Trajectory

K, CONDITION = 4, {"T": 900.0}


class Toy:
    """States are vectors; z is their mean; every random number comes from the seed given."""

    names = ("x", "y")

    def model_condition(self, condition: Any) -> Any:
        return np.array([1000 / condition["T"]])

    def small_trajectory(
        self, n_events: int, condition: Any, seed: Any, start: Any = None
    ) -> Trajectory:
        z = np.random.default_rng(seed).normal(size=(n_events, 2))
        states = np.zeros((1, 3), dtype=np.int8)
        return Trajectory(np.arange(n_events), z, states, np.array([0]), condition["T"], z[:, :1])

    def upsample(
        self, state: Any, healing_events: int, condition: Any, seed: Any
    ) -> tuple[Any, Any]:
        noise = np.random.default_rng(seed).normal()
        return state + noise, np.full((2, 2), float(healing_events))

    def increments(
        self, plan: Any, states: Any, closure: Any, condition: Any, rng: Any, patches: int = 0
    ) -> Any:
        z0 = np.tile(states.mean(axis=1), (2, 1)).T
        dz = rng.normal(size=(len(states), K, 2))
        which = np.arange(1, 1 + patches)
        chosen = {"patch": np.tile(which, (len(states), 1)), "n_patches": K}
        return Increments(z0, dz[:, which], **chosen) if patches else Increments(z0, dz)

    def direct(self, state: Any, times: Any, condition: Any, seed: Any) -> tuple[Any, Any]:
        z = np.cumsum(np.random.default_rng(seed).normal(size=(len(times), 2)), axis=0)
        return z, z[:, :1]

    def wholes(
        self, plan: Any, states: Any, times: Any, closure: Any, condition: Any, rng: Any
    ) -> Any:
        own = rng.bit_generator.seed_seq
        return np.array([self.direct(state, times, condition, own)[0] for state in states])


def pairs(
    n: int,
    first: int,
    seed: int = 0,
    dt: float = 0.5,
    repeats: int = 1,
    number: int = 900_000,
    patches: int = 0,
) -> dict[str, Any]:
    states = np.arange(3.0 * n).reshape(n, 3) + 3.0 * first
    plan = Plan(small=1, large=2, ages=(0.0,), relax_time=0.0, dt=dt)
    own = (states, np.full(n, 100.0), first, repeats, CONDITION, seed, number, patches)
    return grown_pairs_chunk(Toy(), plan, *own)  # type: ignore[arg-type]


def small(n_events: int, *item: int) -> dict[str, Any]:
    return small_chunk(Toy(), n_events, CONDITION, 0, item)  # type: ignore[arg-type]


def direct(times: Any, *item: int) -> dict[str, Any]:
    return direct_run_chunk(Toy(), np.zeros(3, np.int8), times, CONDITION, 0, item)  # type: ignore[arg-type]


def test_small_chunk() -> None:
    chunk = small(10, 900_000, 1)
    assert chunk["tau_w"].tolist() == [900.0]
    exact = np.random.default_rng(stream(0, "small", 900_000, 1)).normal(size=(10, 2))
    np.testing.assert_array_equal(chunk["z"], exact)
    assert not np.array_equal(chunk["z"], small(10, 900_000, 2)["z"])


def test_grown_pairs_chunk() -> None:
    chunk = pairs(8, 0)
    assert chunk["snapshot"].tolist() == np.repeat(np.arange(8), K).tolist()
    assert chunk["patch"].tolist() == list(range(K)) * 8
    assert chunk["dz"].shape == (8 * K, 2) and np.all(chunk["dt"] == 0.5)
    np.testing.assert_array_equal(chunk["condition"], np.full((8 * K, 1), 1000 / 900))
    assert chunk["seam"].shape == (8, 2, 2)
    assert np.all(chunk["seam"] == 100)  # the healing events that the system was asked for
    assert chunk["whole_snapshot"].tolist() == [0, 4]
    assert chunk["whole_z0"].shape == chunk["whole_dz"].shape == (2, 2)
    for k, number in enumerate((0, 4)):
        full = stream(0, "pairs", 900_000, number).spawn(3)[2]
        steps = np.cumsum(np.random.default_rng(full).normal(size=(2, 2)), axis=0)
        np.testing.assert_allclose(chunk["whole_dz"][k], steps[1] - steps[0])


def test_a_snapshot_does_not_depend_on_its_chunk() -> None:
    together, apart = pairs(8, 0), [pairs(4, 0), pairs(4, 4)]
    for name, array in together.items():
        np.testing.assert_array_equal(array, np.concatenate([c[name] for c in apart]))
    assert not np.array_equal(together["dz"], pairs(8, 0, seed=1)["dz"])


def test_chosen_patches_are_told_from_all() -> None:
    every, some = pairs(4, 0, repeats=2), pairs(4, 0, repeats=2, patches=2)
    assert "evolved" not in every and np.all(every["n_patches"] == K)
    assert np.all(some["evolved"] == 2) and np.all(some["n_patches"] == K)
    assert some["patch"].tolist() == [1, 2] * 8
    assert some["snapshot"].tolist() == np.repeat(np.arange(4), 4).tolist()
    chosen = every["dz"].reshape(8, K, 2)[:, 1:3].reshape(-1, 2)
    np.testing.assert_array_equal(some["dz"], chosen)


@pytest.mark.parametrize("first", [1, 2])
def test_a_chunk_without_a_whole(first: int) -> None:
    chunk = pairs(2, first)
    assert chunk["whole_z0"].shape == chunk["whole_dz"].shape == (0, 2)
    assert chunk["whole_snapshot"].shape == (0,)


def test_direct_run_chunk() -> None:
    times = np.arange(4.0)
    chunk = direct(times, 1, 2)
    np.testing.assert_array_equal(chunk["times"], times)
    own = np.random.default_rng(stream(0, "direct", 1, 2)).normal(size=(4, 2))
    np.testing.assert_array_equal(chunk["z"], np.cumsum(own, axis=0))
    np.testing.assert_array_equal(chunk["extra"], chunk["z"][:, :1])


def all_differ(draws: np.ndarray) -> bool:
    """Whether no number was drawn twice, over all of an array."""
    return len(np.unique(draws)) == draws.size


def test_snapshots_and_repeats_have_random_numbers_of_their_own() -> None:
    """Normal numbers: were one stream shared by any two of them, some would come twice."""
    chunk = pairs(8, 0, repeats=3)
    assert len(chunk["dz"]) == 8 * 3 * K and all_differ(chunk["dz"])
    assert all_differ(np.concatenate([chunk["dz"], pairs(8, 0, number=800_000)["dz"]]))
    upsampled = chunk["z0"][:: 3 * K, 0] - (1 + 3.0 * np.arange(8))
    assert all_differ(np.concatenate([upsampled, chunk["dz"].ravel()]).round(9))
    first = [k for s in range(8) for k in range(3 * K * s, 3 * K * s + K)]
    np.testing.assert_array_equal(chunk["dz"][first], pairs(8, 0)["dz"])


def test_runs_have_random_numbers_of_their_own() -> None:
    items, times = [(t, r) for t in (1, 2) for r in range(3)], np.arange(4.0)
    assert all_differ(np.array([direct(times, *item)["z"] for item in items]))
    assert all_differ(np.array([small(4, *item)["z"] for item in items]))
