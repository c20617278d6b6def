"""The report of a study of a person's own system."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from ...report import Check, Cost, Figure, Metric, Report, Section, Table, Value, figures
from ...report.parts import Cell
from ..checks import patch_checks, patch_table
from ..cost import Routes, cost_of, runs_of_equal_cost
from .compare import Compared, OwnFindings
from .design import OwnDesign

MEAN_LIMIT, SPREAD_LIMIT = 0.1, 0.2
COLUMNS = ("condition", "observable")


def report_of(design: OwnDesign, findings: OwnFindings, quick: bool) -> Report:
    """All parts of the report."""
    labels = [design.label(k) for k in range(len(design.conditions))]
    named = dict(zip(labels, findings.compared))
    checks = {label or "all": c.check for label, c in named.items()}
    names, kind = design.system.names, type(design.system).__name__
    plan, d = design.plan, design.system.dimension
    size, part = (" x ".join([str(side)] * d) for side in (plan.large, plan.small))
    conditions = f" under {len(labels)} conditions" if len(labels) > 1 else ""
    return Report(
        summary=[
            f"{kind} of {size} sites{conditions}: small periodic systems of {part} sites were "
            f"grown, and patches with a buffer of {plan.buffer} evolved alone for dt = "
            f"{plan.dt:g} with the {plan.boundary} boundary" + (" (quick form)." if quick else ".")
        ],
        metrics=_metrics(names, named),
        checks=[*_late_checks(names, findings), *patch_checks(checks)],
        sections=[
            Section(
                "Predicted and direct runs",
                "Means over runs from initial states of the large system, predicted by the model "
                "and simulated directly.",
                [_late_table(names, named)],
                [*_run_figures(design, named), _late_figure(names, named)],
            ),
            Section(
                "Assumptions of the method, measured",
                "From the same large states patches evolve alone and wholes entirely.",
                [patch_table(checks, "condition")],
            ),
            Section(
                "Training",
                figures=[
                    Figure(
                        "training.png",
                        "Training of the ensemble.",
                        lambda path: figures.training(path, findings.history),
                    )
                ],
            ),
        ],
        baselines=_baselines(design, findings, named),
        cost=_cost(design, findings),
    )


def _slug(name: str, label: str) -> str:
    """A key of a metric."""
    words = f"{name} {label}".replace(" = ", "")
    return re.sub(r"[^0-9A-Za-z.]+", "_", words).strip("_")


def _metrics(names: tuple[str, ...], named: dict[str, Compared]) -> dict[str, Metric]:
    metrics = {}
    for label, c in named.items():
        errors, floor = c.errors()
        late, direct = c.late, c.direct
        spread = errors.std(axis=0) / np.sqrt(max(len(errors) - 1, 1))
        for k, name in enumerate(names):
            own = f"{_slug(name, label)}"
            metrics[f"error_{own}"] = Metric(errors[:, k].mean(), spread[k], 0.0, floor[k])
            for what in ("mean", "std"):
                ends = (what, f"{what}_error")
                value, error, truth, noise = (
                    float(getattr(m, end)[k]) for m in (late, direct) for end in ends
                )
                metrics[f"late_{what}_{own}"] = Metric(value, error, truth, noise)
    return metrics


def _late_checks(names: tuple[str, ...], findings: OwnFindings) -> list[Check]:
    """Late means in units of the training states' spread, and late spreads."""
    checks = []
    pairs = [(c.late, c.direct) for c in findings.compared]
    for k, name in enumerate(names):
        miss = [(m.mean[k] - t.mean[k]) / findings.scale[k] for m, t in pairs]
        error = [np.hypot(m.mean_error[k], t.mean_error[k]) / findings.scale[k] for m, t in pairs]
        ratio = [m.std[k] / t.std[k] for m, t in pairs]
        spread = [
            r * np.hypot(m.std_error[k] / m.std[k], t.std_error[k] / t.std[k])
            for r, (m, t) in zip(ratio, pairs)
        ]
        checks += [
            Check(
                f"late mean of {name}",
                miss,
                error,
                -MEAN_LIMIT,
                MEAN_LIMIT,
                "Second halves, predicted less direct, over the spread of the training states.",
            ),
            Check(
                f"late spread of {name}",
                ratio,
                spread,
                1 - SPREAD_LIMIT,
                1 + SPREAD_LIMIT,
                "Standard deviation of second halves, predicted over direct.",
            ),
        ]
    return checks


