"""Energies of atoms by MACE, for many clusters at a time.

The clusters of one pass are the parts of one graph, with no bonds between them. Bonds of a shape
are brought to the device once. Only energies are computed, no forces; in single precision they are
added up in double. On a CPU a pass is kept so small that its arrays, some kB a bond, are of sizes
that the C library keeps between passes: larger ones are asked of the system for every pass, page by
page, and then a batch is slower than its clusters one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from ...arrays import Array
from ...patches import Indices
from .clusters import Cluster, ClusterShape
from .replayed import Replayed

Part = tuple[torch.Tensor, torch.Tensor]

BONDS_A_PASS = {"cpu": 4_000}
BONDS_A_PASS_ELSEWHERE = 500_000
"""Of a pass of several clusters."""


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
        self._one_hot = torch.eye(len(numbers), dtype=self._type, device=self._device)
        self._run: Callable[[Mapping[str, torch.Tensor]], torch.Tensor] = (
            Replayed(self._mean) if self._device.type == "cuda" else self._mean
        )
        self._parts: WeakKeyDictionary[ClusterShape, Part] = WeakKeyDictionary()

    @staticmethod
    def can_do(calculator: Any) -> bool:
        """Whether its energies follow from species and bonds, by models that are not compiled."""
        plain = not getattr(calculator, "use_compile", False)
        return plain and not any(hasattr(m, "joint_embedding") for m in calculator.models)

    @property
    def on_accelerator(self) -> bool:
        """Whether a pass of many clusters takes hardly longer than one of few."""
        return bool(self._device.type != "cpu")

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
        bonds = np.cumsum([len(cluster.shape.sender) for cluster in clusters])
        found: list[Array] = []
        while (first := len(found)) < len(clusters):
            before = bonds[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(bonds, before + most, side="right")))
            found += self._pass(clusters[first:last])
        return found

    def _pass(self, clusters: Sequence[Cluster]) -> list[Array]:
        """The same in one pass through the models."""
        parts = [self._part(cluster.shape) for cluster in clusters]
        starts = np.cumsum([0, *(len(cluster.numbers) for cluster in clusters)])
        graph = self._graph(
            np.concatenate([cluster.numbers for cluster in clusters]), starts, parts
        )
        mean = self._run(graph).cpu().numpy() * self._unit_eV
        return [mean[start + c.shape.centre] for start, c in zip(starts, clusters)]

    @torch.no_grad()
    def _mean(self, graph: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Energies of all atoms, the mean of the models."""
        nodes = [m(dict(graph), compute_force=False)["node_energy"] for m in self._models]
        return torch.stack(nodes).double().mean(dim=0)

    def _part(self, shape: ClusterShape) -> Part:
        """Bonds of a cluster, shape (2, n_bonds), and their vectors, on the device; made once."""
        if shape not in self._parts:
            bonds = self._integers(np.stack([shape.sender, shape.receiver]))
            vectors = torch.as_tensor(shape.vector_A, dtype=self._type, device=self._device)
            self._parts[shape] = bonds, vectors
        return self._parts[shape]

    def _graph(
        self, numbers: Indices, starts: Indices, parts: Sequence[Part]
    ) -> dict[str, torch.Tensor]:
        """What a model reads; every bond is as long as its shift, for all atoms are at 0."""
        n, kind = len(numbers), {"dtype": self._type, "device": self._device}
        bonds = torch.cat([own + start for (own, _), start in zip(parts, starts.tolist())], dim=1)
        vectors = torch.cat([own for _, own in parts])
        species = self._integers(self._row[numbers])
        return {
            "positions": torch.zeros((n, 3), **kind),
            "node_attrs": self._one_hot[species],
            "edge_index": bonds,
            "shifts": vectors,
            "unit_shifts": torch.zeros((len(vectors), 3), **kind),
            "cell": torch.zeros((3, 3), **kind),
            "batch": torch.zeros(n, dtype=torch.int64, device=self._device),
            "ptr": self._integers([0, n]),
            "head": self._integers([self._head]),
        }

    def _integers(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.int64), device=self._device)
