"""A study of an alloy's short-range order, from its settings to its results.

small runs -> time step -> upsampled states and patch pairs -> model
direct runs of the large system -> prediction beside truth
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.time_step import TimeStepScan, scan_time_steps
from ...arrays import Chunk
from ...rng import stream
from ...sampling.needs import Needs
from ...sampling.pairs import direct_run_chunk, grown_pairs_chunk, small_chunk
from ...sampling.store import Chunks as Kept
from ...systems.swap_choice import energy_files
from ..design import Study
from ..road import learn
from ..runner import Runner
from .compare import Findings, compare, joined
from .design import Design
from .own_order import without_own_order
from .report import report
from .small_states import pasts, residence_time, run_parts

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]
Jobs = dict[str, tuple[Any, ...]]
KEPT_STATES = 64
BYTES_PER_SITE = 1000


class AlloyStudy(Study):
    """A study of vacancy diffusion or of swaps of neighbours, in any alloy."""

    design_type, report_of = Design, staticmethod(report)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        file = Path(config.get("time", {}).get("vacancy_fraction") or ".")
        calculator = config["system"].get("calculator")
        files = energy_files(calculator) if calculator else ()
        self.inputs = (*((file,) if file.is_file() else ()), *files)

    def needs(self) -> Needs:
        """Memory of the pairs of one small run beside the large lattice, and disk for all pairs."""
        d = self.design
        rows = KEPT_STATES * d.repeats * d.n_evolved
        pairs = 8.0 * rows * (2 * len(d.system.names) + 7)
        chunks = len(d.temperatures) * d.small_runs * d.copies
        return Needs(2 * pairs + BYTES_PER_SITE * d.system.large.n_sites, pairs * chunks)

    def compute(self, runner: Runner) -> Findings:
        """Simulate, learn, predict and compare."""
        d, timed = self.design, runner.timed

        def chunks(stage: str, function: Any, jobs: Jobs) -> Chunks:
            return timed(stage, runner.chunks, stage, function, jobs)

        small = timed("small runs", small_runs, d, runner)
        scan = timed("time step", time_step, d, small)
        pairs = chunks("patch pairs", grown_pairs_chunk, pair_jobs(d, small, scan))
        model = timed("learning", model_of, d, small, scan, pairs, runner)
        direct = chunks("direct runs", direct_run_chunk, direct_jobs(d, scan, model))
        begin = time.process_time()
        paths = timed("prediction", predict, d, scan, model)
        cpu_s = runner.cpu_s | {"prediction": time.process_time() - begin}
        made = (small, scan, pairs, model, direct, paths, cpu_s)
        return timed("comparison", compare, d, *made)


def small_runs(d: Design, runner: Runner) -> Chunks:
    """Fresh ones, then those that begin where these ended."""
    own = small_jobs(d)
    fresh = runner.chunks("small runs", small_chunk, own)
    after = treated_jobs(d, fresh)
    if not after:
        return fresh
    runner.chunks("small runs", small_chunk, after)
    return Kept(runner.store, [*own, *after])


def small_jobs(d: Design) -> Jobs:
    """Small runs at every temperature that begin with crystals of their own."""
    return {
        key: (d.system, d.small_events[t], {"T": t}, d.seed, (round(1000 * t), r))
        for t in d.temperatures
        for r, key in enumerate(d.keys("small", t)[: d.fresh_runs])
    }


def treated_jobs(d: Design, fresh: Chunks) -> Jobs:
    """Small runs that begin where fresh ones at another temperature ended.

    An order from elsewhere is what a heat treatment meets; from random crystals alone no state is
    ever at rest when the temperature changes, or more ordered than in equilibrium.
    """
    jobs: Jobs = {}
    for t in d.temperatures:
        for r, key in enumerate(d.keys("small", t)):
            before = d.begun_from(t, r)
            if before is not None:
                start = fresh[d.keys("small", before[0])[before[1]]]["states"][-1]
                own = d.small_events[t], {"T": t}, d.seed, (round(1000 * t), r)
                jobs[key] = (d.system, *own, start)
    return jobs


def time_step(d: Design, small: Chunks) -> TimeStepScan:
    """The step, from the second halves of the small runs."""
    z = [[small[key]["z"] for key in d.keys("small", t)] for t in d.temperatures]
    late = [[run[len(run) // 2 :] for run in runs] for runs in z]
    return scan_time_steps(late, d.temperatures, d.system.record_events, d.dt_events)


def pair_jobs(d: Design, small: Chunks, scan: TimeStepScan) -> Jobs:
    """Patch pairs, of large states grown from each small snapshot or of the snapshot itself.

    No state heals for longer than it is old, or young states would be missing.
    """
    jobs: Jobs = {}
    for t in d.temperatures:
        runs = [small[key] for key in d.keys("small", t)]
        tau_w, first = residence_time(runs), 0
        plan = d.sampled.plan(dt=scan.chosen * tau_w)
        for key, run in zip(d.keys("pairs", t), runs * d.copies):
            healing = np.minimum(d.healing_events, run["times"][run["kept"]] / tau_w)
            own = (run["states"], healing, first, d.repeats, {"T": t}, d.seed, round(1000 * t))
            jobs[key] = (d.sampled, plan, *own, d.patches_per_state)
            first += len(run["states"])
    return jobs


def training_pairs(d: Design, small: Chunks, pairs: Chunks) -> dict[str, Any]:
    """Pairs of all temperatures; ``run`` is the small run, of all of them, that a pair is from.

    Conditions are those of the large system: a small one has its composition but for rounding.
    """
    parts, states = [], 0
    for k, t in enumerate(d.temperatures):
        keys = d.keys("pairs", t)
        own = joined(pairs, keys, ("z0", "dz", "condition", "snapshot", "patch"))
        own["condition"][:] = d.system.model_condition({"T": t})
        own["dz"] = without_own_order(d, [small[key] for key in d.keys("small", t)], own)
        del own["patch"]
        if d.remembers:
            own["past"] = pasts(d, small, t)[own["snapshot"]]
        own["snapshot"] = own["snapshot"] + states
        parts.append(own | {"run": k * d.small_runs + runs_of_pairs(d, pairs, t)})
        states = int(own["snapshot"].max()) + 1
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def runs_of_pairs(d: Design, pairs: Chunks, temperature: float) -> NDArray[np.int64]:
    """Number of the small run, of those at a temperature, that each pair is from."""
    keys = d.keys("pairs", temperature)
    return np.repeat(np.arange(len(keys)) % d.small_runs, [len(pairs[key]["dz"]) for key in keys])


def model_of(
    d: Design, small: Chunks, scan: TimeStepScan, pairs: Chunks, runner: Runner
) -> MacroModel:
    """The ensemble, with the clock of the small runs."""
    from ...learning.models.clock import Clock

    rows = training_pairs(d, small, pairs)
    options = dict(d.learning)
    if d.remembers:
        own = {"memory": d.memory.at_0 / scan.chosen, "memory_growth": d.memory.growth}
        options |= own
    tau = [residence_time([small[key] for key in d.keys("small", t)]) for t in d.temperatures]
    clock = Clock(1000 / np.array(d.temperatures[::-1]), np.log(tau[::-1]))
    what = (
        d.system.names,
        scan.chosen,
        d.sites_per_patch,
        options,
        d.seed,
        clock,
        d.system.substeps,
    )
    conditions = [(d, t) for t in d.temperatures]
    known = None if d.grow else run_parts(conditions, small, scan.chosen)
    block = d.sampled_sizes[0]
    return learn(runner, "", rows, rows["condition"], *what, known=known, block=block)


def direct_jobs(d: Design, scan: TimeStepScan, model: MacroModel) -> Jobs:
    """Direct runs of the large system, on the model's time grid."""
    jobs: Jobs = {}
    for t, slowest in zip(d.temperatures, scan.slowest_chosen):
        times = model.dt(t) * np.arange(d.n_steps(t, slowest, scan.chosen) + 1)
        for r, key in enumerate(d.keys("direct", t)):
            own = ({"T": t}, d.seed, (round(1000 * t), r))
            jobs[key] = (d.system, d.start(t, r), times, *own)
    return jobs


def predict(d: Design, scan: TimeStepScan, model: MacroModel) -> list[tuple[Any, Any]]:
    """Paths of the model from where direct runs start, or would start, by temperature.

    It has learned how small crystals move: `AlloyCrystals.over_small` leads there and back.
    """
    paths, ratio = [], d.system.over_small(d.system.order)
    for t, slowest in zip(d.temperatures, scan.slowest_chosen):
        condition, steps = d.system.model_condition({"T": t}), d.n_steps(t, slowest, scan.chosen)
        sites, seed = d.system.large.n_sites, stream(d.seed, "predict", round(1000 * t))
        states = np.array([d.start(t, r) for r in range(d.direct_runs or 1)])
        start = np.resize(d.system.observe(states) / ratio, (d.paths, len(d.system.names)))
        made = model.simulate(start, condition, steps, sites, d.n_patches, d.paths, seed)
        paths.append((made.times, made.z * ratio))
    return paths
