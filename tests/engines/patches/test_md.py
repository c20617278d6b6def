"""Molecular dynamics of a patch: its energy, temperature, restart, and what is refused."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.harmonic import SpringCalculator
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from engines.patches.soft_spheres import SoftSpheres
from scipy.stats import chi2, chisquare

from macro_ase.engines.patches.md import Ensemble, PatchMD
from macro_ase.patches import Patch
from macro_ase.potentials.exact_state import ExactState
from macro_ase.statistics import standard_error

ENSEMBLES: tuple[Ensemble, ...] = ("nve", "langevin", "nose-hoover")
TEMPERATURE_K = 300.0


def argon() -> Atoms:
    return bulk("Ar", "fcc", a=5.26, cubic=True) * (5, 5, 5)


def soft_patch(ensemble: Ensemble = "nve", timestep: float = 5.0, **kwargs: Any) -> PatchMD:
    settings = {
        "patch": Patch.sphere(100, 4.0),
        "temperature_K": TEMPERATURE_K,
        "halo_A": SoftSpheres.reach_A,
        "rng": 1,
    }
    return PatchMD(
        kwargs.pop("atoms", None) or argon(),
        timestep=timestep * units.fs,
        ensemble=ensemble,
        calculator=kwargs.pop("calculator", SoftSpheres()),
        **{**settings, **kwargs},
    )


def energy_error(timestep: float, time: float = 800.0) -> float:
    """Largest deviation of the conserved energy along a path, eV."""
    md = soft_patch(timestep=timestep, temperature_K=600.0)
    energies: list[float] = []
    md.attach(lambda: energies.append(md.get_conserved_energy()))
    md.run(round(time / timestep))
    return float(np.std(energies))


@pytest.mark.slow
def test_the_error_of_the_energy_is_of_second_order_in_the_time_step() -> None:
    steps = np.array([2.5, 5.0, 10.0])
    errors = [energy_error(step) for step in steps]
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(2.0, abs=0.15), errors
    assert errors[0] < 1e-3 * 13 * 3 * units.kB * 600


def kinetic(md: PatchMD, samples: int, every: int) -> np.ndarray:
    """2 E_kin / kT along a run, after it has forgotten its start."""
    md.run(50 * every)
    values: list[float] = []
    md.attach(lambda: values.append(md.active.get_kinetic_energy()), interval=every)
    md.run(samples * every)
    return 2 * np.array(values) / (units.kB * TEMPERATURE_K)


def sigmas_off(values: np.ndarray, dof: int) -> float:
    return float(abs(values.mean() - dof) / standard_error(values))


@pytest.mark.slow
def test_langevin_kinetic_energies_follow_the_chi_square_law() -> None:
    md = soft_patch("langevin", friction=0.05 / units.fs)
    dof = 3 * len(md.active)
    values = kinetic(md, 800, every=4)
    assert sigmas_off(values, dof) < 4 and standard_error(values) < 0.02 * dof
    bins = np.floor(10 * chi2.cdf(values[::4], dof)).astype(int)
    assert chisquare(np.bincount(bins, minlength=10)).pvalue > 1e-4
    assert md.active.get_temperature() * dof == pytest.approx(values[-1] * TEMPERATURE_K)
    wrong = soft_patch("langevin", friction=0.05 / units.fs)
    wrong.integrator.c3 *= 1.1
    wrong.integrator.c5 *= 1.1
    values = kinetic(wrong, 300, every=4)
    assert sigmas_off(values, dof) > 4


class Free(ExactState):
    """No forces."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        super().calculate(*args, **kwargs)
        self.results = {"energy": 0.0, "forces": np.zeros((len(self.atoms), 3))}


