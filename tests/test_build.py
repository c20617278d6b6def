"""Crystals: counts, order, vacancies, lattice constants, refusals."""

from typing import Any

import numpy as np
import pytest

from macro_ase.build import build_crystal, nearest_counts, parse_composition
from macro_ase.crystal import Crystal
from macro_ase.lattice import LATTICES
from macro_ase.observables.ordered_phases import OrderedPhase


def counts(atoms: Any) -> dict[str, int]:
    return dict(atoms.symbols.formula.count())


def test_default_is_the_nbmota_cell() -> None:
    atoms = build_crystal(rng=0)
    assert counts(atoms) == {"Nb": 338, "Mo": 338, "Ta": 348}
    np.testing.assert_allclose(atoms.cell.lengths(), 8 * 3.24)
    assert atoms.pbc.all()


@pytest.mark.parametrize(("lattice", "n_basis"), [("bcc", 2), ("fcc", 4), ("cubic", 1)])
def test_every_lattice_goes_back_to_sites(lattice: str, n_basis: int) -> None:
    atoms = build_crystal(lattice, "Ni0.75Al0.25", (3, 4, 5), vacancies=2, rng=1)
    assert len(atoms) == 60 * n_basis and counts(atoms)["X"] == 2
    crystal = Crystal.from_atoms(atoms, ("Ni", "Al"), LATTICES[lattice])
    assert crystal.grid.size == (3, 4, 5) and len(crystal.vacancies) == 2


def test_largest_remainder() -> None:
    assert nearest_counts([0.33, 0.33, 0.34], 16).tolist() == [5, 5, 6]
    assert nearest_counts([1 / 3] * 3, 16).tolist() == [6, 5, 5]
    assert nearest_counts([0.1 + 0.2, 0.7], 10).tolist() == [3, 7]


def test_compositions_as_text_and_as_mapping() -> None:
    assert parse_composition("NbMo") == {"Nb": 0.5, "Mo": 0.5}
    assert parse_composition("W1") == {"W": 1.0}
    assert parse_composition({"Ta": 0.25, "W": 0.75}) == {"Ta": 0.25, "W": 0.75}
    assert sum(parse_composition("Nb0.33Mo0.33Ta0.33").values()) == pytest.approx(1)


def test_b2_of_a_binary_is_perfect() -> None:
    atoms = build_crystal("bcc", "Mo0.5Ta0.5", (4, 4, 4), ordered="B2", rng=0)
    symbols = np.array(atoms.get_chemical_symbols())
    assert set(symbols[::2]) == {"Mo"} and set(symbols[1::2]) == {"Ta"}


def test_b2_fills_as_far_as_the_counts_allow() -> None:
    atoms = build_crystal("bcc", "Mo0.25Ta0.25Nb0.5", (4, 4, 4), ordered="B2", rng=0)
    symbols = np.array(atoms.get_chemical_symbols())
    assert set(symbols[::2]) == {"Mo", "Nb"} and set(symbols[1::2]) == {"Ta", "Nb"}
    atoms = build_crystal("bcc", "Mo0.75Ta0.25", (4, 4, 4), ordered="B2", rng=0)
    symbols = np.array(atoms.get_chemical_symbols())
    assert set(symbols[::2]) == {"Mo"} and counts(atoms) == {"Mo": 96, "Ta": 32}


@pytest.mark.parametrize("composition", ["Cu3Au", "AuCu3"])
def test_the_scarcer_of_two_is_on_the_corners_of_l1_2(composition: str) -> None:
    atoms = build_crystal("fcc", composition, (2, 3, 2), ordered="L1_2", rng=0)
    assert all(atoms.symbols[0::4] == "Au") and counts(atoms) == {"Cu": 36, "Au": 12}


def test_l1_0_has_planes_and_d0_3_is_what_its_neighbours_say() -> None:
    atoms = build_crystal("fcc", "Cu0.5Au0.5", (2, 2, 2), ordered="L1_0", lattice_constant_A=4.0)
    np.testing.assert_array_equal(atoms.symbols == "Cu", np.isclose(atoms.positions[:, 2] % 4, 0))
    crystal = Crystal.from_atoms(build_crystal("bcc", "AlFe3", (2, 4, 2), ordered="D0_3"))
    assert OrderedPhase("D0_3", ("Fe", "Al")).is_of(crystal)
    assert not OrderedPhase("D0_3", ("Al", "Fe")).is_of(crystal)


