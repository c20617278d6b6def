"""What a study of an alloy found: metrics, tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.assumptions import PatchCheck, check_patches, seam_difference
from ...analysis.order_comparison import Estimate
from ...barriers import KRABarriers
from ...report.figures import training as plot_training
from ...systems.alloy import Alloy
from ..results import metric, write_findings
from ..stages import Stages
from . import figures as plots
from .checks import assumption_checks, model_slopes
from .data import StudyData


def write_results(folder: Path, data: StudyData, stages: Stages) -> None:
    """Write the figures and both JSON files into a run folder."""
    checks = [check_patches(chunk) for chunk in data.pairs]
    figures = _figures(folder, data)
    results = {
        "summary": _summary(data),
        "sections": _sections(data, checks, figures),
        "checks": assumption_checks(data, checks),
    }
    write_findings(folder, data.config, stages, _metrics(data), results)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _farthest_from_one(ratio: Estimate) -> tuple[float, float]:
    """The ratio that is worst on a logarithmic scale, and its error; nan if there is none."""
    if np.all(np.isnan(ratio.value)):
        return np.nan, np.nan
    worst = int(np.nanargmax(np.abs(np.log(ratio.value))))
    return float(ratio.value[worst]), float(ratio.error[worst])


def _metrics(data: StudyData) -> dict[str, dict[str, Any]]:
    c = data.comparison
    miss = c.delta_predicted.value - c.delta_true.value
    errors = np.hypot(np.nan_to_num(c.delta_predicted.error), c.delta_true.error)
    rms_error = _rms(miss * errors) / (_rms(miss) * np.sqrt(miss.size))
    metrics = {
        "sro_rms": metric(_rms(miss), rms_error, None, _rms(c.delta_true.error), "delta"),
        "row_sum_residual": metric(c.row_sum_residual, None, 0.0, None, "delta"),
        "std_ratio": metric(*_farthest_from_one(c.std_ratio), 1.0, None, ""),
        "relaxation_time_ratio": metric(*_farthest_from_one(c.relaxation_ratio), 1.0, None, ""),
    }
    return metrics | (_vacancy_metrics(data) if isinstance(data.system, Alloy) else {})


def _vacancy_metrics(data: StudyData) -> dict[str, dict[str, Any]]:
    """How well vacancies sit where they should, and how good the barriers are."""
    c = data.comparison
    miss = c.vacancy_predicted.value - c.vacancy_true.value
    metrics = {
        "vacancy_term_error": metric(_rms(miss), None, 0.0, _rms(c.vacancy_true.error), "delta")
    }
    fit = data.system.barriers.info if isinstance(data.system.barriers, KRABarriers) else {}
    fitted = fit.get("metrics", {})
    for name, unit in (("barrier_cv_mae_eV", "eV"), ("formation_rms_meV", "meV/atom")):
        error = fitted.get(name.replace("_eV", "_error_eV").replace("_meV", "_error_meV"))
        metrics[name] = metric(fitted.get(name), error, None, None, unit)
    return metrics


def _figures(folder: Path, data: StudyData) -> dict[str, str]:
    """Draw the figures; returns file and caption by file."""
    where, order = folder / "figures", data.system.order
    horizons = [
        min(len(times), int(np.ceil(5 * slowest / data.scan.chosen)) + 2)
        for (times, _), slowest in zip(data.paths, data.scan.slowest_chosen)
    ]
    plots.plot_order(where / "order.png", data.comparison, order)
    plots.plot_relaxation(
        where / "relaxation.png",
        data.comparison,
        data.direct,
        data.paths,
        order,
        horizons,
        data.system.time_unit,
    )
    plots.plot_spread_and_time(where / "ratios.png", data.comparison)
    plots.plot_time_steps(where / "time_steps.png", data.scan)
    plot_training(where / "training.png", data.model.trained.history)
    return {
        "order.png": "Stationary first-shell order against temperature.",
        "relaxation.png": "Bond densities from the initial state: predicted mean and one "
        "standard deviation (lines and bands), direct runs (dotted).",
        "ratios.png": "Spread and relaxation time, predicted over direct; grey: 20 % and 30 %.",
        "time_steps.png": "Slowest relaxation time of small runs against the time step; "
        "dashed: the step that was chosen.",
        "training.png": "Training of the ensemble.",
    }


def _summary(data: StudyData) -> list[str]:
    large, small = data.system.large, data.system.small
    n_patches = data.system.n_patches(data.system.large_state)
    temperatures = ", ".join(f"{t:g}" for t in data.comparison.temperatures_K)
    return [
        *data.notes,
        f"Small runs of {small.n_sites} sites were upsampled to {large.n_sites} sites; patches "
        f"of these, evolved alone ({data.config['system']['boundary']} boundary), trained the "
        f"model, which predicts the large system of {n_patches} patches at {temperatures} K"
        + (" beside direct simulation" if data.config["direct"]["runs"] else "")
        + (" (quick form)." if data.quick else "."),
    ]


def _pm(estimate: Estimate, t: int, k: int) -> str:
    error = estimate.error[t, k]
    value = f"{estimate.value[t, k]:+.3f}"
    return value if np.isnan(error) else f"{value} ± {error:.3f}"


def _sections(
    data: StudyData, checks: list[PatchCheck], figures: dict[str, str]
) -> list[dict[str, Any]]:
    def shown(*names: str) -> list[dict[str, str]]:
        return [{"file": f"figures/{name}", "caption": figures[name]} for name in names]

    return [
        {
            "title": "Short-range order",
            "text": "Warren-Cowley alpha and delta of the first shell, predicted and direct. "
            "alpha = -delta / (8 c_B); like pairs follow from the sum rule with the mean "
            "vacancy neighbours measured in the small runs.",
            "tables": [_order_table(data, "alpha"), _order_table(data, "delta")],
            "figures": shown("order.png"),
        },
        {
            "title": "Relaxation and fluctuations",
            "text": "Relaxation time: to 1 - 1/e of the change of "
            f"{data.comparison.relaxation_name} bonds from the initial state.",
            "tables": [_dynamics_table(data), _spread_table(data)],
            "figures": shown("relaxation.png", "ratios.png"),
        },
        {
            "title": "Assumptions of the method, measured",
            "text": "Patches against wholes: increments over one step of whole large states "
            "and of their patches evolved alone. A whole relaxes during the step, which lowers "
            "its drift by about dt / (2 relaxation time) and its covariance by twice that. "
            "The model's own step contains this: whole / model should be 1.",
            "tables": [_patch_table(data, checks), _seam_table(data), _scan_table(data)],
            "figures": shown("time_steps.png"),
        },
        {
            "title": "Training",
            "text": f"{len(data.model.trained.members)} members, drift "
            f"{data.model.options.drift!r}, {sum(len(p['dz']) for p in data.pairs)} pairs.",
            "tables": [],
            "figures": shown("training.png"),
        },
    ]


def _order_table(data: StudyData, kind: str) -> dict[str, Any]:
    c, order = data.comparison, data.system.order
    factor = order.alpha(np.ones(len(c.names))) if kind == "alpha" else np.ones(len(c.names))
    rows = []
    for t, temperature in enumerate(c.temperatures_K):
        for label, e in (("predicted", c.delta_predicted), ("direct", c.delta_true)):
            scaled = Estimate(e.value * factor, np.abs(e.error * factor))
            rows.append(
                [f"{temperature:g}", label, *(_pm(scaled, t, k) for k in range(len(factor)))]
            )
    return {"caption": kind, "columns": ["T (K)", "", *c.names], "rows": rows}


def _dynamics_table(data: StudyData) -> dict[str, Any]:
    c = data.comparison
    rows = [
        [
            f"{temperature:g}",
            f"{c.relaxation_predicted.value[t]:.3e}",
            f"{c.relaxation_true.value[t]:.3e}",
            f"{c.relaxation_ratio.value[t]:.2f} ± {c.relaxation_ratio.error[t]:.2f}",
            f"{c.std_ratio.value[t]:.2f} ± {c.std_ratio.error[t]:.2f}",
        ]
        for t, temperature in enumerate(c.temperatures_K)
    ]
    unit = data.system.time_unit
    columns = [
        "T (K)",
        f"relaxation, predicted ({unit})",
        f"direct ({unit})",
        "ratio",
        "spread ratio",
    ]
    return {"caption": "Relaxation time and spread", "columns": columns, "rows": rows}


def _spread_table(data: StudyData) -> dict[str, Any]:
    c = data.comparison
    rows = [
        [f"{temperature:g}", label, *(_pm(e, t, k) for k in range(len(c.names)))]
        for t, temperature in enumerate(c.temperatures_K)
        for label, e in (("predicted", c.std_predicted), ("direct", c.std_true))
    ]
    columns = ["T (K)", "", *c.names]
    return {"caption": "Standard deviation of delta", "columns": columns, "rows": rows}


def _patch_table(data: StudyData, checks: list[PatchCheck]) -> dict[str, Any]:
    rows = [
        [
            f"{t:g}",
            f"{c.drift_slope:.2f} ± {c.drift_slope_error:.2f}",
            f"{slope:.2f} ± {error:.2f}",
            f"{c.mean_difference:.1f}",
            f"{c.covariance_ratio:.2f} ± {c.covariance_ratio_error:.2f}",
            f"{c.correlation:+.3f}",
            f"{c.met_share:.2f}",
            f"{c.drift_share:.3f}",
        ]
        for t, c, (slope, error) in zip(data.comparison.temperatures_K, checks, model_slopes(data))
    ]
    columns = [
        "T (K)",
        "whole / patches",
        "whole / model",
        "mean difference (errors)",
        "K cov(whole) / cov(patch)",
        "correlation of patches",
        "share that met",
        "variance share of drift",
    ]
    return {"caption": "Patches against wholes", "columns": columns, "rows": rows}


def _seam_table(data: StudyData) -> dict[str, Any]:
    rows = []
    for t, chunk in zip(data.comparison.temperatures_K, data.pairs):
        mean, error = seam_difference(chunk["seam"])
        rows.append([f"{t:g}", *(f"{m:+.4f} ± {e:.4f}" for m, e in zip(mean, error))])
    columns = ["T (K)", *data.system.z_names]
    return {
        "caption": "Bonds per site in the seams minus those in the bulk of upsampled states",
        "columns": columns,
        "rows": rows,
    }


def _scan_table(data: StudyData) -> dict[str, Any]:
    scan = data.scan
    rows = [
        [f"{t:g}", *(f"{a:.0f} / {b:.0f}" for a, b in zip(once, twice))]
        for t, once, twice in zip(scan.temperatures, scan.slowest, scan.slowest_doubled)
    ]
    return {
        "caption": f"Slowest relaxation time (mean {data.system.event}) at the step / at twice it",
        "columns": ["T (K)", *(f"{h:g}" for h in scan.steps)],
        "rows": rows,
    }