def _late_table(names: tuple[str, ...], named: dict[str, Compared]) -> Table:
    rows: list[list[Cell]] = []
    for label, c in named.items():
        for k, name in enumerate(names):
            for way, m in (("predicted", c.late), ("direct", c.direct)):
                mean, std = Value(m.mean[k], m.mean_error[k]), Value(m.std[k], m.std_error[k])
                rows.append([label, name, way, mean, std])
    columns = [*COLUMNS, "", "mean", "standard deviation"]
    return Table("Second halves of runs", columns, rows)


def _baselines(design: OwnDesign, findings: OwnFindings, named: dict[str, Compared]) -> Table:
    """The late mean by the model, by the small system, and by direct runs of equal cost."""
    routes = routes_of(design, findings)
    equal = max(runs_of_equal_cost(routes, 2 * design.runs * design.initial_states), 1e-9)
    rows: list[list[Cell]] = []
    for label, c in named.items():
        truth, n = c.direct, 2 * design.runs * design.initial_states
        for k, name in enumerate(design.system.names):
            for way, value, error in (
                ("model", c.late.mean[k], c.late.mean_error[k]),
                ("small system itself", c.own.mean[k], c.own.mean_error[k]),
            ):
                rows.append([label, name, way, Value(value, error), Value(value - truth.mean[k])])
            error = truth.mean_error[k] * np.sqrt(n * len(named) / equal)
            rows.append([label, name, "direct, equal cost", Value(truth.mean[k], error), None])
    columns = [*COLUMNS, "way", "late mean", "less that of all direct runs"]
    return Table("What the simplest other ways give", columns, rows)


def routes_of(design: OwnDesign, findings: OwnFindings) -> Routes:
    """CPU seconds of the learned and of the direct route."""
    spent = findings.cpu_s
    learned = sum(t for s, t in spent.items() if s.startswith(("pairs", "learning")))
    direct = spent.get("direct runs", 0.0)
    horizon, n = float(design.times[-1]), len(design.conditions)
    predicted = spent.get("prediction", 0.0)
    unit = design.system.time_unit
    return Routes(learned, predicted, direct, design.sites, horizon, n, unit)


def _cost(design: OwnDesign, findings: OwnFindings) -> Cost:
    return cost_of(design.events(), findings.cpu_s, routes_of(design, findings))


def _run_figures(design: OwnDesign, named: dict[str, Compared]) -> list[Figure]:
    """Means over runs from each initial state, one figure a condition."""
    made = []
    for number, (label, c) in enumerate(named.items()):
        caption = "Means over runs: predicted (lines) and direct (dots)"
        draw = partial(_draw_runs, times=design.times, c=c, names=design.system.names)
        made.append(
            Figure(f"runs_{number}.png", f"{caption}, {label}." if label else f"{caption}.", draw)
        )
    return made


def _draw_runs(path: Path, times: np.ndarray, c: Compared, names: tuple[str, ...]) -> None:
    with figures.panels(path, len(names), width=4.6) as axes:
        for k, (ax, name) in enumerate(zip(axes, names)):
            predicted, true = (x[..., k].mean(axis=1) for x in (c.predicted, c.true))
            figures.beside(ax, times, predicted, true, every=max(1, len(times) // 50))
            ax.set(xlabel="time", ylabel=name)


def _late_figure(names: tuple[str, ...], named: dict[str, Compared]) -> Figure:
    def draw(path: Path) -> None:
        with figures.panels(path, len(names) * len(named), width=4.0) as axes:
            panels = [(k, label) for label in named for k in range(len(names))]
            for ax, (k, label) in zip(axes, panels):
                c, half = named[label], named[label].true.shape[2] // 2
                true, predicted = (x[:, :, half:, k].ravel() for x in (c.true, c.predicted))
                figures.histograms(ax, true, {"predicted": predicted})
                ax.set(xlabel=names[k], ylabel="density", title=label)

    return Figure("late.png", "Second halves of runs: predicted (lines), direct (filled).", draw)
