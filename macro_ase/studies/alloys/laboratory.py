"""Times of a study in the laboratory, whose vacancies are fewer than those simulated.

t_laboratory = t c / c_v(T)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...analysis.order_comparison import Estimate
from ...report import Table, Value
from ...report.parts import Cell
from .design import Design


def of_time(d: Design) -> str:
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


def in_the_laboratory(d: Design, ways: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Times in the laboratory, where its vacancies are known."""
    if d.vacancy_fraction is None:
        return {}
    scales, errors = np.transpose([d.laboratory_scale(t) for t in d.temperatures])[..., None]
    return {
        f"in the laboratory, {way}": Estimate(
            time.value * scales, scales * np.hypot(time.error, time.value * errors)
        )
        for way, time in ways.items()
    }


def vacant(d: Design) -> list[Table]:
    """Vacant shares of the laboratory, where they are known."""
    if d.vacancy_fraction is None:
        return []
    scales = [d.laboratory_scale(t) for t in d.temperatures]
    shares: list[Cell] = [
        Value(d.vacancy_fraction(t), d.vacancy_fraction(t) * error, ".2e")
        for t, (_, error) in zip(d.temperatures, scales)
    ]
    rows = [[f"{t:g}", share] for t, share in zip(d.temperatures, shares)]
    return [Table("Vacant in the laboratory", ["T (K)", "c_v"], rows)]
