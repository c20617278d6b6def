"""Figures of the studies of alloys."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ...report import Figure
from ...report.figures import colour, dots, line, panels, shades
from .compare import Findings
from .design import Design


def _order(path: Path, d: Design, f: Findings) -> None:
    c = f.comparison
    factor = d.system.order.alpha(np.ones(len(c.names)))
    true, error, predicted = c.delta_true.value, c.delta_true.error, c.delta_predicted.value
    with panels(path, width=6.4, height=4.4) as (ax,):
        for k, name in enumerate(c.names):
            dots(ax, d.temperatures, true[:, k] * factor[k], colour(k), error[:, k] * factor[k])
            line(ax, d.temperatures, predicted[:, k] * factor[k], colour(k), label=name)
        ax.axhline(0, color="0.7", lw=0.8, zorder=0)
        ax.set(xlabel="temperature (K)", ylabel=r"Warren-Cowley $\alpha$, first shell")
        ax.legend(frameon=False, fontsize=8, ncols=2)


def _relaxation(path: Path, d: Design, f: Findings) -> None:
    """At the lowest, a middle and the highest temperature."""
    chosen = sorted({0, len(f.curves) // 2, len(f.curves) - 1})
    with panels(path, len(chosen), width=4.4) as axes:
        for ax, t in zip(axes, chosen):
            curves = f.curves[t]
            for k, name in enumerate(d.system.order.pair_names):
                mean, spread = curves.mean[:, k], curves.spread[:, k]
                line(ax, curves.times, mean, colour(k), spread, label=name)
                for z in curves.direct:
                    line(ax, curves.times, z[:, k], colour(k), ls=":")
            ax.set(xlabel=f"time ({d.system.time_unit})", title=f"{d.temperatures[t]:g} K")
            scale = d.laboratory_scale(d.temperatures[t])[0]
            if scale:
                there, back = partial(np.multiply, scale), partial(np.multiply, 1 / scale)
                top = ax.secondary_xaxis("top", (there, back))
                top.ticklabel_format(axis="x", scilimits=(-2, 3))
                top.set_xlabel(f"in the laboratory ({d.system.time_unit})", fontsize=8)
        axes[0].set_ylabel("bonds per site")


def _ratios(path: Path, d: Design, f: Findings) -> None:
    c = f.comparison
    shown = (
        (c.std_ratio, "standard deviation", 0.03),
        (c.relaxation_ratio, "relaxation time", 0.08),
    )
    with panels(path, 2, width=4.4) as axes:
        for ax, (ratio, name, band) in zip(axes, shown):
            ax.axhspan(1 - band, 1 + band, color="0.93", zorder=0)
            ax.axhline(1, color="0.6", lw=0.8)
            for k, pair in enumerate(c.pair_names):
                value, error = ratio.value[:, k], ratio.error[:, k]
                dots(ax, d.temperatures, value, colour(k), error, label=pair)
            ylabel = f"{name}: predicted / direct"
            ax.set(xlabel="temperature (K)", ylabel=ylabel, ylim=(0.4, 1.6))
        axes[0].legend(frameon=False, fontsize=8)


def _time_steps(path: Path, d: Design, f: Findings) -> None:
    with panels(path) as (ax,):
        for t, slowest, shade in zip(d.temperatures, f.scan.slowest, shades(len(d.temperatures))):
            dots(ax, f.scan.steps, slowest, shade, fmt="o-", label=f"{t:g} K")
        ax.axvline(f.scan.chosen, color="0.7", ls="--")
        ax.set(xscale="log", yscale="log")
        ax.set(xlabel="step (mean events)", ylabel="slowest time (mean events)")


FIGURES = {
    "order": (_order, "Stationary first-shell order: predicted from patches (lines), direct."),
    "relaxation": (
        _relaxation,
        "Bond densities from the initial state: predicted mean and one standard deviation (lines "
        "and bands), direct runs (dotted).",
    ),
    "ratios": (_ratios, "Spread and relaxation time over direct; grey: 3 % and 8 %."),
    "time_steps": (
        _time_steps,
        "Slowest relaxation time of small runs against the time step; dashed: the one chosen.",
    ),
}


def shown(d: Design, f: Findings, *names: str) -> list[Figure]:
    """Figures by name."""
    return [Figure(f"{n}.png", FIGURES[n][1], partial(FIGURES[n][0], d=d, f=f)) for n in names]
