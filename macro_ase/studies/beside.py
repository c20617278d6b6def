"""Predicted runs beside direct ones, and what reports show of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from ..analysis.assumptions import PatchCheck
from ..analysis.run_errors import LateMoments, late_moments, mean_errors
from ..arrays import Array
from ..report import Figure, Metric, Table, Value, figures
from ..report.parts import Cell

SHOWN = 50


@dataclass(frozen=True)
class Beside:
    """One prediction and its truth.

    ``label`` sets it apart, such as a condition; ``true``, ``second`` (which shows what noise alone
    does to errors) and ``small``, of the small system itself, are direct runs, shape (n_starts,
    runs, n_t, d), as is ``predicted``, one member's runs after another's.
    """

    label: str
    times: Array
    true: Array
    second: Array
    predicted: Array
    small: Array
    members: int
    check: PatchCheck

    @cached_property
    def both(self) -> Array:
        """Both sets of direct runs, shape (n_starts, 2 runs, n_t, d)."""
        return np.concatenate([self.true, self.second], axis=1)

    @cached_property
    def direct(self) -> LateMoments:
        """Moments of the second halves of all direct runs."""
        return late_moments(self.both)

    @cached_property
    def late(self) -> LateMoments:
        """Moments of the second halves of predicted runs."""
        return late_moments(self.predicted, self.members)

    @cached_property
    def errors(self) -> Array:
        """Errors of the mean path, shape (n_starts, d)."""
        return mean_errors(self.predicted.mean(axis=1), self.true.mean(axis=1))

    @cached_property
    def floor(self) -> Array:
        """Mean error of truth against truth, shape (d,)."""
        floor: Array = mean_errors(self.second.mean(axis=1), self.true.mean(axis=1)).mean(axis=0)
        return floor


def error_metric(errors: Array, floor: float) -> Metric:
    """Mean over initial states, shape (n_starts,), with its standard error; the truth is 0."""
    spread = errors.std() / np.sqrt(max(len(errors) - 1, 1))
    return Metric(float(errors.mean()), float(spread), 0.0, float(floor))


def late_metric(own: LateMoments, direct: LateMoments, what: str, k: int) -> Metric:
    """A late ``"mean"`` or ``"std"`` of an observable beside the direct one and its error."""
    ends = (what, f"{what}_error")
    value, error, truth, noise = (float(getattr(m, e)[k]) for m in (own, direct) for e in ends)
    return Metric(value, error, truth, noise)


def late_table(cases: Sequence[Beside], names: Sequence[str], of: str) -> Table:
    """Mean and spread of the second halves of runs."""
    rows: list[list[Cell]] = []
    for case in cases:
        for k, name in enumerate(names):
            for way, m in (("predicted", case.late), ("direct", case.direct)):
                mean, std = Value(m.mean[k], m.mean_error[k]), Value(m.std[k], m.std_error[k])
                rows.append([case.label, name, way, mean, std])
    columns = [of, "observable", "", "mean", "standard deviation"]
    return Table("Second halves of runs", columns, rows)


def baselines_table(
    cases: Sequence[Beside], names: Sequence[str], of: str, equal: float, known: str = ""
) -> Table:
    """Late means by the model, by the small system itself, and by direct runs of equal cost.

    ``of`` says what labels are, ``equal`` how many direct runs cost what the learned route did, of
    all cases; ``known`` what is known exactly of the small system's offset.
    """
    rows: list[list[Cell]] = []
    for case in cases:
        n, truth, own = case.both[..., 0, 0].size, case.direct, late_moments(case.small)
        for k, name in enumerate(names):
            for way, m in (("model", case.late), ("small system itself", own)):
                off = m.mean[k] - truth.mean[k]
                error = float(np.hypot(m.mean_error[k], truth.mean_error[k]))
                own_value = Value(m.mean[k], m.mean_error[k])
                rows.append([case.label, name, way, own_value, Value(off, error)])
            spread = float(truth.mean_error[k] * np.sqrt(n / max(equal / len(cases), 1e-9)))
            rows.append([case.label, name, "direct runs of equal cost", None, Value(0.0, spread)])
    columns = [of, "observable", "way", "late mean", "less that of all direct runs"]
    caption = f"What the simplest other ways give, for {equal:.3g} direct runs' cost. {known}"
    return Table(caption.strip(), columns, rows)


def run_figures(
    cases: Sequence[Beside], names: Sequence[str], starts: Sequence[str] = ()
) -> list[Figure]:
    """Means over runs from each initial state, a figure an observable, a panel a case."""
    made = []
    for k, name in enumerate(names):
        caption = f"Mean {name} over runs: predicted (lines) and direct (dots)."
        draw = partial(_draw_runs, cases=cases, k=k, name=name, starts=starts)
        made.append(Figure(f"runs_{k}.png", caption, draw))
    return made


def _draw_runs(
    path: Path, cases: Sequence[Beside], k: int, name: str, starts: Sequence[str]
) -> None:
    with figures.panels(path, len(cases), width=4.2) as axes:
        for ax, case in zip(axes, cases):
            shown = slice(0, SHOWN + 1) if starts else slice(None)
            predicted, true = (x[:, :, shown, k].mean(axis=1) for x in (case.predicted, case.true))
            times, labels = case.times[shown], list(starts) or None
            every = max(1, len(times) // SHOWN)
            shades = figures.shades(len(true))
            figures.beside(ax, times, predicted, true, labels, every=every, colours=shades)
            ax.set(xlabel="time", title=case.label)
        axes[0].set_ylabel(name)


def late_figure(cases: Sequence[Beside], names: Sequence[str], together: bool) -> Figure:
    """Histograms over the second halves of runs; all cases in one panel if they share the truth."""
    groups = [list(cases)] if together else [[case] for case in cases]

    def draw(path: Path) -> None:
        with figures.panels(path, len(names) * len(groups), width=4.4) as axes:
            of_panels = [(group, k) for group in groups for k in range(len(names))]
            for ax, (group, k) in zip(axes, of_panels):
                half = len(group[0].times) // 2
                predicted = {c.label or "predicted": c.predicted[:, :, half:, k] for c in group}
                figures.histograms(ax, group[0].true[:, :, half:, k], predicted)
                ax.set(xlabel=names[k], title="" if together else group[0].label)

    return Figure("late.png", "Second halves of runs: predicted (lines), direct (filled).", draw)


def training_figure(history: Array, label: str = "") -> Figure:
    """Losses of an ensemble."""
    name = f"training_{label}.png" if label else "training.png"
    caption = f"Training, {label}." if label else "Training of the ensemble."
    return Figure(name.replace(" ", ""), caption, partial(figures.training, history=history))
