"""The report of a study of a field system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.path_scores import PathScore
from ...report import Check, Figure, Metric, Report, Section, Table, Value, figures
from ...report.parts import Cell
from ..beside import Beside, baselines_table, run_figures, training_figure
from ..checks import patch_checks, patch_table, training_check
from ..cost import Routes, cost_of, runs_of_equal_cost
from .compare import FieldFindings, over_repeats
from .design import FieldDesign

MMD_LIMIT, SPREAD_LIMIT = 0.03, 0.1
COLUMNS = ("squared MMD", "mean put right", "error of the mean")
MIXED = (
    "Squared MMD mixes an error of the drift, which moves the mean, with one of the noise. Where "
    "the mean is off by as much as the runs spread, noise that is too wide hides it, and the least "
    "MMD lies at a lambda that is not K."
)
OPEN = (
    "From the same large states patches evolve alone and wholes entirely. z has no closure "
    "variables here: what it leaves open counts as shared by patches."
)
BY_LAMBDA = "By lambda, mean over repeats; std: of runs, predicted over true"
OTHERS = "Other ways, first repeat, lambda = K"
HELD_OUT = "Held-out initial states, by closure, lambda = K"


def report_of(design: FieldDesign, findings: FieldFindings, quick: bool) -> Report:
    """All parts of the report."""
    names, plan, k = design.system.names, design.plan, design.k
    d, own = len(names), next(iter(findings.checks.values()))
    scores, ways, closures = findings.scores(d)
    floor, cut = findings.mmd(d), slice(d)
    true, second, small = (x[..., cut] for x in (findings.true, findings.second, findings.small))
    predicted = findings.predicted[k][0][..., cut]
    case = Beside("", findings.times, true, second, predicted, small, findings.members, own)
    routes = _routes(design, findings)
    equal = runs_of_equal_cost(routes, len(design.direct) * design.runs)
    by_lambda = {f"{x:g}" + (" = K" if x == k else ""): s for x, s in scores.items()}
    tables = [_table(BY_LAMBDA, "lambda", names, by_lambda, floor)]
    tables += [_table(OTHERS, "way", names, ways), _table(HELD_OUT, "closure", names, closures)]
    spread = "Spread over runs: predicted (lines) and direct (dots)."
    drawn = Figure("spread.png", spread, partial(_draw_spread, case=case, names=names))
    size, core = (" x ".join([str(n)] * design.system.dimension) for n in (plan.large, plan.width))
    return Report(
        summary=[
            f"{type(design.system).__name__} on {size} cells, noise {design.system.noise:g} "
            f"({design.system.noise_kind}): small runs of {plan.small} cells along each axis grew "
            f"by {plan.growing}, and patches of {core} cells (K = {k:g}) evolved alone for dt = "
            f"{plan.dt:g}. Closure: {design.kind}. Squared MMD of {' and '.join(names)}, in units "
            "of the truth's spread" + (" (quick form)." if quick else ".")
        ],
        metrics=_metrics(design, findings, scores, floor),
        checks=[
            *_checks(design, scores[k], floor),
            *patch_checks({"": own}),
            training_check({"": findings.history}),
        ],
        sections=[
            Section(
                "Predicted and direct runs",
                MIXED,
                [table for table in tables if table.rows],
                [*run_figures([case], names), drawn],
            ),
            Section(
                "Assumptions of the method, measured",
                OPEN,
                [patch_table(findings.checks, "patches")],
            ),
            Section("Training", figures=[training_figure(findings.history)]),
        ],
        baselines=baselines_table([case], names, "", equal),
        cost=cost_of(design.events(), findings.cpu_s, routes),
    )


def _routes(design: FieldDesign, findings: FieldFindings) -> Routes:
    """CPU seconds of one repetition, of one prediction, and of one set of direct runs."""
    spent, end = findings.cpu_s, float(design.times[-1])
    once = ("tiles/0", "closure 0", "pairs 0-own", "learning 0")
    made = sum(map(len, findings.predicted.values())) + len(findings.ways) + len(design.compared)
    costs = sum(spent.get(stage, 0.0) for stage in once), spent.get("prediction", 0.0) / made
    return Routes(*costs, spent.get("direct runs 0", 0.0), design.sites, end, site="cells")


def _metrics(
    design: FieldDesign,
    findings: FieldFindings,
    scores: Mapping[float, list[PathScore]],
    floor: tuple[float, float],
) -> dict[str, Metric]:
    metrics = {
        f"mmd2_lambda_{x:g}": Metric(*over_repeats(scores[x]), 0.0, floor[0])
        for x in design.lambdas
    }
    latent, best = findings.mmd(None, findings.predicted[design.k][0]), scores[design.k]
    metrics["mmd2_floor"] = Metric(*floor)
    metrics["mmd2_latent"] = Metric(*latent, 0.0, findings.mmd()[0])
    for name, ratio, error in zip(design.system.names, *_spread(best)):
        metrics[f"std_ratio_{_short(name)}"] = Metric(float(ratio), float(error), 1.0)
    metrics["mean_error"] = Metric(float(np.mean([s.mean_error for s in best])), None, 0.0)
    return metrics


def _spread(scores: list[PathScore]) -> tuple[Any, Any]:
    return np.mean([s.spread for s in scores], 0), np.mean([s.spread_error for s in scores], 0)


def _short(name: str) -> str:
    return name.removeprefix("mean ").replace(" ", "_")


def _checks(
    design: FieldDesign, scores: list[PathScore], floor: tuple[float, float]
) -> list[Check]:
    value, error = over_repeats(scores)
    above = value - floor[0], float(np.hypot(error, floor[1]))
    title = f"squared MMD, lambda = {design.k:g}, less that of truth against truth"
    text = "Mean over repeats, initial states and times."
    checks, text = [Check(title, *above, high=MMD_LIMIT, text=text)], "Over runs and times."
    for name, ratio, own in zip(design.system.names, *_spread(scores)):
        title = f"predicted over true std of {_short(name)}"
        checks.append(Check(title, ratio, own, 1 - SPREAD_LIMIT, 1 + SPREAD_LIMIT, text))
    return checks


def _table(
    caption: str,
    first: str,
    names: Sequence[str],
    scores: Mapping[str, list[PathScore]],
    floor: tuple[float, float] | None = None,
) -> Table:
    rows: list[list[Cell]] = []
    for label, own in scores.items():
        centred, mean = (
            float(np.mean([getattr(s, n) for s in own])) for n in ("centred", "mean_error")
        )
        ends = [Value(ratio, error) for ratio, error in zip(*_spread(own))]
        parts = (Value(*over_repeats(own)), Value(centred, form=".4f"), Value(mean, form=".3f"))
        rows.append([label, *parts, *ends])
    if floor:
        rows.append(["truth against truth", Value(*floor), *[None] * (len(names) + 2)])
    return Table(caption, [first, *COLUMNS, *(f"std of {name}" for name in names)], rows)


def _draw_spread(path: Path, case: Beside, names: Sequence[str]) -> None:
    runs = (case.predicted, case.both)
    own, true = (np.sqrt(x.var(axis=1, ddof=1).mean(axis=0)).T for x in runs)
    with figures.panels(path, width=5.6) as (ax,):
        figures.beside(ax, case.times, own, true, list(names), every=4)
        ax.set(xlabel="time", ylabel="standard deviation over runs")
