"""What the report of a critical study says: metrics, checks, sections, baselines and cost."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from ...analysis.critical_points import EXACT, Comparison, Scores
from ...analysis.stationary_law import MOMENT_NAMES
from ...report import Check, Cost, Figure, Metric, Report, Section, Table, Value
from ...report.figures import training
from ...report.parts import Cell
from ..cost import cost_of
from . import figures, tables
from .compare import CriticalFindings
from .design import CriticalDesign

AIMS = {"m_rel_error": 0.012, "chi_rel_error": 0.05, "u_rel_error": 0.005}
EXPONENTS = {"beta_over_nu": 0.01, "gamma_over_nu": 0.05, "one_over_nu": 0.15}
"""How far predicted ones may be from direct ones, in the order of `EXACT`."""


def critical_report(design: CriticalDesign, findings: CriticalFindings, quick: bool) -> Report:
    """All parts."""
    sizes = design.sizes
    scores = Scores.of(findings.predicted(*sizes), findings.measured(*sizes))
    return Report(
        [_summary(design, quick)],
        _metrics(findings, scores),
        aims_of(scores) + assumptions_of(findings),
        _sections(findings, scores),
        _baselines(findings, scores.comparison),
        _cost(findings),
    )


def _summary(design: CriticalDesign, quick: bool) -> str:
    patch, sizes = design.patch, ", ".join(map(str, design.sizes))
    return (
        f"Ising model without a field at T = {design.temperatures[0]:g} to "
        f"{design.temperatures[-1]:g}, L = {sizes}: one model of m for each size, conditioned on "
        f"the temperature, learned from patches of {patch} x {patch} with a buffer of "
        f"{design.buffer} that evolved alone for dt = {design.dt:g}. lambda = K, untuned; no path "
        f"clipped or dropped{' (quick form)' if quick else ''}."
    )


def _metrics(findings: CriticalFindings, scores: Scores) -> dict[str, Metric]:
    own = scores.comparison
    columns = zip(own.mean_errors, own.spread, own.floor)
    metrics = {name: Metric(x, dx, 0.0, floor) for name, (x, dx, floor) in zip(AIMS, columns)}
    for name, (mine, theirs) in zip(EXPONENTS, scores.exponents.values()):
        metrics[name] = Metric(*mine[:2], *theirs[:2])
    for size in findings.design.beyond:
        both = findings.predicted(size), findings.measured(size)
        numbers = np.array([x[0, 0] for points in both for x in (points.values, points.errors)])
        metrics |= {f"{name}_{size}": Metric(*x) for name, x in zip(("m", "chi", "u"), numbers.T)}
    return metrics


def aims_of(scores: Scores) -> list[Check]:
    """Mean errors and exponents against direct runs."""
    own, checks = scores.comparison, []
    for k, (name, limit) in enumerate(AIMS.items()):
        text = (
            "Mean over sizes and temperatures of |predicted / direct - 1|; its error is that of "
            "the spread between sizes and of the points. The errors of both sides alone would "
            f"give {100 * own.floor[k]:.2f} %."
        )
        error = math.hypot(own.spread[k], own.noise[k])
        checks.append(Check(name, own.mean_errors[k], error, high=limit, text=text, form="%"))
    for (name, (mine, theirs)), limit in zip(scores.exponents.items(), EXPONENTS.values()):
        text = f"Predicted less direct, with the same estimators; exact: {EXACT[name]:g}."
        off, error = mine[0] - theirs[0], math.hypot(mine[1], theirs[1])
        checks.append(Check(name, off, error, -limit, limit, text))
    return checks


def assumptions_of(findings: CriticalFindings) -> list[Check]:
    misses, errors = zip(*(own.path_miss() for own in findings.by_size.values()))
    chances = [chance for _, chance in findings.drift_differences().values()]
    ratio, error = findings.noise_ratio()
    paths = "chi' of paths over that of their members' laws, less 1, mean over T, by size."
    drift = "Chance of chi^2 of drifts in bins of |m|, patch-relaxed and Wolff snapshots, by size."
    noise = "Mean square of the mean of K patches' increments, over that of wholes."
    return [
        Check("paths = stationary law", misses, errors, -0.03, 0.03, paths, "%"),
        Check("snapshots as in equilibrium", chances, low=0.001, text=drift, form=".3f"),
        Check("noise of patches = noise of the whole", ratio, error, 0.97, 1.03, noise, ".3f"),
    ]


def _baselines(findings: CriticalFindings, prediction: Comparison) -> Table:
    """Mean relative errors of simpler means, beside the prediction's."""
    rows: list[list[Cell]] = [
        [name, *(Value(x, dx, "%") for x, dx in zip(own.mean_errors, own.noise))]
        for name, own in {"prediction": prediction, **findings.baselines()}.items()
    ]
    expected = (Value(x, form="%") for x in findings.equal_cost())
    rows.append(["a direct run of equal cost, expected", *expected])
    return Table(
        "Mean |relative error| against direct runs, over all sizes and temperatures. The small "
        "system is as large as a patch: at the same temperature, and with exact exponents from "
        "where its correlation length over L is the same. Equal cost: CPU seconds; expected from "
        "the errors of the direct runs, against an exact truth.",
        ["", *MOMENT_NAMES],
        rows,
    )


def _cost(findings: CriticalFindings) -> Cost:
    """Both routes; direct runs are by Wolff clusters, which no local dynamics is up to."""
    ratios = ", ".join(f"{findings.cost(L):.2g} at L = {L}" for L in findings.by_size)
    sentence = (
        f"In CPU seconds the learned route costs {ratios} times the direct one. Its snapshots "
        "cost as L^4 and clusters as L^2 at given errors, so there is no size from which on it "
        "is the cheaper one; other temperatures in the range cost it paths alone."
    )
    return cost_of(findings.design.events(), findings.cpu_s, sentence)


def _sections(findings: CriticalFindings, scores: Scores) -> list[Section]:
    lines = "predicted (lines, bands: one error) and direct (dots)"
    draw = partial(figures.points, predicted=scores.predicted, direct=scores.direct)
    plain, scaled = (partial(draw, scaled=way) for way in (False, True))
    points = Figure("points.png", f"{lines.capitalize()}; dotted: exact T_c.", plain)
    collapse = Figure("scaled.png", f"Scaled with the exact exponents: {lines}.", scaled)
    laws, curves = [], []
    for L, own in findings.by_size.items():
        text = (
            f"L = {L}: drift and diffusion of the members, and -ln p(m) that follows (lines) "
            "beside histograms of direct runs (dots)."
        )
        laws.append(Figure(f"potential_{L}.png", text, partial(figures.potential, size=L, own=own)))
        one = partial(training, history=own.histories)
        curves.append(Figure(f"training_{L}.png", f"Training, L = {L}.", one))
    text = (
        "Paths of the learned models beside Wolff clusters. Errors of predictions are the spread "
        "of members that were trained on blocks of chains drawn with replacement."
    )
    measured = [tables.routes(findings), tables.relaxation(findings), tables.scan(findings)]
    exponents = [tables.exponents(scores), tables.crossings(scores, findings.design.seed)]
    return [
        Section("Predicted and direct", text, [tables.points(findings)], [points, *laws]),
        Section("Exponents", "", exponents, [collapse]),
        Section("Other routes and assumptions, measured", "", measured),
        Section("Training", "", (), curves),
    ]
