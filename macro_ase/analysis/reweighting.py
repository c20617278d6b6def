"""Single-histogram reweighting: what a run at one temperature and field says of others nearby.

    <O>' = <O w> / <w>,    w = exp(-(1/T' - 1/T) E + (h' - h) M / T')

with E the total energy, the field's part included, and M the total magnetisation
(A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 61, 2635, 1988). It holds as far as the
run has visited what matters at (T', h'): the *overlap* <w>^2 / <w^2>, the part of the samples
that still counts (L. Kish, *Survey Sampling*, Wiley 1965), says how far that is. It is blind to
states that were hardly visited: known is an overlap whose <w^2> does not rest on a few samples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from .resampling import jackknife
from .response import CanonicalRun, quantities

SMALLEST_OVERLAP = 0.1
FEWEST_HEAVY = 50
SHARE_OF_HEAVY = 1 / 8


@dataclass(frozen=True)
class Reweighted:
    """An observable at temperatures and fields that were not simulated.

    Attributes
    ----------
    temperatures, field_changes : arrays, shape (n_T,)
    value, error : arrays, shape (n_T, ...)
    overlap : array, shape (n_T,)
        Part of the samples that counts; below `SMALLEST_OVERLAP` do not trust the error.
    """

    temperatures: Array
    field_changes: Array
    value: Array
    error: Array
    overlap: Array


def boltzmann_weights(run: CanonicalRun, temperature: float, field_change: float = 0.0) -> Array:
    """Weights of a run's samples at another temperature and field, shape (n_t,), with mean 1.

    Raises
    ------
    ValueError
        If the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, not {temperature:g}")
    exponent = (1 / run.temperature - 1 / temperature) * run.energy
    exponent = run.n_sites * (exponent + field_change / temperature * run.magnetization)
    weights = np.exp(exponent - exponent.max())
    scaled: Array = weights / weights.mean()
    return scaled


def overlap(weights: ArrayLike) -> float:
    """Part of the samples that counts, <w>^2 / <w^2>, in (0, 1]."""
    w = np.asarray(weights, dtype=float)
    return float(w.mean() ** 2 / (w**2).mean())


def heavy_samples(weights: ArrayLike) -> int:
    """Fewest samples that hold half of <w^2>: whether an overlap is known."""
    squares = np.sort(np.asarray(weights, dtype=float) ** 2)[::-1]
    return int(np.searchsorted(np.cumsum(squares), squares.sum() / 2)) + 1


def temperature_reach(run: CanonicalRun) -> tuple[float, float]:
    """Temperatures between which a run can be trusted, below and above its own.

    Those at which the mean energy has moved by its standard deviation sigma_E, to first order
    |1/T' - 1/T| = 1/sigma_E; the range shrinks as L^(-d/2).
    """
    spread = run.n_sites * run.energy.std()
    beta = 1 / run.temperature
    hottest = math.inf if beta * spread <= 1 else 1 / (beta - 1 / spread)
    return 1 / (beta + 1 / spread) if spread > 0 else 0.0, hottest


def reweight(
    function: Callable[..., Any],
    series: Sequence[ArrayLike],
    run: CanonicalRun,
    temperatures: ArrayLike,
    field_changes: ArrayLike = 0.0,
) -> Reweighted:
    """A function of means at other temperatures or fields.

    Parameters
    ----------
    function : callable
        Takes the mean of each series and returns a number or an array.
    series : sequence of arrays, shape (n_t,)
        Observables of the run's samples, such as ``(m**2, m**4)``.
    run : CanonicalRun
    temperatures : float or array, shape (n_T,)
    field_changes : float or array, shape (n_T,)
        h' - h.

    Returns
    -------
    Reweighted
        With jackknife errors. One warning names the worst target if its overlap is too small or
        not known.
    """
    targets, changes = np.broadcast_arrays(
        np.atleast_1d(np.asarray(temperatures, float)), np.asarray(field_changes, float)
    )
    stacked = np.stack([np.asarray(s, dtype=float) for s in series], axis=1)
    results, weights = [], []
    for target, change in zip(targets, changes):
        w = boltzmann_weights(run, float(target), float(change))
        weights.append(w)
        results.append(jackknife(lambda norm, x: function(*(x / norm)), w, w[:, None] * stacked))
    warn_of_small_overlap(weights, targets, run)
    values, errors = zip(*results)
    overlaps = np.array([overlap(w) for w in weights])
    return Reweighted(targets, changes, np.array(values), np.array(errors), overlaps)


def reweighted_quantities(run: CanonicalRun, temperature: float) -> tuple[Array, Array, float]:
    """All of `response.QUANTITIES` at another temperature, their errors, and the overlap."""
    weights = boltzmann_weights(run, temperature)
    return *quantities(run, weights, temperature), overlap(weights)


def warn_of_small_overlap(weights: Sequence[Array], targets: ArrayLike, run: CanonicalRun) -> None:
    """Warn, once, of the worst of some targets, if its overlap is small or not known.

    Small is below `SMALLEST_OVERLAP`. Unknown is one that rests on fewer than 50 samples, or an
    eighth of a short run.

    Parameters
    ----------
    weights : sequence of arrays, shape (n_t,)
        Of each target.
    targets : float or array, shape (n_T,)
    run : CanonicalRun
    """
    enough = min(FEWEST_HEAVY, SHARE_OF_HEAVY * len(run.energy))
    parts = np.array([overlap(w) for w in weights])
    few = np.array([heavy_samples(w) < enough for w in weights])
    worst = int(np.argmin(np.where(few, parts - 1, parts)))
    if few[worst] or parts[worst] < SMALLEST_OVERLAP:
        low, high = temperature_reach(run)
        how = "no more than" if few[worst] else "only"
        warnings.warn(
            f"reweighting L = {run.size} from T = {run.temperature:g} to "
            f"{np.atleast_1d(targets)[worst]:g} leaves {how} {parts[worst]:.1%} of its samples, "
            f"and {heavy_samples(weights[worst])} of them hold half of what counts; simulate "
            f"closer, or stay well within {low:.4g} to {high:.4g}",
            stacklevel=3,
        )
