"""Restart files: whole, and refused by name where an array holds what cannot be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.engines.patches.hybrid import HybridMCMD
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.restart_files import read_restart_file, require_indices, write_restart_file
from macro_ase.engines.spins.calculators import IsingCalculator
from macro_ase.engines.spins.dynamics import Glauber
from macro_ase.engines.spins.lattice import spin_lattice
from macro_ase.engines.swaps.mc import SwapMC
from macro_ase.engines.vacancies.kmc import VacancyKMC
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.systems.allen_cahn import AllenCahn

PATCH = Patch.mask(np.arange(128) < 40)
EAM = TableEAM(path("NbMoTa.eam.alloy"))
FIELD = AllenCahn(n_side=8, width=0.1, noise=0.1)


def alloy(vacancies: int = 0) -> Atoms:
    return build_crystal("bcc", "NbMoTa", size=(4, 4, 4), vacancies=vacancies, rng=1)


def kmc() -> VacancyKMC:
    return VacancyKMC(alloy(2), KRABarriers.load(), 1500.0, rng=1)


def hybrid() -> HybridMCMD:
    atoms = alloy()
    atoms.rattle(0.03, seed=2)
    options = {"ensemble": "langevin", "friction": 0.05 / units.fs, "rng": 1}
    md = PatchMD(atoms, PATCH, EAM, timestep=units.fs, temperature_K=900.0, **options)
    return HybridMCMD(md, PatchMC(atoms, PATCH, EAM, temperature_K=900.0, rng=2), 2, 5)


def glauber() -> Glauber:
    atoms = spin_lattice((6, 6), np.random.default_rng(0).choice([-1, 1], 36))
    atoms.calc = IsingCalculator()
    return Glauber(atoms, 2.0, rng=1, kernel="n-fold")


DRIVERS: dict[str, Callable[[], Any]] = {
    "VacancyKMC": kmc,
    "SwapMC": lambda: SwapMC(alloy(1), temperature_K=900.0, rng=1),
    "PatchMC": lambda: PatchMC(alloy(), PATCH, EAM, temperature_K=900.0, rng=2),
    "HybridMCMD": hybrid,
    "Glauber": glauber,
    "FieldDynamics": lambda: FieldDynamics(
        FIELD.to_atoms(np.random.default_rng(0).normal(size=(1, 8, 8))), FIELD, 1e-4, rng=1
    ),
}


def damages(array: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays that cannot be in place of one that a driver wrote."""
    found = {"an axis more": array[None], "text": np.full(array.shape, "x")}
    if array.ndim and array.size:
        found["empty"] = array[:0]
        found["twice"] = np.concatenate([array, array])
    if array.dtype.kind == "f" and array.size:
        found |= {"nan": np.full_like(array, np.nan), "whole": array.astype(np.int64)}
    elif array.dtype.kind in "iu":
        found["real"] = array.astype(float)
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*steps were not done")
@pytest.mark.parametrize("name", DRIVERS)
def test_every_array_of_another_kind_is_refused(name: str, tmp_path: Path) -> None:
    """And the driver stays as it was."""
    driver, file, bad = DRIVERS[name](), tmp_path / "state.npz", tmp_path / "bad.npz"
    driver.run(3)
    driver.write_restart(file)
    saved = read_restart_file(file)
    state = {**driver._common_state(), **driver._state()}
    assert state.keys() <= saved.keys()
    before = {key: np.array(value) for key, value in state.items()}
    for key in state:
        for kind, array in damages(saved[key]).items():
            if key.endswith(("core", "buffer")) and kind in ("twice", "empty"):
                continue
            write_restart_file(bad, {**saved, key: array})
            with pytest.raises(ValueError, match=r"bad\.npz|restart"):
                driver.read_restart(bad)
    now = {**driver._common_state(), **driver._state()}
    assert all(np.array_equal(now[key], before[key]) for key in before)
    driver.read_restart(file)


@pytest.mark.parametrize(
    ("name", "key", "change", "message"),
    [
        ("VacancyKMC", "numbers", lambda a: a[::-1], "numbers are not those of this crystal"),
        ("VacancyKMC", "displacement", lambda a: a + 10**9, "not start and displacement"),
        ("VacancyKMC", "positions", lambda a: a * 0, "not start and displacement"),
        ("SwapMC", "numbers", lambda a: a * 0 + 74, "numbers are not those of this crystal"),
        ("VacancyKMC", "clock", lambda a: a - 1.0, "clock must be 0 or more"),
        ("VacancyKMC", "rng_state", lambda a: a * 0, "no state of a random generator"),
        ("VacancyKMC", "nsteps", lambda a: a - 10, "nsteps must be a whole number of 0 or more"),
        ("PatchMC", "core", lambda a: a + 128, "core and buffer must be different numbers"),
        ("PatchMC", "core", lambda a: a * 0, "core and buffer must be different numbers"),
        ("HybridMCMD", "mc core", lambda a: a - 128, "core and buffer must be different numbers"),
        ("HybridMCMD", "md nsteps", lambda a: a - 10, "nsteps must be a whole number"),
        ("HybridMCMD", "md rng_state", lambda a: a * 0, "no state of a random generator"),
        ("HybridMCMD", "md generator", lambda a: "{}", "no state of a random generator"),
        ("Glauber", "spins", lambda a: a * 3, "spins must be 1 or -1"),
        ("Glauber", "spins", lambda a: -a, "tally is not that of the spins"),
        ("Glauber", "slots", lambda a: a + 10**8, "slots are not those of the spins"),
        ("Glauber", "time", lambda a: a - 100.0, "time must be 0 or more"),
    ],
)
def test_values_that_cannot_be_are_refused(
    name: str, key: str, change: Callable[[Any], Any], message: str, tmp_path: Path
) -> None:
    """The first of them ended the process."""
    driver, file = DRIVERS[name](), tmp_path / "state.npz"
    driver.run(3)
    driver.write_restart(file)
    saved = read_restart_file(file)
    changed = np.asarray(change(saved[key])).astype(saved[key].dtype)
    write_restart_file(file, {**saved, key: changed})
    with pytest.raises(ValueError, match=rf"state\.npz: .*({message})"):
        driver.read_restart(file)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"hello" * 100])
def test_what_is_no_restart_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz is not a restart file"):
        read_restart_file(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        read_restart_file(tmp_path / "gone.npz")


def test_cut_and_altered_files_are_refused_wherever_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    driver = kmc()
    driver.write_restart(file)
    whole = file.read_bytes()
    for end in range(0, len(whole), len(whole) // 40):
        file.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="restart"):
            driver.read_restart(file)


def test_nothing_in_it_is_executed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([object()]))
    with pytest.raises(ValueError, match=r"a\.npz is not a restart file"):
        read_restart_file(tmp_path / "a.npz")


def test_a_kill_while_writing_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, file = kmc(), tmp_path / "a.npz"
    driver.write_restart(file)
    before = file.read_bytes()
    driver.run(5)

    def killed(stream: Any, **_: Any) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", killed)
    with pytest.raises(KeyboardInterrupt):
        driver.write_restart(file)
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_indices() -> None:
    require_indices("f", "a", np.array([2, 0]), 3)
    for wrong in ([3], [-1], [1, 1]):
        with pytest.raises(ValueError, match="f: a must be different numbers from 0 to 2"):
            require_indices("f", "a", wrong, 3)
