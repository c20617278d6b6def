"""From small trajectories to training pairs: upsampling, partial evolution, the store."""

from .execution import run_chunks
from .store import Store

__all__ = ["Store", "run_chunks"]
