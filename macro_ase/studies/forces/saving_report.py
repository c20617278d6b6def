"""What the study of savings has to say: evaluations saved, and one model for every size."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ...analysis.savings import Needed, needed, saving, typical
from ...arrays import Array
from ...report.figures import colour, dots, panels
from ...report.parts import Cell, Check, Cost, Figure, Metric, Report, Section, Table, Value
from ..cost import cost_of
from .report import LABELS, WAYS, over_seeds, pays_from, saving_metric, ways
from .saving import SavingFindings
from .saving_design import LOSSES, SavingDesign

PUBLISHED = {800: 10.7, 2700: 23.0, 6400: 48.0, 21600: 173.0}
"""Savings by number of atoms: arXiv 2410.23938."""


def saving_report(design: SavingDesign, findings: SavingFindings, quick: bool) -> Report:
    """All parts."""
    summary = (
        f"Lennard-Jones fluids of {', '.join(map(str, design.training_runs))} atoms: force "
        f"evaluations needed for an error of {design.error:g} against true runs, by the forces on "
        f"all atoms (L_z) and on blocks of {design.block_atoms} (L_{{x,p}})"
        + (" (quick form)." if quick else ".")
    )
    caption = "Error against force evaluations"
    figure = Figure("saving.png", caption, partial(draw_curves, design, findings))
    text = (
        "Runs from the same atoms and directions, from temperatures in a range. An error is the "
        "median over seeds of the mean over test runs; evaluations are interpolated between "
        "logarithms; '<' and '>' mark bounds where one of both losses did not reach the error with "
        "all its data."
    )
    transfer = (
        f"Learned from {design.free.training_runs} runs of {design.free.n_atoms} atoms with seeds "
        "of their own, and used at other sizes as it is. The floor is the scatter of true runs of "
        "one first temperature around their expected path."
    )
    tables = [savings_table(design, findings), curves_table(design, findings)]
    sections = [
        Section("Force evaluations saved", text, tables, [figure]),
        Section("One model for every size", transfer, [transfers_table(findings)]),
    ]
    more = baselines(design, findings), cost(design, findings)
    return Report([summary], metrics(design, findings), checks(findings), sections, *more)


def curve(design: SavingDesign, findings: SavingFindings, n: int, loss: str) -> tuple[Array, Array]:
    """Evaluations, and errors with them."""
    evaluations = design.evaluations(loss, n, design.amounts_of(n))
    return evaluations, typical(findings.errors[n, loss])


def needs_of(design: SavingDesign, findings: SavingFindings, n: int) -> list[Needed]:
    """Evaluations that the error needs at a number of atoms, by both losses."""
    return [needed(*curve(design, findings, n, loss), design.error) for loss in LOSSES]


def metrics(design: SavingDesign, findings: SavingFindings) -> dict[str, Metric]:
    """Savings, their unit saying which are bounds, and errors of transfer beside the floor."""
    made = {
        f"force_saving_{n}": saving_metric(saving(*needs_of(design, findings, n)))
        for n in design.training_runs
    }
    for (n, loss), errors in findings.transfers.items():
        name = f"error_transfer_{n}" + ("" if loss == "Lz" else f"_{loss}")
        made[name] = Metric(*over_seeds(errors), 0.0, findings.floors[n].mean())
    return made


def checks(findings: SavingFindings) -> list[Check]:
    """Whether what was learned at one size holds at others."""
    text = "Error of a model of the small fluid; the floor is the scatter of true runs."
    made = []
    for n, floor in findings.floors.items():
        error, note = over_seeds(findings.transfers[n, "Lz"]), f"floor {floor.mean():.2e}"
        name = f"transfer to {n} atoms"
        made.append(Check(name, *error, text=text, form=".2e", informs=True, note=note))
    return made


def savings_table(design: SavingDesign, findings: SavingFindings) -> Table:
    """Evaluations needed and saved by number of atoms, beside the published savings."""
    columns = ["atoms", *(LABELS[loss] for loss in LOSSES), "saving", "published"]
    rows: list[list[Cell]] = []
    for n in design.training_runs:
        need = needs_of(design, findings, n)
        published = Value(PUBLISHED.get(n))
        rows.append([n, *map(str, need), str(saving(*need)), published])
    return Table("Evaluations of the force on an atom", columns, rows)


def curves_table(design: SavingDesign, findings: SavingFindings) -> Table:
    """Errors by number of atoms, loss and evaluations."""
    rows: list[list[Cell]] = []
    for (n, loss), errors in findings.errors.items():
        for x, middle, own in zip(*curve(design, findings, n, loss), errors):
            each = ", ".join(f"{e:.1e}" for e in own.mean(axis=1))
            numbers = f"{x:.3g}", f"{x / n:.3g}", Value(middle, form=".2e")
            rows.append([n, LABELS[loss], *numbers, each])
    columns = "atoms|loss|evaluations|full-force equivalents|error, median over seeds|by seed"
    return Table("Errors", columns.split("|"), rows)


def transfers_table(findings: SavingFindings) -> Table:
    """Errors at every size beside the floor."""
    rows: list[list[Cell]] = []
    for n, floor in findings.floors.items():
        each = (Value(*over_seeds(findings.transfers[n, loss]), ".2e") for loss in LOSSES)
        rows.append([n, *each, Value(floor.mean(), form=".2e")])
    columns = ["atoms", *(LABELS[loss] for loss in LOSSES), "floor"]
    return Table("Errors with free seeds", columns, rows)


def baselines(design: SavingDesign, findings: SavingFindings) -> Table:
    """Errors of what was learned from all data beside those of simpler ways."""
    rows: list[list[Cell]] = []
    for n, true in findings.paths.items():
        learned = {}
        for loss in LOSSES:
            most = float(curve(design, findings, n, loss)[0][-1])
            learned[LABELS[loss]] = most, findings.errors[n, loss][-1], findings.linear[n, loss]
        evaluations = len(true) * design.fluids[n].system.coarser().evaluations_per_run
        rows += [[n, *row] for row in ways(learned, true, (evaluations, findings.coarse[n]))]
    return Table("Errors of test runs", ["atoms", *WAYS], rows)


def cost(design: SavingDesign, findings: SavingFindings) -> Cost:
    """Evaluations by stage, and when learning by L_{x,p} pays at the largest number of atoms."""
    spent, n = findings.cpu_s, max(design.training_runs)
    each = {m: float(design.fluids[m].system.evaluations_per_run) for m in design.training_runs}
    events = {
        "learned": {f"family/{m}": design.training_runs[m] * e for m, e in each.items()},
        "direct": {f"test/{m}": design.test_runs * e for m, e in each.items()},
    }
    trainings = len(design.amounts_of(n)) * design.seeds
    once = spent.get(f"family/{n}", 0.0) + spent.get(f"learning {n} Lx_partial", 0.0) / trainings
    learned = design.training_runs[n] * each[n], once
    direct = each[n], spent.get(f"test/{n}", 0.0) / design.test_runs
    return cost_of(events, spent, pays_from(learned, direct))


def draw_curves(design: SavingDesign, findings: SavingFindings, path: Path) -> None:
    """Error against force evaluations, full lines for all forces."""
    sizes = list(design.training_runs)
    with panels(path, width=5.0) as (ax,):
        for n, loss in findings.errors:
            style, shade = "o-" if loss == "Lz" else "s--", colour(sizes.index(n))
            own = curve(design, findings, n, loss)
            dots(ax, *own, shade, fmt=style, label=f"{n}, {loss}")
        ax.axhline(design.error, color="0.6", lw=0.8)
        ax.set(xlabel="evaluations of the force on an atom", ylabel="error")
        ax.set(xscale="log", yscale="log")
