"""A study of an alloy's compositions, from its settings to its results.

small runs at every composition -> one time step -> patch pairs -> one model
direct runs at held-out compositions -> prediction beside truth
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.composition_surface import CompositionSurface
from ...analysis.time_step import TimeStepScan, scan_time_steps
from ...arrays import Array, Chunk
from ...learning.pairs import LATE
from ...rng import stream
from ...sampling.needs import Needs
from ...sampling.pairs import direct_run_chunk, grown_pairs_chunk, small_chunk
from ...systems.alloy_crystals import AlloyCrystals
from ..alloys.compare import joined
from ..alloys.design import Design
from ..alloys.small_states import Part, residence_time, run_parts
from ..alloys.study import BYTES_PER_SITE, KEPT_STATES, pair_jobs, runs_of_pairs, small_jobs
from ..design import Study
from ..road import learn
from ..runner import Runner
from .compare import Findings, compare
from .design import CompositionDesign
from .deviation import change_of_deviation, deviation
from .report import report
from .small_order import SmallOrder

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]
Jobs = dict[str, tuple[Any, ...]]
STATES, CHANGES = ("z0", "whole_z0"), ("dz", "whole_dz", "seam")
OTHERS = ("condition", "snapshot", "n_patches", "met", "whole_snapshot", "evolved")


class CompositionStudy(Study):
    """A study of vacancy diffusion at many compositions."""

    design_type, report_of = CompositionDesign, staticmethod(report)

    def needs(self) -> Needs:
        """Memory of the pairs of one small run beside the large lattice, and disk for all pairs."""
        d, own = self.design, self.design.training[0]
        rows = KEPT_STATES * own.repeats * own.n_evolved
        pairs = 8.0 * rows * (2 * len(d.system.names) + 7)
        chunks = len(d.conditions) * own.small_runs * own.copies
        return Needs(2 * pairs + BYTES_PER_SITE * d.system.large.n_sites, pairs * chunks)

    def compute(self, runner: Runner) -> Findings:
        """Simulate, learn, predict and compare."""
        d, timed = self.design, runner.timed

        def chunks(stage: str, function: Any, jobs: Jobs) -> Chunks:
            return timed(stage, runner.chunks, stage, function, jobs)

        small = chunks("small runs", small_chunk, merged(small_jobs(own) for own in d.training))
        scan = timed("time step", time_step, d, small)
        from_small = timed("where small crystals rest", SmallOrder.of, d, small)
        of_pairs = merged(pair_jobs(own, small, scan) for own in d.training)
        pairs = chunks("patch pairs", grown_pairs_chunk, of_pairs)
        learned = Deviations(d, pairs, from_small)
        model = timed("learning", model_of, learned, small, scan, runner)
        direct = chunks("direct runs", direct_run_chunk, direct_jobs(d, small, scan))
        begin = time.process_time()
        paths = timed("prediction", predict, d, from_small, scan, model)
        cpu_s = runner.cpu_s | {"prediction": time.process_time() - begin}
        made = (small, from_small, scan, learned, model, direct, paths, cpu_s)
        return timed("comparison", compare, d, *made)


class Deviations(Mapping[int, Chunk]):
    """Pairs of a learned condition by its number, as deviations from where small crystals rest.

    One condition is in memory at a time.
    """

    def __init__(self, d: CompositionDesign, pairs: Chunks, from_small: SmallOrder) -> None:
        self.d, self.pairs, self.from_small = d, pairs, from_small

    def __len__(self) -> int:
        return len(self.d.conditions)

    def __iter__(self) -> Any:
        return iter(range(len(self)))

    def __getitem__(self, number: int) -> Chunk:
        design, t = self.d.conditions[number]
        keys = design.keys("pairs", t)
        names = [name for name in self.pairs[keys[0]] if name in (*STATES, *CHANGES, *OTHERS)]
        own = joined(self.pairs, keys, names)
        for name in STATES:
            own[name] = self.of(design.sampled, t, own[name])
        for name in CHANGES:
            own[name] = change_of_deviation(design.sampled.order, own[name], design.system.shells)
        return own

    def of(self, system: AlloyCrystals, t: float, z: Array) -> Array:
        """What is learned, shape (n, d), from bond densities z of a system's large crystals."""
        rest = self.from_small.rest(system.order, system.model_condition({"T": t}))
        return deviation(system.order, z, system.shells) - rest

    def rested(self, design: Design, t: float, small: Chunks) -> list[Part]:
        """Second halves of small runs as those of a large crystal, about where all say it rests.

        A crystal of n sites fluctuates as 1 / sqrt(n).
        """
        order, shells = design.system.small_order, design.system.shells
        runs = [small[key]["z"] for key in design.keys("small", t)]
        late = [deviation(order, z[len(z) // 2 :], shells) for z in runs]
        shrink = np.sqrt(design.small_share)
        mean = np.concatenate(late).mean(axis=0)
        return [(r, LATE, shrink * (x - mean)) for r, x in enumerate(late)]


def merged(jobs: Any) -> Jobs:
    """Jobs of several designs."""
    return {key: job for own in jobs for key, job in own.items()}


def time_step(d: CompositionDesign, small: Chunks) -> TimeStepScan:
    """One step for all conditions, from the second halves of the small runs."""
    z = [[small[key]["z"] for key in own.keys("small", t)] for own, t in d.conditions]
    late = [[run[len(run) // 2 :] for run in runs] for runs in z]
    own = d.training[0]
    temperatures = [t for _, t in d.conditions]
    return scan_time_steps(late, temperatures, own.system.record_events, own.dt_events)


def model_of(learned: Deviations, small: Chunks, scan: TimeStepScan, runner: Runner) -> MacroModel:
    """The ensemble, whose time is counted in mean hops of a vacancy.

    Members draw small runs where patches are of these, and know where they rest.
    """
    d, names = learned.d, ("z0", "dz", "condition", "snapshot")
    parts, first = [], 0
    for k, (own, (design, t)) in enumerate(zip(learned.values(), d.conditions)):
        part = {name: own[name] for name in names}
        part["snapshot"] = part["snapshot"] + first
        first = int(part["snapshot"].max()) + 1
        if not design.grow:
            part["run"] = k * design.small_runs + runs_of_pairs(design, learned.pairs, t)
        parts.append(part)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    one = d.training[0]
    what = (d.names, scan.chosen, one.sites_per_patch, d.learning, d.seed)
    more = (
        None,
        one.system.substeps,
        run_parts(d.conditions, small, scan.chosen, learned.rested),
        one.sampled_sizes[0],
    )
    return learn(runner, "", rows, rows["condition"], *what, *more)


def residence_times(d: CompositionDesign, small: Chunks) -> CompositionSurface:
    """ln tau_w over temperature and composition, from small runs."""
    rows = [own.system.model_condition({"T": t}) for own, t in d.conditions]
    tau = [residence_time([small[key] for key in own.keys("small", t)]) for own, t in d.conditions]
    return CompositionSurface.fit(np.array(rows), np.log(tau)[:, None])


def steps_of(d: CompositionDesign, own: Design, t: float, scan: TimeStepScan) -> int:
    """Steps of a direct run and its prediction, by the slowest relaxation of the nearest one."""
    return own.n_steps(t, float(scan.slowest_chosen[d.nearest(own, t)]), scan.chosen)


def direct_jobs(d: CompositionDesign, small: Chunks, scan: TimeStepScan) -> Jobs:
    """Direct runs of held-out compositions."""
    jobs: Jobs = {}
    if not d.truths:
        return jobs
    tau = residence_times(d, small)
    for own, t in d.truths:
        dt = scan.chosen * float(np.exp(tau(own.system.model_condition({"T": t}))[0, 0]))
        times = dt * np.arange(steps_of(d, own, t, scan) + 1)
        for r, key in enumerate(own.keys("direct", t)):
            item = ({"T": t}, own.seed, (round(1000 * t), r))
            jobs[key] = (own.system, own.start(t, r), times, *item)
    return jobs


def predict(
    d: CompositionDesign, from_small: SmallOrder, scan: TimeStepScan, model: MacroModel
) -> list[Array]:
    """Paths of the model, shape (members, paths, n_t, d), of every held-out condition.

    From random order, for every pair, there or not.
    """
    paths = []
    for own, t in d.truths:
        condition, steps = own.system.model_condition({"T": t}), steps_of(d, own, t, scan)
        start = -from_small.rest(own.system.order, condition)
        size = own.system.large.n_sites, own.n_patches
        seed = stream(own.seed, "predict", round(1000 * t))
        paths.append(model.simulate(start, condition, steps, *size, own.paths, seed).z)
    return paths
