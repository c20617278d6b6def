"""Figures of the study of critical Ising models, as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.interpolate import make_interp_spline

from ...arrays import Array
from ...files import save_figure
from ...plots import _colour, _figure
from .findings import SizeFindings
from .law import GRID, stationary_density
from .points import CRITICAL_TEMPERATURE, EXACT, Points
from .runs import HISTOGRAM

TINY = 1e-30
LABELS = (r"$\langle |m| \rangle$", r"$\chi'$", r"Binder cumulant $U$")


def plot_points(path: Path, predicted: Points, direct: Points) -> None:
    """<|m|>, chi' and U against T: predicted (lines and bands) and direct (dots)."""
    figure, axes = _figure(3, width=4.0)
    T = np.array(direct.temperatures)
    fine = np.linspace(T[0], T[-1], 60)
    degree = min(2, len(T) - 1)
    for k, ax in enumerate(axes):
        for i, size in enumerate(direct.sizes):
            value, error = predicted.values[i, :, k], predicted.errors[i, :, k]
            smooth = [
                make_interp_spline(T, y, degree)(fine)
                for y in (value, value - error, value + error)
            ]
            ax.plot(fine, smooth[0], color=_colour(i), lw=1)
            ax.fill_between(fine, *smooth[1:], color=_colour(i), alpha=0.25, lw=0)
            own = direct.values[i, :, k], direct.errors[i, :, k]
            ax.errorbar(T, *own, fmt="o", ms=3, color=_colour(i), label=f"L = {size}")
        ax.axvline(CRITICAL_TEMPERATURE, color="0.7", lw=0.8, ls=":")
        ax.set(xlabel="temperature", ylabel=LABELS[k])
    axes[1].set_yscale("log")
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path, dpi=110)


def plot_potential(path: Path, size: int, own: SizeFindings) -> None:
    """Drift and diffusion of the members, and the law of m that follows, beside direct runs."""
    figure, axes = _figure(3, width=4.0)
    inside = np.abs(GRID) <= own.fits[0].reach
    middle = (HISTOGRAM[1:] + HISTOGRAM[:-1]) / 2
    n = size**2
    for i, T in enumerate(own.temperatures):
        colour = _colour(i)
        for table in own.tables[i]:
            axes[0].plot(GRID[inside], n * table.drift[inside], color=colour, lw=0.5, alpha=0.6)
            axes[1].plot(GRID[inside], n * table.diffusion[inside], color=colour, lw=0.5, alpha=0.6)
        law = np.mean([stationary_density(table) for table in own.tables[i]], axis=0)
        seen = own.histograms[i] > 0
        axes[2].plot(
            GRID[inside],
            -np.log(np.maximum(law[inside], TINY)),
            color=colour,
            lw=1,
            label=f"T = {T:g}",
        )
        axes[2].plot(middle[seen], -np.log(own.histograms[i][seen]), ".", ms=3, color=colour)
    axes[0].axhline(0, color="0.8", lw=0.8)
    axes[0].set(xlabel="m", ylabel=r"drift $\times\ n$", title=f"L = {size}")
    axes[1].set(xlabel="m", ylabel=r"diffusion $\times\ n$", ylim=(0, None))
    axes[2].set(xlabel="m", ylabel=r"$-\ln p(m)$", ylim=(None, 6))
    axes[2].legend(frameon=False, fontsize=7)
    save_figure(figure, path, dpi=110)


def plot_scaled(path: Path, predicted: Points, direct: Points) -> None:
    """Collapse with the exact exponents: predicted (crosses) and direct (dots)."""
    figure, axes = _figure(3, width=4.0)
    powers = (EXACT["beta_over_nu"], -EXACT["gamma_over_nu"], 0.0)
    names = (r"$\langle |m| \rangle L^{1/8}$", r"$\chi' L^{-7/4}$", r"$U$")
    for k, ax in enumerate(axes):
        for points, mark in ((direct, "o"), (predicted, "x")):
            for i, size in enumerate(points.sizes):
                x = (np.array(points.temperatures) - CRITICAL_TEMPERATURE) * size
                y, error = _scaled(points, i, k, size ** powers[k])
                label = f"L = {size}" if mark == "o" else None
                style = {"fmt": mark, "ms": 4, "color": _colour(i), "label": label}
                ax.errorbar(x, y, error, lw=1, **style)
        ax.set(xlabel=r"$(T - T_c)\,L$", ylabel=names[k])
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path, dpi=110)


def _scaled(points: Points, i: int, k: int, factor: float) -> tuple[Array, Array]:
    return points.values[i, :, k] * factor, points.errors[i, :, k] * factor
