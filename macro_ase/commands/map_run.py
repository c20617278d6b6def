"""Order over the compositions of a ternary by the model of a run: what ``macro-ase map`` does."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from ..build import nearest_counts
from ..config import load_config
from ..extras import need
from ..files import write_atomically
from ..report.triangle import triangle
from ..sampling.store import Store
from ..studies.compositions.compare import error_of
from ..studies.compositions.design import (
    MODEL,
    CompositionDesign,
    barrier_remarks,
    inside,
    on_triangle,
)
from ..studies.compositions.deviation import delta_of_deviation
from ..studies.compositions.small_order import SmallOrder
from ..systems.alloy_order import BondOrder
from .file_roles import require_apart

if TYPE_CHECKING:
    from ..learning.models.macro_model import MacroModel

TOLD_PARTS = 5
SITES = 10**9
"""Of the crystals of a map, which has fractions rather than atoms."""


@dataclass(frozen=True)
class OrderMap:
    """Order over compositions at a temperature.

    Attributes
    ----------
    species : tuple of str
    names : tuple of str
        All pairs A <= B.
    fractions : array, shape (n, 3)
    alpha, error : arrays, shape (n, n_all)
        Where the model rests, and the standard error, by its members and by the surface of small
        crystals that these share; nan for pairs of absent species.
    inside : bool array, shape (n,)
        Mixtures of compositions that were learned from.
    """

    species: tuple[str, ...]
    names: tuple[str, ...]
    fractions: Array
    alpha: Array
    error: Array
    inside: Array

    def csv(self) -> str:
        """A row a composition; blank where a value is not defined."""
        columns = [*self.species, "inside"]
        for name in self.names:
            columns += [f"alpha {name}", f"error {name}"]
        both = np.stack([self.alpha, self.error], axis=2).reshape(len(self.alpha), -1)
        lines = [",".join(columns)]
        for c, within, own in zip(self.fractions, self.inside, both):
            values = ["" if np.isnan(x) else f"{x:.6g}" for x in own]
            lines.append(",".join([*(f"{x:.6g}" for x in c), str(int(within)), *values]))
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class RunMap:
    """A map of order by the model of a run.

    Parameters
    ----------
    folder : Path
        Of a run of nbmota-composition.
    temperature : float
        In K.
    parts : int
        Of each side of the triangle.
    csv, plot : Path, optional
        Files to write.

    Raises
    ------
    ValueError, FileNotFoundError
        In one line, before any work.
    """

    folder: Path
    temperature: float
    parts: int = 20
    csv: Path | None = None
    plot: Path | None = None

    def __post_init__(self) -> None:
        require_apart({}, {"csv": self.csv, "plot": self.plot}, frozenset())

    def run(self) -> str:
        """Draw the map, write its files, and give some of it as a table."""
        design = self._design()
        fractions = on_triangle(self.parts)
        model, small = self._learned(design)
        found = _map(design, model, small, fractions, self.temperature)
        system = design.system
        for remark in barrier_remarks(system, fractions, "compositions of the map"):
            warnings.warn(remark, stacklevel=2)
        self._warn(design, found)
        if self.csv is not None:
            write_atomically(self.csv, found.csv())
        if self.plot is not None:
            self._draw(design, found)
        told = _map(design, model, small, on_triangle(TOLD_PARTS), self.temperature)
        return "\n".join(_table(told, self.temperature))

    def _design(self) -> CompositionDesign:
        """Of the run, without its warnings, which are of other compositions."""
        need("torch", "a learned model")
        file = self.folder / "config.toml"
        if not file.is_file():
            raise ValueError(f"{self.folder} holds no run: it has no config.toml")
        model = tomllib.loads(file.read_text(encoding="utf-8")).get("system", {}).get("model")
        if model != MODEL:
            raise ValueError(
                f"{self.folder} has learned from one composition at most: "
                "macro-ase run nbmota-composition learns from many"
            )
        if not (self.folder / "model" / "model.json").is_file():
            raise ValueError(
                f"{self.folder} has learned no model yet: macro-ase run {self.folder} goes on"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            design = CompositionDesign.of(load_config(file))
        if len(design.system.order.present) != 3 or len(design.system.species) != 3:
            raise ValueError(f"{self.folder} is not of three species: a map is a triangle of them")
        return design

    def _learned(self, design: CompositionDesign) -> tuple[MacroModel, SmallOrder]:
        """The model, and where small crystals rest."""
        from ..learning.models.macro_model import MacroModel

        model, store = MacroModel.load(self.folder / "model"), Store(self.folder / "data.zarr")
        if model.z_names != design.names:
            raise ValueError(
                f"{self.folder} has a model of {', '.join(model.z_names)}, of an earlier release: "
                f"macro-ase run {self.folder} learns it anew"
            )
        keys = [key for d, t in design.conditions for key in d.keys("small", t)]
        return model, SmallOrder.of(design, {key: store.read(key) for key in keys})

    def _draw(self, design: CompositionDesign, found: OrderMap) -> None:
        """Unlike pairs, with the compositions that were learned from."""
        assert self.plot is not None
        names = design.system.order.pair_names
        own = found.alpha[:, [found.names.index(name) for name in names]]
        marked = [(design.fractions, None, "o")]
        triangle(self.plot, found.fractions, own, names, found.species, marked)

    def _warn(self, design: CompositionDesign, found: OrderMap) -> None:
        """Say what of the map was not learned."""
        told = []
        kelvin = design.training[0].temperatures
        if not kelvin[0] <= self.temperature <= kelvin[-1]:
            told.append(
                f"{self.temperature:g} K lies outside the {kelvin[0]:g} to {kelvin[-1]:g} K of "
                "training"
            )
        beyond = len(found.inside) - int(np.sum(found.inside))
        if beyond:
            told.append(
                f"{beyond} of {len(found.inside)} compositions of the map are no mixtures of those "
                "learned from"
            )
        if told:
            warnings.warn(f"the model extrapolates: {'; '.join(told)}", stacklevel=3)


def _map(
    design: CompositionDesign,
    model: MacroModel,
    small: SmallOrder,
    fractions: Array,
    temperature: float,
) -> OrderMap:
    """Where the members rest at compositions, shape (n, 3)."""
    whole, all_names = design.system.order, design.system.order.all_names
    rows = np.column_stack([np.full(len(fractions), 1000 / temperature), fractions[:, :-1]])
    rests = model.rests(rows)
    alpha, error = (np.full((len(rows), len(all_names)), np.nan) for _ in range(2))
    for k, (c, row) in enumerate(zip(fractions, rows)):
        order = _order(whole, c)
        if not order.pairs:
            continue
        deviations, v = small.rest(order, row) + rests[:, k], small.neighbours(order, row)
        own = order.alpha(delta_of_deviation(order, whole.pairs, deviations, v))
        kept = [all_names.index(name) for name in order.all_names]
        alpha[k, kept] = own.mean(axis=0)
        surface = np.abs(order.alpha(small.delta(order, row).error))
        error[k, kept] = error_of(own, surface)
    within = inside(design.fractions, fractions)
    return OrderMap(whole.species, all_names, fractions, alpha, error, within)


def _order(whole: BondOrder, fractions: Array) -> BondOrder:
    """Of fractions of atoms, with as many vacancies as the run's crystals have."""
    vacant = round(SITES * float(whole.fractions[-1]))
    atoms = nearest_counts(fractions.tolist(), SITES - vacant)
    return BondOrder(whole.species, np.array([*atoms, vacant]))


def _table(found: OrderMap, temperature: float) -> Sequence[str]:
    lines = [
        f"Warren-Cowley alpha of the first shell at {temperature:g} K, where the model rests; "
        "* beyond what it learned from",
        "",
        "".join(f"{s:>6s}" for s in found.species)
        + "  "
        + "".join(f"{n:>9s}" for n in found.names),
    ]
    for c, own, within in zip(found.fractions, found.alpha, found.inside):
        values = "".join(f"{'':9s}" if np.isnan(a) else f"{a:+9.3f}" for a in own)
        lines.append(f"{''.join(f'{x:6.2f}' for x in c)}{' ' if within else '*'} {values}".rstrip())
    return lines
