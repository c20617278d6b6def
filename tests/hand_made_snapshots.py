"""The folder of a run with one small run at 2000 K, as a study leaves it, without a model."""

from pathlib import Path

import numpy as np

from macro_ase.config import load_config
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.design import Design
from macro_ase.toml_text import dump_toml

KEY = "small/2000.0/0"


def run_with_snapshots(folder: Path) -> Design:
    """Two snapshots, at rows 0 and 2 of three; gives the design."""
    changes = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "small.runs=1",
               "conditions.temperatures_K=[2000.0]")  # fmt: skip
    config = load_config("nbmota", False, changes)
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(dump_toml(config))
    design = Design.of(config)
    states = np.asarray(design.system.small_states[:2])
    arrays = {
        "times": np.array([0.0, 1e-9, 2e-9]),
        "z": np.arange(18.0).reshape(3, 6),
        "states": states,
        "kept": np.array([0, 2]),
        "tau_w": np.array([2e-12]),
        "extra": np.zeros((3, 3)),
    }
    Store(folder / "data.zarr").write(KEY, arrays)
    return design
