"""What a run will need of a machine, asked before any work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """Memory and disk of a study, roughly.

    Attributes
    ----------
    chunk_bytes : float
        Working memory of the largest chunk.
    store_bytes : float
        Disk for all chunks.
    """

    chunk_bytes: float
    store_bytes: float
