"""The alloy: patches in the true lattice and as tiles, small runs, direct runs."""

from functools import cache

import numpy as np
import pytest

from macro_ase.config import load_config
from macro_ase.crystal import Crystal
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.observables import short_range_order
from macro_ase.rng import kernel_state, stream
from macro_ase.statistics import standard_error
from macro_ase.studies.alloys.design import Design
from macro_ase.systems import Alloy
from macro_ase.systems.alloy_crystals import _chosen
from macro_ase.systems.alloy_setup import alloy_from_config
from macro_ase.systems.base import Increments, no_closure
from macro_ase.testing import assert_unbiased

TEMPERATURE_K = 2000.0
CONDITION = {"T": TEMPERATURE_K}
SPECIES = ("Nb", "Mo", "Ta")


@cache
def alloy(boundary: str = "embedded", sites_per_vacancy: int = 128, small: int = 4) -> Alloy:
    settings = (
        "sampling.grow=true",
        f"system.small_size=[{small}, 4, 4]",
        "system.large_size=[8, 8, 8]",
        f"system.sites_per_vacancy={sites_per_vacancy}",
        f"system.boundary='{boundary}'",
    )
    return alloy_from_config(load_config("nbmota", True, settings))[0]


def pairs_of(
    system: Alloy, state: np.ndarray, dt: float, seed: np.random.SeedSequence
) -> Increments:
    """Every patch of one state alone."""
    rng = np.random.default_rng(seed)
    return system.increments(system.plan(dt=dt), state[None], no_closure, CONDITION, rng)


def residence_s(system: Alloy) -> float:
    """Mean residence time of a vacancy in the large system's initial state."""
    state = system.large_state
    walker = VacancyWalker(system.large, state, system.barriers, TEMPERATURE_K, kernel_state(1))
    walked = walker.advance(max_hops=20_000)
    return len(walker.sites) * walked.exposure_s / walked.hops


def test_observables_are_bond_densities_of_the_crystal() -> None:
    system = alloy()
    z, v = system.direct(system.large_state, np.array([0.0]), CONDITION, stream(0, "d"))
    crystal = Crystal.from_sites(system.large, SPECIES, system.large_state, 3.24)
    exact = short_range_order(crystal.to_atoms(), 2, species=SPECIES)
    pairs = ("Nb-Mo", "Nb-Ta", "Mo-Ta")
    assert system.names == (*pairs, *(f"{name} (2)" for name in pairs))
    unlike = exact.bonds[:, [0, 0, 1], [1, 2, 2]].ravel()
    np.testing.assert_allclose(z[0], unlike / 1024, atol=1e-12)
    np.testing.assert_array_equal(z, system.observe(system.large_state[None]))
    np.testing.assert_allclose(v[0], (exact.bonds[0, :3, 3] / exact.counts[:3]), atol=1e-12)


def test_a_patch_is_one_vacancy_evolved_in_the_true_lattice() -> None:
    system, dt = alloy(), 20 * residence_s(alloy())
    state = system.large_state
    before = state.copy()
    pairs = pairs_of(system, state, dt, stream(0, "patch"))
    np.testing.assert_array_equal(state, before)
    vacancies, seeds = np.flatnonzero(state == 3), stream(0, "patch").spawn(8)
    assert system.n_patches(state) == len(vacancies) == 8
    for v, seed in enumerate(seeds):
        walker = VacancyWalker(
            system.large,
            state,
            system.barriers,
            TEMPERATURE_K,
            kernel_state(seed),
            [vacancies[v]],
            n_shells=2,
        )
        start = walker.bonds.copy()
        walked = walker.advance(end_time=dt)
        assert walked.hops > 0
        change = system.order.state(walker.bonds - start, system.large.n_sites)
        np.testing.assert_array_equal(pairs.dz[0, v], 8 * change)
        assert pairs.met is not None and pairs.met[0, v] == (walked.meetings > 0)
        others = np.delete(vacancies, v)
        assert np.all(walker.occupation[others] == 3)  # the frozen ones stand where they were
    assert pairs.dz.shape == (1, 8, 6)
    np.testing.assert_array_equal(pairs.z0, system.observe(state[None]))


