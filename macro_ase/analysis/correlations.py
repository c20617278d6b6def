"""Spatial correlations of spins (or any field) on a periodic lattice, by Fourier transform.

    S(k) = |sum_r s(r) e^{-i k r}|^2 / n             structure factor
    G(r) = <s(0) s(r)>, the inverse transform of S   correlation function, G(0) = 1 for spins
    xi   = sqrt(S(0) / S(k_1) - 1) / (2 sin(k_1 / 2))     k_1 = 2 pi / L along an axis

xi is the second-moment correlation length of a system without net order (F. Cooper, B. Freedman
and D. Preston, Nucl. Phys. B 210, 210, 1982). The sizes' curves of xi / L cross at T_c.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..statistics import standard_error
from .resampling import jackknife


def structure_factor(states: ArrayLike) -> Array:
    """S(k) of every state.

    Parameters
    ----------
    states : array, shape (n_t, L, ...)
        A spin or a field at each site of a periodic box, one state a row.

    Returns
    -------
    array, shape (n_t, L, ...)
        In the order of `numpy.fft.fftfreq`: k = 0 first. S(0) is n m^2.

    Raises
    ------
    ValueError
        If there is no lattice axis or no state, or a number is not finite.
    """
    fields = np.asarray(states, dtype=float)
    if fields.ndim < 2 or fields.size == 0:
        raise ValueError(f"states must have shape (n_t, L, ...), not {fields.shape}")
    if not np.isfinite(fields).all():
        raise ValueError("states must be finite")
    axes = tuple(range(1, fields.ndim))
    amplitude = np.fft.fftn(fields, axes=axes)
    power: Array = (amplitude.real**2 + amplitude.imag**2) / fields[0].size
    return power


def correlation_samples(states: ArrayLike) -> Array:
    """Correlation along the axes in every state, shape (n_t, L // 2 + 1): a mean over sites.

    Raises
    ------
    ValueError
        If the box is not cubic: its axes would differ in length.
    """
    factor = structure_factor(states)
    lengths = factor.shape[1:]
    if len(set(lengths)) > 1:
        raise ValueError(f"the box must have equal edges, not {lengths}")
    d, reach = len(lengths), lengths[0] // 2 + 1
    along = []
    for axis in range(1, d + 1):
        others = tuple(a for a in range(1, d + 1) if a != axis)
        along.append(np.fft.ifft(factor.mean(axis=others), axis=1).real[:, :reach])
    mean: Array = np.mean(along, axis=0)
    return mean


def correlation_function(states: ArrayLike) -> tuple[Array, Array]:
    """G(r) along the axes and its error.

    Parameters
    ----------
    states : array, shape (n_t, L, ...)
        Successive states of a stationary run, or of several runs one after another; the box is
        cubic and periodic.

    Returns
    -------
    value, error : arrays, shape (L // 2 + 1,)
        At r = 0, 1, ..., L // 2. Not connected: it tends to <m^2>, not to 0.

    Examples
    --------
    >>> up_and_down = np.tile([1, -1], (5, 4))
    >>> correlation_function(up_and_down)[0].round(12).tolist()
    [1.0, -1.0, 1.0, -1.0, 1.0]
    """
    samples = correlation_samples(states)
    return samples.mean(axis=0), standard_error(samples)


def correlation_length(states: ArrayLike) -> tuple[float, float]:
    """Second-moment correlation length and its error, in lattice spacings.

    Parameters
    ----------
    states : array, shape (n_t, L, ...)
        Successive states of a stationary run, or of several runs one after another, without net
        order; the box is cubic and periodic.

    Returns
    -------
    value, error : float
        nan where S(k_1) exceeds S(0), which noise or order on the scale of the box can do.
    """
    factor = structure_factor(states)
    length, d = factor.shape[1], factor.ndim - 1
    if len(set(factor.shape[1:])) > 1 or length < 2:
        raise ValueError(f"the box must have equal edges of 2 or more, not {factor.shape[1:]}")
    flat = factor.reshape(len(factor), -1)
    along = flat[:, length ** np.arange(d)].mean(axis=1)
    scale = 1 / (2 * np.sin(np.pi / length))

    def xi(at_zero: float, at_first: float) -> float:
        excess = at_zero / at_first - 1
        return float(scale * np.sqrt(excess)) if excess >= 0 else np.nan

    value, error = jackknife(xi, flat[:, 0], along)
    return float(value), float(error)
