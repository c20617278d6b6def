"""What LAMMPS does to the active atoms of a cut-out, as commands."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...counts import require_count
from ...patches import CutOut
from ...reals import require_positive
from .box import PER_PS

ENSEMBLES = ("nve", "langevin", "nose-hoover", None)
LARGEST_SEED = 900_000_000
LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True)
class Motion:
    """What happens to the active atoms; names and units as in `LammpsPatch`.

    Raises
    ------
    ValueError
        If nothing would happen, or a number makes no sense.
    """

    ensemble: str | None
    timestep: float
    tdamp: float
    swaps: int
    swap_interval: int

    def __post_init__(self) -> None:
        for name, least in (("swaps", 0), ("swap_interval", 1)):
            count = require_count(getattr(self, name), name, least, LARGEST_COUNT)
            object.__setattr__(self, name, count)
        if self.ensemble not in ENSEMBLES:
            raise ValueError(f"ensemble must be one of {ENSEMBLES}, not {self.ensemble!r}")
        if self.ensemble is None and not self.swaps:
            raise ValueError("nothing would happen: give an ensemble, swaps or both")
        for name in ("timestep", "tdamp"):
            require_positive(getattr(self, name), name)

    @property
    def bath(self) -> bool:
        """Whether something has a temperature."""
        return bool(self.swaps) or self.ensemble in ("langevin", "nose-hoover")

    def lines(
        self,
        species: Sequence[str],
        present: set[str],
        kelvin: tuple[float, float],
        rng: np.random.Generator,
    ) -> list[str]:
        """Commands that make it happen to the group ``active``.

        Thermostats go evenly between two temperatures in the next run; swaps have the first.
        """
        seeds = (int(seed) for seed in iter(lambda: rng.integers(1, LARGEST_SEED), None))
        damping = self.tdamp / PER_PS
        from_to = f"{kelvin[0]:.17g} {kelvin[1]:.17g} {damping:.17g}"
        lines = [f"timestep {self.timestep / PER_PS:.17g}"]
        if self.ensemble == "nose-hoover":
            lines += ["compute warmth active temp", "compute_modify warmth extra/dof 0"]
            lines += [f"fix move active nvt temp {from_to}"]
            lines += ["fix_modify move temp warmth"]
        elif self.ensemble is not None:
            lines += ["fix move active nve"]
        if self.ensemble == "langevin":
            lines += [f"fix bath active langevin {from_to} {next(seeds)}"]
        if self.swaps:
            rate = f"{self.swap_interval} {self.swaps}"
            lines += [
                f"fix swap{n} active atom/swap {rate} {next(seeds)} {kelvin[0]:.17g} types {a} {b}"
                for n, (a, b) in enumerate(pairs_of_types(species, present))
            ]
        return lines

    def undone(self, n_swaps: int) -> list[str]:
        """Commands that take those of `lines` back."""
        fixes = [f"swap{n}" for n in range(n_swaps)]
        fixes += ["move"] if self.ensemble else []
        fixes += ["bath"] if self.ensemble == "langevin" else []
        warmth = ["uncompute warmth"] if self.ensemble == "nose-hoover" else []
        return [*(f"unfix {name}" for name in fixes), *warmth]


def halt_lines(room_A: float) -> list[str]:
    """Commands that end a run when an active atom has gone farther than it may."""
    if math.isinf(room_A):
        return []
    return [
        "compute away active displace/atom",
        "compute farthest active reduce max c_away[4]",
        "variable farthest equal c_farthest",
        f"fix room active halt 1 v_farthest > {room_A:.17g} error continue message no",
    ]


def pairs_of_types(species: Sequence[str], present: set[str]) -> list[tuple[int, int]]:
    """Pairs of atom types of which there are active atoms."""
    types = [n for n, name in enumerate(species, 1) if name in present]
    return list(itertools.combinations(types, 2))


def group_lines(cut: CutOut) -> list[str]:
    """Commands that name core, buffer, halo and active."""

    def ids(first: int, last: int) -> str:
        return f"id {first + 1}:{last}" if last > first else "empty"

    n = len(cut.atoms)
    return [
        f"group core {ids(0, cut.n_core)}",
        f"group buffer {ids(cut.n_core, cut.n_active)}",
        f"group active {ids(0, cut.n_active)}",
        f"group halo {ids(cut.n_active, n)}",
    ]
