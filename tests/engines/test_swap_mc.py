"""Swap Monte Carlo as a driver, and against kinetic Monte Carlo on the same energy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.build import build_crystal
from macro_ase.engines import SwapMC, VacancyKMC
from macro_ase.lattice import BCC
from macro_ase.observables.bonds import bond_counts
from macro_ase.observables.short_range_order import delta_from_bonds
from macro_ase.statistics import standard_error, weighted_mean

SIZE = (6, 6, 6)
TEMPERATURES_K = (1500.0, 2000.0, 3000.0)
UNLIKE = ([0, 0, 1], [1, 2, 2])


def delta_by_swaps(temperature_K: float, sweeps: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """First-shell delta of unlike pairs and its error."""
    atoms = build_crystal(size=SIZE, vacancies=1, rng=0)
    swaps = SwapMC(atoms, temperature_K, rng=11)
    neighbours = swaps.crystal.grid.neighbors(BCC.shells(1)[0])
    swaps.run(100 * len(atoms))
    bonds = []
    for _ in range(sweeps):
        swaps.run(len(atoms))
        bonds.append(bond_counts(swaps.occupation, neighbours, 4))
    delta = delta_from_bonds(np.array(bonds), swaps.crystal.counts, 8)[(slice(None), *UNLIKE)]
    return delta.mean(axis=0), standard_error(delta)


def delta_by_hops(
    model: KRABarriers, temperature_K: float, samples: int = 6000
) -> tuple[np.ndarray, np.ndarray]:
    """The same as a time average over hops, from the ordered state that swaps give."""
    atoms = build_crystal(size=SIZE, vacancies=1, rng=0)
    SwapMC(atoms, temperature_K, rng=12).run(100 * len(atoms))
    kmc = VacancyKMC(atoms, model, temperature_K, rng=13)
    kmc.run(50_000)
    bonds, residence = [], []
    for _ in range(samples):
        kmc.run(200)
        bonds.append(kmc.bond_counts.copy())
        residence.append(1 / kmc.rates.sum())
    delta = delta_from_bonds(np.array(bonds), kmc.crystal.counts, 8)[(slice(None), *UNLIKE)]
    return weighted_mean(delta, np.array(residence))


def sigmas(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.abs(one[0] - two[0]) / np.hypot(one[1], two[1])


@pytest.mark.parametrize("temperature_K", TEMPERATURES_K)
def test_hops_and_swaps_give_the_same_order(temperature_K: float) -> None:
    model = KRABarriers.load()
    swaps = delta_by_swaps(temperature_K)
    hops = delta_by_hops(model, temperature_K)
    assert swaps[1].max() < 0.01 and hops[1].max() < 0.02
    assert np.all(sigmas(swaps, hops) < 3), (swaps, hops)
    energy = PairEnergy(model.species, 0 * model.energy.pair_eV, model.energy.subregular_eV)
    without = replace(model, energy=energy)
    wrong = delta_by_hops(without, temperature_K, samples=1000)
    assert np.any(sigmas(swaps, wrong) > 3)


def test_restart_continues_bit_for_bit(tmp_path: Path) -> None:
    whole_atoms, fresh_atoms = (build_crystal(size=(3, 3, 3), rng=0) for _ in range(2))
    whole = SwapMC(whole_atoms, 1000.0, rng=1)
    whole.run(2000)
    whole.write_restart(tmp_path / "state.npz")
    whole.run(3000)
    fresh = SwapMC(fresh_atoms, 1000.0, rng=99)
    fresh.read_restart(tmp_path / "state.npz")
    fresh.run(3000)
    assert fresh_atoms.get_chemical_symbols() == whole_atoms.get_chemical_symbols()
    assert fresh.energy_eV == whole.energy_eV and fresh.accepted == whole.accepted
    kmc = VacancyKMC(
        build_crystal(size=(3, 3, 3), vacancies=1, rng=0), KRABarriers.load(), 1000.0, rng=0
    )
    with pytest.raises(ValueError, match="driver = SwapMC, not VacancyKMC"):
        kmc.read_restart(tmp_path / "state.npz")


def test_log_and_positions() -> None:
    atoms = build_crystal(size=(3, 3, 3), rng=0)
    before = atoms.positions.copy()
    swaps = SwapMC(atoms, 1000.0, rng=0)
    energies: list[float] = []
    swaps.attach(lambda: energies.append(swaps.energy_eV), interval=500)
    swaps.run(5000)
    np.testing.assert_array_equal(atoms.positions, before)
    assert len(energies) == 11 and energies[-1] < energies[0]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="temperature"):
        SwapMC(build_crystal(size=(3, 3, 3), rng=0), 0.0)
    with pytest.raises(ValueError, match="species W"):
        SwapMC(build_crystal("bcc", "NbW", (3, 3, 3), rng=0), 1000.0)
