"""Swap Monte Carlo: exact enumeration, and the energy it keeps."""

import itertools

import numpy as np
import pytest
from ase import units
from scipy import stats

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import SwapMC
from macro_ase.kinetics.padding import geometry_of, pad, padded_sites, unpad
from macro_ase.kinetics.swaps import site_energy_difference, swap_sweep
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.rng import kernel_state

GRID = SiteGrid(BCC, (3, 3, 3))
TEMPERATURE_K = 1200.0
CANDIDATES = np.array([0, 1, 5, 9, 20, 31])


def crystal(seed: int = 0) -> Crystal:
    """Random, with one vacancy, and one of each species plus two more among the candidates."""
    occupation = np.random.default_rng(seed).integers(0, 3, GRID.n_sites)
    occupation[CANDIDATES] = [0, 1, 1, 2, 2, 3]
    return Crystal.from_sites(GRID, KRABarriers.load().species, occupation, 3.2)


def boltzmann(start: Crystal, temperature_K: float) -> dict[tuple[int, ...], float]:
    """Exact probability of every arrangement of the candidates."""
    energy = KRABarriers.load().energy
    arrangements = sorted(set(itertools.permutations(start.occupation[CANDIDATES].tolist())))
    energies = []
    for codes in arrangements:
        occupation = start.occupation.copy()
        occupation[CANDIDATES] = codes
        energies.append(energy.energy(start.with_occupation(occupation)))
    weight = np.exp(-(np.array(energies) - min(energies)) / (units.kB * temperature_K))
    return dict(zip(arrangements, weight / weight.sum()))


def test_swaps_sample_the_exact_distribution() -> None:
    start, samples = crystal(), 12_000
    padded, geometry = pad(GRID, start.occupation), geometry_of(GRID)
    offsets, pair = KRABarriers.load().energy.kernel_arrays(GRID)
    state, sites = kernel_state(1), padded_sites(GRID, CANDIDATES)
    exact = boltzmann(start, TEMPERATURE_K)
    number = {codes: i for i, codes in enumerate(exact)}
    counts = np.zeros(len(number))
    betas, follow = np.array([1 / (units.kB * TEMPERATURE_K)]), np.zeros(0, dtype=np.int64)
    for _ in range(samples):
        swap_sweep(geometry, padded, sites, offsets, pair, betas, 60, state, follow)
        counts[number[tuple(unpad(GRID, padded)[CANDIDATES].tolist())]] += 1

    def agreement(probability: dict[tuple[int, ...], float]) -> float:
        expected = samples * np.array(list(probability.values()))
        often = expected > 8
        observed = np.append(counts[often], counts[~often].sum())
        wanted = np.append(expected[often], expected[~often].sum())
        return float(stats.chisquare(observed, wanted).pvalue)

    assert np.count_nonzero(counts > 8) > 50
    assert agreement(exact) > 1e-3
    assert agreement(boltzmann(start, 1.1 * TEMPERATURE_K)) < 1e-3


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
