"""Figures of the studies of alloys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...analysis.order_comparison import OrderComparison
from ...files import save_figure
from ...plots import _colour, _figure
from ...sampling.time_step import TimeStepScan
from ...systems.alloy_order import BondOrder

Array = NDArray[np.float64]


def plot_order(path: Path, comparison: OrderComparison, order: BondOrder) -> None:
    """Warren-Cowley parameters against temperature, predicted (lines) and direct (points)."""
    figure, (ax,) = _figure(width=6.4, height=4.4)
    factor = order.alpha(np.ones(len(comparison.names)))
    for k, name in enumerate(comparison.names):
        true, predicted = comparison.delta_true, comparison.delta_predicted
        ax.errorbar(
            comparison.temperatures_K,
            true.value[:, k] * factor[k],
            np.abs(true.error[:, k] * factor[k]),
            fmt="o",
            ms=5,
            color=_colour(k),
            capsize=2,
        )
        ax.plot(
            comparison.temperatures_K,
            predicted.value[:, k] * factor[k],
            color=_colour(k),
            label=name,
        )
    ax.axhline(0, color="0.7", lw=0.8, zorder=0)
    ax.set(xlabel="temperature (K)", ylabel=r"Warren-Cowley $\alpha$, first shell")
    ax.set_title("lines: predicted from patches; points: direct", fontsize=10)
    ax.legend(frameon=False, fontsize=8, ncols=2)
    save_figure(figure, path)


def plot_relaxation(
    path: Path,
    comparison: OrderComparison,
    direct: Sequence[Sequence[Mapping[str, Array]]],
    predicted: Sequence[tuple[Array, Array]],
    order: BondOrder,
    horizons: Sequence[int],
    time_unit: str,
) -> None:
    """Bond densities against time at the lowest, a middle and the highest temperature."""
    chosen = sorted({0, len(direct) // 2, len(direct) - 1})
    figure, axes = _figure(len(chosen), width=4.4)
    for ax, t in zip(axes, chosen):
        stop = horizons[t]
        times, z = predicted[t]
        for k, name in enumerate(order.pair_names):
            mean, spread = z[..., :stop, k].mean((0, 1)), z[..., :stop, k].std((0, 1))
            ax.fill_between(times[:stop], mean - spread, mean + spread, color=_colour(k), alpha=0.2)
            ax.plot(times[:stop], mean, color=_colour(k), label=name)
            for run in direct[t]:
                ax.plot(run["times"][:stop], run["z"][:stop, k], ":", lw=1, color=_colour(k))
        ax.set(xlabel=f"time ({time_unit})", title=f"{comparison.temperatures_K[t]:g} K")
    axes[0].set_ylabel("bonds per site")
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def plot_spread_and_time(path: Path, comparison: OrderComparison) -> None:
    """Ratios of predicted to true spread and relaxation time."""
    figure, axes = _figure(2, width=4.4)
    for ax, estimate, label, band in (
        (axes[0], comparison.std_ratio, "standard deviation", 0.2),
        (
            axes[1],
            comparison.relaxation_ratio,
            f"{comparison.relaxation_name} relaxation time",
            0.3,
        ),
    ):
        ax.axhspan(1 - band, 1 + band, color="0.93", zorder=0)
        ax.axhline(1, color="0.6", lw=0.8)
        ax.errorbar(
            comparison.temperatures_K,
            estimate.value,
            np.nan_to_num(estimate.error),
            fmt="o",
            color=_colour(0),
            capsize=2,
        )
        ax.set(xlabel="temperature (K)", ylabel=f"{label}: predicted / direct", ylim=(0.4, 1.6))
    save_figure(figure, path)


def plot_time_steps(path: Path, scan: TimeStepScan) -> None:
    """Slowest relaxation time of small runs against the time step."""
    figure, (ax,) = _figure()
    for k, temperature in enumerate(scan.temperatures):
        ax.plot(scan.steps, scan.slowest[k], "o-", ms=4, label=f"{temperature:g} K")
    ax.axvline(scan.chosen, color="0.7", ls="--")
    ax.set(
        xscale="log", yscale="log", xlabel="step (mean events)", ylabel="slowest time (mean events)"
    )
    ax.legend(frameon=False, fontsize=7, ncols=2)
    save_figure(figure, path)
