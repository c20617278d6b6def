"""Steps of padded fields: ghosts kept, noise of each replica its own, opposite numbers."""

import numpy as np
import pytest

from macro_ase.kinetics.allen_cahn import AllenCahnParameters
from macro_ase.kinetics.field_steps import EULER_MARUYAMA, RUNGE_KUTTA_4, advance, rates_of
from macro_ase.kinetics.predator_prey import PredatorPreyParameters
from macro_ase.kinetics.stencils import GIVEN, NEUMANN, PERIODIC
from macro_ase.systems.compiled_field import as_rows
from macro_ase.systems.field import replica_states

MODEL = PredatorPreyParameters(3.0, 0.4, 0.0, 1.0)
ENDS = (NEUMANN, NEUMANN, GIVEN, GIVEN)


def line(n_replicas: int = 3) -> np.ndarray:
    fields = 0.5 + 0.1 * np.random.default_rng(0).normal(size=(n_replicas, 2, 9))
    return as_rows(np.pad(fields, ((0, 0), (0, 0), (1, 1)), mode="edge"))


@pytest.mark.parametrize("scheme", [EULER_MARUYAMA, RUNGE_KUTTA_4])
def test_given_ghost_cells_stay_and_count(scheme: int) -> None:
    padded, moved = line(), line()
    moved[:, :, 1, 0] += 0.2
    before = moved.copy()
    for x in (padded, moved):
        advance(x, MODEL, ENDS, 0.0, 0.01, 5, scheme, replica_states(0, 3))
    np.testing.assert_array_equal(moved[:, :, 1, [0, -1]], before[:, :, 1, [0, -1]])
    assert np.abs(moved - padded)[:, 1, 1, 1].min() > 1e-3  # v feels its neighbour
    assert np.abs(moved - padded)[:, 0, 1, 9].max() < 1e-9  # u at the other end does not yet


@pytest.mark.parametrize("scheme", [EULER_MARUYAMA, RUNGE_KUTTA_4])
def test_a_replica_does_not_depend_on_its_company(scheme: int) -> None:
    states, together = replica_states(1, 3), line()
    advance(together, MODEL, ENDS, 0.02, 0.01, 4, scheme, states.copy())
    alone = line()[2:]
    advance(alone, MODEL, ENDS, 0.02, 0.01, 4, scheme, states[2:].copy())
    np.testing.assert_array_equal(alone[0], together[2])


def test_opposite_numbers_have_no_mean_to_first_order() -> None:
    parts = []
    for noise in (0.02, -0.02, 0.0):
        x = line(1)
        advance(x, MODEL, ENDS, noise, 0.01, 10, EULER_MARUYAMA, replica_states(1, 1))
        parts.append(x)
    there, back, still = parts
    odd, even = np.abs(there - back).max() / 2, np.abs((there + back) / 2 - still).max()
    assert 0.003 < odd < 0.05 and even < 0.02 * odd


def test_one_step_of_each_scheme() -> None:
    model, walls = AllenCahnParameters(1.0, 4.0), (PERIODIC,) * 4
    start = np.pad(np.random.default_rng(0).normal(size=(6, 6)), 1)[None, None]

    def rate(x: np.ndarray) -> np.ndarray:
        out = np.zeros_like(x)
        rates_of(x.copy(), model, walls, out)
        return out

    dt, k1 = 0.01, rate(start)
    k2 = rate(start + dt / 2 * k1)
    k3 = rate(start + dt / 2 * k2)
    k4 = rate(start + dt * k3)
    for scheme, wanted in (
        (EULER_MARUYAMA, start + dt * k1),
        (RUNGE_KUTTA_4, start + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)),
    ):
        x = start.copy()
        advance(x, model, walls, 0.0, dt, 1, scheme, replica_states(0, 1))
        np.testing.assert_allclose(x[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1], rtol=1e-12)
