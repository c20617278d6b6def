"""Patches of fields: one step is that of the whole, changes add up, interpolation, relaxation."""

from typing import Any

import numpy as np
import pytest

from macro_ase.systems.field_growing import interpolate, local_relax
from macro_ase.systems.field_patches import FieldPatches
from macro_ase.systems.predator_prey import PredatorPrey

QUIET = PredatorPrey(60, noise=0.0)
NOISY = PredatorPrey(60)


def states(system: PredatorPrey, n: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    return system.wave(rng.uniform(0.4, 0.6, n), 0.1, 3) + 0.05 * rng.normal(size=(n, 2, 60))


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
@pytest.mark.parametrize(("core", "buffer"), [(20, 0), (20, 6), (60, 0)])
def test_one_step_is_that_of_the_whole(boundary: str, core: int, buffer: int) -> None:
    system = PredatorPrey(60, noise=0.0, boundary=boundary)
    fields, patches = states(system), FieldPatches(system, core, buffer)
    after = patches.evolve(fields, 0.01, 0.01, 0)
    np.testing.assert_allclose(after, patches.tiles(system.advance(fields, 0.01, 0.01)), atol=1e-15)
    if core < 60:
        ring = FieldPatches(system, core, boundary="periodic").evolve(fields, 0.01, 0.01, 0)
        assert np.abs(ring - after).max() > 1e-4
        np.testing.assert_allclose(ring[..., 1:-1], after[..., 1:-1], atol=1e-15)


def test_buffers_bring_longer_steps_closer_to_the_whole() -> None:
    fields, wanted = states(QUIET), QUIET.advance(states(QUIET), 0.5, 0.01)
    errors = []
    for buffer in (0, 3, 8):
        patches = FieldPatches(QUIET, 20, buffer)
        after = patches.evolve(fields, 0.5, 0.01, 0)
        errors.append(np.abs(after - patches.tiles(wanted)).max())
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_noise_of_patches_and_its_reflection() -> None:
    fields, patches = np.repeat(states(NOISY, 1), 500, axis=0), FieldPatches(NOISY, 20)
    seed = np.random.SeedSequence(1)
    there, back = (patches.evolve(fields, 0.1, 0.01, seed, sign) for sign in (1, -1))
    still = FieldPatches(QUIET, 20).evolve(fields[:1], 0.1, 0.01, 0)
    odd, even = (there - back) / 2, (there + back) / 2 - still
    means = odd.mean(axis=-1)
    assert np.abs(even).max() < 0.05 * np.abs(odd).max()
    np.testing.assert_allclose(means.std(axis=0), 0.02 * np.sqrt(0.1 / 20), rtol=0.15)
    correlation = np.corrcoef(means[:, :, 0].T) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(500)


def test_changes_of_patches_add_up_to_that_of_the_whole() -> None:
    fields, patches = states(NOISY), FieldPatches(NOISY, 20)
    tiles = patches.tiles(fields)
    np.testing.assert_allclose(tiles.mean(axis=(1, 3)), NOISY.observe(fields), atol=1e-15)
    assert tiles.shape == (3, 3, 2, 20)
    np.testing.assert_array_equal(tiles[1, 2, 0], fields[1, 0, 40:])


def test_interpolation() -> None:
    line = np.arange(6.0) * np.ones((2, 2, 1))
    fine = interpolate(line, 2)
    np.testing.assert_allclose(fine[0, 0, 1:-1], np.arange(0.25, 5, 0.5))
    np.testing.assert_allclose(fine[0, 0, [0, -1]], [0, 5])
    np.testing.assert_array_equal(interpolate(line, 1), line)
    wave = PredatorPrey(100).wave(0.5, 0.1)
    np.testing.assert_allclose(interpolate(wave, 2), PredatorPrey(200).wave(0.5, 0.1), atol=3e-3)
    noise = np.random.default_rng(0).normal(size=(1, 1, 20_000))
    assert interpolate(noise, 2).var() == pytest.approx(10 / 16, rel=0.03)
    with pytest.raises(ValueError, match="factor must be at least 1, not 0"):
        interpolate(line, 0)


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
def test_local_relaxation_in_short_sweeps_is_the_dynamics(boundary: str) -> None:
    system = PredatorPrey(60, noise=0.0, boundary=boundary)
    fields, patches = states(system), FieldPatches(system, 20)
    whole = system.advance(fields, 0.4, 0.01)
    np.testing.assert_allclose(local_relax(patches, fields, 0.4, 0.01, 0.01, 0), whole, atol=1e-12)
    longer = local_relax(patches, fields, 0.4, 0.1, 0.01, 0)
    assert 1e-5 < np.abs(longer - whole).max() < 0.02
    np.testing.assert_array_equal(local_relax(patches, fields, 0.0, 0.1, 0.01, 0), fields)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FieldPatches(NOISY, 7), "that divides 60, not 7"),
        (lambda: FieldPatches(NOISY, 20, 21), "buffer must have 0 to 20 cells, not 21"),
        (lambda: FieldPatches(NOISY, 20, 0, "open"), "boundary must be one of frozen, periodic"),
        (lambda: FieldPatches(NOISY, 20, 2, "periodic"), "periodic patch has no buffer"),
    ],
)
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
