"""Patch pairs from atoms: any engine, any calculator, any observable that is a mean over atoms.

    z = (1/n) sum_i f_i(x),   dz = K (1/n) sum_{i in R} [f_i(x') - f_i(x)]

x' is x after the engine has evolved one patch alone, K = n over the atoms of its core. R is the
core, or all atoms: then changes that the patch makes across its border count too, and its buffer
must be empty, for what a buffer does is not the patch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..arrays import above_0, as_columns, finite_array
from ..counts import require_count
from ..engines.patches.mc import PatchMC
from ..engines.patches.md import PatchMD
from ..engines.swaps.moves import Move
from ..patches import Patch, Region
from ..rng import coerce_sequence
from ..systems.base import Array, PatchPairs

Shares = Callable[[Atoms], Array]


class Evolution(Protocol):
    """Evolves a patch of atoms, in place, for the time ``dt``."""

    @property
    def dt(self) -> float:
        """Time that passes."""

    def __call__(self, atoms: Atoms, patch: Patch, seed: np.random.SeedSequence) -> Region:
        """Evolve; return the patch as it was laid."""


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

    def __init__(
        self, calculator: Any, temperature_K: float, moves: Move | Sequence[Move], dt: float
    ) -> None:
        self.calculator, self.temperature_K = calculator, temperature_K
        self.moves, self.dt = moves, above_0(dt, "dt")

    def __call__(self, atoms: Atoms, patch: Patch, seed: np.random.SeedSequence) -> Region:
        """Evolve; return the patch as it was laid."""
        count_seed, move_seed = seed.spawn(2)
        engine = PatchMC(
            atoms,
            patch,
            self.calculator,
            moves=self.moves,
            temperature_K=self.temperature_K,
            rng=move_seed,
        )
        engine.run(
            int(np.random.default_rng(count_seed).poisson(self.dt * len(engine.region.active)))
        )
        return engine.region


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

    def __init__(self, calculator: Any, timestep: float, steps: int, **options: Any) -> None:
        self.calculator, self.timestep = calculator, above_0(timestep, "timestep")
        self.steps, self.options = require_count(steps, "steps", 1), options

    @property
    def dt(self) -> float:
        """Time that passes, in ASE's unit."""
        return self.steps * self.timestep

    def __call__(self, atoms: Atoms, patch: Patch, seed: np.random.SeedSequence) -> Region:
        """Evolve; return the patch as it was laid."""
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


def engine_pairs(
    atoms: Atoms,
    patches: Sequence[Patch],
    evolve: Evolution,
    shares: Shares,
    condition: ArrayLike,
    snapshot: int,
    seed: int | np.random.SeedSequence | None,
    counted: Literal["core", "all"] = "core",
) -> PatchPairs:
    """Evolve every patch of one snapshot alone.

    Parameters
    ----------
    atoms : ase.Atoms
        The snapshot; left as it is.
    patches : sequence of Patch
        Drawn uniformly from those that tile the system, or all of these.
    evolve : Evolution
    shares : callable
        From atoms to f, shape (n_atoms, d) or (n_atoms,); its mean over atoms is z.
    condition : array-like, shape (c,)
        What the model is conditioned on; a number where that is one.
    snapshot : int
    seed : int, SeedSequence or None
    counted : {"core", "all"}
        R.

    Raises
    ------
    ValueError
        If there are no patches, if shares are not finite or of another shape, or if all atoms are
        to be counted although a patch has a buffer.
    """
    if not len(patches):
        raise ValueError("there are no patches to evolve")
    if counted not in ("core", "all"):
        raise ValueError(f'counted must be "core" or "all", not {counted!r}')
    given = finite_array(np.atleast_1d(condition), "condition", None)
    before, rows = as_columns(shares(atoms), "shares", len(atoms)), []
    for patch, own in zip(patches, coerce_sequence(seed).spawn(len(patches))):
        after = atoms.copy()
        region = evolve(after, patch, own)
        if counted == "all" and len(region.buffer):
            raise ValueError('counted="all" needs patches without a buffer')
        change = as_columns(shares(after), "shares", len(atoms)) - before
        inside: NDArray[np.int64] | slice = region.core if counted == "core" else slice(None)
        rows.append((change[inside].sum(axis=0) / len(region.core), len(atoms) / len(region.core)))
    n = len(rows)
    return PatchPairs(
        snapshot=np.full(n, snapshot),
        patch=np.arange(n),
        z0=np.tile(before.mean(axis=0), (n, 1)),
        dz=np.array([dz for dz, _ in rows]),
        dt=np.full(n, evolve.dt),
        n_patches=np.array([round(k) for _, k in rows]),
        condition=np.tile(given, (n, 1)),
        met=np.zeros(n, dtype=np.int8),
    )
