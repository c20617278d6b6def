"""Patches that evolve alone against the whole system: the means of their increments."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from ..arrays import Array, as_numbers, finite_array
from .result import FALSE_ALARM, Comparison, Statistic, asserting, require_level


def check_unbiased(
    patches: ArrayLike,
    wholes: ArrayLike,
    *,
    paired: bool = False,
    wrong: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare mean increments of patches with those of the whole system, from the same states.

    Student's t of every observable. Begin away from equilibrium: where nothing drifts any patch is
    unbiased, and the check says that it is blind.

    Parameters
    ----------
    patches : array, shape (n, d) or (n, K, d)
        Increments of d observables in n independent repeats, in the units of the whole's; of K
        patches the mean is taken.
    wholes : array, shape (m, d)
        Increments of the whole system in the same time.
    paired : bool
        Whether row k of both began in one state, and states differ: what they differ in goes.
    wrong, false_alarm : float
        ``wrong`` times the drift must be rejected; unbiased patches are rejected this often.

    Raises
    ------
    ValueError
        If shapes do not match.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> wholes, patches = rng.normal(-1, 0.1, (400, 1)), rng.normal(-1, 0.2, (800, 1))
    >>> check_unbiased(patches, wholes).passed, check_unbiased(0.9 * patches, wholes).rejected
    (True, True)
    """
    require_level(false_alarm, wrong)
    parts = as_numbers(patches, "patches")
    parts = finite_array(parts.mean(axis=1) if parts.ndim == 3 else parts, "patches", None, None)
    whole = finite_array(wholes, "wholes", len(parts) if paired else None, parts.shape[1])
    if min(len(parts), len(whole)) < 2 or parts.shape[1] < 1:
        raise ValueError("at least 2 repeats of patches and wholes, and 1 observable, are needed")
    t, chances = _t_tests(parts, whole, paired)
    k = int(chances.argmin())
    means = f"{parts[:, k].mean():.4g} in patches, {whole[:, k].mean():.4g} in the whole"
    return Comparison(
        what=f"mean increments of {len(parts)} patches and {len(whole)} wholes",
        statistics=tuple(Statistic(f"t{i}", *both) for i, both in enumerate(zip(t, chances))),
        false_alarm=false_alarm,
        worst=f"observable {k}: {means}",
        control=f"patches with {wrong:g} times the drift",
        control_p_value=min(1.0, len(t) * float(_t_tests(wrong * parts, whole, paired)[1].min())),
    )


assert_unbiased = asserting(check_unbiased, "assert_unbiased")


def _t_tests(parts: Array, whole: Array, paired: bool) -> tuple[Array, Array]:
    """Student's t of every observable, or Welch's where not paired, and p-values, shape (d,)."""
    samples = (parts - whole,) if paired else (parts, whole)
    off = parts.mean(axis=0) - whole.mean(axis=0)
    squares = np.array([x.var(axis=0, ddof=1) / len(x) for x in samples])
    free = np.array([[len(x) - 1] for x in samples])
    error = np.sqrt(squares.sum(axis=0))
    moving = error > 1e-12 * np.abs(parts).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(moving, off / error, np.where(np.isclose(off, 0), 0.0, np.inf))
        degrees = np.where(moving, squares.sum(axis=0) ** 2 / (squares**2 / free).sum(axis=0), 1.0)
    return t, 2 * stats.t.sf(np.abs(t), degrees)
