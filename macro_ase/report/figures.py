"""What figures share: panels, colours, lines beside dots, histograms, training curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..files import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#3b6fb6", "#c8553d", "#4c956c", "#8f6bb1", "#d99a2b", "#5b6770")


def colour(k: int) -> str:
    """The k-th colour of things that differ in kind."""
    return COLOURS[k % len(COLOURS)]


def shades(n: int) -> list[Any]:
    """Colours of n things in an order, from dark to light."""
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0, 0.9, n)))


@contextmanager
def panels(
    path: Path, columns: int = 1, width: float = 5.2, height: float = 3.8
) -> Iterator[list[Axes]]:
    """Panels side by side, each so many inches wide, for the block to draw in; saved when it ends.

    Each that has labels and no legend yet gets one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(1, columns)))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    yield axes
    for ax in axes:
        if ax.get_legend() is None and ax.get_legend_handles_labels()[1]:
            ax.legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def line(
    ax: Axes, x: ArrayLike, y: ArrayLike, color: Any, band: ArrayLike | None = None, **style: Any
) -> None:
    """A line and, in its colour, a band of y plus and minus ``band``."""
    x, y = np.asarray(x), np.asarray(y)
    ax.plot(x, y, color=color, **({"lw": 1} | style))
    if band is not None:
        ax.fill_between(x, y - np.asarray(band), y + np.asarray(band), color=color, alpha=0.2, lw=0)


def dots(
    ax: Axes, x: ArrayLike, y: ArrayLike, color: Any, error: ArrayLike | None = None, **style: Any
) -> None:
    """Dots with error bars; ``fmt="o-"`` joins them. Errors that are not known are left out."""
    usual: dict[str, Any] = {"fmt": "o", "ms": 4, "lw": 1, "capsize": 0 if error is None else 2}
    bars = None if error is None else np.abs(np.nan_to_num(np.asarray(error, dtype=float)))
    ax.errorbar(np.asarray(x), np.asarray(y), bars, color=color, **(usual | style))


def beside(
    ax: Axes,
    x: ArrayLike,
    predicted: ArrayLike,
    true: ArrayLike,
    labels: Sequence[str] | None = None,
    bands: ArrayLike | None = None,
    every: int = 1,
    colours: Sequence[Any] | None = None,
) -> None:
    """Predicted curves as lines with bands, beside true ones as dots; every so many of these.

    ``x`` has shape (n,); ``predicted``, ``true`` and ``bands``, half heights, (curves, n).
    """
    x, predicted, true = np.asarray(x), np.asarray(predicted), np.asarray(true)
    for k, (own, real) in enumerate(zip(predicted, true, strict=True)):
        shade = colours[k] if colours is not None else colour(k)
        band = None if bands is None else np.asarray(bands)[k]
        line(ax, x, own, shade, band, label=labels[k] if labels else None)
        dots(ax, x[::every], real[::every], shade, fmt=".", ms=3)


def histograms(
    ax: Axes, true: ArrayLike, predicted: Mapping[str, ArrayLike], bins: int = 60
) -> None:
    """Density of true values, filled, and of predicted ones by label, as lines."""
    values = np.ravel(true)
    low, high = np.quantile(values, [0.0005, 0.9995])
    edges = np.linspace(float(low), float(high), bins).tolist()
    ax.hist(values, edges, density=True, color="0.85", label="direct")
    for k, (label, own) in enumerate(predicted.items()):
        ax.hist(np.ravel(own), edges, density=True, histtype="step", color=colour(k), label=label)
    ax.set_ylabel("density")


def log_ticks(ax: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis of x with ticks at these values only."""
    ax.set_xscale("log")
    ax.set_xticks(values, [f"{x:g}" for x in values])
    ax.minorticks_off()


def training(path: Path, history: ArrayLike) -> None:
    """Training and validation loss of an ensemble, ``history`` of shape (members, epochs, 2)."""
    history = np.asarray(history)
    with panels(path) as (ax,):
        for k, losses in enumerate(history):
            ax.plot(losses[:, 0], color=colour(k), lw=1)
            ax.plot(losses[:, 1], color=colour(k), lw=1.6, ls="--", label=f"member {k + 1}")
        low, high = np.nanmin(history), np.nanquantile(history, 0.9)
        ax.set_ylim(low - 0.05 * abs(high - low) - 0.005, high + 0.5 * abs(high - low))
        ax.set(xlabel="epoch", ylabel="negative log-likelihood (dashed: validation)")
