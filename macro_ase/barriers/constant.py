"""One barrier a species, on any lattice: the pure crystal, and the random alloy of Manning.

J. R. Manning, Phys. Rev. B 4, 1111 (1971). No site is better than another, so the crystal stays
random, and all correlation of its hops is that of the vacancy mechanism.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..crystal import Crystal
from ..files import write_atomically
from ..kinetics.constant_hops import ConstantTables
from ..kinetics.padding import linear_offsets
from ..lattice import LATTICES, Lattice, SiteGrid
from ..reals import require_finite
from ..reasons import reason
from .base import BarrierModel
from .pair_energy import MOST_EV

FORMAT = "macro_ase constant barriers 1"


@dataclass(frozen=True, eq=False)
class ConstantBarriers(BarrierModel):
    """Barriers that depend on the hopping species alone.

    Attributes
    ----------
    barriers_eV : dict of float by symbol
        0 or more, in eV.
    lattice_name : str
        ``"bcc"``, ``"fcc"`` or ``"cubic"``.

    Raises
    ------
    ValueError
        If a barrier is no such number, there is none, or the lattice is another.
    """

    barriers_eV: Mapping[str, float]
    lattice_name: str = "bcc"

    def __post_init__(self) -> None:
        if self.lattice_name not in LATTICES:
            raise ValueError(
                f"lattice must be one of {', '.join(LATTICES)}, not {self.lattice_name!r}"
            )
        if not self.barriers_eV:
            raise ValueError("barriers_eV must name at least one species")
        for symbol, value in self.barriers_eV.items():
            if not 0 <= require_finite(value, f"the barrier of {symbol}") <= MOST_EV:
                raise ValueError(f"the barrier of {symbol} must be 0 to {MOST_EV:g} eV")

    @property
    def species(self) -> tuple[str, ...]:  # type: ignore[override]
        """Symbols by code, without the vacancy."""
        return tuple(self.barriers_eV)

    @property
    def lattice(self) -> Lattice:
        """The lattice whose first neighbours change places."""
        return LATTICES[self.lattice_name]

    def crystal(self, structure: Any) -> Crystal:
        """Sites of a structure of this lattice, in this model's species codes."""
        return Crystal.from_atoms(structure, self.species, self.lattice)

    def tables(self, grid: SiteGrid) -> ConstantTables:
        """Neighbours and barriers on a grid."""
        neighbours = linear_offsets(grid, grid.lattice.shells(1)[0])
        return ConstantTables(
            neighbours, neighbours, np.array([*self.barriers_eV.values(), np.inf], dtype=float)
        )

    def save(self, path: str | Path) -> None:
        """Write the model as JSON."""
        data = {"format": FORMAT, "lattice": self.lattice_name}
        write_atomically(
            path, json.dumps(data | {"barriers_eV": dict(self.barriers_eV)}, indent=1) + "\n"
        )

    @classmethod
    def load(cls, path: str | Path) -> ConstantBarriers:
        """Read a model that `save` wrote, or a person.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r} is not {FORMAT!r}")
            return cls(dict(data["barriers_eV"]), data["lattice"])
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"{path} is not a complete constant barrier file: {reason(error)}"
            ) from error

    @staticmethod
    def wrote(path: str | Path) -> bool:
        """Whether a file says that it holds such a model."""
        with open(path, "rb") as file:
            return FORMAT.encode() in file.read(2000)
