"""The report of a study of an alloy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...analysis.order_comparison import Estimate, rms, rms_with_error
from ...analysis.time_step import AGREEMENT
from ...barriers import KRABarriers
from ...report import Check, Metric, Report, Section, Table, Value
from ...report.parts import Cell
from ...systems.alloy import Alloy
from ..beside import training_figure
from ..checks import patch_checks, patch_table
from .baselines import baselines, cost
from .compare import LONG_LAG, Findings
from .design import Design
from .figures import shown


def report(d: Design, f: Findings, quick: bool) -> Report:
    """All parts of the report."""
    system = d.system
    chosen = f"{d.n_evolved} of each, chosen at random and " if d.patches_per_state else ""
    summary = (
        f"Small runs of {system.small.n_sites} sites were upsampled to {system.large.n_sites} "
        f"sites; patches of these, {chosen}evolved alone ({system.boundary} boundary), trained the "
        f"model, which predicts the large system of {d.n_patches} patches at "
        f"{', '.join(f'{t:g}' for t in d.temperatures)} K"
        + (" beside direct simulation" if d.direct_runs else "")
        + (" (quick form)." if quick else ".")
    )
    sections = [_order(d, f), _dynamics(d, f), _assumptions(d, f), _training(d, f)]
    parts = (_metrics(d, f), _checks(d, f), sections, baselines(d, f), cost(d, f))
    return Report([*d.notes, summary], *parts)


def _metrics(d: Design, f: Findings) -> dict[str, Metric]:
    c = f.comparison
    miss = rms_with_error(c.miss.value, c.miss.error)
    metrics = {
        "sro_rms": Metric(*miss, None, rms(c.delta_true.error), "delta"),
        "row_sum_residual": Metric(c.row_sum_residual, None, 0.0, None, "delta"),
        "std_ratio": Metric(*c.std_ratio.farthest_from_one, 1.0),
        "relaxation_time_ratio": Metric(*c.relaxation_ratio.farthest_from_one, 1.0),
    }
    if not isinstance(d.system, Alloy):
        return metrics
    term = rms(c.vacancy_predicted.value - c.vacancy_true.value)
    floor = rms(c.vacancy_true.error)
    metrics["vacancy_term_error"] = Metric(term, None, 0.0, floor, "delta")
    barriers = d.system.barriers
    fitted = barriers.info.get("metrics", {}) if isinstance(barriers, KRABarriers) else {}
    for name, unit in (("barrier_cv_mae_eV", "eV"), ("formation_rms_meV", "meV/atom")):
        error = fitted.get(name.replace("_eV", "_error_eV").replace("_meV", "_error_meV"))
        metrics[name] = Metric(fitted.get(name), error, unit=unit)
    return metrics


def _checks(d: Design, f: Findings) -> list[Check]:
    by_label = {f"{t:g} K": p.check for t, p in zip(d.temperatures, f.pairs)}
    slopes, errors = zip(*(p.step for p in f.pairs))
    of_step = "Increments of wholes against the model's own mean step, relaxation included."
    of_scan = (
        f"Relaxation times of small runs at one and at two steps, relative difference; the step, "
        f"{f.scan.chosen:g} {d.system.event}, is the smallest at which all temperatures agree."
    )
    of_eps = "eps over the smallest eigenvalue of the learned patch covariance."
    checks = [
        *patch_checks(by_label, drift=0.25, noise=0.35),
        Check("step of the model = step of the whole", slopes, errors, 0.85, 1.15, of_step),
        Check("time step", f.scan.disagreement, high=AGREEMENT, text=of_scan, form=".1%"),
        *_lengths(d, f),
        Check("regularisation small", [p.eps_share for p in f.pairs], high=0.01, text=of_eps),
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


def _lengths(d: Design, f: Findings) -> list[Check]:
    """Lengths of small and of direct runs in their own slowest relaxation times."""
    direct = f"over {LONG_LAG} steps, each of {d.direct_runs} direct runs after burn-in"
    return [
        Check(
            f"{kind} runs long enough",
            lengths,
            low=low,
            text=f"Slowest relaxation times, by temperature: {text}.",
            form=".0f",
        )
        for kind, lengths, low, text in (
            ("small", f.small_lengths, 10, "stationary halves"),
            ("direct", f.direct_lengths, 50, direct),
        )
        if lengths
    ]


def _order(d: Design, f: Findings) -> Section:
    c = f.comparison
    factor = d.system.order.alpha(np.ones(len(c.names)))
    delta = {"predicted": c.delta_predicted, "direct": c.delta_true}
    alpha = {k: Estimate(e.value * factor, np.abs(e.error * factor)) for k, e in delta.items()}
    text = (
        "Warren-Cowley alpha and delta of the first shell, predicted and direct. alpha = -delta / "
        "(8 c_B); like pairs follow from the sum rule with the mean vacancy neighbours measured in "
        "the small runs."
    )
    tables = [_beside(d, f, name, ways) for name, ways in (("alpha", alpha), ("delta", delta))]
    return Section("Short-range order", text, tables, shown(d, f, "order"))


def _dynamics(d: Design, f: Findings) -> Section:
    c, unit = f.comparison, d.system.time_unit
    columns = {
        f"relaxation, predicted ({unit})": _values(c.relaxation_predicted, ".3e"),
        f"direct ({unit})": _values(c.relaxation_true, ".3e"),
        "ratio": _values(c.relaxation_ratio),
        "spread ratio": _values(c.std_ratio),
        **_laboratory(d, f),
    }
    spread = {"predicted": c.std_predicted, "direct": c.std_true}
    tables = [
        _table(d, "Relaxation time and spread", columns),
        _beside(d, f, "Standard deviation of delta", spread, ".3f"),
    ]
    text = f"Relaxation time: to 1 - 1/e of the change of {c.relaxation_name} bonds from the start."
    text += _of_time(d)
    figures = shown(d, f, "relaxation", "ratios")
    return Section("Relaxation and fluctuations", text, tables, figures)


def _of_time(d: Design) -> str:
    """What times are, where vacancies keep them."""
    share = float(d.system.order.fractions[-1])
    if not share:
        return ""
    told = (
        f" Times are simulated, with vacancies on {share:.2e} of the sites. With c_v(T) of them in "
        f"the laboratory all takes {share:.2e} / c_v(T) times as long there"
    )
    if d.vacancy_fraction is None:
        return f"{told}: time.vacancy_fraction, from macro-ase vacancy-energy, gives those times."
    return f"{told}; errors of these times hold that of c_v, which all of a row share."


def _laboratory(d: Design, f: Findings) -> dict[str, list[Cell]]:
    """Columns of times in the laboratory, where its vacancies are known."""
    if d.vacancy_fraction is None:
        return {}
    scales, errors = np.transpose([d.laboratory_scale(t) for t in d.temperatures])
    columns: dict[str, list[Cell]] = {
        "vacant in the laboratory": [
            Value(d.vacancy_fraction(t), d.vacancy_fraction(t) * e, ".2e")
            for t, e in zip(d.temperatures, errors)
        ]
    }
    ways = {"predicted": f.comparison.relaxation_predicted, "direct": f.comparison.relaxation_true}
    for way, time in ways.items():
        error = scales * np.hypot(time.error, time.value * errors)
        there = Estimate(time.value * scales, error)
        columns[f"laboratory, {way} ({d.system.time_unit})"] = _values(there, ".2e")
    return columns


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
        _table(d, of_seams, seams),
        _table(d, of_steps, steps),
    ]
    name = "Assumptions of the method, measured"
    return Section(name, text, tables, shown(d, f, "time_steps"))


def _training(d: Design, f: Findings) -> Section:
    number = sum(p.number for p in f.pairs)
    text = f"{len(f.history)} members, drift {d.learning['drift']!r}, {number} pairs."
    return Section("Training", text, figures=[training_figure(f.history)])


def _values(e: Estimate, form: str = ".2f") -> list[Cell]:
    return [Value(*own, form) for own in zip(e.value, e.error)]


def _table(d: Design, caption: str, columns: Mapping[str, Sequence[Cell]]) -> Table:
    """A row a temperature."""
    rows = [[f"{t:g}", *row] for t, row in zip(d.temperatures, zip(*columns.values()))]
    return Table(caption, ["T (K)", *columns], rows)


def _beside(
    d: Design, f: Findings, caption: str, ways: Mapping[str, Estimate], form: str = "+.3f"
) -> Table:
    """A row a temperature and way, of estimates of shape (n_T, n_all)."""
    rows = [
        [f"{t:g}", way, *_values(Estimate(e.value[k], e.error[k]), form)]
        for k, t in enumerate(d.temperatures)
        for way, e in ways.items()
    ]
    return Table(caption, ["T (K)", "", *f.comparison.names], rows)
