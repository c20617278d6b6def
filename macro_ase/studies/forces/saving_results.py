"""Metrics, tables and figures of the study of savings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...files import save_figure
from ...plots import _colour, _figure
from ..results import check, metric, write_findings
from .results import LABELS, over_seeds
from .savings import Needed, Saving, needed, saving

if TYPE_CHECKING:
    from .saving import Curve, LennardJonesSavingStudy, Transfer

PUBLISHED = {800: 10.7, 2700: 23.0, 6400: 48.0, 21600: 173.0}


def write_results(
    study: LennardJonesSavingStudy,
    folder: Path,
    quick: bool,
    curves: dict[tuple[int, str], Curve],
    transfers: list[Transfer],
) -> None:
    """Write metrics, checks, tables and figures into the run folder."""
    error = study.config["forces"]["error"]
    sizes = study.config["data"]["n_atoms"]
    need = {k: needed(c.evaluations, c.typical, error) for k, c in curves.items()}
    savings = {n: saving(need[n, "Lz"], need[n, "Lx_partial"]) for n in sizes}
    (folder / "figures").mkdir(exist_ok=True)
    plot_curves(folder / "figures" / "saving.png", curves, error)
    size, table = study.config["data"]["block_atoms"], study.config["free"]
    summary = (
        f"Lennard-Jones fluids of {', '.join(map(str, sizes))} atoms: force evaluations needed for "
        f"an error of {error:g} against true runs, by the forces on all atoms (L_z) and on blocks "
        f"of {size} (L_{{x,p}})" + (" (quick form)." if quick else ".")
    )
    results = {
        "summary": [summary],
        "sections": [
            {
                "title": "Force evaluations saved",
                "text": "Runs from the same atoms and directions, from temperatures in a range. "
                "An error is the median over seeds of the mean over test runs; evaluations are "
                "interpolated between logarithms; '<' and '>' mark bounds where one of both losses "
                "did not reach the error with all its data.",
                "tables": [savings_table(need, savings, sizes), curves_table(curves)],
                "figures": [
                    {"file": "figures/saving.png", "caption": "Error against force evaluations"}
                ],
            },
            {
                "title": "One model for every size",
                "text": f"Learned from {table['training_runs']} runs of {table['n_atoms']} atoms "
                "with seeds of their own, and used at other sizes as it is. The floor is the "
                "scatter of true runs of one first temperature around their expected path.",
                "tables": [transfers_table(transfers)],
                "figures": [],
            },
        ],
        "checks": checks(transfers),
    }
    write_findings(folder, study.config, study.stages, metrics(savings, transfers), results)


def metrics(savings: dict[int, Saving], transfers: list[Transfer]) -> dict[str, dict[str, Any]]:
    """Savings, their unit saying which are bounds, and errors of transfer beside the floor."""
    made = {f"force_saving_{n}": s.metric() for n, s in savings.items()}
    for t in transfers:
        for loss, name in (("Lz", ""), ("Lx_partial", "_Lx_partial")):
            key = f"error_transfer_{t.n_atoms}{name}"
            made[key] = metric(*over_seeds(t.errors[loss]), 0.0, t.floor.mean())
    return made


def checks(transfers: list[Transfer]) -> list[dict[str, Any]]:
    """Whether what was learned at one size holds at others."""
    text = "Error of a model of the small fluid; the floor is the scatter of true runs."
    return [
        check(
            f"transfer to {t.n_atoms} atoms",
            None,
            f"{over_seeds(t.errors['Lz'])[0]:.2e}",
            f"floor {t.floor.mean():.2e}",
            text,
        )
        for t in transfers
    ]


def savings_table(
    need: dict[tuple[int, str], Needed], savings: dict[int, Saving], sizes: list[int]
) -> dict[str, Any]:
    """Evaluations needed and saved by number of atoms, beside the published savings."""

    def told(n: int, loss: str) -> str:
        return str(need[n, loss])

    return {
        "caption": "Evaluations of the force on an atom",
        "columns": ["atoms", LABELS["Lz"], LABELS["Lx_partial"], "saving", "published"],
        "rows": [
            [
                str(n),
                told(n, "Lz"),
                told(n, "Lx_partial"),
                str(savings[n]),
                f"{PUBLISHED[n]:g}" if n in PUBLISHED else "",
            ]
            for n in sizes
        ],
    }


def curves_table(curves: dict[tuple[int, str], Curve]) -> dict[str, Any]:
    """Errors by number of atoms, loss and evaluations."""
    return {
        "caption": "Errors",
        "columns": [
            "atoms",
            "loss",
            "evaluations",
            "full-force equivalents",
            "error, median over seeds",
            "by seed",
        ],
        "rows": [
            [
                str(n),
                LABELS[loss],
                f"{x:.3g}",
                f"{x / n:.3g}",
                f"{middle:.2e}",
                ", ".join(f"{e:.1e}" for e in errors.mean(axis=1)),
            ]
            for (n, loss), curve in curves.items()
            for x, middle, errors in zip(curve.evaluations, curve.typical, curve.errors)
        ],
    }


def transfers_table(transfers: list[Transfer]) -> dict[str, Any]:
    """Errors at every size beside the floor."""
    return {
        "caption": "Errors with free seeds",
        "columns": ["atoms", LABELS["Lz"], LABELS["Lx_partial"], "floor"],
        "rows": [
            [
                str(t.n_atoms),
                *("{:.2e} ± {:.0e}".format(*over_seeds(t.errors[k])) for k in ("Lz", "Lx_partial")),
                f"{t.floor.mean():.2e}",
            ]
            for t in transfers
        ],
    }


def plot_curves(path: Path, curves: dict[tuple[int, str], Curve], error: float) -> None:
    """Error against force evaluations, full lines for all forces."""
    figure, (ax,) = _figure(width=5.0)
    sizes = sorted({n for n, _ in curves})
    for (n, loss), curve in curves.items():
        style = "o-" if loss == "Lz" else "s--"
        label = f"{n}, {loss}"
        colour = _colour(sizes.index(n))
        ax.plot(curve.evaluations, curve.typical, style, ms=4, color=colour, label=label)
    ax.axhline(error, color="0.6", lw=0.8)
    ax.set(xlabel="evaluations of the force on an atom", ylabel="error")
    ax.set(xscale="log", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    save_figure(figure, path)
