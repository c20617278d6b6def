"""Figures as they were made before `report.figures`; goes with the last study that uses it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .report.figures import colour as _colour
from .report.figures import training as plot_training

__all__ = ["_colour", "_figure", "plot_training"]


def _figure(columns: int = 1, width: float = 5.2, height: float = 3.8) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(width * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.atleast_1d(figure.subplots(1, columns)))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes
