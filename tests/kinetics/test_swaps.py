"""Swap Monte Carlo: exact enumeration, and the energy it keeps."""

import itertools

import numpy as np
import pytest
from ase import units

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import SwapMC
from macro_ase.kinetics.padding import geometry_of, pad, padded_sites, unpad
from macro_ase.kinetics.swaps import site_energy_difference, swap_sweep
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.rng import kernel_state
from macro_ase.testing import arrangements, assert_boltzmann

GRID = SiteGrid(BCC, (3, 3, 3))
TEMPERATURE_K = 1200.0
CANDIDATES = np.array([0, 1, 5, 9, 20, 31])


def crystal(seed: int = 0) -> Crystal:
    """Random, with one vacancy, and one of each species plus two more among the candidates."""
    occupation = np.random.default_rng(seed).integers(0, 3, GRID.n_sites)
    occupation[CANDIDATES] = [0, 1, 1, 2, 2, 3]
    return Crystal.from_sites(GRID, KRABarriers.load().species, occupation, 3.2)


@pytest.mark.slow
def test_swaps_sample_the_exact_distribution() -> None:
    start, energy = crystal(), KRABarriers.load().energy
    padded, geometry = pad(GRID, start.occupation), geometry_of(GRID)
    offsets, pair = energy.kernel_arrays(GRID)
    state, sites = kernel_state(1), padded_sites(GRID, CANDIDATES)
    betas, follow = np.array([1 / (units.kB * TEMPERATURE_K)]), np.zeros(0, dtype=np.int64)

    def sweep(_: object) -> np.ndarray:
        swap_sweep(geometry, padded, sites, offsets, pair, betas, 60, state, follow)
        return unpad(GRID, padded)[CANDIDATES]

    def energy_eV(codes: tuple[int, ...]) -> float:
        occupation = start.occupation.copy()
        occupation[CANDIDATES] = codes
        return energy.energy(start.with_occupation(occupation))

    every = arrangements(start.occupation[CANDIDATES].tolist())
    assert_boltzmann(sweep, every, energy_eV, units.kB * TEMPERATURE_K, n_samples=6400, wrong=1.1)


def test_difference_of_a_site_is_that_of_the_energy() -> None:
    start, shipped = crystal(), KRABarriers.load().energy
    energy = PairEnergy(shipped.species, shipped.pair_eV, np.zeros((3, 3)))
    padded = pad(GRID, start.occupation)
    offsets, pair = energy.kernel_arrays(GRID)
    for site, new in itertools.product(range(0, GRID.n_sites, 5), range(4)):
        changed = start.occupation.copy()
        changed[site] = new
        expected = energy.energy(start.with_occupation(changed)) - energy.energy(start)
        place, old = int(padded_sites(GRID, site)), int(start.occupation[site])
        got = site_energy_difference(padded, place, site % 2, old, new, offsets, pair)
        assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", [(3, 3, 3), (5, 4, 3)])
def test_the_energy_is_kept_up_to_date(size: tuple[int, int, int]) -> None:
    atoms = build_crystal(size=size, vacancies=4, rng=0)
    before = atoms.symbols.formula.count()
    swaps = SwapMC(atoms, 900.0, rng=2)
    swaps.run(60_000)
    assert 0 < swaps.accepted < 60_000
    assert atoms.symbols.formula.count() == before
    after = Crystal.from_atoms(atoms, species=swaps.energy.species)
    np.testing.assert_array_equal(after.occupation, swaps.occupation)
    assert swaps.energy_eV == pytest.approx(swaps.energy.energy(after), abs=1e-8)
