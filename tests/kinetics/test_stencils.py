"""Laplacians against waves that the grid knows exactly, and against py-pde."""

import numpy as np
import pytest
from peers import interpreted

from macro_ase.kinetics.stencils import GIVEN, NEUMANN, PERIODIC, laplacian
from macro_ase.systems.compiled_field import as_rows

RNG = np.random.default_rng(0)


def padded_copy(field: np.ndarray) -> np.ndarray:
    return as_rows(np.pad(field, 1, mode="edge")[None, None])


def laplacian_of(field: np.ndarray, boundary: int, spacing: float = 1.0) -> np.ndarray:
    """Of one field on a line or a square."""
    padded = padded_copy(field)
    out = np.empty((1, 1, padded.shape[2] - 2, padded.shape[3] - 2))
    rows = boundary if field.ndim == 2 else NEUMANN
    laplacian(padded, (rows, rows, boundary, boundary), spacing, out)
    return out.reshape(field.shape)


@pytest.mark.parametrize("mode", [0, 1, 3, 7])
def test_waves_on_a_line(mode: int) -> None:
    n, h = 8, 0.3
    x = (np.arange(n) + 0.5) / n
    cosine = np.cos(np.pi * mode * x)
    value = -(4 / h**2) * np.sin(np.pi * mode / (2 * n)) ** 2
    np.testing.assert_allclose(laplacian_of(cosine, NEUMANN, h), value * cosine, atol=1e-12)
    wave = np.cos(2 * np.pi * mode * x + 0.4)
    value = -(4 / h**2) * np.sin(np.pi * mode / n) ** 2
    np.testing.assert_allclose(laplacian_of(wave, PERIODIC, h), value * wave, atol=1e-12)
    if mode in (1, 3):
        assert not np.allclose(laplacian_of(cosine, PERIODIC, h), -(0.1) * cosine, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("neumann", NEUMANN), ("periodic", PERIODIC)])
@pytest.mark.parametrize("shape", [(16,), (5, 9)])
def test_against_py_pde(name: str, code: int, shape: tuple[int, ...]) -> None:
    pde = pytest.importorskip("pde")
    h = 0.5
    grid = pde.CartesianGrid(
        [(0, n * h) for n in shape], shape, periodic=[name == "periodic"] * len(shape)
    )
    field = RNG.normal(size=shape)
    bc = "periodic" if name == "periodic" else {"derivative": 0}
    with interpreted():
        theirs = pde.ScalarField(grid, field).laplace(bc).data
    np.testing.assert_allclose(laplacian_of(field, code, h), theirs, rtol=1e-12, atol=1e-12)


def test_nothing_leaves_through_a_wall() -> None:
    field = RNG.normal(size=(6, 4))
    for boundary in (NEUMANN, PERIODIC):
        assert abs(laplacian_of(field, boundary).sum()) < 1e-12
    assert abs(laplacian_of(field[0], GIVEN).sum()) < 1e-12  # its ghosts are copies of the edge


def test_given_ghost_cells_are_left_alone() -> None:
    padded = padded_copy(RNG.normal(size=5))
    padded[0, 0, 1, 0], padded[0, 0, 1, -1] = 7.0, -3.0
    out = np.empty((1, 1, 1, 5))
    laplacian(padded, (NEUMANN, NEUMANN, GIVEN, GIVEN), 1.0, out)
    x = padded[0, 0, 1].copy()
    np.testing.assert_allclose(out[0, 0, 0], x[2:] + x[:-2] - 2 * x[1:-1], atol=1e-14)
    assert x[0] == 7.0 and x[-1] == -3.0
    laplacian(padded, (NEUMANN, NEUMANN, NEUMANN, GIVEN), 1.0, out)  # a wall at one end only
    assert padded[0, 0, 1, 0] == x[1] and padded[0, 0, 1, -1] == -3.0
