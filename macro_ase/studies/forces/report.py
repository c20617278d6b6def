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
PUBLISHED = {
    ("predator-prey-forces", "Lz"): {600: 1.86e-2, 24000: 7.93e-4},
    ("predator-prey-forces", "Lx_partial"): {600: 4.00e-3, 24000: 5.70e-4},
    ("allen-cahn-forces", "Lz"): {ANY: 6.93e-3},
    ("allen-cahn-forces", "Lx_partial"): {ANY: 3.98e-3},
    ("lennard-jones-forces", "Lz"): {MOST: 4.45e-3},
    ("lennard-jones-forces", "Lx_partial"): {MOST: 1.17e-3},
}
"""Errors by amount of data, at any amount, or at the largest: arXiv 2410.23938."""
LIMITS = {
    ("predator-prey-forces", "Lx_partial"): {600: 4.0e-3, 24000: 5.7e-4},
    ("allen-cahn-forces", "Lx_partial"): {ANY: 4.0e-3},
    ("lennard-jones-forces", "Lx_partial"): {MOST: 1.2e-3},
}
COARSER = "with a longer time step or fewer cells"
EVALUATIONS = "evaluations of the force on a particle"
WAYS = ["way", EVALUATIONS, "error"]
BOUNDS = {-1: "upper bound", 0: "", 1: "lower bound"}
SHOWN = 6
"""Test runs in the figure."""


def forces_report(design: ForcesDesign, findings: ForcesFindings, quick: bool) -> Report:
    """All parts."""
    what, most = design.system.particles, max(design.forces.equivalents)
    summary = (
        f"{design.system.described}, predicted by dz/dt = g(z) with g learned from the forces on "
        f"all {what}, or on a share p = {design.forces.share:g} of them drawn anew for each "
        "configuration, at equal numbers of force evaluations"
        + (" (quick form)." if quick else ".")
    )
    runs = Figure(
        "runs.png",
        f"Test runs, true (dots) and predicted by the first seed from {most} full-force "
        "equivalents (lines)",
        partial(draw_runs, findings, design.system.z_names, most),
    )
    training = Figure(
        "training.png",
        "Loss above its lowest value, first seed",
        partial(draw_training, findings),
    )
    sections = [
        Section(
            "Predicted and true runs",
            "Error: mean over test runs of sum_t |z*_pred - z*_true| / sum_t |z*_true|. Every seed "
            "has its own encoder, configurations, particles and drift.",
            [errors_table(design, findings)],
            [runs],
        ),
        Section(
            "Encoders and training",
            "The part of the forces outside the rows that meet them says nothing about z and is "
            "the noise of partial forces.",
            [encoders_table(findings)],
            [training],
        ),
    ]
    tables = baselines(design, findings), cost(design, findings)
    found, tested = metrics(design, findings), checks(design, findings)
    return Report([summary], found, tested, sections, *tables)


def known(
    table: dict[tuple[str, str], dict[int, float]], design: ForcesDesign, key: Key
) -> float | None:
    """What a table says of a loss and an amount of data."""
    own, most = table.get((design.model, key[0]), {}), max(design.forces.equivalents)
    return own.get(key[1], own.get(MOST if key[1] == most else ANY, own.get(ANY)))


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
    sizes, error = sorted(design.forces.equivalents), design.forces.error
    n = design.system.n_particles
    if error is None or len(sizes) < 2 or not {"Lz", "Lx_partial"} <= {*design.forces.losses}:
        return made
    need = [
        needed(
            n * np.array(sizes, dtype=float),
            np.array([typical(findings.errors[loss, k]) for k in sizes]),
            error,
        )
        for loss in ("Lz", "Lx_partial")
    ]
    return made | {f"force_saving_{n}": saving_metric(saving(*need))}


def saving_metric(found: Saving) -> Metric:
    """As a metric, its unit saying whether it is a bound."""
    if not np.isfinite(found.value):
        return Metric(None, unit="not known from these amounts of data")
    return Metric(found.value, unit=BOUNDS[found.bound])


def checks(design: ForcesDesign, findings: ForcesFindings) -> list[Check]:
    """Errors against their limits, and partial against full forces."""
    made = []
    for key, errors in findings.errors.items():
        mean, error = over_seeds(errors)
        limit = known(LIMITS, design, key)
        if limit is not None:
            text = "Mean over test runs and seeds."
            name = metric_name(design, key)
            made.append(Check(name, mean, error, high=limit, text=text, form=".2e"))
    for (loss, size), errors in findings.errors.items():
        full = findings.errors.get(("Lz", size))
        if loss == "Lx_partial" and full is not None:
            (part, part_error), (whole, whole_error) = over_seeds(errors), over_seeds(full)
            spread = np.hypot((part_error or 0) / part, (whole_error or 0) / whole)
            name = f"{loss} / Lz at {size} equivalents"
            text = "Errors at the same number of force evaluations."
            ratio = part / whole
            made.append(Check(name, ratio, ratio * spread, high=1.0, text=text, form=".2f"))
    return made


