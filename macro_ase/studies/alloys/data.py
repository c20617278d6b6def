"""All that a study's stages made, as its results and checks take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.order_comparison import OrderComparison
from ...sampling.time_step import TimeStepScan

Chunk = dict[str, np.ndarray]


@dataclass(frozen=True)
class StudyData:
    """All that a study's stages made; see `studies.alloy`."""

    config: dict[str, Any]
    quick: bool
    system: Any
    notes: list[str]
    small: list[list[Chunk]]
    scan: TimeStepScan
    pairs: list[Chunk]
    model: Any
    direct: list[list[Chunk]]
    paths: list[tuple[np.ndarray, np.ndarray]]
    comparison: OrderComparison
