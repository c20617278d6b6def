"""Errors of known size are found; crystals of pair potentials obey the laws of pairs."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.morse import MorsePotential
from ase.neighborlist import neighbor_list

from macro_ase.potentials import accuracy
from macro_ase.potentials.dft_frames import Frame

UNLIKE_EV = -0.02
ELEMENT_EV = {"Nb": 0.5, "Mo": -1.0}
CUTOFF_A = 3.0


class BondedMorse(MorsePotential):
    """Morse pairs, the same for all elements, and an energy of each unlike first-shell bond."""

    def __init__(self, unlike_eV: float = 0.0) -> None:
        super().__init__(epsilon=0.8, r0=3.05, rho0=4.0, rcut1=1.2, rcut2=1.5)
        self.unlike_eV = unlike_eV

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        i, j = neighbor_list("ij", atoms, CUTOFF_A)
        bonds = np.count_nonzero(atoms.numbers[i] != atoms.numbers[j]) / 2
        self.results["energy"] += self.unlike_eV * bonds


def frames() -> list[Frame]:
    """Rattled crystals labelled by the plain Morse potential; half of them on their sites."""
    made = []
    for number in range(6):
        atoms = bulk("Nb", "bcc", a=3.2, cubic=True) * (2, 2, 2)
        atoms.symbols[: 2 * number] = "Mo"
        kind = "Nb_Elastic" if number % 2 else "Nb_AIMD"
        atoms.rattle(0.05 * (number % 2 == 0), seed=number)
        atoms.calc = BondedMorse()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = None
        made.append(Frame(atoms, energy, forces, kind, f"{kind}/{number}"))
    return made


class Shifted(BondedMorse):
    """Energies wrong by a constant per element, forces by 20 meV/A with either sign."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] += sum(ELEMENT_EV[name] for name in atoms.get_chemical_symbols())
        self.results["forces"] = self.results["forces"] + 0.02 * (-1) ** np.arange(3)


def test_errors_of_a_potential_are_those_put_in() -> None:
    found = accuracy.frame_errors(Shifted(), frames(), progress=False)
    share = np.array([[np.mean(f.atoms.symbols == s) for s in ELEMENT_EV] for f in frames()])
    shifts = 1e3 * share @ list(ELEMENT_EV.values())
    assert found["energy rms, all frames (meV/atom)"] == pytest.approx(np.sqrt(np.mean(shifts**2)))
    assert found["energy MAE, AIMD (meV/atom)"] == pytest.approx(np.abs(shifts[::2]).mean())
    assert found["force rms, AIMD (meV/A)"] == pytest.approx(20)
    assert found["frames, elastic"] == 3 and found["frames, all frames"] == 6
    assert "force rms, elastic (meV/A)" not in found


def test_aligned_energies_forget_the_zero_of_energy_and_nothing_else() -> None:
    aligned = accuracy.frame_errors(Shifted(), frames(), align=True, progress=False)
    assert aligned["energy rms, all frames (meV/atom)"] < 1e-6
    control = accuracy.frame_errors(Shifted(UNLIKE_EV), frames(), align=True, progress=False)
    assert control["energy rms, all frames (meV/atom)"] > 1


@pytest.fixture(scope="module")
def crystals() -> dict[str, float]:
    return accuracy.crystal_properties(BondedMorse(UNLIKE_EV), ["Nb", "Mo"])


@pytest.mark.slow
def test_pair_potentials_obey_cauchy_at_zero_pressure_only(crystals: dict[str, float]) -> None:
    assert crystals["C12 of Nb (GPa)"] == pytest.approx(crystals["C44 of Nb (GPa)"], rel=1e-3)
    stretched = 1.02 * crystals["lattice constant of Nb (A)"]
    control = accuracy.elastic_constants(BondedMorse(), "Nb", stretched)
    assert control["C12 of Nb (GPa)"] != pytest.approx(control["C44 of Nb (GPa)"], rel=0.05)


@pytest.mark.slow
def test_bulk_modulus_is_the_curvature_of_the_energy(crystals: dict[str, float]) -> None:
    a0 = crystals["lattice constant of Nb (A)"]
    lengths = a0 * np.linspace(0.99, 1.01, 9)
    energies = [accuracy._energy(BondedMorse(), bulk("Nb", "bcc", a=a)) for a in lengths]
    fit = np.polynomial.Polynomial.fit(lengths, energies, 4)
    assert fit.deriv()(a0) == pytest.approx(0, abs=1e-3)
    bulk_modulus = fit.deriv(2)(a0) * 2 / (9 * a0) * 160.21766
    found = (crystals["C11 of Nb (GPa)"] + 2 * crystals["C12 of Nb (GPa)"]) / 3
    assert found == pytest.approx(bulk_modulus, rel=2e-3)


@pytest.mark.slow
def test_mixing_energies_count_unlike_bonds(crystals: dict[str, float]) -> None:
    assert crystals["mixing energy of B2 MoNb (meV/atom)"] == pytest.approx(4e3 * UNLIKE_EV)
    alloy = accuracy._random(["Mo", "Nb"], 0, 3.2)
    i, j = neighbor_list("ij", alloy, CUTOFF_A)
    unlike = np.count_nonzero(alloy.numbers[i] != alloy.numbers[j]) / 2 / len(alloy)
    expected = 1e3 * UNLIKE_EV * unlike
    assert crystals["mixing energy of random MoNb (meV/atom)"] == pytest.approx(expected)
    assert np.bincount(alloy.numbers)[[41, 42]].tolist() == [64, 64]


@pytest.mark.slow
def test_a_vacancy_of_pairs_costs_the_cohesion_less_the_relaxation(
    crystals: dict[str, float],
) -> None:
    a0 = crystals["lattice constant of Nb (A)"]
    cohesion = -accuracy._energy(BondedMorse(), bulk("Nb", "bcc", a=a0))
    assert 0.5 * cohesion < crystals["vacancy formation energy of Nb (eV)"] < cohesion


def test_the_table_sets_references_beside() -> None:
    table = accuracy.accuracy_table({"lattice constant of Mo (A)": 3.1701, "frames, AIMD": 20.0})
    assert "| lattice constant of Mo (A) | 3.170 | 3.169 [1] |" in table
    assert "| frames, AIMD | 20 |  |" in table and table.endswith("70 (2020)")


def test_species_come_from_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    monkeypatch.setattr(accuracy, "crystal_properties", lambda c, s, seed: asked.update(s=s) or {})
    accuracy.check_potential(BondedMorse(), frames()[:2], progress=False)
    assert asked["s"] == ["Mo", "Nb"]
    assert isinstance(frames()[0].atoms, Atoms)
