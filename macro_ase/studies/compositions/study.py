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
from ...rng import stream
from ...sampling.needs import Needs
from ...sampling.pairs import direct_run_chunk, grown_pairs_chunk, small_chunk
from ..alloys.compare import joined
from ..alloys.design import Design
from ..alloys.small_states import late_runs, residence_time
from ..alloys.study import BYTES_PER_SITE, KEPT_STATES, pair_jobs, runs_of_pairs, small_jobs
from ..design import Study
from ..road import learn
from ..runner import Runner
from .compare import Findings, compare
from .design import CompositionDesign
from .report import report

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]
Jobs = dict[str, tuple[Any, ...]]
OF_STATES = ("z0", "dz", "whole_z0", "whole_dz")
OTHERS = ("condition", "snapshot", "n_patches", "met", "seam", "whole_snapshot", "evolved")


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
        of_pairs = merged(pair_jobs(own, small, scan) for own in d.training)
        pairs = chunks("patch pairs", grown_pairs_chunk, of_pairs)
        model = timed("learning", model_of, d, small, scan, pairs, runner)
        direct = chunks("direct runs", direct_run_chunk, direct_jobs(d, small, scan))
        begin = time.process_time()
        paths = timed("prediction", predict, d, scan, model)
        cpu_s = runner.cpu_s | {"prediction": time.process_time() - begin}
        return timed(
            "comparison", compare, d, small, scan, Alphas(d, pairs), model, direct, paths, cpu_s
        )


class Alphas(Mapping[int, Chunk]):
    """Pairs of a learned condition by its number, states and increments as alpha.

    One condition is in memory at a time.
    """

    def __init__(self, d: CompositionDesign, pairs: Chunks) -> None:
        self.d, self.pairs = d, pairs

    def __len__(self) -> int:
        return len(self.d.conditions)

    def __iter__(self) -> Any:
        return iter(range(len(self)))

    def __getitem__(self, number: int) -> Chunk:
        design, t = self.d.conditions[number]
        keys = design.keys("pairs", t)
        names = [name for name in self.pairs[keys[0]] if name in (*OF_STATES, *OTHERS)]
        own = joined(self.pairs, keys, names)
        random = design.system.order.random_state(design.system.shells)
        for name in OF_STATES:
            own[name] = (1.0 if name.endswith("z0") else 0.0) - own[name] / random
        return own | {"seam": -own["seam"] / random}


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


def model_of(
    d: CompositionDesign, small: Chunks, scan: TimeStepScan, pairs: Chunks, runner: Runner
) -> MacroModel:
    """The ensemble, whose time is counted in mean hops of a vacancy.

    Members draw small runs where patches are of these, and know where they rest.
    """
    names, parts, first = ("z0", "dz", "condition", "snapshot"), [], 0
    for k, (own, (design, t)) in enumerate(zip(Alphas(d, pairs).values(), d.conditions)):
        part = {name: own[name] for name in names}
        part["snapshot"] = part["snapshot"] + first
        first = int(part["snapshot"].max()) + 1
        if not design.grow:
            part["run"] = k * design.small_runs + runs_of_pairs(design, pairs, t)
        parts.append(part)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    one = d.training[0]
    what = (d.names, scan.chosen, one.sites_per_patch, d.learning, d.seed)
    more = (None, one.system.substeps, late_runs(d.conditions, small, scan.chosen, alphas))
    return learn(runner, "", rows, rows["condition"], *what, *more)


def alphas(own: Design, z: Array) -> Array:
    """alpha of unlike pairs by shell from bond densities z, shape (n, d)."""
    return np.asarray(1.0 - z / own.system.order.random_state(own.system.shells))


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


def predict(d: CompositionDesign, scan: TimeStepScan, model: MacroModel) -> list[Array]:
    """Paths of the model, shape (members, paths, n_t, d), of every held-out condition.

    From random order, which is alpha = 0 for every pair, there or not.
    """
    paths, start = [], np.zeros(len(d.names))
    for own, t in d.truths:
        condition, steps = own.system.model_condition({"T": t}), steps_of(d, own, t, scan)
        size = own.system.large.n_sites, own.n_patches
        seed = stream(own.seed, "predict", round(1000 * t))
        paths.append(model.simulate(start, condition, steps, *size, own.paths, seed).z)
    return paths
