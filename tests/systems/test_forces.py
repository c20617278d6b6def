"""Systems of forces: on some particles as on all, observables with their Jacobian, cheaper runs."""

import pickle

import numpy as np
import pytest

from macro_ase.rng import coerce_rng
from macro_ase.systems.allen_cahn import AllenCahn
from macro_ase.systems.field_forces import QUARTERS, AllenCahnForces, PredatorPreyForces
from macro_ase.systems.forces import ForceSystem
from macro_ase.systems.predator_prey import PredatorPrey

RANGES = (0.3, 0.4), (0.1, 0.15)
SYSTEMS: dict[str, ForceSystem] = {
    "waves": PredatorPreyForces(
        PredatorPrey(50, noise=0.0), 0.05, (0.4, 0.6), (0.0, 0.2), 5.0, 1.0, 31
    ),
    "rings": AllenCahnForces(
        AllenCahn(16, width=0.05, edge=0.5), 2e-4, *RANGES, 0.02, 50, snapshots=5, test_every=8
    ),
}
by_name = pytest.mark.parametrize("name", SYSTEMS)


@by_name
def test_forces_on_some_particles_are_those_on_all(name: str) -> None:
    system = SYSTEMS[name]
    x = np.asarray(system.training_states(2, coerce_rng(0))[5:9], dtype=float)
    particles = np.array([[3, 1], [0, 9], [5, 6], [8, 2]])
    columns = system.columns(particles)
    assert columns.shape == (4, 2 * x.shape[1] // system.n_particles)
    chosen = np.take_along_axis(system.forces(x), columns, axis=1)
    np.testing.assert_array_equal(system.forces(x, particles), chosen)


@by_name
def test_the_jacobian_is_the_slope_of_the_observables(name: str) -> None:
    system = pickle.loads(pickle.dumps(SYSTEMS[name]))
    x = np.asarray(system.training_states(2, coerce_rng(0))[5:9], dtype=float)
    step, jacobian = 1e-5, system.observables.jacobian(x)
    jacobian = np.broadcast_to(jacobian, (4, *jacobian.shape[1:]))
    for k in (0, 7, x.shape[1] - 1):
        up, down = x.copy(), x.copy()
        up[:, k] += step
        down[:, k] -= step
        slope = (system.observables(up) - system.observables(down)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, :, k], slope, rtol=1e-5, atol=1e-7)


@by_name
def test_forces_move_the_observables_as_runs_do(name: str) -> None:
    """phi' f is the rate of z along a run; forces of another state are not."""
    system = SYSTEMS[name]
    runs = system.test_runs(1, coerce_rng(1))
    x = np.asarray(runs.start, dtype=float)
    observed = system.observables
    f = system.forces(x)
    rate = (observed.jacobian(x) @ f[..., None])[..., 0]
    h = 1e-6
    ahead, behind = (observed(x + s * h * f) for s in (1, -1))
    np.testing.assert_allclose(rate, (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(observed(x)[0], runs.z[0, 0], rtol=1e-12)
    assert np.abs(rate).max() > 1e3 * np.abs(observed.jacobian(x) @ (0 * f)[..., None]).max()


@by_name
def test_coarser_runs_are_cheaper_and_less_true(name: str) -> None:
    system, coarser = SYSTEMS[name], SYSTEMS[name].coarser()
    true, coarse = system.test_runs(3, coerce_rng(2)), coarser.test_runs(3, coerce_rng(2))
    assert coarser.evaluations_per_run < 0.6 * system.evaluations_per_run
    np.testing.assert_array_equal(coarse.times, true.times)
    size = np.abs(true.z).mean()
    again, rough = (np.abs(z - true.z).mean() / size for z in (true.again, coarse.z))
    assert again < 1e-4 and 3 * again < rough < 0.5


def test_evaluations_are_counted_by_steps() -> None:
    waves = SYSTEMS["waves"]
    assert waves.evaluations_per_run == 4 * 50 * 600 == waves.training_evaluations
    rings = SYSTEMS["rings"]
    assert rings.training_evaluations == 4 * 16**2 * 50 * 2
    assert rings.evaluations_per_run == 4 * 16**2 * 6 * 16


def test_a_quarter_stands_for_the_square() -> None:
    tested, square = SYSTEMS["rings"], AllenCahn(32, width=0.05)
    assert isinstance(tested, AllenCahnForces)
    whole = square.torus(0.35, 0.12)
    quarter = np.ascontiguousarray(whole[:, :, :16, :16])
    later = square.advance(whole, 0.004, 1e-4, 0, "rk4")
    own = tested.field.advance(quarter, 0.004, 1e-4, 0, "rk4")
    np.testing.assert_allclose(own, later[:, :, :16, :16], atol=1e-12)
    energy = tested.observables(own.reshape(1, -1))
    np.testing.assert_allclose(energy, square.observe(later), rtol=1e-12)
    assert np.abs(energy - tested.field.observe(own)).max() > (QUARTERS - 1) * 0.2 * energy.max()
