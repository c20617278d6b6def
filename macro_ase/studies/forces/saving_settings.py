"""Settings of the study of savings, refused before any work starts if they make no sense."""

from __future__ import annotations

from typing import Any

from ..settings import require_numbers, require_steps
from .settings import check_drift

LEAST = {
    "data.chunk": 1,
    "data.test_runs": 1,
    "data.block_atoms": 1,
    "encoder.components": 1,
    "encoder.rates": 0,
    "forces.seeds": 1,
    "free.training_runs": 2,
    "free.test_runs": 1,
    "learning.width": 1,
    "learning.depth": 1,
    "learning.members": 1,
    "learning.steps": 0,
    "learning.batch_size": 1,
    "learning.polish": 0,
}
ABOVE_0 = (
    "data.dt",
    "data.time",
    "forces.error",
    "learning.learning_rate",
    "learning.rollout_step",
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
    check_drift(config)
    sizes, runs = config["data"]["n_atoms"], config["data"]["training_runs"]
    if not sizes or len({*sizes}) != len(runs) or len(sizes) != len(runs) or min(runs) < 2:
        raise ValueError(
            f"data.training_runs must be 2 or more for each of data.n_atoms, not {runs} for {sizes}"
        )
    table = config["encoder"]
    if not table["rates"] <= table["components"] <= table["basis"]["number"]:
        raise ValueError(
            "encoder.rates must be at most encoder.components, and these at most "
            f"encoder.basis.number, not {table['rates']} and {table['components']}"
        )
    least = table["components"] + table["rates"] + 2
    amounts = config["forces"]["configurations"]
    if any(amount < least for amount in amounts):
        raise ValueError(f"forces.configurations must be {least} or more each, not {amounts}")
    if not config["free"]["test"]:
        raise ValueError("free.test must name numbers of atoms")
    _check_basis(config["encoder"]["basis"])
    _check_blocks(config)


def _check_basis(basis: dict[str, Any]) -> None:
    if not (basis["number"] >= 2 and 0 < basis["first"] < basis["last"] <= basis["cutoff"]):
        raise ValueError(
            f"encoder.basis needs a number of 2 or more and 0 < first < last <= cutoff, not {basis}"
        )


def _check_blocks(config: dict[str, Any]) -> None:
    block, rows = config["data"]["block_atoms"], 1 + config["encoder"]["basis"]["number"]
    if 3 * block < rows:
        raise ValueError(
            f"data.block_atoms = {block} gives {3 * block} forces, and {rows} rows need as many"
        )
    for n in (*config["data"]["n_atoms"], config["free"]["n_atoms"]):
        if n % block:
            raise ValueError(f"data.block_atoms must divide {n} atoms, not be {block}")
