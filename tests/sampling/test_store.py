"""The store: what is finished counts, what is not does not."""

import json
import shutil
import warnings
from collections.abc import Callable
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


def lost(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def altered(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [lost, cut, altered, emptied])
def test_no_damaged_file_of_a_chunk_goes_unnoticed(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = Store(tmp_path / "data.zarr")
    store.write("small/0", ARRAYS)
    chunk, spare = tmp_path / "data.zarr" / "small" / "0", tmp_path / "spare"
    shutil.copytree(chunk, spare)
    files = [file.relative_to(chunk) for file in chunk.rglob("*") if file.is_file()]
    assert len(files) == 8
    for file in files:
        damage(chunk / file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            finished = store.has("small/0")
        if finished:
            assert_same(store.read("small/0"))
        else:
            with pytest.raises((KeyError, ValueError), match="small/0"):
                dict(store.read("small/0"))
        shutil.rmtree(chunk)
        shutil.copytree(spare, chunk)


def test_raw_values_exchanged_for_others_of_their_shape(tmp_path: Path) -> None:
    store = Store(tmp_path / "d")
    store.write("a", {"z": np.zeros(3)})
    zarr.open_group(str(tmp_path / "d" / "a"), mode="a").create_array(
        "z", data=np.ones(3), overwrite=True
    )
    with pytest.raises(ValueError, match="d/a is damaged: its array 'z' is not as it was written"):
        store.read("a")["z"]


def test_arrays_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "d")
    store.write("a", {"z": np.arange(3), "states": np.arange(9)})
    shutil.rmtree(tmp_path / "d" / "a" / "states")
    chunk = store.read("a")
    np.testing.assert_array_equal(chunk["z"], np.arange(3))
    assert chunk["z"] is chunk["z"] and list(chunk) == ["z", "states"] and len(chunk) == 2
    with pytest.raises(ValueError, match=r"a is damaged: .*states"):
        chunk["states"]
    with pytest.raises(KeyError):
        chunk["times"]
    with pytest.warns(UserWarning, match="it is computed again"):
        assert not store.has("a")


def test_damage_of_what_lies_above_chunks_is_mended(tmp_path: Path) -> None:
    store = Store(tmp_path / "d")
    store.write("small/0", ARRAYS)
    for file in (tmp_path / "d" / "zarr.json", tmp_path / "d" / "small" / "zarr.json"):
        file.write_text("{")
    again = Store(tmp_path / "d")
    assert_same(again.read("small/0"))
    again.write("small/1", ARRAYS)
    assert set(zarr.open_group(str(tmp_path / "d"), mode="r")["small"]) == {"0", "1"}


def old_store(path: Path) -> None:
    """As it was written before there were checksums."""
    group = zarr.open_group(str(path), mode="a").create_group("small/0")
    group.create_array("z", data=ARRAYS["z"])
    group.attrs["finished"] = True


def test_a_store_without_checksums_is_read_with_a_word(tmp_path: Path) -> None:
    old_store(tmp_path / "d")
    with pytest.warns(UserWarning, match="earlier version, without checksums"):
        z = Store(tmp_path / "d").read("small/0")["z"]
    np.testing.assert_array_equal(z, ARRAYS["z"])


@pytest.mark.filterwarnings("ignore:.*earlier version")
def test_a_store_without_checksums_that_lacks_a_file(tmp_path: Path) -> None:
    old_store(tmp_path / "d")
    next((tmp_path / "d" / "small" / "0" / "z" / "c").rglob("0/0")).unlink()
    with pytest.warns(UserWarning, match="lacks files; it is computed again"):
        assert not Store(tmp_path / "d").has("small/0")


def test_what_another_process_reads_is_never_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a chunk is written again, the old one stays whole until the new one is."""
    store = Store(tmp_path / "d")
    store.write("a", ARRAYS)
    write, seen = Path.write_bytes, []

    def watched(file: Path, content: bytes) -> int:
        seen.append(Store(tmp_path / "d").has("a"))
        return write(file, content)

    monkeypatch.setattr(Path, "write_bytes", watched)
    store.write("a", ARRAYS)
    assert seen == [True] * len(seen) and len(seen) > len(ARRAYS)
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["a", "zarr.json"]


def test_what_a_killed_process_left_is_no_chunk_and_is_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "d")
    store.write(".unfinished/a.1", ARRAYS)
    store.write("a", ARRAYS)
    store.discard_unfinished()
    assert store.has("a") and not (tmp_path / "d" / ".unfinished").exists()


def test_a_full_disk_names_the_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def full(file: Path, content: bytes) -> int:
        if file.parent.name == "z":
            raise OSError(28, "No space left on device", str(file))
        return write(file, content)

    store = Store(tmp_path / "d")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"cannot write .*d/small/0: no space left .*run again"):
        store.write("small/0", ARRAYS)
    assert not store.has("small/0") and not (tmp_path / "d" / ".unfinished").exists()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    with pytest.raises(FileExistsError, match=r"cannot write .*d: file exists"):
        Store(tmp_path / "d")


def assert_same(arrays: dict[str, np.ndarray]) -> None:
    assert json.dumps({k: v.tolist() for k, v in sorted(arrays.items())}) == json.dumps(
        {k: v.tolist() for k, v in sorted(ARRAYS.items())}
    )
