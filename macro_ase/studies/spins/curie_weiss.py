"""The study of the Curie-Weiss model: relaxation and stationary law of m, beside exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.exact_curie_weiss import ExactCurieWeiss
from ...analysis.run_errors import LateMoments, late_moments, mean_errors
from ...arrays import Array
from ...systems.curie_weiss import CurieWeissSystem
from ...systems.spin_system import SpinSystem
from ..results import metric, write_findings
from .findings import SpinFindings
from .results import draw, error_check, error_metric, late_checks, patch_checks, sections
from .settings import spin_parameters
from .study import SpinStudy

ERROR_LIMIT, MEAN_LIMIT, STD_LIMIT = 2e-4, 0.01, 0.05


class CurieWeissStudy(SpinStudy):
    """Magnetisation predicted from patches in the field of all spins, as `SpinStudy`."""

    def make_system(self) -> SpinSystem:
        """The system that the settings name."""
        return CurieWeissSystem(*spin_parameters(self.config))

    @property
    def exact(self) -> ExactCurieWeiss:
        """The large system, exactly."""
        return ExactCurieWeiss(self.side**2, self.system.temperature, self.system.field)

    def write(self, folder: Path, quick: bool, findings: SpinFindings) -> None:
        """Write metrics, tables and figures."""
        table = self.config["direct"]
        starts = table["magnetisations"]
        exact = self.stages.timed("exact means", exact_means, self.exact, starts, findings.times)
        captions = draw(folder, findings, starts, self.system.names)
        against = self._against_exact(findings, exact)
        metrics = self._metrics(findings)
        errors = [name for name in metrics if name.startswith("error_")]
        results = {
            "summary": [self._summary(quick)],
            "sections": sections(findings, self.system, table["few_runs"], captions, [against]),
            "checks": [error_check(name, metrics[name]["value"], ERROR_LIMIT) for name in errors]
            + late_checks(findings, "m", MEAN_LIMIT, STD_LIMIT)
            + patch_checks(findings.checks),
        }
        write_findings(folder, self.config, self.stages, metrics, results)

    def _summary(self, quick: bool) -> str:
        system = self.system
        return (
            f"Curie-Weiss model of {self.side**2} spins at T = {system.temperature:g} in a field "
            f"of {system.field:g}: small systems of as many spins as a patch were repeated and "
            f"relaxed, and patches evolved alone for dt = {self.config['sampling']['dt']:g} in "
            "the field of all spins" + (" (quick form)." if quick else ".")
        )

    def _metrics(self, findings: SpinFindings) -> dict[str, dict[str, Any]]:
        true = findings.true.mean(axis=1)
        floor = float(mean_errors(findings.second.mean(axis=1), true).mean())
        metrics = {}
        for side, runs in findings.predicted.items():
            errors = mean_errors(runs.mean(axis=1), true)[:, 0]
            metrics[f"error_patch{side}"] = error_metric(errors, floor)
        mean, std = self.exact.stationary_moments()
        worst = max(findings.predicted, key=lambda side: _miss(findings.late(side), mean, std))
        late, noise = findings.late(worst), late_moments(findings.true)
        metrics["stationary_mean"] = metric(
            late.mean[0], late.mean_error[0], mean, noise.mean_error[0]
        )
        metrics["stationary_std"] = metric(late.std[0], late.std_error[0], std, noise.std_error[0])
        return metrics

    def _against_exact(self, findings: SpinFindings, exact: Array) -> dict[str, Any]:
        """Errors against the exact means, where only the prediction has noise."""
        rows = []
        for label, runs in (findings.by_label | {"direct runs": findings.true}).items():
            errors = mean_errors(runs.mean(axis=1), exact)[:, 0]
            rows.append([label, *(f"{e:.1e}" for e in errors), f"{errors.mean():.2e}"])
        starts = (f"m = {m:g}" for m in self.config["direct"]["magnetisations"])
        return {
            "caption": "Error against the exact mean of the birth-death chain, by initial m",
            "columns": ["patches", *starts, "mean"],
            "rows": rows,
        }


def _miss(late: LateMoments, mean: float, std: float) -> float:
    """How far late moments are from the exact ones, in their limits."""
    return float(abs(late.mean[0] / mean - 1) / MEAN_LIMIT + abs(late.std[0] / std - 1) / STD_LIMIT)


def exact_means(exact: ExactCurieWeiss, starts: list[float], times: Array) -> Array:
    """Exact mean of m, shape (n_starts, n_t, 1)."""
    return np.stack([exact.moments(m, times)[0] for m in starts])[..., None]