@pytest.mark.parametrize("per_fs", [None, 0.03])
def test_the_friction_is_a_hundredth_per_fs_or_what_is_asked(per_fs: float | None) -> None:
    """Without forces and in a cold bath momenta fall as exp(-friction t)."""
    given = {} if per_fs is None else {"friction": per_fs / units.fs}
    atoms = argon()
    MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE_K, rng=np.random.default_rng(3))
    md = soft_patch("langevin", 2.0, calculator=Free(), atoms=atoms, temperature_K=1e-6, **given)
    start = md.active.get_momenta()
    for _ in range(2):
        md.run(25)
    left = (md.active.get_momenta() * start).sum() / (start**2).sum()
    assert left == pytest.approx(np.exp(-(per_fs or 0.01) * 100), rel=0.01)


@pytest.mark.slow
def test_nose_hoover_holds_temperature_and_its_conserved_energy() -> None:
    md = soft_patch("nose-hoover", tdamp=100 * units.fs)
    dof, energies = 3 * len(md.active), []
    md.attach(lambda: energies.append(md.get_conserved_energy()), interval=50)
    values = kinetic(md, 700, every=4)
    assert sigmas_off(values, dof) < 4 and standard_error(values) < 0.02 * dof
    assert np.ptp(energies) < 2e-3 * dof * units.kB * TEMPERATURE_K
    wrong = soft_patch("nose-hoover", tdamp=100 * units.fs, temperature_K=1.15 * TEMPERATURE_K)
    assert sigmas_off(kinetic(wrong, 400, every=4), dof) > 4


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_what_is_frozen_stays_bit_for_bit(ensemble: Ensemble) -> None:
    atoms = argon()
    atoms.set_constraint(FixAtoms([100]))
    atoms.numbers[atoms.get_distances(100, range(500), mic=True).argsort()[1]] = 0
    before = atoms.copy()
    md = soft_patch(ensemble, atoms=atoms)
    md.run(50)
    still = np.delete(np.arange(len(atoms)), md.region.active)
    assert 100 in still and len(md.active) == 11
    np.testing.assert_array_equal(atoms.positions[still], before.positions[still])
    assert not atoms.get_momenta()[still].any()
    assert np.all(np.abs(atoms.positions - before.positions)[md.region.active].max(axis=1) > 0)


def test_what_a_step_handles_does_not_grow_with_the_system() -> None:
    cuts = []
    for cells in (5, 8):
        atoms = bulk("Ar", "fcc", a=5.26, cubic=True) * (cells, cells, cells)
        middle = Patch.sphere(3 * (2.5 * 5.26,), 4.0)
        cuts.append(soft_patch(atoms=atoms, patch=middle).surroundings.cut.atoms)
    assert len(cuts[0]) == len(cuts[1]) < 200
    assert (
        cuts[0].get_volume() == pytest.approx(cuts[1].get_volume()) and cuts[0].get_volume() < 2e4
    )


def test_momenta_are_drawn_only_where_there_are_none() -> None:
    drawn = soft_patch(temperature_K=TEMPERATURE_K, patch=Patch.sphere(100, 9.0))
    temperature = drawn.active.get_temperature()
    spread = TEMPERATURE_K * np.sqrt(2 / (3 * len(drawn.active)))
    assert abs(temperature - TEMPERATURE_K) < 4 * spread
    assert np.abs(drawn.active.get_momenta().sum(axis=0)).min() > 0
    atoms = drawn.atoms.copy()
    np.testing.assert_array_equal(
        soft_patch(atoms=atoms).active.get_momenta(),
        atoms.get_momenta()[soft_patch(atoms=atoms).region.active],
    )


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_a_restart_goes_on_bit_for_bit(ensemble: Ensemble, tmp_path: Path) -> None:
    whole = soft_patch(ensemble, skin_A=0.1)
    whole.run(40)
    whole.write_restart(tmp_path / "state.npz")
    whole.run(60)
    fresh = soft_patch(ensemble, skin_A=0.1, rng=99)
    fresh.read_restart(tmp_path / "state.npz")
    fresh.run(60)
    assert fresh.nsteps == 100 and whole.surroundings.cuts > 2
    np.testing.assert_array_equal(fresh.atoms.positions, whole.atoms.positions)
    np.testing.assert_array_equal(fresh.atoms.get_momenta(), whole.atoms.get_momenta())
    assert fresh.get_conserved_energy() == whole.get_conserved_energy()


