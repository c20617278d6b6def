"""What a potential was found to say, as one file, and what many of them say side by side.

    NAME.json  {"format", "name", "calculator", "settings", "versions",
                "values": {key: number or [number, standard error]},
                "reference": {key: number}, "left_out": {key: why}}

Keys are those of `potential_tasks`; energies of phases and frames are formation energies per atom.
The numbers of a file stand by themselves, so that files made in other environments, where other
packages are installed, are read beside each other. Hops share the surroundings of their vacancy:
intervals come from drawing vacancy sites, and frames, with replacement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..potentials.accuracy import REFERENCES
from ..reasons import reason
from ..rng import stream
from ..run_folder import write_json

FORMAT = "macro_ase compared potential 1"
SETS = 1000
LEVEL = (2.5, 97.5)
Number = tuple[float, float, float]
"""A value and the ends of its 95 % interval, nan where there is none."""
NOT_COMPARED = ("calculator", "files", "macro_ase")
"""Settings in which results beside each other may differ."""


@dataclass(frozen=True)
class Measured:
    """All that one potential said, and what it should have said; see the module."""

    name: str
    calculator: str
    settings: dict[str, Any]
    versions: dict[str, str]
    values: dict[str, Any]
    reference: dict[str, float]
    left_out: dict[str, str] = field(default_factory=dict)

    def write(self, file: Path) -> None:
        """Write the file of the module."""
        write_json(file, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, file: Path) -> Measured:
        """What `write` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            Naming the file.
        """
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if data.pop("format") != FORMAT:
                raise KeyError("format")
            found = cls(**data)
            numbers = [x for v in (found.values, found.reference) for x in v.values()]
            np.concatenate([np.ravel(x).astype(float) for x in [*numbers, 0.0]])
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            what = f"no result of macro-ase compare-potentials: {reason(error)}"
            raise ValueError(f"{file} is {what}") from error
        return found

    def section(self, start: str) -> dict[str, Any]:
        """Values whose keys begin so."""
        return {k: v for k, v in self.values.items() if k.startswith(start)}

    def both(self, start: str) -> tuple[list[str], Array, Array]:
        """Keys, values and references of what has both."""
        keys = [k for k in self.section(start) if k in self.reference]
        pairs = [(float(self.values[k]), self.reference[k]) for k in keys]
        own, true = np.array(pairs).reshape(-1, 2).T
        return keys, own, true


@dataclass(frozen=True)
class Row:
    """One quantity: the reference, and what each potential says, by name."""

    section: str
    name: str
    unit: str
    form: str
    reference: float | None
    numbers: dict[str, Number]


def require_alike(results: Sequence[Measured]) -> None:
    """Refuse results that were not measured in the same way, or have one name.

    Raises
    ------
    ValueError
    """
    first, *others = results
    names = [r.name for r in results]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"two potentials are called {', '.join(twice)}: name them NAME=KIND:SPEC")
    for other in others:
        keys = (first.settings.keys() & other.settings.keys()) - set(NOT_COMPARED)
        known = [k for k in sorted(keys) if None not in (first.settings[k], other.settings[k])]
        changed = [k for k in known if first.settings[k] != other.settings[k]]
        if changed:
            what = ", ".join(
                f"{k} {other.settings[k]}, of {first.name} {first.settings[k]}" for k in changed
            )
            raise ValueError(f"{other.name} was measured with other settings: {what}")


def rows(results: Sequence[Measured], seed: int) -> list[Row]:
    """Every quantity that any of the potentials has, section by section."""
    table: dict[tuple[str, str], Row] = {}
    for result in results:
        for section, name, unit, form, reference, number in _quantities(result, seed):
            row = Row(section, name, unit, form, reference, {})
            found = table.setdefault((section, name), row)
            found.numbers[result.name] = number
    order = [s for s in SECTIONS for row in table.values() if row.section == s]
    return sorted(table.values(), key=lambda row: order.index(row.section))


Quantity = tuple[str, str, str, str, float | None, Number]
BARRIERS, FORMATION, ORDER, ELEMENTS, COST = SECTIONS = (
    "Barriers of vacancy hops",
    "Formation energies",
    "Short-range order",
    "Lattice and elastic constants",
    "Cost",
)


def _quantities(result: Measured, seed: int) -> Iterator[Quantity]:
    yield from _barriers(result, seed)
    yield from _formation(result, seed)
    yield from _order(result)
    yield from _elements(result)
    for key, value in result.section("cost ").items():
        name = f"one evaluation, {key.split()[1]} atoms"
        yield COST, name, "CPU s", ".2g", None, _exact(value)


def _barriers(result: Measured, seed: int) -> Iterator[Quantity]:
    keys, own, true = result.both("hop ")
    if not keys:
        return
    sites = [key.split()[-1] for key in keys]
    yield BARRIERS, "hops", "", ".0f", None, _exact(len(keys))
    yield (
        *(BARRIERS, "mean", "eV", ".3f", float(true.mean())),
        _interval(lambda w: _mean(w, own), sites, seed),
    )
    for name in sorted({key.split()[1] for key in keys}):
        of = np.array([key.split()[1] == name for key in keys])
        here = [s for s, inside in zip(sites, of) if inside]
        of_own = own[of]
        number = _interval(lambda w, x=of_own: _mean(w, x), here, seed)  # type: ignore[misc]
        yield BARRIERS, f"mean of {name}", "eV", ".3f", float(true[of].mean()), number
    error = own - true
    yield (
        *(BARRIERS, "mean error", "eV", "+.3f", 0.0),
        _interval(lambda w: _mean(w, error), sites, seed),
    )
    yield (
        *(BARRIERS, "mean absolute error", "eV", ".3f", 0.0),
        _interval(lambda w: _mean(w, np.abs(error)), sites, seed),
    )
    yield (
        *(BARRIERS, "spread of the error", "eV", ".3f", 0.0),
        _interval(lambda w: _spread(w, error), sites, seed),
    )
    yield (
        *(BARRIERS, "correlation", "", ".2f", 1.0),
        _interval(lambda w: _correlation(w, own, true), sites, seed),
    )


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
        yield (
            *(FORMATION, f"mean absolute error of {what}", "meV/atom", ".1f", 0.0),
            _interval(lambda w, e=error: _mean(w, np.abs(e)), keys, seed),  # type: ignore[misc]
        )


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


def _interval(statistic: Callable[[Array], Array], groups: Sequence[str], seed: int) -> Number:
    """A statistic of weights, shape (sets, n), and its 95 % interval over groups drawn anew."""
    names, place = np.unique(groups, return_inverse=True)
    value = float(statistic(np.ones((1, len(place))))[0])
    if len(names) < 3:
        return value, np.nan, np.nan
    rng = np.random.default_rng(stream(seed, "bootstrap"))
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=SETS)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanpercentile(statistic(drawn[:, place].astype(float)), LEVEL)
    return value, float(low), float(high)


def _mean(weights: Array, x: Array) -> Array:
    return np.asarray(weights @ x / weights.sum(axis=1))


def _spread(weights: Array, x: Array) -> Array:
    return np.sqrt(np.maximum(_mean(weights, x * x) - _mean(weights, x) ** 2, 0))


def _correlation(weights: Array, x: Array, y: Array) -> Array:
    both = _mean(weights, x * y) - _mean(weights, x) * _mean(weights, y)
    return np.asarray(both / (_spread(weights, x) * _spread(weights, y)))
