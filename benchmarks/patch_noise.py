"""How much of what patches do by chance is the drift of their own order, in a run of `swap`.

    python benchmarks/patch_noise.py RUN

RUN is a finished run of the study `swap` with all patches of each state. A patch alone moves
towards where it would rest itself. Patches of one z differ in their own order w_I, whose mean over
patches is z, and so do their drifts. Given z that counts as noise of a patch, but in the whole it
cancels. Where order relaxes linearly with one time tau,

    K cov(whole) / cov(patch) = (1 + exp(-dt / tau)) / 2    given z,
                              = 1                           given z and w_I,

and the spread of a model of the first noise is too large by the root of the inverse. What patches
lack of the noise at their borders, where they count half of each swap, raises both. Covariances are
of residuals of linear fits in stationary states, the second halves of small runs; ratios are means
over components of z, with errors from runs drawn with replacement.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from macro_ase.arrays import Array
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.design import Design
from macro_ase.systems.alloy_swap import SwapAlloy
from macro_ase.systems.patch_order import patch_order

DRAWS = 30


class Evolved(NamedTuple):
    """Stationary states of one small run.

    ``local`` is w_I, shape (n, K, d), ``dz`` K times the change of the whole by each patch,
    (n, repeats, K, d); of some states ``whole_z`` and ``whole_dz``, (m, d).
    """

    local: Array
    dz: Array
    whole_z: Array
    whole_dz: Array


def ratios(runs: Sequence[Evolved]) -> tuple[float, float]:
    """K cov(whole) / cov(patch), given z and given z and w_I."""
    local, dz = (np.concatenate(parts) for parts in list(zip(*runs))[:2])
    whole_z, whole_dz = (np.concatenate(parts) for parts in list(zip(*runs))[2:])
    z, (k, d) = local.mean(axis=1), local.shape[1:]
    own = (local - z[:, None])[:, None]
    rows = [np.broadcast_to(x, dz.shape).reshape(-1, d) for x in (z[:, None, None], own)]
    y = dz.reshape(-1, d)
    whole = k * _residual_variance(whole_dz, whole_z)
    given_z, given_both = _residual_variance(y, rows[0]), _residual_variance(y, *rows)
    return float(np.mean(whole / given_z)), float(np.mean(whole / given_both))


def with_errors(runs: Sequence[Evolved], rng: np.random.Generator) -> list[tuple[float, float]]:
    """The same, each with its standard error."""
    draws = [
        ratios([runs[n] for n in rng.integers(len(runs), size=len(runs))]) for _ in range(DRAWS)
    ]
    return list(zip(ratios(runs), np.std(draws, axis=0)))


def _residual_variance(y: Array, *x: Array) -> Array:
    """Variance of each column that a linear fit leaves, shape (d,)."""
    known = np.column_stack([np.ones(len(y)), *(part - part.mean(axis=0) for part in x)])
    left = y - known @ np.linalg.lstsq(known, y, rcond=None)[0]
    return np.asarray((left**2).sum(axis=0) / (len(y) - known.shape[1]))


def evolved(d: Design, store: Store, temperature: float) -> list[Evolved]:
    """What the patches of every small run did."""
    alloy, runs, first = d.sampled, [], 0
    assert isinstance(alloy, SwapAlloy)
    for small, pairs in zip(d.keys("small", temperature), d.keys("pairs", temperature)):
        states, made = store.read(small)["states"], store.read(pairs)
        n = len(states)
        local = np.array([patch_order(alloy, state) for state in states[n // 2 :]])
        dz = made["dz"].reshape(n, d.repeats, *local.shape[1:])[n // 2 :]
        late = made["whole_snapshot"] - first >= n // 2
        runs.append(Evolved(local, dz, made["whole_z0"][late], made["whole_dz"][late]))
        first += n
    return runs


def main() -> None:
    """Read the command line, measure and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run of swap")
    folder = parser.parse_args().run
    design = Design.of(tomllib.loads((folder / "config.toml").read_text(encoding="utf-8")))
    if not isinstance(design.sampled, SwapAlloy) or design.patches_per_state or design.grow:
        parser.error(f"{folder} is no run of swap with sampling.patches_per_state=0")
    store, rng = Store(folder / "data.zarr"), np.random.default_rng(0)
    print(f"{'T (K)':>8}  K cov(whole) / cov(patch), given z    given z and the patch's own order")
    for t in design.temperatures:
        (a, da), (b, db) = with_errors(evolved(design, store, t), rng)
        print(f"{t:8g}{a:28.3f} ± {da:.3f}{b:28.3f} ± {db:.3f}")


if __name__ == "__main__":
    main()
