"""Figures of the study of critical Ising models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.interpolate import make_interp_spline

from ...analysis.critical_points import CRITICAL_TEMPERATURE, POWERS, Points
from ...analysis.stationary_law import GRID, stationary_density
from ...report.figures import colour, dots, line, panels
from .compare import HISTOGRAM, SizeFindings

TINY = 1e-30
LABELS = (r"$\langle |m| \rangle$", r"$\chi'$", r"Binder cumulant $U$")
SCALED = (r"$\langle |m| \rangle L^{1/8}$", r"$\chi' L^{-7/4}$", r"$U$")


def points(path: Path, predicted: Points, direct: Points) -> None:
    """<|m|>, chi' and U against T: predicted (lines and bands) and direct (dots)."""
    T = np.array(direct.temperatures)
    fine, degree = np.linspace(T[0], T[-1], 60), min(2, len(T) - 1)
    with panels(path, 3, width=4.0) as axes:
        for k, ax in enumerate(axes):
            for i, size in enumerate(direct.sizes):
                rows = predicted.values[i, :, k], predicted.errors[i, :, k]
                smooth, band = (make_interp_spline(T, y, degree)(fine) for y in rows)
                line(ax, fine, smooth, colour(i), band)
                own = direct.values[i, :, k], colour(i), direct.errors[i, :, k]
                dots(ax, T, *own, ms=3, label=f"L = {size}")
            ax.axvline(CRITICAL_TEMPERATURE, color="0.7", lw=0.8, ls=":")
            ax.set(xlabel="temperature", ylabel=LABELS[k])
        axes[1].set_yscale("log")


def scaled(path: Path, predicted: Points, direct: Points) -> None:
    """Collapse with the exact exponents: predicted (crosses) and direct (dots)."""
    with panels(path, 3, width=4.0) as axes:
        for k, ax in enumerate(axes):
            for own, mark in ((direct, "o"), (predicted, "x")):
                for i, size in enumerate(own.sizes):
                    x = (np.array(own.temperatures) - CRITICAL_TEMPERATURE) * size
                    y, error = (
                        rows[i, :, k] * size ** -POWERS[k] for rows in (own.values, own.errors)
                    )
                    label = f"L = {size}" if mark == "o" else None
                    dots(ax, x, y, colour(i), error, fmt=mark, label=label)
            ax.set(xlabel=r"$(T - T_c)\,L$", ylabel=SCALED[k])


def potential(path: Path, size: int, own: SizeFindings) -> None:
    """Drift and diffusion of the members, and the law of m that follows, beside direct runs."""
    inside, middle = np.abs(GRID) <= own.tables[0][0].reach, (HISTOGRAM[1:] + HISTOGRAM[:-1]) / 2
    m = GRID[inside]
    with panels(path, 3, width=4.0) as axes:
        for i, (T, members) in enumerate(zip(own.temperatures, own.tables)):
            for table in members:
                for ax, values in zip(axes, (table.drift, table.diffusion)):
                    line(ax, m, size**2 * values[inside], colour(i), lw=0.5, alpha=0.6)
            law = np.mean([stationary_density(table)[inside] for table in members], axis=0)
            line(axes[2], m, -np.log(np.maximum(law, TINY)), colour(i), label=f"T = {T:g}")
            seen = own.histograms[i] > 0
            dots(axes[2], middle[seen], -np.log(own.histograms[i][seen]), colour(i), fmt=".", ms=3)
        axes[0].axhline(0, color="0.8", lw=0.8)
        axes[0].set(xlabel="m", ylabel=r"drift $\times\ n$", title=f"L = {size}")
        axes[1].set(xlabel="m", ylabel=r"diffusion $\times\ n$", ylim=(0, None))
        axes[2].set(xlabel="m", ylabel=r"$-\ln p(m)$", ylim=(None, 6))