def test_restarts_of_other_runs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    soft_patch("langevin").write_restart(path)
    with pytest.raises(ValueError, match="ensemble = langevin, not nve"):
        soft_patch("nve").read_restart(path)
    with pytest.raises(ValueError, match="patch"):
        soft_patch("langevin", patch=Patch.sphere(101, 4.0)).read_restart(path)
    path.write_text("nothing")
    with pytest.raises(ValueError, match="not a restart file"):
        soft_patch("langevin").read_restart(path)


def test_one_seed_gives_one_path_and_another_gives_another() -> None:
    one, same, other = (soft_patch("langevin", rng=seed) for seed in (0, 0, 1))
    for md in (one, same, other):
        md.run(30)
    np.testing.assert_array_equal(one.atoms.positions, same.atoms.positions)
    assert np.abs(one.atoms.positions - other.atoms.positions).max() > 0.01


def test_the_log_and_the_trajectory(tmp_path: Path) -> None:
    md = soft_patch(
        "nose-hoover",
        logfile=tmp_path / "md.log",
        trajectory=tmp_path / "md.traj",
        loginterval=10,
    )
    seen: list[float] = []
    md.attach(lambda: seen.append(md.atoms.positions[md.region.active[0], 0]), interval=10)
    assert md.run(30) and list(md.irun(2)) == [False]
    frames = read(tmp_path / "md.traj", ":")
    assert [frame.positions[md.region.active[0], 0] for frame in frames] == seen
    assert len(frames) == 4 and len(frames[0]) == 500
    lines = (tmp_path / "md.log").read_text().splitlines()
    assert len(lines) == 5 and "conserved/eV" in lines[0] and "0.1500" in lines[4]
    assert md.todict()["md-type"] == "PatchMD" and md.get_time() == pytest.approx(160 * units.fs)


def test_all_atoms_need_no_halo() -> None:
    """An atom on a spring, whose calculator cannot tell how far it reaches."""
    atoms, k = Atoms("Ar", positions=[[0.3, 0, 0]]), 2.0
    period = 2 * np.pi * np.sqrt(atoms.get_masses()[0] / k)
    md = PatchMD(atoms, None, SpringCalculator(np.zeros((1, 3)), k), timestep=period / 300)
    md.run(100)
    assert atoms.positions[0, 0] == pytest.approx(0.3 * np.cos(2 * np.pi / 3), abs=1e-4)


def bound() -> Atoms:
    atoms = argon()
    atoms.set_constraint(FixBondLength(0, 1))
    return atoms


def still() -> Atoms:
    atoms = argon()
    atoms.set_constraint(FixAtoms(range(500)))
    return atoms


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: soft_patch(calculator=None), "no calculator"),
        (lambda: soft_patch("langevin", temperature_K=None), "langevin needs temperature_K"),
        (lambda: soft_patch("nose-hoover", temperature_K=None), "needs temperature_K"),
        (lambda: soft_patch(temperature_K=-1.0), "temperature must be above 0"),
        (lambda: soft_patch(timestep=-1.0), "timestep must be above 0"),
        (lambda: soft_patch(timestep=float("nan")), "timestep must be above 0"),
        (lambda: soft_patch("langevin", friction=0.0), "friction must be above 0"),
        (lambda: soft_patch("npt"), "ensemble must be one of"),  # type: ignore[arg-type]
        (lambda: soft_patch(patch=Patch.sphere(0, 14.0)), "swallows the cell"),
        (lambda: soft_patch(halo_A=-1.0), "halo_A must be above 0"),
        (lambda: soft_patch(halo_A=None, calculator=Free()), "give halo_A"),
        (lambda: soft_patch(skin_A=0.0), "skin_A must be above 0"),
        (lambda: soft_patch(atoms=bound()), "only FixAtoms"),
        (lambda: soft_patch(atoms=still()), "no atom of the patch can move"),
        (lambda: soft_patch(rng=-1), "seed must be a whole number, 0 or larger"),
        (lambda: soft_patch().run(-1), "steps must be 0 or more"),
    ],
)
def test_bad_input_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
