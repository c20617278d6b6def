"""Statistics of correlated time series: means and spreads with errors that know autocorrelation.

The integrated autocorrelation time is in samples, in the convention

    tau_int = 1/2 + sum_{t >= 1} rho(t),

so independent samples have tau_int = 1/2, and a series of n_t samples holds
n_eff = n_t / (2 tau_int) independent ones. The sum stops at the first window W >= 5 tau_int(W)
(A. Sokal, in *Functional Integration*, Plenum 1997) and is corrected to order 1/n_t for the
mean's having been estimated from the same data (U. Wolff, Comput. Phys. Commun. 156, 143, 2004).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW = 5.0


def autocorrelation(series: ArrayLike) -> NDArray[np.float64]:
    """Normalised autocorrelation function along the first axis.

    Parameters
    ----------
    series : array, shape (n_t, ...)
        Equally spaced samples; trailing axes are separate series.

    Returns
    -------
    array, shape (n_t, ...)
        rho(t), with rho(0) = 1; of a constant series 1 at t = 0 and 0 elsewhere.

    Raises
    ------
    ValueError
        If there is no sample.
    """
    centred = _centred(series)
    n_t = len(centred)
    spectrum = np.fft.rfft(centred, n=2 * n_t, axis=0)
    power = spectrum.real**2 + spectrum.imag**2
    pairs = np.arange(n_t, 0, -1).reshape(-1, *[1] * (centred.ndim - 1))
    covariance = np.fft.irfft(power, n=2 * n_t, axis=0)[:n_t] / pairs
    constant = ~centred.any(axis=0)
    rho = covariance / np.where(constant, 1.0, covariance[0])
    rho[0] = 1.0
    return rho


def integrated_autocorrelation_time(series: ArrayLike) -> NDArray[np.float64]:
    """Integrated autocorrelation time tau_int, in samples, at least 1/2.

    Parameters
    ----------
    series : array, shape (n_t, ...)
        Equally spaced samples; trailing axes are separate series.

    Returns
    -------
    array, shape (...)
        1/2 for independent samples and for a constant series. An AR(1) process with
        coefficient phi has (1 + phi) / (1 - phi) / 2.
    """
    rho = autocorrelation(series)
    n_t = len(rho)
    sums = np.cumsum(rho, axis=0) - 0.5
    windows = np.arange(n_t).reshape(-1, *[1] * (rho.ndim - 1))
    enough = windows >= WINDOW * sums
    enough[-1] = True
    window = enough.argmax(axis=0)
    tau = np.take_along_axis(sums, window[None], axis=0)[0]
    corrected = tau * (1 + (2 * window + 1 - 2 * tau) / n_t)
    return np.where(rho[1:].any(axis=0), np.maximum(0.5, corrected), 0.5)


def autocorrelation_time_error(tau: ArrayLike, n_t: ArrayLike) -> NDArray[np.float64]:
    """Standard error of tau_int = ``tau`` estimated from n_t samples.

    Bartlett's covariances of the estimated rho(t), summed over a window of W = 5 tau + 1/2 for a
    memory rho(t) = phi^t, phi = (2 tau - 1) / (2 tau + 1):

        n_t var = 4 tau^2 W - (2 phi + 4 phi^2) / (1 - phi)^3 - g (2 phi + phi^2) / (1 - phi)^2,

    g = (1 + phi^2) / (1 - phi^2), which is 4 tau^2 (W - 9/4 tau) for long memories; and what the
    correction for the estimated mean adds. Its limit for W >> tau, 2 (2 W + 1) tau^2 (N. Madras
    and A. D. Sokal, J. Stat. Phys. 50, 109, 1988), gives an error that is a quarter too large.

    Parameters
    ----------
    tau : float or array
        At least 1/2.
    n_t : int or array
    """
    times, n = np.asarray(tau, dtype=float), np.asarray(n_t, dtype=float)
    phi = (2 * times - 1) / (2 * times + 1)
    left, g = 1 - phi, (1 + phi**2) / (1 - phi**2)
    own = (2 * phi + 4 * phi**2) / left**3 + g * (2 * phi + phi**2) / left**2
    variance = 4 * times**2 * (WINDOW * times + 0.5) - own
    finite = 1 + 2 * ((2 * WINDOW - 2) * times + 1) / n
    error: NDArray[np.float64] = np.sqrt(variance / n) * finite
    return error


def standard_error(series: ArrayLike) -> NDArray[np.float64]:
    """Standard error of the mean along the first axis, autocorrelation included.

    Parameters
    ----------
    series : array, shape (n_t, ...)
        Equally spaced samples of a stationary process; trailing axes are separate series.

    Returns
    -------
    array, shape (...)
        sqrt(variance / (n_eff - 1)), in the units of the series. n_eff counts as at least 2,
        so a series shorter than its own memory gets its standard deviation. One sample gives
        nan, a constant series 0.
    """
    centred = _centred(series)
    if len(centred) == 1:
        return np.full(centred.shape[1:], np.nan)
    variance = (centred**2).mean(axis=0)
    error: NDArray[np.float64] = np.sqrt(variance / (_effective_samples(centred) - 1))
    return error


def weighted_mean(
    series: ArrayLike, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean along the first axis and its error, autocorrelation included.

    Parameters
    ----------
    series : array, shape (n_t, ...)
    weights : array, shape (n_t,)
        0 or more, such as the residence times of states sampled every so many hops: the weighted
        mean is then the average over time.

    Returns
    -------
    mean, error : arrays, shape (...)
        The error is that of the ratio of two means, to first order. Weights that jump about
        hide the memory of the series, so the window of the sum of autocorrelations is taken
        from the series without them. With equal weights it is `standard_error`; where weights
        leave less than two independent samples, the standard deviation.
    """
    values = np.asarray(series, dtype=float)
    share = np.asarray(weights, dtype=float)
    if np.ptp(share) == 0:
        return values.mean(axis=0), standard_error(values)
    share = (share / share.mean()).reshape(-1, *[1] * (values.ndim - 1))
    n_t, worth = len(values), len(values) ** 2 / (share**2).sum()
    mean = (share * values).mean(axis=0)
    residue = share * (values - mean)
    window = np.ceil(WINDOW * integrated_autocorrelation_time(values))
    lags = np.arange(n_t).reshape(-1, *[1] * (values.ndim - 1))
    tau = np.where(lags <= window, autocorrelation(residue), 0.0).sum(axis=0) - 0.5
    memory = 2 * np.maximum(0.5, tau)
    variance = (residue**2).mean(axis=0) * memory / n_t / (1 - np.minimum(0.5, memory / worth))
    few = worth < 2 * memory
    return mean, np.where(few, values.std(axis=0), np.sqrt(variance))


