"""A study of a person's own system: from settings, or in one line of Python."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...config import load_config
from ...report import Report
from ...rng import stream
from ...sampling.needs import Needs
from ...systems.base import System
from ..registry import source_of
from ..road import PREDICTED, SECOND, TRUTH, Prediction, check_lane, direct_runs, learn, predict
from ..road import sample_pairs
from ..runner import Runner
from .compare import Compared, OwnFindings
from .design import OwnDesign
from .report import report_of

SMALL = 3
BYTES_PER_SITE = 60


class OwnStudy:
    """A study of a system of a person's own; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.
    system : System, optional
        Default: the one that ``system.class`` names.

    Raises
    ------
    ValueError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any], system: System | None = None) -> None:
        self.design = OwnDesign.of(config, system)
        source = source_of(type(self.design.system))
        self.inputs = [source] if source is not None else []

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        design, plan = self.design, self.design.plan
        patches = (plan.large // plan.small) ** design.system.dimension
        block = (plan.small + 2 * plan.buffer) ** design.system.dimension
        lane = design.lane(0)
        states = min(lane.chunk, design.starts) * len(plan.ages)
        rows = 2 * design.initial_states * design.runs * (design.steps + 1)
        rows += design.starts * len(plan.ages) * patches
        values = 8 * len(design.system.names) * len(design.conditions)
        return Needs(states * (design.sites + patches * block) * BYTES_PER_SITE, 6 * values * rows)

    def compute(self, runner: Runner) -> OwnFindings:
        """Simulate, learn and predict."""
        design = self.design
        lanes = [design.lane(k) for k in range(len(design.conditions))]
        pairs = [runner.timed("pairs", sample_pairs, runner, lane) for lane in lanes]
        joined = {name: np.concatenate([p[name] for p in pairs]) for name in pairs[0]}
        own = [design.system.model_condition(c) for c in design.conditions]
        rows = np.concatenate([np.tile(c, (len(p["z0"]), 1)) for c, p in zip(own, pairs)])
        shift = design.starts + lanes[0].chunk
        joined["snapshot"] = np.concatenate([p["snapshot"] + k * shift for k, p in enumerate(pairs)])
        plan, system = design.plan, design.system
        sites = plan.sites_per_pair(system.dimension)
        what = (joined, rows, system.names, plan.dt, sites, design.learning, design.seed)
        model = runner.timed("learning", learn, runner, "patches", *what)
        compared = [self._compare(runner, k, model) for k in range(len(lanes))]
        scale = joined["z0"].std(axis=0)
        return OwnFindings(compared, model.trained.history, scale, dict(runner.cpu_s))

    def report(self, findings: OwnFindings, quick: bool) -> Report:
        """Metrics, tables and figures."""
        return report_of(self.design, findings, quick)

    def _compare(self, runner: Runner, number: int, model: Any) -> Compared:
        """Direct and predicted runs under a condition, and patches against wholes."""
        design, lane = self.design, self.design.lane(number)
        starts = [design.start(number, k) for k in range(design.initial_states)]

        def direct(use: int, name: str, own: Any) -> Any:
            seeds = [
                (start, stream(design.seed, "own-direct", use, number, k))
                for k, start in enumerate(starts)
            ]
            key, times = f"{name}/{number}", design.times
            return direct_runs(runner, own, key, starts, design.runs, times, seeds, name)

        true, second = (
            runner.timed("direct runs", direct, use, name, lane)
            for use, name in ((TRUTH, "direct runs"), (SECOND, "direct runs again"))
        )
        alone = replace(lane, plan=replace(design.plan, large=design.plan.small, buffer=0))
        small = runner.timed("small system", direct, SMALL, "small system", alone)
        wanted = Prediction(
            [(start, None) for start in starts],
            design.runs,
            design.steps,
            design.interval,
            design.sites,
            kept=len(design.system.names),
        )
        seed = stream(design.seed, "own-predict", PREDICTED, number)
        key = f"predicted/{number}"
        predicted = runner.timed(
            "prediction", predict, runner, "prediction", key, lane, model, wanted, seed
        )
        check = runner.timed("checks", check_lane, runner, lane, "own-check", design.check_runs)
        return Compared(true, second, predicted, small, len(model.trained.members), check)


class PatchStudy:
    """A system of a person's own, through to its report.

    Parameters
    ----------
    system : System
        Such as an instance of a class of one's own that derives from `LatticeSystem`.
    small, large : int
        Sides of the small system, which is also a patch, and of the large one.
    dt : float
        How long a patch evolves alone, in the system's unit of time; a step of the model.
    conditions : mapping, optional
        Values by name, such as ``{"T": [1.1, 1.2]}``.
    quick : bool
        Few samples, to see that it runs.
    seed : int
    settings
        Any other key of the preset ``own`` by its last name, such as ``buffer=2`` or ``runs=100``.

    Raises
    ------
    ValueError
        In one line, for settings that there are not, or that make no sense.

    Examples
    --------
    >>> study = PatchStudy(Potts(q=3), small=16, large=64, conditions={"T": [1.1]}, dt=0.5)
    >>> study.run("runs/potts")
    """

    def __init__(
        self,
        system: System,
        small: int,
        large: int,
        dt: float,
        conditions: Mapping[str, Sequence[float] | float] | None = None,
        *,
        quick: bool = False,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if not isinstance(system, System):
            given = " (an instance is needed)" if inspect.isclass(system) else ""
            raise ValueError(f"system must derive from System, not be {system!r}{given}")
        self.quick, self.system = quick, system
        given = {"small": small, "large": large, "dt": dt, "seed": seed} | settings
        changes = {"system": described(system), "conditions": dict(conditions or {})}
        self.config = load_config("own", quick, changes=changes, by_last_name=given)
        self.study = OwnStudy(self.config, system)

    def run(
        self,
        out: str | Path,
        overwrite: bool = False,
        executor: Executor | str | int | None = None,
        walltime: float | None = None,
    ) -> Path:
        """Simulate, learn, predict, compare and report; goes on where it was.

        Parameters
        ----------
        out : str or Path
            The run folder.
        overwrite : bool
            Replace an earlier run of other settings.
        executor : Executor, str or int, optional
            As `run_study` takes it.
        walltime : float, optional
            Seconds after which no new chunk is begun.

        Returns
        -------
        Path
            The run folder, with ``report.html`` and ``metrics.json`` in it.
        """
        from ...workflow import run_made

        return run_made(self.study, self.config, out, overwrite, self.quick, executor, walltime)


def described(system: System) -> dict[str, Any]:
    """A system as the settings ``system`` tell it: its class, and its arguments where it keeps them."""
    own = type(system)
    module, source = own.__module__, source_of(own)
    home = str(source) if module == "__main__" and source is not None else module
    names = [name for name in inspect.signature(own).parameters if hasattr(system, name)]
    values = {name: getattr(system, name) for name in names}
    plain = {k: v if isinstance(v, (bool, int, float, str)) else repr(v) for k, v in values.items()}
    return {"class": f"{home}:{own.__qualname__}"} | plain