def errors_table(design: ForcesDesign, findings: ForcesFindings) -> Table:
    """Errors by loss and amount of data, seed by seed, beside the published ones."""
    rows: list[list[Cell]] = []
    for key, errors in findings.errors.items():
        share, each = design.share(key[0]), [rounded(e, form=".2e") for e in errors.mean(axis=1)]
        rows.append(
            [
                LABELS[key[0]],
                key[1],
                round(key[1] / share),
                Value(share),
                Value(*over_seeds(errors), ".2e"),
                ", ".join(each),
                Value(errors.max(), form=".1e"),
                Value(known(PUBLISHED, design, key), form=".2e"),
            ]
        )
    again = Value(floor(findings.test), form=".1e")
    rows.append(["floor: true runs made again", "", "", "", again, "", "", ""])
    columns = "loss|full-force equivalents|configurations|p|error, mean over seeds|by seed|"
    columns += "worst run|published"
    return Table("Errors at equal numbers of force evaluations", columns.split("|"), rows)


def encoders_table(findings: ForcesFindings) -> Table:
    """What each seed's encoder leaves out."""
    forms = {"unexplained": ".1e", "kappa": ".1f", "outside": ".2e"}
    rows: list[list[Cell]] = [
        [str(k + 1), *(Value(encoder[name], form=form) for name, form in forms.items())]
        for k, encoder in enumerate(findings.encoders)
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
    true = design.test_runs * design.system.evaluations_per_run, Value(floor(test), form=".2e")
    rows: list[list[Cell]] = [*ways(learned, test.z, rough), ["direct, as the truth", *true]]
    return Table(f"Errors of {design.test_runs} test runs", WAYS, rows)


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
    """From which number of predicted runs on learning is cheaper than that many direct runs.

    Parameters
    ----------
    learned, direct : (float, float)
        Evaluations and CPU seconds, of learning once and of one direct run.
    """
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
    """Rows of simpler ways beside what was learned.

    Parameters
    ----------
    learned : mapping
        Evaluations, errors, and errors of the linear drift of least loss, shape (seeds, runs).
    true : array, shape (runs, n_t, m)
    coarse : (float, array)
        Evaluations and paths of direct runs at a share of the cost.
    """
    rows: list[list[Cell]] = []
    for name, (evaluations, *both) in learned.items():
        for way, errors in zip(("learned", "linear drift of least loss"), both):
            cells = Value(evaluations, form=".3g"), Value(*over_seeds(errors), ".2e")
            rows.append([f"{way}: {name}", *cells])
    still = np.broadcast_to(true[:, :1], true.shape)
    others = {"z stays as it starts": (0.0, still), f"direct, {COARSER}": coarse}
    for way, (evaluations, paths) in others.items():
        error = Value(trajectory_errors(paths, true).mean(), form=".2e")
        rows.append([way, Value(evaluations, form=".3g"), error])
    return rows


def draw_runs(findings: ForcesFindings, names: tuple[str, ...], size: int, path: Path) -> None:
    """Observables of some test runs, a panel for each observable and loss."""
    test, losses = findings.test, [loss for loss, amount in findings.paths if amount == size]
    shown, every = test.z[:SHOWN], max(1, len(test.times) // 60)
    with panels(path, len(losses) * len(names), width=3.6) as axes:
        of_panels = [(name, k, loss) for k, name in enumerate(names) for loss in losses]
        for ax, (name, k, loss) in zip(axes, of_panels):
            predicted = findings.paths[loss, size][: len(shown), :, k]
            beside(ax, test.times, predicted, shown[:, :, k], every=every)
            low, high = shown[:, :, k].min(), shown[:, :, k].max()
            margin = 0.1 * (high - low)
            ax.set(xlabel="time", ylabel=name, title=loss, ylim=(low - margin, high + margin))


def draw_training(findings: ForcesFindings, path: Path) -> None:
    """Losses of the first seed above their lowest value."""
    with panels(path) as (ax,):
        for i, ((loss, size), history) in enumerate(findings.histories.items()):
            above = np.maximum(history[0, 0] - history[0, 0].min(), 1e-12)[:-1]
            line(ax, np.arange(1, len(above) + 1), above, colour(i), label=f"{loss} {size}")
        ax.set(xlabel="hundreds of steps", ylabel="loss above its lowest", yscale="log")
