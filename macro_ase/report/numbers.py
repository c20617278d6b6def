"""Numbers as people read them: the one place that rounds and writes ``±``."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

ABSENT = "–"


def rounded(value: float | None, error: float | None = None, form: str = "") -> str:
    """A number fit to print, with its standard error where there is one.

    Parameters
    ----------
    value, error : float, optional
        An absent or undefined value is a dash; an error that is absent, undefined or 0 is left out.
    form : str
        "" for two digits of the error or, without one, four digits; "%" for the same in per cent;
        or a format specification such as ".3f", "+.3f", ".2e" or ".1%".
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    error = error if error is not None and math.isfinite(error) and error > 0 else None
    if form.endswith("%"):
        form = form[:-1] and form[:-1] + "f"
        return rounded(100 * value, error and 100 * error, form) + " %"
    if form:
        # An exponent's mantissa needs no more than two digits of an error.
        of_error = ".1e" if form.endswith("e") else form.lstrip("+")
        return format(value, form) + (f" ± {error:{of_error}}" if error else "")
    if error is None:
        return str(value) if isinstance(value, Integral) else f"{value:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    if decimals > 6 or abs(value) >= 1e6:
        return f"{value:.4g} ± {error:.2g}"
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def limits(low: float, high: float, form: str = "") -> str:
    """What two limits allow; either may be infinite."""
    least, most = (rounded(x, form="%" if form.endswith("%") else "") for x in (low, high))
    if math.isinf(low):
        return "" if math.isinf(high) else f"at most {most}"
    if math.isinf(high):
        return f"at least {least}"
    return f"within {most}" if low == -high else f"{least} to {most}"


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def metrics_text(metrics: dict[str, Any]) -> str:
    """The metrics of a `metrics.json`, one a line, as plain text."""
    lines = []
    for name, m in metrics["metrics"].items():
        known = [part for part in ("truth", "floor") if m.get(part) is not None]
        note = ", ".join(f"{part} {rounded(m[part])}" for part in known)
        value = f"{rounded(m.get('value'), m.get('error'))} {m.get('unit') or ''}".strip()
        lines.append(f"{name:26s} {value}" + (f"  ({note})" if note else ""))
    return "\n".join(lines)
