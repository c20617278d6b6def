"""Figures of the predator-prey study, as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...files import save_figure
from ...plots import _colour, _figure
from ...sampling.field_pairs import Array

NAMES = ("mean u", "mean v")


def plot_runs(path: Path, times: Array, predicted: Array, true: Array, labels: list[str]) -> None:
    """Mean and spread over runs, predicted (lines, bands) and direct (dots), from some waves."""
    figure, axes = _figure(2, width=4.8)
    shown = np.linspace(0, len(labels) - 1, min(3, len(labels))).astype(int)
    for k, (ax, name) in enumerate(zip(axes, NAMES)):
        for i, number in enumerate(shown):
            mean, std = (f(predicted[number, ..., k], axis=0) for f in (np.mean, np.std))
            ax.fill_between(times, mean - std, mean + std, color=_colour(i), alpha=0.2, lw=0)
            ax.plot(times, mean, color=_colour(i), label=labels[number])
            ax.plot(times[::4], true[number, :, ::4, k].mean(axis=0), ".", ms=3, color=_colour(i))
        ax.set(xlabel="time", ylabel=name)
    axes[-1].legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def plot_spread(path: Path, times: Array, predicted: Array, true: Array) -> None:
    """Standard deviation over runs, averaged over waves, predicted (lines) and direct (dots)."""
    figure, (ax,) = _figure(width=5.6)
    for k, name in enumerate(NAMES):
        for runs, style in ((predicted, "-"), (true, ".")):
            std = np.sqrt(runs[..., k].var(axis=1, ddof=1).mean(axis=0))
            step = 1 if style == "-" else 4
            ax.plot(times[::step], std[::step], style, ms=3, color=_colour(k), label=name)
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[::2], names[::2], frameon=False, fontsize=8)
    ax.set(xlabel="time", ylabel="standard deviation over runs")
    save_figure(figure, path)


def plot_lambdas(
    path: Path, lambdas: list[float], scores: Array, errors: Array, centred: Array, floor: float
) -> None:
    """MMD^2 against lambda, as predicted and with the mean put right, above the floor."""
    figure, (ax,) = _figure(width=5.6)
    ax.errorbar(lambdas, scores, errors, fmt="o-", ms=4, capsize=2, label="predicted")
    ax.plot(lambdas, centred, "s--", ms=4, color=_colour(1), label="mean put right")
    ax.axhline(floor, color="0.6", lw=1, label="truth against truth")
    ax.set(xscale="log", xlabel=r"$\lambda$", ylabel="squared MMD")
    ax.set_ylim(bottom=0)
    ax.set_xticks(lambdas, [f"{x:g}" for x in lambdas])
    ax.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
