"""The report of a study of a person's own system."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...report import Check, Metric, Report, Section
from ..beside import (
    Beside,
    baselines_table,
    error_metric,
    late_figure,
    late_metric,
    late_table,
    run_figures,
    training_figure,
)
from ..checks import patch_checks, patch_table, training_check
from ..cost import Routes, cost_of, runs_of_equal_cost
from .compare import OwnFindings
from .design import OwnDesign

MEAN_LIMIT, SPREAD_LIMIT = 0.1, 0.2
OF = "condition"


def report_of(design: OwnDesign, findings: OwnFindings, quick: bool) -> Report:
    """All parts of the report."""
    cases, names = findings.cases, design.system.names
    checks = {case.label or "all": case.check for case in cases}
    routes, plan = routes_of(design, findings), design.plan
    equal = runs_of_equal_cost(routes, len(cases) * design.runs * design.initial_states)
    runs_text = (
        "Means over runs from initial states of the large system, predicted by the model and "
        "simulated directly."
    )
    checks_text = "From the same large states patches evolve alone and wholes entirely."
    size, part = (" x ".join([str(n)] * design.system.dimension) for n in (plan.large, plan.small))
    conditions = f" under {len(cases)} conditions" if len(cases) > 1 else ""
    return Report(
        summary=[
            f"{type(design.system).__name__} of {size} sites{conditions}: small systems of {part} "
            f"were grown, and patches with a buffer of {plan.buffer} evolved alone for dt = "
            f"{plan.dt:g} with the {plan.boundary} boundary" + (" (quick form)." if quick else ".")
        ],
        metrics=_metrics(names, cases),
        checks=[
            *_late_checks(names, findings),
            *patch_checks(checks),
            training_check({"": findings.history}),
        ],
        sections=[
            Section(
                "Predicted and direct runs",
                runs_text,
                [late_table(cases, names, OF)],
                [*run_figures(cases, names), late_figure(cases, names, together=False)],
            ),
            Section("Assumptions of the method, measured", checks_text, [patch_table(checks, OF)]),
            Section("Training", figures=[training_figure(findings.history)]),
        ],
        baselines=baselines_table(cases, names, OF, equal),
        cost=cost_of(design.events(), findings.cpu_s, routes),
    )


def routes_of(design: OwnDesign, findings: OwnFindings) -> Routes:
    """CPU seconds of the learned and of the direct route."""
    spent = findings.cpu_s
    learned = sum(t for stage, t in spent.items() if stage.startswith(("pairs", "learning")))
    return Routes(
        learned,
        spent.get("prediction", 0.0),
        spent.get("direct runs", 0.0),
        design.sites,
        float(design.times[-1]),
        len(design.conditions),
        design.system.time_unit,
    )


def _metrics(names: tuple[str, ...], cases: Sequence[Beside]) -> dict[str, Metric]:
    metrics = {}
    for case in cases:
        for k, name in enumerate(names):
            words = f"{name} {case.label}".replace(" = ", "")
            own = re.sub(r"[^0-9A-Za-z.]+", "_", words).strip("_")
            metrics[f"error_{own}"] = error_metric(case.errors[:, k], case.floor[k])
            for what in ("mean", "std"):
                metrics[f"late_{what}_{own}"] = late_metric(case.late, case.direct, what, k)
    return metrics


def _late_checks(names: tuple[str, ...], findings: OwnFindings) -> list[Check]:
    """Late means in units of the training states' spread, and late spreads."""
    checks, pairs = [], [(case.late, case.direct) for case in findings.cases]
    for k, name in enumerate(names):
        miss = [(m.mean[k] - t.mean[k]) / findings.scale[k] for m, t in pairs]
        error = [np.hypot(m.mean_error[k], t.mean_error[k]) / findings.scale[k] for m, t in pairs]
        ratio = [m.std[k] / t.std[k] for m, t in pairs]
        relative = [
            np.hypot(m.std_error[k] / m.std[k], t.std_error[k] / t.std[k]) for m, t in pairs
        ]
        spread = [r * e for r, e in zip(ratio, relative)]
        text = "Second halves, predicted less direct, over the spread of the training states."
        of_spread = "Standard deviation of second halves, predicted over direct."
        limits = (-MEAN_LIMIT, MEAN_LIMIT), (1 - SPREAD_LIMIT, 1 + SPREAD_LIMIT)
        checks += [
            Check(f"late mean of {name}", miss, error, *limits[0], text),
            Check(f"late spread of {name}", ratio, spread, *limits[1], of_spread),
        ]
    return checks
