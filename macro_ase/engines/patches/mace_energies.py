"""Energies of atoms by MACE, for many clusters at a time.

The clusters of one pass are the parts of one graph, with no bonds between them. What is needed of a
shape is brought to the device once. Only energies are computed, no forces, and in every layer only
the atoms that they need and that are not remembered (`mace_layers`); in single precision energies
are added up in double. On a CPU a pass is kept so small that its arrays, some kB a bond, are of
sizes that the C library keeps between passes: larger ones are asked of the system for every pass,
page by page, and then a batch is slower than its clusters one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch

from ...arrays import Array
from ...patches import Indices
from .clusters import Cluster, ClusterShape
from .mace_layers import ChosenRows
from .replayed import Inputs, Outputs, Replayed

BONDS_A_PASS = {"cpu": 4_000}
BONDS_A_PASS_ELSEWHERE = 500_000
"""Of a pass of several clusters."""


class _Part(NamedTuple):
    """A shape on the device.

    ``ends`` of bonds have shape (2, n_bonds), ``vectors_A`` (n_bonds, 3); of each layer ``bonds``
    are those that it evaluates, ``rows`` the atoms that it computes.
    """

    ends: torch.Tensor
    vectors_A: torch.Tensor
    bonds: list[torch.Tensor]
    rows: list[torch.Tensor]


class MACEEnergies:
    """`BatchedEnergies` of a MACE calculator, on its device and in its precision.

    Parameters
    ----------
    calculator : mace.calculators.MACECalculator
        With one model or a committee, whose mean is taken.

    Attributes
    ----------
    cutoff_A : float
        Longest bond.
    layers : int
        Of the network.
    """

    def __init__(self, calculator: Any) -> None:
        self._chosen = [ChosenRows() for _ in calculator.models]
        self._models = [own.model(m) for own, m in zip(self._chosen, calculator.models)]
        self._depths = [int(model.num_interactions) for model in calculator.models]
        self.layers = max(self._depths)
        self.cutoff_A = max(float(model.r_max) for model in calculator.models)
        self._unit_eV = float(calculator.energy_units_to_eV)
        self._device, self._type = calculator.device, getattr(torch, calculator.default_dtype)
        self._head = calculator.available_heads.index(calculator.head)
        numbers = calculator.z_table.zs
        self._row = np.zeros(max(numbers) + 1, dtype=np.int64)
        self._row[numbers] = np.arange(len(numbers))
        self._one_hot = torch.eye(len(numbers), dtype=self._type, device=self._device)
        self._run: Callable[[Inputs], Outputs] = (
            Replayed(self._energies) if self._device.type == "cuda" else self._energies
        )
        self._parts: WeakKeyDictionary[ClusterShape, _Part] = WeakKeyDictionary()

    @staticmethod
    def can_do(calculator: Any) -> bool:
        """Whether its energies follow from species and bonds, by models that are not compiled."""
        plain = not getattr(calculator, "use_compile", False)
        for model in calculator.models:
            plain &= not isinstance(model, torch.jit.ScriptModule)
            plain &= not hasattr(model, "joint_embedding")
        return plain

    @property
    def on_accelerator(self) -> bool:
        """Whether a pass of many clusters takes hardly longer than one of few."""
        return bool(self._device.type != "cpu")

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
        """The same in one pass through the models, which memories may keep."""
        parts = [self._part(cluster.shape) for cluster in clusters]
        starts = np.cumsum([0, *(len(cluster.numbers) for cluster in clusters)])
        sites = self._integers(np.concatenate([c.sites for c in clusters]))
        where = sites.split(np.diff(starts).tolist())
        graph = self._graph(clusters, starts, parts) | self._known(clusters, where)
        mean, *features = self._run(graph)
        self._tell(clusters, parts, where, features)
        energies = mean.cpu().numpy() * self._unit_eV
        return [energies[start + c.shape.centre] for start, c in zip(starts, clusters)]

    @torch.no_grad()
    def _energies(self, graph: Inputs) -> Outputs:
        """Energies of all atoms, the mean of the models, and features of rows by `_remembered`."""
        nodes = []
        for m, (model, chosen, depth) in enumerate(zip(self._models, self._chosen, self._depths)):
            layers = range(self.layers - depth, self.layers)
            chosen.rows = [graph[f"rows {k}"] for k in layers]
            chosen.bonds = [graph[f"bonds {k}"] for k in layers]
            names = [f"known {at}" for at, (own, _) in enumerate(self._remembered()) if own == m]
            chosen.known = [graph[name] for name in names if name in graph]
            chosen.found = []
            nodes.append(model(dict(graph), compute_force=False)["node_energy"])
        mean = torch.stack(nodes).double().mean(dim=0)
        return mean, *(self._chosen[m].found[k] for m, k in self._remembered())

    def _remembered(self) -> list[tuple[int, int]]:
        """Models, and after which of their layers features are remembered, in this order."""
        return [(m, k) for m, depth in enumerate(self._depths) for k in range(depth - 1)]

    def _known(
        self, clusters: Sequence[Cluster], sites: Sequence[torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Features of all atoms, as remembered; 0 where they are not, none where none are."""
        held = [c.memory.features if c.memory else [] for c in clusters]
        known = {}
        for at, like in enumerate(next((features for features in held if features), [])):
            own = [
                features[at][where] if features else like.new_zeros(len(where), like.shape[1])
                for features, where in zip(held, sites)
            ]
            known[f"known {at}"] = torch.cat(own)
        return known

    def _tell(
        self,
        clusters: Sequence[Cluster],
        parts: Sequence[_Part],
        sites: Sequence[torch.Tensor],
        features: Sequence[torch.Tensor],
    ) -> None:
        """Show the memories of clusters what was computed of their atoms."""
        memories = [cluster.memory for cluster in clusters]
        for memory in memories:
            if memory is not None:
                memory.shown = []
        for (m, k), found in zip(self._remembered(), features):
            rows = [part.rows[self.layers - self._depths[m] + k] for part in parts]
            own = found.clone().split([len(each) for each in rows])
            for memory, where, each, values in zip(memories, sites, rows, own):
                if memory is not None:
                    memory.shown.append((where, each, values))

    def _part(self, shape: ClusterShape) -> _Part:
        """A shape on the device; made once."""
        if shape not in self._parts:
            ends = self._integers(np.stack([shape.sender, shape.receiver]))
            vectors = torch.as_tensor(shape.vector_A, dtype=self._type, device=self._device)
            bonds = [np.flatnonzero(np.isin(shape.receiver, rows)) for rows in shape.rows]
            indices = [[self._integers(own) for own in each] for each in (bonds, shape.rows)]
            self._parts[shape] = _Part(ends, vectors, *indices)
        return self._parts[shape]

    def _graph(
        self, clusters: Sequence[Cluster], starts: Indices, parts: Sequence[_Part]
    ) -> dict[str, torch.Tensor]:
        """What a model reads; every bond is as long as its shift, for all atoms are at 0."""
        n, kind = int(starts[-1]), {"dtype": self._type, "device": self._device}
        species = self._integers(self._row[np.concatenate([c.numbers for c in clusters])])
        vectors = torch.cat([part.vectors_A for part in parts])
        at, bond = starts.tolist(), np.cumsum([0, *(len(part.vectors_A) for part in parts)])
        graph = {
            "positions": torch.zeros((n, 3), **kind),
            "node_attrs": self._one_hot[species],
            "edge_index": torch.cat([part.ends + start for part, start in zip(parts, at)], dim=1),
            "shifts": vectors,
            "unit_shifts": torch.zeros((len(vectors), 3), **kind),
            "cell": torch.zeros((3, 3), **kind),
            "batch": torch.zeros(n, dtype=torch.int64, device=self._device),
            "ptr": self._integers([0, n]),
            "head": self._integers([self._head]),
        }
        for k in range(self.layers):
            graph[f"rows {k}"] = torch.cat([p.rows[k] + start for p, start in zip(parts, at)])
            graph[f"bonds {k}"] = torch.cat(
                [p.bonds[k] + start for p, start in zip(parts, bond.tolist())]
            )
        return graph

    def _integers(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.int64), device=self._device)
