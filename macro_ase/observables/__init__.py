"""What is measured on states: bonds, short-range order, long-range order."""

from .bonds import bond_counts, grouped_bond_counts
from .long_range_order import (
    B2Order,
    LongRangeOrder,
    StructureFactor,
    b2_order,
    long_range_order,
    structure_factors,
    sublattice_order,
)
from .order_result import ShortRangeOrder
from .order_trajectory import short_range_order_trajectory
from .shells import NeighborShells, neighbor_shells
from .short_range_order import (
    delta_from_bonds,
    random_offset,
    short_range_order,
    warren_cowley_from_bonds,
)

__all__ = [
    "B2Order",
    "LongRangeOrder",
    "NeighborShells",
    "ShortRangeOrder",
    "StructureFactor",
    "b2_order",
    "bond_counts",
    "delta_from_bonds",
    "grouped_bond_counts",
    "long_range_order",
    "neighbor_shells",
    "random_offset",
    "short_range_order",
    "short_range_order_trajectory",
    "structure_factors",
    "sublattice_order",
    "warren_cowley_from_bonds",
]
