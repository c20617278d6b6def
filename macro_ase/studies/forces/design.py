"""The design of a study of partial forces: its system, its amounts of data, its trainings.

Losses are compared at equal numbers of force evaluations, counted in full-force equivalents:
configurations times the share p of particles whose forces are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...learning.options import AutoencoderOptions, DriftOptions
from ...rng import coerce_rng, stream
from ...sampling.needs import Needs
from ...systems.forces import ForceSystem
from ..settings import DRIFTS, require_choices, require_numbers, require_steps
from .systems import SYSTEMS

CONFIGURATIONS = 500
"""Whose forces make a chunk."""
ROWS_IN_MEMORY = 4
Key = tuple[str, int]
"""Of results of several seeds: a loss and an amount of data."""
LOSSES = ("Lz", "Lx", "Lx_partial")
CHOICES = {
    "learning.drift": DRIFTS,
    "forces.rows": ("variables", "components"),
    "forces.units": ("force", "spread"),
}
AT_LEAST_1 = ("forces.seeds", *(f"learning.{k}" for k in "width depth members batch_size".split()))
LEAST_LEARNING = dict.fromkeys(AT_LEAST_1, 1) | {"learning.steps": 0, "learning.polish": 0}
LEAST = LEAST_LEARNING | {
    **dict.fromkeys(("data.test_runs", "data.chunk"), 1),
    **dict.fromkeys(("encoder.width", "encoder.variables", "encoder.steps"), 1),
    **dict.fromkeys(("encoder.condition_weight", "encoder.raised"), 0),
    **dict.fromkeys(("forces.floor", "forces.relative"), 0),
    **{"data.training_runs": 2, "encoder.batch_size": 2, "encoder.states": 10},
}
ABOVE_0 = ("learning.learning_rate", "learning.rollout_step", "data.dt", "data.time")


@dataclass(frozen=True)
class Case:
    """One training: a loss of `LOSSES`, configurations times p, and the number of a seed."""

    loss: str
    equivalents: int
    seed: int

    @property
    def key(self) -> str:
        """Its place in the store and among the models."""
        return f"{self.loss}/{self.equivalents}/{self.seed}"


@dataclass(frozen=True)
class ForceSettings:
    """The settings of that table; the presets say what each means."""

    share: float
    equivalents: tuple[int, ...]
    losses: tuple[str, ...]
    seeds: int
    floor: float
    rows: str
    units: str
    relative: float
    error: float | None = None

    @classmethod
    def of(cls, table: dict[str, Any]) -> ForceSettings:
        """From the table, checked; ValueError names the setting."""
        share, sizes, losses = (table[name] for name in ("share", "equivalents", "losses"))
        if not 0 < share <= 1:
            raise ValueError(f"forces.share must lie above 0 and be at most 1, not {share}")
        if not sizes or min(sizes) < 2:
            raise ValueError(f"forces.equivalents must be 2 or more, not {sizes}")
        wrong = [name for name in losses if name not in LOSSES]
        if wrong or not losses:
            raise ValueError(f"forces.losses must be of {', '.join(LOSSES)}, not {wrong or losses}")
        return cls(**table | {"equivalents": tuple(sizes), "losses": tuple(losses)})


@dataclass(frozen=True)
class ForcesDesign:
    """All that chunks see; ``encoder_states`` are those that an encoder is trained on."""

    model: str
    system: ForceSystem
    seed: int
    training_runs: int
    test_runs: int
    chunk: int
    encoder_states: int
    encoder: AutoencoderOptions
    forces: ForceSettings
    learning: DriftOptions
    rollout_step: float

    @classmethod
    def of(cls, config: dict[str, Any]) -> ForcesDesign:
        """From the settings, checked; ValueError names the setting."""
        require_numbers(config, LEAST, ("encoder.learning_rate", *ABOVE_0))
        require_steps(config, {"learning.rollout_step": "data.time"}, beyond=True)
        require_choices(config, CHOICES)
        data, encoder, learning = (dict(config[name]) for name in ("data", "encoder", "learning"))
        if not encoder["hidden"] or min(encoder["hidden"]) < 1:
            raise ValueError(
                f"encoder.hidden must be widths of at least 1, not {encoder['hidden']}"
            )
        if encoder["variables"] > encoder["width"]:
            raise ValueError(
                f"encoder.variables must be at most encoder.width = {encoder['width']}, "
                f"not {encoder['variables']}"
            )
        model = config["system"]["model"]
        made = cls(
            model=model,
            system=SYSTEMS[model](config),
            seed=config["seed"],
            **{name: data[name] for name in ("training_runs", "test_runs", "chunk")},
            encoder_states=encoder.pop("states"),
            encoder=AutoencoderOptions(**encoder | {"hidden": tuple(encoder["hidden"])}),
            forces=ForceSettings.of(config["forces"]),
            rollout_step=learning.pop("rollout_step"),
            learning=DriftOptions(**learning),
        )
        made._check_amounts()
        return made

    def _check_amounts(self) -> None:
        given = self.training_runs * self.system.states_per_run
        amounts = [self.number(case) for case in self.cases]
        if max(amounts) > given:
            raise ValueError(
                f"forces.equivalents needs {max(amounts)} configurations, and data.training_runs "
                f"= {self.training_runs} give {given}"
            )
        variables = len(self.system.z_names) + self.encoder.variables
        if min(amounts) <= variables:
            raise ValueError(
                f"forces.equivalents gives {min(amounts)} configurations, and a linear drift of "
                f"{variables} variables needs {variables + 1}"
            )
        known = self.system.columns(np.arange(self.particles("Lx_partial"))).size
        rows = self.encoder.width + len(self.system.z_names)
        if any(map(self.enters_components, self.forces.losses)) and known < rows:
            raise ValueError(
                f"forces.share = {self.forces.share:g} leaves {known} forces of a configuration, "
                f"and {rows} rows need as many; lower encoder.width"
            )

    def needs(self) -> Needs:
        """States, their forces and Jacobian; on disk the states and what losses see."""
        coordinates = self.system.columns(np.arange(self.system.n_particles)).size
        m, each = len(self.system.z_names), self.system.states_per_run
        rows = max(self.chunk * each, self.encoder_states, CONFIGURATIONS * (3 + m))
        seen = self.encoder.width + m
        configurations = sum(self.number(case) for case in self.cases)
        states = 4 * self.training_runs * each * coordinates
        on_disk = states + 16 * configurations * seen * (seen + 1)
        return Needs(8 * ROWS_IN_MEMORY * rows * coordinates, on_disk)

    @property
    def cases(self) -> list[Case]:
        """All trainings, the small ones first."""
        return [
            Case(loss, size, k)
            for size in sorted(self.forces.equivalents)
            for loss in self.forces.losses
            for k in range(self.forces.seeds)
        ]

    def particles(self, loss: str) -> int:
        """Particles of a configuration whose forces a loss sees."""
        n = self.system.n_particles
        return max(1, round(self.forces.share * n)) if loss == "Lx_partial" else n

    def share(self, loss: str) -> float:
        """p of a loss: what these particles are of all."""
        return self.particles(loss) / self.system.n_particles

    def number(self, case: Case) -> int:
        """Configurations of a training."""
        return round(case.equivalents / self.share(case.loss))

    def configurations(self, case: Case, n: int) -> NDArray[np.int64]:
        """Configurations of a training, of n in all; those of less data are among them."""
        order = coerce_rng(stream(self.seed, "configurations", case.seed)).permutation(n)
        return order[: self.number(case)]

    def enters_components(self, loss: str) -> bool:
        """Whether the forces that a loss sees meet the rows of the encoder's first layer."""
        return loss == "Lx_partial" and self.forces.rows == "components"
