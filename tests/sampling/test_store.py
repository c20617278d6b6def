"""The store: what is finished counts, what is not does not."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from macro_ase.sampling import Store

ARRAYS = {
    "z": np.random.default_rng(0).normal(size=(5, 3)),
    "states": np.arange(12, dtype=np.int8).reshape(2, 6),
    "tau_w": np.array([2.5e-13]),
    "none": np.empty((0, 3)),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "data.zarr")
    store.write("small/2000/0", ARRAYS)
    back = Store(tmp_path / "data.zarr").read("small/2000/0")
    assert set(back) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype and back[name].shape == array.shape


def test_arrays_that_are_not_contiguous(tmp_path: Path) -> None:
    store = Store(tmp_path / "data.zarr")
    store.write("a", {"z": ARRAYS["z"].T[::2]})
    np.testing.assert_array_equal(store.read("a")["z"], ARRAYS["z"].T[::2])


def test_an_unfinished_chunk_does_not_count(tmp_path: Path) -> None:
    store = Store(tmp_path / "data.zarr")
    store.write("a/0", ARRAYS)
    zarr.open_group(str(tmp_path / "data.zarr"), mode="a")["a/0"].attrs["finished"] = False
    assert not store.has("a/0")
    with pytest.raises(KeyError, match="no finished chunk 'a/0'"):
        store.read("a/0")
    store.write("a/0", {"z": np.zeros(2)})
    assert store.has("a/0") and set(store.read("a/0")) == {"z"}


def test_a_write_that_fails_half_way_leaves_nothing_that_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "data.zarr")
    with pytest.raises(Exception):  # noqa: B017 - whatever the storage says
        store.write("a", {"good": np.zeros(2), "bad": np.array([object()])})
    assert not store.has("a")
    store.write("a", ARRAYS)
    assert set(store.read("a")) == set(ARRAYS)


@pytest.mark.parametrize("key", ["a", "a/0", "b/1"])
def test_what_is_not_there(tmp_path: Path, key: str) -> None:
    store = Store(tmp_path / "data.zarr")
    store.write("a/1", ARRAYS)
    assert not store.has(key)
    with pytest.raises(KeyError, match="no finished chunk"):
        store.read(key)
