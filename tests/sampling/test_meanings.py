"""Arrays of a store say what they are, in ways that xarray understands."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from macro_ase.sampling.meanings import axes_of, stage_of
from macro_ase.sampling.store import Store

PAIRS = {"z0": np.zeros((5, 2)), "dz": np.ones((5, 2)), "met": np.zeros(5, np.int8)}


def test_axes_are_named_from_the_last_one_back() -> None:
    named = axes_of({"z": np.zeros((4, 3, 2)), "other": np.zeros((2, 2)), "file w": np.zeros(9)})
    assert named["z"] == ("run", "time", "component")
    assert named["other"] == ("other axis 0", "other axis 1")
    assert axes_of({"z": np.zeros((1, 4, 3, 2))})["z"][0] == "member"
    assert axes_of({"z": np.zeros((3, 2)), "tau_w": np.float64(1.0)})["tau_w"] == ()


def test_two_lengths_are_two_axes() -> None:
    named = axes_of(
        {"times": np.zeros(3), "z": np.zeros((4, 4, 2)), "states": np.zeros((2, 3, 4, 5))}
    )
    assert named["z"] == ("run", "z axis 1", "component")
    assert named["states"] == ("states axis 0", "states axis 1", "kept", "site")


def test_the_store_keeps_names_and_meanings(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("Nb0.5Ta0.5/pairs/2000.0/0", PAIRS)
    store.write("direct/0", {"z": np.zeros((3, 2))})
    assert store.keys() == ["Nb0.5Ta0.5/pairs/2000.0/0", "direct/0"]
    group = zarr.open_group(str(tmp_path), mode="r")["Nb0.5Ta0.5/pairs/2000.0/0"]
    assert group.attrs["title"] == stage_of("pairs/0") != ""
    assert group["dz"].metadata.dimension_names == ("row", "component")
    assert "K times" in group["dz"].attrs["long_name"]


@pytest.mark.slow
def test_xarray_reads_a_chunk(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    Store(tmp_path).write("pairs/0", PAIRS)
    chunk = xarray.open_zarr(str(tmp_path), group="pairs/0", consolidated=False)
    assert dict(chunk.sizes) == {"row": 5, "component": 2}
    assert float(chunk.dz.mean("row").sum()) == 2.0 and "long_name" in chunk.met.attrs
