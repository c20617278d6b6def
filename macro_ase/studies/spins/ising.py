"""What is asked of the Ising model: errors, late moments, the first peak of broken bonds."""

from __future__ import annotations

import numpy as np

from ...analysis.run_errors import first_peak
from ...arrays import Array
from ...report import Check, Metric, Table, Value
from ...report.parts import Cell
from ..beside import error_metric, late_metric
from .compare import SpinFindings
from .design import SpinDesign

REPORTED = 16
LATE_LIMITS = (0.007, 0.06)
M_LIMITS, M_LIMIT, BOND_LIMIT, PEAK_LIMIT = {8: 1e-3}, 4e-4, 1e-3, 0.05
ERROR_TEXT = "Squared error of the mean over runs, averaged over initial states."


def peak_ratio(runs: Array, true: Array, starts: list[float]) -> float:
    """First peak of the mean broken bonds from the lowest start, over the true one."""
    low = int(np.argmin(starts))
    peak, truth = (first_peak(x[low, :, :, 1].mean(axis=0)) for x in (runs, true))
    return peak / truth


def metrics_of(design: SpinDesign, findings: SpinFindings) -> dict[str, Metric]:
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


def checks_of(
    design: SpinDesign, findings: SpinFindings, metrics: dict[str, Metric]
) -> list[Check]:
    """What is asked of errors and of the first peak."""
    checks, starts = [], design.direct.magnetisations
    for side, case in findings.cases.items():
        for name, limit in (("m", M_LIMITS.get(side, M_LIMIT)), ("bond", BOND_LIMIT)):
            key = f"{name}_error_patch{side}"
            value = metrics[key].value or 0.0
            checks.append(Check(key, value, high=limit, text=ERROR_TEXT, form=".2e"))
        off = peak_ratio(case.predicted, case.true, starts) - 1
        name, text = f"first peak of broken bonds, {case.label}", "From the lowest initial m."
        checks.append(Check(name, off, None, -PEAK_LIMIT, PEAK_LIMIT, text, "+.1%"))
    return checks


def table_of(design: SpinDesign, findings: SpinFindings) -> Table:
    """First peaks by side."""
    truth, starts = findings.truth, design.direct.magnetisations
    ways = findings.by_label | {"direct against direct": truth.second}
    rows: list[list[Cell]] = [
        [label, Value(peak_ratio(runs, truth.true, starts), form=".4f")]
        for label, runs in ways.items()
    ]
    caption = "First peak of the mean broken bonds from the lowest initial m, over the direct one"
    return Table(caption, ["patches", "ratio"], rows)


def summary_of(design: SpinDesign) -> str:
    """What was done."""
    system, plan = design.system, next(iter(design.plans.values()))
    return (
        f"Ising model of {design.side} x {design.side} spins at T = {system.temperature:g} in a "
        f"field of {system.field:g}: small periodic systems as large as a patch were repeated and "
        f"relaxed, and patches with a buffer of {plan.buffer} evolved alone for dt = {plan.dt:g} "
        f"with the {plan.boundary} boundary. Closure: {design.closures.kind}"
    )


def known_of(design: SpinDesign) -> str:
    """The offset of small systems in a field is not known exactly."""
    return ""
