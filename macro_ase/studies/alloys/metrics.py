"""The numbers that a study of an alloy is judged by."""

from __future__ import annotations

from ...analysis.order_comparison import OrderComparison, rms
from ...barriers import KRABarriers
from ...report import Metric
from ...systems.alloy import Alloy
from .compare import Findings
from .design import Design


def metrics(d: Design, f: Findings) -> dict[str, Metric]:
    """The prediction beside direct runs; without any, the model beside its small runs."""
    if not d.direct_runs:
        return _of_small_runs(f.own)
    c = f.comparison
    within_68, within_95 = c.coverage()
    found = {
        "sro_rms": Metric(*c.sro_rms, None, rms(c.delta_true.error), "delta"),
        "row_sum_residual": Metric(c.row_sum_residual, None, 0.0, None, "delta"),
        "std_ratio_worst": Metric(*c.std_ratio.farthest_from_one, 1.0),
        "relaxation_ratio_worst": Metric(*c.relaxation_ratio.farthest_from_one, 1.0),
        "coverage_68": Metric(*within_68, 0.683),
        "coverage_95": Metric(*within_95, 0.95),
    }
    if not isinstance(d.system, Alloy):
        return found
    term = rms(c.vacancy_predicted.value - c.vacancy_true.value)
    floor = rms(c.vacancy_true.error)
    found["vacancy_term_error"] = Metric(term, None, 0.0, floor, "delta")
    barriers = d.system.barriers
    fitted = barriers.info.get("metrics", {}) if isinstance(barriers, KRABarriers) else {}
    for name, unit in (("barrier_cv_mae_eV", "eV"), ("formation_rms_meV", "meV/atom")):
        error = fitted.get(name.replace("_eV", "_error_eV").replace("_meV", "_error_meV"))
        found[name] = Metric(fitted.get(name), error, unit=unit)
    return found


def _of_small_runs(own: OrderComparison) -> dict[str, Metric]:
    """The model at the size of its small runs beside these: what is known without direct runs."""
    return {
        "small_sro_rms": Metric(*own.sro_rms, None, rms(own.delta_true.error), "delta"),
        "row_sum_residual": Metric(own.row_sum_residual, None, 0.0, None, "delta"),
        "small_std_ratio_worst": Metric(*own.std_ratio.farthest_from_one, 1.0),
        "small_relaxation_ratio_worst": Metric(*own.relaxation_ratio.farthest_from_one, 1.0),
    }
