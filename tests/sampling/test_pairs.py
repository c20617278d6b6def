"""Training pairs of spin systems: what they hold, and that they are what the whole does."""

from dataclasses import replace

import numpy as np

from macro_ase.analysis.assumptions import check_patches
from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss
from macro_ase.observables.spin_correlations import next_correlations
from macro_ase.rng import stream
from macro_ase.sampling.pairs import pairs_chunk, wholes_chunk
from macro_ase.systems.base import no_closure
from macro_ase.systems.curie_weiss import CurieWeissSystem
from macro_ase.systems.ising import IsingSystem
from macro_ase.systems.spin_system import SpinPlan

ISING, MEAN_FIELD = IsingSystem(2.5, 0.1), CurieWeissSystem(1.1, 0.1)
SAMPLING = SpinPlan(
    small=8,
    large=32,
    magnetisation=(-0.7, 0.7),
    ages=(0.0, 2.0, 8.0),
    relax_time=0.5,
    dt=0.5,
    buffer=2,
)


def chunk(system, plan, starts, closure, number=0):
    """Pairs of a chunk."""
    return pairs_chunk(system, plan, starts, closure, {}, stream(0, "pairs", number), number)


def checked(plan, starts, number=0):
    """Patches and wholes of a chunk."""
    return wholes_chunk(ISING, plan, starts, {}, stream(0, "check", number), number)


def test_shapes_and_bytes() -> None:
    one, same = (chunk(ISING, SAMPLING, 6, next_correlations, 4) for _ in range(2))
    assert one["z0"].shape == one["dz"].shape == one["mean"].shape == (18, 4)
    np.testing.assert_array_equal(one["snapshot"], 24 + np.repeat(np.arange(6), 3))
    for name, values in one.items():
        np.testing.assert_array_equal(values, same[name])
    other = chunk(ISING, SAMPLING, 6, next_correlations, 5)
    assert np.any(other["dz"] != one["dz"])


def test_closures_are_means_over_tiles() -> None:
    spins = ISING.random_states(32, [0.2, -0.4], 0)
    values = ISING.z(SAMPLING, spins, lambda tiles: tiles.mean(axis=1)[:, None])
    np.testing.assert_allclose(values[:, 2], spins.mean(axis=1))


def test_the_drift_of_curie_weiss_is_exact_up_to_the_relaxation_of_the_patch() -> None:
    """Over dt the patch's own spins relax: the drift is lower by (1 - exp(-dt)) / dt."""
    dt = 0.1
    sampling = replace(
        SAMPLING, large=64, magnetisation=(-0.5, 0.5), ages=(0.0,), relax_time=0.0, dt=dt, buffer=0
    )
    pairs = chunk(MEAN_FIELD, sampling, 200, no_closure, 0)
    exact = ExactCurieWeiss(64**2, 1.1, 0.1)
    births, deaths = exact.rates
    drift = np.interp(pairs["z0"][:, 0], exact.magnetisation, 2 * (births - deaths) / 64**2)
    rest = pairs["mean"][:, 0] - drift * (1 - np.exp(-dt))
    assert abs(rest.mean()) < 4 * rest.std() / np.sqrt(len(rest)) + 2e-6
    wrong = pairs["mean"][:, 0] - drift * dt
    assert abs(wrong.mean()) > 10 * wrong.std() / np.sqrt(len(rest))


def test_patches_and_wholes_agree() -> None:
    late = replace(SAMPLING, magnetisation=(0.6, 0.8), ages=(20.0, 40.0), relax_time=4.0)
    check = check_patches(checked(late, 60))
    assert abs(check.drift_slope - 1) < max(0.1, 4 * check.drift_slope_error)
    assert abs(check.covariance_ratio - 1) < max(0.1, 4 * check.covariance_ratio_error)


def test_the_naive_baseline_takes_the_patch_for_the_whole() -> None:
    """Its increments are those of one patch, larger by the patches' own spread."""
    naive = chunk(ISING, replace(SAMPLING, baseline="naive"), 60, no_closure)
    ours = chunk(ISING, SAMPLING, 60, no_closure, 0)
    np.testing.assert_array_equal(naive["z0"], ours["z0"])
    np.testing.assert_array_equal(naive["dz"], naive["mean"])
    assert naive["dz"][:, 0].std() > 3 * ours["dz"][:, 0].std()


def test_chunks_of_a_check_go_on_counting_snapshots() -> None:
    first, second = (checked(SAMPLING, 4, number) for number in (0, 1))
    snapshots = np.concatenate([first["whole_snapshot"], second["whole_snapshot"]])
    np.testing.assert_array_equal(snapshots, np.arange(24))
    np.testing.assert_array_equal(second["snapshot"], np.repeat(12 + np.arange(12), 16))
    assert np.any(first["whole_z0"] != second["whole_z0"])


def test_little_periodic_systems_have_the_wrong_drift_of_bonds() -> None:
    """The same states, patches in true surroundings and as systems of their own."""
    late = replace(SAMPLING, magnetisation=(-0.8, -0.7), ages=(10.0,), dt=1.0, buffer=4)
    means = {}
    for boundary in ("frozen", "periodic"):
        pairs = chunk(ISING, replace(late, boundary=boundary), 200, no_closure)
        means[boundary] = pairs["mean"][:, 1]
    difference = means["periodic"] - means["frozen"]
    assert difference.mean() < -5 * difference.std() / np.sqrt(200)
