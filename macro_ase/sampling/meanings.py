"""What each array of a store is, and the names of its axes: for xarray, zarr and tables.

An array's axes are named from the last one back, so that "z" of one run has a time and a component,
and that of several runs a run before these. Two axes of one name in a chunk have one length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray


class Meaning(NamedTuple):
    """Names of axes, first to last, and what the array is."""

    axes: tuple[str, ...]
    text: str


OF_PATHS = ("member", "run", "time", "component")
ARRAYS = {
    "times": Meaning(("time",), "times of the rows of z, in the system's unit (alloys: s)"),
    "z": Meaning(OF_PATHS, "macroscopic observables, in the order of the system's names"),
    "extra": Meaning(("time", "extra"), "further observables, reported and not predicted"),
    "states": Meaning(("kept", "site"), "microscopic states; alloys: species codes, vacancy last"),
    "kept": Meaning(("kept",), "rows of times at which the states were kept"),
    "tau_w": Meaning(("one",), "mean residence time in the second half of the run"),
    "snapshot": Meaning(("row",), "number of the large state of this row"),
    "patch": Meaning(("row",), "number of the patch that evolved alone"),
    "z0": Meaning(("row", "component"), "observables of the whole state before"),
    "dz": Meaning(("row", "component"), "K times what one patch, evolved alone, changes in them"),
    "mean": Meaning(("row", "component"), "the mean of dz with less noise"),
    "dt": Meaning(("row",), "time that the patch evolved"),
    "n_patches": Meaning(("row",), "K, patches of the large state"),
    "evolved": Meaning(("row",), "patches of this state that evolved"),
    "condition": Meaning(("row", "condition"), "what the model is conditioned on"),
    "met": Meaning(("row",), "1 where the patch met a neighbouring one"),
    "seam": Meaning(("state", "moment", "component"), "observables of grown states, seams unhealed"
                    " and healed"),
    "whole_snapshot": Meaning(("whole",), "number of the large state that evolved as a whole"),
    "whole_z0": Meaning(("whole", "component"), "its observables before"),
    "whole_dz": Meaning(("whole", "component"), "what they change when all of it evolves"),
    "tiles": Meaning(("tile", "field", "cell"), "pieces of large states, for closures"),
    "start": Meaning(("run", "degree"), "initial states"),
    "paths": Meaning(("member", "run", "time", "component"), "predicted paths of z"),
    "errors": Meaning(("run",), "relative errors of predicted paths"),
}  # fmt: skip
STAGES = {
    "small": "a small run: observables at all times, states at some",
    "pairs": "patches of large states, each evolved alone",
    "check": "patches and wholes from the same states",
    "wholes": "patches and wholes from the same states",
    "direct": "direct runs of the large system",
    "predicted": "paths of the model from the same initial states",
    "tiles": "pieces of large states, for closures",
}
"""What a chunk is, by a part of its key."""


def stage_of(key: str) -> str:
    """What a chunk is; "" where its key does not tell."""
    return next((STAGES[part] for part in key.split("/") if part in STAGES), "")


def axes_of(arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, ...]]:
    """Names of the axes of all arrays of a chunk, as many as each has."""
    lengths: dict[str, int] = {}
    named = {}
    for name, array in arrays.items():
        own = [f"{name} axis {k}" for k in range(array.ndim)]
        known = ARRAYS[name].axes[-array.ndim :] if name in ARRAYS and array.ndim else ()
        axes = [*own[: array.ndim - len(known)], *known]
        for k, (axis, length) in enumerate(zip(axes, array.shape)):
            if lengths.setdefault(axis, length) != length:
                axes[k] = own[k]
        named[name] = tuple(axes)
    return named
