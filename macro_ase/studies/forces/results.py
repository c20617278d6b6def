"""Metrics, tables and figures of the studies of partial forces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import save_figure
from ...plots import _colour, _figure
from ..results import check, metric, write_findings
from .savings import needed, saving, typical

if TYPE_CHECKING:
    from .study import ForcesFindings, ForcesStudy

Key = tuple[str, int]
SHOWN = 6
LABELS = {"Lz": "L_z, all forces", "Lx": "L_x, all forces", "Lx_partial": "L_{x,p}, some forces"}


def metric_name(study: ForcesStudy, key: Key) -> str:
    """``error_LOSS``, with the amount of data where there are several."""
    several = len(study.config["forces"]["equivalents"]) > 1
    return f"error_{key[0]}" + (f"_{key[1]}" if several else "")


def write_results(
    study: ForcesStudy,
    folder: Path,
    summary: str,
    findings: ForcesFindings,
    published: dict[Key, float],
    limits: dict[Key, float],
    saved_at: float | None = None,
) -> None:
    """Write metrics, checks, tables and figures into the run folder.

    ``saved_at`` is the error at which force evaluations are compared where there are several
    amounts of data.
    """
    figures = draw(folder / "figures", findings, study.system.z_names)
    results = {
        "summary": [summary],
        "sections": [
            {
                "title": "Predicted and true runs",
                "text": "Error: mean over test runs of sum_t |z*_pred - z*_true| / sum_t |z*_true|."
                " Every seed has its own encoder, configurations, particles and drift.",
                "tables": [errors_table(study, findings, published)],
                "figures": figures[:1],
            },
            {
                "title": "Encoders and training",
                "text": "The part of the forces outside the rows that meet them says nothing about "
                "z and is the noise of partial forces.",
                "tables": [encoders_table(findings)],
                "figures": figures[1:],
            },
        ],
        "checks": checks(study, findings, limits),
    }
    found = metrics(study, findings)
    if saved_at is not None:
        found |= savings(study, findings, saved_at)
    write_findings(folder, study.config, study.stages, found, results)


def over_seeds(errors: np.ndarray) -> tuple[float, float]:
    """Mean over seeds of the mean over runs, and its standard error."""
    each = errors.mean(axis=1)
    spread = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
    return float(each.mean()), float(spread)


def metrics(study: ForcesStudy, findings: ForcesFindings) -> dict[str, dict[str, Any]]:
    """Errors beside the floor; an error over seeds."""
    floor = findings.floor.mean()
    return {
        metric_name(study, key): metric(*over_seeds(errors), 0.0, floor)
        for key, errors in findings.errors.items()
    }


def savings(study: ForcesStudy, findings: ForcesFindings, error: float) -> dict[str, Any]:
    """``force_saving_N`` of N particles: evaluations by L_z over those by L_{x,p}, for an error.

    Errors are medians over seeds of means over runs. Empty without several amounts of both.
    """
    n, sizes = study.system.n_particles, sorted(study.config["forces"]["equivalents"])
    if len(sizes) < 2 or not {"Lz", "Lx_partial"} <= {*study.config["forces"]["losses"]}:
        return {}
    need = []
    for loss in ("Lz", "Lx_partial"):
        each = np.array([typical(findings.errors[loss, k]) for k in sizes])
        need.append(needed(n * np.array(sizes, dtype=float), each, error))
    return {f"force_saving_{n}": saving(*need).metric()}


def errors_table(
    study: ForcesStudy, findings: ForcesFindings, published: dict[Key, float]
) -> dict[str, Any]:
    """Errors by loss and amount of data, seed by seed, beside the published ones."""
    rows = []
    for key, errors in findings.errors.items():
        mean, spread = over_seeds(errors)
        each = ", ".join(f"{e:.2e}" for e in errors.mean(axis=1))
        share, paper = study.share(key[0]), published.get(key)
        rows.append(
            [
                LABELS[key[0]],
                str(key[1]),
                str(round(key[1] / share)),
                f"{share:g}",
                f"{mean:.2e} ± {spread:.0e}" if np.isfinite(spread) else f"{mean:.2e}",
                each,
                f"{errors.max():.1e}",
                f"{paper:.2e}" if paper else "",
            ]
        )
    floor = f"{findings.floor.mean():.1e}"
    rows.append(["floor: true runs made again", "", "", "", floor, "", "", ""])
    return {
        "caption": "Errors at equal numbers of force evaluations",
        "columns": [
            "loss",
            "full-force equivalents",
            "configurations",
            "p",
            "error, mean over seeds",
            "by seed",
            "worst run",
            "published",
        ],
        "rows": rows,
    }


def encoders_table(findings: ForcesFindings) -> dict[str, Any]:
    """What each seed's encoder leaves out."""
    rows = [
        [str(k + 1), f"{e['unexplained']:.1e}", f"{e['kappa']:.1f}", f"{e['outside']:.2e}"]
        for k, e in enumerate(findings.encoders)
    ]
    return {
        "caption": "Encoders",
        "columns": [
            "seed",
            "variance not rebuilt",
            "mean condition number of phi' phi'^T",
            "share of |f|^2 outside the rows",
        ],
        "rows": rows,
    }


