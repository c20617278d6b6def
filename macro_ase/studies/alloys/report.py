"""The report of a study of an alloy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...analysis.order_comparison import Estimate
from ...analysis.time_step import AGREEMENT
from ...arrays import Array
from ...report import Check, Report, Section, Table, Value
from ...report.parts import Cell
from ..beside import training_figure
from ..checks import patch_checks, patch_table, training_check
from .baselines import baselines, cost
from .compare import Findings
from .design import Design
from .figures import shown
from .laboratory import in_the_laboratory, of_time, vacant
from .metrics import metrics
from .run_checks import run_checks

WITHOUT_TRUTH = (
    " There are no direct runs (direct.runs = 0): what stands in their place are the checks of "
    "patches against wholes, and of the model against its own small runs."
)


def report(d: Design, f: Findings, quick: bool) -> Report:
    """All parts of the report."""
    system = d.system
    chosen = f"{d.n_evolved} of each, chosen at random and " if d.patches_per_state else ""
    past = f", which remembers {_hops(d)} hops," if d.remembers else ","
    grown = f" were upsampled to {system.large.n_sites} sites; patches" if d.grow else "; patches"
    treated = d.small_runs - d.fresh_runs
    begun = f", {treated} of {d.small_runs} from another temperature" if treated else ""
    summary = (
        f"Small runs of {system.small.n_sites} sites{begun}{grown} of these, {chosen}evolved alone "
        f"({system.boundary} boundary), trained the model{past} which predicts the large system of "
        f"{system.large.n_sites} sites and {d.n_patches:.0f} patches at "
        f"{', '.join(f'{t:g}' for t in d.temperatures)} K"
        + (" beside direct simulation" if d.direct_runs else "")
        + (" (quick form)." if quick else ".")
        + ("" if d.direct_runs else WITHOUT_TRUTH)
    )
    sections = [_order(d, f), *_lattice(d, f), _dynamics(d, f), _assumptions(d, f), _training(d, f)]
    simpler = baselines(d, f) if d.direct_runs else None
    parts = (metrics(d, f), _checks(d, f), sections, simpler, cost(d, f))
    return Report([*d.notes, summary], *parts)


def _hops(d: Design) -> str:
    """The memory, from the coldest temperature to the hottest."""
    ends = [f"{d.memory(1000 / t):.4g}" for t in (d.temperatures[0], d.temperatures[-1])]
    return " to ".join(dict.fromkeys(ends))


def _checks(d: Design, f: Findings) -> list[Check]:
    by_label = {f"{t:g} K": p.check for t, p in zip(d.temperatures, f.pairs)}
    slopes, errors = zip(*(p.step for p in f.pairs))
    of_step = "Increments of wholes against the model's own mean step, relaxation included."
    of_scan = (
        f"Relaxation times of small runs at one and at two steps, relative difference; the step, "
        f"{f.scan.chosen:g} {d.system.event}, is the smallest at which all temperatures agree."
    )
    of_eps = "eps over the smallest eigenvalue of the learned patch covariance."
    of_own = (
        "The model at the size of its small runs over these, {}, of every component: no direct run "
        "of the large system enters."
    )
    checks = [
        *patch_checks(by_label, drift=0.25, noise=0.35),
        *(
            Check(f"model = small runs: {what}", *_known(r), low, high, of_own.format(what))
            for what, r, low, high in (
                ("relaxation times", f.own.relaxation_ratio, 0.85, 1.15),
                ("spread", f.own.std_ratio, 0.9, 1.1),
            )
        ),
        Check("step of the model = step of the whole", slopes, errors, 0.85, 1.15, of_step),
        Check("time step", f.scan.disagreement, high=AGREEMENT, text=of_scan, form=".1%"),
        *run_checks(d, f),
        Check("regularisation small", [p.eps_share for p in f.pairs], high=0.01, text=of_eps),
        training_check({"": f.history}),
    ]
    shares = d.system.order.fractions[:-1]
    least = shares[shares > 0].min()
    mean, error = (np.array(x) / least for x in zip(*(p.seam for p in f.pairs)))
    if not np.isnan(mean).all():
        of_seams = "Order of seams less that of the bulk of upsampled states, in units of delta."
        checks.append(Check("seams healed", mean, error, -0.06, 0.06, of_seams, "+.3f"))
    if d.system.order.counts[-1]:
        met = max(c.met_share for c in by_label.values())
        text = "Largest share of pairs in which the vacancy became another's first neighbour."
        checks.append(Check("vacancies met", met, text=text, form=".2f", informs=True))
    return checks


def _order(d: Design, f: Findings) -> Section:
    c = f.comparison
    factor = d.system.order.alpha(np.ones(len(c.names)))
    delta = _ways(d, c.delta_predicted, c.delta_true)
    alpha = {k: Estimate(e.value * factor, np.abs(e.error * factor)) for k, e in delta.items()}
    text = (
        f"Warren-Cowley alpha and delta of the first shell, {' and '.join(delta)}. alpha = -delta "
        f"/ ({d.system.order.coordination} c_B); like pairs follow from the sum rule with the mean "
        "vacancy neighbours measured in the small runs."
    )
    tables = [
        _beside(c.names, d, name, ways, {}, "+.3f")
        for name, ways in (("alpha", alpha), ("delta", delta))
    ]
    return Section("Short-range order", text, tables, shown(d, f, "order"))


def _lattice(d: Design, f: Findings) -> list[Section]:
    """Order of the lattice of the small runs, where it is bcc or fcc."""
    if f.lattice is None:
        return []
    names, ways = d.system.species, f.lattice.ways
    random = ", ".join(f"{of} {value:.3f}" for of, value in f.lattice.random.items())
    text = (
        f"Of small runs of {d.system.small.n_sites} sites, second halves. The order of a phase is "
        f"1 where it is perfect; in a random crystal of this size: {random}. S(k) along the cubic "
        "axes, over that of a random crystal, at its highest k, in units of 2 pi / a: k = 1 is "
        "that of B2, L1_2 and L1_0. A peak of long-range order grows as the crystal does; of "
        "short-range order it does not."
    )
    table = _beside(names, d, "Order of the lattice", ways, {"at k": ".2f"}, ".3f")
    return [Section("Order of the lattice", text, [table])]


def _dynamics(d: Design, f: Findings) -> Section:
    c, unit = f.comparison, d.system.time_unit
    ways = _ways(d, c.relaxation_predicted, c.relaxation_true)
    forms = dict.fromkeys(ways, ".3e") | {"ratio": ".2f"}
    rows = ways | _ratio(d, c.relaxation_ratio) | in_the_laboratory(d, ways)
    spread = _ways(d, c.spread_predicted, c.spread_true) | _ratio(d, c.std_ratio)
    own = {"order, difference": f.own.miss, "spread, ratio": f.own.std_ratio}
    own["relaxation, ratio"] = f.own.relaxation_ratio
    unlike = [c.names.index(name) for name in c.pair_names]
    own["order, difference"] = Estimate(f.own.miss.value[:, unlike], f.own.miss.error[:, unlike])
    tables = [
        _beside(c.pair_names, d, f"Relaxation time ({unit})", rows, forms, ".2e"),
        _beside(c.pair_names, d, "Standard deviation of bonds per site", spread, {}, ".4g"),
        *vacant(d),
        _beside(c.pair_names, d, "The model beside its own small runs", own, {}, ".3f"),
    ]
    text = "Relaxation time: to 1 - 1/e of the change from the start; none where it is small."
    text += of_time(d)
    figures = shown(d, f, "relaxation", *(["ratios"] if d.direct_runs else []))
    return Section("Relaxation and fluctuations", text, tables, figures)


def _assumptions(d: Design, f: Findings) -> Section:
    scan, by_label = f.scan, {f"{t:g}": p.check for t, p in zip(d.temperatures, f.pairs)}
    own: dict[str, list[Cell]] = {
        "drift, whole / model": [Value(*p.step) for p in f.pairs],
        "share that met": [Value(p.check.met_share, form=".2f") for p in f.pairs],
    }
    seams: dict[str, list[Cell]] = {
        name: [Value(p.seam[0][k], p.seam[1][k], "+.4f") for p in f.pairs]
        for k, name in enumerate(d.system.names)
    }
    pairs = zip(scan.steps, scan.slowest.T, scan.slowest_doubled.T)
    steps: dict[str, list[Cell]] = {
        f"{h:g}": [f"{a:.3g} / {b:.3g}" for a, b in zip(once, twice)] for h, once, twice in pairs
    }
    of_steps = f"Slowest relaxation time (mean {d.system.event}) at the step / at twice it"
    of_seams = "Bonds per site in the seams minus those in the bulk of upsampled states"
    text = (
        "Increments over one step of whole large states and of their patches evolved alone. A "
        "whole relaxes during the step, which lowers its drift by about dt / (2 relaxation time) "
        "and its covariance by twice that. The model's own step contains this: whole / model "
        "should be 1."
    )
    tables = [
        patch_table(by_label, "T (K)", own),
        *([_table(d, of_seams, seams)] if d.grow else []),
        _table(d, of_steps, steps),
    ]
    name = "Assumptions of the method, measured"
    return Section(name, text, tables, shown(d, f, "time_steps"))


def _training(d: Design, f: Findings) -> Section:
    number = sum(p.number for p in f.pairs)
    text = f"{len(f.history)} members, drift {d.learning['drift']!r}, {number} pairs."
    return Section("Training", text, figures=[training_figure(f.history)])


def _ways(d: Design, predicted: Estimate, direct: Estimate) -> dict[str, Estimate]:
    """Estimates by way, those of direct runs where there are some."""
    return {"predicted": predicted} | ({"direct": direct} if d.direct_runs else {})


def _ratio(d: Design, ratio: Estimate) -> dict[str, Estimate]:
    return {"ratio": ratio} if d.direct_runs else {}


def _known(e: Estimate) -> tuple[Array, Array]:
    """Values that are defined, such as times of components that change, and their errors."""
    there = np.isfinite(e.value)
    return e.value[there], e.error[there]


def _values(e: Estimate, form: str = ".2f") -> list[Cell]:
    return [Value(*own, form) for own in zip(e.value, e.error)]


def _table(d: Design, caption: str, columns: Mapping[str, Sequence[Cell]]) -> Table:
    """A row a temperature."""
    rows = [[f"{t:g}", *row] for t, row in zip(d.temperatures, zip(*columns.values()))]
    return Table(caption, ["T (K)", *columns], rows)


def _beside(
    names: Sequence[str],
    d: Design,
    caption: str,
    ways: Mapping[str, Estimate],
    forms: Mapping[str, str],
    form: str,
) -> Table:
    """A row a temperature and way, of estimates of shape (n_T, n), in its form or the usual one."""
    rows = [
        [f"{t:g}", way, *_values(Estimate(e.value[k], e.error[k]), forms.get(way, form))]
        for k, t in enumerate(d.temperatures)
        for way, e in ways.items()
    ]
    return Table(caption, ["T (K)", "", *names], rows)
