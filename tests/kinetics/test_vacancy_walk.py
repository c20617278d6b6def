"""The vacancy walk: waiting times, frequencies, diffusion, bookkeeping."""

from typing import Any

import numpy as np
import pytest
from ase import units

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.barriers.orbits import HOP_DIRECTIONS, bond_orbits
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.kinetics.hop_rates import Kinetics
from macro_ase.kinetics.padding import (
    fold,
    geometry_of,
    linear_offsets,
    pad,
    padded_sites,
    unpad,
)
from macro_ase.kinetics.tracers import replay, site_number
from macro_ase.kinetics.vacancy_walk import Bonds, retrace, walk
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.observables.bonds import bond_counts
from macro_ase.rng import kernel_state
from macro_ase.testing import assert_choices, assert_waiting_times

TEMPERATURE_K = 2000.0
TRACER_CORRELATION_BCC = 0.72722


def pure_model(barrier_eV: float = 0.8) -> KRABarriers:
    """Every hop has the same barrier."""
    return KRABarriers(
        energy=PairEnergy(("Mo",), np.zeros((1, 2, 2)), np.zeros((1, 1))),
        activation_eV=np.array([barrier_eV]),
        orbit_weights_eV=np.zeros((1, len(bond_orbits(1)), 1)),
        orbit_shells=1,
        compositions=np.ones((1, 1)),
    )


def walker(
    model: KRABarriers,
    size: tuple[int, int, int],
    vacancies: int,
    seed: int = 0,
    temperature_K: float = TEMPERATURE_K,
) -> VacancyWalker:
    grid, rng = SiteGrid(BCC, size), np.random.default_rng(seed)
    occupation = rng.integers(0, len(model.species), grid.n_sites).astype(np.int8)
    occupation[rng.choice(grid.n_sites, vacancies, replace=False)] = len(model.species)
    return VacancyWalker(grid, occupation, model, temperature_K, kernel_state(seed))


def rates_from_barriers(w: VacancyWalker, model: KRABarriers) -> np.ndarray:
    """Rates, shape (n_vacancies, 8), through the public interface of the barrier model."""
    crystal = Crystal.from_sites(w.grid, model.species, w.occupation, 3.2)
    atoms = crystal.to_atoms()
    sites = [site_number(w.geometry, p) for p in w.sites]
    barriers = np.array([model.hop_barriers(atoms, site)[1] for site in sites])
    return 1e13 * np.exp(-barriers / (units.kB * TEMPERATURE_K))