def checks(
    study: ForcesStudy, findings: ForcesFindings, limits: dict[Key, float]
) -> list[dict[str, Any]]:
    """Errors against their limits, and partial against full forces."""
    made = []
    for key, limit in limits.items():
        if key in findings.errors:
            value = over_seeds(findings.errors[key])[0]
            name, text = metric_name(study, key), "Mean over test runs and seeds."
            made.append(check(name, value <= limit, f"{value:.2e}", f"{limit:.1e}", text))
    for (loss, size), errors in findings.errors.items():
        full = findings.errors.get(("Lz", size))
        if loss == "Lx_partial" and full is not None:
            ratio = over_seeds(errors)[0] / over_seeds(full)[0]
            name = f"{loss} / Lz at {size} equivalents"
            text = "Errors at the same number of force evaluations."
            made.append(check(name, ratio < 1, f"{ratio:.2f}", "below 1", text))
    return made


def draw(folder: Path, findings: ForcesFindings, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Draw runs and training; file and caption of each figure."""
    most = max(size for _, size in findings.paths)
    plot_runs(folder / "runs.png", findings, names, most)
    plot_training(folder / "training.png", findings)
    return [
        {
            "file": "figures/runs.png",
            "caption": f"Test runs, true (dots) and predicted by the first seed from {most} "
            "full-force equivalents (lines)",
        },
        {"file": "figures/training.png", "caption": "Loss above its lowest value, first seed"},
    ]


def plot_runs(path: Path, findings: ForcesFindings, names: tuple[str, ...], size: int) -> None:
    """Observables of some test runs, one row of panels an observable, one column a loss."""
    losses = [loss for loss, amount in findings.paths if amount == size]
    figure, axes = _figure(len(losses) * len(names), width=3.6)
    panels = [(name, k, loss) for k, name in enumerate(names) for loss in losses]
    test, runs = findings.test, range(min(SHOWN, len(findings.test.z)))
    few = slice(None, None, max(1, len(test.times) // 60))
    for ax, (name, k, loss) in zip(axes, panels):
        for i in runs:
            ax.plot(test.times, findings.paths[loss, size][i, :, k], color=_colour(i), lw=1)
            ax.plot(test.times[few], test.z[i, few, k], ".", ms=3, color=_colour(i))
        low, high = test.z[list(runs), :, k].min(), test.z[list(runs), :, k].max()
        margin = 0.1 * (high - low)
        ax.set(xlabel="time", ylabel=name, title=loss, ylim=(low - margin, high + margin))
    save_figure(figure, path)


def plot_training(path: Path, findings: ForcesFindings) -> None:
    """Losses of the first seed above their lowest value."""
    figure, (ax,) = _figure()
    for i, ((loss, size), history) in enumerate(findings.histories.items()):
        curve = history[0, 0] - history[0, 0].min()
        shown = np.maximum(curve, 1e-12)[:-1]
        ax.plot(np.arange(1, len(shown) + 1), shown, color=_colour(i), label=f"{loss} {size}")
    ax.set(xlabel="hundreds of steps", ylabel="loss above its lowest", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    save_figure(figure, path)
