"""MACE models whose layers compute chosen atoms only.

A layer makes the features of an atom from those of its neighbours. Of a layer only the bonds into
the chosen atoms and these atoms themselves are evaluated; the others keep features that are known,
or 0 where nothing depends on them. The modules are the model's own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class ChosenRows:
    """What the layers of a model are to compute in the next pass, and what they found.

    Attributes
    ----------
    bonds : list of int tensors
        Of each layer, those that it evaluates.
    rows : list of int tensors
        Of each layer, the atoms whose features it computes.
    known : list of tensors, shape (n, f)
        Features of all atoms after each layer; of as many layers, from the first, as are known.
    found : list of tensors, shape (n_rows, f)
        Features of the rows after each layer.
    """

    def __init__(self) -> None:
        self.bonds: list[Tensor] = []
        self.rows: list[Tensor] = []
        self.known: list[Tensor] = []
        self.found: list[Tensor] = []

    def model(self, model: nn.Module) -> nn.Module:
        """The same model, with layers that compute what is chosen here."""
        chosen = copy.copy(model)
        chosen._modules = dict(model._modules)
        for name, kind in (("interactions", _Interaction), ("products", _Product)):
            own: Any = getattr(model, name)
            setattr(chosen, name, nn.ModuleList(kind(m, self, k) for k, m in enumerate(own)))
        return chosen


class _Interaction(nn.Module):
    """Messages along the bonds of a layer; 0 for atoms without."""

    def __init__(self, whole: nn.Module, chosen: ChosenRows, layer: int) -> None:
        super().__init__()
        self.whole, self.chosen, self.layer = whole, chosen, layer

    def forward(self, edge_index: Tensor, **inputs: Any) -> Any:
        bonds = self.chosen.bonds[self.layer]
        return self.whole(edge_index=edge_index[:, bonds], **_of_bonds(inputs, bonds))


class _Product(nn.Module):
    """Features of the rows of a layer, put among those that are known."""

    def __init__(self, whole: nn.Module, chosen: ChosenRows, layer: int) -> None:
        super().__init__()
        self.whole, self.chosen, self.layer = whole, chosen, layer

    def forward(self, node_feats: Tensor, sc: Tensor | None, node_attrs: Tensor) -> Tensor:
        chosen, k = self.chosen, self.layer
        rows = chosen.rows[k]
        own = None if sc is None else sc[rows]
        found: Tensor = self.whole(node_feats=node_feats[rows], sc=own, node_attrs=node_attrs[rows])
        chosen.found.append(found)
        if k < len(chosen.known):
            return chosen.known[k].index_copy(0, rows, found)
        return found.new_zeros(len(node_feats), found.shape[1]).index_copy(0, rows, found)


def _of_bonds(inputs: Mapping[str, Any], bonds: Tensor) -> dict[str, Any]:
    """Inputs of an interaction, those of bonds for some of them."""
    return {
        name: value[bonds]
        if name in ("edge_attrs", "edge_feats", "cutoff") and isinstance(value, torch.Tensor)
        else value
        for name, value in inputs.items()
    }
