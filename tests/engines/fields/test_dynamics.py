"""The driver of fields: steps, observers, files, restarts, refusals."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.rng import kernel_state
from macro_ase.systems.allen_cahn import AllenCahn
from macro_ase.systems.predator_prey import PredatorPrey

SYSTEM = PredatorPrey(12)
START = SYSTEM.wave(0.5, 0.1, 2)


def test_steps_are_those_of_the_system() -> None:
    atoms = SYSTEM.to_atoms(START[0])[::-1]
    FieldDynamics(atoms, SYSTEM, 0.01, rng=3).run(25)
    padded = SYSTEM.pad(START)
    SYSTEM.advance_padded(padded, 25, 0.01, "euler-maruyama", kernel_state(3)[None])
    np.testing.assert_array_equal(SYSTEM.from_atoms(atoms), SYSTEM.unpad(padded)[0])
    assert atoms.info["time"] == pytest.approx(0.25)


def test_observers_log_and_trajectory(tmp_path: Path) -> None:
    atoms, seen = SYSTEM.to_atoms(START[0]), []
    files = {"logfile": str(tmp_path / "log"), "trajectory": tmp_path / "run.xyz"}
    driver = FieldDynamics(atoms, SYSTEM, 0.01, rng=0, loginterval=10, **files)
    driver.attach(lambda: seen.append(driver.nsteps), interval=15)
    driver.run(30)
    assert seen == [0, 15, 30]
    lines = (tmp_path / "log").read_text().splitlines()
    assert "mean u" in lines[0] and len(lines) == 5
    frames = read(tmp_path / "run.xyz", ":")
    assert len(frames) == 4 and frames[-1].info["time"] == pytest.approx(0.3)
    np.testing.assert_allclose(SYSTEM.from_atoms(frames[-1]), driver.fields, atol=1e-7)


def test_a_restart_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = SYSTEM.to_atoms(START[0])
    FieldDynamics(whole, SYSTEM, 0.01, rng=1).run(20)
    first = FieldDynamics(SYSTEM.to_atoms(START[0]), SYSTEM, 0.01, rng=1)
    first.run(7)
    first.write_restart(tmp_path / "r.npz")
    atoms = SYSTEM.to_atoms(START[0])
    second = FieldDynamics(atoms, SYSTEM, 0.01, rng=99)
    second.read_restart(tmp_path / "r.npz")
    second.run(13)
    np.testing.assert_array_equal(SYSTEM.from_atoms(atoms), SYSTEM.from_atoms(whole))
    other = FieldDynamics(atoms, PredatorPrey(12, a=2.0), 0.01)
    with pytest.raises(ValueError, match="was written with system"):
        other.read_restart(tmp_path / "r.npz")


def test_fields_changed_in_between_are_noticed() -> None:
    quiet = PredatorPrey(12, noise=0.0)
    atoms = quiet.to_atoms(START[0])
    driver = FieldDynamics(atoms, quiet, 0.01)
    driver.run(1)
    atoms.arrays["u"][:] = 0.4
    atoms.arrays["v"][:] = 0.6
    driver.run(50)
    np.testing.assert_allclose(atoms.arrays["u"], 0.4, atol=1e-12)


def test_refusals(tmp_path: Path) -> None:
    atoms = SYSTEM.to_atoms(START[0])
    with pytest.raises(ValueError, match="dt must be above 0 and at most"):
        FieldDynamics(atoms, SYSTEM, 5.0)
    with pytest.raises(ValueError, match=r"trajectory must end in \.xyz or \.extxyz"):
        FieldDynamics(atoms, SYSTEM, 0.01, trajectory=tmp_path / "run.traj")


def test_fields_of_whole_numbers_become_real() -> None:
    """Fields of integers were cut to integers after every step."""
    system = AllenCahn(n_side=8, width=0.1)
    whole = system.to_atoms(np.random.default_rng(0).integers(-1, 2, (1, 8, 8)))
    real = whole.copy()
    whole.arrays["v"] = whole.arrays["v"].astype(int)
    for atoms in (whole, real):
        FieldDynamics(atoms, system, 1e-4, scheme="rk4").run(10)
    np.testing.assert_array_equal(whole.arrays["v"], real.arrays["v"])
    assert np.abs(real.arrays["v"] % 1).max() > 0.1
