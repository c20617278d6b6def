"""Chunks of the study of critical Ising models: paths of learned models, and direct runs."""

from __future__ import annotations

import numpy as np

from ...analysis.response import QUANTITIES, quantities
from ...analysis.sweep import sample_ising
from ...arrays import Array
from ...kinetics.one_variable_sde import MOMENTS, path_moments
from ...rng import coerce_rng, kernel_state, stream
from ..stages import Chunk
from .law import GRID, Table

BURN_IN_SHARE = 0.1
FEWEST_BURNED_IN = 500
WIDEST_START = 0.8
HISTOGRAM = np.linspace(-1, 1, 101)


def joined(parts: list[Chunk]) -> Chunk:
    """Chains of several chunks of one way, arrays of shape (n_chains, rounds)."""
    names = ("dm", "mean", "square")
    rows = {name: np.concatenate([part[name][0] for part in parts]) for name in names}
    return {"m": np.concatenate([part["m"] for part in parts])} | rows


def path_chunk(
    table: Table, step: float, time: float, paths: int, seed: int, item: tuple[int, int, int]
) -> dict[str, Array]:
    """Moments along paths, ``means`` of shape (paths, 4); size, temperature, member: ``item``."""
    own = stream(seed, "critical-path", *item)
    pairs, sums = max(1, round(time / (2 * step))), np.empty((paths, MOMENTS))
    start = coerce_rng(own).uniform(-WIDEST_START, WIDEST_START, paths)
    noise, spacing = np.sqrt(table.diffusion), float(GRID[1] - GRID[0])
    burn_in = max(1, round(BURN_IN_SHARE * pairs))
    where = (float(GRID[0]), spacing, table.drift, noise)
    path_moments(start, *where, step, burn_in, pairs, sums, kernel_state(own))
    return {"means": sums}


def direct_chunk(
    size: int, temperature: float, samples: int, interval: int, seed: int
) -> dict[str, Array]:
    """Moments by Wolff clusters: ``moments``, shape (2, 3), with errors; ``histogram`` of m."""
    own = stream(seed, "critical-direct", size, round(1e6 * temperature))
    burn_in = max(FEWEST_BURNED_IN, round(BURN_IN_SHARE * samples))
    run = sample_ising(size, temperature, samples, burn_in, own, interval=interval)
    columns = [QUANTITIES.index(name) for name in ("m_abs", "chi", "binder")]
    found = np.array(quantities(run))[:, columns]
    histogram, _ = np.histogram(run.magnetization, HISTOGRAM, density=True)
    return {"moments": found, "histogram": histogram}
