"""Sweeps of the Ising model over sizes and temperatures, in one call.

    table = sweep([8, 12, 16], np.linspace(2.2, 2.35, 7), samples=20_000, workers=2)

>>> table = sweep([4], [2.0, 5.0], samples=500)
>>> bool(table.column("m_abs")[0][0] > table.column("m_abs")[0][1])
True

Every point starts with all spins along the field (up, without one), forgets that, and is sampled
with one random stream of its own, which depends on the seed, the size and the temperature alone:
the result does not depend on the workers, nor on what else is in the sweep.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..counts import require_count
from ..engines.spins.ensemble import SpinEnsemble
from ..engines.spins.models import Ising
from ..executors import Engine, Workers, workers_of
from ..jobs import Done, run_jobs
from ..kinetics.ising import FLIPS, MAGNETISATION
from ..progress import Progress
from ..rng import new_seed, stream
from .response import CanonicalRun
from .sweep_table import FEWEST_RESOLVED, SweepTable

Job = tuple[int, float, int, int, np.random.SeedSequence]
Sampler = Callable[[int, float, int, int, np.random.SeedSequence], CanonicalRun]
Advance = Callable[[SpinEnsemble, int, int], NDArray[np.int64]]
FEWEST_BURNED_IN = 200
FEWEST_INDEPENDENT = 100


def _glauber(ensemble: SpinEnsemble, samples: int, interval: int) -> NDArray[np.int64]:
    return ensemble.advance(ensemble.time.max() + interval * np.arange(1.0, samples + 1))


ADVANCE: dict[str, Advance] = {
    "wolff": SpinEnsemble.wolff,
    "glauber": _glauber,
    "metropolis": SpinEnsemble.metropolis,
    "checkerboard": SpinEnsemble.checkerboard,
}


def sweep(
    sizes: int | Sequence[int],
    temperatures: ArrayLike,
    samples: int = 10_000,
    *,
    burn_in: int | None = None,
    interval: int = 1,
    algorithm: str | Sampler = "wolff",
    dimension: int = 2,
    coupling: float = 1.0,
    field: float = 0.0,
    seed: int | None = 0,
    workers: Engine = 1,
    keep_series: bool = True,
) -> SweepTable:
    """Sample every size at every temperature.

    Parameters
    ----------
    sizes : int or sequence of int
        Edges L >= 3.
    temperatures : float or array, shape (n_T,)
        In units of J / k_B.
    samples : int
        Of each point.
    burn_in : int, optional
        Samples thrown away first; default: a tenth of ``samples``, 200 at least.
    interval : int
        Sweeps between samples: n attempts, or for Wolff as many clusters as turn n spins.
    algorithm : str or callable
        ``"wolff"`` (field 0 only), ``"glauber"``, ``"metropolis"``, ``"checkerboard"``, or
        ``sampler(size, temperature, samples, burn_in, seed_sequence)`` that returns a
        `response.CanonicalRun` of any model; the four next parameters are then its own affair.
    dimension : {1, 2, 3}
    coupling, field : float
        J > 0, and h.
    seed : int or None
        None: another one every time.
    workers : int, str or executor
        A number of threads, or another engine of `executors.workers_of`, such as
        ``"processes:4"`` or any executor. The result does not depend on it.
    keep_series : bool
        Whether the table keeps the samples, 16 bytes each, for reweighting.

    Returns
    -------
    SweepTable
        One warning names the worst point if it has too few independent samples. A point with
        fewer than 20 has infinite errors (`SweepTable.resolved`).

    Raises
    ------
    ValueError
        If a parameter is out of range or the algorithm is unknown.
    """
    jobs = _jobs(sizes, temperatures, samples, burn_in, seed)
    sampler = _sampler(algorithm, [job[0] for job in jobs], dimension, coupling, field, interval)
    with workers_of(workers) as crew:
        return _table(_run(sampler, jobs, crew), keep_series)


def sample_ising(
    size: int,
    temperature: float,
    samples: int,
    burn_in: int,
    seed: np.random.SeedSequence,
    *,
    algorithm: str = "wolff",
    dimension: int = 2,
    coupling: float = 1.0,
    field: float = 0.0,
    interval: int = 1,
) -> CanonicalRun:
    """One point of a `sweep`; the parameters are as there."""
    model = Ising((size,) * dimension, coupling, field)
    along = -1 if field < 0 else 1
    ensemble = SpinEnsemble(model, np.full(model.n_sites, along), temperature, rng=[seed])
    if algorithm == "wolff":
        interval *= clusters_per_sweep(ensemble, max(burn_in, FEWEST_BURNED_IN))
    advance = ADVANCE[algorithm]
    advance(ensemble, burn_in, interval)
    records = advance(ensemble, samples, interval)[0]
    m = records[:, MAGNETISATION] / model.n_sites
    return CanonicalRun(size, temperature, model.energy(records) / model.n_sites, m, dimension)


def clusters_per_sweep(ensemble: SpinEnsemble, trial: int) -> int:
    """Wolff clusters that turn n spins on average, measured over two trials of so many records."""
    clusters = 1
    for _ in range(2):
        before = ensemble.tally[:, FLIPS].sum()
        ensemble.wolff(trial, clusters)
        turned = ensemble.tally[:, FLIPS].sum() - before
        clusters = max(1, round(ensemble.spins.size * trial * clusters / turned))
    return clusters


def check_model(
    algorithm: str,
    sizes: Sequence[int],
    dimension: int,
    coupling: float,
    field: float,
    interval: int,
) -> None:
    """Raise ValueError unless the algorithm can sample this model."""
    if algorithm not in ADVANCE:
        raise ValueError(f"algorithm must be one of {', '.join(ADVANCE)}, not {algorithm!r}")
    if dimension not in (1, 2, 3):
        raise ValueError(f"dimension must be 1, 2 or 3, not {dimension}")
    if any(L != int(L) or L < 3 for L in sizes):
        raise ValueError(f"sizes must be whole numbers of at least 3, not {list(sizes)}")
    if not coupling > 0:
        raise ValueError(f"coupling must be above 0 (|m| is the order parameter), not {coupling:g}")
    if algorithm == "wolff" and field != 0:
        raise ValueError(f"wolff needs field = 0, not {field:g}; glauber takes any")
    if interval < 1:
        raise ValueError(f"interval must be 1 or more, not {interval}")


def _jobs(
    sizes: int | Sequence[int],
    temperatures: ArrayLike,
    samples: int,
    burn_in: int | None,
    seed: int | None,
) -> list[Job]:
    """What a sampler is told of each point, the largest sizes first."""
    wanted = np.atleast_1d(np.asarray(temperatures, dtype=float)).ravel()
    edges = [require_count(L, "sizes", 3) for L in np.atleast_1d(np.asarray(sizes)).ravel()]
    samples = require_count(samples, "samples", 2)
    burn_in = max(FEWEST_BURNED_IN, samples // 10) if burn_in is None else burn_in
    burn_in = require_count(burn_in, "burn_in")
    seed = require_count(new_seed() if seed is None else seed, "seed")
    _refuse_empty(len(edges), wanted)
    return [
        (int(L), float(T), samples, burn_in, _stream(seed, int(L), float(T)))
        for L in sorted(set(edges), reverse=True)
        for T in np.unique(wanted)
    ]


def _sampler(
    algorithm: str | Sampler,
    sizes: Sequence[int],
    dimension: int,
    coupling: float,
    field: float,
    interval: int,
) -> Sampler:
    """What samples a point: of Ising's model, or a caller's own."""
    interval = require_count(interval, "interval", 1)
    if callable(algorithm):
        return algorithm
    check_model(algorithm, sizes, dimension, coupling, field, interval)
    return partial(
        sample_ising,
        algorithm=algorithm,
        dimension=dimension,
        coupling=coupling,
        field=field,
        interval=interval,
    )


def _table(runs: list[CanonicalRun], keep_series: bool) -> SweepTable:
    table = SweepTable.from_runs(runs, keep_series)
    _warn_of_long_memory(table)
    return table


def _stream(seed: int, size: int, temperature: float) -> np.random.SeedSequence:
    return stream(seed, "sweep", size, int(np.float64(temperature).view(np.uint64)))


def _run(
    sampler: Sampler,
    jobs: Sequence[Job],
    workers: Workers,
) -> list[CanonicalRun]:
    done: dict[str, CanonicalRun] = {}

    def keep(point: Done) -> None:
        done[point.key] = point.result

    named = {f"L = {job[0]}, T = {job[1]!r}": job for job in jobs}
    with Progress("sweep", len(jobs), 0, workers.number, "point") as progress:
        run_jobs(sampler, named.items(), keep, workers, progress)
    return [done[name] for name in named]


def _warn_of_long_memory(table: SweepTable) -> None:
    independent = np.where(table.resolved, table.n_samples / (2 * table.tau), 0.0)
    worst = int(independent.argmin())
    if independent[worst] >= FEWEST_INDEPENDENT:
        return
    if independent[worst] == 0:
        fault = f"fewer than {FEWEST_RESOLVED} independent samples: its errors are not known"
    else:
        fault = f"about {independent[worst]:.0f} independent samples: its errors are rough"
    warnings.warn(
        f"L = {table.size[worst]} at T = {table.temperature[worst]:g} has {fault}; take more "
        "samples or a longer interval",
        stacklevel=4,
    )


def _refuse_empty(n_sizes: int, temperatures: NDArray[np.float64]) -> None:
    if n_sizes == 0 or len(temperatures) == 0:
        raise ValueError("a sweep needs a size and a temperature")
    if not np.all(np.isfinite(temperatures) & (temperatures > 0)):
        raise ValueError(f"temperatures must be above 0, not {temperatures.min():g}")
