"""Work of a GPU that is recorded once for inputs of a shape, and replayed from then on.

To launch the hundreds of kernels of a network one by one takes longer than a small batch does in
them: some ms. A recording (a CUDA graph) is one launch.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

Inputs = Mapping[str, torch.Tensor]
Outputs = tuple[torch.Tensor, ...]
Shapes = tuple[tuple[str, torch.Size], ...]
log = logging.getLogger(__name__)

FIRST = 16
"""Calls with inputs of a shape that are made as they are, while kernels are chosen and compiled."""
MOST = 64
"""Recordings that are kept; the one that was not used for longest goes."""


class _Recording(NamedTuple):
    inputs: dict[str, torch.Tensor]
    graph: torch.cuda.CUDAGraph
    outputs: Outputs


class Replayed:
    """A function of tensors on a GPU, recorded; what it returns holds until it is called again.

    Parameters
    ----------
    function : callable
        Takes tensors by name and returns some; launches the same kernels for inputs of one shape,
        and never waits for their results.
    """

    def __init__(self, function: Callable[[Inputs], Outputs]) -> None:
        self._function, self._seen = function, Counter[Shapes]()
        self._recordings: OrderedDict[Shapes, _Recording] = OrderedDict()
        self._pool, self._works = torch.cuda.graph_pool_handle(), True

    @torch.no_grad()
    def __call__(self, inputs: Inputs) -> Outputs:
        """What the function returns."""
        shapes = tuple((name, value.shape) for name, value in inputs.items())
        self._seen[shapes] += 1
        if shapes not in self._recordings:
            few = self._seen[shapes] <= FIRST
            if few or not self._works or not self._record(shapes, inputs):
                return self._function(inputs)
        self._recordings.move_to_end(shapes)
        recording = self._recordings[shapes]
        for name, value in inputs.items():
            recording.inputs[name].copy_(value)
        recording.graph.replay()
        return recording.outputs

    def _record(self, shapes: Shapes, inputs: Inputs) -> bool:
        """Record the function for inputs of some shape; whether that can be done."""
        own = {name: value.clone() for name, value in inputs.items()}
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, self._pool, capture_error_mode="thread_local"):
                outputs = self._function(own)
        except RuntimeError as error:
            log.warning("kernels are launched one by one: %s", str(error).splitlines()[0])
            self._works = False
            return False
        self._recordings[shapes] = _Recording(own, graph, outputs)
        if len(self._recordings) > MOST:
            self._seen[self._recordings.popitem(last=False)[0]] = 0
        return True
