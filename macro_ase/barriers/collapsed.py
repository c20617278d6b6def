"""Hops of a barrier table that are no hops: an end state was no minimum and relaxed away.

A collapsed hop shows itself in three ways.

* Its barrier is not above the floor of the model, 0.02 eV: no minimum holds the vacancy there.
* Where the atoms at v and t are of one species, the hop of t into a vacancy at v ends where the
  hop of v into a vacancy at t begins: the two barriers belong to one path. If one of them has
  collapsed, the other leads to the same false end.
* For such a pair the two barriers differ by the energy change of the hop,

      E(t into v) - E(v into t) = dE = e_t - e_v,

  e_v being the energy of the crystal with its vacancy at v. Around a closed loop of like atoms the
  differences add up to 0. The e that fit most differences (least absolute deviations) show which
  pairs contradict the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, diags, identity
from scipy.sparse.linalg import spsolve

from ..arrays import Array
from ..kinetics.kra_hops import KRA_FLOOR_EV

CLOSURE_EV, CLOSURE_SIGMAS = 0.05, 6.0
ROUNDS, SMALLEST_EV = 50, 1e-3

Ints = NDArray[np.int64]


def collapsed_hops(
    vacancy: Ints, target: Ints, species: NDArray[np.integer], barrier_eV: Array
) -> tuple[dict[int, str], float]:
    """Hops that have collapsed, and how far the others are from closed loops.

    Parameters
    ----------
    vacancy, target : int arrays, shape (n_hops,)
        Sites.
    species : int array, shape (n_sites,)
        Species codes.
    barrier_eV : array, shape (n_hops,)
        Finite.

    Returns
    -------
    reasons : dict
        Why, by number of the hop.
    closure_error_eV : float
        Robust standard deviation of the energy changes of like pairs around closed loops; 0 where
        there is no loop.
    """
    from scipy.stats import median_abs_deviation

    reasons = {
        int(n): f"not above {KRA_FLOOR_EV:g} eV" for n in np.flatnonzero(barrier_eV <= KRA_FLOOR_EV)
    }
    pairs = _like_pairs(vacancy, target, species)
    low = np.isin(pairs, list(reasons)).any(axis=1)
    for n in pairs[low].ravel():
        reasons.setdefault(int(n), "its way back has collapsed")
    pairs = pairs[~low]
    change = barrier_eV[pairs[:, 0]] - barrier_eV[pairs[:, 1]]
    residual = _closure(vacancy[pairs[:, 0]], target[pairs[:, 0]], change)
    in_loops = np.abs(residual) > 1e-6
    sigma = 0.0
    if in_loops.any():
        sigma = float(median_abs_deviation(residual[in_loops], scale="normal"))
    wrong = np.abs(residual) > max(CLOSURE_EV, CLOSURE_SIGMAS * sigma)
    for n in pairs[wrong].ravel():
        reasons[int(n)] = "its energy change contradicts that of the hops around it"
    return dict(sorted(reasons.items())), sigma


def _like_pairs(vacancy: Ints, target: Ints, species: NDArray[np.integer]) -> Ints:
    """Numbers of hop and reverse hop of like atoms, shape (n_pairs, 2), each pair once."""
    number = {pair: n for n, pair in enumerate(zip(vacancy.tolist(), target.tolist()))}
    pairs = [
        (n, number[t, v])
        for (v, t), n in number.items()
        if v < t and species[v] == species[t] and (t, v) in number
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _closure(start: Ints, end: Ints, change: Array) -> Array:
    """Energy changes less e[end] - e[start], shape (n_pairs,), for the e of least deviations.

    Least squares with weights 1 / |residual|, renewed until they settle, are least absolute
    deviations.
    """
    n = len(change)
    if n == 0:
        return np.zeros(0)
    sites, place = np.unique(np.stack([start, end]), return_inverse=True)
    rows, columns = np.tile(np.arange(n), 2), place.reshape(2, n).ravel()
    signs = np.repeat([-1.0, 1.0], n)
    differences = coo_matrix((signs, (rows, columns)), shape=(n, len(sites))).tocsr()
    weights, residual = np.ones(n), np.zeros(n)
    for _ in range(ROUNDS):
        weighted = differences.T @ diags(weights)
        matrix = weighted @ differences + 1e-9 * identity(len(sites))
        energies = np.atleast_1d(spsolve(matrix.tocsc(), weighted @ change))
        residual = change - differences @ energies
        weights = 1 / np.maximum(np.abs(residual), SMALLEST_EV)
    return residual
