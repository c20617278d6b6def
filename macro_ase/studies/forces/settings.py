"""Settings of the studies of partial forces, refused before work starts if they make no sense."""

from __future__ import annotations

from typing import Any

from ..settings import require_numbers, require_steps

DRIFTS = ("network", "onsager")
LOSSES = ("Lz", "Lx", "Lx_partial")
ROWS = ("variables", "components")
UNITS = ("force", "spread")
LEAST = {
    "data.training_runs": 2,
    "data.test_runs": 1,
    "data.chunk": 1,
    "encoder.states": 10,
    "encoder.width": 1,
    "encoder.variables": 1,
    "encoder.steps": 1,
    "encoder.batch_size": 2,
    "forces.seeds": 1,
    "learning.width": 1,
    "learning.depth": 1,
    "learning.members": 1,
    "learning.steps": 0,
    "learning.batch_size": 1,
    "learning.polish": 0,
    "encoder.condition_weight": 0,
    "encoder.raised": 0,
    "forces.floor": 0,
    "forces.relative": 0,
}
ABOVE_0 = (
    "encoder.learning_rate",
    "learning.learning_rate",
    "learning.rollout_step",
    "data.dt",
    "data.time",
)


def check_settings(config: dict[str, Any]) -> None:
    """Refuse settings that make no sense.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    require_numbers(config, LEAST, ABOVE_0)
    require_steps(config, {"learning.rollout_step": "data.time"}, beyond=True)
    check_networks(config)
    _check_forces(config["forces"])


def check_networks(config: dict[str, Any]) -> None:
    """Refuse encoders and drifts that cannot be made.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    table = config["encoder"]
    if not table["hidden"] or min(table["hidden"]) < 1:
        raise ValueError(f"encoder.hidden must be widths of at least 1, not {table['hidden']}")
    if table["variables"] > table["width"]:
        raise ValueError(
            f"encoder.variables must be at most encoder.width = {table['width']}, "
            f"not {table['variables']}"
        )
    check_drift(config)


def check_drift(config: dict[str, Any]) -> None:
    """Refuse a drift of no kind that there is.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    drift = config["learning"]["drift"]
    if drift not in DRIFTS:
        raise ValueError(f"learning.drift must be one of {', '.join(DRIFTS)}, not {drift!r}")


def _check_forces(table: dict[str, Any]) -> None:
    if not 0 < table["share"] <= 1:
        raise ValueError(f"forces.share must lie above 0 and be at most 1, not {table['share']}")
    if not table["equivalents"] or min(table["equivalents"]) < 2:
        raise ValueError(f"forces.equivalents must be 2 or more, not {table['equivalents']}")
    if table["rows"] not in ROWS:
        raise ValueError(f"forces.rows must be one of {', '.join(ROWS)}, not {table['rows']!r}")
    if table["units"] not in UNITS:
        raise ValueError(f"forces.units must be one of {', '.join(UNITS)}, not {table['units']!r}")
    wrong = [name for name in table["losses"] if name not in LOSSES]
    if wrong or not table["losses"]:
        raise ValueError(
            f"forces.losses must be of {', '.join(LOSSES)}, not {wrong or table['losses']}"
        )
