"""What the studies of partial forces have to say: errors beside the floor and simpler ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ...analysis.savings import Saving, needed, saving, typical
from ...arrays import Array
from ...learning.models.paths import trajectory_errors
from ...report.figures import beside, colour, line, panels
from ...report.numbers import rounded
from ...report.parts import Cell, Check, Cost, Figure, Metric, Report, Section, Table, Value
from ...systems.forces import FINER, TrueRuns
from ..cost import cost_of
from .compare import ForcesFindings
from .design import ForcesDesign, Key

LABELS = {"Lz": "L_z, all forces", "Lx": "L_x, all forces", "Lx_partial": "L_{x,p}, some forces"}
ANY, MOST = 0, -1
PUBLISHED: dict[str, dict[str, dict[int, float]]] = {
    "predator-prey-forces": {
        "Lz": {600: 1.86e-2, 24000: 7.93e-4},
        "Lx_partial": {600: 4.00e-3, 24000: 5.70e-4},
    },
    "allen-cahn-forces": {"Lz": {ANY: 6.93e-3}, "Lx_partial": {ANY: 3.98e-3}},
    "lennard-jones-forces": {"Lz": {MOST: 4.45e-3}, "Lx_partial": {MOST: 1.17e-3}},
}
"""Errors by amount of data, at any, or at the largest: arXiv 2410.23938."""
EVALUATIONS = "evaluations of the force on a particle"
WAYS = ["way", EVALUATIONS, "error"]
BOUNDS = {-1: "upper bound", 0: "", 1: "lower bound"}
SHOWN = 6
"""Test runs in the figure."""


def forces_report(design: ForcesDesign, findings: ForcesFindings, quick: bool) -> Report:
    """All parts."""
    names, most = design.system.z_names, max(design.forces.equivalents)
    summary = (
        f"{design.system.described}, predicted by dz/dt = g(z) with g learned from the forces on "
        f"all {design.system.particles}, or on a share p = {design.forces.share:g} of them drawn "
        "anew for each configuration, at equal numbers of force evaluations"
        + (" (quick form)." if quick else ".")
    )
    caption = "Test runs, true (dots) and predicted by the first seed from "
    caption += f"{most} full-force equivalents (lines)"
    runs = Figure("runs.png", caption, partial(draw_runs, findings, names, most))
    caption = "Loss above its lowest value, first seed"
    training = Figure("training.png", caption, partial(draw_training, findings))
    text = "Error: mean over test runs of sum_t |z*_pred - z*_true| / sum_t |z*_true|. Every seed "
    text += "has its own encoder, configurations, particles and drift."
    outside = "The part of the forces outside the rows that meet them says nothing about z and is "
    outside += "the noise of partial forces."
    sections = [
        Section("Predicted and true runs", text, [errors_table(design, findings)], [runs]),
        Section("Encoders and training", outside, [encoders_table(findings)], [training]),
    ]
    more = baselines(design, findings), cost(design, findings)
    return Report([summary], metrics(design, findings), checks(design, findings), sections, *more)


def published(design: ForcesDesign, loss: str, size: int) -> float | None:
    """What is known of a loss and an amount of data."""
    own, most = PUBLISHED[design.model].get(loss, {}), max(design.forces.equivalents)
    return own.get(size, own.get(MOST if size == most else ANY, own.get(ANY)))


def metric_name(design: ForcesDesign, key: Key) -> str:
    """``error_LOSS``, with the amount of data where there are several."""
    return f"error_{key[0]}" + (f"_{key[1]}" if len(design.forces.equivalents) > 1 else "")


def over_seeds(errors: Array) -> tuple[float, float | None]:
    """Mean over seeds of the mean over runs, and its standard error; none of one seed."""
    each = errors.mean(axis=1)
    spread = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else None
    return float(each.mean()), spread


def floor(test: TrueRuns) -> float:
    """Error of true runs made again."""
    return float(trajectory_errors(test.again, test.z).mean())


def metrics(design: ForcesDesign, findings: ForcesFindings) -> dict[str, Metric]:
    """Errors beside the floor; how many evaluations are saved, where several amounts say so."""
    made = {
        metric_name(design, key): Metric(*over_seeds(errors), 0.0, floor(findings.test))
        for key, errors in findings.errors.items()
    }
    sizes, losses = sorted(design.forces.equivalents), ("Lz", "Lx_partial")
    n, error = design.system.n_particles, design.forces.error
    if error is None or len(sizes) < 2 or not {*losses} <= {*design.forces.losses}:
        return made
    each = [np.array([typical(findings.errors[loss, k]) for k in sizes]) for loss in losses]
    need = [needed(n * np.array(sizes, dtype=float), errors, error) for errors in each]
    return made | {f"force_saving_{n}": saving_metric(saving(*need))}


def saving_metric(found: Saving) -> Metric:
    """As a metric, its unit saying whether it is a bound."""
    if not np.isfinite(found.value):
        return Metric(None, unit="not known from these amounts of data")
    return Metric(found.value, unit=BOUNDS[found.bound])


def checks(design: ForcesDesign, findings: ForcesFindings) -> list[Check]:
    """Errors against their limits, and partial against full forces."""
    limited, compared = [], []
    for (loss, size), errors in findings.errors.items():
        mean, error = over_seeds(errors)
        known, name = published(design, loss, size), metric_name(design, (loss, size))
        if loss == "Lx_partial" and known is not None:
            text, limit = "Mean over test runs and seeds.", float(f"{known:.1e}")
            limited.append(Check(name, mean, error, high=limit, text=text, form=".2e"))
        if loss == "Lx_partial" and ("Lz", size) in findings.errors:
            full, full_error = over_seeds(findings.errors["Lz", size])
            relative = error and full_error and np.hypot(error / mean, full_error / full)
            spread = relative and relative * mean / full
            name = f"{loss} / Lz at {size} equivalents"
            text = "Errors at the same number of force evaluations."
            compared.append(Check(name, mean / full, spread, high=1.0, text=text, form=".2f"))
    return limited + compared


def errors_table(design: ForcesDesign, findings: ForcesFindings) -> Table:
    """Errors by loss and amount of data, seed by seed, beside the published ones."""
    rows: list[list[Cell]] = []
    for (loss, size), errors in findings.errors.items():
        share, known = design.share(loss), published(design, loss, size)
        each = ", ".join(rounded(e, form=".2e") for e in errors.mean(axis=1))
        amount = size, round(size / share), Value(share), Value(*over_seeds(errors), ".2e")
        last = Value(errors.max(), form=".1e"), Value(known, form=".2e")
        rows.append([LABELS[loss], *amount, each, *last])
    again = Value(floor(findings.test), form=".1e")
    rows.append(["floor: true runs made again", "", "", "", again, "", "", ""])
    columns = "loss|full-force equivalents|configurations|p|error, mean over seeds|by seed|"
    columns += "worst run|published"
    return Table("Errors at equal numbers of force evaluations", columns.split("|"), rows)


def encoders_table(findings: ForcesFindings) -> Table:
    """What each seed's encoder leaves out."""
    rows: list[list[Cell]] = [
        [str(k + 1), *(Value(x, form=form) for x, form in zip(own, (".1e", ".1f", ".2e")))]
        for k, own in enumerate(findings.left_out)
    ]
    columns = "seed;variance not rebuilt;mean condition number of phi' phi'^T;"
    columns += "share of |f|^2 outside the rows"
    return Table("Encoders", columns.split(";"), rows)


