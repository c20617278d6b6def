"""Orbits of sites around a hopping bond."""

import itertools

import numpy as np
import pytest

from macro_ase.barriers.orbits import (
    HOP_DIRECTIONS,
    REFERENCE_HOP,
    bond_orbits,
    orbit_distance,
)
from macro_ase.lattice import BCC


def bond_group() -> list[np.ndarray]:
    """Cubic operations that keep the line along (1,1,1), from all 48."""
    group = []
    for axes, signs in itertools.product(
        itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)
    ):
        matrix = np.diag(signs)[:, list(axes)]
        if np.all(np.cross(matrix @ REFERENCE_HOP, REFERENCE_HOP) == 0):
            group.append(matrix)
    assert len(group) == 12
    return group


def test_directions() -> None:
    assert HOP_DIRECTIONS[0].tolist() == [-1, -1, -1]
    assert HOP_DIRECTIONS[1].tolist() == [-1, -1, 1]
    assert HOP_DIRECTIONS[7].tolist() == [1, 1, 1]


@pytest.mark.parametrize("n_shells", [1, 2, 5, 7])
def test_orbits_are_those_of_the_group(n_shells: int) -> None:
    orbits = bond_orbits(n_shells)
    sites = [tuple(s) for orbit in orbits for s in orbit.tolist()]
    around = {tuple(v) for shell in BCC.shells(n_shells) for v in shell.tolist()}
    ends = {(0, 0, 0), (1, 1, 1)}
    shifted = {tuple(np.add(v, REFERENCE_HOP).tolist()) for v in around}
    assert len(sites) == len(set(sites)) and set(sites) == (around | shifted) - ends
    for orbit in orbits:
        from_middle = 2 * orbit - REFERENCE_HOP
        images = {tuple(op @ from_middle[0]) for op in bond_group()}
        assert images == {tuple(v) for v in from_middle}


def test_orbits_come_nearest_first() -> None:
    distances = [orbit_distance(orbit) for orbit in bond_orbits(7)]
    assert distances == sorted(distances) and distances[0] == 1
    assert len(distances) == 17
