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
from ..checks import patch_checks, patch_table
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


def report_of(design: FieldDesign, findings: FieldFindings, quick: bool) -> Report:
    """All parts of the report."""
    names, plan, k = design.system.names, design.plan, design.k
    d = len(names)
    by_lambda, ways, closures = findings.scores(d)
    floor = findings.mmd(d)
    metrics = _metrics(design, findings, by_lambda, floor)
    runs = (findings.true, findings.second, findings.predicted[k][0], findings.small)
    own = next(iter(findings.checks.values()))
    true, second, predicted, small = (x[..., :d] for x in runs)
    case = Beside("", findings.times, true, second, predicted, small, findings.members, own)
    routes = _routes(design, findings)
    equal = runs_of_equal_cost(routes, len(design.direct) * design.runs)
    labels = {f"{x:g}" + (" = K" if x == k else ""): s for x, s in by_lambda.items()}
    caption = (
        f"By lambda, mean of {design.repeats} repeats, in units of the truth's spread; std: of "
        "runs, predicted over true"
    )
    others = "Other ways, first repeat, lambda = K"
    tables = [_table(caption, "lambda", names, labels, floor), _table(others, "way", names, ways)]
    if closures:
        held_out = "Held-out initial states, by closure, lambda = K"
        tables.append(_table(held_out, "closure", names, closures))
    size, core = (" x ".join([str(n)] * design.system.dimension) for n in (plan.large, plan.width))
    return Report(
        summary=[
            f"{type(design.system).__name__} on {size} cells, noise {design.system.noise:g} "
            f"({design.system.noise_kind}): small runs of {plan.small} cells along each axis grew "
            f"by {plan.growing}, and patches of {core} cells (K = {k:g}) evolved alone for dt = "
            f"{plan.dt:g}. Closure: {design.kind}. Squared MMD of {' and '.join(names)}, in units "
            "of the truth's spread" + (" (quick form)." if quick else ".")
        ],
        metrics=metrics,
        checks=[*_checks(metrics, names, over_repeats(by_lambda[k]), k), *patch_checks({"": own})],
        sections=[
            Section(
                "Predicted and direct runs",
                MIXED,
                tables,
                [*run_figures([case], names), *_figures(case, names, by_lambda, floor[0])],
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
    spent = findings.cpu_s
    once = ("tiles/0", "closure 0", "pairs 0-own", "learning 0")
    made = sum(map(len, findings.predicted.values())) + len(findings.ways) + len(design.compared)
    costs = sum(spent.get(stage, 0.0) for stage in once), spent.get("prediction", 0.0) / made
    end = float(design.times[-1])
    return Routes(*costs, spent.get("direct runs 0", 0.0), design.sites, end, site="cells")


def _metrics(
    design: FieldDesign,
    findings: FieldFindings,
    by_lambda: Mapping[float, list[PathScore]],
    floor: tuple[float, float],
) -> dict[str, Metric]:
    metrics = {
        f"mmd2_lambda_{x:g}": Metric(*over_repeats(by_lambda[x]), 0.0, floor[0])
        for x in design.lambdas
    }
    latent = findings.mmd(None, findings.predicted[design.k][0])
    metrics["mmd2_floor"] = Metric(*floor)
    metrics["mmd2_latent"] = Metric(*latent, 0.0, findings.mmd()[0])
    best = by_lambda[design.k]
    for name, ratio, error in zip(design.system.names, *_spread(best)):
        metrics[f"std_ratio_{_short(name)}"] = Metric(float(ratio), float(error), 1.0)
    metrics["mean_error"] = Metric(float(np.mean([s.mean_error for s in best])), None, 0.0)
    return metrics


def _spread(scores: list[PathScore]) -> tuple[Any, Any]:
    return np.mean([s.spread for s in scores], 0), np.mean([s.spread_error for s in scores], 0)


def _short(name: str) -> str:
    return name.removeprefix("mean ").replace(" ", "_")


def _checks(
    metrics: Mapping[str, Metric], names: Sequence[str], mmd: tuple[float, float], k: float
) -> list[Check]:
    text = "Mean over repeats, initial states and times."
    checks = [Check(f"squared MMD, lambda = {k:g}", *mmd, high=MMD_LIMIT, text=text)]
    for name in map(_short, names):
        own, text = metrics[f"std_ratio_{name}"], "Over runs, pooled over times."
        limits = (1 - SPREAD_LIMIT, 1 + SPREAD_LIMIT)
        checks.append(
            Check(f"predicted over true std of {name}", own.value or 0.0, own.error, *limits, text)
        )
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
        mean = [float(np.mean([getattr(s, n) for s in own])) for n in ("centred", "mean_error")]
        ends = [Value(mean[0], form=".4f"), Value(mean[1], form=".3f")]
        ends += [Value(ratio, error) for ratio, error in zip(*_spread(own))]
        rows.append([label, Value(*over_repeats(own)), *ends])
    if floor:
        rows.append(["truth against truth", Value(*floor), *[None] * (len(names) + 2)])
    return Table(caption, [first, *COLUMNS, *(f"std of {name}" for name in names)], rows)


def _figures(
    case: Beside, names: Sequence[str], by_lambda: Mapping[float, list[PathScore]], floor: float
) -> list[Figure]:
    spread, mmd = (
        "Spread over runs: predicted (lines) and direct (dots).",
        "Squared MMD by lambda.",
    )
    return [
        Figure("spread.png", spread, partial(_draw_spread, case=case, names=names)),
        Figure("lambda.png", mmd, partial(_draw_lambdas, by_lambda=by_lambda, floor=floor)),
    ]


def _draw_spread(path: Path, case: Beside, names: Sequence[str]) -> None:
    runs = (case.predicted, case.both)
    own, true = (np.sqrt(x.var(axis=1, ddof=1).mean(axis=0)).T for x in runs)
    with figures.panels(path, width=5.6) as (ax,):
        figures.beside(ax, case.times, own, true, list(names), every=4)
        ax.set(xlabel="time", ylabel="standard deviation over runs")


def _draw_lambdas(path: Path, by_lambda: Mapping[float, list[PathScore]], floor: float) -> None:
    lambdas, scores = list(by_lambda), list(by_lambda.values())
    value, error = np.transpose([over_repeats(own) for own in scores])
    centred = [np.mean([s.centred for s in own]) for own in scores]
    with figures.panels(path, width=5.6) as (ax,):
        figures.dots(ax, lambdas, value, figures.colour(0), error, fmt="o-", label="predicted")
        figures.dots(ax, lambdas, centred, figures.colour(1), fmt="s--", label="mean put right")
        ax.axhline(floor, color="0.6", lw=1, label="truth against truth")
        figures.log_ticks(ax, lambdas)
        ax.set(xlabel="lambda", ylabel="squared MMD")
        ax.set_ylim(bottom=0)
