"""The study of how many force evaluations partial forces save, against the truth.

For each number of atoms, drifts are learned from more and more configurations, by L_z from the
forces on all atoms and by L_{x,p} from those on one block of atoms of each, through an encoder on
`systems.pooled_features`, which serves every number of atoms. How many evaluations of the force
on an atom each needs to reach an error is read from errors against true runs:

    saving = evaluations by L_z / evaluations by L_{x,p}.

A second part learns from a small fluid with free seeds and predicts large fluids, as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...rng import coerce_rng, stream
from ...systems.lennard_jones import LARGEST_SEED, Start
from ..stages import Chunk, Stages
from .lennard_jones import fluid_of, steps_of
from .saving_chunks import learning_chunk, runs_chunk
from .saving_results import write_results
from .saving_settings import check_settings
from .savings import typical

Array = NDArray[np.float64]
LOSSES = ("Lz", "Lx_partial")


@dataclass(frozen=True)
class Curve:
    """Errors of one loss at one number of atoms.

    Attributes
    ----------
    evaluations : array, shape (n_amounts,)
        Forces on single atoms that were known.
    errors : array, shape (n_amounts, seeds, test runs)
    """

    evaluations: Array
    errors: Array

    @property
    def typical(self) -> Array:
        """Median over seeds of the mean over test runs, shape (n_amounts,)."""
        return typical(self.errors)


@dataclass(frozen=True)
class Transfer:
    """Errors of what was learned from free seeds at one number of atoms, at this one.

    Attributes
    ----------
    n_atoms : int
    errors : dict
        By loss, shape (seeds, test runs).
    floor : array, shape (test runs,)
        Scatter of runs of one first temperature around their expected path.
    """

    n_atoms: int
    errors: dict[str, Array]
    floor: Array


class LennardJonesSavingStudy:
    """A study of savings; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Raises
    ------
    ValueError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        check_settings(config)
        self.config, self.seed = config, config["seed"]
        sizes = {*config["data"]["n_atoms"], config["free"]["n_atoms"], *config["free"]["test"]}
        self.fluids = {n: fluid_of(config, n) for n in sorted(sizes)}

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        self.stages = stages = Stages(folder, self.config["workers"])
        curves: dict[tuple[int, str], Curve] = {}
        for n in self.config["data"]["n_atoms"]:
            stages.timed(f"runs {n}", self.family, n)
            for loss in LOSSES:
                curves[n, loss] = stages.timed(f"learning {n} {loss}", self.curve, n, loss)
        transfers = stages.timed("free seeds", self.transfers)
        write_results(self, folder, quick, curves, transfers)

    def family(self, n: int) -> None:
        """Runs from the same atoms and directions, to learn from and to compare with."""
        self.simulate(f"family/{n}", n, learn=True)
        self.simulate(f"test/{n}", n, learn=False)

    def simulate(self, key: str, n: int, learn: bool) -> None:
        """Runs of the fluid of n atoms, in chunks; all their configurations, or the first ones."""
        starts, size = self.starts(key), self.config["data"]["chunk"]
        jobs = {
            f"{key}/{k}": (self, n, starts[first : first + size], learn, stream(self.seed, key, k))
            for k, first in enumerate(range(0, len(starts), size))
        }
        self.stages.chunks(key, runs_chunk, jobs)

    def number_of_runs(self, key: str) -> int:
        """Runs of `simulate`."""
        kind, n = key.split("/")
        if kind == "family":
            table = self.config["data"]
            return int(table["training_runs"][table["n_atoms"].index(int(n))])
        table = self.config["data" if kind == "test" else "free"]
        return int(table["training_runs" if kind == "free" else "test_runs"])

    def starts(self, key: str) -> list[Start]:
        """Temperatures spread evenly over their range, each at random within its share.

        Both sets of free test runs have the same; their seeds differ.
        """
        runs, table = self.number_of_runs(key), self.config["data"]
        pair = key.replace("free-two", "free-one")
        low, high = table["temperatures"]
        within = coerce_rng(stream(self.seed, "starts", *pair.encode())).random(runs)
        made = low + (high - low) * (np.arange(runs) + within) / runs
        rng = coerce_rng(stream(self.seed, "seeds", *key.encode()))
        seeds = rng.integers(1, LARGEST_SEED, size=(runs, 2))
        if not key.startswith("free"):
            seeds[:] = table["position_seed"], table["velocity_seed"]
        return [Start(float(t), int(a), int(b)) for t, (a, b) in zip(made, seeds)]

    def read(self, key: str) -> Chunk:
        """Chunks of `simulate`, one after another."""
        number = -(-self.number_of_runs(key) // self.config["data"]["chunk"])
        parts = [self.stages.store.read(f"{key}/{k}") for k in range(number)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @property
    def basis(self) -> Any:
        """The radial functions."""
        from ...systems.pooled_features import RadialBasis

        return RadialBasis(**self.config["encoder"]["basis"])

    def amounts(self, n: int) -> list[int]:
        """Configurations of each training, as many as there are."""
        most = self.number_of_runs(f"family/{n}") * len(steps_of(self.config["data"]))
        return [*(a for a in sorted({*self.config["forces"]["configurations"]}) if a < most), most]

    def curve(self, n: int, loss: str) -> Curve:
        """Errors by amount of data."""
        seeds, amounts = self.config["forces"]["seeds"], self.amounts(n)
        jobs = {
            f"learning/{n}/{loss}/{a}/{s}": (self, f"family/{n}", loss, a, s, [f"test/{n}"])
            for a in amounts
            for s in range(seeds)
        }
        done = self.stages.chunks(f"learning {n} {loss}", learning_chunk, jobs)
        errors = np.stack([done[key][f"errors{n}"] for key in jobs])
        each = n if loss == "Lz" else self.config["data"]["block_atoms"]
        shape = (len(amounts), seeds, -1)
        return Curve(each * np.array(amounts, dtype=float), errors.reshape(shape))

    def transfers(self) -> list[Transfer]:
        """Learn from the small fluid with free seeds, predict fluids of other sizes."""
        table = self.config["free"]
        key = f"free/{table['n_atoms']}"
        self.simulate(key, table["n_atoms"], learn=True)
        for n in table["test"]:
            for use in ("one", "two"):
                self.simulate(f"free-{use}/{n}", n, learn=False)
        seeds = range(self.config["forces"]["seeds"])
        amount = table["training_runs"] * len(steps_of(self.config["data"]))
        tests = [f"free-one/{n}" for n in table["test"]]
        jobs = {
            f"transfer/{loss}/{s}": (self, key, loss, amount, s, tests)
            for loss in LOSSES
            for s in seeds
        }
        done = self.stages.chunks("transfer", learning_chunk, jobs)
        return [
            Transfer(
                n,
                {
                    loss: np.stack([done[f"transfer/{loss}/{s}"][f"errors{n}"] for s in seeds])
                    for loss in LOSSES
                },
                self.floor(n),
            )
            for n in table["test"]
        ]

    def configurations(self, key: str, n: int, seed: int) -> NDArray[np.int64]:
        """The order in which trainings take the configurations of `simulate`, n in all."""
        return coerce_rng(stream(self.seed, "configurations", *key.encode(), seed)).permutation(n)

    def floor(self, n: int) -> Array:
        """Error of a run's expected path, from two runs of each temperature, shape (runs,)."""
        from ...learning.models.paths import trajectory_errors

        one, two = (self.read(f"free-{use}/{n}")["path"] for use in ("one", "two"))
        return trajectory_errors(two, one) / np.sqrt(2)

    def errors(self, encoder: Array, drift: Any, test: Chunk) -> Array:
        """Errors of predicted runs, shape (runs,), with an encoder as a matrix."""
        from ...learning.models.paths import rollout, trajectory_errors

        times = self.config["data"]["dt"] * steps_of(self.config["data"])
        step = self.config["learning"]["rollout_step"]
        paths = rollout(drift, test["values"] @ encoder.T, times, step)[..., :1]
        return trajectory_errors(paths, test["path"])
