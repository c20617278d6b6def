"""Patches evolved for a time, by Monte Carlo or molecular dynamics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from ase import Atoms

from ...arrays import above_0
from ...counts import require_count
from ...patches import Patch, Region
from ...ratios import whole_ratio
from ..swaps.moves import Move
from .lockstep import run_in_lockstep
from .mc import PatchMC
from .md import PatchMD

AT_ONCE = 16
Laid = tuple[Atoms, Patch | None, np.random.SeedSequence]
"""A patch of atoms, default the whole, and its seed."""


class Evolution(Protocol):
    """Evolves a patch of atoms, in place, for the time ``dt``."""

    @property
    def dt(self) -> float:
        """Time that passes."""

    def __call__(self, atoms: Atoms, patch: Patch | None, seed: np.random.SeedSequence) -> Region:
        """Evolve a patch, default the whole; return it as it was laid."""


def evolved(evolution: Evolution, laid: Iterable[Laid]) -> Iterator[tuple[Atoms, Region]]:
    """Atoms and region of patches after they evolved, some at a time in lockstep if they can.

    An evolution that has a method ``together`` is given up to `AT_ONCE` patches.
    """
    together, rest = getattr(evolution, "together", None), iter(laid)
    while group := list(islice(rest, AT_ONCE if together else 1)):
        regions = together(group) if together else [evolution(*patch) for patch in group]
        yield from ((atoms, region) for (atoms, _, _), region in zip(group, regions))


class TimedEvolution(Evolution, Protocol):
    """An evolution of any duration."""

    @property
    def dynamic(self) -> bool:
        """Whether momenta belong to a state."""

    def during(self, dt: float, condition: Mapping[str, float]) -> Evolution:
        """The same for another time, and at the temperature "T" of a condition that has one."""


class MonteCarloEvolution:
    """`PatchMC` for a time in attempts per site, their number drawn from Poisson's law.

    Parameters
    ----------
    calculator : ase Calculator
    temperature_K : float
    moves : Move or sequence of Move
    dt : float
        Attempts per site of core and buffer.

    Raises
    ------
    ValueError
        If dt is not above 0.
    """

    dynamic = False

    def __init__(
        self, calculator: Any, temperature_K: float, moves: Move | Sequence[Move], dt: float = 1.0
    ) -> None:
        self.calculator, self.temperature_K = calculator, temperature_K
        self.moves, self.dt = moves, above_0(dt, "dt")

    def __repr__(self) -> str:
        own = f"{type(self.calculator).__name__}, {self.temperature_K:g} K, {self.moves!r}"
        return f"MonteCarloEvolution({own}, dt={self.dt:g})"

    def during(self, dt: float, condition: Mapping[str, float]) -> MonteCarloEvolution:
        """The same for another time, and at the temperature "T" of a condition that has one."""
        temperature = condition.get("T", self.temperature_K)
        return MonteCarloEvolution(self.calculator, temperature, self.moves, dt)

    def __call__(self, atoms: Atoms, patch: Patch | None, seed: np.random.SeedSequence) -> Region:
        """Evolve a patch, default the whole; return it as it was laid."""
        return self.together([(atoms, patch, seed)])[0]

    def together(self, patches: Sequence[Laid]) -> list[Region]:
        """The same of many, each of atoms of its own, in lockstep (`run_in_lockstep`)."""
        engines, attempts = [], []
        for atoms, patch, seed in patches:
            count_seed, move_seed = seed.spawn(2)
            engine = PatchMC(
                atoms,
                patch,
                self.calculator,
                moves=self.moves,
                temperature_K=self.temperature_K,
                rng=move_seed,
            )
            mean = self.dt * len(engine.region.active)
            engines.append(engine)
            attempts.append(int(np.random.default_rng(count_seed).poisson(mean)))
        run_in_lockstep(engines, attempts)
        return [engine.region for engine in engines]


class DynamicsEvolution:
    """`PatchMD` for a number of time steps.

    Parameters
    ----------
    calculator : ase Calculator
    timestep : float
        In ASE's unit of time.
    steps : int
    options
        Further arguments of `PatchMD`, such as ``temperature_K`` and ``ensemble``.

    Raises
    ------
    ValueError
        If a number is not above 0.
    """

    dynamic = True

    def __init__(self, calculator: Any, timestep: float, steps: int = 1, **options: Any) -> None:
        self.calculator, self.timestep = calculator, above_0(timestep, "timestep")
        self.steps, self.options = require_count(steps, "steps", 1), options

    def __repr__(self) -> str:
        own = f"{type(self.calculator).__name__}, {self.timestep:g}, {self.steps}, {self.options}"
        return f"DynamicsEvolution({own})"

    @property
    def dt(self) -> float:
        """Time that passes, in ASE's unit."""
        return self.steps * self.timestep

    def during(self, dt: float, condition: Mapping[str, float]) -> DynamicsEvolution:
        """The same for another time, and at the temperature "T" of a condition that has one.

        Raises
        ------
        ValueError
            If the time is no multiple of the time step.
        """
        steps = whole_ratio(dt, self.timestep)
        if steps is None:
            raise ValueError(f"a time must be a multiple of timestep = {self.timestep:g}, not {dt}")
        own = {"temperature_K": condition["T"]} if "T" in condition else {}
        return DynamicsEvolution(self.calculator, self.timestep, steps, **(self.options | own))

    def __call__(self, atoms: Atoms, patch: Patch | None, seed: np.random.SeedSequence) -> Region:
        """Evolve a patch, default the whole; return it as it was laid."""
        engine = PatchMD(
            atoms,
            patch,
            self.calculator,
            timestep=self.timestep,
            rng=seed,
            **self.options,
        )
        engine.run(self.steps)
        return engine.region
