"""Tables, metrics and checks that the studies of spin models share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.assumptions import PatchCheck
from ...analysis.run_errors import errors_of_few, late_moments, mean_errors
from ...arrays import Array
from ...plots import plot_training
from ...systems.spin_system import SpinSystem
from ..results import check, metric
from .findings import SpinFindings
from .plots import plot_late, plot_runs, plot_scan
from .scan import Scan


def draw(
    folder: Path, findings: SpinFindings, starts: list[float], names: tuple[str, ...]
) -> dict[str, str]:
    """Draw the figures; returns caption by file."""
    where = folder / "figures"
    plot_runs(where, findings, starts, names)
    plot_late(where / "late.png", findings, names)
    plot_scan(where / "scan.png", findings.scan, names)
    captions = {
        f"runs_{k}.png": f"Mean {name} over runs: predicted (lines) and direct (dots)."
        for k, name in enumerate(names)
    }
    for side, history in findings.histories.items():
        plot_training(where / f"training_{side}.png", history)
        captions[f"training_{side}.png"] = f"Training, patches of {side} x {side}."
    return captions | {
        "late.png": "Second halves of runs: predicted (lines) and direct (filled).",
        "scan.png": "Drift of wholes and of patches evolved alone.",
    }


def errors_table(findings: SpinFindings, names: tuple[str, ...], few: int) -> dict[str, Any]:
    """Errors of every side beside what truth against truth gives."""
    rows = []
    for label, runs in (findings.by_label | {"direct against direct": findings.second}).items():
        all_runs = mean_errors(runs.mean(axis=1), findings.true.mean(axis=1)).mean(axis=0)
        fewer = errors_of_few(runs, findings.true, few)
        for k, name in enumerate(names):
            rows.append([label, name, f"{all_runs[k]:.2e}", f"{fewer[k]:.2e}"])
    n = findings.true.shape[1]
    return {
        "caption": "Error of the mean over runs, averaged over initial states",
        "columns": ["patches", "observable", f"{n} runs a side", f"{few} runs a side"],
        "rows": rows,
    }


def late_table(findings: SpinFindings, system: SpinSystem) -> dict[str, Any]:
    """Mean and spread of the second halves of runs, also of the energy that follows from z*."""
    rows = []
    for label, runs in (findings.by_label | {"direct": findings.all_direct}).items():
        members = findings.members if label in findings.by_label else 1
        m = late_moments(np.concatenate([runs, system.energy(runs)[..., None]], axis=-1), members)
        for k, name in enumerate((*system.names, "energy per site")):
            mean = f"{m.mean[k]:.5f} ± {m.mean_error[k]:.5f}"
            rows.append([label, name, mean, f"{m.std[k]:.5f} ± {m.std_error[k]:.5f}"])
    return {
        "caption": "Second halves of runs",
        "columns": ["patches", "observable", "mean", "standard deviation"],
        "rows": rows,
    }


def scan_table(scan: Scan, names: tuple[str, ...]) -> dict[str, Any]:
    """Drift and noise by time step, buffer and boundary."""
    rows = [
        [f"{row.dt:g}", row.name]
        + [f"{m:+.5f} ± {e:.5f}" for m, e in zip(row.drift, row.drift_error)]
        + [f"{v:.3f} ± {e:.3f}" for v, e in zip(row.variance, row.variance_error)]
        for row in scan.rows
    ]
    columns = ["dt", "evolved", *(f"drift of {name}" for name in names)]
    return {
        "caption": f"Patches of {scan.patch} x {scan.patch} and wholes from the same states; "
        "variance: of the change, times sites, per unit of time",
        "columns": [*columns, *(f"variance of {name}" for name in names)],
        "rows": rows,
    }


def check_table(checks: dict[int, PatchCheck]) -> dict[str, Any]:
    """Assumptions of the method, measured on training states."""
    rows = [
        [
            f"{side} x {side}",
            f"{c.drift_slope:.3f} ± {c.drift_slope_error:.3f}",
            f"{c.mean_difference:.1f}",
            f"{c.covariance_ratio:.3f} ± {c.covariance_ratio_error:.3f}",
            f"{c.correlation:+.5f}",
        ]
        for side, c in checks.items()
    ]
    columns = ["patches", "drift, whole / fit", "mean difference (errors)"]
    return {
        "caption": "Patches against wholes, over the oldest training states",
        "columns": [*columns, "K cov(whole) / cov(patch)", "correlation of patches"],
        "rows": rows,
    }


def patch_checks(checks: dict[int, PatchCheck]) -> list[dict[str, Any]]:
    """Checks of the assumptions, for the report."""
    slopes = [(c.drift_slope, c.drift_slope_error) for c in checks.values()]
    ratios = [(c.covariance_ratio, c.covariance_ratio_error) for c in checks.values()]
    drift_text = "Increments of whole states against a linear fit to those of their patches."
    noise_text = "K cov(whole) / cov(patch), given z."
    return [
        _ratio_check("drift of patches = drift of the whole", slopes, 0.15, drift_text),
        _ratio_check("noise of patches = noise of the whole", ratios, 0.2, noise_text),
    ]


def _ratio_check(
    name: str, ratios: list[tuple[float, float]], limit: float, text: str
) -> dict[str, Any]:
    """Whether ratios, with their errors, are 1 within a limit; undecided within two errors."""
    value, error = np.array(ratios).T
    miss = np.abs(value - 1)
    passed = True if np.all(miss + 2 * error < limit) else None
    if np.any(miss - 2 * error > limit):
        passed = False
    shown = ", ".join(f"{v:.2f} ± {e:.2f}" for v, e in ratios)
    allowed = f"{1 - limit:.2f} to {1 + limit:.2f}, by two standard errors"
    return check(name, passed, shown, allowed, text)


def late_checks(findings: SpinFindings, name: str, mean: float, std: float) -> list[dict[str, Any]]:
    """Late mean and spread of the first observable within the given relative limits."""
    truth, checks = findings.late_direct, []
    for side in findings.predicted:
        m = findings.late(side)
        for what, value, true, limit in (
            ("mean", m.mean[0], truth.mean[0], mean),
            ("standard deviation", m.std[0], truth.std[0], std),
        ):
            miss = float(value / true - 1)
            checks.append(
                check(
                    f"late {what} of {name}, {side} x {side}",
                    abs(miss) < limit,
                    f"{100 * miss:+.2f} %",
                    f"within {100 * limit:g} %",
                    "Second halves of predicted runs against those of direct runs.",
                )
            )
    return checks


def error_check(name: str, value: float, limit: float) -> dict[str, Any]:
    """An error of the test protocol against its limit."""
    text = "Squared error of the mean over runs, averaged over initial states."
    return check(name, bool(value <= limit), f"{value:.2e}", f"{limit:.0e}", text)


SECTION_TEXTS = {
    "runs": "Means over runs from random states of given mean spin, predicted by models of patches "
    "and simulated directly; the second set of direct runs shows what noise alone does.",
    "scan": "From the same large states, patches evolve alone for one step and wholes evolve "
    "entirely. What a boundary or a step does to drift and noise shows as a difference.",
}


def sections(
    findings: SpinFindings,
    system: SpinSystem,
    few: int,
    captions: dict[str, str],
    more: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Sections of the report; ``more`` are tables of the study's own for the first."""

    def shown(prefix: str) -> list[dict[str, str]]:
        return [
            {"file": f"figures/{name}", "caption": text}
            for name, text in captions.items()
            if name.startswith(prefix)
        ]

    names = system.names
    errors = errors_table(findings, names, few)
    return [
        {
            "title": "Predicted and direct runs",
            "text": SECTION_TEXTS["runs"],
            "tables": [errors, late_table(findings, system), *more],
            "figures": shown("runs") + shown("late"),
        },
        {
            "title": "Assumptions of the method, measured",
            "text": SECTION_TEXTS["scan"],
            "tables": [check_table(findings.checks), scan_table(findings.scan, names)],
            "figures": shown("scan"),
        },
        {"title": "Training", "text": "", "tables": [], "figures": shown("training")},
    ]


def error_metric(errors: Array, floor: float) -> dict[str, Any]:
    """Mean over initial states, shape (n_starts,), with its standard error; the truth is 0."""
    return metric(errors.mean(), errors.std() / np.sqrt(max(len(errors) - 1, 1)), 0.0, floor)
