"""Settings of the study of savings, refused before any work starts if they make no sense."""

from __future__ import annotations

from typing import Any

from ..settings import require_numbers

LEAST = {
    "data.chunk": 1,
    "data.test_runs": 1,
    "data.block_atoms": 1,
    "encoder.width": 1,
    "encoder.variables": 1,
    "encoder.raised": 0,
    "encoder.steps": 1,
    "encoder.batch_size": 2,
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
    "encoder.learning_rate",
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
    sizes, runs = config["data"]["n_atoms"], config["data"]["training_runs"]
    if not sizes or len(sizes) != len(runs) or min(runs) < 2:
        raise ValueError(
            f"data.training_runs must be 2 or more for each of data.n_atoms, not {runs} for {sizes}"
        )
    amounts = config["forces"]["configurations"]
    if any(amount < 2 for amount in amounts):
        raise ValueError(f"forces.configurations must be numbers of 2 or more, not {amounts}")
    if not config["free"]["test"]:
        raise ValueError("free.test must name numbers of atoms")
