"""Savings read from errors against truth; metrics, tables and figures of their study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...plots import _colour, _figure
from ..results import check, metric, write_findings
from .results import LABELS, over_seeds

if TYPE_CHECKING:
    from .saving import Curve, LennardJonesSavingStudy, Transfer

PUBLISHED = {800: 10.7, 2700: 23.0, 6400: 48.0, 21600: 173.0}
SIGNS = {-1: "< ", 0: "", 1: "> "}


class Needed(NamedTuple):
    """Force evaluations that an error needs; ``reached`` is False where they are a lower bound."""

    evaluations: float
    reached: bool


class Saving(NamedTuple):
    """Evaluations by L_z over those by L_{x,p}; ``bound`` is -1 below, 1 above, 0 measured."""

    value: float
    bound: int

    def __str__(self) -> str:
        return f"{SIGNS[self.bound]}{self.value:.3g}" if np.isfinite(self.value) else "not known"


def needed(evaluations: np.ndarray, errors: np.ndarray, error: float) -> Needed:
    """Evaluations at which the error is first reached, interpolated between logarithms.

    Parameters
    ----------
    evaluations, errors : arrays, shape (n_amounts,)
        Evaluations ascend. If the first already is good enough, it is what is needed.
    error : float
    """
    good = np.flatnonzero(errors <= error)
    if not len(good):
        return Needed(float(evaluations[-1]), False)
    k = int(good[0])
    if k == 0:
        return Needed(float(evaluations[0]), True)
    x, y = np.log(evaluations[k - 1 : k + 1]), np.log(errors[k - 1 : k + 1])
    share = (y[0] - np.log(error)) / (y[0] - y[1])
    return Needed(float(np.exp(x[0] + share * (x[1] - x[0]))), True)


def saving(full: Needed, partial: Needed) -> Saving:
    """The ratio, or on which side of it the data leave it; nan where neither was reached."""
    if not (full.reached or partial.reached):
        return Saving(np.nan, 0)
    bound = 0 if full.reached and partial.reached else (1 if partial.reached else -1)
    return Saving(full.evaluations / partial.evaluations, bound)


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
                "scatter of true runs from the same temperature around their mean.",
                "tables": [transfers_table(transfers)],
                "figures": [],
            },
        ],
        "checks": checks(transfers),
    }
    write_findings(folder, study.config, study.stages, metrics(savings, transfers), results)


def metrics(savings: dict[int, Saving], transfers: list[Transfer]) -> dict[str, dict[str, Any]]:
    """Savings, their unit saying which are bounds, and errors of transfer beside the floor."""
    words = {-1: "upper bound", 0: "", 1: "lower bound"}
    made = {
        f"force_saving_{n}": metric(
            s.value if np.isfinite(s.value) else None,
            unit=words[s.bound] if np.isfinite(s.value) else "neither loss reached the error",
        )
        for n, s in savings.items()
    }
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
        evaluations, reached = need[n, loss]
        return f"{'' if reached else '> '}{evaluations:.3g}"

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
    figure.savefig(path, dpi=130)
