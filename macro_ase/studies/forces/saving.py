"""The study of how many force evaluations partial forces save, against the truth.

For each number of atoms, drifts are learned by L_z from the forces on all atoms of more and more
configurations, and by L_{x,p} from those on more and more blocks of atoms, through an encoder that
does not depend on the number or the order of atoms. How many evaluations of the force on an atom
each needs to reach an error is read from errors against true runs:

    saving = evaluations by L_z / evaluations by L_{x,p}.

A second part learns from a small fluid with free seeds and predicts large fluids, as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines.partial_forces import choose_block
from ...rng import coerce_rng, stream
from ...systems.lennard_jones import LARGEST_SEED, LennardJones, Start
from ..stages import Chunk, Stages
from .lennard_jones import fluid_of, steps_of, temperatures
from .saving_results import write_results
from .saving_settings import check_settings

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
        return np.asarray(np.median(self.errors.mean(axis=2), axis=1))


@dataclass(frozen=True)
class Transfer:
    """Errors of what was learned from free seeds at one number of atoms, at this one.

    Attributes
    ----------
    n_atoms : int
    errors : dict
        By loss, shape (seeds, test runs).
    floor : array, shape (test runs,)
        Scatter of runs of the same temperature around their mean.
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
        table = self.config["data"]
        k = table["n_atoms"].index(n)
        self.simulate(f"family/{n}", n, table["training_runs"][k], table["blocks"], free=False)
        self.simulate(f"test/{n}", n, table["test_runs"], 0, free=False)

    def simulate(self, key: str, n: int, runs: int, blocks: int, free: bool) -> None:
        """Runs of the fluid of n atoms, in chunks; without blocks only their start is measured."""
        starts = self.starts(key, runs, free)
        size = self.config["data"]["chunk"]
        jobs = {
            f"{key}/{k}": (self, n, starts[first : first + size], blocks, stream(self.seed, key, k))
            for k, first in enumerate(range(0, runs, size))
        }
        self.stages.chunks(key, runs_chunk, jobs)

    def starts(self, key: str, runs: int, free: bool) -> list[Start]:
        """Temperatures spread evenly over their range, each at random within its share."""
        table, rng = self.config["data"], coerce_rng(stream(self.seed, "starts", *key.encode()))
        low, high = table["temperatures"]
        made = low + (high - low) * (np.arange(runs) + rng.random(runs)) / runs
        seeds = rng.integers(1, LARGEST_SEED, size=(runs, 2))
        if not free:
            seeds[:] = table["position_seed"], table["velocity_seed"]
        return [Start(float(t), int(a), int(b)) for t, (a, b) in zip(made, seeds)]

    def read(self, key: str, runs: int) -> Chunk:
        """Chunks of `simulate`, one after another."""
        number = -(-runs // self.config["data"]["chunk"])
        parts = [self.stages.store.read(f"{key}/{k}") for k in range(number)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def amounts(self, n: int, loss: str) -> list[int]:
        """Configurations or blocks of each training, as many as there are."""
        table = self.config["data"]
        runs = table["training_runs"][table["n_atoms"].index(n)]
        most = runs * len(steps_of(table))
        if loss == "Lz":
            wanted = [a for a in self.config["forces"]["configurations"] if a < most]
            return [*wanted, most]
        wanted = [a for a in self.config["forces"]["blocks"] if a < most * table["blocks"]]
        return [*wanted, most * table["blocks"]]

    def curve(self, n: int, loss: str) -> Curve:
        """Errors by amount of data."""
        seeds, amounts = self.config["forces"]["seeds"], self.amounts(n, loss)
        jobs = {
            f"learning/{n}/{loss}/{a}/{s}": (self, n, loss, a, s)
            for a in amounts
            for s in range(seeds)
        }
        done = self.stages.chunks(f"learning {n} {loss}", learning_chunk, jobs)
        errors = np.stack([done[key]["errors"] for key in jobs])
        each = n if loss == "Lz" else self.config["data"]["block_atoms"]
        shape = (len(amounts), seeds, -1)
        return Curve(each * np.array(amounts, dtype=float), errors.reshape(shape))

    def transfers(self) -> list[Transfer]:
        """Learn from the small fluid with free seeds, predict fluids of other sizes."""
        table = self.config["free"]
        small, runs = table["n_atoms"], table["training_runs"]
        self.simulate(f"free/{small}", small, runs, table["blocks"], free=True)
        for n in table["test"]:
            for use in ("one", "two"):
                self.simulate(f"free-{use}/{n}", n, table["test_runs"], 0, free=True)
        seeds = range(self.config["forces"]["seeds"])
        jobs = {f"transfer/{loss}/{s}": (self, loss, s) for loss in LOSSES for s in seeds}
        done = self.stages.chunks("transfer", transfer_chunk, jobs)
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

    def floor(self, n: int) -> Array:
        """Error of a run's expected path, from two runs of each temperature, shape (runs,)."""
        from ...learning.rollout import trajectory_errors

        runs = self.config["free"]["test_runs"]
        one, two = (self.read(f"free-{use}/{n}", runs)["path"] for use in ("one", "two"))
        return trajectory_errors(two, one) / np.sqrt(2)

    def errors(self, encoder: Any, drift: Any, test: Chunk) -> Array:
        """Errors of predicted runs, shape (runs,)."""
        from ...learning.rollout import rollout, trajectory_errors

        times = self.config["data"]["dt"] * steps_of(self.config["data"])
        step = self.config["learning"]["rollout_step"]
        paths = rollout(drift, encoder.encode(test["z"]), times, step)[..., :1]
        return trajectory_errors(paths, test["path"])


def runs_chunk(
    study: LennardJonesSavingStudy,
    n: int,
    starts: list[Start],
    blocks: int,
    seed: np.random.SeedSequence,
) -> Chunk:
    """Paths of the temperature, and what the losses need of every kept configuration.

    Without blocks: (T, S, dS/dt) of the first configuration of each run alone.
    """
    from ...learning.pooled_encoder import RadialBasis, RawForces, macroscopic

    fluid: LennardJones = study.fluids[n]
    basis = RadialBasis(**study.config["encoder"]["basis"])
    size, rng = study.config["data"]["block_atoms"], coerce_rng(seed)
    runs = list(fluid.runs(starts, steps_of(study.config["data"])))
    path = temperatures(runs)
    if not blocks:
        first = [(fluid.to_atoms(run.positions[0]), run.velocities[0]) for run in runs]
        return {"path": path, "z": np.stack([macroscopic(a, v, basis)[0] for a, v in first])}
    parts = []
    for run in runs:
        for x, v, f in zip(run.positions, run.velocities, run.forces):
            atoms = fluid.to_atoms(x)
            chosen = [choose_block(atoms, size, rng) for _ in range(blocks)]
            parts.append(RawForces.measure(atoms, v, f, chosen, basis))
    return RawForces.join(parts).arrays()


def learning_chunk(
    study: LennardJonesSavingStudy, n: int, loss: str, amount: int, seed: int
) -> Chunk:
    """Errors at one size of what is learned from an amount of data."""
    table = study.config["data"]
    runs = table["training_runs"][table["n_atoms"].index(n)]
    own = stream(study.seed, f"drift {loss}", n, amount, seed)
    encoder, drift = learn(study, study.read(f"family/{n}", runs), n, loss, amount, own)
    return {"errors": study.errors(encoder, drift, study.read(f"test/{n}", table["test_runs"]))}


def transfer_chunk(study: LennardJonesSavingStudy, loss: str, seed: int) -> Chunk:
    """Errors at every size of what is learned from all of the small fluid's free runs."""
    table = study.config["free"]
    n = table["n_atoms"]
    data = study.read(f"free/{n}", table["training_runs"])
    amount = len(data["z"]) * (1 if loss == "Lz" else table["blocks"])
    own = stream(study.seed, f"transfer {loss}", seed)
    encoder, drift = learn(study, data, n, loss, amount, own)
    return {
        f"errors{m}": study.errors(encoder, drift, study.read(f"free-one/{m}", table["test_runs"]))
        for m in table["test"]
    }


def learn(
    study: LennardJonesSavingStudy,
    data: Chunk,
    n: int,
    loss: str,
    amount: int,
    seed: np.random.SeedSequence,
) -> tuple[Any, Any]:
    """The encoder of all configurations, and the drift from some of them, or of their blocks."""
    import torch

    from ...learning.force_losses import LOSSES as FORMULAS
    from ...learning.force_training import DriftOptions, train_drift
    from ...learning.pooled_encoder import PooledEncoder, RadialBasis, RawForces

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    raw, table = RawForces(**data), dict(study.config["encoder"])
    encoder = PooledEncoder.fit(RadialBasis(**table["basis"]), raw, table["variables"])
    choice, training = seed.spawn(2)
    rows = coerce_rng(choice).permutation(len(raw.z))
    if loss == "Lz":
        batch = encoder.all_forces(raw.take(rows[:amount]))
    else:
        few = raw.take(rows[:amount], -(-amount // len(raw.z)))
        batch = encoder.some_forces(few, study.config["data"]["block_atoms"] / n)
    batch = batch.with_floor(study.config["forces"]["floor"])
    options = dict(study.config["learning"])
    options.pop("rollout_step")
    form = FORMULAS[loss](batch)
    drift = train_drift(
        batch.z0, batch.condition, form, DriftOptions(**options), training, f"{n} {loss} {amount}"
    )
    return encoder, drift
