"""Swap Monte Carlo as a driver, and against kinetic Monte Carlo on the same energy."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.build import sort
from ase.constraints import FixAtoms

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import Ramp, SwapMC, VacancyKMC
from macro_ase.lattice import BCC
from macro_ase.observables.bonds import bond_counts
from macro_ase.observables.short_range_order import delta_from_bonds
from macro_ase.statistics import standard_error, weighted_mean
from macro_ase.testing import arrangements, assert_boltzmann

SIZE = (6, 6, 6)
SAMPLES = {1500.0: 2000, 3000.0: 600}
"""By temperature (K): cold alloys forget their order slowly."""
UNLIKE = ([0, 0, 1], [1, 2, 2])


def delta_by_swaps(temperature_K: float, sweeps: int = 1000) -> tuple[np.ndarray, np.ndarray]:
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
    model: KRABarriers, temperature_K: float, samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same as a time average over hops, from the ordered state that swaps give."""
    atoms = build_crystal(size=SIZE, vacancies=1, rng=0)
    SwapMC(atoms, temperature_K, rng=12).run(100 * len(atoms))
    kmc = VacancyKMC(atoms, model, temperature_K, rng=13)
    kmc.run(50_000)
    bonds, residence = [], []
    for _ in range(samples):
        kmc.run(800)
        bonds.append(kmc.bond_counts.copy())
        residence.append(1 / kmc.rates.sum())
    delta = delta_from_bonds(np.array(bonds), kmc.crystal.counts, 8)[(slice(None), *UNLIKE)]
    return weighted_mean(delta, np.array(residence))


