"""What cannot be trusted in a barrier fit, in plain sentences.

They are saved with the model, and whoever uses it is told them again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from .formation_frames import FormationFrames
from .linear_fit import BARRIER_ERROR_EV, FORMATION_ERROR_EV
from .orbits import bond_orbits

LEAST_R2 = 0.5
LARGEST_CLOSURE_EV = 0.05
LARGEST_COLLAPSED_SHARE = 0.05
LOW_BARRIERS_EV = 0.15
LEFT_OUT_FACTOR = 2.0

NO_ENERGIES = (
    "no formation energies were given (--energies): barriers alone do not determine the energy "
    "of the alloy, so do not trust its order"
)


def fit_warnings(metrics: Mapping[str, Any], frames: FormationFrames | None) -> tuple[str, ...]:
    """Sentences about a fit, none if it can be trusted.

    Parameters
    ----------
    metrics : mapping
        Of `fitting.fit`.
    frames : FormationFrames, optional
        That were fitted.
    """
    return (
        *_numbers_of_hops(metrics),
        *_barriers(metrics),
        *_compositions(metrics),
        *_energies(metrics, frames),
    )


def _numbers_of_hops(m: Mapping[str, Any]) -> Iterator[str]:
    hops = m["n_hops"]
    missing = [s for s, n in hops.items() if n == 0]
    if missing:
        yield f"no hop of {', '.join(missing)} was fitted: nothing is known of such barriers"
    each = 1 + (len(hops) - 1) * len(bond_orbits(m["orbit_shells"]))
    for name, n in hops.items():
        if 0 < n < each:
            yield f"only {n} of the fitted hops are of {name}, fewer than its {each} parameters"
    if m["n_barriers"] < m["n_parameters"]:
        yield f"{m['n_barriers']} barriers were fitted with {m['n_parameters']} parameters"


def _barriers(m: Mapping[str, Any]) -> Iterator[str]:
    if m["barrier_cv_r2"] < LEAST_R2 and m["barrier_std_eV"] > BARRIER_ERROR_EV:
        yield (
            f"left-out barriers are predicted with R^2 = {m['barrier_cv_r2']:.2f} "
            "(1 is perfect, 0 as good as their mean)"
        )
    if m["outliers"]:
        yield (
            f"{len(m['outliers'])} of {m['n_barriers']} barriers are far from what the others "
            f"predict: {m['outliers'][0]}"
        )
    if m["n_collapsed"] > LARGEST_COLLAPSED_SHARE * (m["n_barriers"] + m["n_collapsed"]):
        yield f"{m['n_collapsed']} hops have collapsed beside {m['n_barriers']} that were fitted"
    if m["closure_error_eV"] > LARGEST_CLOSURE_EV:
        yield (
            "the energy changes of hops and of hops back do not add up to 0 around closed loops: "
            f"they are wrong by {m['closure_error_eV']:.2f} eV"
        )
    if m["barrier_median_eV"] < LOW_BARRIERS_EV:
        yield (
            f"half of the barriers are below {m['barrier_median_eV']:.3f} eV: is that their unit?"
        )


def _compositions(m: Mapping[str, Any]) -> Iterator[str]:
    left_out, within = m.get("left_out_composition_mae_eV"), m["barrier_cv_mae_eV"]
    if left_out is not None and left_out > max(LEFT_OUT_FACTOR * within, BARRIER_ERROR_EV):
        yield (
            "barriers of a whole composition that was left out are predicted to "
            f"{left_out:.3f} eV ({within:.3f} eV within compositions): do not use the model "
            "between those that were fitted"
        )


def _energies(m: Mapping[str, Any], frames: FormationFrames | None) -> Iterator[str]:
    if len(m["n_hops"]) == 1:
        return
    if frames is None:
        yield NO_ENERGIES
        return
    found = [{s for s, n in zip(c.species[:-1], c.counts) if n} for c in frames.crystals]
    for pair in itertools.combinations(m["n_hops"], 2):
        if not any(set(pair) <= species for species in found):
            yield f"no frame holds both {' and '.join(pair)}: their bonds come from barriers alone"
    if m["formation_outliers"]:
        yield (
            f"{len(m['formation_outliers'])} of {m['n_frames']} formation energies are far from "
            f"what the others predict: {m['formation_outliers'][0]}"
        )
    rms_eV, std_eV = 1e-3 * m["formation_rms_meV"], m["formation_std_eV"]
    if rms_eV > max(FORMATION_ERROR_EV, (1 - LEAST_R2) ** 0.5 * std_eV):
        yield (
            f"left-out formation energies are predicted to {m['formation_rms_meV']:.1f} meV/atom "
            f"only; their standard deviation is {1e3 * std_eV:.1f}"
        )
