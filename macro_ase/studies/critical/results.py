"""Metrics, tables and checks of the study of critical Ising models."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...plots import plot_training
from ..results import check, metric, write_findings
from .diagnostics import (
    chain_table,
    drift_difference,
    noise_ratio,
    relaxation_table,
    scan_table,
)
from .plots import plot_points, plot_potential, plot_scaled
from .points import EXACT, EXPONENTS, Comparison, Points
from .tables import (
    EXPONENT_LABELS,
    beyond_table,
    crossings_table,
    exponents_table,
    means_table,
    points_table,
    quadrature_table,
    value_text,
)

if TYPE_CHECKING:
    from .findings import CriticalFindings
    from .study import CriticalIsingStudy

LIMITS = {"m_rel_error": 0.012, "chi_rel_error": 0.05, "u_rel_error": 0.005}  # as MOMENT_NAMES


def write_critical(
    study: CriticalIsingStudy, folder: Path, quick: bool, findings: CriticalFindings
) -> None:
    """Write metrics, tables and figures into the folder."""
    predicted, direct = (source(study.sizes) for source in (findings.predicted, findings.measured))
    captions = _draw(study, folder / "figures", findings, predicted, direct)
    comparison = Comparison.of(predicted, direct)
    metrics = _metrics(study, findings, predicted, direct, comparison)
    scan = scan_table(study, findings)
    results = {
        "summary": [_summary(study, quick)],
        "sections": _sections(study, findings, predicted, direct, comparison, scan, captions),
        "checks": _checks(study, findings, predicted, direct, comparison),
    }
    write_findings(folder, study.config, study.stages, metrics, results)


def _summary(study: CriticalIsingStudy, quick: bool) -> str:
    patch, sizes = study.config["sampling"]["patch"], ", ".join(map(str, study.sizes))
    return (
        f"Ising model without a field at T = {study.temperatures[0]:g} to "
        f"{study.temperatures[-1]:g}, L = {sizes}: one model of m for each size, conditioned on "
        f"the temperature, learned from patches of {patch} x {patch} with a buffer of "
        f"{study.buffer} that evolved alone for dt = {study.dt:g}. lambda = K, untuned; no path "
        "clipped or dropped" + (" (quick form)." if quick else ".")
    )


def _metrics(
    study: CriticalIsingStudy,
    findings: CriticalFindings,
    predicted: Points,
    direct: Points,
    comparison: Comparison,
) -> dict[str, dict[str, Any]]:
    columns = (comparison.mean_errors, comparison.spread, comparison.floor)
    metrics = {
        name: metric(value, error, 0.0, floor)
        for name, value, error, floor in zip(LIMITS, *columns)
    }
    mine, theirs = predicted.exponents(), direct.exponents()
    for name in EXPONENTS:
        metrics[name] = metric(*mine[name][:2], *theirs[name][:2])
    for size in study.beyond:
        points = [source((size,)) for source in (findings.predicted, findings.measured)]
        for k, name in enumerate(("m", "chi", "u")):
            value, error, truth, floor = (
                getattr(p, part)[0, 0, k] for p in points for part in ("values", "errors")
            )
            metrics[f"{name}_{size}"] = metric(value, error, truth, floor)
    return metrics


def _draw(
    study: CriticalIsingStudy,
    where: Path,
    findings: CriticalFindings,
    predicted: Points,
    direct: Points,
) -> dict[str, str]:
    """Draw the figures; returns caption by file."""
    plot_points(where / "points.png", predicted, direct)
    plot_scaled(where / "scaled.png", predicted, direct)
    captions = {
        "points.png": "Predicted (lines, bands: one error) and direct (dots); dotted: exact T_c.",
        "scaled.png": "Scaled with the exact exponents: predicted (crosses) and direct (dots).",
    }
    for size, own in findings.by_size.items():
        plot_potential(where / f"potential_{size}.png", size, own)
        plot_training(where / f"training_{size}.png", own.histories)
        captions[f"potential_{size}.png"] = (
            f"L = {size}: drift and diffusion of the members, and -ln p(m) that follows (lines) "
            "beside histograms of direct runs (dots)."
        )
        captions[f"training_{size}.png"] = f"Training, L = {size}."
    return captions


def _sections(
    study: CriticalIsingStudy,
    findings: CriticalFindings,
    predicted: Points,
    direct: Points,
    comparison: Comparison,
    scan: dict[str, Any],
    captions: dict[str, str],
) -> list[dict[str, Any]]:
    def shown(prefix: str) -> list[dict[str, str]]:
        return [
            {"file": f"figures/{name}", "caption": text}
            for name, text in captions.items()
            if name.startswith(prefix)
        ]

    tables = [means_table(comparison), points_table(predicted, direct, comparison)]
    tables += [beyond_table(study, findings)] if study.beyond else []
    exponents = [exponents_table(predicted, direct), crossings_table(predicted, direct, study.seed)]
    return [
        {
            "title": "Predicted and direct",
            "text": "Paths of the learned models beside Wolff clusters. Errors of predictions are "
            "the spread of members that were trained on blocks of chains drawn with replacement.",
            "tables": tables,
            "figures": shown("points") + shown("potential"),
        },
        {
            "title": "Exponents",
            "text": "",
            "tables": exponents,
            "figures": shown("scaled"),
        },
        {
            "title": "Other routes and assumptions, measured",
            "text": "",
            "tables": [
                quadrature_table(study, findings),
                chain_table(study, findings),
                relaxation_table(study, findings),
                scan,
            ],
            "figures": [],
        },
        {"title": "Training", "text": "", "tables": [], "figures": shown("training")},
    ]


def _checks(
    study: CriticalIsingStudy,
    findings: CriticalFindings,
    predicted: Points,
    direct: Points,
    comparison: Comparison,
) -> list[dict[str, Any]]:
    targets = _target_checks(comparison) + _exponent_checks(predicted, direct)
    return targets + _assumption_checks(study, findings)


def _target_checks(comparison: Comparison) -> list[dict[str, Any]]:
    checks = []
    for k, (name, limit) in enumerate(LIMITS.items()):
        value, share = comparison.mean_errors[k], comparison.within_two[k]
        text = "Mean over sizes and temperatures of |predicted / direct - 1|."
        allowed = f"{100 * limit:g} %"
        passed = bool(value <= limit)
        if name == "chi_rel_error":
            passed, allowed = passed or bool(share == 1), f"{allowed}, or all within two errors"
        shown = f"{100 * value:.2f} %, {100 * share:.0f} % of points within two errors"
        checks.append(check(name, passed, shown, allowed, text))
    return checks


def _exponent_checks(predicted: Points, direct: Points) -> list[dict[str, Any]]:
    checks = []
    mine, theirs = predicted.exponents(), direct.exponents()
    for name in EXPONENTS:
        off = (mine[name][0] - theirs[name][0]) / math.hypot(mine[name][1], theirs[name][1])
        text = f"Against direct runs with the same estimators; exact: {EXACT[name]:g}."
        label = EXPONENT_LABELS[name]
        checks.append(check(label, bool(abs(off) <= 2), f"{off:+.1f} errors", "within 2", text))
    return checks


def _assumption_checks(
    study: CriticalIsingStudy, findings: CriticalFindings
) -> list[dict[str, Any]]:
    checks = []
    off = max(_quadrature_miss(study, findings, size) for size in findings.by_size)
    text = "chi' of paths against quadrature over the same members, relative, largest."
    checks.append(check("paths = stationary law", off < 0.03, f"{100 * off:.1f} %", "3 %", text))
    chances = [drift_difference(study, findings, size)[1] for size in study.sizes]
    text = "chi^2 of the drift in bins of |m|, patch-relaxed against Wolff snapshots."
    checks.append(
        check(
            "snapshots as in equilibrium",
            bool(min(chances) > 0.001),
            f"least p = {min(chances):.3f}",
            "p > 0.001",
            text,
        )
    )
    ratio, error = noise_ratio(findings, study.dt, study.buffer)
    text = "Mean square of the mean of K patches' increments, over that of wholes."
    shown = value_text(ratio, error, 3)
    passed = bool(abs(ratio - 1) < max(0.03, 3 * error))
    checks.append(check("noise of patches = noise of the whole", passed, shown, "3 %", text))
    return checks


def _quadrature_miss(study: CriticalIsingStudy, findings: CriticalFindings, size: int) -> float:
    law = findings.by_size[size].quadrature[..., 1].mean(axis=0)
    paths = findings.predicted((size,)).values[0, :, 1]
    return float(np.abs(paths / law - 1).max())
