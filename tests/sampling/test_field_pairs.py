"""Pairs of fields: mean and covariance of their increments against wholes, closures, streams."""

from dataclasses import replace

import numpy as np
import pytest

from macro_ase.observables.field_moments import second_moments
from macro_ase.rng import stream
from macro_ase.sampling.field_pairs import (
    FieldSampling,
    changes,
    evolve_all,
    pairs_chunk,
    snapshots,
    start_of,
    tiles_chunk,
)
from macro_ase.systems.field_patches import FieldPatches
from macro_ase.systems.predator_prey import PredatorPrey

LARGE = PredatorPrey(80)
SAMPLING = FieldSampling(
    patches=FieldPatches(LARGE, 20, 4),
    small=40,
    spacing=2.0,
    means=(0.45, 0.55),
    amplitudes=(0.05, 0.15),
    half_waves=8.0,
    ages=(0.0, 1.0, 4.0, 10.0),
    relax_time=1.0,
    dt=0.1,
    time_step=0.01,
)


def no_closure(tiles: np.ndarray) -> np.ndarray:
    return np.zeros((len(tiles), 0))


def test_increments_have_the_mean_and_k_times_the_covariance_of_the_whole() -> None:
    state = snapshots(SAMPLING, 1, np.random.default_rng(0))[2:3]
    many = np.repeat(state, 1500, axis=0)
    z0, dz, mean = evolve_all(SAMPLING, many, no_closure, stream(0, "test"))
    whole = LARGE.advance(many, 0.1, 0.01, 5)
    change = LARGE.observe(whole) - z0
    error = change.std(axis=0) / np.sqrt(len(change))
    assert np.abs((change.mean(axis=0) - mean.mean(axis=0)) / error).max() < 4
    assert np.abs((change.mean(axis=0) - dz.mean(axis=(0, 1))) / error).max() < 4.5
    ratio = 4 * change.var(axis=0) / dz.var(axis=(0, 1))
    np.testing.assert_allclose(ratio, 1, atol=4 * np.sqrt(2 / 1500 * 1.25))
    assert np.all(mean.std(axis=0) < 0.02 * change.std(axis=0))
    single = replace(SAMPLING, increments="single")
    _, plain, _ = evolve_all(single, many, no_closure, stream(0, "test"))
    between = plain.mean(axis=0).std(axis=0)  # what the patches' own drifts add
    assert np.all(between > 10 * dz.mean(axis=0).std(axis=0) / 2)


def test_a_patch_without_noise_has_no_odd_part() -> None:
    quiet = replace(LARGE, noise=0.0)
    sampling = replace(SAMPLING, patches=replace(SAMPLING.patches, system=quiet))
    fields = snapshots(sampling, 2, np.random.default_rng(0))
    there, back = changes(sampling, fields, second_moments, stream(0, "test"))
    np.testing.assert_array_equal(there, back)


def test_closure_variables_are_means_over_patches() -> None:
    fields = snapshots(SAMPLING, 2, np.random.default_rng(0))
    z = start_of(SAMPLING.patches, fields, second_moments)
    u, v = fields[:, 0], fields[:, 1]
    np.testing.assert_allclose(z[:, 2], (u * u).mean(axis=1))
    np.testing.assert_allclose(z[:, 3], (u * v).mean(axis=1))
    rates = LARGE.rates(fields).mean(axis=-1)
    np.testing.assert_allclose(rates[:, 0], z[:, 0] - z[:, 2] - z[:, 3], atol=1e-14)
    np.testing.assert_allclose(rates[:, 1], 3 * (z[:, 3] - 0.4 * z[:, 1]), atol=1e-14)


def test_small_systems_are_a_coarse_picture_of_the_large() -> None:
    small = SAMPLING.small_system
    assert (small.n_cells, small.spacing, SAMPLING.factor) == (40, 2.0, 2)
    assert small.noise == pytest.approx(0.02 / np.sqrt(2))
    assert replace(SAMPLING, spacing=1.0).small_system.noise == 0.02
    own = replace(SAMPLING.patches, system=PredatorPrey(80, noise_kind="white"))
    white = replace(SAMPLING, patches=own)
    assert white.small_system.cell_noise == pytest.approx(0.02 / np.sqrt(2))


def test_chunks_repeat_and_number_their_runs() -> None:
    one, again = (pairs_chunk(SAMPLING, 5, second_moments, 3, 2) for _ in range(2))
    assert one["z0"].shape == one["dz"].shape == one["mean"].shape == (20, 4)
    np.testing.assert_array_equal(one["dz"], again["dz"])
    np.testing.assert_array_equal(np.unique(one["snapshot"]), 10 + np.arange(5))
    assert not np.array_equal(one["dz"], pairs_chunk(SAMPLING, 5, second_moments, 3, 1)["dz"])
    tiles = tiles_chunk(SAMPLING, 5, 0)["tiles"]
    assert tiles.shape == (5 * 4 * 4, 2, 20)