def baselines(design: ForcesDesign, findings: ForcesFindings) -> Table:
    """Errors of what was learned beside those of simpler ways."""
    n, test, coarser = design.system.n_particles, findings.test, design.system.coarser()
    learned = {
        f"{LABELS[loss]}, {size} equivalents": (size * n, errors, findings.linear[loss, size])
        for (loss, size), errors in findings.errors.items()
    }
    rough = design.test_runs * coarser.evaluations_per_run, findings.coarse
    true = Value(design.test_runs * design.system.evaluations_per_run, form=".3g")
    last: list[Cell] = ["direct, as the truth", true, Value(floor(test), form=".2e")]
    caption = f"Errors of {design.test_runs} test runs, and forces evaluated for them; what was "
    caption += f"learned also needs {design.training_runs} true runs to learn from"
    return Table(caption, WAYS, [*ways(learned, test.z, rough), last])


def cost(design: ForcesDesign, findings: ForcesFindings) -> Cost:
    """Evaluations of the force on a particle by stage, and when learning pays."""
    system, spent = design.system, findings.cpu_s
    number, seeds, known = len(design.cases), design.forces.seeds, system.n_particles
    runs = design.training_runs * system.training_evaluations
    labels = sum(case.equivalents for case in design.cases) * known
    coarse = design.test_runs * (1 + FINER) * system.coarser().evaluations_per_run
    direct = design.test_runs * (1 + FINER) * system.evaluations_per_run
    events = {
        "learned": {"training runs": runs, "forces": labels},
        "direct": {"test runs": direct, "coarse runs": coarse},
    }
    shares = {"training runs": 1, "encoders": seeds, "forces": number, "learning": number}
    once = sum(spent.get(stage, 0.0) / share for stage, share in shares.items())
    of_one = spent.get("test runs", 0.0) / design.test_runs / (1 + FINER)
    learned = runs + max(design.forces.equivalents) * known
    each = system.evaluations_per_run, of_one
    return cost_of(events, spent, pays_from((learned, once), each))