def sigmas(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.abs(one[0] - two[0]) / np.hypot(one[1], two[1])


@pytest.mark.slow
@pytest.mark.parametrize("temperature_K", SAMPLES)
def test_hops_and_swaps_give_the_same_order(temperature_K: float) -> None:
    model = KRABarriers.load()
    swaps = delta_by_swaps(temperature_K)
    hops = delta_by_hops(model, temperature_K, SAMPLES[temperature_K])
    assert swaps[1].max() < 0.01 and hops[1].max() < 0.02
    assert np.all(sigmas(swaps, hops) < 3), (swaps, hops)
    energy = PairEnergy(model.species, 0 * model.energy.pair_eV, model.energy.subregular_eV)
    without = replace(model, energy=energy)
    wrong = delta_by_hops(without, temperature_K, samples=150)
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


def test_what_belongs_to_an_atom_moves_with_it() -> None:
    """Every array but positions, to the very atom; like atoms stay."""
    atoms = build_crystal(size=(3, 3, 3), vacancies=2, rng=0)
    n, rng = len(atoms), np.random.default_rng(0)
    atoms.set_tags(np.arange(n))
    atoms.set_masses(1.0 + np.arange(n))
    atoms.set_momenta(rng.normal(size=(n, 3)))
    atoms.set_initial_charges(rng.normal(size=n))
    atoms.set_initial_magnetic_moments(rng.normal(size=n))
    atoms.set_array("grain", rng.normal(size=(n, 2, 2)))
    before = atoms.copy()
    swaps = SwapMC(atoms, 3000.0, rng=1)
    swaps.run(300)
    swaps.run(300)
    order = atoms.get_tags()
    assert swaps.accepted > 100 and np.array_equal(np.sort(order), np.arange(n))
    assert np.count_nonzero(order != np.arange(n)) > n / 2
    for name, array in before.arrays.items():
        expected = array if name == "positions" else array[order]
        np.testing.assert_array_equal(atoms.arrays[name], expected, err_msg=name)


def test_a_ramp_is_one_temperature_an_attempt() -> None:
    ramp, size = Ramp(5000.0, 300.0, 400), (3, 3, 3)
    first, second = (build_crystal(size=size, rng=0) for _ in range(2))
    annealed, single = SwapMC(first, ramp, rng=1), SwapMC(second, 5000.0, rng=1)
    annealed.run(500)
    for attempt in range(500):
        single.temperature_K = ramp(attempt)
        single.run(1)
    assert annealed.accepted == single.accepted
    np.testing.assert_array_equal(first.numbers, second.numbers)
    constant = SwapMC(build_crystal(size=size, rng=0), 5000.0, rng=1)
    constant.run(500)
    assert constant.accepted > 1.2 * annealed.accepted


def test_edits_are_taken_up() -> None:
    atoms = build_crystal(size=(3, 3, 3), rng=0)
    swaps = SwapMC(atoms, 1000.0, rng=1)
    swaps.run(500)
    atoms.symbols[:20] = "Ta"
    atoms.positions += [2.0, 0.1, -5.0]

    def actual() -> float:
        return swaps.energy.energy(Crystal.from_atoms(atoms, species=swaps.energy.species))

    assert swaps.energy_eV == pytest.approx(actual(), abs=1e-9)
    counts = atoms.symbols.formula.count()
    swaps.run(500)
    assert atoms.symbols.formula.count() == counts
    assert swaps.energy_eV == pytest.approx(actual(), abs=1e-9)
    atoms.symbols[0] = "W"
    with pytest.raises(ValueError, match="species of the atoms changed: species W"):
        swaps.run(1)


@pytest.mark.slow
def test_fixed_atoms_are_not_swapped_and_the_others_follow_boltzmann() -> None:
    start, free = build_crystal(size=(3, 3, 3), rng=0), [3, 4, 20, 21]
    start.symbols[free] = ["Nb", "Mo", "Mo", "Ta"]
    mask = np.ones(len(start), dtype=bool)
    mask[free] = False
    atoms = start.copy()
    atoms.set_constraint(FixAtoms(mask=mask))
    swaps, frame = SwapMC(atoms, 600.0, rng=1), start.copy()

    def move(_: object) -> tuple[str, ...]:
        swaps.run(20)
        return tuple(atoms.symbols[free])

    def energy_eV(symbols: tuple[str, ...]) -> float:
        frame.symbols[free] = list(symbols)
        return swaps.energy.energy(Crystal.from_atoms(frame, swaps.energy.species))

    every = arrangements(["Nb", "Mo", "Mo", "Ta"])
    assert_boltzmann(move, every, energy_eV, units.kB * 600.0, n_samples=3200, wrong=1.5)
    assert np.array_equal(atoms.numbers[mask], start.numbers[mask])
    atoms.set_constraint(FixAtoms(range(len(atoms))))
    with pytest.warns(UserWarning, match="5 of 5 steps were not done: all atoms are fixed"):
        swaps.run(5)


def test_restart_of_other_atoms_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    atoms = build_crystal(size=(3, 3, 3), vacancies=1, rng=0)
    swaps = SwapMC(atoms, 1000.0, rng=1)
    swaps.run(500)
    swaps.write_restart(state)
    again = SwapMC(atoms.copy(), 1000.0, rng=7)
    again.read_restart(state)
    for driver in (swaps, again):
        driver.run(500)
    np.testing.assert_array_equal(again.atoms.numbers, atoms.numbers)
    other = build_crystal(size=(3, 3, 3), vacancies=1, rng=0)
    with pytest.raises(ValueError, match="in another order"):
        SwapMC(sort(other), 1000.0).read_restart(state)
    other.symbols[[0, 1, 2]] = "Ta"
    with pytest.raises(ValueError, match="other composition"):
        SwapMC(other, 1000.0).read_restart(state)


def test_copies_and_pickles_go_on_as_the_original() -> None:
    swaps = SwapMC(build_crystal(size=(3, 3, 3), rng=0), 1000.0, rng=1)
    swaps.run(100)
    twins = [copy.deepcopy(swaps), pickle.loads(pickle.dumps(swaps))]
    swaps.run(1000)
    for twin in twins:
        twin.run(1000)
        assert twin.energy_eV == swaps.energy_eV
        np.testing.assert_array_equal(twin.atoms.numbers, swaps.atoms.numbers)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="temperature"):
        SwapMC(build_crystal(size=(3, 3, 3), rng=0), 0.0)
    with pytest.raises(ValueError, match="species W"):
        SwapMC(build_crystal("bcc", "NbW", (3, 3, 3), rng=0), 1000.0)
