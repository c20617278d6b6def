"""Passes of a network on a CPU: as many clusters as memory is kept for, and at least one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from macro_ase.engines.patches.clusters import Cluster, ClusterShape
from macro_ase.engines.patches.mace_energies import BONDS_A_PASS, MACEEnergies

pytestmark = pytest.mark.learn


def cluster(bonds: int) -> Cluster:
    """Of so many bonds, nowhere."""
    ends, nothing = np.zeros(bonds, dtype=np.int64), np.zeros(0, dtype=np.int64)
    shape = ClusterShape(nothing, ends, ends, np.zeros((bonds, 3)), nothing, (nothing,))
    return Cluster(nothing, shape, nothing)


def test_a_pass_holds_what_fits_and_every_cluster_has_its_turn() -> None:
    made: list[list[int]] = []

    class Stub(MACEEnergies):
        def __init__(self) -> None:
            self._device = torch.device("cpu")

        def _pass(self, clusters: Sequence[Cluster]) -> list[Any]:
            made.append([len(c.shape.sender) for c in clusters])
            return [np.full(1, len(c.shape.sender)) for c in clusters]

    assert BONDS_A_PASS["cpu"] == 4000
    sizes = [1900, 1900, 2940, 2940, 9000, 100, 200]
    found = Stub()([cluster(n) for n in sizes])
    assert made == [[1900, 1900], [2940], [2940], [9000], [100, 200]]
    assert [int(x[0]) for x in found] == sizes
