"""Figures of a phase transition: cumulants, collapse, exponents, a loop, and a run as a GIF.

Each figure is saved and returned, so a notebook shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from ..files import save_figure
from .binder import Crossing
from .collapse import Collapse, Curves
from .hysteresis import HysteresisLoop
from .scaling import CriticalExponents
from .sweep_table import SweepTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#3b6fb6", "#c8553d", "#4c956c", "#8f6bb1", "#d99a2b", "#5b6770")
LABELS = {
    "m_abs": r"$\langle |m| \rangle$",
    "chi": r"$\chi'$",
    "binder": r"Binder cumulant $U_L$",
    "dbinder_dT": r"$|dU/dT|$",
    "energy": "energy per site / J",
    "specific_heat": "specific heat per site",
}


def plot_column(
    path: str | Path,
    table: SweepTable,
    name: str,
    found: Sequence[Crossing] = (),
    exact: Callable[[int, float], float] | None = None,
) -> Figure:
    """One quantity of a sweep against temperature, a curve a size.

    Parameters
    ----------
    path : str or Path
    table : SweepTable
    name : str
        One of `response.QUANTITIES`.
    found : sequence of Crossing
        Drawn as crosses with their errors: for ``name="binder"``.
    exact : callable, optional
        ``exact(size, temperature)``: its curves are drawn in place of lines between the points.
    """
    figure, (ax,) = _figure()
    line = "o-" if exact is None else "o"
    for k, size in enumerate(table.sizes):
        rows = table.of_size(size)
        value, error = rows.column(name)
        colour = COLOURS[k % len(COLOURS)]
        ax.errorbar(
            rows.temperature, value, error, fmt=line, ms=3, lw=1, color=colour, label=f"L = {size}"
        )
        if exact is not None:
            fine = np.linspace(rows.temperature.min(), rows.temperature.max(), 60)
            ax.plot(fine, [exact(size, T) for T in fine.tolist()], color=colour, lw=1)
    for c in found:
        ax.errorbar(
            c.temperature, c.cumulant, c.cumulant_error, c.temperature_error, fmt="kx", zorder=3
        )
    ax.set(xlabel=r"temperature ($J / k_B$)", ylabel=LABELS.get(name, name))
    ax.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
    return figure


def plot_binder(path: str | Path, table: SweepTable, found: Sequence[Crossing] = ()) -> Figure:
    """Cumulants against temperature, with the crossings that `binder.crossings` gave."""
    return plot_column(path, table, "binder", found)


def plot_collapse(path: str | Path, curves: Curves, collapse: Collapse) -> Figure:
    """All points on one master curve, if they fall together."""
    figure, (ax,) = _figure()
    x, y, error = curves.scaled(*collapse.parameters)
    for k, size in enumerate(np.unique(curves.size)):
        here = curves.size == size
        colour = COLOURS[k % len(COLOURS)]
        ax.errorbar(
            x[here], y[here], error[here], fmt="o", ms=3, color=colour, label=f"L = {size:g}"
        )
    ax.set(xlabel=r"$(T - T_c) L^{1/\nu}$", ylabel=rf"value $\times\ L^{{{-collapse.ratio:.3f}}}$")
    ax.set_title(
        rf"$T_c$ = {collapse.critical_temperature:.4f}, $1/\nu$ = {collapse.one_over_nu:.3f}, "
        rf"$\chi^2$/free = {collapse.quality:.2f}",
        fontsize=9,
    )
    ax.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
    return figure


def plot_exponents(path: str | Path, table: SweepTable, exponents: CriticalExponents) -> Figure:
    """The three fits against L that give the exponents, on logarithmic axes."""
    figure, axes = _figure(3)
    row = table.at(exponents.temperature)
    fits = (exponents.order, exponents.response, exponents.slope)
    for ax, name, fit in zip(axes, ("m_abs", "chi", "dbinder_dT"), fits):
        value, error = row.column(name)
        ax.errorbar(row.size, np.abs(value), error, fmt="o", ms=4, color=COLOURS[0])
        ax.plot(row.size, fit(row.size), color=COLOURS[1], lw=1)
        ax.set(xscale="log", yscale="log", xlabel="L", ylabel=LABELS[name])
        ax.set_xticks(row.size, [f"{size}" for size in row.size])
        ax.set_xticks([], minor=True)
        ax.set_title(f"exponent {fit.exponent:.3f} +- {fit.error:.3f}", fontsize=9)
    save_figure(figure, path)
    return figure


def plot_hysteresis(path: str | Path, loop: HysteresisLoop) -> Figure:
    """Order parameter against field; earlier cycles pale."""
    figure, (ax,) = _figure()
    for k, (field, m) in enumerate(zip(loop.field, loop.magnetization)):
        last = k == len(loop.field) - 1
        ax.plot(field.ravel(), m.ravel(), color=COLOURS[0], lw=1.2, alpha=1 if last else 0.3)
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(0, color="0.8", lw=0.8, zorder=0)
    ax.set(xlabel="field (J)", ylabel="magnetisation", title=f"dh/dt = {loop.rate:g}")
    save_figure(figure, path)
    return figure


def animate_states(
    path: str | Path,
    states: Iterable[ArrayLike],
    titles: Sequence[str] = (),
    frames_per_second: int = 10,
    scale: tuple[float, float] = (-1.0, 1.0),
) -> None:
    """Write the states of a run as a GIF.

    Parameters
    ----------
    path : str or Path
        Ends in ``.gif``.
    states : iterable of arrays, shape (L_x, L_y)
        Spins or a field, one state a frame.
    titles : sequence of str
        One a frame, such as its time.
    frames_per_second : int
    scale : (float, float)
        Values shown dark and light.

    Raises
    ------
    ValueError
        If the path does not end in ``.gif``, or there is no state or one that is not
        two-dimensional.
    """
    from matplotlib.animation import PillowWriter

    if Path(path).suffix.lower() != ".gif":
        raise ValueError(f"an animation is written as .gif, not as {Path(path).name}")
    frames: list[NDArray[Any]] = [np.asarray(state) for state in states]
    if not frames or any(frame.ndim != 2 for frame in frames):
        raise ValueError(
            f"an animation needs states of shape (L_x, L_y), not {[f.shape for f in frames[:1]]}"
        )
    figure, (ax,) = _figure(width=3.6, height=3.8)
    image = ax.imshow(frames[0], cmap="gray", vmin=scale[0], vmax=scale[1], interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    writer = PillowWriter(fps=frames_per_second)
    with writer.saving(figure, str(path), dpi=90):
        for k, frame in enumerate(tqdm(frames, desc="animation", disable=None, unit="frame")):
            image.set_data(frame)
            ax.set_title(titles[k] if k < len(titles) else "", fontsize=9)
            writer.grab_frame()


def _figure(columns: int = 1, width: float = 5.2, height: float = 3.8) -> tuple[Figure, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(1, columns)))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes
