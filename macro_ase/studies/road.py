"""The road of every study of patches: pairs, model, direct runs, predictions, checks.

    small runs -> grown states -> patches evolved alone -> model -> paths beside direct runs

A `Lane` is one system with one plan; a study has one or several, and adds what is its own:
closures, scans, comparisons. Functions are the runner's side of the chunks of `sampling.pairs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.assumptions import PatchCheck, check_patches
from ..arrays import Array, Chunk
from ..rng import coerce_rng, stream
from ..sampling.pairs import direct_chunk, pairs_chunk, wholes_chunk
from ..systems.base import Closure, Condition, Plan, System, no_closure
from .runner import Runner

if TYPE_CHECKING:
    from ..learning.models.clock import Clock
    from ..learning.models.macro_model import MacroModel
    from ..learning.models.run_parts import RunParts

TRUTH, SECOND, PREDICTED = range(3)
LAST_AGES = 4


@dataclass(frozen=True)
class Lane:
    """One way to learn: a system with a plan.

    ``name`` is that of its chunks and its model; there are ``starts`` small runs, in chunks of
    ``chunk``; random streams are named by ``stream`` and ``items``; ``closure`` gives all closure
    variables that are measured.
    """

    name: str
    system: System
    plan: Plan
    starts: int
    seed: int
    stream: str
    items: tuple[int, ...] = ()
    closure: Closure = no_closure
    condition: Condition = field(default_factory=dict)
    chunk: int = 64

    def numbers(self, starts: int) -> range:
        """Of chunks that hold so many small runs, the last one whole too."""
        return range(-(-starts // self.chunk))

    def seed_of(self, kind: str, number: int) -> np.random.SeedSequence:
        """Of a chunk."""
        return stream(self.seed, kind, *self.items, number)


def sample_pairs(runner: Runner, lane: Lane) -> Chunk:
    """Training pairs of a lane."""
    each = min(lane.chunk, lane.starts)
    common = (lane.system, lane.plan, each, lane.closure, lane.condition)
    jobs = {
        f"pairs/{lane.name}/{k}": (*common, lane.seed_of(lane.stream, k), k)
        for k in lane.numbers(lane.starts)
    }
    return runner.joined(f"pairs {lane.name}", pairs_chunk, jobs)


def check_lane(runner: Runner, lane: Lane, kind: str, most: int) -> PatchCheck:
    """Patches against wholes, from states of the last ages."""
    plan = replace(lane.plan, ages=lane.plan.ages[-LAST_AGES:])
    starts = min(most, lane.starts)
    common = (lane.system, plan, min(lane.chunk, starts), lane.condition)
    jobs = {
        f"check/{lane.name}/{k}": (*common, lane.seed_of(kind, k), k) for k in lane.numbers(starts)
    }
    return check_patches(runner.joined(f"checks {lane.name}", wholes_chunk, jobs))


def learn(
    runner: Runner,
    name: str,
    pairs: Mapping[str, NDArray[Any]],
    condition: Array,
    names: Sequence[str],
    dt: float,
    sites: float,
    options: Mapping[str, Any],
    seed: int,
    clock: Clock | None = None,
    substeps: int = 1,
    known: RunParts | None = None,
    block: float | None = None,
) -> MacroModel:
    """The model of pairs: trained, or loaded if it was trained already.

    ``pairs`` holds z0, dz, shape (n, d), and snapshot; with a ``mean`` the drift is fitted to it,
    with a ``run`` every member of the ensemble draws its own runs, and with a ``past`` the model
    remembers.
    ``condition`` has shape (c,) or (n, c); ``names`` are those of the observables, what follows
    them in z is closure. Patches evolved for ``dt``, which the clock, if there is one, counts in
    residence times, and stand for ``sites`` sites each. A patch with sites of its own relaxes
    within dt as the whole does, so paths take one step of dt: ``substeps`` is 1. ``known``
    says how the runs of the pairs move, and ``block`` how many sites the states have, of which a
    larger system consists.
    """
    from ..learning.models.macro_model import MacroModel

    d = pairs["z0"].shape[1]
    z_names = (*names, *(f"closure {k + 1}" for k in range(d - len(names))))

    def load(folder: Path) -> MacroModel:
        model = MacroModel.load(folder)
        if model.z_names != z_names:
            raise ValueError(f"{folder} holds a model of {', '.join(model.z_names)}")
        return model

    def make(folder: Path) -> MacroModel:
        from ..learning.models.clock import Clock
        from ..learning.models.training import train
        from ..learning.options import TrainingOptions
        from ..learning.pairs import PairBatch

        n = len(pairs["z0"])
        rows = condition if condition.ndim == 2 else np.tile(condition, (n, 1))
        more = (pairs.get("mean"), pairs.get("run"), pairs.get("past"))
        batch = PairBatch(pairs["z0"], pairs["dz"], rows, pairs["snapshot"], *more)
        own = TrainingOptions(**options)
        trained = train(batch, own, seed, f"learning {name}", folder, known)
        unit = clock or Clock(np.array([1.0]), np.array([0.0]))
        model = MacroModel(trained, own, z_names, dt, sites, unit, substeps, block_sites=block)
        model.save(folder)
        return model

    return runner.kept(name, load, make)


def direct_runs(
    runner: Runner,
    lane: Lane,
    key: str,
    starts: Sequence[Any],
    runs: int,
    times: Array,
    seeds: Sequence[tuple[np.random.SeedSequence, np.random.SeedSequence]],
    stage: str = "direct runs",
) -> Array:
    """Direct runs of the large system, shape (n_starts, runs, n_t, d)."""
    common = (runs, times, lane.closure, lane.condition)
    jobs = {
        f"{key}/{k}": (lane.system, lane.plan, start, *common, own)
        for k, (start, own) in enumerate(zip(starts, seeds))
    }
    done = runner.chunks(stage, direct_chunk, jobs)
    return np.stack([done[job]["z"] for job in jobs])


@dataclass(frozen=True)
class Prediction:
    """What is predicted with a model.

    ``starts`` are as `System.start` takes them, with the seed of their states; from each go
    ``paths``, of all members together, of ``steps`` records after the first, ``interval`` apart,
    for a system of ``sites`` sites and, unless it is n / n_s, ``n_patches``. The model takes
    ``columns`` of z, and the first ``kept`` of these are kept; default all.
    """

    starts: Sequence[tuple[Any, np.random.SeedSequence | None]]
    paths: int
    steps: int
    interval: float
    sites: float
    n_patches: float | None = None
    columns: list[int] | None = None
    kept: int | None = None


def predict_chunk(
    lane: Lane, model: MacroModel, wanted: Prediction, seed: np.random.SeedSequence
) -> dict[str, Array]:
    """Paths of every member from each start: ``z``, shape (n_starts, paths, n_t, d)."""
    import torch

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    system, plan, members = lane.system, lane.plan, len(model.trained.members)
    each, n = -(-wanted.paths // members), len(wanted.starts)
    states = [
        system.start(plan, start, each, lane.condition, coerce_rng(own))
        for start, own in wanted.starts
    ]
    z0 = np.concatenate([system.z(plan, x, lane.closure) for x in states])
    result = model.simulate(
        z0 if wanted.columns is None else z0[:, wanted.columns],
        system.model_condition(lane.condition),
        wanted.steps,
        wanted.sites,
        wanted.n_patches,
        len(z0),
        seed,
        wanted.interval,
    )
    z = result.z[..., : wanted.kept]
    z = z.reshape(members, n, each, *z.shape[2:]).swapaxes(0, 1)
    return {"z": z.reshape(n, members * each, *z.shape[3:])}


def predict(
    runner: Runner,
    stage: str,
    key: str,
    lane: Lane,
    model: MacroModel,
    wanted: Prediction,
    seed: np.random.SeedSequence,
) -> Array:
    """As `predict_chunk`."""
    return runner.chunks(stage, predict_chunk, {key: (lane, model, wanted, seed)})[key]["z"]
