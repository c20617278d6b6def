"""The pair energy: against a sum over distances, its gauge, its calculator."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from ase.formula import Formula

from macro_ase.barriers import KRABarriers, PairEnergy, PairEnergyCalculator
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC
from macro_ase.observables.ordered_phases import OrderedPhase, ordered_phases

README = Path(__file__).parents[2] / "potentials" / "README.md"


def random_energy(seed: int = 0, n_shells: int = 7) -> PairEnergy:
    """Two atoms and the vacancy, with no gauge and with subregular terms."""
    pair = np.random.default_rng(seed).normal(0, 0.1, (n_shells, 3, 3))
    subregular = np.array([[0, 0.3], [0, 0]])
    return PairEnergy(("Nb", "Ta"), pair + pair.transpose(0, 2, 1), subregular)


def sum_over_distances(crystal: Crystal, energy: PairEnergy) -> float:
    """Half the sum over all ordered pairs of images, by their distance."""
    atoms, a = crystal.to_atoms(), crystal.lattice_constant_A
    radii = np.sqrt([(s[0] ** 2).sum() for s in BCC.shells(energy.n_shells)]) * a / 2
    names = (*energy.species, "X")
    codes = np.array([names.index(s) for s in atoms.get_chemical_symbols()])
    total = 0.0
    for shift in itertools.product((-1, 0, 1), repeat=3):
        there = atoms.positions + np.array(shift) @ atoms.cell.array
        distance = np.linalg.norm(atoms.positions[:, None] - there[None], axis=2)
        for k, radius in enumerate(radii):
            first, second = np.nonzero(np.abs(distance - radius) < 1e-6)
            total += 0.5 * energy.pair_eV[k][codes[first], codes[second]].sum()
    return total


def test_energy_is_the_sum_over_bonds() -> None:
    energy = random_energy()
    atoms = build_crystal("bcc", "Nb0.7Ta0.3", (3, 5, 4), vacancies=6, rng=3)
    crystal = Crystal.from_atoms(atoms, species=energy.species)
    n_nb, n_ta, _ = crystal.counts
    c = np.array([n_nb, n_ta]) / (n_nb + n_ta)
    mixing = (n_nb + n_ta) * 0.3 * c[0] * c[1] * (c[0] - c[1])
    expected = sum_over_distances(crystal, energy) + mixing
    assert energy.energy(crystal) == pytest.approx(expected, abs=1e-9)
    atoms.calc = PairEnergyCalculator(energy)
    assert atoms.get_potential_energy() == pytest.approx(expected, abs=1e-9)


def test_calculator_notices_species_and_not_displacements() -> None:
    atoms = build_crystal("bcc", "NbMoTa", (3, 3, 3), rng=0)
    atoms.calc = PairEnergyCalculator()
    before = atoms.get_potential_energy()
    atoms.rattle(0.05, seed=1)
    assert atoms.get_potential_energy() == pytest.approx(before)
    symbols = atoms.get_chemical_symbols()
    a, b = symbols.index("Mo"), symbols.index("Ta")
    atoms.symbols[[a, b]] = ["Ta", "Mo"]
    assert atoms.get_potential_energy() != pytest.approx(before)
    atoms.symbols[0] = "W"
    with pytest.raises(ValueError, match="species W not among Nb, Mo, Ta"):
        atoms.get_potential_energy()


def test_subregular_term_depends_on_composition_alone() -> None:
    energy = random_energy()
    without = PairEnergy(energy.species, energy.pair_eV, np.zeros((2, 2)))
    differences = []
    for seed in range(3):
        atoms = build_crystal("bcc", "Nb0.25Ta0.75", (3, 3, 3), rng=seed)
        crystal = Crystal.from_atoms(atoms, species=energy.species)
        differences.append(energy.energy(crystal) - without.energy(crystal))
    np.testing.assert_allclose(differences, differences[0])
    assert differences[0] < 0
    assert energy.composition_energy(np.array([5, 0])) == 0
    assert energy.composition_energy(np.array([5, 5])) == 0


def test_gauge_of_the_shipped_energy() -> None:
    pair = KRABarriers.load().energy.pair_eV
    np.testing.assert_allclose(pair, pair.transpose(0, 2, 1), atol=0)
    np.testing.assert_allclose(pair[:, [0, 1, 2], [0, 1, 2]], 0, atol=0)
    np.testing.assert_allclose(pair[:, 3, :3].sum(axis=1), 0, atol=1e-8)
    expected = 2 * pair[:, 3, :3].mean(axis=1) - pair[:, :3, :3].mean(axis=(1, 2))
    np.testing.assert_allclose(pair[:, 3, 3], expected, atol=1e-8)


def test_wrong_matrices_are_refused() -> None:
    with pytest.raises(ValueError, match="need matrices of 2 x 2"):
        PairEnergy(("Mo",), np.zeros((1, 3, 3)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="symmetric"):
        PairEnergy(("Mo",), np.array([[[0, 1.0], [0, 0]]]), np.zeros((1, 1)))
    crystal = Crystal.from_atoms(build_crystal("bcc", "W", (3, 3, 3)))
    with pytest.raises(ValueError, match="species"):
        random_energy().energy(crystal)


@pytest.mark.parametrize(
    "phase", ordered_phases(("Nb", "Mo", "Ta")), ids=lambda p: f"{p.kind}-{p.formula}"
)
def test_ordered_phases_are_as_the_readme_says(phase: OrderedPhase) -> None:
    atoms = phase.atoms(3.24)
    atoms.calc = PairEnergyCalculator()
    meV = 1e3 * atoms.get_potential_energy() / len(atoms)
    lines = [x for x in README.read_text().splitlines() if x.startswith(f"| {phase.kind} ")]
    found = [pair for line in lines for pair in re.findall(r"([A-Z][A-Za-z0-9]+) (-?[\d.]+)", line)]
    stated = {Formula(name).format("hill"): float(value) for name, value in found}
    assert stated[Formula(phase.formula).format("hill")] == pytest.approx(meV, abs=0.051)
