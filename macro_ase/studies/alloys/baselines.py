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
    "an A atom is B with N_B / (n - 1), which shifts delta_AB by z c_B / (n - 1) and delta_AA by "
    "z (c_A - 1) / (n - 1), z neighbours a site. That is exact in a random crystal, at infinite "
    "temperature; what order adds is left. The direct run is one a temperature, as long as the "
    "learned route's events last, burn-in included; its error is what scatter and autocorrelation "
    "of all direct runs say."
)


def events(d: Design, f: Findings) -> dict[str, dict[str, float]]:
    """Hops, or attempts, by route and stage; those that heal seams are not counted."""
    step, own = f.scan.chosen, [learned_events(d, f, k) for k in range(len(d.temperatures))]
    steps = sum(d.n_steps(t, s, step) for t, s in zip(d.temperatures, f.scan.slowest_chosen))
    direct = {"direct runs": d.direct_runs * steps * step * whole_events(d)}
    return {"learned": {stage: sum(x[stage] for x in own) for stage in own[0]}, "direct": direct}


def learned_events(d: Design, f: Findings, k: int) -> dict[str, float]:
    """Those of the learned route at one temperature."""
    each, small = d.repeats * d.n_evolved, d.small_events[d.temperatures[k]]
    states = f.pairs[k].number / each
    return d.sampled.events(d.small_runs, small, states, d.healing_events, each, f.scan.chosen)


def whole_events(d: Design) -> float:
    """Of the large system in the time of a mean event."""
    return d.system.events_of(d.small_events[d.temperatures[0]])[2]


def cost(d: Design, f: Findings) -> Cost:
    """Events and CPU seconds of both routes."""
    spent = dict.fromkeys((*LEARNED, "prediction", "direct runs"), 0.0) | dict(f.cpu_s)
    routes = Routes(
        sum(spent[stage] for stage in LEARNED),
        spent["prediction"],
        spent["direct runs"],
        d.system.large.n_sites,
        STATIONARY_AFTER + float(np.mean(list(d.relaxation_times.values()))),
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
    step = f.scan.chosen
    own = [sum(learned_events(d, f, k).values()) for k in range(len(d.temperatures))]
    rows = np.array(own) / (whole_events(d) * step)
    burnt = np.array([d.burn_in(s, step) for s in f.scan.slowest_chosen])
    slowest = zip(d.temperatures, f.scan.slowest_chosen)
    late = np.array([d.n_steps(t, s, step) + 1 for t, s in slowest]) - burnt
    left = np.where(rows > burnt, rows - burnt, np.nan)
    return np.asarray(np.sqrt(d.direct_runs * late / left))
