"""Atoms in cells: nothing near is missed, nothing far is found, images included."""

import numpy as np
import pytest

from macro_ase.kinetics.cell_list import Cells, atoms_around, lennard_jones_forces, sort_into_cells


def cells_of(positions: np.ndarray, box: np.ndarray, shape: tuple[int, ...]) -> Cells:
    number, periodic, inverse = np.array(shape), np.ones(3, dtype=bool), np.linalg.inv(box)
    width = 1 / np.linalg.norm(inverse, axis=0) / number
    made = sort_into_cells(positions, number, periodic, box, inverse)
    return Cells(number, width, periodic, box, inverse, *made)


def brute_force(positions: np.ndarray, box: np.ndarray, point: np.ndarray, reach: float) -> int:
    images = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3), axis=-1).reshape(-1, 3) @ box
    away = np.linalg.norm(positions[:, None] + images - point, axis=2)
    return int(np.sum(away <= reach))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 1), (5, 4, 6)])
def test_every_image_within_reach_is_found_once(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    box = np.array([[5.0, 0, 0], [1.5, 4, 0], [-0.5, 1, 6]])
    positions = (rng.random((40, 3)) * 3 - 1) @ box
    cells = cells_of(positions, box, shape)
    np.testing.assert_array_equal(cells.order[cells.row], np.arange(40))
    for reach in (0.8, 2.5, 7.0):
        point = rng.random(3) @ box
        index, places = atoms_around(cells, point[None], reach)
        assert len(index) == brute_force(positions, box, point, reach)
        assert np.linalg.norm(places - point, axis=1).max(initial=0) <= reach
        periods = (places - positions[index]) @ np.linalg.inv(box)
        np.testing.assert_allclose(periods, np.round(periods), atol=1e-12)


def test_two_atoms_push_each_other_apart_by_the_law() -> None:
    box, r = 20 * np.eye(3), 1.05
    positions = np.array([[19.6, 3.0, 3.0], [19.6 + r, 3.0, 3.0]])
    forces = lennard_jones_forces(cells_of(positions, box, (4, 4, 4)), np.arange(2), 2.0, 1.0, 2.5)
    pull = 24 * 2.0 * (2 * r**-13 - r**-7)
    np.testing.assert_allclose(forces, [[-pull, 0, 0], [pull, 0, 0]], atol=1e-12)
    positions[1, 0] = 19.6 + 2.51
    far = lennard_jones_forces(cells_of(positions, box, (4, 4, 4)), np.arange(2), 2.0, 1.0, 2.5)
    assert not far.any()
