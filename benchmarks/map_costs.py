"""What a map of order over the compositions of a ternary asks of direct runs.

Of each composition: the slowest relaxation time and the fluctuations of the nearest one that was
learned from, by its small runs. The error that they are to reach is that which the model has at
compositions held out, as the study measured it: that of members and of their surface is smaller.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from macro_ase.arrays import Array
from macro_ase.commands.map_run import RunMap
from macro_ase.config import load_config
from macro_ase.sampling.store import Store
from macro_ase.studies.compositions.design import CompositionDesign, on_triangle
from macro_ase.studies.compositions.study import time_step

PARTS, METRIC = 20, "composition_rms"


@dataclass(frozen=True)
class MapAsked:
    """A map.

    ``hops`` are slowest relaxation times of all compositions together, ``values`` the independent
    ones of one site that have the error of the model; ``each`` are sites to a vacancy, ``small``
    those of a small crystal.
    """

    name: str
    hops: float
    values: float
    each: float
    small: int


def of_map(folder: Path) -> MapAsked:
    """Draw the map at the coldest temperature learned from, and say what direct runs would take."""
    design = CompositionDesign.of(load_config(folder / "config.toml"))
    kelvin = design.training[0].temperatures[0]
    RunMap(folder, kelvin, PARTS).run()
    store = Store(folder / "data.zarr")
    keys = [key for d, t in design.conditions for key in d.keys("small", t)]
    small = {key: store.read(key) for key in keys}
    slowest = time_step(design, small).slowest_chosen
    n = design.system.small.n_sites
    cold = [k for k, (_, t) in enumerate(design.conditions) if t == kelvin]
    spread = []
    for k in cold:
        d, t = design.conditions[k]
        runs = [small[key] for key in d.keys("small", t)]
        late = [
            d.system.small_order.delta(*(run[x][len(run[x]) // 2 :] for x in ("z", "extra")))
            for run in runs
        ]
        spread.append(np.concatenate(late).std(axis=0))
    fractions = on_triangle(PARTS)
    mixed = fractions[(fractions > 0).sum(axis=1) > 1]
    nearest = nearest_of(design.fractions, mixed)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    own = np.array(spread)[nearest] ** 2 * n / metrics[METRIC]["value"] ** 2
    hops = float(slowest[cold][nearest].sum())
    each = design.system.large.n_sites / design.training[0].n_patches
    name = f"map of {len(fractions)} compositions, {kelvin:g} K"
    return MapAsked(name, hops, float(own.mean()), each, n)


def nearest_of(known: Array, asked: Array) -> Array:
    """Numbers, shape (n,), of the nearest compositions, as `CompositionDesign.nearest` has it."""
    return np.abs(asked[:, None] - known).max(axis=2).argmin(axis=1)
