"""The runner as studies that still make their own know it."""

from collections.abc import Callable, Mapping
from typing import Any

from ..sampling.store import Chunk
from .runner import Runner

__all__ = ["Chunk", "Stages"]


class Stages(Runner):
    """A runner that keeps results."""

    def chunks(
        self, stage: str, function: Callable[..., Any], jobs: Mapping[str, tuple[Any, ...]]
    ) -> dict[str, Chunk]:
        return dict(super().chunks(stage, function, jobs))
