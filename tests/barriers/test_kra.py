"""KRA barriers: detailed balance, symmetry, guards, files."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from macro_ase.barriers import KRABarriers, PairEnergy, PairEnergyCalculator
from macro_ase.barriers.load import load_barriers
from macro_ase.barriers.orbits import HOP_DIRECTIONS, bond_orbits
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.kinetics.hop_rates import evaluate_barriers
from macro_ase.kinetics.kra_hops import KRA_FLOOR_EV, KRATables
from macro_ase.kinetics.padding import pad, padded_sites
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.testing import assert_loops, check_loops
from macro_ase.testing.barriers import Moves


@pytest.fixture(scope="module")
def model() -> KRABarriers:
    return KRABarriers.load()


def random_crystal(model: KRABarriers, size: int, vacancies: int, seed: int) -> Crystal:
    grid, rng = SiteGrid(BCC, (size,) * 3), np.random.default_rng(seed)
    occupation = rng.integers(0, len(model.species), grid.n_sites)
    occupation[rng.choice(grid.n_sites, vacancies, replace=False)] = len(model.species)
    return Crystal.from_sites(grid, model.species, occupation, 3.24)


def barriers_of(tables: KRATables, crystal: Crystal, site: int) -> np.ndarray:
    out = np.empty(8)
    padded = pad(crystal.grid, crystal.occupation)
    evaluate_barriers(tables, padded, int(padded_sites(crystal.grid, site)), site % 2, out)
    return out


def hopped(crystal: Crystal, vacancy: int, target: int) -> Crystal:
    occupation = crystal.occupation.copy()
    occupation[[vacancy, target]] = occupation[[target, vacancy]]
    return crystal.with_occupation(occupation)


@pytest.mark.parametrize(("size", "vacancies"), [(3, 1), (3, 4), (4, 1), (5, 20)])
def test_detailed_balance(model: KRABarriers, size: int, vacancies: int) -> None:
    crystal = random_crystal(model, size, vacancies, seed=size)
    tables = model.tables(crystal.grid)
    neighbours = crystal.grid.neighbors(HOP_DIRECTIONS)
    for vacancy in crystal.vacancies[:4]:
        forward = barriers_of(tables, crystal, vacancy)
        for d, target in enumerate(neighbours[vacancy]):
            if crystal.occupation[target] == crystal.vacancy_code:
                assert forward[d] == np.inf
                continue
            after = hopped(crystal, vacancy, target)
            backward = barriers_of(tables, after, target)[7 - d]
            change = model.energy.energy(after) - model.energy.energy(crystal)
            assert forward[d] - backward == pytest.approx(change, abs=1e-9)
            assert min(forward[d], backward) >= KRA_FLOOR_EV - 1e-12


def test_public_barriers_and_public_energy_agree(model: KRABarriers) -> None:
    atoms = build_crystal(size=(3, 4, 3), vacancies=1, rng=5)
    order = np.random.default_rng(0).permutation(len(atoms))
    atoms = atoms[order]
    atoms.calc = PairEnergyCalculator(model.energy)
    vacancy = atoms.get_chemical_symbols().index("X")
    before = atoms.get_potential_energy()
    targets, forward = model.hop_barriers(atoms, vacancy)
    for d, target in enumerate(targets):
        arrow = atoms.get_distance(vacancy, target, mic=True, vector=True)
        np.testing.assert_allclose(arrow, 1.62 * HOP_DIRECTIONS[d], atol=1e-9)
        after = atoms.copy()
        after.symbols[[vacancy, target]] = after.symbols[[target, vacancy]]
        after.calc = PairEnergyCalculator(model.energy)
        back_targets, backward = model.hop_barriers(after, int(target))
        assert back_targets[7 - d] == vacancy
        change = after.get_potential_energy() - before
        assert forward[d] - backward[7 - d] == pytest.approx(change, abs=1e-9)
    with pytest.raises(ValueError, match="not a vacancy"):
        model.hop_barriers(atoms, int(targets[0]))


def hops(tables: KRATables, crystal: Crystal) -> Moves:
    """Hops between occupations."""
    neighbours = crystal.grid.neighbors(HOP_DIRECTIONS)

    def moves(occupation: tuple[int, ...]) -> list[tuple[tuple[int, ...], float]]:
        here = crystal.with_occupation(np.array(occupation))
        return [
            (tuple(hopped(here, vacancy, target).occupation.tolist()), barrier)
            for vacancy in here.vacancies
            for target, barrier in zip(neighbours[vacancy], barriers_of(tables, here, vacancy))
        ]

    return moves


@pytest.mark.parametrize("seed", range(3))
def test_closed_loops_sum_to_zero(model: KRABarriers, seed: int) -> None:
    crystal = random_crystal(model, 4, 1, seed)
    tables, start = model.tables(crystal.grid), crystal.occupation.tolist()
    assert_loops(hops(tables, crystal), start, tolerance=1e-9)
    weights = tables.weights.copy()
    weights[:, 3, 0, 0] += 0.3  # negative control: one site of an orbit, not all of it
    lopsided = check_loops(hops(tables._replace(weights=weights), crystal), start)
    assert lopsided.rejected and lopsided.statistics[0].value > 0.01


def cubic_operations() -> list[np.ndarray]:
    return [
        np.diag(signs)[:, list(axes)]
        for axes in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    ]


def test_barriers_have_the_symmetry_of_the_lattice(model: KRABarriers) -> None:
    crystal = random_crystal(model, 4, 3, seed=1)
    grid, vacancy = crystal.grid, int(crystal.vacancies[1])
    tables = model.tables(grid)
    barriers = barriers_of(tables, crystal, vacancy)
    shifts = [(0, 0, 0), (1, 1, 1), (2, -4, 6), (-1, 3, 5)]
    for number, matrix in enumerate(cubic_operations()):
        moved = grid.index(grid.coordinates @ matrix.T + shifts[number % 4])
        occupation = np.empty_like(crystal.occupation)
        occupation[moved] = crystal.occupation
        turned = barriers_of(tables, crystal.with_occupation(occupation), int(moved[vacancy]))
        for d, direction in enumerate(HOP_DIRECTIONS @ matrix.T):
            new = int(np.flatnonzero((HOP_DIRECTIONS == direction).all(axis=1))[0])
            assert turned[new] == pytest.approx(barriers[d], abs=1e-12)


def test_floor_keeps_barriers_positive_and_balanced(model: KRABarriers) -> None:
    low = replace(model, activation_eV=np.full(3, -2.0))
    crystal = random_crystal(model, 4, 1, seed=2)
    vacancy = int(crystal.vacancies[0])
    tables = low.tables(crystal.grid)
    for d, target in enumerate(crystal.grid.neighbors(HOP_DIRECTIONS)[vacancy]):
        after = hopped(crystal, vacancy, target)
        change = low.energy.energy(after) - low.energy.energy(crystal)
        barrier = barriers_of(tables, crystal, vacancy)[d]
        assert barrier == pytest.approx(max(change, 0) + KRA_FLOOR_EV, abs=1e-9)


def test_vacancy_on_every_site_counts_as_the_mean_atom() -> None:
    weights = np.zeros((2, len(bond_orbits(1)), 2))
    weights[:, 0] = [0.1, -0.1]
    model = KRABarriers(
        energy=PairEnergy(("Nb", "Mo"), np.zeros((1, 3, 3)), np.zeros((2, 2))),
        activation_eV=np.array([0.5, 0.8]),
        orbit_weights_eV=weights,
        orbit_shells=1,
        compositions=np.array([[0.5, 0.5]]),
    )
    grid = SiteGrid(BCC, (3, 3, 3))
    for atom, expected in enumerate((0.5, 0.8)):
        occupation = np.full(grid.n_sites, 2)
        occupation[grid.neighbors(HOP_DIRECTIONS)[0, 3]] = atom
        crystal = Crystal.from_sites(grid, model.species, occupation, 3.2)
        barriers = barriers_of(model.tables(grid), crystal, 0)
        assert barriers[3] == pytest.approx(expected)
        assert np.all(np.delete(barriers, 3) == np.inf)


def test_unknown_species_are_refused(model: KRABarriers) -> None:
    atoms: Atoms = build_crystal("bcc", "NbMoW", (3, 3, 3), vacancies=1, rng=0)
    with pytest.raises(ValueError, match="species W not among Nb, Mo, Ta"):
        model.hop_barriers(atoms, atoms.get_chemical_symbols().index("X"))


def test_saved_and_loaded(model: KRABarriers, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    again = load_barriers(tmp_path / "model.json")
    assert isinstance(again, KRABarriers)
    assert again.species == model.species and again.orbit_shells == model.orbit_shells
    assert again.info == json.loads(json.dumps(model.info))
    for name in ("activation_eV", "orbit_weights_eV", "compositions"):
        np.testing.assert_allclose(getattr(again, name), getattr(model, name), atol=1e-9)
    np.testing.assert_array_equal(again.energy.pair_eV, model.energy.pair_eV)
    np.testing.assert_array_equal(again.energy.subregular_eV, model.energy.subregular_eV)
    first = (tmp_path / "model.json").read_bytes()
    again.save(tmp_path / "model.json")
    assert (tmp_path / "model.json").read_bytes() == first


def test_damaged_files_are_refused(model: KRABarriers, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    model.save(file)
    text = file.read_text()
    data = json.loads(text)
    for damaged in (
        text[: len(text) // 2],
        "[]",
        json.dumps({k: v for k, v in data.items() if k != "activation"}),
        json.dumps({**data, "format": "other"}),
        json.dumps({**data, "species": ["Nb", "Mo"]}),
        json.dumps({**data, "activation": {**data["activation"], "constant_eV": [1.0]}}),
        json.dumps({**data, "activation": {**data["activation"], "shells": 2}}),
        json.dumps({**data, "energy": {**data["energy"], "pair_eV": [[["a"]]]}}),
        text.replace(str(data["activation"]["constant_eV"][0]), "NaN"),
        text.replace(str(data["activation"]["constant_eV"][0]), "1e999"),
        json.dumps({**data, "activation": {**data["activation"], "shells": 1e99}}),
        json.dumps({**data, "activation": {**data["activation"], "shells": 10**9}}),
        json.dumps({**data, "activation": {**data["activation"], "shells": 7.5}}),
        json.dumps({**data, "lattice": "fcc"}),
        json.dumps({**data, "species": ["Nb", "Mo", "Mo"]}),
        json.dumps({**data, "species": ["Nb", "Mo", "X"]}),
        json.dumps({**data, "species": "NMT"}),
        json.dumps({**data, "compositions": []}),
        json.dumps({**data, "compositions": [[1, 1, 1]]}),
        json.dumps({**data, "compositions": [[math.nan, 0.5, 0.5]]}),
        json.dumps({**data, "unfitted_species": ["W"]}),
        json.dumps({**data, "metrics": 3}),
        json.dumps({**data, "warnings": 3}),
        json.dumps({**data, "warnings": "bad"}),
        "[" * 100_000,
    ):
        file.write_text(damaged)
        with pytest.raises(ValueError, match=r"model\.json"):
            load_barriers(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"model\.json"):
        load_barriers(file)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.json"):
        load_barriers(tmp_path / "gone.json")
    other = tmp_path / "model.txt"
    other.touch()
    with pytest.raises(ValueError, match=r"end in .json \(KRA\) or .npz"):
        load_barriers(other)
    assert isinstance(load_barriers(), KRABarriers)
