"""What the models rest on, measured: snapshots as in equilibrium, patches as the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ...arrays import Array
from .law import PolynomialFit, moments, stationary_moments
from .settings import WHOLE

if TYPE_CHECKING:
    from ..stages import Chunk
    from .findings import CriticalFindings
    from .study import CriticalIsingStudy

BINS = 12
FEWEST_IN_BIN = 50
PARTS = 3
SCAN_BLOCKS = 32


def folded_drift(rows: Chunk, edges: Array, dt: float) -> tuple[Array, Array]:
    """Drift towards larger |m| in bins of |m|, and its error from chains, shape (n_bins,)."""
    m, mean = rows["m"], rows["mean"] / dt
    place = np.clip(np.digitize(np.abs(m), edges) - 1, 0, len(edges) - 2)
    turned = np.where(m < 0, -mean, mean)
    value, error = np.full((2, len(edges) - 1), np.nan)
    for k in range(len(edges) - 1):
        own = turned[place == k]
        if len(own) >= FEWEST_IN_BIN:
            value[k], error[k] = own.mean(), own.std(ddof=1) / np.sqrt(len(own))
    return value, error


def drift_difference(
    study: CriticalIsingStudy, findings: CriticalFindings, size: int
) -> tuple[float, float]:
    """chi^2 per bin of the drifts from patch-relaxed and from Wolff snapshots, and its chance."""
    mine, wolff = _middle(study, findings, size), findings.wolff[size]
    edges = np.linspace(0, max(np.abs(mine["m"]).max(), np.abs(wolff["m"]).max()), BINS + 1)
    (a, da), (b, db) = (folded_drift(rows, edges, study.dt) for rows in (mine, wolff))
    z = (a - b) / np.hypot(da, db)
    z = z[np.isfinite(z)]
    chi2 = float((z**2).sum())
    return chi2 / len(z), float(stats.chi2.sf(chi2, len(z)))


def _middle(study: CriticalIsingStudy, findings: CriticalFindings, size: int) -> Chunk:
    own = findings.by_size[size]
    return own.chains[own.temperatures.index(study.middle)]


def chain_moments(m: Array, size: int, temperature: float) -> Array:
    """Moments of snapshots themselves, shape (3,)."""
    m = np.asarray(m, dtype=float)
    means = np.array([np.mean(np.abs(m) ** k) for k in (1, 2, 4)])
    return moments(means, size**2, temperature)


def chain_table(study: CriticalIsingStudy, findings: CriticalFindings) -> dict[str, Any]:
    """chi' of the training snapshots themselves beside that of the model and direct runs."""
    rows = []
    for size, own in findings.by_size.items():
        model = findings.predicted((size,))
        for j, T in enumerate(own.temperatures):
            m = own.chains[j]["m"]
            drawn = np.random.default_rng(0).integers(len(m), size=(40, len(m)))
            error = np.std([chain_moments(m[d], size, T)[1] for d in drawn])
            direct, direct_error = own.direct[j, :, 1]
            texts = [
                f"{chain_moments(m, size, T)[1]:.3f} ± {error:.3f}",
                f"{model.values[0, j, 1]:.3f} ± {model.errors[0, j, 1]:.3f}",
                f"{direct:.3f} ± {direct_error:.3f}",
            ]
            rows.append([f"{size}", f"{T:g}", f"{m.size}", *texts])
    return {
        "caption": "chi' of the training snapshots themselves (error: bootstrap over chains), of "
        "the model learned from them, and of direct runs",
        "columns": ["L", "T", "snapshots", "snapshots themselves", "model", "direct"],
        "rows": rows,
    }


def relaxation_table(study: CriticalIsingStudy, findings: CriticalFindings) -> dict[str, Any]:
    """Thirds of the chains against Wolff snapshots: are the snapshots relaxed at given m?"""
    rows, T = [], study.middle
    for size in study.sizes:
        chains = _middle(study, findings, size)
        rounds = np.array_split(np.arange(chains["m"].shape[1]), PARTS)
        for k, part in enumerate(rounds):
            own = {name: values[:, part] for name, values in chains.items()}
            rows.append([f"{size}", f"third {k + 1}", *_fit_texts(study, own, size, T)])
        rows.append([f"{size}", "Wolff", *_fit_texts(study, findings.wolff[size], size, T)])
        chi2, chance = drift_difference(study, findings, size)
        rows[-1][-1] = f"{chi2:.2f} (p = {chance:.2f})"
    return {
        "caption": f"T = {T:g}: chi' by least squares from the drift of parts of the chains and "
        "of Wolff snapshots, beside chi' of the snapshots themselves; last: chi^2 per bin of the "
        "drifts of all chains against Wolff snapshots",
        "columns": ["L", "snapshots", "number", "from their drift", "themselves", "chi^2"],
        "rows": rows,
    }