def test_what_does_not_fit_an_ordered_phase_is_at_random() -> None:
    atoms = build_crystal("fcc", "Cu0.5Au0.25Pd0.25", (4, 4, 4), ordered="L1_2", rng=0)
    assert all(atoms.symbols[0::4] == "Au") and set(atoms.symbols[1::4]) == {"Cu", "Pd"}


def test_vacancies_replace_atoms() -> None:
    atoms = build_crystal("bcc", "W1", (3, 3, 3), vacancies=5, rng=0)
    assert counts(atoms) == {"W": 49, "X": 5}


def test_same_seed_same_crystal() -> None:
    same = [build_crystal(vacancies=3, rng=0).get_chemical_symbols() for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != build_crystal(vacancies=3, rng=1).get_chemical_symbols()


def test_random_occupation_is_uncorrelated() -> None:
    atoms = build_crystal("bcc", "Nb0.5Mo0.5", (16, 16, 16), rng=3)
    crystal = Crystal.from_atoms(atoms)
    neighbors = crystal.grid.neighbors(LATTICES["bcc"].shells(1)[0])
    unlike = (crystal.occupation[neighbors] != crystal.occupation[:, None]).mean()
    assert unlike == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(8 * 4096))


@pytest.mark.parametrize(
    ("lattice", "composition", "expected_A"),
    [
        ("bcc", "TaMoNb", 3.24),
        ("bcc", "W", 3.16),
        ("fcc", "Cu", 3.61),
        ("bcc", "Ti", (2.95**3 * 1.588 * np.sqrt(3) / 2) ** (1 / 3)),
        ("bcc", "NbMo", ((3.3**3 + 3.15**3) / 2) ** (1 / 3)),
    ],
)
def test_default_lattice_constants(lattice: str, composition: str, expected_A: float) -> None:
    atoms = build_crystal(lattice, composition, (2, 2, 2), rng=0)
    assert atoms.cell.lengths()[0] / 2 == pytest.approx(expected_A)


def test_given_lattice_constant() -> None:
    assert build_crystal(size=(2, 2, 2), lattice_constant_A=3.3).cell.lengths()[0] == 6.6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lattice": "hcp"}, "unknown lattice 'hcp'; one of bcc, fcc, cubic"),
        ({"composition": "Nb0.5Qq0.5"}, "unknown element 'Qq'"),
        ({"composition": "Nb0.5X0.5"}, "unknown element 'X'"),
        ({"composition": "Nb0.5Mo0.4"}, "add to 0.9, not to 1"),
        ({"composition": "Nb0.5Mo"}, "each element of 'Nb0.5Mo' needs its fraction"),
        ({"composition": "Nb0.5Nb0.5"}, "named twice"),
        ({"composition": "nb0.5-"}, "not a composition"),
        ({"composition": {"Nb": 1.5, "Mo": -0.5}}, "must be 0 to 1, not 1.5"),
        ({"size": (8, 8)}, "size must be three whole numbers"),
        ({"size": (8, 8, 0)}, "size must be 1 or more, not 0"),
        ({"vacancies": -1}, "vacancies must be 0 to 1023, not -1"),
        ({"vacancies": 1024}, "vacancies must be 0 to 1023, not 1024"),
        ({"ordered": "L1_2"}, "no order 'L1_2' on the bcc lattice"),
        ({"ordered": "B2", "lattice": "fcc"}, "no order 'B2' on the fcc lattice"),
        ({"ordered": "L1_0", "lattice": "cubic"}, "no order 'L1_0' on the cubic lattice"),
        ({"ordered": "D0_3", "size": (4, 3, 4)}, "even along each axis, not \\[4, 3, 4\\]"),
        ({"ordered": "B2", "composition": "W"}, "at least two species"),
        ({"lattice_constant_A": -1.0}, "lattice constant must be positive"),
        ({"composition": "Mn"}, "no default lattice constant for Mn"),
        ({"rng": -1}, "seed must be a whole number, 0 or larger"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_crystal(**changes)