def first_hops(w: VacancyWalker, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and numbers (vacancy * 8 + direction) of n first hops, all from the same state."""
    times, events = np.empty(n), np.empty(n, dtype=int)
    home, trail = w.sites.copy(), np.empty((1, 2), dtype=np.int64)
    for i in range(n):
        w.clock[0] = 0.0
        w.advance(max_hops=1, trail=trail)
        times[i] = w.clock[0]
        v = int(np.flatnonzero(home == trail[0, 0])[0])
        targets = w.tables.targets[home[v] % 2]  # type: ignore[attr-defined]
        events[i] = 8 * v + int(np.flatnonzero(targets == trail[0, 1] - trail[0, 0])[0])
        retrace(w.geometry, w.padded, trail, 1)
        w.sites[:] = home
    return times, events


@pytest.mark.slow
def test_first_hop_has_the_analytic_time_and_direction() -> None:
    model, n = KRABarriers.load(), 20_000
    w = walker(model, (3, 4, 3), vacancies=3, seed=4)
    rates = rates_from_barriers(w, model).ravel()
    np.testing.assert_allclose(w.rates.ravel(), rates, rtol=1e-9)
    times, events = first_hops(w, n)
    assert_waiting_times(times, rates.sum(), wrong=1.1)
    assert_choices(events, rates, wrong=1.1)


def steps_of(w: VacancyWalker, trail: np.ndarray) -> np.ndarray:
    """Hop vectors of a recorded walk, shape (n, 3), units of a/2."""
    targets = w.tables.targets[trail[:, 0] % 2]  # type: ignore[attr-defined]
    return HOP_DIRECTIONS[np.argmax(targets == (trail[:, 1] - trail[:, 0])[:, None], axis=1)]


@pytest.mark.slow
def test_vacancy_in_a_pure_crystal_is_a_random_walk() -> None:
    w = walker(pure_model(), (3, 3, 3), vacancies=1)
    blocks, length = 4000, 100
    trail = np.empty((blocks * length, 2), dtype=np.int64)
    walked = w.advance(max_hops=len(trail), trail=trail)
    total = 8e13 * np.exp(-0.8 / (units.kB * TEMPERATURE_K))
    assert walked.hops == len(trail)
    assert walked.exposure_s == pytest.approx(len(trail) / total)
    assert abs(w.clock[0] / walked.exposure_s - 1) < 4 / np.sqrt(len(trail))
    steps = steps_of(w, trail).reshape(blocks, length, 3)
    squares = (steps.sum(axis=1) ** 2).sum(axis=1) / 3
    error = squares.std() / np.sqrt(blocks)
    assert error < 0.02 * length and abs(squares.mean() - length) < 4 * error
    back = steps[:, 1:] - 0.1 * steps[:, :-1]  # negative control: a walk that tends to turn back
    wrong = (back.sum(axis=1) ** 2).sum(axis=1) / 3
    assert abs(wrong.mean() / (length - 1) - 1) > 4 * wrong.std() / np.sqrt(blocks) / length


def exact_cosine(size: int) -> float:
    """Mean cosine between successive jumps of a tracer in a periodic box with one vacancy.

    After a jump the vacancy is behind the tracer. It walks at random until it exchanges with
    the tracer again: absorption probabilities of a walk on the sites around the tracer.
    """
    grid = SiteGrid(BCC, (size, size, size))
    neighbours = grid.neighbors(HOP_DIRECTIONS)
    hop = np.zeros((grid.n_sites, grid.n_sites))
    np.add.at(hop, (np.arange(grid.n_sites)[:, None], neighbours), 1 / 8)
    around = neighbours[0]
    inside = np.arange(1, grid.n_sites)
    start = np.zeros(grid.n_sites - 1)
    start[around[0] - 1] = 1
    matrix = np.eye(len(inside)) - hop[np.ix_(inside, inside)].T
    visits = np.linalg.solve(matrix, start)
    absorbed = visits[around - 1] / 8
    assert absorbed.sum() == pytest.approx(1)
    towards = HOP_DIRECTIONS @ -HOP_DIRECTIONS[0] / 3
    return float(absorbed @ towards)


def exact_tracer_msd(size: int, jumps: float) -> float:
    """Mean square displacement of a tracer after a number of jumps, per jump, units of a1^2."""
    c = exact_cosine(size)
    return (1 + c) / (1 - c) - 2 * c * (1 - c**jumps) / (jumps * (1 - c) ** 2)


@pytest.mark.slow
def test_tracer_correlation_factor() -> None:
    cosines = {size: exact_cosine(size) for size in (4, 6, 8)}
    factors = {size: (1 + c) / (1 - c) for size, c in cosines.items()}
    slope = (factors[6] - factors[8]) / (1 / 6**3 - 1 / 8**3)
    assert factors[8] - slope / 8**3 == pytest.approx(TRACER_CORRELATION_BCC, abs=1e-4)
    size, jumps, blocks = 6, 50, 80
    w = walker(pure_model(), (size, size, size), vacancies=1, seed=3)
    n_sites, basis = w.grid.n_sites, np.array(BCC.basis)
    trail = np.empty((jumps * (n_sites - 1), 2), dtype=np.int64)
    means = np.empty(blocks)
    for block in range(blocks):
        label, moved = np.arange(n_sites), np.zeros((n_sites, 3), dtype=np.int64)
        hole = site_number(w.geometry, int(w.sites[0]))
        w.advance(max_hops=len(trail), trail=trail)
        replay(w.geometry, basis, trail, len(trail), label, moved)
        np.testing.assert_array_equal(moved[hole], steps_of(w, trail).sum(axis=0))
        np.testing.assert_array_equal(moved.sum(axis=0), 0)
        squares = (np.delete(moved, hole, axis=0) ** 2).sum(axis=1)
        means[block] = squares.sum() / (3 * len(trail))
    error = means.std(ddof=1) / np.sqrt(blocks)
    assert error < 0.006
    assert abs(means.mean() - exact_tracer_msd(size, jumps)) < 4 * error
    assert abs(means.mean() - TRACER_CORRELATION_BCC) < 0.02


def full_walk(
    grid: SiteGrid, occupation: np.ndarray, model: KRABarriers, hops: int, pieces: int
) -> dict[str, Any]:
    """A walk of all vacancies in pieces, with bonds of two shells."""
    geometry, padded = geometry_of(grid), pad(grid, occupation)
    shells = BCC.shells(2)
    n_species = len(model.species) + 1
    bonds = np.array([bond_counts(occupation, grid.neighbors(s), n_species) for s in shells])
    state: dict[str, Any] = {
        "padded": padded,
        "sites": padded_sites(grid, np.flatnonzero(occupation == n_species - 1)),
        "bonds": bonds,
        "clock": np.zeros(1),
        "rng": kernel_state(5),
        "trail": np.empty((hops, 2), dtype=np.int64),
    }
    betas, held = np.array([1 / (units.kB * TEMPERATURE_K)]), np.zeros(0, dtype=np.bool_)
    kinetics = Kinetics(1e13, betas, held)
    offsets, shell_of = linear_offsets(grid, np.vstack(shells)), np.repeat([0, 1], [8, 6])
    tables, meetings = model.tables(grid), 0
    for part in np.split(np.arange(hops), pieces):
        counts = walk(
            tables, geometry, padded, state["sites"], Bonds(offsets, shell_of, bonds),
            state["trail"][part[0] : part[-1] + 1], kinetics, state["clock"], np.inf, len(part),
            state["rng"],
        )  # fmt: skip
        assert counts[0] == len(part)
        meetings += counts[2]
    return state | {"meetings": meetings}


CASES = [((3, 3, 3), 1), ((3, 3, 3), 5), ((4, 3, 5), 12), ((4, 4, 4), 30)]


@pytest.mark.parametrize(("size", "vacancies"), CASES)
def test_bonds_and_local_refresh(size: tuple[int, int, int], vacancies: int) -> None:
    model, grid, hops = KRABarriers.load(), SiteGrid(BCC, size), 400
    occupation = walker(model, size, vacancies, seed=2).occupation
    whole = full_walk(grid, occupation, model, hops, 1)
    steps = full_walk(grid, occupation, model, hops, hops)
    for key, value in whole.items():
        np.testing.assert_array_equal(value, steps[key], err_msg=key)
    after = unpad(grid, whole["padded"])
    np.testing.assert_array_equal(whole["padded"], pad(grid, after))
    np.testing.assert_array_equal(np.bincount(after), np.bincount(occupation))
    np.testing.assert_array_equal(
        np.sort(whole["sites"]), padded_sites(grid, np.flatnonzero(after == 3))
    )
    for shell, bonds in zip(BCC.shells(2), whole["bonds"]):
        np.testing.assert_array_equal(bonds, bond_counts(after, grid.neighbors(shell), 4))
    assert (whole["meetings"] > 0) == (vacancies > 1)
    retrace(geometry_of(grid), whole["padded"], whole["trail"], hops)
    np.testing.assert_array_equal(whole["padded"], pad(grid, occupation))


def test_meetings_are_hops_that_end_beside_another_vacancy() -> None:
    w = walker(pure_model(), (3, 3, 3), vacancies=3)
    trail, met = np.empty((1, 2), dtype=np.int64), 0
    for _ in range(300):
        walked = w.advance(max_hops=1, trail=trail)
        landed = fold(w.geometry, trail[0, 1])
        beside = w.padded[landed + w.tables.targets[landed % 2]] == 1  # type: ignore[attr-defined]
        assert walked.meetings == beside.any()
        met += walked.meetings
    assert 0 < met < 300


def test_time_ends_exactly_and_hops_are_poisson() -> None:
    w = walker(pure_model(), (3, 3, 3), vacancies=1)
    repeats, expected = 3000, 20.0
    ends = (np.arange(repeats) + 1) * expected / w.rates.sum()
    counts = np.empty(repeats)
    for i, end in enumerate(ends):
        counts[i] = w.advance(end_time=end).hops
        assert w.clock[0] == end
    assert abs(counts.mean() / expected - 1) < 4 / np.sqrt(repeats * expected)
    assert abs(counts.var() / expected - 1) < 4 * np.sqrt(2 / repeats)
    assert w.advance(end_time=ends[-1]).hops == 0 and w.clock[0] == ends[-1]


def test_a_vacancy_that_cannot_hop_stays() -> None:
    grid = SiteGrid(BCC, (3, 3, 3))
    w = VacancyWalker(
        grid, np.ones(grid.n_sites, dtype=np.int8), pure_model(), 1000.0, kernel_state(0)
    )
    assert w.advance(max_hops=10).hops == 0 and w.clock[0] == 0


def test_barriers_kept_for_the_way_back_are_those_of_the_place() -> None:
    """Hop by hop, each call beginning anew, against one call: same bytes; many hops go back."""
    model = KRABarriers.load()
    crystal = Crystal.from_atoms(build_crystal(size=(6, 6, 6), vacancies=1, rng=1), model.species)
    own = (crystal.grid, crystal.occupation, model, 1500.0)
    once, apart = (VacancyWalker(*own, kernel_state(2), n_shells=2) for _ in range(2))
    trail = np.empty((3000, 2), dtype=np.int64)
    once.advance(max_hops=3000, trail=trail)
    for _ in range(3000):
        apart.advance(max_hops=1)
    np.testing.assert_array_equal(once.padded, apart.padded)
    np.testing.assert_array_equal(once.clock, apart.clock)
    np.testing.assert_array_equal(once.bonds, apart.bonds)
    ends = [fold(once.geometry, int(p)) for p in trail[:, 1]]
    assert 0.2 < np.mean(np.array(ends[1:]) == trail[:-1, 0]) < 0.9
