"""Allen-Cahn: gradient flow, walls, shrinking discs, width that does not follow the grid."""

import math

import numpy as np
import pytest
from peers import interpreted

from macro_ase.systems.allen_cahn import WALL_WIDTH, AllenCahn


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
def test_rates_are_the_gradient_of_the_energy(boundary: str) -> None:
    system = AllenCahn(6, boundary=boundary, width=0.1)
    v = np.random.default_rng(0).normal(size=(1, 1, 6, 6))
    rates, step = system.rates(v), 1e-5
    for i, j in ((0, 0), (2, 5), (3, 3)):
        moved = np.repeat(v, 2, axis=0)
        moved[0, 0, i, j] += step
        moved[1, 0, i, j] -= step
        slope = np.diff(system.free_energy(moved))[0] / (-2 * step)
        assert rates[0, 0, i, j] == pytest.approx(-slope / system.cell**2, rel=1e-6)


def test_energy_falls() -> None:
    system = AllenCahn(40)
    z = system.direct(
        system.torus([0.35], [0.12]), np.linspace(0, 0.02, 9), system.usual_step, scheme="rk4"
    )
    assert np.all(np.diff(z[0, :, 0]) < 0)


def test_a_flat_wall_rests_and_has_its_tension() -> None:
    """Energy per length of a wall, 2 sqrt(2) / (3 eps), to second order in h / eps."""
    system = AllenCahn(200)
    x = (np.arange(200) + 0.5) / 200 - 0.5
    wall = np.tanh(x / (math.sqrt(2) * WALL_WIDTH))[None, None, None] * np.ones((1, 1, 200, 1))
    tension = 2 * math.sqrt(2) / (3 * WALL_WIDTH)
    assert system.free_energy(wall)[0] == pytest.approx(tension, rel=0.01)
    later = system.advance(wall, 0.0005, 3 * system.usual_step, scheme="rk4")
    np.testing.assert_allclose(later, wall, atol=0.02)


def test_a_disc_shrinks_by_its_curvature() -> None:
    """d(area)/dt = -2 pi, whatever the radius, for a wall much thinner than it."""
    system = AllenCahn(100)
    disc = system.torus(0.3, -1.0)
    times = np.array([0.005, 0.01, 0.015])
    v = system.run(disc, times, system.usual_step, scheme="rk4")[0, :, 0]
    area = ((1 + v) / 2).sum(axis=(1, 2)) * system.cell**2
    np.testing.assert_allclose(np.diff(area) / 0.005, -2 * math.pi, rtol=0.05)


def test_a_torus_has_its_radii_and_the_width_stays_physical() -> None:
    for n in (100, 200):
        system = AllenCahn(n)
        row = system.torus(0.35, 0.12)[0, 0, n // 2]
        x = (np.arange(n) + 0.5) / n - 0.5
        crossings = np.abs(np.interp([0, 0], row[x > 0.25][::-1], x[x > 0.25][::-1]))
        assert crossings[0] == pytest.approx(0.35, abs=1 / n)
        assert row[n // 2] < -0.9 and row[0] < -0.9
        inside = (np.abs(row) < 0.9) & (x > 0.25)
        assert inside.sum() / n == pytest.approx(0.05, abs=2 / n)
    assert WALL_WIDTH == pytest.approx(0.012008, abs=1e-6)


@pytest.mark.slow
def test_the_same_solution_as_py_pde() -> None:
    pde = pytest.importorskip("pde")
    system = AllenCahn(12, width=0.1, boundary="periodic")
    start = system.torus(0.35, 0.12)
    grid = pde.CartesianGrid([(0, 1), (0, 1)], 12, periodic=True)
    equation = pde.PDE({"c": "laplace(c) - (c**3 - c) / 0.01"})
    dt = 1e-4
    with interpreted():
        theirs = equation.solve(
            pde.ScalarField(grid, start[0, 0]),
            0.01,
            dt=dt,
            solver="runge-kutta",
            backend="numpy",
            tracker=None,
            adaptive=False,
        )
    ours = system.advance(start, 0.01, dt, scheme="rk4")
    np.testing.assert_allclose(ours[0, 0], theirs.data, rtol=1e-9, atol=1e-11)
