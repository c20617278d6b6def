"""What a model and direct runs found at several sizes, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from macro_ase.analysis.order_comparison import rms, rms_with_error
from macro_ase.arrays import Array

Pair = tuple[Array, Array]
Rows = list[list[str]]


@dataclass(frozen=True)
class Found:
    """Order of one size by one route, values and errors by temperature.

    Attributes
    ----------
    delta, relaxation : pairs of arrays, shape (n_T, 6)
        In equilibrium, and times to 1 - 1/e of the change.
    spread : pair of arrays, shape (n_T, 3)
        Of bond densities.
    sites : int
    cpu_s, peak_MiB : float
    hops, runs : float, int
        0 where there are none.
    """

    delta: Pair
    spread: Pair
    relaxation: Pair
    sites: int
    cpu_s: float
    peak_MiB: float
    hops: float = 0.0
    runs: int = 0


def scaled_spread(found: Found, base: Found) -> tuple[float, float]:
    """Spread times sqrt(n) over that of another size, rms over components and temperatures."""
    if found is base:
        return 1.0, 0.0
    ratio = found.spread[0] / base.spread[0] * np.sqrt(found.sites / base.sites)
    error = ratio * np.hypot(*(own.spread[1] / own.spread[0] for own in (found, base)))
    return rms(ratio), rms(error) / np.sqrt(ratio.size)


def report(
    predicted: Sequence[Found],
    true: Mapping[int, Found],
    temperatures: Sequence[float],
    names: Sequence[str],
) -> str:
    """All tables; ``true`` is by number of sites."""
    sizes = ["sites", "rms of delta", "floor", "spread sqrt(n): predicted", "direct"]
    costs = ["sites", "predicted: CPU s", "MiB", "direct: runs at each T", "hops", "CPU s", "MiB"]
    parts = [
        ("Prediction beside direct runs, all temperatures:", sizes, _misses(predicted, true)),
        ("Cost:", costs, [_cost(own, true.get(own.sites)) for own in predicted]),
        (
            "Relaxation time, predicted over direct (to 1 - 1/e of the change; -: less than five "
            "spreads):",
            ["T (K)", "sites", *names],
            list(_ratios(predicted, true, temperatures)),
        ),
        (
            "delta of the first shell:",
            ["T (K)", "sites", "", *names],
            list(_order(predicted, true, temperatures)),
        ),
    ]
    return "\n".join(f"{caption}\n\n{markdown(*table)}" for caption, *table in parts if table[1])


def _misses(predicted: Sequence[Found], true: Mapping[int, Found]) -> Rows:
    """A row a size."""
    rows = []
    for own in predicted:
        row = [f"{own.sites:,}", "", "", _cell(*scaled_spread(own, predicted[0])), ""]
        if there := true.get(own.sites):
            miss = own.delta[0] - there.delta[0]
            error = np.hypot(np.nan_to_num(own.delta[1]), there.delta[1])
            size, its_error = rms_with_error(miss, error) if miss.any() else (0.0, 0.0)
            row[1:3] = _cell(size, its_error, ".4f"), f"{rms(there.delta[1]):.4f}"
            row[4] = _cell(*scaled_spread(there, true[min(true)]))
        rows.append(row)
    return rows


def _cost(own: Found, there: Found | None) -> list[str]:
    row = [f"{own.sites:,}", f"{own.cpu_s:.1f}", f"{own.peak_MiB:.0f}"]
    if there is None:
        return [*row, "", "", "", ""]
    direct = f"{there.runs}", f"{there.hops:.2e}", f"{there.cpu_s:.0f}", f"{there.peak_MiB:.0f}"
    return [*row, *direct]


def _ratios(
    predicted: Sequence[Found], true: Mapping[int, Found], temperatures: Sequence[float]
) -> Iterator[list[str]]:
    for k, temperature in enumerate(temperatures):
        for own in predicted:
            if there := true.get(own.sites):
                (value, error), (true_value, true_error) = (
                    (part[k] for part in route.relaxation) for route in (own, there)
                )
                ratio = value / true_value
                relative = np.hypot(np.nan_to_num(error) / value, true_error / true_value)
                cells = map(_cell, ratio, ratio * relative)
                yield [f"{temperature:g}", f"{own.sites:,}", *cells]


def _order(
    predicted: Sequence[Found], true: Mapping[int, Found], temperatures: Sequence[float]
) -> Iterator[list[str]]:
    for k, temperature in enumerate(temperatures):
        for own in predicted:
            for way, route in (("predicted", own), ("direct", true.get(own.sites))):
                if route is not None:
                    cells = (_cell(v, e, "+.4f") for v, e in zip(*(x[k] for x in route.delta)))
                    yield [f"{temperature:g}", f"{own.sites:,}", way, *cells]


def _cell(value: float, error: float, form: str = ".3f") -> str:
    if np.isnan(value):
        return "-"
    known = f" ± {error:{form.lstrip('+')}}" if error > 0 else ""
    return f"{value:{form}}{known}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
