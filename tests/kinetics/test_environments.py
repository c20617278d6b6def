"""Radial functions and their derivatives."""

import numpy as np

from macro_ase.kinetics.environments import pair_functions

CENTRES = np.array([0.9, 1.2, 1.6])


def values(r: float) -> np.ndarray:
    out = np.empty((3, 3))
    pair_functions(r, CENTRES, 0.25, 2.2, out)
    return out


def test_derivatives_are_those_of_the_functions() -> None:
    h = 1e-5
    for r in (0.85, 1.3, 2.1):
        ahead, behind, here = values(r + h), values(r - h), values(r)
        np.testing.assert_allclose((ahead - behind)[0] / (2 * h), here[1], atol=1e-8)
        np.testing.assert_allclose((ahead - behind)[1] / (2 * h), here[2], atol=1e-7)


def test_functions_end_smoothly_at_the_cutoff() -> None:
    near = values(2.2 - 1e-6)
    assert np.abs(near[:2]).max() < 1e-5
    assert values(1.2)[0, 1] > 0.4
