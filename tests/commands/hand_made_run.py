"""The run of an alloy whose model is made by hand: linear drift, Arrhenius clock."""

from pathlib import Path

import numpy as np
from learning.models.linear_model import ENERGY_K, PREFACTOR, made

from macro_ase.config import load_config
from macro_ase.learning.models.clock import Clock
from macro_ase.learning.pairs import Scaling
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.design import Design
from macro_ase.toml_text import dump_toml

TILT = np.array([0.0, 0.0, 0.6, 0.0, 0.0, 0.0])
KAPPA, NOISE = 0.2, 0.02
"""Share of a deviation that relaxes in a training step, and the noise of one."""


def hand_made(folder: Path, *more: str, study: str = "nbmota") -> Path:
    """A folder as a study leaves it; Mo-Ta bonds rest at what 1 / T says."""
    folder.mkdir()
    changes = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "small.runs=1",
               "conditions.temperatures_K=[1600.0,2300.0,3000.0]")  # fmt: skip
    config = load_config(study, False, (*changes, *more))
    (folder / "config.toml").write_text(dump_toml(config))
    d = Design.of(config)
    z0 = start_of(d)
    x = np.array([1000 / 3000, 1000 / 1600])
    shares = d.system.model_condition({"T": 2000})[1:]
    kept = np.stack([np.array([value, *shares]) for value in x])
    scaling = Scaling(
        z0, np.full(6, 0.05), np.array([x.mean(), *shares]), np.array([0.1, 0, 0]), kept
    )
    clock = Clock(x, np.log(PREFACTOR) + ENERGY_K / 1000 * x)
    # The tilt is in units of condition_scale: both members rest at z0 + tilt (1000 K / T - 1 / 3).
    rests = [z0 + TILT * (x.mean() - x[0] + shift) for shift in (0.0, 0.002)]
    common = (TILT, np.full(6, KAPPA), np.full(6, NOISE), scaling, clock, d.system.names, 2)
    made(rests, *common).save(folder / "model")
    store = Store(folder / "data.zarr")
    for t in d.temperatures:
        for key in d.keys("small", t):
            store.write(key, {"z": np.tile(z0, (4, 1)), "extra": np.full((4, 3), 0.01)})
    return folder


def start_of(d: Design) -> np.ndarray:
    """Bond densities of a small crystal as ordered as the large one that the run begins with."""
    system = d.system
    return system.observe(system.large_state[None])[0] / system.over_small(system.order)


def alpha_of(run: Path, temperature: float) -> float:
    """Of Mo-Ta at rest in the run's own large crystal: 1 - z / (8 c_A c_B)."""
    d = Design.of(load_config(run / "config.toml"))
    order, rest = d.system.order, start_of(d)[2] + 0.6 * (1000 / temperature - 1 / 3)
    c, ratio = order.fractions, d.system.over_small(order)[2]
    return float(1 - ratio * rest / (8 * c[1] * c[2]))
