"""Systems of the studies of partial forces, made from their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...systems.allen_cahn import AllenCahn
from ...systems.field_forces import AllenCahnForces, PredatorPreyForces
from ...systems.forces import ForceSystem
from ...systems.lennard_jones import LARGEST_SEED, LennardJones
from ...systems.lennard_jones_forces import LennardJonesForces
from ...systems.predator_prey import PredatorPrey
from ..settings import require_multiple, require_numbers, require_steps


def predator_prey(config: dict[str, Any]) -> PredatorPreyForces:
    """Waves; ValueError names what is wrong with a setting."""
    table, data = dict(config["system"]), config["data"]
    table.pop("model")
    field = PredatorPrey(**table, noise=0.0)
    for key in ("means", "amplitudes"):
        if len(data[key]) != 2 or not 0 <= data[key][0] <= data[key][1] < 1:
            raise ValueError(f"data.{key} must be two ascending numbers in 0..1, not {data[key]}")
    if not 0 < data["interval"] <= data["time"]:
        raise ValueError(
            f"data.interval must be above 0 and at most data.time, not {data['interval']}"
        )
    require_steps(config, {"data.dt": "data.time", "data.interval": "data.time"})
    frames = 1 + require_multiple(data["time"], data["interval"], "data.time", "data.interval")
    field.number_of_steps(data["time"], data["dt"], "rk4")
    ranges = tuple(data["means"]), tuple(data["amplitudes"])
    return PredatorPreyForces(
        field, data["dt"], *ranges, data["half_waves"], data["interval"], frames
    )


def allen_cahn(config: dict[str, Any]) -> AllenCahnForces:
    """Rings; ValueError names what is wrong with a setting."""
    side, data = config["system"]["n_side"], config["data"]
    if side < 8 or side % 2:
        raise ValueError(f"system.n_side must be even and at least 8, not {side}")
    low, high = sorted(data["inner"]), sorted(data["outer"])
    if len(low) != 2 or len(high) != 2 or not 0 < low[1] < high[0] or high[1] >= 0.5:
        raise ValueError(
            "data.inner and data.outer must be two radii each, the inner ones above 0 and "
            f"smaller, the outer ones below .5, not {data['inner']} and {data['outer']}"
        )
    require_numbers(config, {"data.snapshots": 2, "data.frames": 2, "data.test_every": 1}, ())
    field = AllenCahn(side // 2, edge=0.5)
    step = data["dt"] * field.cell**2
    field.number_of_steps(data["time"], step, "rk4")
    ranges = tuple(data["outer"]), tuple(data["inner"])
    numbers = (data[name] for name in ("time", "frames", "snapshots", "test_every"))
    return AllenCahnForces(field, step, *ranges, *numbers)


def lennard_jones(config: dict[str, Any], n_atoms: int | None = None) -> LennardJonesForces:
    """The fluid, of any number of atoms; ValueError names what is wrong with a setting."""
    data, system = config["data"], config["system"]
    seeds = ("data.position_seed", "data.velocity_seed")
    least, most = dict.fromkeys(seeds, 1), dict.fromkeys(seeds, LARGEST_SEED)
    require_numbers(config, least, ("forces.error",), most)
    require_steps(config, {"data.dt": "data.time"})
    low_high = tuple(data["temperatures"])
    if len(low_high) != 2 or not 0 < low_high[0] <= low_high[1]:
        raise ValueError(
            f"data.temperatures must be two, ascending, above 0, not {data['temperatures']}"
        )
    steps = require_multiple(data["time"], data["dt"], "data.time", "data.dt")
    if not 1 <= data["every"] <= steps:
        raise ValueError(f"data.every must leave two frames or more, not {data['every']}")
    n = system["n_atoms"] if n_atoms is None else n_atoms
    fluid = LennardJones(n, system["density"], system["cutoff"], data["dt"])
    own = data["position_seed"], data["velocity_seed"]
    return LennardJonesForces(fluid, low_high, *own, data["every"], 1 + steps // data["every"])


SYSTEMS: dict[str, Callable[[dict[str, Any]], ForceSystem]] = {
    "predator-prey-forces": predator_prey,
    "allen-cahn-forces": allen_cahn,
    "lennard-jones-forces": lennard_jones,
}
