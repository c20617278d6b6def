"""Patch pairs from atoms: any engine, any calculator, any observable that is a mean over atoms.

    z = (1/n) sum_i f_i(x),   dz = K (1/n) sum_{i in R} [f_i(x') - f_i(x)]

x' is x after the engine has evolved one patch alone, K = n over the atoms of its core. R is the
core, or all atoms: then changes that the patch makes across its border count too, and its buffer
must be empty, for what a buffer does is not the patch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array, as_columns, finite_array
from ..engines.patches.evolution import Evolution
from ..patches import Patch
from ..rng import coerce_sequence
from .base import PatchPairs

Shares = Callable[[Atoms], Array]


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
