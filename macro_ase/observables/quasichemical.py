"""Order of unlike pairs as exchange energies of the quasi-chemical approximation.

With P_AB the share of bonds from A that end at B, of both directions, P_AB = c_A c_B (1 - alpha_AB)
of unlike pairs and sum_B P_AB = c_A,

    q_AB = ln(P_AB^2 / (P_AA P_BB)),

0 in a random crystal and, in this approximation, (e_AA + e_BB - 2 e_AB) / kT at every composition,
with e the energies of bonds (E. A. Guggenheim, Mixtures (1952)). So q changes little where alpha
bends. Back from q, with K_AB = exp(q_AB / 2) and K_AA = 1,

    alpha_AB = 1 - K_AB / (s_A s_B),    s_A = sum_B K_AB c_B / s_B,

also for a species that is absent: alpha_AB is its limit there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array

Pairs = Sequence[tuple[int, int]]
SWEEPS = 200
CLOSE = 1e-13


def exchange(alpha: Array, fractions: Array, pairs: Pairs, least: float = 0.0) -> Array:
    """q of pairs A < B by shell, of the same shape as alpha, (shells * pairs,).

    Parameters
    ----------
    alpha : array, shape (shells * pairs,)
        Shell by shell.
    fractions : array, shape (S,)
        c; more than 0 of every species in ``pairs``.
    pairs : sequence of (int, int)
        Species; of others alpha is 0.
    least : float
        What P_AB is at least, over c_A c_B: of a pair that was hardly ever seen no more is known.

    Raises
    ------
    ValueError
        If there is no P_AB of a pair, which is then impossible, and ``least`` is 0.
    """
    first, second = np.array(pairs).T
    found = []
    for own in alpha.reshape(-1, len(pairs)):
        shares = np.outer(fractions, fractions)
        shares[first, second] = shares[second, first] = shares[first, second] * (1 - own)
        np.fill_diagonal(shares, 0.0)
        np.fill_diagonal(shares, fractions - shares.sum(axis=1))
        shares = np.maximum(shares, least * np.outer(fractions, fractions))
        like = np.diag(shares)
        if np.any(np.concatenate([shares[first, second], like[first], like[second]]) <= 0):
            raise ValueError(f"no crystal has these alpha: {own}, with fractions {fractions}")
        found.append(np.log(shares[first, second] ** 2 / (like[first] * like[second])))
    return np.concatenate(found)


def alpha_of_exchange(q: Array, fractions: Array, pairs: Pairs) -> Array:
    """alpha of pairs by shell, the inverse of `exchange`; fractions may be 0."""
    first, second = np.array(pairs).T
    found = []
    for own in q.reshape(-1, len(pairs)):
        weight = np.ones((len(fractions), len(fractions)))
        weight[first, second] = weight[second, first] = np.exp(own / 2)
        s = np.ones(len(fractions))
        for _ in range(SWEEPS):
            before, s = s, np.sqrt(s * (weight @ (fractions / s)))
            if np.abs(s / before - 1).max() < CLOSE:
                break
        found.append(1 - weight[first, second] / (s[first] * s[second]))
    return np.concatenate(found)
