"""The report of a study of a spin model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ...analysis.run_errors import LateMoments, errors_of_few, late_moments, mean_errors
from ...report import Check, Figure, Report, Section, Table, Value, figures
from ...report.parts import Cell
from ..beside import (
    Beside,
    baselines_table,
    late_figure,
    late_metric,
    run_figures,
    training_figure,
)
from ..checks import patch_checks, patch_table, training_check
from ..cost import Routes, cost_of, runs_of_equal_cost
from . import curie_weiss, ising
from .closures import closure_table
from .compare import SpinFindings
from .design import SpinDesign
from .scan import ScanRow, scan_table

RUNS = (
    "Means over runs from random states of given mean spin, predicted by models of patches and "
    "simulated directly; the second set of direct runs shows what noise alone does."
)
SCAN = (
    "From the same large states, patches evolve alone for one step and wholes evolve entirely. "
    "What a boundary or a step does to drift and noise shows as a difference."
)


def report_of(design: SpinDesign, findings: SpinFindings, quick: bool) -> Report:
    """All parts of the report."""
    names, cases = design.system.names, list(findings.cases.values())
    own = curie_weiss if findings.exact is not None else ising
    checks = {case.label: case.check for case in cases}
    starts = design.direct.magnetisations
    metrics, routes = own.metrics_of(design, findings), routes_of(design, findings)
    equal = runs_of_equal_cost(routes, len(starts) * design.direct.runs)
    tables = [_errors_table(design, findings), _late_table(design, findings)]
    tables += [own.table_of(design, findings)]
    tables += [closure_table(findings.scores)] if findings.scores else []
    labels = [f"{m:g}" for m in starts]
    shown = [*run_figures(cases, names, labels), late_figure(cases, names, together=True)]
    measured = [patch_table(checks, "patches"), scan_table(design, findings.scan)]
    training = [training_figure(h, f"{p} x {p}") for p, h in findings.histories.items()]
    wanted = own.checks_of(design, findings, metrics)
    trained = training_check({f"{p} x {p}": h for p, h in findings.histories.items()})
    return Report(
        summary=[own.summary_of(design) + (" (quick form)." if quick else ".")],
        metrics=metrics,
        checks=[*wanted, *_late_checks(cases, *own.LATE_LIMITS), *patch_checks(checks), trained],
        sections=[
            Section("Predicted and direct runs", RUNS, tables, shown),
            Section(
                "Assumptions of the method, measured", SCAN, measured, [_scan_figure(findings)]
            ),
            Section("Training", figures=training),
        ],
        baselines=baselines_table(cases, names, "patches", equal, own.known_of(design)),
        cost=cost_of(design.events(), findings.cpu_s, routes),
    )


def routes_of(design: SpinDesign, findings: SpinFindings) -> Routes:
    """CPU seconds of the learned route, of the cheapest side, and of the direct one."""
    spent = findings.cpu_s
    side = min(design.plans, key=lambda p: spent.get(f"pairs {p}", 0.0))
    learned = sum(spent.get(f"{what} {side}", 0.0) for what in ("pairs", "learning"))
    return Routes(
        learned + spent.get("tiles", 0.0),
        spent.get(f"prediction {side}", 0.0),
        spent.get("direct runs", 0.0) / 2,
        float(design.side**2),
        float(design.times[-1]),
        unit="attempts a spin",
        site="spins",
    )


def _late_checks(cases: list[Beside], mean: float, std: float) -> list[Check]:
    """Late mean and spread of m within the given relative limits."""
    checks, text = [], "Second halves of predicted runs against those of direct runs."
    for case in cases:
        for what, name, limit in (("mean", "mean", mean), ("std", "standard deviation", std)):
            m = late_metric(case.late, case.direct, what, 0)
            values = [float(x or 0.0) for x in (m.value, m.error, m.truth, m.floor)]
            off = values[0] / values[2] - 1
            error = float(np.hypot(values[1], values[3] * values[0] / values[2]) / abs(values[2]))
            title = f"late {name} of m, {case.label}"
            checks.append(Check(title, off, error, -limit, limit, text, "%"))
    return checks


def _errors_table(design: SpinDesign, findings: SpinFindings) -> Table:
    """Errors of every side beside what truth against truth gives."""
    rows: list[list[Cell]] = []
    truth, few = findings.truth, design.direct.few_runs
    for label, runs in (findings.by_label | {"direct against direct": truth.second}).items():
        every = mean_errors(runs.mean(axis=1), truth.true.mean(axis=1)).mean(axis=0)
        fewer = errors_of_few(runs, truth.true, few)
        for k, name in enumerate(design.system.names):
            rows.append([label, name, Value(every[k], form=".2e"), Value(fewer[k], form=".2e")])
    columns = ["patches", "observable", f"{design.direct.runs} runs a side", f"{few} runs a side"]
    return Table("Error of the mean over runs, averaged over initial states", columns, rows)


def _late_table(design: SpinDesign, findings: SpinFindings) -> Table:
    """Mean and spread of the second halves of runs, also of the energy that follows from z*."""
    rows: list[list[Cell]] = []
    system, truth = design.system, findings.truth
    for label, runs in (findings.by_label | {"direct": truth.both}).items():
        members = truth.members if label in findings.by_label else 1
        more = np.concatenate([runs, system.energy(runs)[..., None]], axis=-1)
        m: LateMoments = late_moments(more, members)
        for k, name in enumerate((*system.names, "energy per site")):
            mean, std = Value(m.mean[k], m.mean_error[k]), Value(m.std[k], m.std_error[k])
            rows.append([label, name, mean, std])
    columns = ["patches", "observable", "mean", "standard deviation"]
    return Table("Second halves of runs", columns, rows)


def _scan_figure(findings: SpinFindings) -> Figure:
    draw = partial(_draw_scan, rows=findings.scan, names=findings.names)
    return Figure("scan.png", "Drift of wholes and of patches evolved alone.", draw)


def _draw_scan(path: Path, rows: list[ScanRow], names: tuple[str, ...]) -> None:
    ways = list(dict.fromkeys(row.name for row in rows))
    with figures.panels(path, len(names), width=4.6) as axes:
        for k, (ax, name) in enumerate(zip(axes, names)):
            for i, way in enumerate(ways):
                own = [row for row in rows if row.name == way]
                x, y, error = zip(*((r.dt, r.drift[k], r.drift_error[k]) for r in own))
                figures.dots(ax, x, y, figures.colour(i), error, fmt="o-", label=way)
            ax.set(xlabel="time step", ylabel=f"mean change of {name} per unit of time")
            figures.log_ticks(ax, sorted({row.dt for row in rows}))
