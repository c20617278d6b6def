"""What the stages of a study of a person's own system made."""

from __future__ import annotations

from dataclasses import dataclass

from ...arrays import Array
from ..beside import Beside


@dataclass(frozen=True)
class OwnFindings:
    """Cases by condition, losses, and the observables' spread over the training states, (d,)."""

    cases: list[Beside]
    history: Array
    scale: Array
    cpu_s: dict[str, float]
