"""Patches of every field system, on lines and squares: drift, noise and growth are the whole's."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from macro_ase.systems.allen_cahn import AllenCahn
from macro_ase.systems.field import FieldSystem
from macro_ase.systems.field_growing import interpolate, local_relax, repeat
from macro_ase.systems.field_patches import FieldPatches

from .own_fields import FisherKPP, SwiftHohenberg

STEP = {"AllenCahn": 1e-4, "FisherKPP": 0.01, "SwiftHohenberg": 0.001}
QUIET = [
    FisherKPP(cells=24),
    FisherKPP(cells=(12, 24), axes=2),
    SwiftHohenberg(cells=24),
    SwiftHohenberg(cells=24, axes=2),
    AllenCahn(24, width=0.1),
]


def label(system: FieldSystem) -> str:
    return f"{type(system).__name__}-{len(system.grid)}d"


def states(system: FieldSystem, n: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 0.5, (n, 1, *system.grid))


@pytest.fixture(params=QUIET, ids=label)
def quiet(request: Any) -> FieldSystem:
    return request.param


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
def test_one_step_is_that_of_the_whole(quiet: FieldSystem, boundary: str) -> None:
    system, dt = quiet.changed(boundary=boundary), STEP[type(quiet).__name__]
    fields = states(system)
    for core, buffer in ((6, 0), (6, 2), (system.grid, 0)):
        patches = FieldPatches(system, core, buffer)
        after = patches.evolve(fields, dt, dt, 0)
        whole = patches.tiles(system.advance(fields, dt, dt))
        np.testing.assert_allclose(after, whole, atol=1e-13)
    ring = FieldPatches(system, 6, boundary="periodic").evolve(fields, dt, dt, 0)
    inner = (..., *(slice(system.ghost, -system.ghost),) * len(system.grid))
    own = FieldPatches(system, 6).evolve(fields, dt, dt, 0)
    np.testing.assert_allclose(ring[inner], own[inner], atol=1e-13)
    assert np.abs(ring - own).max() > 1e-4


def test_drifts_of_patches_add_up_to_second_order(quiet: FieldSystem) -> None:
    """What one patch gains from frozen neighbours they lose: the sum is off by dt^2."""
    dt, patches = STEP[type(quiet).__name__], FieldPatches(quiet, 6)
    fields, off = states(quiet, 4), []
    for time in (2 * dt, 4 * dt, 8 * dt):
        after = patches.evolve(fields, time, dt / 8, 0)
        whole = quiet.advance(fields, time, dt / 8)
        mean = after.reshape(len(fields), -1).mean(axis=1) - whole.reshape(len(fields), -1).mean(1)
        off.append(np.sqrt((mean**2).mean()))
    slopes = np.diff(np.log2(off))
    assert np.all(slopes > 1.6) and np.all(slopes < 2.4)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("own", ["additive", "multiplicative"])
def test_noise_of_a_patch_is_k_times_the_wholes(axes: int, own: str) -> None:
    kind = FisherKPP if own == "multiplicative" else SwiftHohenberg
    system = kind(cells=12, axes=axes, noise=0.05, noise_kind="white")
    fields = np.repeat(states(system, 1), 1000, axis=0)
    seed, odd = np.random.SeedSequence(1), {}
    for core in (6, 12):
        patches = FieldPatches(system, core)
        there, back = (patches.evolve(fields, 0.02, 0.004, seed, s) for s in (1, -1))
        odd[core] = (there - back).reshape(1000, patches.number, -1).mean(axis=-1) / 2
    patches = FieldPatches(system, 6)
    ratio = odd[6].var(axis=0).mean() / odd[12].var() / patches.number
    assert ratio == pytest.approx(1, abs=4 * np.sqrt(2 / 1000 * (1 + 1 / patches.number)))
    between = np.corrcoef(odd[6].T) - np.eye(patches.number)
    assert np.abs(between).max() < 4.5 / np.sqrt(1000)
    doubled = system.changed(noise=0.1)  # what the same test must refuse
    wide = FieldPatches(doubled, 6).evolve(fields, 0.02, 0.004, seed)
    assert wide.reshape(1000, patches.number, -1).mean(-1).var(axis=0).mean() > 3 * odd[6].var()


def test_growing_in_two_dimensions() -> None:
    x, y = np.meshgrid(np.arange(4.0), np.arange(6.0), indexing="ij")
    plane = (x + 10 * y)[None, None]
    fine = interpolate(plane, 2)
    wanted = 0.5 * np.arange(8)[:, None] - 0.25 + 10 * (0.5 * np.arange(12) - 0.25)
    np.testing.assert_allclose(fine[0, 0, 1:-1, 1:-1], wanted[1:-1, 1:-1])
    np.testing.assert_allclose(interpolate(plane, 1), plane)
    wave = np.cos(2 * np.pi * (np.arange(32) + 0.5) / 32)[None, None]
    exact = np.cos(2 * np.pi * (np.arange(64) + 0.5) / 64)
    assert np.abs(interpolate(wave, 2, True)[0, 0] - exact).max() < 0.01
    assert np.abs(interpolate(wave[..., 3:], 2)[0, 0, 0] - wave[0, 0, 3]) < 1e-12
    mirrored = repeat(plane, 2)
    np.testing.assert_array_equal(mirrored[0, 0, 4:, :6], plane[0, 0, ::-1])
    np.testing.assert_array_equal(repeat(plane, 2, True)[0, 0, 4:, 6:], plane[0, 0])


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
@pytest.mark.parametrize("kind", [FisherKPP, SwiftHohenberg])
def test_relaxation_in_windows_is_near_that_of_the_whole(kind: Any, boundary: str) -> None:
    """Copies that meet at a seam heal as the whole does, and every cell moves."""
    system = kind(cells=32, axes=2, boundary=boundary)
    small = states(system.on_grid(16), 1)
    fields = repeat(small, 2)
    patches, dt = FieldPatches(system, 8), STEP[kind.__name__] / 4
    relaxed = local_relax(patches, fields, 8 * dt, 2 * dt, dt, 0)
    whole = system.advance(fields, 8 * dt, dt)
    moved = np.abs(whole - fields).max()
    assert np.abs(relaxed - whole).max() < 0.3 * moved
    assert np.sqrt(((relaxed - whole) ** 2).mean()) < 0.05 * np.sqrt(((whole - fields) ** 2).mean())
    unshifted = local_relax(patches, fields, 8 * dt, 8 * dt, dt, 0)
    assert np.abs(unshifted - whole).max() > np.abs(relaxed - whole).max()


def test_refusals_of_cores() -> None:
    system = SwiftHohenberg(cells=24)
    with pytest.raises(ValueError, match="divides 24 and is at least 4, not 3"):
        FieldPatches(system, 3)
    with pytest.raises(ValueError, match="divides 24"):
        replace(FieldPatches(system, 6), core=7)
