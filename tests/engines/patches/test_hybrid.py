"""Swaps between blocks of dynamics leave the canonical law of positions and momenta as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from engines.patches.soft_spheres import SoftSpheres

from macro_ase.engines.patches import mc
from macro_ase.engines.patches.hybrid import HybridMCMD
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.swaps.moves import Displacement, Swap, VacancySwap
from macro_ase.patches import Patch
from macro_ase.statistics import standard_error

TEMPERATURE_K = 300.0
PATCH = Patch.sphere(32, 4.0)
SWAP = Swap()
UNLIKE_EV = 0.25


def mixture(vacancies: int = 0) -> Atoms:
    atoms = bulk("Ne", "fcc", a=5.26, cubic=True) * (5, 5, 5)
    rng = np.random.default_rng(0)
    atoms.numbers[rng.permutation(len(atoms))[: len(atoms) // 2]] = 54
    atoms.numbers[PATCH.select(atoms).active[:vacancies]] = 0
    return atoms


def drivers(
    atoms: Atoms, unlike_eV: float = 0.0, ensemble: Any = "nve", moves: Any = SWAP, **kwargs: Any
) -> tuple[PatchMD, PatchMC]:
    settings = {"temperature_K": TEMPERATURE_K, **kwargs}
    md = PatchMD(
        atoms,
        PATCH,
        timestep=4 * units.fs,
        ensemble=ensemble,
        calculator=SoftSpheres(unlike_eV),
        friction=0.02 / units.fs,
        rng=1,
        **settings,
    )
    mc = PatchMC(atoms, PATCH, SoftSpheres(unlike_eV), moves=moves, rng=2, **settings)
    return md, mc


def kinetic_by_species(blocks: int) -> tuple[HybridMCMD, np.ndarray, np.ndarray]:
    """Total energies by block, and mean kinetic energies of Ne and Xe over kT."""
    md, mc = drivers(mixture())
    run, energies, kinetic = HybridMCMD(md, mc, md_steps=10, mc_attempts=5), [], []

    def look() -> None:
        energies.append(md.get_conserved_energy())
        each = (md.active.get_momenta() ** 2).sum(axis=1) / (2 * md.active.get_masses())
        kinetic.append([each[md.active.numbers == z].mean() for z in (10, 54)])

    run.attach(look)
    run.run(blocks)
    return run, np.array(energies), np.array(kinetic)


@pytest.mark.slow
def test_swaps_of_equal_energy_keep_the_energy_and_equipartition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, energies, kinetic = kinetic_by_species(200)
    assert run.mc.tally[0, 1].sum() > 250 and run.md.nsteps == 2000
    scale = kinetic.mean()
    assert np.ptp(energies) < 0.05 * scale
    difference = kinetic[:, 0] - kinetic[:, 1]
    error = standard_error(difference)
    assert abs(difference.mean()) < 4 * error and error < 0.1 * scale
    monkeypatch.setattr(mc, "exchange", lambda *_: None)
    monkeypatch.setattr(
        mc, "turn_into", lambda atoms, rows, z, *_: atoms.numbers.__setitem__(rows, z)
    )
    _, wrong, _ = kinetic_by_species(10)
    assert np.ptp(wrong) > scale


def by_hybrid(blocks: int, mc_temperature_K: float = TEMPERATURE_K) -> tuple[float, float]:
    """Mean potential energy of the patch and its error, eV."""
    md, mc = drivers(mixture(), UNLIKE_EV, "langevin")
    run, energies = HybridMCMD(md, mc, md_steps=20, mc_attempts=10), []
    mc.temperature_K = mc_temperature_K
    if mc_temperature_K != TEMPERATURE_K:
        run._warm = lambda block: None  # type: ignore[method-assign]
    run.run(20)
    run.attach(lambda: energies.append(md.active.get_potential_energy()))
    run.run(blocks)
    return float(np.mean(energies)), float(standard_error(energies))


def by_displacements(sweeps: int) -> tuple[float, float]:
    """The same by Monte Carlo alone."""
    atoms = mixture()
    md, mc = drivers(atoms, UNLIKE_EV, moves=[Swap(1.0), Displacement(3.0, 0.25)])
    start, energies = md.active.get_potential_energy(), []
    mc.run(1000)
    mc.attach(lambda: energies.append(start + mc.energy_change_eV), interval=20)
    mc.run(20 * sweeps)
    return float(np.mean(energies)), float(standard_error(energies))


@pytest.mark.slow
def test_hybrid_and_pure_monte_carlo_agree() -> None:
    (one, one_error), (two, two_error) = by_hybrid(150), by_displacements(500)
    error = np.hypot(one_error, two_error)
    assert abs(one - two) < 4 * error and error < 0.04
    hot, hot_error = by_hybrid(80, mc_temperature_K=100 * TEMPERATURE_K)
    assert abs(hot - two) > 4 * np.hypot(hot_error, two_error)


def test_vacancies_travel_and_are_kept() -> None:
    atoms = mixture(vacancies=2)
    before = atoms.copy()
    md, mc = drivers(atoms, ensemble="langevin", moves=VacancySwap())
    run = HybridMCMD(md, mc, md_steps=3, mc_attempts=3)
    run.run(10)
    vacant = np.flatnonzero(atoms.numbers == 0)
    assert md.surroundings.cuts == 1, "what costs O(n) is not done block by block"
    assert len(vacant) == 2 and set(vacant) != set(np.flatnonzero(before.numbers == 0))
    assert not atoms.get_momenta()[vacant].any() and len(md.active) == len(mc.region.active) - 2
    np.testing.assert_array_equal(np.sort(atoms.numbers), np.sort(before.numbers))
    frozen = np.delete(np.arange(len(atoms)), mc.region.active)
    np.testing.assert_array_equal(atoms.positions[frozen], before.positions[frozen])


def test_all_atoms_of_a_cluster() -> None:
    atoms = mixture()[:60]
    atoms.pbc = False
    atoms.calc = SoftSpheres()
    md = PatchMD(atoms, timestep=4 * units.fs, temperature_K=TEMPERATURE_K, rng=1)
    run = HybridMCMD(md, PatchMC(atoms, temperature_K=TEMPERATURE_K, rng=2), 5, 5)
    before = md.get_conserved_energy()
    run.run(4)
    assert len(md.active) == 60 and run.mc.tally[0, 1].sum() > 5
    assert md.get_conserved_energy() == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("ensemble", ["nve", "langevin", "nose-hoover"])
def test_a_restart_goes_on_bit_for_bit(ensemble: str, tmp_path: Path) -> None:
    whole, fresh = (
        HybridMCMD(*drivers(mixture(1), 0.1, ensemble, [Swap(), VacancySwap()]), 5, 5)
        for _ in range(2)
    )
    whole.run(4)
    whole.write_restart(tmp_path / "state.npz")
    whole.run(4)
    fresh.run(1)
    fresh.read_restart(tmp_path / "state.npz")
    fresh.run(4)
    assert fresh.nsteps == 8 and fresh.md.nsteps == fresh.mc.nsteps == 40
    np.testing.assert_array_equal(fresh.atoms.numbers, whole.atoms.numbers)
    np.testing.assert_array_equal(fresh.atoms.positions, whole.atoms.positions)
    np.testing.assert_array_equal(fresh.atoms.get_momenta(), whole.atoms.get_momenta())


def test_the_log_and_observers(tmp_path: Path) -> None:
    md, mc = drivers(mixture())
    run = HybridMCMD(md, mc, 4, 4, logfile=tmp_path / "log", trajectory=tmp_path / "run.traj")
    blocks: list[int] = []
    run.attach(lambda: blocks.append(md.nsteps), interval=2)
    run.run(4)
    assert blocks == [0, 8, 16]
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 6 and "conserved/eV" in lines[0] and "accepted" in lines[0]


def test_what_does_not_fit_is_refused() -> None:
    atoms = mixture()
    md, mc = drivers(atoms)
    with pytest.raises(ValueError, match="same atoms"):
        HybridMCMD(md, drivers(mixture())[1])
    wide = PatchMC(atoms, Patch.sphere(32, 6.0), SoftSpheres(), temperature_K=TEMPERATURE_K, rng=0)
    with pytest.raises(ValueError, match="lie outside that of md"):
        HybridMCMD(md, wide)
    hot = drivers(atoms, temperature_K=400.0, ensemble="langevin")[0]
    with pytest.raises(ValueError, match="md is at 400 K, mc at 300 K"):
        HybridMCMD(hot, mc)
    with pytest.raises(ValueError, match="md_steps must be 1 or more, not 0"):
        HybridMCMD(md, mc, md_steps=0)
