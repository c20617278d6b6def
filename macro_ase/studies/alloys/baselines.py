"""What the prediction of an alloy's order cost, and what is simpler and costs as much."""

from __future__ import annotations

import numpy as np

from ...analysis.order_comparison import rms, rms_with_error
from ...arrays import Array
from ...report import Cost, Table, Value
from ...report.parts import Cell
from ..cost import Routes, cost_of
from .compare import Findings
from .design import STATIONARY_AFTER, Design

LEARNED = ("small runs", "patch pairs", "learning")
CAPTION = (
    "Root mean square error of delta against the direct runs, over components and temperatures and "
    "at each. A small crystal's own average misses by its size: with fixed numbers a neighbour of "
    "an A atom is B with N_B / (n - 1), which shifts delta_AB by 8 c_B / (n - 1) and delta_AA by "
    "8 (c_A - 1) / (n - 1). That is exact in a random crystal, at infinite temperature; what order "
    "adds is left. The direct run is one a temperature, as long as the learned route's events last,"
    " burn-in included; its error is what scatter and autocorrelation of all direct runs say."
)


def events(d: Design, f: Findings) -> dict[str, dict[str, float]]:
    """Hops, or attempts, by route and stage; those that heal seams are not counted."""
    step, each = f.scan.chosen, d.repeats * d.n_evolved
    snapshots = sum(p.number for p in f.pairs) / each
    runs = len(d.temperatures) * d.small_runs
    learned = (runs, d.small_events, snapshots, d.healing_events, each, step)
    steps = sum(d.n_steps(s, step) for s in f.scan.slowest_chosen)
    whole = d.system.events_of(d.small_events)[2]
    direct = {"direct runs": d.direct_runs * steps * step * whole}
    return {"learned": d.sampled.events(*learned), "direct": direct}


def cost(d: Design, f: Findings) -> Cost:
    """Events and CPU seconds of both routes."""
    spent = dict.fromkeys((*LEARNED, "prediction", "direct runs"), 0.0) | dict(f.cpu_s)
    routes = Routes(
        sum(spent[stage] for stage in LEARNED),
        spent["prediction"],
        spent["direct runs"],
        d.system.large.n_sites,
        STATIONARY_AFTER + d.relaxation_times,
        len(d.temperatures),
        "slowest relaxation times",
    )
    return cost_of(events(d, f), f.cpu_s, routes)


def baselines(d: Design, f: Findings) -> Table:
    """The prediction's error beside those of the small system and of a direct run as dear."""
    true, own, small = f.comparison.delta_true, f.comparison.miss, f.small.value
    offset = d.system.small_order.random_delta - d.system.order.random_delta
    error = np.hypot(f.small.error, true.error)
    ways = {
        "prediction from patches": (own.value, own.error),
        "small crystal's own average": (small - true.value, error),
        "the same, less the offset of its size": (small - offset - true.value, error),
    }
    rows: list[list[Cell]] = [
        [way, *(Value(*rms_with_error(*part)) for part in (both, *zip(*both)))]
        for way, both in ways.items()
    ]
    equal = true.error * _lengthened(d, f)[:, None]
    for way, errors in (("one direct run of equal cost", equal), ("all direct runs", true.error)):
        rows.append(
            [f"{way}: expected error", *(Value(rms(e), form=".2g") for e in (errors, *errors))]
        )
    return Table(CAPTION, ["", "all", *(f"{t:g} K" for t in d.temperatures)], rows)


def _lengthened(d: Design, f: Findings) -> Array:
    """Error of one direct run of equal cost over that of all, by temperature; nan in burn-in."""
    learned, step = sum(events(d, f)["learned"].values()), f.scan.chosen
    rows = learned / len(d.temperatures) / (d.system.events_of(d.small_events)[2] * step)
    burnt = np.array([d.burn_in(s, step) for s in f.scan.slowest_chosen])
    late = np.array([d.n_steps(s, step) + 1 for s in f.scan.slowest_chosen]) - burnt
    left = np.where(rows > burnt, rows - burnt, np.nan)
    return np.asarray(np.sqrt(d.direct_runs * late / left))
