"""What the stages of a study of a person's own system made."""

from __future__ import annotations

from dataclasses import dataclass

from ...arrays import Array
from ..beside import Beside


@dataclass(frozen=True)
class OwnFindings:
    """What the stages made.

    Attributes
    ----------
    cases : list of Beside
        By condition.
    history : array, shape (members, epochs, 2)
    scale : array, shape (d,)
        Spread of the observables over the training states.
    cpu_s : dict
        CPU seconds by stage.
    """

    cases: list[Beside]
    history: Array
    scale: Array
    cpu_s: dict[str, float]
