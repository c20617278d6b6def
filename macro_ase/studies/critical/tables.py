"""Tables of the report of a critical study."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ...analysis.critical_points import EXACT, Comparison, Scores
from ...analysis.exact_ising import CRITICAL_TEMPERATURE
from ...analysis.stationary_law import MOMENT_NAMES, PolynomialFit, stationary_moments
from ...report import Table, Value
from ...report.parts import Cell
from ...systems.critical_chains import WHOLE
from .compare import CriticalFindings, rows_of, snapshot_moments

PARTS = 3
SCAN_BLOCKS = 32


def points(findings: CriticalFindings) -> Table:
    """Every point: predicted, direct, and their relative difference."""
    rows: list[list[Cell]] = []
    for L, own in findings.by_size.items():
        mine, theirs = findings.predicted(L), findings.measured(L)
        off = Comparison.of(mine, theirs)
        for j, T in enumerate(own.temperatures):
            rows.append([f"{L}", f"{T:g}"])
            for k in range(len(MOMENT_NAMES)):
                rows[-1] += [Value(p.values[0, j, k], p.errors[0, j, k]) for p in (mine, theirs)]
                rows[-1].append(Value(off.relative[0, j, k], off.combined[0, j, k], "%"))
    kinds = product(MOMENT_NAMES, ("predicted", "direct", "off"))
    columns = [f"{name}, {kind}" for name, kind in kinds]
    larger = ", ".join(f"L = {size}" for size in findings.design.beyond)
    return Table(
        "Predicted, direct, and predicted / direct - 1"
        + (f"; {larger}: one temperature, reported only" if larger else ""),
        ["L", "T", *columns],
        rows,
    )


def exponents(scores: Scores) -> Table:
    """Predicted, direct and exact, with chi^2 of the power laws."""
    rows: list[list[Cell]] = []
    for name, (mine, theirs) in scores.exponents.items():
        off = (mine[0] - theirs[0]) / math.hypot(mine[1], theirs[1])
        laws = f"{mine[2].chi2:.1f} / {theirs[2].chi2:.1f}"
        both = (Value(*own[:2]) for own in (mine, theirs))
        rows.append([name, *both, EXACT[name], Value(off, form="+.1f"), laws])
    sizes = scores.direct.sizes
    columns = ["", "predicted", "direct", "exact", "difference (combined errors)"]
    return Table(
        f"Exponents from L = {sizes[0]} to {sizes[-1]} at T_c = {CRITICAL_TEMPERATURE:.5f}, the "
        "same estimators for both",
        [*columns, f"chi^2 ({len(sizes) - 2} free)"],
        rows,
    )


def crossings(scores: Scores, seed: int) -> Table:
    """Crossings of the cumulants of neighbouring sizes."""
    rows: list[list[Cell]] = []
    for label, own in (("predicted", scores.predicted), ("direct", scores.direct)):
        for c in own.crossings(seed):
            numbers = Value(c.temperature, c.temperature_error), Value(c.cumulant, c.cumulant_error)
            rows.append([f"{c.sizes[0]}, {c.sizes[1]}", label, *numbers])
    return Table(
        f"Crossings of U, where they are clear (T_c = {CRITICAL_TEMPERATURE:.5f})",
        ["sizes", "", "T", "U"],
        rows,
    )


def routes(findings: CriticalFindings) -> Table:
    """chi' of snapshots, paths, quadrature, fits without training, and direct runs."""
    names = ("snapshots themselves", "paths", "quadrature", "least squares", "direct")
    rows: list[list[Cell]] = []
    for L, own in findings.by_size.items():
        for j, T in enumerate(own.temperatures):
            cells = (Value(*own.routes[name][j, :, 1]) for name in names)
            rows.append([f"{L}", f"{T:g}", *cells, Value(own.outside[j], form=".4%")])
    return Table(
        "chi' by every route; errors of snapshots, and of least squares at one temperature, by "
        "bootstrap over chains, of paths alone, and from the members' spread of quadrature over "
        "their stationary laws; and steps with |m| > 1",
        ["L", "T", *names, "beyond 1"],
        rows,
    )


def relaxation(findings: CriticalFindings) -> Table:
    """Thirds of the chains against Wolff snapshots: are the snapshots relaxed at given m?"""
    design = findings.design
    rows: list[list[Cell]] = []
    for L, (chi2, chance) in findings.drift_differences().items():
        own, kinds = findings.by_size[L].chains, {"Wolff": findings.wolff[L]}
        for k, part in enumerate(np.array_split(np.arange(own["m"].shape[1]), PARTS)):
            kinds[f"third {k + 1}"] = {name: values[..., part] for name, values in own.items()}
        for name, chains in kinds.items():
            both = (Value(*x[:, 1]) for x in snapshot_moments(design, chains, L, design.middle))
            test = f"{chi2:.2f} (p = {chance:.2f})" if name == "Wolff" else ""
            rows.append([f"{L}", name, chains["m"].size, *both, test])
    return Table(
        f"T = {design.middle:g}: chi' of parts of the chains and of Wolff snapshots, themselves "
        "and by least squares from their drift; last: chi^2 per bin of the drifts of all chains "
        "against Wolff snapshots",
        ["L", "snapshots", "number", "themselves", "from their drift", "chi^2"],
        rows,
    )


def scan(findings: CriticalFindings) -> Table:
    """Drift, noise and chi' by dt and buffer, all from the same snapshots."""
    design, rows = findings.design, list[list[Cell]]()
    n, T, ways = design.scan_size**2, design.middle, design.scan_ways
    evolved = [rows_of(findings.scan, i) for i in range(len(ways))]
    fits = [PolynomialFit.of(own, way[0], SCAN_BLOCKS) for own, way in zip(evolved, ways)]
    chi = [stationary_moments(fit.table(), n, T)[1] for fit in fits]
    draws = [fit.draws(n, T, design.resamples)[:, 1] for fit in fits]
    first = ways.index((min(design.scan_times), WHOLE))
    for i, (dt, buffer) in enumerate(ways):
        m, mean, dm = evolved[i]
        drift, noise = n * (np.sign(m) * mean).mean() / dt, n * (dm.astype(float) ** 2).mean() / dt
        single = Value(design.patch**2 * findings.scan["square"][i].mean() / dt, form=".4f")
        what: list[Cell] = ["whole", None] if buffer == WHOLE else [f"buffer {buffer}", single]
        ratio = Value(chi[i] / chi[first], (draws[i] / draws[first]).std(), ".3f")
        found = Value(noise, form=".4f"), Value(drift, form="+.4f"), Value(chi[i], draws[i].std())
        rows.append([f"{dt:g}", *what, *found, ratio])
    columns = ["dt", "evolved", "n noise, single patches", "n noise", "n drift towards larger |m|"]
    return Table(
        f"L = {design.scan_size}, T = {T:g}: patches and wholes from the same "
        "snapshots; chi' by least squares, over that of wholes at the shortest dt; noise is that "
        "of the mean over patches, or K^-1 that of single patches",
        [*columns, "chi'", "ratio"],
        rows,
    )