@pytest.mark.slow
def test_everything_is_undone_afterwards() -> None:
    system = alloy()
    walker = VacancyWalker(
        system.large, system.large_state, system.barriers, TEMPERATURE_K, kernel_state(0)
    )
    padded, sites, bonds = walker.padded.copy(), walker.sites.copy(), walker.bonds.copy()
    for vacancy in range(8):
        change, walked = walker.try_alone(vacancy, 500 * residence_s(system), kernel_state(vacancy))
        assert walked.hops > 50 and change.sum() == 0 and np.any(change)
        np.testing.assert_array_equal(walker.padded, padded)
        np.testing.assert_array_equal(walker.occupation, system.large_state)
        np.testing.assert_array_equal(walker.sites, sites)
        np.testing.assert_array_equal(walker.bonds, bonds)
        assert walker.clock[0] == 0


def test_a_long_patch_walk_is_undone_too() -> None:
    """More hops than one trail holds."""
    system = alloy()
    walker = VacancyWalker(
        system.large, system.large_state, system.barriers, TEMPERATURE_K, kernel_state(0)
    )
    _, walked = walker.try_alone(3, 15_000 * residence_s(system), kernel_state(0))
    assert walked.hops > 2 * 4096
    np.testing.assert_array_equal(walker.occupation, system.large_state)


@cache
def increments() -> tuple[np.ndarray, np.ndarray]:
    """Mean increments of the patches, and increments of the whole, in many repeats."""
    system, dt = alloy(), 4 * residence_s(alloy())
    state, times = system.large_state, np.array([0.0, dt])
    patches, wholes = [], []
    for k in range(600):
        patches.append(pairs_of(system, state, dt, stream(k, "patch")).dz[0].mean(axis=0))
        z, _ = system.direct(state, times, CONDITION, stream(k, "whole"))
        wholes.append(z[1] - z[0])
    return np.array(patches), np.array(wholes)


@pytest.mark.slow
def test_patches_add_up_to_the_whole() -> None:
    patches, wholes = increments()
    assert_unbiased(patches, wholes)
    ratio = np.trace(np.cov(patches.T)) / np.trace(np.cov(wholes.T))
    assert ratio == pytest.approx(1, abs=0.25)


def test_tiles_of_the_periodic_boundary() -> None:
    system, dt = alloy("periodic"), 20 * residence_s(alloy())
    state, _ = system.upsample(system.small_states[0], 100, CONDITION, stream(0, "up"))
    before = state.copy()
    assert system.n_patches(state) == 8
    pairs = pairs_of(system, state, dt, stream(0, "patch"))
    np.testing.assert_array_equal(state, before)
    for k, (tile, seed) in enumerate(
        zip(system.upsampler.tiles(state), stream(0, "patch").spawn(8))
    ):
        walker = VacancyWalker(
            system.small, tile, system.barriers, TEMPERATURE_K, kernel_state(seed), n_shells=2
        )
        start = walker.bonds.copy()
        walker.advance(end_time=dt)
        change = system.order.state(walker.bonds - start, system.small.n_sites)
        np.testing.assert_allclose(pairs.dz[0, k], change, atol=1e-12)


def test_an_upsampled_state_keeps_its_composition_and_every_vacancy_hops() -> None:
    system = alloy()
    small, seed = system.small_states[0], lambda: stream(0, "up")
    state, seam = system.upsample(small, 100, CONDITION, seed())
    np.testing.assert_array_equal(np.bincount(state), 8 * np.bincount(small))
    assert seam.shape == (2, 6) and np.all(np.isfinite(seam))
    again, _ = system.upsample(small, 100, CONDITION, seed())
    np.testing.assert_array_equal(state, again)
    still, _ = system.upsample(small, 0, CONDITION, seed())
    longer, _ = system.upsample(small, 1000, CONDITION, seed())
    moved = [int((x != still).sum()) for x in (state, longer)]
    assert 8 < moved[0] < moved[1]


@pytest.mark.slow
@pytest.mark.parametrize(("sites_per_vacancy", "vacancies"), [(128, 1), (32, 4)])
def test_small_runs_keep_time_by_the_hops_of_a_vacancy(
    sites_per_vacancy: int, vacancies: int
) -> None:
    system = alloy(sites_per_vacancy=sites_per_vacancy)
    assert np.all((system.small_states == 3).sum(axis=1) == vacancies)
    run = system.small_trajectory(100_000, CONDITION, stream(0, "small"))
    spacing = np.diff(run.times)
    np.testing.assert_allclose(spacing, spacing[0])
    assert spacing[0] / run.tau_w == pytest.approx(125, rel=0.15)
    assert len(run.times) == 100_000 // 125 // vacancies
    assert run.z.shape == (len(run.times), 6) and run.extra.shape == (len(run.times), 3)


