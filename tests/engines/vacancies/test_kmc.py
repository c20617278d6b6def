"""The kinetic Monte Carlo driver: ASE's manners, restart, refusals."""

import copy
import io
import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
from ase.build import sort
from ase.constraints import FixAtoms
from ase.io import read
from ase.io.trajectory import Trajectory
from engines.vacancies.hopping import alloy, kmc

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC
from macro_ase.observables.bonds import bond_counts


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


@pytest.mark.slow
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
    with pytest.raises(ValueError, match="written at temperature 1500, not 1600"):
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


@pytest.mark.parametrize("time", [np.nan, np.inf, "soon", None])
def test_run_until_no_time_is_refused(time: object) -> None:
    with pytest.raises(ValueError, match="time must be a finite number"):
        kmc(alloy()).run_until(time)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0, -1.0, np.nan, "fast"])
def test_no_attempt_rate_is_refused(rate: object) -> None:
    with pytest.raises(ValueError, match="attempt_rate must be"):
        kmc(alloy(), attempt_rate=rate)


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
    with pytest.raises(ValueError, match=r"W not among Nb, Mo, Ta; .*: NbMoTaW, NbMoW, NbTaW$"):
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


def test_where_nothing_can_happen_it_is_said() -> None:
    atoms = alloy()
    dynamics = kmc(atoms, temperature_K=10.0)
    with pytest.warns(UserWarning, match="5 of 5 steps were not done: no vacancy can hop at 10 K"):
        dynamics.run(5)
    with pytest.warns(UserWarning, match="no hop until 3 s: no vacancy can hop at 10 K"):
        assert dynamics.run_until(3.0) == 0
    assert dynamics.time == atoms.info["time_s"] == 3.0 and atoms.info["residence_s"] == np.inf
    dynamics.temperature_K = 3000.0
    assert dynamics.run_until(3.0 + 1e-9) > 0
    cold = kmc(alloy(), temperature_K=300.0)
    assert cold.run_until(1e-12) == 0 and cold.time == 1e-12


def test_time_of_frames(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one.traj"), str(tmp_path / "two.traj")
    atoms = alloy()
    dynamics = kmc(atoms, trajectory=one, loginterval=100)
    assert atoms.info["time_s"] == 0 and atoms.info["residence_s"] == 1 / dynamics.rates.sum()
    weights: list[float] = []
    dynamics.attach(lambda: weights.append(1 / dynamics.rates.sum()), interval=100)
    dynamics.run(300)
    frames = read(one, index=":")
    assert [frame.info["residence_s"] for frame in frames] == weights
    assert frames[0].info["time_s"] == 0 and frames[-1].info["time_s"] == dynamics.time
    appended = kmc(read(one), trajectory=one, loginterval=100, append_trajectory=True)
    assert appended.time == dynamics.time
    appended.run(200)
    times = [frame.info["time_s"] for frame in read(one, index=":")]
    assert len(times) == 6 and np.all(np.diff(times) > 0)
    kmc(read(one), trajectory=two, loginterval=100).run(100)
    assert read(two, index=0).info["time_s"] == 0


@pytest.mark.parametrize("built_on", ["initial", "final"])
def test_restart_of_other_frames_of_the_run(built_on: str, tmp_path: Path) -> None:
    atoms = alloy()
    whole, initial = kmc(atoms), atoms.copy()
    whole.run(200)
    whole.write_restart(tmp_path / "state.npz")
    fresh_atoms = initial if built_on == "initial" else atoms.copy()
    fresh = kmc(fresh_atoms, seed=9)
    fresh.read_restart(tmp_path / "state.npz")
    for driver in (whole, fresh):
        driver.run(200)
    np.testing.assert_array_equal(fresh_atoms.positions, atoms.positions)
    assert fresh.time == whole.time


def test_restart_of_other_atoms_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    kmc(alloy()).write_restart(state)
    larger, heavy, fixed = alloy(), alloy(), alloy()
    larger.set_cell(1.01 * larger.cell.array, scale_atoms=True)
    heavy.set_masses(np.arange(len(heavy)) + 1.0)
    fixed.set_constraint(FixAtoms([-1]))
    for atoms, message in (
        (sort(alloy()), "in another order"),
        (larger, "other cell"),
        (heavy, "other masses"),
        (fixed, "other fixed atoms"),
    ):
        with pytest.raises(ValueError, match=message):
            kmc(atoms).read_restart(state)


def test_copies_and_pickles_go_on_as_the_original() -> None:
    atoms = alloy()
    dynamics = kmc(atoms)
    dynamics.run(100)
    twins = [copy.deepcopy(dynamics), pickle.loads(pickle.dumps(dynamics))]
    dynamics.run(200)
    for twin in twins:
        twin.run(200)
        np.testing.assert_array_equal(twin.atoms.positions, atoms.positions)
        assert twin.time == dynamics.time


def test_any_composition_runs_and_says_so() -> None:
    atoms = build_crystal("bcc", "Nb0.1Mo0.9", (3, 3, 3), vacancies=1, rng=0)
    with pytest.warns(UserWarning, match="outside what the barriers were fitted to"):
        dynamics = kmc(atoms)
    dynamics.run(10)
    assert dynamics.nsteps == 10
