"""The design of the study of savings: fluids, runs of them, amounts of data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ...learning.options import DriftOptions
from ...ratios import either, near_divisors
from ...refusals import Refused
from ...rng import stream
from ...sampling.needs import Needs
from ...systems.lennard_jones import Start
from ...systems.lennard_jones_forces import PooledFluid
from ...systems.pooled_features import RadialBasis
from ..settings import require_choices, require_numbers, require_steps
from .design import ABOVE_0, CHOICES, LEAST_LEARNING
from .systems import lennard_jones

LOSSES = ("Lz", "Lx_partial")
LEAST = LEAST_LEARNING | {
    **dict.fromkeys(("data.chunk", "data.test_runs", "data.block_atoms", "free.test_runs"), 1),
    **{"encoder.components": 1, "encoder.rates": 0, "free.training_runs": 2},
}


class Free(NamedTuple):
    """A fluid with seeds of its own to learn from, and numbers of atoms of those to predict."""

    n_atoms: int
    training_runs: int
    test: tuple[int, ...]
    test_runs: int


@dataclass(frozen=True)
class SavingDesign:
    """All that chunks see; fluids and runs that start alike go by number of atoms."""

    seed: int
    fluids: dict[int, PooledFluid]
    training_runs: dict[int, int]
    test_runs: int
    chunk: int
    block_atoms: int
    components: int
    rates: int
    amounts: tuple[int, ...]
    seeds: int
    error: float
    free: Free
    learning: DriftOptions
    rollout_step: float

    @classmethod
    def of(cls, config: dict[str, Any]) -> SavingDesign:
        """From the settings, checked; ValueError names what is wrong."""
        _check(config)
        data, encoder, forces, learning = (
            dict(config[name]) for name in ("data", "encoder", "forces", "learning")
        )
        free = Free(**config["free"] | {"test": tuple(config["free"]["test"])})
        block, basis = data["block_atoms"], RadialBasis(**encoder.pop("basis"))
        sizes = sorted({*data["n_atoms"], free.n_atoms, *free.test})
        return cls(
            seed=config["seed"],
            fluids={n: PooledFluid(lennard_jones(config, n), block, basis) for n in sizes},
            training_runs=dict(zip(data["n_atoms"], data["training_runs"])),
            **{name: data[name] for name in ("test_runs", "chunk", "block_atoms")},
            **encoder,
            amounts=tuple(sorted({*forces.pop("configurations")})),
            **forces,
            free=free,
            rollout_step=learning.pop("rollout_step"),
            learning=DriftOptions(**learning),
        )

    def needs(self) -> Needs:
        """Features of a configuration with their Jacobian; on disk what losses see of all."""
        n = max(self.fluids)
        rows, frames = 1 + self.fluids[n].basis.number, self.fluids[n].system.frames
        runs = sum(self.training_runs.values()) + self.free.training_runs
        on_disk = 16 * runs * frames * rows * (rows + 2)
        return Needs(8 * n * (36 * rows + 9 * frames), on_disk)

    def fluid(self, key: str) -> PooledFluid:
        """Of a set of runs, as `starts`."""
        return self.fluids[int(key.split("/")[1])]

    def number_of_runs(self, key: str) -> int:
        """Of a set of runs, as `starts`."""
        kind, n = key.split("/")
        known = {"test": self.test_runs, "free": self.free.training_runs}
        known["family"] = self.training_runs.get(int(n), 0)
        return known.get(kind, self.free.test_runs)

    def starts(self, key: str) -> list[Start]:
        """Starts of a set of runs, of N atoms.

        Those of ``family/N`` and ``test/N`` have the same atoms and directions, those of
        ``free/N``, ``free-one/N`` and ``free-two/N`` do not; the latter two share temperatures.
        """
        pair = key.replace("free-two", "free-one")
        seeds = stream(self.seed, "seeds", *key.encode()) if key.startswith("free") else None
        temperatures = stream(self.seed, "starts", *pair.encode())
        return self.fluid(key).system.spread(self.number_of_runs(key), temperatures, seeds)

    def amounts_of(self, n: int) -> list[int]:
        """Configurations of each training at a number of atoms, as many as there are."""
        most = self.training_runs[n] * self.fluids[n].system.frames
        return [*(amount for amount in self.amounts if amount < most), most]

    def evaluations(self, loss: str, n: int, amounts: Any) -> Array:
        """Forces on single atoms that configurations need."""
        each = n if loss == "Lz" else self.block_atoms
        return each * np.asarray(amounts, dtype=float)


def _check(config: dict[str, Any]) -> None:
    require_numbers(config, LEAST, ("forces.error", *ABOVE_0))
    require_steps(config, {"learning.rollout_step": "data.time"}, beyond=True)
    require_choices(config, {"learning.drift": CHOICES["learning.drift"]})
    data, table, free = config["data"], config["encoder"], config["free"]
    sizes, runs, block = (data[name] for name in ("n_atoms", "training_runs", "block_atoms"))
    basis = table["basis"]
    if not sizes or len({*sizes}) != len(runs) or len(sizes) != len(runs) or min(runs) < 2:
        raise ValueError(
            f"data.training_runs must be 2 or more for each of data.n_atoms, not {runs} for {sizes}"
        )
    if not table["rates"] <= table["components"] <= basis["number"]:
        raise ValueError(
            "encoder.rates must be at most encoder.components, and these at most "
            f"encoder.basis.number, not {table['rates']} and {table['components']}"
        )
    least, amounts = table["components"] + table["rates"] + 2, config["forces"]["configurations"]
    if any(amount < least for amount in amounts):
        raise ValueError(f"forces.configurations must be {least} or more each, not {amounts}")
    if not free["test"]:
        raise ValueError("free.test must name numbers of atoms")
    if not (basis["number"] >= 2 and 0 < basis["first"] < basis["last"] <= basis["cutoff"]):
        raise ValueError(
            f"encoder.basis needs a number of 2 or more and 0 < first < last <= cutoff, not {basis}"
        )
    if 3 * block < 1 + basis["number"]:
        raise ValueError(
            f"data.block_atoms = {block} gives {3 * block} forces, and {1 + basis['number']} rows "
            "need as many"
        )
    for n in (*sizes, free["n_atoms"]):
        if n % block:
            least = math.ceil((1 + basis["number"]) / 3)
            near = near_divisors(block, math.gcd(*sizes, free["n_atoms"]), least)
            raise Refused(
                f"data.block_atoms must divide {n} atoms, not be {block}: the nearest of all is "
                f"{either(near)}",
                {"data.block_atoms": near[0]} if near else None,
            )
