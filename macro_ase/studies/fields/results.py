"""Metrics, tables, checks and figures of the predator-prey study."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.mmd import squared_mmd_with_error, standardise
from ...analysis.path_scores import PathScore
from ...plots import plot_training
from ..results import check, metric, write_findings
from ..stages import Stages
from .findings import Findings, Scores, scores_of
from .plots import plot_lambdas, plot_runs, plot_spread
from .scan import ScanRow

MMD_LIMIT, SPREAD_LIMIT, NOISE_LIMIT, DRIFT_LIMIT = 0.03, 0.1, 0.1, 0.02
COLUMNS = ["squared MMD", "mean put right", "error of the mean", "std u", "std v"]


def write_results(
    folder: Path, config: dict[str, Any], stages: Stages, findings: Findings, quick: bool
) -> None:
    """Write metrics, tables and figures into the folder."""
    scores = stages.timed("scores", scores_of, findings)
    own = float(config["system"]["n_cells"] // config["sampling"]["patch"])
    metrics = _metrics(config, findings, scores, own)
    captions = _draw(folder / "figures", config, findings, scores, own)
    results = {
        "summary": [_summary(config, own, quick)],
        "sections": _sections(findings, scores, own, captions),
        "checks": _checks(config, metrics, findings.scan, own),
    }
    write_findings(folder, config, stages, metrics, results)


def _summary(config: dict[str, Any], own: float, quick: bool) -> str:
    system, table = config["system"], config["sampling"]
    return (
        f"Predator and prey on {system['n_cells']} cells, noise {system['noise']:g} "
        f"({system['noise_kind']}): small runs of {table['small']} cells were interpolated to the "
        f"large line, and patches of {table['patch']} cells (K = {own:g}) evolved alone for dt = "
        f"{table['dt']:g}. Closure: {config['closure']['kind']}. Squared MMD of the means of u "
        "and v, in units of the truth's spread" + (" (quick form)." if quick else ".")
    )


def over_repeats(scores: list[PathScore]) -> tuple[float, float]:
    """Mean MMD^2 over repeats, and its error from their scatter or, if larger, the bootstrap."""
    values, errors = (np.array([getattr(s, name) for s in scores]) for name in ("mmd", "mmd_error"))
    root = np.sqrt(len(values))
    scatter = values.std(ddof=1) / root if len(values) > 1 else 0.0
    return float(values.mean()), float(max(scatter, errors.mean() / root))


def _metrics(
    config: dict[str, Any], findings: Findings, scores: Scores, own: float
) -> dict[str, dict[str, Any]]:
    metrics = {
        f"mmd2_lambda_{factor:g}": metric(*over_repeats(scores.repeats[factor]), 0.0, scores.floor)
        for factor in config["prediction"]["lambdas"]
    }
    metrics["mmd2_floor"] = metric(scores.floor, scores.floor_error)
    true, second, predicted = standardise(
        findings.true, findings.second, findings.predicted[own][0]
    )
    latent_floor, _ = squared_mmd_with_error(list(true), list(second))
    latent = squared_mmd_with_error(list(true), list(predicted))
    metrics["mmd2_latent"] = metric(*latent, 0.0, latent_floor)
    best = scores.repeats[own]
    for k, name in enumerate(("u", "v")):
        ratio = float(np.mean([s.spread[k] for s in best]))
        error = float(np.mean([s.spread_error[k] for s in best]))
        metrics[f"std_ratio_{name}"] = metric(ratio, error, 1.0)
    metrics["mean_error"] = metric(np.mean([s.mean_error for s in best]), None, 0.0)
    return metrics


def _row(label: str, scores: list[PathScore]) -> list[str]:
    value, error = over_repeats(scores)
    spread = np.mean([s.spread for s in scores], axis=0)
    spread_error = np.mean([s.spread_error for s in scores], axis=0)
    return [
        label,
        f"{value:.4f} ± {error:.4f}",
        f"{np.mean([s.centred for s in scores]):.4f}",
        f"{np.mean([s.mean_error for s in scores]):.3f}",
        *(f"{x:.3f} ± {e:.3f}" for x, e in zip(spread, spread_error)),
    ]


def lambda_table(scores: Scores, own: float) -> dict[str, Any]:
    """MMD and what it is made of, by lambda."""
    rows = [
        _row(f"{factor:g}" + (" = K" if factor == own else ""), repeats)
        for factor, repeats in scores.repeats.items()
    ]
    rows.append(
        ["truth against truth", f"{scores.floor:.4f} ± {scores.floor_error:.4f}", *4 * [""]]
    )
    n = len(scores.repeats[own])
    return {
        "caption": f"By lambda, mean of {n} repeats, in units of the truth's spread; std: of runs, "
        "predicted over true",
        "columns": ["lambda", *COLUMNS],
        "rows": rows,
    }


def other_table(caption: str, first: str, scores: dict[str, PathScore]) -> dict[str, Any]:
    """Scores with lambda = K by way to sample or closure."""
    rows = [_row(name, [score]) for name, score in scores.items()]
    return {"caption": caption, "columns": [first, *COLUMNS], "rows": rows}


def scan_table(scan: list[ScanRow]) -> dict[str, Any]:
    """Patches against wholes."""
    rows = [
        [f"{row.dt:g}", row.name]
        + [f"{100 * x:.2f} %" for x in row.drift_error]
        + [f"{x:.3f}" for x in (*row.noise_ratio, *row.single_ratio)]
        for row in scan
    ]
    parts = ("error of the drift", "noise", "single increments")
    return {
        "caption": "Patches against wholes from the same states: error of the drift over its "
        "spread; variance of the noise, and of single increments given the state, over K times "
        "the whole's",
        "columns": ["dt", "patches", *(f"{part}, {name}" for part in parts for name in "uv")],
        "rows": rows,
    }


def _draw(
    where: Path, config: dict[str, Any], findings: Findings, scores: Scores, own: float
) -> dict[str, str]:
    """Draw the figures; returns caption by file."""
    waves = product(config["direct"]["means"], config["direct"]["amplitudes"])
    labels = [f"m = {m:g}, k = {k:g}" for m, k in waves]
    predicted, true = findings.predicted[own][0], findings.true
    plot_runs(where / "runs.png", findings.times, predicted, true, labels)
    both = np.concatenate([true, findings.second], axis=1)
    plot_spread(where / "spread.png", findings.times, predicted, both)
    lambdas = list(scores.repeats)
    value, error = np.transpose([over_repeats(scores.repeats[x]) for x in lambdas])
    centred = np.array([np.mean([s.centred for s in scores.repeats[x]]) for x in lambdas])
    plot_lambdas(where / "lambda.png", lambdas, value, error, centred, scores.floor)
    plot_training(where / "training.png", findings.histories[0])
    return {
        "runs.png": "Mean over runs: predicted (lines, with their spread) and direct (dots).",
        "spread.png": "Spread over runs: predicted (lines) and direct (dots).",
        "lambda.png": "Squared MMD by lambda.",
        "training.png": "Training, first repeat.",
    }


def _sections(
    findings: Findings, scores: Scores, own: float, captions: dict[str, str]
) -> list[dict[str, Any]]:
    tables = [lambda_table(scores, own)]
    if scores.closures:
        caption = "Held-out waves, by closure, lambda = K"
        tables.append(other_table(caption, "closure", scores.closures))
    if scores.ways:
        caption = "Other ways to sample, first repeat, lambda = K"
        tables.append(other_table(caption, "way", scores.ways))

    def shown(*names: str) -> list[dict[str, str]]:
        return [{"file": f"figures/{name}", "caption": captions[name]} for name in names]

    return [
        {
            "title": "Predicted and direct runs",
            "text": "Squared MMD mixes an error of the drift, which moves the mean, with one of "
            "the noise. Where the mean is off by as much as the runs spread, noise that is too "
            "wide hides it, and the least MMD lies at a lambda that is not K.",
            "tables": tables,
            "figures": shown("runs.png", "spread.png", "lambda.png"),
        },
        {
            "title": "Assumptions of the method, measured",
            "text": "From the same states patches evolve alone and wholes entirely, with random "
            "numbers and with their opposites.",
            "tables": [scan_table(findings.scan)],
            "figures": [],
        },
        {"title": "Training", "text": "", "tables": [], "figures": shown("training.png")},
    ]


def _checks(
    config: dict[str, Any], metrics: dict[str, Any], scan: list[ScanRow], own: float
) -> list[dict[str, Any]]:
    checks = []
    name = f"mmd2_lambda_{own:g}"
    if name in metrics:
        value, text = metrics[name]["value"], "Mean over repeats, waves and times."
        passed, limit = bool(value <= MMD_LIMIT), f"{MMD_LIMIT:g}"
        checks.append(check(f"squared MMD, lambda = {own:g}", passed, f"{value:.4f}", limit, text))
    for k in "uv":
        ratio = metrics[f"std_ratio_{k}"]["value"]
        passed, text = bool(abs(ratio - 1) <= SPREAD_LIMIT), "Over runs, pooled over times."
        allowed = f"within {100 * SPREAD_LIMIT:g} %"
        checks.append(
            check(f"predicted over true std of {k}", passed, f"{ratio:.3f}", allowed, text)
        )
    table = config["sampling"]
    own_way = f"frozen, buffer {table['buffer']}"
    rows = [row for row in scan if (row.name, row.dt) == (own_way, table["dt"])]
    return checks + [patch for row in rows for patch in _patch_checks(row)]


def _patch_checks(row: ScanRow) -> list[dict[str, Any]]:
    drift, noise = float(row.drift_error.max()), row.noise_ratio
    worst = float(noise[np.argmax(np.abs(noise - 1))])
    return [
        check(
            "drift of patches = drift of the whole",
            drift <= DRIFT_LIMIT,
            f"{100 * drift:.2f} %",
            f"{100 * DRIFT_LIMIT:g} %",
            "Mean over patches evolved alone, against wholes from the same states.",
        ),
        check(
            "noise of patches = noise of the whole",
            abs(worst - 1) <= NOISE_LIMIT,
            f"{worst:.3f}",
            f"within {100 * NOISE_LIMIT:g} %",
            "Variance of the noise of a patch over K times that of the whole.",
        ),
    ]
