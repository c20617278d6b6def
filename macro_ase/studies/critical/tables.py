"""Tables of the study of critical Ising models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .law import MOMENT_NAMES
from .points import CRITICAL_TEMPERATURE, EXACT, EXPONENTS, Comparison, Points

if TYPE_CHECKING:
    from .findings import CriticalFindings
    from .study import CriticalIsingStudy

DIGITS = (4, 3, 4)
EXPONENT_LABELS = {
    "beta_over_nu": "beta/nu",
    "gamma_over_nu": "gamma/nu",
    "one_over_nu": "1/nu",
}


def value_text(value: float, error: float, digits: int) -> str:
    """A number with its error."""
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def points_table(predicted: Points, direct: Points, comparison: Comparison) -> dict[str, Any]:
    """Every point: predicted, direct, relative difference and how many combined errors it is."""
    rows = []
    for i, size in enumerate(predicted.sizes):
        for j, T in enumerate(predicted.temperatures):
            row = [f"{size}", f"{T:g}"]
            for k, digits in enumerate(DIGITS):
                for points in (predicted, direct):
                    row.append(value_text(points.values[i, j, k], points.errors[i, j, k], digits))
                relative, combined = comparison.relative[i, j, k], comparison.combined[i, j, k]
                row.append(f"{100 * relative:+.2f} % ({relative / combined:+.1f})")
            rows.append(row)
    columns = [f"{name}{what}" for name in MOMENT_NAMES for what in (", predicted", ", direct", "")]
    return {
        "caption": "Predicted and direct; relative difference, in brackets in combined errors",
        "columns": ["L", "T", *columns],
        "rows": rows,
    }


def means_table(comparison: Comparison) -> dict[str, Any]:
    """Mean relative errors, and what noise alone would give."""
    rows = [
        [
            name,
            f"{100 * comparison.mean_errors[k]:.2f} %",
            f"{100 * comparison.floor[k]:.2f} %",
            f"{100 * comparison.relative[..., k].mean():+.2f} %",
            f"{100 * comparison.within_two[k]:.0f} %",
        ]
        for k, name in enumerate(MOMENT_NAMES)
    ]
    columns = ["", "mean |relative error|", "from errors of both sides alone", "mean, signed"]
    return {
        "caption": f"Over {comparison.relative[..., 0].size} points",
        "columns": [*columns, "points within two errors"],
        "rows": rows,
    }


def quadrature_table(study: CriticalIsingStudy, findings: CriticalFindings) -> dict[str, Any]:
    """chi' of paths, of quadrature over the same models, and of fits without training."""
    rows = []
    for size, own in findings.by_size.items():
        points = findings.predicted((size,))
        law = findings.by_size[size].quadrature
        for j, T in enumerate(own.temperatures):
            fit = own.fits[j]
            plain = fit.moments(size**2, T, study.resamples)
            rows.append(
                [
                    f"{size}",
                    f"{T:g}",
                    value_text(points.values[0, j, 1], float(own.path_errors[j, 1]), 3),
                    value_text(law[:, j, 1].mean(), law[:, j, 1].std(ddof=1), 3),
                    value_text(plain[0][1], plain[1][1], 3),
                    value_text(own.direct[j, 0, 1], own.direct[j, 1, 1], 3),
                    f"{100 * own.paths[:, j, 3].mean():.4f} %",
                ]
            )
    return {
        "caption": "chi' by other routes: paths (error: of paths alone), quadrature of the "
        "members' stationary laws (error: spread of members), least squares at one temperature "
        "without training (error: bootstrap over chains), direct; and steps with |m| > 1",
        "columns": ["L", "T", "paths", "quadrature", "least squares", "direct", "beyond 1"],
        "rows": rows,
    }


def exponents_table(predicted: Points, direct: Points) -> dict[str, Any]:
    """Predicted, direct and exact, with chi^2 of the power laws."""
    mine, theirs = predicted.exponents(), direct.exponents()
    rows = []
    for name in EXPONENTS:
        (value, error, law), (true, true_error, true_law) = mine[name], theirs[name]
        rows.append(
            [
                EXPONENT_LABELS[name],
                value_text(value, error, 4),
                value_text(true, true_error, 4),
                f"{EXACT[name]:g}",
                f"{(value - true) / math.hypot(error, true_error):+.1f}",
                f"{law.chi2:.1f} / {true_law.chi2:.1f}",
            ]
        )
    columns = ["", "predicted", "direct", "exact", "difference (combined errors)"]
    return {
        "caption": f"Exponents from L = {predicted.sizes[0]} to {predicted.sizes[-1]} at T_c = "
        f"{CRITICAL_TEMPERATURE:.5f}, the same estimators for both",
        "columns": [*columns, f"chi^2 ({len(predicted.sizes) - 2} free)"],
        "rows": rows,
    }


def crossings_table(predicted: Points, direct: Points, seed: int) -> dict[str, Any]:
    """Crossings of the cumulants of neighbouring sizes."""
    rows = []
    for label, points in (("predicted", predicted), ("direct", direct)):
        for c in points.crossings(seed):
            rows.append(
                [
                    f"{c.sizes[0]}, {c.sizes[1]}",
                    label,
                    value_text(c.temperature, c.temperature_error, 4),
                    value_text(c.cumulant, c.cumulant_error, 4),
                ]
            )
    return {
        "caption": f"Crossings of U (T_c = {CRITICAL_TEMPERATURE:.5f}; a pair whose curves do "
        "not cross clearly is left out)",
        "columns": ["sizes", "", "T", "U"],
        "rows": rows,
    }


def beyond_table(study: CriticalIsingStudy, findings: CriticalFindings) -> dict[str, Any]:
    """Larger sizes, reported."""
    rows = []
    for size in study.beyond:
        mine, direct = findings.predicted((size,)), findings.measured((size,))
        comparison = Comparison.of(mine, direct)
        for k, name in enumerate(MOMENT_NAMES):
            relative, combined = comparison.relative[0, 0, k], comparison.combined[0, 0, k]
            texts = [
                value_text(p.values[0, 0, k], p.errors[0, 0, k], DIGITS[k]) for p in (mine, direct)
            ]
            last = f"{100 * relative:+.2f} % ({relative / combined:+.1f})"
            rows.append([f"{size}", f"{study.middle:g}", name, *texts, last])
    return {
        "caption": "Larger sizes, reported only",
        "columns": ["L", "T", "", "predicted", "direct", "difference (combined errors)"],
        "rows": rows,
    }
