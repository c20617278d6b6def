"""The checks of the method's assumptions that every report shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...analysis.assumptions import PatchCheck, seam_difference, slope_through_origin
from ...sampling.time_step import implied_times
from ..results import check
from .data import StudyData

LONG_LAG = 4
STATIONARY_AFTER = 6.0


def model_slopes(data: StudyData) -> list[tuple[float, float]]:
    """Increments of wholes against the model's mean step, by temperature; slope and error."""
    results = []
    for t, chunk in zip(data.comparison.temperatures_K, data.pairs):
        z, scale = chunk["whole_z0"], chunk["dz"].std(axis=0)
        condition = np.tile(data.system.condition(t), (len(z), 1))
        n_patches = int(chunk["n_patches"][0])
        step = data.model.step_means(z, condition, data.system.large.n_sites, n_patches)
        results.append(slope_through_origin(step / scale, chunk["whole_dz"] / scale))
    return results


def assumption_checks(data: StudyData, checks: list[PatchCheck]) -> list[dict[str, Any]]:
    """All checks, as ``results.json`` holds them; ``passed`` is None where one only informs."""
    return [
        *_patches_and_wholes(data, checks),
        *_sampling(data),
        *_lengths(data),
        _regularisation(data),
    ]


def _patches_and_wholes(data: StudyData, checks: list[PatchCheck]) -> list[dict[str, Any]]:
    slopes = np.array([c.drift_slope for c in checks])
    own = np.array([slope for slope, _ in model_slopes(data)])
    ratios = np.array([c.covariance_ratio for c in checks])
    n_patches = int(data.pairs[0]["n_patches"][0])
    excess = (n_patches - 1) * max((c.correlation for c in checks), key=abs)
    return [
        check(
            "drift of patches = drift of the whole",
            bool(np.all(np.abs(slopes - 1) < 0.25)),
            f"slope {slopes.min():.2f} to {slopes.max():.2f}",
            "0.75 to 1.25",
            "Mean increments of whole states against those of their patches.",
        ),
        check(
            "step of the model = step of the whole",
            bool(np.all(np.abs(own - 1) < 0.15)),
            f"slope {own.min():.2f} to {own.max():.2f}",
            "0.85 to 1.15",
            "Mean increments of whole states against the model's own, relaxation included.",
        ),
        check(
            "noise of patches = noise of the whole",
            bool(np.all(np.abs(ratios - 1) < 0.35)),
            f"{ratios.min():.2f} to {ratios.max():.2f}",
            "0.65 to 1.35",
            "K cov(whole) / cov(patch); below 1 where the whole relaxes during a step and where "
            "patches work on the same atoms.",
        ),
        check(
            "z is all that patches share",
            bool(abs(excess) < 0.35),
            f"{excess:+.2f}",
            "within 0.35",
            "(K - 1) times the correlation, given z, of the increments of two patches of one "
            "state, each evolved alone: what they share beyond z.",
        ),
        *_meetings(data, checks),
    ]


def _meetings(data: StudyData, checks: list[PatchCheck]) -> list[dict[str, Any]]:
    """For information, where patches are vacancies and may meet."""
    if not data.system.order.counts[-1]:
        return []
    return [
        check(
            "vacancies met",
            None,
            f"{max(c.met_share for c in checks):.2f}",
            "",
            "Largest share of pairs in which the vacancy became another's first neighbour.",
        )
    ]


def _sampling(data: StudyData) -> list[dict[str, Any]]:
    seams = np.array([seam_difference(chunk["seam"])[0] for chunk in data.pairs])
    shares = data.system.order.fractions[:-1]
    seam = float(np.abs(np.nan_to_num(seams)).max() / shares[shares > 0].min())
    healed = None if np.isnan(seams).all() else bool(seam < 0.06)
    return [
        check(
            "time step",
            data.scan.agrees,
            f"{data.scan.chosen:g} {data.system.event}",
            "relaxation times at one and two steps within 10 %",
            "The smallest candidate that meets this at every temperature.",
        ),
        check(
            "seams healed",
            healed,
            f"{seam:.3f} in delta",
            "0.06",
            "Largest mean difference of order between seams and bulk of upsampled states.",
        ),
    ]


def _lengths(data: StudyData) -> list[dict[str, Any]]:
    """Lengths of small and of direct runs in their own slowest relaxation times."""
    step = data.scan.chosen
    small = [
        len(runs[0]["z"]) / 2 * data.system.record_events / slowest
        for runs, slowest in zip(data.small, data.scan.slowest_chosen)
    ]
    direct = []
    for runs, slowest in zip(data.direct, data.scan.slowest_chosen):
        late = [run["z"][int(np.ceil(STATIONARY_AFTER * slowest / step)) :] for run in runs]
        if late and len(late[0]) > 2 * LONG_LAG:
            direct.append(len(late[0]) / max(implied_times(late, LONG_LAG)[0], 1.0))
    return [
        check(
            "small runs long enough",
            bool(min(small) >= 10),
            f"{min(small):.0f} slowest relaxation times",
            "10",
            "Shortest stationary half of a small run over temperatures.",
        ),
        check(
            "direct runs long enough",
            bool(min(direct) >= 50) if direct else None,
            f"{len(data.direct[0])} runs of {min(direct):.0f} slowest relaxation times"
            if direct
            else "no direct runs",
            "50",
            "Shortest direct run after burn-in over temperatures, in the slowest relaxation time "
            f"that the direct runs themselves show over {LONG_LAG} steps.",
        ),
    ]


def _regularisation(data: StudyData) -> dict[str, Any]:
    trained = data.model.trained
    smallest = []
    for t, chunk in zip(data.comparison.temperatures_K, data.pairs):
        z = chunk["z0"][:: max(1, len(chunk["z0"]) // 200)]
        condition = np.tile(data.system.condition(t), (len(z), 1))
        covariance = data.model.step_moments(z, condition)[1]
        scaled = covariance / np.outer(trained.scaling.z_scale, trained.scaling.z_scale)
        smallest.append(np.linalg.eigvalsh(scaled.mean(axis=(0, 1)))[0])
    share = float(trained.eps / min(smallest))
    return check(
        "regularisation small",
        bool(share <= 0.01),
        f"{share:.4f}",
        "0.01",
        "eps over the smallest eigenvalue of the learned patch covariance, over temperatures.",
    )
