"""The report of a study of a spin model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...analysis.run_errors import LateMoments, errors_of_few, late_moments, mean_errors
from ...report import Check, Figure, Metric, Report, Section, Table, Value, figures
from ...report.parts import Cell
from ..beside import (
    Beside,
    baselines_table,
    error_metric,
    late_figure,
    late_metric,
    run_figures,
    training_figure,
)
from ..checks import patch_checks, patch_table
from ..cost import Routes, cost_of, runs_of_equal_cost
from .closures import closure_table
from .compare import SpinFindings, peak_ratio
from .design import SpinDesign, exact_of
from .scan import ScanRow, scan_table

RUNS = (
    "Means over runs from random states of given mean spin, predicted by models of patches and "
    "simulated directly; the second set of direct runs shows what noise alone does."
)
SCAN = (
    "From the same large states, patches evolve alone for one step and wholes evolve entirely. "
    "What a boundary or a step does to drift and noise shows as a difference."
)
ERROR_TEXT = "Squared error of the mean over runs, averaged over initial states."
REPORTED = 16
LIMITS = {"curie-weiss": (0.01, 0.05), "ising": (0.007, 0.06)}
"""Of the late mean and spread of m, relative."""
CURIE_WEISS_ERROR = 2e-4
M_LIMITS, M_LIMIT, BOND_LIMIT, PEAK_LIMIT = {8: 1e-3}, 4e-4, 1e-3, 0.05


def report_of(design: SpinDesign, findings: SpinFindings, quick: bool) -> Report:
    """All parts of the report."""
    names, cases = design.system.names, list(findings.cases.values())
    curie_weiss = exact_of(design) is not None
    checks = {case.label: case.check for case in cases}
    starts = design.direct.magnetisations
    labels = [f"{m:g}" for m in starts]
    routes = routes_of(design, findings)
    equal = runs_of_equal_cost(routes, len(starts) * design.direct.runs)
    if curie_weiss:
        metrics, own = _curie_weiss_metrics(design, findings), [_exact_table(design, findings)]
        wanted = [
            Check(name, m.value or 0.0, high=CURIE_WEISS_ERROR, text=ERROR_TEXT, form=".2e")
            for name, m in metrics.items()
            if name.startswith("error_")
        ]
    else:
        metrics, own = _ising_metrics(design, findings), [_peak_table(design, findings)]
        wanted = _ising_checks(findings, metrics, starts)
    own += [closure_table(findings.scores)] if findings.scores else []
    tables = [_errors_table(design, findings), _late_table(design, findings), *own]
    known = (
        "Exactly: the mean of a system of n spins differs from that of the largest by terms of 1/n."
        if curie_weiss
        else ""
    )
    limits = LIMITS["curie-weiss" if curie_weiss else "ising"]
    return Report(
        summary=[_summary(design, curie_weiss, quick)],
        metrics=metrics,
        checks=wanted + _late_checks(cases, *limits) + patch_checks(checks),
        sections=[
            Section(
                "Predicted and direct runs",
                RUNS,
                tables,
                [*run_figures(cases, names, labels), late_figure(cases, names, together=True)],
            ),
            Section(
                "Assumptions of the method, measured",
                SCAN,
                [
                    patch_table(checks, "patches"),
                    scan_table(design, findings.scan),
                ],
                [_scan_figure(findings.scan, names)],
            ),
            Section(
                "Training",
                figures=[
                    training_figure(history, f"{side} x {side}")
                    for side, history in findings.histories.items()
                ],
            ),
        ],
        baselines=baselines_table(cases, names, "patches", equal, known),
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


def _summary(design: SpinDesign, curie_weiss: bool, quick: bool) -> str:
    system, plan = design.system, next(iter(design.plans.values()))
    end = " (quick form)." if quick else "."
    if curie_weiss:
        return (
            f"Curie-Weiss model of {design.side**2} spins at T = {system.temperature:g} in a field "
            f"of {system.field:g}: small systems of as many spins as a patch were repeated and "
            f"relaxed, and patches evolved alone for dt = {plan.dt:g} in the field of all "
            f"spins{end}"
        )
    return (
        f"Ising model of {design.side} x {design.side} spins at T = {system.temperature:g} in a "
        f"field of {system.field:g}: small periodic systems as large as a patch were repeated and "
        f"relaxed, and patches with a buffer of {plan.buffer} evolved alone for dt = {plan.dt:g} "
        f"with the {plan.boundary} boundary. Closure: {design.closures.kind}{end}"
    )


def _curie_weiss_metrics(design: SpinDesign, findings: SpinFindings) -> dict[str, Metric]:
    exact = exact_of(design)
    assert exact is not None
    truth, metrics = findings.truth, {}
    for side, case in findings.cases.items():
        metrics[f"error_patch{side}"] = error_metric(case.errors[:, 0], float(truth.floor.mean()))
    mean, std = exact.stationary_moments()
    limits = LIMITS["curie-weiss"]

    def miss(case: Beside) -> float:
        off = abs(case.late.mean[0] / mean - 1), abs(case.late.std[0] / std - 1)
        return float(off[0] / limits[0] + off[1] / limits[1])

    late, noise = max(findings.cases.values(), key=miss).late, late_moments(truth.true)
    for what, true in (("mean", mean), ("std", std)):
        own = late_metric(late, noise, what, 0)
        metrics[f"stationary_{what}"] = replace(own, truth=float(true))
    return metrics


def _ising_metrics(design: SpinDesign, findings: SpinFindings) -> dict[str, Metric]:
    """Errors by side; late moments and first peak of patches of 16, or of the largest."""
    cases, truth, metrics = findings.cases, findings.truth, {}
    for k, name in enumerate(("m", "bond")):
        for side, case in cases.items():
            metrics[f"{name}_error_patch{side}"] = error_metric(case.errors[:, k], truth.floor[k])
    own = cases[REPORTED if REPORTED in cases else max(cases)]
    for name, what, k in (("mean_m", "mean", 0), ("std_m", "std", 0), ("bonds", "mean", 1)):
        metrics[f"late_{name}"] = late_metric(own.late, own.direct, what, k)
    starts = design.direct.magnetisations
    noise = abs(peak_ratio(truth.second, truth.true, starts) - 1)
    ratio = peak_ratio(own.predicted, truth.true, starts)
    return metrics | {"bond_peak_ratio": Metric(ratio, None, 1.0, noise)}


def _ising_checks(
    findings: SpinFindings, metrics: dict[str, Metric], starts: list[float]
) -> list[Check]:
    """What is asked of errors and of the first peak."""
    checks = []
    for side, case in findings.cases.items():
        for name, limit in (("m", M_LIMITS.get(side, M_LIMIT)), ("bond", BOND_LIMIT)):
            key = f"{name}_error_patch{side}"
            value = metrics[key].value or 0.0
            checks.append(Check(key, value, high=limit, text=ERROR_TEXT, form=".2e"))
        off = peak_ratio(case.predicted, case.true, starts) - 1
        name, text = f"first peak of broken bonds, {case.label}", "From the lowest initial m."
        checks.append(Check(name, off, None, -PEAK_LIMIT, PEAK_LIMIT, text, "+.1%"))
    return checks


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


def _exact_table(design: SpinDesign, findings: SpinFindings) -> Table:
    """Errors against the exact means, where only the prediction has noise."""
    rows: list[list[Cell]] = []
    assert findings.exact is not None
    for label, runs in (findings.by_label | {"direct runs": findings.truth.true}).items():
        errors = mean_errors(runs.mean(axis=1), findings.exact)[:, 0]
        rows.append([label, *(Value(e, form=".1e") for e in (*errors, errors.mean()))])
    starts = (f"m = {m:g}" for m in design.direct.magnetisations)
    caption = "Error against the exact mean of the birth-death chain, by initial m"
    return Table(caption, ["patches", *starts, "mean"], rows)


def _peak_table(design: SpinDesign, findings: SpinFindings) -> Table:
    """First peaks by side."""
    truth, starts = findings.truth, design.direct.magnetisations
    ways = findings.by_label | {"direct against direct": truth.second}
    rows: list[list[Cell]] = [
        [label, Value(peak_ratio(runs, truth.true, starts), form=".4f")]
        for label, runs in ways.items()
    ]
    caption = "First peak of the mean broken bonds from the lowest initial m, over the direct one"
    return Table(caption, ["patches", "ratio"], rows)


def _scan_figure(rows: list[ScanRow], names: tuple[str, ...]) -> Figure:
    draw = partial(_draw_scan, rows=rows, names=names)
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
