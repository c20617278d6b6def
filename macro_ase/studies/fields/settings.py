"""Settings of the predator-prey study, refused before any work starts if they make no sense."""

from __future__ import annotations

from typing import Any

from ...sampling.field_pairs import INCREMENTS, FieldSampling
from ...systems.field_patches import FieldPatches
from ...systems.predator_prey import PredatorPrey
from ..settings import require_multiple, require_steps

DRIFTS = ("network", "onsager")
CLOSURES = ("none", "moments", "gradients", "encoder")
WAYS: dict[str, dict[str, Any]] = {
    "single increments": {"increments": "single"},
    "unit spacing": {"spacing": 1.0},
    "unrelaxed": {"relax_time": 0.0},
    "periodic patches": {"boundary": "periodic", "buffer": 0},
}
"""Other ways to sample, as changes of the settings ``sampling``."""
LEAST_1 = (
    *("learning.repeats", "learning.width", "learning.depth", "learning.members"),
    *("learning.epochs", "learning.batch_size", "closure.variables", "closure.channels"),
    *("closure.steps", "scan.starts"),
)
ABOVE_0 = (
    *("sampling.dt", "sampling.interval", "sampling.early_interval", "sampling.last_age"),
    *("sampling.spacing", "direct.end", "direct.interval", "learning.learning_rate"),
    "system.time_step",
)


def system_of(config: dict[str, Any]) -> PredatorPrey:
    """The large system of a study's settings.

    Raises
    ------
    ValueError
        Naming the table and what is wrong with it.
    """
    table = {k: v for k, v in config["system"].items() if k not in ("model", "time_step")}
    try:
        return PredatorPrey(**table)
    except ValueError as error:
        raise ValueError(f"system: {error}") from error


def ages_of(table: dict[str, Any]) -> tuple[float, ...]:
    """Ages of the kept states of small runs.

    Raises
    ------
    ValueError
        If they do not end at the last age.
    """
    early, last = min(table["early_age"], table["last_age"]), table["last_age"]
    step, every = table["early_interval"], table["interval"]
    name = "sampling.early_age" if early < last else "sampling.last_age"
    first = require_multiple(early, step, name, "sampling.early_interval") if early > 0 else 0
    left = 0
    if last > early:
        name = "sampling.last_age - sampling.early_age"
        left = require_multiple(last - early, every, name, "sampling.interval")
    ages = [step * k for k in range(first)]
    return (*ages, *(early + every * k for k in range(left + 1)))


def sampling_of(config: dict[str, Any], **changes: Any) -> FieldSampling:
    """How pairs are made; ``changes`` are of the settings ``sampling``.

    Raises
    ------
    ValueError
        Naming what is wrong.
    """
    table, system = config["sampling"] | changes, system_of(config)
    try:
        patches = FieldPatches(system, table["patch"], table["buffer"], table["boundary"])
    except ValueError as error:
        raise ValueError(f"sampling: {error}") from error
    (low_m, high_m), (low_k, high_k) = table["means"], table["amplitudes"]
    return FieldSampling(
        patches=patches,
        small=table["small"],
        spacing=table["spacing"],
        means=(low_m, high_m),
        amplitudes=(low_k, high_k),
        half_waves=table["half_waves"],
        ages=ages_of(table),
        relax_time=table["relax_time"],
        dt=table["dt"],
        time_step=config["system"]["time_step"],
        increments=table["increments"],
    )


def check_settings(config: dict[str, Any]) -> None:
    """Refuse settings that make no sense.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    for keys, least in ((LEAST_1, 1), (ABOVE_0, None)):
        for key in keys:
            table, name = key.split(".")
            value = config[table][name]
            if value <= 0 or (least is not None and value < least):
                raise ValueError(
                    f"{key} must be {'at least 1' if least else 'above 0'}, not {value}"
                )
    if config["sampling"]["early_age"] < 0 or config["learning"]["weight_decay"] < 0:
        raise ValueError("sampling.early_age and learning.weight_decay must not be negative")
    _check_choices(config)
    _check_waves(config)
    _check_lists(config)
    _check_steps(config)
    direct = config["direct"]
    require_multiple(direct["end"], direct["interval"], "direct.end", "direct.interval")
    _check_sampling(config)


def _check_steps(config: dict[str, Any]) -> None:
    for key in ("sampling.dt", "scan.times", "sampling.last_age", "direct.end"):
        require_steps(config, {"system.time_step": key}, beyond=True)
    for key in ("sampling.early_interval", "sampling.interval"):
        require_steps(config, {key: "sampling.last_age"})
    require_steps(config, {"direct.interval": "direct.end"})


def _check_choices(config: dict[str, Any]) -> None:
    choices = (
        ("learning.drift", [config["learning"]["drift"]], DRIFTS),
        ("sampling.increments", [config["sampling"]["increments"]], INCREMENTS),
        ("closure.kind", [config["closure"]["kind"]], CLOSURES),
        ("closure.compare", config["closure"]["compare"], CLOSURES),
        ("prediction.ways", config["prediction"]["ways"], tuple(WAYS)),
    )
    for key, values, allowed in choices:
        wrong = [value for value in values if value not in allowed]
        if wrong:
            raise ValueError(f"{key} must be of {', '.join(allowed)}, not {wrong[0]!r}")


def _check_waves(config: dict[str, Any]) -> None:
    for name in ("sampling", "closure", "direct"):
        for key in ("means", "amplitudes"):
            values = config[name][key]
            if not values or not all(0 <= value <= 1 for value in values):
                raise ValueError(f"{name}.{key} must lie in 0..1, not {values}")
            if name == "sampling" and (len(values) != 2 or values[0] > values[1]):
                raise ValueError(f"{name}.{key} must be two ascending numbers, not {values}")


def _check_lists(config: dict[str, Any]) -> None:
    for key in ("prediction.lambdas", "scan.times"):
        table, name = key.split(".")
        values = config[table][name]
        if not values or min(values) <= 0:
            raise ValueError(f"{key} must be above 0, not {values}")
    members = config["learning"]["members"]
    if config["direct"]["runs"] < max(2, members):
        raise ValueError(
            f"direct.runs must be at least 2 and at least learning.members = {members}, "
            f"not {config['direct']['runs']}"
        )


def _check_sampling(config: dict[str, Any]) -> None:
    table, n = config["sampling"], config["system"]["n_cells"]
    if table["small"] < 2 or n % table["small"]:
        raise ValueError(f"sampling.small must divide system.n_cells = {n}, not {table['small']}")
    if table["relax_time"] < 0:
        raise ValueError(f"sampling.relax_time must not be negative, not {table['relax_time']}")
    sampling = sampling_of(config)
    if table["starts"] < 5 or table["starts"] * len(sampling.ages) < 100:
        raise ValueError(
            f"sampling.starts must be at least 5, and 100 states in all, not {table['starts']}"
        )
    wrong = [b for b in config["scan"]["buffers"] if not 0 <= b <= table["patch"]]
    if wrong or not config["scan"]["buffers"]:
        raise ValueError(f"scan.buffers must lie in 0..{table['patch']}, not {wrong}")
    for name, system in (("large", sampling.patches.system), ("small", sampling.small_system)):
        longest = system.longest_step()
        if not 0 < sampling.time_step <= longest:
            raise ValueError(
                f"system.time_step must be above 0 and at most {longest:.4g} for the {name} "
                f"system, not {sampling.time_step}"
            )
