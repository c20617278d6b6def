"""A binary tree of sums, flat: the root at 1, the children of k at 2 k and 2 k + 1, leaves last.

A leaf is changed, or drawn with probability value / total, in log2(n) steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled


@compiled
def empty_tree(n: int) -> NDArray[np.float64]:
    """A tree of n leaves or more, all 0."""
    leaves = 1
    while leaves < n:
        leaves *= 2
    return np.zeros(2 * leaves)


@compiled
def add_up(tree: NDArray[np.float64]) -> None:
    """All sums from the leaves."""
    for node in range(tree.size // 2 - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]


@compiled
def set_leaf(tree: NDArray[np.float64], leaf: int, value: float) -> None:
    """Change a leaf and the sums above it."""
    node = leaf + tree.size // 2
    tree[node] = value
    node //= 2
    while node >= 1:
        tree[node] = tree[2 * node] + tree[2 * node + 1]
        node //= 2


@compiled
def choose_leaf(tree: NDArray[np.float64], target: float) -> tuple[int, float]:
    """Leaf in which the running sum passes ``target``, and what is left of it there."""
    half = tree.size // 2
    node = 1
    while node < half:
        node *= 2
        if target >= tree[node] and tree[node + 1] > 0.0:
            target -= tree[node]
            node += 1
    return node - half, target
