"""Normal numbers against their distribution, with uniform ones of the same variance rejected."""

import numba as nb
import numpy as np
from scipy.stats import kstest

from macro_ase.kinetics.normal import normal_pair
from macro_ase.rng import kernel_state


@nb.njit
def pairs(n, state):
    out = np.empty((n, 2))
    for i in range(n):
        out[i] = normal_pair(state)
    return out


def test_distribution_and_independence() -> None:
    x = pairs(200_000, kernel_state(1))
    assert kstest(x.ravel(), "norm").pvalue > 1e-4
    assert abs(np.corrcoef(x.T)[0, 1]) < 4 / np.sqrt(len(x))
    assert abs(np.corrcoef(x.T**2)[0, 1]) < 4 / np.sqrt(len(x))
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / x.size)
    wrong = np.sqrt(12) * (np.random.default_rng(0).random(x.size) - 0.5)
    assert kstest(wrong, "norm").pvalue < 1e-4
