"""Curie-Weiss beside its exact law: means by the birth-death chain of M, stationary moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...analysis.exact_curie_weiss import ExactCurieWeiss
from ...analysis.run_errors import late_moments, mean_errors
from ...arrays import Array
from ...report import Check, Metric, Table, Value
from ...report.parts import Cell
from ...systems.curie_weiss import CurieWeissSystem
from ..beside import Beside, error_metric, late_metric
from .compare import SpinFindings
from .design import SpinDesign

LATE_LIMITS, ERROR_LIMIT = (0.01, 0.05), 2e-4


def exact_of(design: SpinDesign) -> ExactCurieWeiss | None:
    """The large system, exactly, where that is known."""
    system = design.system
    if not isinstance(system, CurieWeissSystem):
        return None
    return ExactCurieWeiss(design.side**2, system.temperature, system.field)


def exact_means(design: SpinDesign) -> Array | None:
    """Exact means of m, shape (n_starts, n_t, 1), where they are known."""
    exact, starts = exact_of(design), design.direct.magnetisations
    if exact is None:
        return None
    return np.stack([exact.moments(m, design.times)[0] for m in starts])[..., None]


def metrics_of(design: SpinDesign, findings: SpinFindings) -> dict[str, Metric]:
    exact = exact_of(design)
    assert exact is not None
    truth, metrics = findings.truth, {}
    for side, case in findings.cases.items():
        metrics[f"error_patch{side}"] = error_metric(case.errors[:, 0], float(truth.floor.mean()))
    mean, std = exact.stationary_moments()

    def miss(case: Beside) -> float:
        off = abs(case.late.mean[0] / mean - 1), abs(case.late.std[0] / std - 1)
        return float(off[0] / LATE_LIMITS[0] + off[1] / LATE_LIMITS[1])

    late, noise = max(findings.cases.values(), key=miss).late, late_moments(truth.true)
    for what, true in (("mean", mean), ("std", std)):
        own = late_metric(late, noise, what, 0)
        metrics[f"stationary_{what}"] = replace(own, truth=float(true))
    return metrics


def table_of(design: SpinDesign, findings: SpinFindings) -> Table:
    """Errors against the exact means, where only the prediction has noise."""
    rows: list[list[Cell]] = []
    assert findings.exact is not None
    for label, runs in (findings.by_label | {"direct runs": findings.truth.true}).items():
        errors = mean_errors(runs.mean(axis=1), findings.exact)[:, 0]
        rows.append([label, *(Value(e, form=".1e") for e in (*errors, errors.mean()))])
    starts = (f"m = {m:g}" for m in design.direct.magnetisations)
    caption = "Error against the exact mean of the birth-death chain, by initial m"
    return Table(caption, ["patches", *starts, "mean"], rows)


def checks_of(
    design: SpinDesign, findings: SpinFindings, metrics: dict[str, Metric]
) -> list[Check]:
    """Errors of the mean over runs against their limit."""
    text = "Squared error of the mean over runs, averaged over initial states."
    return [
        Check(name, m.value or 0.0, high=ERROR_LIMIT, text=text, form=".2e")
        for name, m in metrics.items()
        if name.startswith("error_")
    ]


def summary_of(design: SpinDesign) -> str:
    """What was done."""
    system, plan = design.system, next(iter(design.plans.values()))
    return (
        f"Curie-Weiss model of {design.side**2} spins at T = {system.temperature:g} in a field of "
        f"{system.field:g}: small systems of as many spins as a patch were repeated and relaxed, "
        f"and patches evolved alone for dt = {plan.dt:g} in the field of all spins"
    )


def known_of(design: SpinDesign) -> str:
    """The exact offset of small systems from the large one."""
    large, system = exact_of(design), design.system
    assert large is not None
    offsets = []
    for side in design.plans:
        own = ExactCurieWeiss(side**2, system.temperature, system.field)
        off = own.stationary_moments()[0] - large.stationary_moments()[0]
        offsets.append(f"{off:+.5f} of {side} x {side}")
    return f"Exact offset of the small system's mean: {', '.join(offsets)}."