def test_kept_states_belong_to_their_rows() -> None:
    system = alloy()
    run = system.small_trajectory(20_000, CONDITION, stream(3, "small"))
    assert run.states.shape == (len(run.kept), 128) and run.kept[0] == 0
    assert np.all(np.diff(run.kept) > 0) and run.kept[-1] == len(run.times) - 1
    for state, row in zip(run.states, run.kept, strict=True):
        walker = VacancyWalker(
            system.small, state, system.barriers, TEMPERATURE_K, kernel_state(0), n_shells=2
        )
        np.testing.assert_array_equal(run.z[row], system.order.state(walker.bonds, 128))
    again = system.small_trajectory(20_000, CONDITION, stream(3, "small"))
    np.testing.assert_array_equal(run.z, again.z)


def test_direct_runs_are_reproducible_and_move() -> None:
    system, step = alloy(), 50 * residence_s(alloy())
    fine = system.direct(system.large_state, step * np.arange(5), CONDITION, stream(0, "direct"))
    again = system.direct(system.large_state, step * np.arange(5), CONDITION, stream(0, "direct"))
    for one, other in zip(fine, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert fine[0].shape == (5, 6) and fine[1].shape == (5, 3)
    assert np.all(fine[0][1:] != fine[0][:1])


def test_condition_and_vacancy_scale() -> None:
    system = alloy()
    condition = system.model_condition(CONDITION)
    assert condition[0] == 0.5 and condition[1:] == pytest.approx([1 / 3, 1 / 3], abs=0.002)
    assert system.vacancy_scale == pytest.approx(1)
    assert alloy(sites_per_vacancy=512).vacancy_scale == pytest.approx(2 / 1024 / (1 / 128))


@pytest.mark.parametrize("boundary", ["embedded", "periodic"])
def test_chosen_patches_do_what_they_do_among_all(boundary: str) -> None:
    """The same bytes, whoever else evolves, and the factor K of all."""
    system = alloy(boundary)
    dt = 20 * residence_s(system)
    every, some = (
        system.increments(
            system.plan(dt=dt),
            system.large_state[None],
            no_closure,
            CONDITION,
            np.random.default_rng(stream(0, "chosen")),
            patches,
        )
        for patches in (0, 3)
    )
    assert every.patch is None and some.patch is not None and some.met is not None
    assert some.n_patches == 8 and len(np.unique(some.patch)) == 3
    np.testing.assert_array_equal(some.dz[0], every.dz[0][some.patch[0]])
    np.testing.assert_array_equal(some.z0, every.z0)
    assert every.met is not None
    np.testing.assert_array_equal(some.met[0], every.met[0][some.patch[0]])


@pytest.mark.slow
def test_every_patch_is_chosen_as_often_as_any_other() -> None:
    """3 of 8 at a time, 2,000 times: counts against those of independent draws (chi-squared)."""
    counts = np.zeros(8)
    for k in range(2000):
        numbers, seeds = _chosen(stream(0, "choice", k), 8, 3)
        assert len(set(numbers.tolist())) == len(seeds) == 3
        counts[numbers] += 1
    expected = 2000 * 3 / 8
    assert ((counts - expected) ** 2).sum() / (expected * 5 / 8) < 30


@pytest.mark.parametrize(
    ("patches", "message"), [(9, "must be at most 8, the patches of"), (-1, "negative")]
)
def test_patches_that_there_are_not_are_refused(patches: int, message: str) -> None:
    settings = (
        "sampling.grow=true",
        "system.small_size=[8, 8, 8]",
        f"sampling.patches_per_state={patches}",
    )
    with pytest.raises(ValueError, match=f"sampling.patches_per_state must .*{message}|{message}"):
        Design.of(load_config("nbmota", True, settings))


@pytest.mark.slow
def test_what_a_small_crystal_says_of_a_large_one() -> None:
    """At rest at 6000 K: 128 sites, one of them vacant, and 1,024 of which as many are.

    To 4 errors in both shells; bond densities as they are differ by more.
    """
    system, found = alloy(sites_per_vacancy=1024), []
    for grid, state in ((system.small, system.small_states[0]), (system.large, system.large_state)):
        times = np.linspace(0.0, 3e-8 * grid.n_sites / 128, 2001)
        z, _, _ = system.path(grid, state, times, 6000.0, stream(grid.n_sites, "rest"))
        found.append((z[100:].mean(axis=0), standard_error(z[100:])))
    (small, e), (large, f) = found
    ratio = system.over_small(system.order)
    assert np.all(np.abs(large - ratio * small) < 4 * np.hypot(ratio * e, f))
    assert np.abs((large - small) / np.hypot(e, f)).max() > 6  # negative control
