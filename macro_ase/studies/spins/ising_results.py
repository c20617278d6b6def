"""Metrics, tables and checks of the Ising study."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...analysis.run_errors import LateMoments, first_peak, mean_errors
from ...arrays import Array
from ..results import check, metric
from .findings import SpinFindings
from .results import error_check, error_metric, late_checks, patch_checks

M_LIMITS = {8: 1e-3}
BOND_LIMIT, M_LIMIT, MEAN_LIMIT, STD_LIMIT, PEAK_LIMIT = 1e-3, 4e-4, 0.007, 0.06, 0.05
REPORTED = 16


def metrics_of(findings: SpinFindings, starts: list[float]) -> dict[str, dict[str, Any]]:
    """Errors by side; late moments and first peak of patches of 16, or of the largest."""
    true, metrics = findings.true.mean(axis=1), {}
    floor = mean_errors(findings.second.mean(axis=1), true).mean(axis=0)
    for k, name in enumerate(("m", "bond")):
        for side, runs in findings.predicted.items():
            errors = mean_errors(runs.mean(axis=1), true)[:, k]
            metrics[f"{name}_error_patch{side}"] = error_metric(errors, floor[k])
    side = REPORTED if REPORTED in findings.predicted else max(findings.predicted)
    late, direct = findings.late(side), findings.late_direct
    metrics["late_mean_m"] = _mean_metric(late, direct, 0)
    metrics["late_std_m"] = metric(
        late.std[0], late.std_error[0], direct.std[0], direct.std_error[0]
    )
    metrics["late_bonds"] = _mean_metric(late, direct, 1)
    noise = abs(peak_ratio(findings.second, findings.true, starts) - 1)
    ratio = peak_ratio(findings.predicted[side], findings.true, starts)
    return metrics | {"bond_peak_ratio": metric(ratio, None, 1.0, noise)}


def _mean_metric(late: LateMoments, direct: LateMoments, k: int) -> dict[str, Any]:
    return metric(late.mean[k], late.mean_error[k], direct.mean[k], direct.mean_error[k])


def peak_ratio(runs: Array, true: Array, starts: list[float]) -> float:
    """First peak of the mean broken bonds from the lowest start, over the true one."""
    low = int(np.argmin(starts))
    peak, truth = (first_peak(x[low, :, :, 1].mean(axis=0)) for x in (runs, true))
    return peak / truth


def peak_table(findings: SpinFindings, starts: list[float]) -> dict[str, Any]:
    """First peaks by side."""
    ways = findings.by_label | {"direct against direct": findings.second}
    return {
        "caption": "First peak of the mean broken bonds from the lowest initial m, over that "
        "of direct runs",
        "columns": ["patches", "ratio"],
        "rows": [[x, f"{peak_ratio(r, findings.true, starts):.4f}"] for x, r in ways.items()],
    }


def checks_of(
    findings: SpinFindings, metrics: dict[str, dict[str, Any]], starts: list[float]
) -> list[dict[str, Any]]:
    """What is asked of the predictions, and the assumptions."""
    checks = []
    for side, runs in findings.predicted.items():
        for name, limit in (("m", M_LIMITS.get(side, M_LIMIT)), ("bond", BOND_LIMIT)):
            key = f"{name}_error_patch{side}"
            checks.append(error_check(key, metrics[key]["value"], limit))
        ratio = peak_ratio(runs, findings.true, starts)
        checks.append(
            check(
                f"first peak of broken bonds, {side} x {side}",
                bool(abs(ratio - 1) < PEAK_LIMIT),
                f"{100 * (ratio - 1):+.1f} %",
                f"within {100 * PEAK_LIMIT:g} %",
                "Of the mean over runs from the lowest initial m.",
            )
        )
    late = late_checks(findings, "m", MEAN_LIMIT, STD_LIMIT)
    return checks + late + patch_checks(findings.checks)
