"""Whether the runs of a study of an alloy were long enough."""

from __future__ import annotations

import numpy as np

from ...report import Check
from .compare import LONG_LAG, Findings
from .design import Design

APART = 0.03


def run_checks(d: Design, f: Findings) -> list[Check]:
    """Lengths of runs in relaxation times, and whether small ones forgot where they came from."""
    direct = f"over {LONG_LAG} steps, each of {d.direct_runs} direct runs after burn-in"
    checks = [
        Check(
            f"{kind} runs long enough",
            lengths,
            low=low,
            text=f"Slowest relaxation times, by temperature: {text}.",
            form=".0f",
        )
        for kind, lengths, low, text in (
            ("small", f.small_lengths, 10, "stationary halves"),
            ("direct", f.direct_lengths, 50, direct),
        )
        if lengths
    ]
    if f.apart is not None:
        text = (
            "delta of the second halves of small runs from other temperatures, less that of those "
            "from crystals of their own, by temperature: of the pair that is most errors apart."
        )
        most = np.abs(f.apart.value / f.apart.error).argmax(axis=1)[:, None]
        off, error = (np.take_along_axis(x, most, 1)[:, 0] for x in (f.apart.value, f.apart.error))
        checks.append(Check("small runs at rest", off, error, -APART, APART, text, "+.3f"))
    return checks
