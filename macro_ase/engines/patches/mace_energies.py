"""Energies of atoms by MACE, for many clusters at a time.

The clusters of one pass are the parts of one graph, with no bonds between them. Only energies are
computed, no forces; in single precision they are added up in double. On a CPU a pass is kept so
small that what belongs to its bonds stays in the cache, and needs no memory from the system anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...arrays import Array
from .clusters import Cluster

BONDS_A_PASS = {"cpu": 8_000}
BONDS_A_PASS_ELSEWHERE = 500_000
"""Of a pass of several clusters; what a bond takes is some kB in a small model."""


class MACEEnergies:
    """`BatchedEnergies` of a MACE calculator, on its device and in its precision.

    Parameters
    ----------
    calculator : mace.calculators.MACECalculator
        With one model or a committee, whose mean is taken.
    """

    def __init__(self, calculator: Any) -> None:
        self._models, self._unit_eV = calculator.models, float(calculator.energy_units_to_eV)
        self._device, self._type = calculator.device, getattr(torch, calculator.default_dtype)
        self._head = calculator.available_heads.index(calculator.head)
        numbers = calculator.z_table.zs
        self._row = np.zeros(max(numbers) + 1, dtype=np.int64)
        self._row[numbers] = np.arange(len(numbers))
        self._n_elements = len(numbers)

    @staticmethod
    def can_do(calculator: Any) -> bool:
        """Whether its energies follow from species and bonds, by models that are not compiled."""
        plain = not getattr(calculator, "use_compile", False)
        return plain and not any(hasattr(m, "joint_embedding") for m in calculator.models)

    @property
    def cutoff_A(self) -> float:
        """Longest bond, A."""
        return max(float(model.r_max) for model in self._models)

    @property
    def layers(self) -> int:
        """Layers of the network."""
        return max(int(model.num_interactions) for model in self._models)

    def __call__(self, clusters: Sequence[Cluster]) -> list[Array]:
        """Energies of the centres of each cluster, eV."""
        most = BONDS_A_PASS.get(self._device.type, BONDS_A_PASS_ELSEWHERE)
        bonds = np.cumsum([len(cluster.sender) for cluster in clusters])
        found: list[Array] = []
        while (first := len(found)) < len(clusters):
            before = bonds[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(bonds, before + most, side="right")))
            found += self._pass(clusters[first:last])
        return found

    def _pass(self, clusters: Sequence[Cluster]) -> list[Array]:
        """The same in one pass through the models."""
        starts = np.cumsum([0, *(len(cluster.numbers) for cluster in clusters[:-1])])
        graph = self._graph(clusters, starts)
        with torch.no_grad():
            nodes = [m(dict(graph), compute_force=False)["node_energy"] for m in self._models]
        mean = torch.stack(nodes).double().mean(dim=0).cpu().numpy() * self._unit_eV
        return [mean[start + c.centre] for start, c in zip(starts, clusters)]

    def _graph(self, clusters: Sequence[Cluster], starts: Array) -> dict[str, torch.Tensor]:
        """What a model reads; every bond is as long as its shift, for all atoms are at 0."""
        numbers = np.concatenate([cluster.numbers for cluster in clusters])
        bonds = [s + np.stack([c.sender, c.receiver]) for s, c in zip(starts, clusters)]
        vectors = np.concatenate([cluster.vector_A for cluster in clusters])
        n, kind = len(numbers), {"dtype": self._type, "device": self._device}
        species = self._integers(self._row[numbers])
        return {
            "positions": torch.zeros((n, 3), **kind),
            "node_attrs": torch.nn.functional.one_hot(species, self._n_elements).to(self._type),
            "edge_index": self._integers(np.concatenate(bonds, axis=1)),
            "shifts": torch.as_tensor(vectors, **kind),
            "unit_shifts": torch.zeros((len(vectors), 3), **kind),
            "cell": torch.zeros((3, 3), **kind),
            "batch": self._integers(np.zeros(n)),
            "ptr": self._integers([0, n]),
            "head": self._integers([self._head]),
        }

    def _integers(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.int64), device=self._device)
