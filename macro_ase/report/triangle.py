"""Values over the compositions of three species: a triangle a value, pure species at corners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..files import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = np.sqrt(3) / 2
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, HEIGHT]])
LEVELS, WIDTH, ROUND = 21, 3.1, 0.05


def triangle(
    path: Path,
    fractions: ArrayLike,
    values: ArrayLike,
    names: Sequence[str],
    corners: Sequence[str],
    marked: Sequence[tuple[ArrayLike, ArrayLike | None, str]] = (),
    columns: int = 3,
) -> None:
    """Draw values over a triangle of compositions, all in one scale of colours around 0.

    Parameters
    ----------
    path : Path
    fractions : array, shape (n, 3)
    values : array, shape (n, k)
        nan where a value is not defined.
    names : sequence of str, length k
    corners : sequence of str, length 3
    marked : sequence of (fractions (m, 3), values (m, k) or None, str)
        Points as markers of matplotlib, in the colours of their values or empty.
    columns : int
        Panels side by side.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.tri import Triangulation

    at, own = _plane(fractions), np.asarray(values, dtype=float)
    shown = [own, *(np.asarray(v, dtype=float) for _, v, _ in marked if v is not None)]
    most = max(float(np.nanmax(np.abs(v), initial=0.0)) for v in shown)
    most = max(1.0, np.ceil(most / ROUND)) * ROUND
    levels = np.linspace(-most, most, LEVELS)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH * columns, 0.95 * WIDTH * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for k, (ax, name) in enumerate(zip(axes, names)):
        there = np.isfinite(own[:, k])
        mesh = Triangulation(*at[there].T)
        drawn = ax.tricontourf(mesh, own[there, k], levels, cmap="RdBu_r")
        for points, truth, marker in marked:
            style: dict[str, Any] = {"marker": marker, "s": 24, "linewidths": 0.8}
            if truth is None:
                style |= {"facecolors": "none", "edgecolors": "0.35"}
            else:
                colours = np.asarray(truth, dtype=float)[:, k]
                style |= {"c": colours, "cmap": "RdBu_r", "vmin": -most, "vmax": most}
                style |= {"edgecolors": "k"}
            ax.scatter(*_plane(points).T, **style)
        _frame(ax, corners)
        ax.set_title(name, fontsize=10)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    figure.colorbar(
        drawn, ax=axes.tolist(), shrink=0.7, ticks=levels[::5], label=r"Warren-Cowley $\alpha$"
    )
    save_figure(figure, path)


def _plane(fractions: ArrayLike) -> NDArray[np.float64]:
    points: NDArray[np.float64] = np.asarray(fractions, dtype=float) @ CORNERS
    return points


def _frame(ax: Axes, corners: Sequence[str]) -> None:
    ax.plot(*CORNERS[[0, 1, 2, 0]].T, color="0.3", lw=0.8)
    for (x, y), name, up in zip(CORNERS, corners, (-0.07, -0.07, 0.04)):
        ax.text(x, y + up, name, ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.08, 1.08), ylim=(-0.13, HEIGHT + 0.1), aspect="equal")
    ax.set_axis_off()
