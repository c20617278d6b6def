"""Figures of the study of critical Ising models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.interpolate import make_interp_spline

from ...analysis.critical_points import POWERS, Points
from ...analysis.exact_ising import CRITICAL_TEMPERATURE
from ...analysis.stationary_law import GRID, stationary_density
from ...report.figures import colour, dots, line, panels
from .compare import HISTOGRAM, SizeFindings

TINY = 1e-30
LABELS = (r"$\langle |m| \rangle$", r"$\chi'$", r"Binder cumulant $U$")
SCALED = (r"$\langle |m| \rangle L^{1/8}$", r"$\chi' L^{-7/4}$", r"$U$")


def points(path: Path, predicted: Points, direct: Points, scaled: bool) -> None:
    """<|m|>, chi' and U, predicted (lines, bands) and direct (dots), against T or as a collapse."""
    degree = min(2, len(direct.temperatures) - 1)
    with panels(path, 3, width=4.0) as axes:
        for k, ax in enumerate(axes):
            for i, size in enumerate(direct.sizes):
                x, factor = np.array(direct.temperatures), 1.0
                if scaled:
                    x, factor = (x - CRITICAL_TEMPERATURE) * size, size ** -POWERS[k]
                fine, every = np.linspace(x[0], x[-1], 60), (predicted.values, predicted.errors)
                smooth, band = (
                    make_interp_spline(x, factor * y[i, :, k], degree)(fine) for y in every
                )
                line(ax, fine, smooth, colour(i), band)
                y, error = (factor * own[i, :, k] for own in (direct.values, direct.errors))
                dots(ax, x, y, colour(i), error, ms=3, label=f"L = {size}")
            ax.axvline(0.0 if scaled else CRITICAL_TEMPERATURE, color="0.7", lw=0.8, ls=":")
            label = SCALED[k] if scaled else LABELS[k]
            ax.set(xlabel=r"$(T - T_c)\,L$" if scaled else "temperature", ylabel=label)
        axes[1].set_yscale("linear" if scaled else "log")


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
