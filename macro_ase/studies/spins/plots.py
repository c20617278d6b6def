"""Figures of the studies of spin models, as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import colormaps

from ...files import save_figure
from ...plots import _colour, _figure
from .findings import SpinFindings
from .scan import Scan

SHOWN = 50


def plot_runs(
    path: Path, findings: SpinFindings, starts: list[float], names: tuple[str, ...]
) -> None:
    """Means over runs, predicted (lines) and direct (dots), one panel an observable and side."""
    sides, shown = list(findings.predicted), slice(0, SHOWN)
    colours = colormaps["viridis"](np.linspace(0, 0.9, len(starts)))
    for k, name in enumerate(names):
        figure, axes = _figure(len(sides), width=4.2)
        for ax, side in zip(axes, sides):
            for i, start in enumerate(starts):
                true = findings.true[i, :, shown, k].mean(axis=0)
                predicted = findings.predicted[side][i, :, shown, k].mean(axis=0)
                ax.plot(findings.times[shown], predicted, color=colours[i], label=f"{start:g}")
                ax.plot(findings.times[shown], true, ".", ms=4, color=colours[i])
            ax.set(xlabel="time", title=f"patches of {side} x {side}")
        axes[0].set_ylabel(name)
        axes[-1].legend(frameon=False, fontsize=7, title="initial m", title_fontsize=7)
        save_figure(figure, path / f"runs_{k}.png")


def plot_late(path: Path, findings: SpinFindings, names: tuple[str, ...]) -> None:
    """Histograms over the second halves of runs, predicted (lines) and direct (filled)."""
    figure, axes = _figure(len(names), width=4.6)
    half = len(findings.times) // 2
    for k, (ax, name) in enumerate(zip(axes, names)):
        true = findings.true[:, :, half:, k].ravel()
        low, high = np.quantile(true, [0.0005, 0.9995])
        bins = np.linspace(float(low), float(high), 60).tolist()
        ax.hist(true, bins, density=True, color="0.85", label="direct")
        for i, (side, runs) in enumerate(findings.predicted.items()):
            values = runs[:, :, half:, k].ravel()
            label = f"{side} x {side}"
            ax.hist(values, bins, density=True, histtype="step", color=_colour(i), label=label)
        ax.set(xlabel=name, ylabel="density")
        ax.legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def plot_scan(path: Path, scan: Scan, names: tuple[str, ...]) -> None:
    """Drift against the time step, by buffer and boundary."""
    figure, axes = _figure(len(names), width=4.6)
    for k, (ax, name) in enumerate(zip(axes, names)):
        for i, way in enumerate(dict.fromkeys(row.name for row in scan.rows)):
            rows = [row for row in scan.rows if row.name == way]
            ax.errorbar(
                [row.dt for row in rows],
                [row.drift[k] for row in rows],
                [row.drift_error[k] for row in rows],
                fmt="o-",
                ms=4,
                color=_colour(i),
                capsize=2,
                label=way,
            )
        steps = sorted({row.dt for row in scan.rows})
        ax.set(xscale="log", xlabel="time step", ylabel=f"mean change of {name} per unit of time")
        ax.set_xticks(steps, [f"{dt:g}" for dt in steps])
        ax.minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path)
