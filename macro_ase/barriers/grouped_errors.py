"""Errors of barriers by hopping species and by composition, with bootstrap errors.

The mean absolute error of a group of hops is sum |e| / n over its vacancy sites; its standard
error, and that of a difference of two fits on the same hops, is the standard deviation over sets
of sites drawn with replacement: hops into one site share its surroundings.

Of every composition it is asked how barriers are predicted

    alone       by a fit to its own barriers, its vacancy sites left out in turn,
    together    by a fit to all compositions, sites left out in turn,
    left out    by a fit to all other compositions.

Alone better than together: the weights depend on composition, and separate fits are the better
ones. Left out worse than together: the fit does not carry over to compositions it has not seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..rng import stream
from .cross_validation import cross_validate, leave_out_compositions
from .fit_data import BarrierTable
from .linear_fit import Problem

BOOTSTRAP_SETS = 1000

Measured = dict[str, float | None]


def species_errors(
    problem: Problem, error: Array, species: tuple[str, ...], seed: int
) -> dict[str, Measured]:
    """Mean and spread of barriers by hopping species, given and predicted, and errors.

    Parameters
    ----------
    problem : Problem
    error : array, shape (repeats, n_hops)
        Of left-out sites, predicted minus given, eV.
    species : tuple of str
    seed : int

    Returns
    -------
    dict
        By symbol: ``mean_eV``, ``std_eV``, ``cv_mean_eV``, ``cv_std_eV``, ``cv_mae_eV`` and
        ``cv_mae_error_eV``. Species without a hop are not there.
    """
    predicted = problem.barrier_eV + error.mean(axis=0)
    found: dict[str, Measured] = {}
    for code, name in enumerate(species):
        of = problem.hopping == code
        if of.any():
            found[name] = {
                "mean_eV": float(problem.barrier_eV[of].mean()),
                "std_eV": float(problem.barrier_eV[of].std()),
                "cv_mean_eV": float(predicted[of].mean()),
                "cv_std_eV": float(predicted[of].std()),
                **_measured("cv_mae", np.abs(error[:, of]).mean(axis=0), problem.site[of], seed),
            }
    return found


def composition_errors(
    problem: Problem, prior: Array, error: Array, tables: list[BarrierTable], seed: int
) -> dict[str, Any]:
    """Errors by composition: alone, together and left out (module docstring).

    Parameters
    ----------
    problem : Problem
    prior : array, shape (P,)
    error : array, shape (repeats, n_hops)
        Of left-out sites in the fit to all compositions, predicted minus given, eV.
    tables : list of BarrierTable
    seed : int

    Returns
    -------
    dict
        ``left_out_composition_mae_eV`` with its error, and ``compositions``: by name, with
        errors, ``alone_mae_eV``, ``cv_mae_eV`` (together), ``left_out_mae_eV``, the paired
        differences ``together_less_alone_eV`` and ``left_out_less_together_eV``, and
        ``left_out_shift_eV``, the mean of predicted minus given; None where there is nothing to
        fit. Empty if there is one composition only.
    """
    if len(np.unique(problem.composition)) == 1:
        return {}
    together, left_out = np.abs(error).mean(axis=0), leave_out_compositions(problem, prior)
    each: dict[str, Measured] = {}
    for number in np.unique(problem.composition):
        here = problem.composition == number
        site, far, near = problem.site[here], np.abs(left_out[here]), together[here]
        alone = _alone(problem, prior, here, seed)
        each[_name(tables[number])] = {
            "n_hops": int(here.sum()),
            **_measured("alone_mae", alone, site, seed),
            **_measured("cv_mae", near, site, seed),
            **_measured("left_out_mae", far, site, seed),
            **_measured("together_less_alone", near - alone, site, seed),
            **_measured("left_out_less_together", far - near, site, seed),
            **_measured("left_out_shift", left_out[here], site, seed),
        }
    return {
        **_measured("left_out_composition_mae", np.abs(left_out), problem.site, seed),
        "compositions": each,
    }


def _alone(problem: Problem, prior: Array, here: NDArray[np.bool_], seed: int) -> Array:
    """Errors of left-out sites with one composition fitted only, eV, shape (n_hops here,)."""
    if len(np.unique(problem.site[here])) < 2:
        return np.full(int(here.sum()), np.nan)
    own = replace(
        problem,
        hops=problem.hops[here],
        barrier_eV=problem.barrier_eV[here],
        site=problem.site[here],
        composition=problem.composition[here],
    )
    errors: Array = np.abs(cross_validate(own, prior, seed)[0]).mean(axis=0)
    return errors


def _name(table: BarrierTable) -> str:
    return "".join(f"{s}{c:.3f}" for s, c in zip(table.crystal.species, table.composition) if c)


def _measured(name: str, value_eV: Array, site: NDArray[np.int64], seed: int) -> Measured:
    """Mean of what is known of hops, and its bootstrap error over sites, under a name."""
    known = np.isfinite(value_eV)
    if not known.any():
        return {f"{name}_eV": None, f"{name}_error_eV": None}
    sites, place = np.unique(site[known], return_inverse=True)
    total = np.bincount(place, value_eV[known])
    number = np.bincount(place)
    rng = np.random.default_rng(stream(seed, "bootstrap"))
    drawn = rng.integers(len(sites), size=(BOOTSTRAP_SETS, len(sites)))
    means = total[drawn].sum(axis=1) / number[drawn].sum(axis=1)
    return {f"{name}_eV": float(value_eV[known].mean()), f"{name}_error_eV": float(means.std())}
