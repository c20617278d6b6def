"""Predator-prey: rates, the state of rest, oscillations, the same solutions as py-pde."""

import numpy as np
import pytest
from peers import interpreted

from macro_ase.systems.predator_prey import PredatorPrey


def test_rates_are_the_equation() -> None:
    system = PredatorPrey(6, a=2.0, b=0.3, diffusion_u=0.7, diffusion_v=1.3, spacing=0.5)
    u, v = np.random.default_rng(0).random((2, 6))
    lap = [(np.pad(x, 1, mode="edge")[2:] + np.pad(x, 1, mode="edge")[:-2] - 2 * x) for x in (u, v)]
    wanted = [u * (1 - u - v) + 0.7 * lap[0] / 0.25, 2 * v * (u - 0.3) + 1.3 * lap[1] / 0.25]
    np.testing.assert_allclose(system.rates([[u, v]])[0], wanted, rtol=1e-12, atol=1e-12)


def test_rest_and_the_oscillation_around_it() -> None:
    """Eigenvalues of [[-b, -b], [a (1 - b), 0]]: damping .2, angular frequency .825."""
    system = PredatorPrey(4, noise=0.0)
    rest = np.array([0.4, 0.6])[None, :, None] * np.ones((1, 2, 4))
    np.testing.assert_allclose(system.rates(rest), 0.0, atol=1e-15)
    values, vectors = np.linalg.eig([[-0.4, -0.4], [1.8, 0.0]])
    start = 1e-5 * np.real(vectors[:, 0])
    time = 3.0
    wanted = 1e-5 * np.real(vectors[:, 0] * np.exp(values[0] * time))
    z = system.direct(rest + start[:, None], [time], 0.01, scheme="rk4")[0, 0] - [0.4, 0.6]
    np.testing.assert_allclose(z, wanted, rtol=1e-3, atol=1e-9)


def test_initial_waves() -> None:
    fields = PredatorPrey(200).wave([0.45, 0.55], [0.05, 0.1])
    assert fields.shape == (2, 2, 200)
    np.testing.assert_allclose(fields.sum(axis=1), 1.0)
    np.testing.assert_allclose(PredatorPrey().observe(fields)[:, 0], [0.45, 0.55])
    np.testing.assert_allclose(fields[1, 0].max() - 0.55, 0.1, rtol=0.01)
    np.testing.assert_allclose(fields[0, 0, :40], fields[0, 0, 40:80], atol=1e-12)


@pytest.mark.slow
def test_the_same_solution_as_py_pde() -> None:
    pde = pytest.importorskip("pde")
    system = PredatorPrey(20, noise=0.0)
    fields = system.wave(0.5, 0.1, 2)
    grid = pde.CartesianGrid([(0, 20)], 20)
    start = pde.FieldCollection([pde.ScalarField(grid, x) for x in fields[0]], labels=["u", "v"])
    equation = pde.PDE(
        {"u": "u * (1 - u - v)", "v": "3 * v * (u - 0.4) + laplace(v)"}, bc={"derivative": 0}
    )
    with interpreted():
        theirs = equation.solve(
            start, 1.0, dt=0.01, solver="euler", backend="numpy", tracker=None, adaptive=False
        )
    ours = system.advance(fields, 1.0, 0.01)
    np.testing.assert_allclose(ours[0], theirs.data, rtol=1e-10, atol=1e-12)
