"""A finished run of an alloy: its model, its order, and the crystal to begin with."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..config import load_config
from ..extras import need
from ..sampling.store import Store
from ..site_cells import SiteCells
from ..studies.alloys.design import Design
from ..studies.compositions.design import MODEL as COMPOSITIONS
from ..systems import MODELS
from ..systems.alloy import Alloy
from ..systems.alloy_crystals import Sites
from ..systems.alloy_order import BondOrder
from ..systems.alloy_sites import codes_of, large_sites, random_numbers
from ..systems.alloy_start import block_of_cells, large_crystal, with_vacancies

if TYPE_CHECKING:
    from ..learning.models.macro_model import MacroModel

SAME_COMPOSITION = 0.002


@dataclass(frozen=True)
class Beginning:
    """A crystal to begin with.

    Attributes
    ----------
    what : str
        For people.
    order : BondOrder
    over_small : array, shape (d,)
        Its bond densities over those of a small crystal as ordered, which the model knows.
    z0 : array, shape (d,)
        Where the model begins: bond densities of a small crystal as ordered.
    n_sites, n_patches : float
    condition : array, shape (c - 1,), optional
        The composition, where it is not the run's own.
    grid : SiteGrid or SiteCells
    state : int8 array, shape (n_sites,)
        Species codes.
    """

    what: str
    order: BondOrder
    over_small: Array
    z0: Array
    n_sites: float
    n_patches: float
    condition: Array | None
    grid: Sites
    state: NDArray[np.int8]

    def of_small(self, z: Array) -> Array:
        """Bond densities of this crystal, shape (..., d), from those the model knows."""
        return z * self.over_small


class AlloyRun:
    """What a run left in its folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ValueError, FileNotFoundError
        If it is no run of an alloy, or has learned no model yet.
    """

    def __init__(self, folder: Path) -> None:
        need("torch", "a learned model")
        if not (folder / "config.toml").is_file():
            raise ValueError(f"{folder} holds no run: it has no config.toml")
        text = (folder / "config.toml").read_text(encoding="utf-8")
        model = tomllib.loads(text).get("system", {}).get("model")
        if model not in MODELS:
            raise ValueError(
                f"{folder} is a run of {model!r}, and not of one of {', '.join(MODELS)}"
                + ("; macro-ase map takes it" if model == COMPOSITIONS else "")
            )
        if not (folder / "model" / "model.json").is_file():
            raise ValueError(f"{folder} has learned no model yet: macro-ase run {folder} goes on")
        self.folder = folder
        self.config = load_config(folder / "config.toml")
        self.design = Design.of(self.config)

    @cached_property
    def model(self) -> MacroModel:
        """What was learned."""
        from ..learning.models.macro_model import MacroModel

        return MacroModel.load(self.folder / "model")

    def beginning(
        self,
        structure: Path | None = None,
        species: Sequence[str] | None = None,
        size: Sequence[int] | None = None,
    ) -> Beginning:
        """The run's own large crystal, one from a file, or a random one of so many cells.

        Raises
        ------
        ValueError, FileNotFoundError
            If the file holds no bcc crystal of the run's species, if the size does not fit into
            memory, or if both are given.
        """
        system, remarks = self.design.system, list[str]()
        if structure is not None and size is not None:
            raise ValueError("a crystal is from --structure or of a --size: give one of them")
        if structure is None and size is None:
            state, grid, what = system.large_state, system.large, "the run's own crystal"
        else:
            where = structure or tuple(size or ())
            state, grid, remarks = self._crystal(where, species)
            what = structure.name if structure else f"a random crystal of {_cells(grid)} cells"
        counts = np.bincount(state, minlength=len(system.species) + 1)
        order = replace(system.order, counts=counts)
        if order.pairs != system.order.pairs:
            raise ValueError(
                f"{structure or 'the crystal'} and the run do not have the same species: "
                f"{', '.join(order.all_names)} and {', '.join(system.order.all_names)}"
            )
        vacant = counts[-1] if isinstance(system, Alloy) else 0
        k = vacant or grid.n_sites / self.design.sites_per_patch
        ratio = system.over_small(order)
        z0 = order.state(system.bonds(state, grid), grid.n_sites) / ratio
        what = ". ".join([f"{what}, {grid.n_sites} sites", *remarks])
        own = self._composition(counts)
        return Beginning(what, order, ratio, z0, grid.n_sites, float(k), own, grid, state)

    def _crystal(
        self, where: Path | Sequence[int], species: Sequence[str] | None
    ) -> tuple[NDArray[np.int8], Sites, list[str]]:
        """Species codes with vacancies, and remarks, from a file or at random at a size."""
        system, settings = self.design.system, self.config["system"]
        if isinstance(where, Path):
            settings = settings | {
                "structure": str(where),
                "structure_species": list(species or []),
            }
        else:
            settings = self._at_random() | {"large_size": list(where)}
        if isinstance(system.large, SiteCells):
            return self._sites(where, settings)
        if not isinstance(where, Path):
            block_of_cells(where, "--size")
        each = settings.get("sites_per_vacancy")
        crystal, _ = large_crystal(settings, system.species, self.config["seed"])
        if not isinstance(system, Alloy):
            return crystal.occupation.copy(), crystal.grid, []
        state, added = with_vacancies(crystal, each, self.config["seed"])
        return state, crystal.grid, [remark.rstrip(".") for remark in added]

    def _sites(
        self, where: Path | Sequence[int], settings: dict[str, Any]
    ) -> tuple[NDArray[np.int8], Sites, list[str]]:
        """The same of cells that are no grid of bcc: those of a file, or the run's own."""
        system, seed = self.design.system, self.config["seed"]
        assert isinstance(system.large, SiteCells)
        if isinstance(where, Path):
            cells, numbers, _ = large_sites(settings, seed)
        else:
            x, y, z = where
            cells, counts = system.large.resized((x, y, z)), system.order.counts
            shares = dict(zip(system.species, counts[:-1] / counts.sum()))
            numbers = random_numbers(cells, shares, seed)
        return codes_of(numbers, system.species), cells, []

    def _at_random(self) -> dict[str, Any]:
        """Settings of a random crystal with the run's shares of species and vacancies."""
        settings = self.config["system"]
        if not settings["structure"]:
            return dict(settings)
        system, counts = self.design.system, self.design.system.order.counts
        shares = zip(system.species, counts[:-1] / counts[:-1].sum())
        composition = "".join(f"{name}{share:.12f}" for name, share in shares)
        each = round(system.large.n_sites / max(int(counts[-1]), 1))
        own = {"structure": "", "composition": composition, "sites_per_vacancy": each}
        merged: dict[str, Any] = settings | own
        return merged

    def _composition(self, counts: NDArray[np.int64]) -> Array | None:
        """Fractions that follow the temperature in a condition; None for those of the training."""
        scaling, own = self.model.trained.scaling, counts[:-2] / counts[:-1].sum()
        usual = scaling.condition_mean[1:]
        same = np.abs(own - usual).max() < SAME_COMPOSITION
        return None if same and not np.any(scaling.condition_scale[1:] > 0) else own

    def vacancy_neighbours(self, temperatures: Array, order: BondOrder) -> Array:
        """v_A of the small runs between their temperatures, in 1 / T, shape (n, S - 1).

        In proportion to the vacancies of a crystal of this order.
        """
        d, store = self.design, Store(self.folder / "data.zarr")
        small = d.system.small_order
        share = small.fractions[-1]
        scale = float(order.fractions[-1] / share) if share else 1.0
        runs = ([store.read(key)["extra"] for key in d.keys("small", t)] for t in d.temperatures)
        late = ([x[len(x) // 2 :].mean(axis=0) for x in own] for own in runs)
        found = scale * np.array([np.mean(own, axis=0) for own in late])
        x = 1000 / np.array(d.temperatures[::-1])
        return np.stack([np.interp(1000 / temperatures, x, v) for v in found[::-1].T], axis=1)


def _cells(grid: Sites) -> str:
    return " x ".join(map(str, grid.size))
