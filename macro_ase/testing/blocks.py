"""Whether the mean of correlated vectors is 0: one statistic for many components at once.

A run is cut into B blocks, longer than its memory; u_b, shape (k,), are their means. With

    X^2 = B |mean u|^2,    T = trace of cov(u),    S = trace of cov(u)^2,

X^2 / T has the F distribution with nu = T^2 / S and nu (B - 1) degrees of freedom, if the mean is
0. Both traces come from the products u_b . u_c alone: nothing of shape (k, k) is inverted, and k
may exceed B (S from pairs of different blocks: S. X. Chen and Y.-L. Qin, Ann. Stat. 38, 808 (2010);
nu: F. E. Satterthwaite, Biometrics Bull. 2, 110 (1946)). Of one component it is Student's t,
squared; of states that are visited independently Pearson's chi-squared over its degrees. Twice what
neighbouring blocks share is added to T, for the memory that crosses their borders.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ..arrays import Array

N_BLOCKS = 64
LARGEST_Z_OF_NEIGHBOURS = 4.0
ROUNDING = 1e-24


def block_test(means: Array) -> tuple[float, float]:
    """X^2 / T of block means that should be 0, and its p-value.

    Parameters
    ----------
    means : array, shape (B, k)
        Of blocks that follow each other, all but independent.
    """
    n = len(means)
    gram = means @ means.T
    centred = means - means.mean(axis=0)
    trace = float((centred**2).sum()) / (n - 1)
    whole = float(gram.sum()) / n
    if trace <= ROUNDING * whole:
        return (np.inf, 0.0) if whole > 0 else (0.0, 1.0)
    apart = gram - np.diag(np.diag(gram))
    square = float((apart**2).sum()) / (n * (n - 1))
    degrees = float(np.clip(trace**2 / square, 1, means.shape[1]))
    shared = float((centred[1:] * centred[:-1]).sum()) / (n - 1)
    value = whole / (trace + 2 * max(0.0, shared))
    return value, float(stats.f.sf(value, degrees, degrees * (n - 1)))


def neighbours_z(means: Array) -> float:
    """By how many errors neighbouring blocks are alike: large where blocks are too short."""
    centred = means - means.mean(axis=0)
    products = (centred[1:] * centred[:-1]).sum(axis=1)
    size = np.sqrt((products**2).sum())
    return float(products.sum() / size) if size > ROUNDING * (means**2).sum() else 0.0