def std_with_error(series: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviation along the first axis and its error, autocorrelation included.

    Parameters
    ----------
    series : array, shape (n_t, ...)
        Equally spaced samples of a stationary process; trailing axes are separate series.

    Returns
    -------
    std, error : arrays, shape (...)
        In the units of the series. The variance is divided by 1 - 1/n_eff, the correlated form
        of Bessel's correction; the error follows from that of the mean square deviation. One
        sample gives nan, a constant series 0.
    """
    centred = _centred(series)
    if len(centred) == 1:
        nothing = np.full(centred.shape[1:], np.nan)
        return nothing, nothing.copy()
    squares = centred**2
    bessel = 1 / (1 - 1 / _effective_samples(centred))
    std = np.sqrt(squares.mean(axis=0) * bessel)
    error = standard_error(squares) * bessel / (2 * np.where(std > 0, std, 1.0))
    return std, error


def relaxation_time(
    times: ArrayLike,
    mean_path: ArrayLike,
    start: float,
    end: float,
    level: float = 1 - 1 / math.e,
) -> float:
    """First time at which a relaxing mean has made a given part of its change.

    Parameters
    ----------
    times : array, shape (n_t,)
        Ascending, in any unit.
    mean_path : array, shape (n_t,)
        The mean observable at those times.
    start, end : float
        Its values before and after the change.
    level : float
        Part of the change to be made; the default is one e-folding of an exponential.

    Returns
    -------
    float
        In the unit of ``times``, interpolated linearly; nan if the level is never reached.

    Raises
    ------
    ValueError
        If ``start`` equals ``end`` or the arrays do not match.
    """
    t, path = np.asarray(times, dtype=float), np.asarray(mean_path, dtype=float)
    if t.ndim != 1 or t.shape != path.shape:
        raise ValueError(f"times and mean_path must match, not {t.shape} and {path.shape}")
    if start == end:
        raise ValueError(f"no change to relax through: start and end are both {start}")
    progress = (path - start) / (end - start)
    reached = np.flatnonzero(progress >= level)
    if len(reached) == 0:
        return math.nan
    i = int(reached[0])
    if i == 0:
        return float(t[0])
    share = (level - progress[i - 1]) / (progress[i] - progress[i - 1])
    return float(t[i - 1] + share * (t[i] - t[i - 1]))


def _centred(series: ArrayLike) -> NDArray[np.float64]:
    """The series less its mean, exactly 0 where it is constant up to rounding."""
    values = np.asarray(series, dtype=float)
    if values.ndim == 0 or len(values) == 0:
        raise ValueError("a time series needs at least one sample")
    centred = values - values.mean(axis=0)
    low, high = values.min(axis=0), values.max(axis=0)
    rounding = 8 * np.finfo(float).eps * np.maximum(np.abs(low), np.abs(high))
    constant = high - low <= rounding
    return np.where(constant, 0.0, centred)


def _effective_samples(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Independent samples in a series, shape (...), counted as at least 2."""
    return np.maximum(2.0, len(centred) / (2 * integrated_autocorrelation_time(centred)))
