"""What compared potentials say, quantity by quantity, with 95 % intervals beside references.

Hops share the surroundings of their vacancy: intervals come from drawing vacancy sites, and frames,
with replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..potentials.accuracy import REFERENCES
from ..rng import stream
from .potential_results import Measured

SETS = 1000
FEWEST = 6
"""Groups; of fewer, drawing with replacement says too little."""
LEVEL = (2.5, 97.5)
Number = tuple[float, float, float]
"""A value and the ends of its 95 % interval, nan where there is none."""


@dataclass(frozen=True)
class Row:
    """One quantity: the reference, and what each potential says, by name."""

    section: str
    name: str
    unit: str
    form: str
    reference: float | None
    numbers: dict[str, Number]


def rows(results: Sequence[Measured], seed: int) -> list[Row]:
    """Every quantity that any of the potentials has, section by section.

    A reference that one of them was given is that of all.
    """
    table: dict[tuple[str, str], Row] = {}
    known = {key: value for result in results for key, value in result.reference.items()}
    told = [replace(result, reference=known) for result in results]
    common = _common_hops(told)
    for result in told:
        for section, name, unit, form, reference, number in _quantities(result, common, seed):
            row = Row(section, name, unit, form, reference, {})
            found = table.setdefault((section, name), row)
            found.numbers[result.name] = number
    return sorted(table.values(), key=lambda row: SECTIONS.index(row.section))


def _common_hops(results: Sequence[Measured]) -> frozenset[str]:
    """Hops that every potential has of those that have any; none if these all have the same."""
    each = [frozenset(keys) for r in results if (keys := r.both("hop ")[0])]
    common = frozenset.intersection(*each) if each else frozenset()
    return common if any(keys != common for keys in each) else frozenset()


Statistic = Callable[..., Array]
"""Of weights, shape (sets, n), and of values, shape (n,) each; gives one number a set."""
Quantity = tuple[str, str, str, str, float | None, Number]
BARRIERS, FORMATION, ORDER, ELEMENTS, COST = SECTIONS = (
    "Barriers of vacancy hops",
    "Formation energies",
    "Short-range order",
    "Lattice and elastic constants",
    "Cost",
)


def _quantities(result: Measured, common: frozenset[str], seed: int) -> Iterator[Quantity]:
    yield from _barriers(result, common, seed)
    yield from _formation(result, seed)
    yield from _order(result)
    yield from _elements(result)
    for key, value in result.section("cost ").items():
        name = f"one evaluation, {key.split()[1]} atoms"
        yield COST, name, "CPU s", ".2g", None, _exact(value)


def _barriers(result: Measured, common: frozenset[str], seed: int) -> Iterator[Quantity]:
    keys, own, true = result.both("hop ")
    if not keys:
        return
    sites, species = ([key.split()[k] for key in keys] for k in (-1, 1))
    error, every = own - true, np.ones(len(keys), dtype=bool)

    def number(statistic: Statistic, *values: Array, of: Any = every) -> Number:
        return _interval(statistic, [v[of] for v in values], np.array(sites)[of], seed)

    yield BARRIERS, "hops", "", ".0f", None, _exact(len(keys))
    yield BARRIERS, "mean of their references", "eV", ".3f", None, number(_mean, true)
    yield BARRIERS, "mean", "eV", ".3f", None, number(_mean, own)
    yield BARRIERS, "mean error", "eV", "+.3f", 0.0, number(_mean, error)
    for name in sorted(set(species)):
        of = np.array(species) == name
        yield BARRIERS, f"mean error of {name}", "eV", "+.3f", 0.0, number(_mean, error, of=of)
    yield BARRIERS, "mean absolute error", "eV", ".3f", 0.0, number(_mean, np.abs(error))
    if common:
        of, name = np.isin(keys, [*common]), f"the same of {len(common)} common hops"
        yield BARRIERS, name, "eV", ".3f", 0.0, number(_mean, np.abs(error), of=of)
    yield BARRIERS, "spread of the error", "eV", ".3f", 0.0, number(_spread, error)
    yield BARRIERS, "correlation", "", ".2f", 1.0, number(_correlation, own, true)


def _formation(result: Measured, seed: int) -> Iterator[Quantity]:
    for key, value in result.section("phase ").items():
        known = result.reference.get(key)
        reference = None if known is None else 1e3 * known
        yield (
            FORMATION,
            key.removeprefix("phase "),
            "meV/atom",
            ".1f",
            reference,
            _exact(1e3 * value),
        )
    for start, what in (("phase ", "phases"), ("frame ", "frames")):
        keys, own, true = result.both(start)
        if not keys:
            continue
        error = 1e3 * (own - true)
        yield FORMATION, f"{what} beside the reference", "", ".0f", None, _exact(len(keys))
        number = _interval(_mean, [np.abs(error)], keys, seed)
        yield FORMATION, f"mean absolute error of {what}", "meV/atom", ".1f", 0.0, number


def _order(result: Measured) -> Iterator[Quantity]:
    for key, (value, error) in result.section("order ").items():
        name = key.removeprefix("order ")
        number = (value, value - 1.96 * error, value + 1.96 * error)
        yield ORDER, f"alpha {name}", "", "+.3f", None, number


def _elements(result: Measured) -> Iterator[Quantity]:
    errors: dict[str, list[float]] = {}
    for key, value in result.section("element ").items():
        _, name, what = key.split()
        lattice = what == "a"
        label = f"lattice constant of {name}" if lattice else f"{what} of {name}"
        unit, form = ("A", ".3f") if lattice else ("GPa", ".0f")
        reference = REFERENCES.get(f"{label} ({unit})", (None, ""))[0]
        yield ELEMENTS, label, unit, form, reference, _exact(value)
        if reference is not None:
            kind = "lattice constants" if lattice else "elastic constants"
            errors.setdefault(kind, []).append(100 * abs(value / reference - 1))
    for kind, all_of in errors.items():
        yield ELEMENTS, f"mean absolute error of {kind}", "%", ".1f", 0.0, _exact(np.mean(all_of))


def _exact(value: Any) -> Number:
    return float(value), np.nan, np.nan


def _interval(
    statistic: Statistic, values: Sequence[Array], groups: ArrayLike, seed: int
) -> Number:
    """A statistic of values, shape (n,), and its 95 % interval over groups drawn anew."""
    names, place = np.unique(groups, return_inverse=True)
    value = float(statistic(np.ones((1, len(place))), *values)[0])
    if len(names) < FEWEST:
        return value, np.nan, np.nan
    rng = np.random.default_rng(stream(seed, "bootstrap"))
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=SETS)
    with np.errstate(invalid="ignore", divide="ignore"):
        sets = statistic(drawn[:, place].astype(float), *values)
    low, high = np.nanpercentile(sets, LEVEL)
    return value, float(low), float(high)


def _mean(weights: Array, x: Array) -> Array:
    return np.asarray(weights @ x / weights.sum(axis=1))


def _spread(weights: Array, x: Array) -> Array:
    return np.sqrt(np.maximum(_mean(weights, x * x) - _mean(weights, x) ** 2, 0))


def _correlation(weights: Array, x: Array, y: Array) -> Array:
    both = _mean(weights, x * y) - _mean(weights, x) * _mean(weights, y)
    return np.asarray(both / (_spread(weights, x) * _spread(weights, y)))
