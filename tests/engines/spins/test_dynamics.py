"""Drivers of spin lattices: ASE's manners, time, restarts, refusals."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from macro_ase.analysis.exact_ising import density_of_states
from macro_ase.engines.spins.calculators import CurieWeissCalculator, IsingCalculator
from macro_ase.engines.spins.dynamics import Glauber, Metropolis, SpinDynamics, Wolff
from macro_ase.engines.spins.lattice import random_spins, spin_lattice, spins_of

TEMPERATURE = 2.5
DRIVERS: list[tuple[type[SpinDynamics], dict[str, Any]]] = [
    (Glauber, {"kernel": "heat-bath"}),
    (Glauber, {"kernel": "n-fold", "timestep": 0.3}),
    (Metropolis, {}),
    (Wolff, {}),
]
IDS = ["heat-bath", "n-fold", "Metropolis", "Wolff"]


def square(field: float = 0.0) -> Atoms:
    atoms = spin_lattice((6, 7), random_spins(42, 0.2, 0))
    atoms.calc = IsingCalculator(field=field)
    return atoms


@pytest.mark.parametrize(("driver", "options"), DRIVERS, ids=IDS)
def test_atoms_are_up_to_date_whenever_one_looks(
    driver: type[SpinDynamics], options: dict[str, Any]
) -> None:
    atoms = square()
    dynamics = driver(atoms, TEMPERATURE, rng=1, **options)
    seen: list[int] = []

    def look() -> None:
        seen.append(dynamics.nsteps)
        assert dynamics.energy == pytest.approx(atoms.get_potential_energy())
        assert dynamics.magnetisation == pytest.approx(spins_of(atoms).mean())

    dynamics.attach(look, interval=7)
    assert dynamics.run(100) is True
    assert seen == list(range(0, 101, 7))


@pytest.mark.parametrize(("driver", "options"), DRIVERS, ids=IDS)
def test_the_path_does_not_depend_on_observers_or_stops(
    driver: type[SpinDynamics], options: dict[str, Any]
) -> None:
    plain, watched = square(), square()
    one = driver(plain, TEMPERATURE, rng=0, **options)
    two = driver(watched, TEMPERATURE, rng=0, **options)
    two.attach(lambda: None, interval=3)
    one.run(100)
    two.run(41)
    two.run(59)
    np.testing.assert_array_equal(spins_of(plain), spins_of(watched))
    np.testing.assert_array_equal(one.ensemble.rng_state, two.ensemble.rng_state)
    assert one.ensemble.time[0] == two.ensemble.time[0]


@pytest.mark.parametrize(("driver", "options"), DRIVERS, ids=IDS)
def test_restart_equals_the_uninterrupted_run(
    driver: type[SpinDynamics], options: dict[str, Any], tmp_path: Path
) -> None:
    whole_atoms, fresh_atoms = square(), square()
    fresh_atoms.set_initial_magnetic_moments(np.ones(42))
    whole = driver(whole_atoms, TEMPERATURE, rng=1, **options)
    whole.run(20)
    whole.write_restart(tmp_path / "state.npz")
    whole.run(30)
    fresh = driver(fresh_atoms, TEMPERATURE, rng=99, **options)
    fresh.read_restart(tmp_path / "state.npz")
    fresh.run(30)
    np.testing.assert_array_equal(spins_of(fresh_atoms), spins_of(whole_atoms))
    assert fresh_atoms.info == whole_atoms.info
    for name, array in whole.ensemble.state().items():
        np.testing.assert_array_equal(fresh.ensemble.state()[name], array)


def test_restart_refuses_another_set_up(tmp_path: Path) -> None:
    Glauber(square(), TEMPERATURE, rng=0).write_restart(tmp_path / "state.npz")
    others = (
        (Glauber(square(), 2.0), "temperature 2.5, not 2"),
        (Glauber(square(field=0.1), TEMPERATURE), "field = 0.0, not 0.1"),
        (Glauber(square(), TEMPERATURE, kernel="n-fold"), "kernel = heat-bath, not n-fold"),
        (Glauber(square(), TEMPERATURE, timestep=2.0), "timestep = 1.0, not 2.0"),
        (Metropolis(square(), TEMPERATURE), "driver = Glauber, not Metropolis"),
    )
    for other, message in others:
        with pytest.raises(ValueError, match=message):
            other.read_restart(tmp_path / "state.npz")


def test_time_and_spins_survive_extended_xyz(tmp_path: Path) -> None:
    atoms, frames = square(0.1), []
    dynamics = Glauber(atoms, TEMPERATURE, rng=2, timestep=0.25)
    dynamics.attach(lambda: frames.append(atoms.copy()), interval=10)
    dynamics.attach(lambda: atoms.write(tmp_path / "a.xyz", append=True), interval=10)
    dynamics.run(40)
    again = read(tmp_path / "a.xyz", index=":")
    assert [frame.info["time"] for frame in again] == [0.0, 2.5, 5.0, 7.5, 10.0]
    for one, two in zip(again, frames):
        np.testing.assert_array_equal(spins_of(one), spins_of(two))


def test_trajectory_and_log(tmp_path: Path) -> None:
    atoms, log = square(0.1), io.StringIO()
    path = str(tmp_path / "run.traj")
    Glauber(atoms, TEMPERATURE, 0, log, path, loginterval=5).run(20)
    lines = log.getvalue().splitlines()
    assert len(lines) == 6 and lines[0].split() == ["step", "m", "energy/spin", "time"]
    assert [float(line.split()[3]) for line in lines[1:]] == [0, 5, 10, 15, 20]
    frames = read(path, index=":")
    assert [frame.info["time"] for frame in frames] == [0, 5, 10, 15, 20]
    np.testing.assert_array_equal(spins_of(frames[-1]), spins_of(atoms))
    Glauber(atoms, TEMPERATURE, 1, None, path, 5, append_trajectory=True).run(5)
    assert len(read(path, index=":")) == 6


def test_what_is_read_after_an_edit_is_of_the_atoms_as_they_are() -> None:
    atoms = square()
    dynamics = Glauber(atoms, 0.1, rng=0)
    atoms.set_initial_magnetic_moments(-np.ones(42))
    assert dynamics.magnetisation == -1 and dynamics.energy == -84


def test_spins_changed_between_runs_are_noticed() -> None:
    atoms = square()
    dynamics = Glauber(atoms, 0.1, rng=0)
    dynamics.run(5)
    atoms.set_initial_magnetic_moments(-np.ones(42))
    dynamics.run(5)
    assert dynamics.magnetisation == -1 and atoms.get_potential_energy() == -84


@pytest.mark.slow
def test_drivers_sample_the_exact_mean() -> None:
    """Through the whole stack, on shuffled atoms."""
    order = np.random.default_rng(0).permutation(16)
    atoms = spin_lattice((4, 4))[order]
    atoms.calc = IsingCalculator(field=0.2)
    dynamics = Glauber(atoms, 3.0, rng=3, timestep=20.0)
    m: list[float] = []
    dynamics.attach(lambda: m.append(dynamics.magnetisation))
    dynamics.run(4000)
    exact = density_of_states((4, 4)).thermodynamics(3.0, 1.0, 0.2).magnetisation
    assert abs(np.mean(m) - exact) < 4 * np.std(m) / np.sqrt(len(m))


def test_curie_weiss_driver() -> None:
    atoms = spin_lattice((16, 16), random_spins(256, -0.5, 0))
    atoms.calc = CurieWeissCalculator(field=0.1)
    dynamics = Glauber(atoms, 1.1, rng=0)
    dynamics.run(100)
    assert dynamics.energy == pytest.approx(atoms.get_potential_energy())
    assert 0.2 < dynamics.magnetisation < 0.8


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"atoms\.calc must be"):
        Glauber(spin_lattice((4, 4)), 2.0)
    with pytest.raises(ValueError, match="temperature"):
        Glauber(square(), -1.0)
    with pytest.raises(ValueError, match="timestep"):
        Glauber(square(), 2.0, timestep=0.0)
    with pytest.raises(ValueError, match="field 0"):
        Wolff(square(field=0.1), 2.0)
    with pytest.raises(ValueError, match="steps must be 0 or more"):
        Glauber(square(), 2.0).run(-1)
    magnet = spin_lattice((4, 4))
    magnet.calc = CurieWeissCalculator()
    for driver in (Metropolis, Wolff):
        with pytest.raises(ValueError, match="Ising model"):
            driver(magnet, 2.0)