def pays_from(learned: tuple[float, float], direct: tuple[float, float]) -> str:
    """When learning once is cheaper than direct runs, by evaluations and by CPU seconds."""
    spent = [
        f"{own:.3g} {kind} against {each:.3g} for a direct run, cheaper from "
        f"{math.ceil(own / each)} predicted runs on"
        for kind, own, each in zip((EVALUATIONS, "CPU s"), learned, direct)
        if each > 0
    ]
    start = "Learning once, with the runs to learn from, and predicting: "
    return start + ("; ".join(spent) or "nothing was measured") + "."


def ways(
    learned: Mapping[str, tuple[float, Array, Array]], true: Array, coarse: tuple[float, Array]
) -> list[list[Cell]]:
    """Rows of what was learned and of simpler ways: each's evaluations and errors."""
    rows: list[list[Cell]] = []
    for name, (evaluations, *both) in learned.items():
        for way, errors in zip(("learned", "linear drift of least loss"), both):
            cells = Value(evaluations, form=".3g"), Value(*over_seeds(errors), ".2e")
            rows.append([f"{way}: {name}", *cells])
    still = np.broadcast_to(true[:, :1], true.shape)
    rough = "direct, with a longer time step or fewer cells"
    others = {"z stays as it starts": (0.0, still), rough: coarse}
    for way, (evaluations, paths) in others.items():
        error = Value(trajectory_errors(paths, true).mean(), form=".2e")
        rows.append([way, Value(evaluations, form=".3g"), error])
    return rows


def draw_runs(findings: ForcesFindings, names: tuple[str, ...], size: int, path: Path) -> None:
    """Observables of some test runs, a panel for each observable and loss."""
    test, losses = findings.test, [loss for loss, amount in findings.first if amount == size]
    shown, every = test.z[:SHOWN], max(1, len(test.times) // 60)
    with panels(path, len(losses) * len(names), width=3.6) as axes:
        of_panels = [(name, k, loss) for k, name in enumerate(names) for loss in losses]
        for ax, (name, k, loss) in zip(axes, of_panels):
            predicted = findings.first[loss, size]["paths"][: len(shown), :, k]
            beside(ax, test.times, predicted, shown[:, :, k], every=every)
            low, high = shown[:, :, k].min(), shown[:, :, k].max()
            margin = 0.1 * (high - low)
            ax.set(xlabel="time", ylabel=name, title=loss, ylim=(low - margin, high + margin))


def draw_training(findings: ForcesFindings, path: Path) -> None:
    """Losses of the first seed above their lowest value."""
    with panels(path) as (ax,):
        for i, ((loss, size), chunk) in enumerate(findings.first.items()):
            history = chunk["history"][0]
            above = np.maximum(history - history.min(), 1e-12)[:-1]
            line(ax, np.arange(1, len(above) + 1), above, colour(i), label=f"{loss} {size}")
        ax.set(xlabel="hundreds of steps", ylabel="loss above its lowest", yscale="log")
