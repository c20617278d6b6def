"""Diffusion by vacancies against exact correlation factors, with errors that cover them."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixAtoms

from macro_ase import (
    ConstantBarriers,
    KRABarriers,
    VacancyFraction,
    VacancyKMC,
    build_crystal,
    diffusion,
)
from macro_ase.analysis.diffusion_table import Diffusion

EXACT = {"bcc": 0.72719, "fcc": 0.78146}
"""Tracer correlation factors of a monovacancy in an infinite crystal."""
JUMP = {"bcc": np.sqrt(3) / 2, "fcc": np.sqrt(1 / 2)}
NEIGHBOURS = {"bcc": 8, "fcc": 12}
CONSTANT_A, BARRIER_EV, TEMPERATURE_K = 3.6, 0.7, 1000.0
RATE_PER_S = 1e13 * np.exp(-BARRIER_EV / (units.kB * TEMPERATURE_K))


def pure(lattice: str, cells: int, vacancies: int = 1) -> Atoms:
    size = (cells, cells, cells)
    return build_crystal(lattice, "Cu", size, vacancies, lattice_constant_A=CONSTANT_A, rng=0)


def measured(lattice: str, cells: int, hops: int, seed: int) -> Diffusion:
    barriers = ConstantBarriers({"Cu": BARRIER_EV}, lattice)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diffusion(pure(lattice, cells), barriers, TEMPERATURE_K, hops, rng=seed).rows[0]


@pytest.mark.slow
@pytest.mark.parametrize(("lattice", "cells"), [("bcc", 16), ("fcc", 12)])
def test_correlation_factors_of_pure_crystals(lattice: str, cells: int) -> None:
    found = measured(lattice, cells, 600_000, seed=1)
    f, error = found.correlation[0], found.correlation_error[0]
    assert error < 0.005
    assert abs(f - EXACT[lattice]) < 2.5 * error
    assert abs(1 - f) > 20 * error, "negative control: hops without correlation"
    assert abs(found.correlation[1] - 1) < 2.5 * found.correlation_error[1]


@pytest.mark.parametrize("lattice", ["bcc", "fcc"])
def test_coefficients_follow_from_rates(lattice: str) -> None:
    found = measured(lattice, 8, 200_000, seed=2)
    nu = NEIGHBOURS[lattice] * RATE_PER_S * np.array([found.vacancy_fraction, 1])
    nu[0] /= 1 - found.vacancy_fraction
    assert found.jumps_per_s == pytest.approx(nu)
    free = (JUMP[lattice] * CONSTANT_A * 1e-10) ** 2 * nu / 6
    D, error = found.coefficient_m2_s, found.coefficient_error
    assert np.all(np.abs(D - free * [EXACT[lattice], 1]) < 3 * error)
    assert np.allclose(found.correlation, D / free)


@pytest.mark.slow
def test_errors_cover_exact_values() -> None:
    """chi^2 of 30 independent short runs; with f = 1 instead, the same test fails."""
    runs = [measured("bcc", 8, 131_072, seed) for seed in range(30)]
    f = np.array([run.correlation for run in runs])
    errors = np.array([run.correlation_error for run in runs])
    chi2 = (((f - [EXACT["bcc"], 1]) / errors) ** 2).sum(axis=0)
    assert np.all((chi2 > 8) & (chi2 < 47))
    assert (((f[:, 0] - 1) / errors[:, 0]) ** 2).sum() > 1000


@pytest.mark.slow
def test_a_random_alloy_hops_by_its_rates() -> None:
    """All states are alike, so that a given neighbour is vacant with probability 1 / (n - 1)."""
    atoms = build_crystal("bcc", "Nb0.5Mo0.5", (8, 8, 8), vacancies=1, rng=0)
    barriers = {"Nb": 0.6, "Mo": 0.8}
    found = diffusion(atoms, ConstantBarriers(barriers), 2000, 1_000_000, rng=0).rows[0]
    rates = 1e13 * np.exp(-np.array(list(barriers.values())) / (units.kB * 2000))
    off = found.jumps_per_s[:2] - 8 * rates / (len(atoms) - 1)
    assert np.all(np.abs(off) < 3 * found.jumps_error[:2])
    assert np.all(found.jumps_error[:2] < 0.01 * found.jumps_per_s[:2])
    assert found.correlation[0] < EXACT["bcc"] - 0.05 < EXACT["bcc"] + 0.05 < found.correlation[1]


@pytest.mark.slow
def test_displacements_are_those_of_the_driver() -> None:
    """The same hops by `VacancyKMC`, whose positions are unwrapped, give the same D."""
    atoms, barriers = pure("bcc", 4, vacancies=2), ConstantBarriers({"Cu": BARRIER_EV})
    found = diffusion(atoms, barriers, TEMPERATURE_K, 131_072, rng=3).rows[0]
    kmc = VacancyKMC(atoms, barriers, TEMPERATURE_K, rng=4)
    places, times = [atoms.positions.copy()], [0.0]
    for _ in range(32):
        kmc.run(8192)
        places.append(atoms.positions.copy())
        times.append(kmc.time)
    squares = (np.diff(places, axis=0) ** 2).sum(axis=2)[:, atoms.numbers != 0].mean(axis=1)
    D = squares / np.diff(times) / 6 * 1e-20
    apart = D.mean() - found.coefficient_m2_s[0]
    assert abs(apart) < 3 * np.hypot(D.std() / np.sqrt(32), found.coefficient_error[0])


@pytest.mark.slow
def test_several_temperatures_give_the_barrier_and_the_laboratory_adds_the_formation_energy(
    tmp_path: Path,
) -> None:
    atoms, barriers = pure("fcc", 4), ConstantBarriers({"Cu": BARRIER_EV}, "fcc")
    copper = VacancyFraction(1.0, 0.01, formation_entropy_kB=1.0)
    T = [800.0, 1000.0, 1300.0]
    own = diffusion(atoms, barriers, T, 65_536, rng=0)
    real = diffusion(atoms, barriers, T, 65_536, copper, rng=0)
    for law in own.arrhenius().values():
        assert abs(law.activation_eV - BARRIER_EV) < 3 * law.activation_error_eV < 0.3
    laws = real.arrhenius()
    assert laws["Cu"].activation_eV - own.arrhenius()["Cu"].activation_eV == pytest.approx(1.0)
    assert laws["X"].activation_eV == pytest.approx(own.arrhenius()["X"].activation_eV)
    scaled, _ = real.coefficients_m2_s
    factor = copper(1000) / own.rows[1].vacancy_fraction
    assert scaled[1, 0] == pytest.approx(own.rows[1].coefficient_m2_s[0] * factor)
    assert real.real is not None
    assert real.real.log_error[1] == pytest.approx(copper.log_error(1000))
    number = diffusion(atoms, barriers, 1000, 65_536, 1e-4, rng=0).real
    called = diffusion(atoms, barriers, 1000, 65_536, lambda T: 1e-7 * T, rng=0).real
    assert number is not None and called is not None
    assert number.value == pytest.approx(called.value)
    real.to_csv(tmp_path / "D.csv")
    lines = (tmp_path / "D.csv").read_text().splitlines()
    assert len(lines) == 7 and lines[0].endswith("real_log_error,real_D_m2_s,real_D_error")


@pytest.mark.slow
def test_memory_that_windows_do_not_hold_is_said() -> None:
    """An ordered alloy: an atom that left its place among others comes back after many hops."""
    atoms = build_crystal(size=(8, 8, 8), vacancies=1, rng=0)
    with pytest.warns(UserWarning, match="at 1600 K D of .*Mo.* still changes when windows of"):
        found = diffusion(atoms, KRABarriers.load(), 1600, 300_000, rng=0).rows[0]
    assert not found.settled[found.species.index("Mo")]


def test_useless_input_is_refused_before_any_work() -> None:
    barriers = ConstantBarriers({"Cu": BARRIER_EV})
    atoms = pure("bcc", 4)
    with pytest.raises(ValueError, match="hops must be 65536 or more, not 1000: 64 windows"):
        diffusion(atoms, barriers, 1000, 1000)
    with pytest.raises(ValueError, match="hops must be 131072 or more"):
        diffusion(pure("bcc", 4, 2), barriers, 1000, 100_000)
    with pytest.raises(ValueError, match="no vacancy"):
        diffusion(pure("bcc", 4, 0), barriers, 1000, 100_000)
    with pytest.raises(ValueError, match="species Cu not among Mo"):
        diffusion(atoms, ConstantBarriers({"Mo": 1.0}), 1000, 100_000)
    with pytest.raises(ValueError, match="no vacancy can hop at 1 K"):
        diffusion(atoms, barriers, [1000, 1], 10**15)
    with pytest.raises(ValueError, match=r"above 0 and below 1, not 2.0 at 1000 K"):
        diffusion(atoms, barriers, 1000, 10**15, lambda T: 2.0)
    with pytest.raises(ValueError, match="at least one temperature"):
        diffusion(atoms, barriers, [], 10**15)
    atoms.set_constraint(FixAtoms([0]))
    with pytest.raises(ValueError, match="atoms are fixed"):
        diffusion(atoms, barriers, 1000, 100_000)
