"""The kinetic Monte Carlo driver: ASE's manners, restart, refusals."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from ase.io.trajectory import Trajectory

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.engines import VacancyKMC
from macro_ase.lattice import BCC, Crystal
from macro_ase.observables.bonds import bond_counts


def alloy(vacancies: int = 2, seed: int = 0) -> Atoms:
    return build_crystal(size=(4, 4, 4), vacancies=vacancies, rng=seed)


def kmc(
    atoms: Atoms, seed: int = 1, temperature_K: float = 1500.0, **options: object
) -> VacancyKMC:
    return VacancyKMC(atoms, KRABarriers.load(), temperature_K, rng=seed, **options)  # type: ignore[arg-type]


def test_observers_come_at_their_intervals_with_the_atoms_up_to_date() -> None:
    atoms = alloy()
    dynamics = kmc(atoms)
    seen: dict[int, list[int]] = {7: [], 20: []}
    for interval, calls in seen.items():
        dynamics.attach(lambda calls=calls: calls.append(dynamics.nsteps), interval=interval)

    def look() -> None:
        crystal = Crystal.from_atoms(atoms, species=dynamics.crystal.species[:-1])
        counts = bond_counts(crystal.occupation, crystal.grid.neighbors(BCC.shells(1)[0]), 4)
        np.testing.assert_array_equal(counts, dynamics.bond_counts)

    dynamics.attach(look, interval=13)
    assert dynamics.run(100) is True
    assert seen == {7: list(range(0, 101, 7)), 20: list(range(0, 101, 20))}
    assert dynamics.nsteps == 100 and dynamics.time > 0
    dynamics.run(5)
    assert seen[7][-1] == 105 and seen[20][-1] == 100


def test_irun_stops_between_observers() -> None:
    dynamics = kmc(alloy())
    dynamics.attach(lambda: None, interval=20)
    dynamics.attach(lambda: None, interval=30)
    steps = [dynamics.nsteps for _ in dynamics.irun(50)]
    assert steps == [10, 20, 30, 40, 50]


def test_the_path_does_not_depend_on_observers() -> None:
    plain, watched = alloy(), alloy()
    first, second = kmc(plain), kmc(watched)
    second.attach(lambda: None, interval=1)
    first.run(300)
    second.run(300)
    np.testing.assert_array_equal(plain.positions, watched.positions)
    assert first.time == second.time


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        dynamics = kmc(alloy(), seed=seed, trajectory=str(tmp_path / name), loginterval=50)
        dynamics.run(200)
    frames = {name: read(tmp_path / name, index=":", format="traj") for name in "abc"}
    for one, two in zip(frames["a"], frames["b"]):
        assert one.positions.tobytes() == two.positions.tobytes()
    assert np.any(frames["a"][-1].positions != frames["c"][-1].positions)


def test_trajectory_keeps_identities_and_unwrapped_positions(tmp_path: Path) -> None:
    atoms = alloy()
    start = atoms.copy()
    dynamics = kmc(atoms, trajectory=str(tmp_path / "hops.traj"), loginterval=1)
    dynamics.run(150)
    frames = Trajectory(tmp_path / "hops.traj")
    assert len(frames) == 151
    assert frames.description["driver"] == "VacancyKMC"
    for before, after in itertools.pairwise(frames):
        assert (after.numbers == start.numbers).all()
        moved = after.positions - before.positions
        hopped = np.flatnonzero(np.abs(moved).max(axis=1) > 1e-9)
        assert len(hopped) == 2 and (after.numbers[hopped] == 0).sum() == 1
        np.testing.assert_allclose(np.abs(moved[hopped]), 1.62)
        np.testing.assert_allclose(moved.sum(axis=0), 0, atol=1e-9)
    vacancies = frames[-1].positions[start.numbers == 0]
    assert np.any((vacancies < -1e-6) | (vacancies > start.cell.lengths() + 1e-6))
    sites = Crystal.from_atoms(frames[-1], species=("Nb", "Mo", "Ta"))
    assert len(sites.vacancies) == 2


def test_log(tmp_path: Path) -> None:
    log = io.StringIO()
    dynamics = kmc(alloy(), logfile=log, loginterval=100)
    dynamics.run(300)
    header, *lines = log.getvalue().splitlines()
    assert header.split() == ["hops", "time/s", "T/K", "vacancies"]
    assert [int(line.split()[0]) for line in lines] == [0, 100, 200, 300]
    assert float(lines[-1].split()[1]) == pytest.approx(dynamics.time)


def test_restart_continues_bit_for_bit(tmp_path: Path) -> None:
    whole_atoms, parts_atoms = alloy(), alloy()
    whole, parts = kmc(whole_atoms), kmc(parts_atoms)
    whole.run(500)
    parts.run(200)
    parts.write_restart(tmp_path / "state")
    fresh_atoms = alloy()
    fresh = kmc(fresh_atoms, seed=77)
    fresh.read_restart(tmp_path / "state")
    assert fresh.nsteps == 200 and fresh.time == parts.time
    np.testing.assert_array_equal(fresh_atoms.positions, parts_atoms.positions)
    fresh.run(300)
    assert fresh.nsteps == 500 and fresh.time == whole.time
    np.testing.assert_array_equal(fresh_atoms.positions, whole_atoms.positions)
    np.testing.assert_array_equal(fresh.bond_counts, whole.bond_counts)
    np.testing.assert_array_equal(fresh.rng_state, whole.rng_state)
    np.testing.assert_array_equal(fresh.rates, whole.rates)


def test_restart_of_something_else_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    kmc(alloy()).write_restart(state)
    with pytest.raises(ValueError, match="temperature_K = 1500"):
        kmc(alloy(), temperature_K=1600.0).read_restart(state)
    larger = build_crystal(size=(4, 4, 5), vacancies=1, rng=0)
    with pytest.raises(ValueError, match="size = "):
        kmc(larger).read_restart(state)
    with pytest.raises(FileNotFoundError):
        kmc(alloy()).read_restart(tmp_path / "gone.npz")


def test_run_until_a_time() -> None:
    atoms = alloy()
    dynamics = kmc(atoms)
    calls: list[float] = []
    dynamics.attach(lambda: calls.append(dynamics.time), interval=1)
    hops = dynamics.run_until(1e-9)
    assert dynamics.time == 1e-9 and hops == dynamics.nsteps > 0
    assert dynamics.run_until(1e-9) == 0
    with pytest.raises(ValueError, match="lies before the present"):
        dynamics.run_until(1e-10)


def test_time_grows_as_the_rates_say() -> None:
    hot, cold = (kmc(alloy(), temperature_K=t) for t in (3000.0, 500.0))
    for dynamics in (hot, cold):
        dynamics.run(500)
    assert cold.time > 1e4 * hot.time
    faster = kmc(alloy(), attempt_rate=1e14)
    usual = kmc(alloy())
    for dynamics in (faster, usual):
        dynamics.run(100)
    assert usual.time == pytest.approx(10 * faster.time)


@pytest.mark.parametrize("temperature_K", [0.0, -1.0, np.inf, np.nan])
def test_impossible_temperatures_are_refused(temperature_K: float) -> None:
    with pytest.raises(ValueError, match="temperature must be above 0 K"):
        kmc(alloy(), temperature_K=temperature_K)


def test_other_refusals(tmp_path: Path) -> None:
    trajectory = tmp_path / "hops.traj"
    with pytest.raises(ValueError, match=r"no vacancy .* --vacancies N"):
        kmc(alloy(vacancies=0), trajectory=str(trajectory))
    with pytest.raises(ValueError, match="species W not among Nb, Mo, Ta"):
        kmc(build_crystal("bcc", "NbW", (3, 3, 3), vacancies=1, rng=0))
    with pytest.raises(ValueError, match="not a"):
        kmc(build_crystal("fcc", "NbMo", (3, 3, 3), vacancies=1, rng=0))
    with pytest.raises(ValueError, match="at least 3 along each axis"):
        kmc(build_crystal(size=(2, 4, 4), vacancies=1, rng=0), trajectory=str(trajectory))
    absent = alloy(vacancies=1)
    del absent[0]
    with pytest.raises(ValueError, match="1 sites are empty: mark vacancies as X"):
        kmc(absent)
    with pytest.raises(ValueError, match="steps must be 0 or more, not -1"):
        kmc(alloy()).run(-1)
    assert not trajectory.exists()


def test_any_composition_runs_and_says_so() -> None:
    atoms = build_crystal("bcc", "Nb0.1Mo0.9", (3, 3, 3), vacancies=1, rng=0)
    with pytest.warns(UserWarning, match="outside what the barriers were fitted to"):
        dynamics = kmc(atoms)
    dynamics.run(10)
    assert dynamics.nsteps == 10
