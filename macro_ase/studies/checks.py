"""The checks that every study of patches shows: patches against wholes, and how training went.

drift          increments of wholes against those of their patches: slope 1
noise          K cov(whole) / cov(patch) = 1
independence   (K - 1) rho = 0, rho the correlation, given z, of two patches of one state
training       epoch of the best held-out likelihood, over all epochs: not among the first
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..analysis.assumptions import PatchCheck
from ..arrays import Array
from ..report import Check, Table, Value
from ..report.parts import Cell

EARLY = 1 / 3
"""Of all epochs: a best one that comes before is too early."""


def patch_checks(
    by_label: Mapping[str, PatchCheck],
    drift: float = 0.15,
    noise: float = 0.2,
    shared: float = 0.35,
) -> list[Check]:
    """Drift, noise and independence of patches.

    Parameters
    ----------
    by_label : mapping
        One a condition or a kind of patches; with several, all must keep the limits.
    drift, noise : float
        How far from 1 the slope of the drift and the ratio of covariances may be.
    shared : float
        How far from 0 (K - 1) rho may be.
    """
    own = by_label.values()
    which = f" Of {', '.join(by_label)}." if len(by_label) > 1 else ""
    return [
        Check(
            "drift of patches = drift of the whole",
            [c.drift_slope for c in own],
            [c.drift_slope_error for c in own],
            1 - drift,
            1 + drift,
            f"Increments of whole states against a fit in z to those of their patches.{which}",
        ),
        Check(
            "noise of patches = noise of the whole",
            [c.covariance_ratio for c in own],
            [c.covariance_ratio_error for c in own],
            1 - noise,
            1 + noise,
            "K cov(whole) / cov(patch), given z; below 1 where the whole relaxes during a step "
            f"and where patches work on the same sites.{which}",
        ),
        Check(
            "z is all that patches share",
            [(c.n_patches - 1) * c.correlation for c in own],
            [(c.n_patches - 1) * c.correlation_error for c in own],
            -shared,
            shared,
            "(K - 1) times the correlation, given z, of the increments of two patches of one "
            f"state, each evolved alone.{which}",
        ),
    ]


def training_check(histories: Mapping[str, Array]) -> Check:
    """Of losses by label, shape (members, epochs, 2) with the held-out one last.

    A member keeps the weights of its best epoch. The learning rate falls to zero at the last one,
    and from an early one weights are those of a single noisy step.
    """
    shares = [(np.nanargmin(h[..., -1], axis=1) + 1) / h.shape[1] for h in histories.values()]
    errors = [s.std(ddof=1) / np.sqrt(len(s)) if len(s) > 1 else 0.0 for s in shares]
    which = f" Of {', '.join(histories)}." if len(histories) > 1 else ""
    return Check(
        "training ends at its best",
        [s.mean() for s in shares],
        errors,
        low=EARLY,
        text="Epoch of the best held-out likelihood, whose weights are kept, over all epochs. "
        "Where it is among the first, pairs are learned by heart from there on: a larger "
        "learning.weight_decay or more small runs help. A linear law is there from the start, and "
        f"an early best is no fault of it.{which}",
        form=".2f",
    )


def patch_table(
    by_label: Mapping[str, PatchCheck], of: str, more: Mapping[str, Sequence[Cell]] | None = None
) -> Table:
    """What the checks are made of, a row a label; ``more`` are further columns by name."""
    own = by_label.values()
    columns: dict[str, Sequence[Cell]] = {
        of: list(by_label),
        "drift, whole / patches": [Value(c.drift_slope, c.drift_slope_error) for c in own],
        "mean difference (errors)": [Value(c.mean_difference, form=".1f") for c in own],
        "K cov(whole) / cov(patch)": [
            Value(c.covariance_ratio, c.covariance_ratio_error) for c in own
        ],
        "correlation of patches": [Value(c.correlation, c.correlation_error) for c in own],
        "variance share of drift": [Value(c.drift_share, form=".3f") for c in own],
        **(more or {}),
    }
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return Table("Patches against wholes, over training states", list(columns), rows)
