"""Exact results for the Ising model, H = -J sum_<ij> s_i s_j - h sum_i s_i, k_B = 1.

Infinite square lattice: L. Onsager, Phys. Rev. 65, 117 (1944); C. N. Yang, Phys. Rev. 85, 808
(1952); correlation length: B. M. McCoy and T. T. Wu, *The Two-Dimensional Ising Model*, Harvard
1973. Finite torus: B. Kaufman, Phys. Rev. 76, 1232 (1949). Periodic chain: transfer matrix. Any
lattice of up to 20 sites: `enumerated_ising`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ellipkm1

from ..arrays import Array
from ..kinetics.ising import require_size
from .enumerated_ising import (
    DensityOfStates,
    ExactThermodynamics,
    density_of_states,
    inverse,
)

__all__ = [
    "CRITICAL_TEMPERATURE",
    "DensityOfStates",
    "ExactThermodynamics",
    "density_of_states",
    "exact_chain",
    "exact_torus",
    "onsager_correlation_length",
    "onsager_energy",
    "onsager_magnetisation",
]

CRITICAL_TEMPERATURE = 2 / math.log(1 + math.sqrt(2))

Jet = tuple[float, float, float]


def onsager_energy(temperature: ArrayLike, coupling: float = 1.0) -> Array:
    """Energy per site of the infinite square lattice without a field.

    Parameters
    ----------
    temperature : float or array
    coupling : float
        J, of either sign: the energy does not depend on it.
    """
    x = 2 * abs(coupling) * inverse(temperature)
    s = np.sinh(x)
    complement = ((1 - s**2) / (1 + s**2)) ** 2
    integral = ellipkm1(np.where(complement > 0, complement, 1.0))
    singular = 2 / math.pi * (2 * np.tanh(x) ** 2 - 1) * integral
    energy: Array = -abs(coupling) / np.tanh(x) * (1 + np.where(complement > 0, singular, 0.0))
    return energy


def onsager_magnetisation(temperature: ArrayLike, coupling: float = 1.0) -> Array:
    """Spontaneous magnetisation per site, (1 - sinh(2J/T)^-4)^(1/8) below Tc and 0 above.

    Of the staggered spins if ``coupling`` is negative.
    """
    s = np.sinh(2 * abs(coupling) * inverse(temperature))
    return np.where(s > 1, 1 - s**-4.0, 0.0).clip(0) ** 0.125


def onsager_correlation_length(temperature: ArrayLike, coupling: float = 1.0) -> Array:
    """Decay length of <s s'> along an axis above Tc, 1 / (ln coth(J/T) - 2J/T); inf at Tc.

    Raises
    ------
    ValueError
        If a temperature is below Tc, where the connected correlation decays otherwise.
    """
    k = abs(coupling) * inverse(temperature)
    rate = -np.log(np.tanh(k)) - 2 * k
    if np.any(rate < -1e-12):
        raise ValueError(f"the length is that above Tc = {CRITICAL_TEMPERATURE * abs(coupling):g}")
    with np.errstate(divide="ignore"):
        return 1 / np.where(rate > 1e-12, rate, 0.0)


def _gamma(r: NDArray[np.int64], n: int, x: float) -> tuple[Array, Array, Array]:
    """Kaufman's gamma_r and its first two derivatives by x = 2 J / T.

    cosh gamma_r = cosh(x) coth(x) - cos(pi r / n); gamma_0 = x + ln tanh(x/2) changes sign at Tc.
    """
    s, c = math.sinh(x), math.cosh(x)
    above_one = (1 - s) ** 2 / s + 2 * np.sin(np.pi * r / (2 * n)) ** 2
    gamma = 2 * np.arcsinh(np.sqrt(above_one / 2))
    slope, curvature = c * (1 - s**-2.0), s - 1 / s + 2 * c**2 / s**3
    sinh = np.sqrt(above_one * (above_one + 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        first = slope / sinh
        second = (curvature - (1 + above_one) * first**2) / sinh
    zero = r == 0
    gamma[zero], first[zero] = x + math.log(math.tanh(x / 2)), 1 + 1 / s
    second[zero] = -c / s**2
    return gamma, first, second


def _product(hyperbolic: str, gammas: tuple[Array, Array, Array], m: int) -> tuple[float, Jet]:
    """Product over r of 2 cosh (or 2 sinh) of m gamma_r / 2.

    Returns the logarithm of a scale and the value, first and second derivative over it. No
    factor is divided by, so a sinh may pass through 0.
    """
    sign = 1.0 if hyperbolic == "cosh" else -1.0
    logarithm, jet = 0.0, (1.0, 0.0, 0.0)
    for gamma, first, second in zip(*gammas):
        a, a1, a2 = m * gamma / 2, m * first / 2, m * second / 2
        decay = math.exp(-2 * abs(a))
        like = 1 + sign * decay
        unlike = 1 - sign * decay
        if a < 0:
            like, unlike = sign * like, -sign * unlike
        factor = (like, unlike * a1, like * a1**2 + unlike * a2)
        jet = _multiply(jet, factor)
        size = max(abs(jet[0]), abs(jet[1]), 1e-300)
        jet = (jet[0] / size, jet[1] / size, jet[2] / size)
        logarithm += abs(a) + math.log(size)
    return logarithm, jet


def _multiply(f: Jet, g: Jet) -> Jet:
    return f[0] * g[0], f[1] * g[0] + f[0] * g[1], f[2] * g[0] + 2 * f[1] * g[1] + f[0] * g[2]


def exact_torus(
    size: tuple[int, int], temperature: float, coupling: float = 1.0
) -> ExactThermodynamics:
    """A finite periodic square lattice without a field, by Kaufman's four products.

    Parameters
    ----------
    size : (int, int)
        At least 3 each; both even if ``coupling`` is negative.
    temperature : float
    coupling : float
        J, not 0.

    Raises
    ------
    ValueError
        If the size, temperature or coupling is none of these.
    """
    lengths = require_size(size)
    if len(lengths) != 2:
        raise ValueError(f"size must be two whole numbers, not {size}")
    if coupling == 0 or (coupling < 0 and (lengths[0] % 2 or lengths[1] % 2)):
        raise ValueError("coupling must be positive, or negative on even sizes")
    m, n = lengths
    x = float(2 * abs(coupling) * inverse(temperature))
    odd, even = _gamma(np.arange(1, 2 * n, 2), n, x), _gamma(np.arange(0, 2 * n, 2), n, x)
    terms = [_product(h, g, m) for g in (odd, even) for h in ("cosh", "sinh")]
    largest = max(logarithm for logarithm, _ in terms)
    value, first, second = np.sum(
        [np.multiply(math.exp(log - largest), jet) for log, jet in terms], axis=0
    )
    half_sites, coth = m * n / 2, 1 / math.tanh(x)
    slope = half_sites * coth + first / value
    curvature = half_sites * (1 - coth**2) + second / value - (first / value) ** 2
    energy = float(-2 * abs(coupling) * slope / (m * n))
    return ExactThermodynamics(
        energy=energy,
        specific_heat=float(x**2 * curvature / (m * n)),
        broken_bonds=0.5 + energy / (4 * coupling),
        magnetisation=0.0,
    )


def exact_chain(
    n_sites: int, temperature: float, coupling: float = 1.0, field: float = 0.0
) -> ExactThermodynamics:
    """A periodic chain in a field, from the two eigenvalues of its transfer matrix.

    Parameters
    ----------
    n_sites : int
        At least 3.
    temperature, coupling, field : float

    Notes
    -----
    The specific heat is a central difference, good to about 1e-8.
    """
    (n,) = require_size(n_sites)
    beta = float(inverse(temperature))
    bonds, magnetisation = _chain_means(n, beta * coupling, beta * field)
    step = 1e-4
    longer, shorter = (
        _chain_means(n, beta * factor * coupling, beta * factor * field)
        for factor in (1 + step, 1 - step)
    )
    slope = np.subtract(longer, shorter) / (2 * step) @ (coupling, field)
    return ExactThermodynamics(
        energy=-coupling * bonds - field * magnetisation,
        specific_heat=float(beta * slope),
        broken_bonds=0.5 * (1 - bonds),
        magnetisation=magnetisation,
    )


def _chain_means(n: int, k: float, b: float) -> tuple[float, float]:
    """Mean s_i s_(i+1) and s_i at K = J/T and B = h/T, as derivatives of ln(plus^n + minus^n)."""
    cosh, sinh, decay = math.cosh(b), math.sinh(b), math.exp(-4 * k)
    root = math.sqrt(sinh**2 + decay)
    plus, minus = cosh + root, cosh - root
    share = 1 / (1 + (minus / plus) ** n)
    bonds, spin = 1.0, 0.0
    for weight, eigenvalue, sign in ((share, plus, 1), (1 - share, minus, -1)):
        if weight:
            bonds -= sign * weight * 2 * decay / (root * eigenvalue)
            spin += weight * (sinh + sign * sinh * cosh / root) / eigenvalue
    return bonds, spin