def _fit_texts(study: CriticalIsingStudy, rows: Chunk, size: int, T: float) -> list[str]:
    value, error = study.fit(rows).moments(size**2, T, study.resamples)
    themselves = chain_moments(rows["m"], size, T)[1]
    return [f"{rows['m'].size}", f"{value[1]:.2f} ± {error[1]:.2f}", f"{themselves:.2f}", ""]


def noise_ratio(findings: CriticalFindings, dt: float, buffer: int) -> tuple[float, float]:
    """Mean square increments of K patches averaged over that of wholes, at the training step.

    The nearest (dt, buffer) of the scan; the error is that of both, as normal numbers have it.
    """
    ways = findings.ways
    times = sorted({t for t, _ in ways}, key=lambda t: abs(t - dt))
    buffers = sorted({b for _, b in ways if b != WHOLE}, key=lambda b: abs(b - buffer))
    dm = findings.scan["dm"].astype(float)
    patch, whole = (dm[ways.index((times[0], b))] for b in (buffers[0], WHOLE))
    ratio = float((patch**2).mean() / (whole**2).mean())
    return ratio, float(ratio * np.sqrt(4 / whole.size))


def scan_table(study: CriticalIsingStudy, findings: CriticalFindings) -> dict[str, Any]:
    """Drift, noise and chi' by dt and buffer, all from the same snapshots."""
    size, T, ways = study.config["checks"]["scan_size"], study.middle, findings.ways
    chi, draws = _scan_chi(findings, size, T, study.resamples)
    first = ways.index((min(dt for dt, _ in ways), WHOLE))
    rows = []
    for i, (dt, buffer) in enumerate(ways):
        ratio, spread = chi[i] / chi[first], (draws[i] / draws[first]).std()
        evolved = "whole" if buffer == WHOLE else f"buffer {buffer}"
        found = [f"{chi[i]:.3f} ± {draws[i].std():.3f}", f"{ratio:.3f} ± {spread:.3f}"]
        rows.append([f"{dt:g}", evolved, *_drift_and_noise(study, findings, i), *found])
    columns = ["dt", "evolved", "n drift towards larger |m|", "n noise", "n noise, single patches"]
    return {
        "caption": f"L = {size}, T = {T:g}: patches and wholes from the same snapshots; chi' by "
        "least squares, over that of wholes at the shortest dt; noise is that of the mean over "
        "patches, or K^-1 that of single patches",
        "columns": [*columns, "chi'", "ratio"],
        "rows": rows,
    }


def _scan_chi(
    findings: CriticalFindings, size: int, T: float, resamples: int
) -> tuple[Array, Array]:
    """chi' by least squares, shape (n_ways,), and from drawn blocks, (n_ways, resamples)."""
    scan, n = findings.scan, size**2
    fits = []
    for i, (dt, _) in enumerate(findings.ways):
        m, mean, dm = (
            x.reshape(SCAN_BLOCKS, -1) for x in (scan["m"], scan["mean"][i], scan["dm"][i])
        )
        fits.append(PolynomialFit.of(m, mean, dm, dt))
    drawn = np.random.default_rng(0).integers(SCAN_BLOCKS, size=(resamples, SCAN_BLOCKS))
    draws = [[stationary_moments(fit.table(d), n, T)[1] for d in drawn] for fit in fits]
    return np.array([stationary_moments(f.table(), n, T)[1] for f in fits]), np.array(draws)


def _drift_and_noise(study: CriticalIsingStudy, findings: CriticalFindings, i: int) -> list[str]:
    """Of way i of the scan, times sites; of single patches too, where there are any."""
    table, scan, (dt, buffer) = study.config, findings.scan, findings.ways[i]
    n = table["checks"]["scan_size"] ** 2
    drift = n * (np.sign(scan["m"]) * scan["mean"][i]).mean() / dt
    noise = n * (scan["dm"][i].astype(float) ** 2).mean() / dt
    single = table["sampling"]["patch"] ** 2 * scan["square"][i].mean() / dt
    return [f"{drift:+.4f}", f"{noise:.4f}", "" if buffer == WHOLE else f"{single:.4f}"]
