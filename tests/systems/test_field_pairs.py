"""Pairs of fields: mean and covariance of their increments against wholes, closures, streams."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from macro_ase.analysis.assumptions import check_patches
from macro_ase.observables.field_moments import second_moments
from macro_ase.rng import stream
from macro_ase.sampling.pairs import pairs_chunk, tiles_chunk, wholes_chunk
from macro_ase.systems.allen_cahn import AllenCahnMeans
from macro_ase.systems.base import no_closure
from macro_ase.systems.field import FieldPlan, FieldSystem
from macro_ase.systems.predator_prey import PredatorPrey

from .own_fields import FisherKPP

LINE = PredatorPrey(80).changed(half_waves=8.0, time_step=0.01)
PLAN = LINE.plan(
    small=40,
    large=80,
    core=20,
    buffer=4,
    growing="interpolation",
    spacing=2.0,
    ages=(0.0, 1.0, 4.0, 10.0),
    relax_time=1.0,
    dt=0.1,
    increments="antithetic",
)


def rng() -> np.random.Generator:
    return np.random.default_rng(stream(0, "test"))


def states(number: int = 2) -> np.ndarray:
    return LINE.snapshots(PLAN, number, {}, np.random.default_rng(0)).states


@pytest.mark.slow
def test_increments_have_the_mean_and_k_times_the_covariance_of_the_whole() -> None:
    many = np.repeat(states(1)[2:3], 1500, axis=0)
    made = LINE.increments(PLAN, many, no_closure, {}, rng())
    whole = LINE.advance(many, 0.1, 0.01, 5)
    change = LINE.observe(whole) - made.z0
    error = change.std(axis=0) / np.sqrt(len(change))
    assert made.mean is not None
    assert np.abs((change.mean(axis=0) - made.mean.mean(axis=0)) / error).max() < 4
    assert np.abs((change.mean(axis=0) - made.dz.mean(axis=(0, 1))) / error).max() < 4.5
    ratio = 4 * change.var(axis=0) / made.dz.var(axis=(0, 1))
    np.testing.assert_allclose(ratio, 1, atol=4 * np.sqrt(2 / 1500 * 1.25))
    assert np.all(made.mean.std(axis=0) < 0.02 * change.std(axis=0))
    single = replace(PLAN, increments="single")
    plain = LINE.increments(single, many, no_closure, {}, rng()).dz
    between = plain.mean(axis=0).std(axis=0)  # what the patches' own drifts add
    assert np.all(between > 10 * made.dz.mean(axis=0).std(axis=0) / 2)


def spread(tiles: np.ndarray) -> np.ndarray:
    return ((tiles - 0.3) ** 2).mean(axis=2)


@pytest.mark.slow
def test_noise_that_is_even_in_the_random_numbers() -> None:
    """Of mean squares under strong noise: independent increments have it all, antithetic do not."""
    system = FisherKPP(noise=0.6, growth=0.1, time_step=0.02, boundary="periodic", cells=32)
    many, times = np.full((3000, 1, 32), 0.3), np.array([0.0, 0.4])
    ratio, between = {}, {}
    for name in ("independent", "antithetic"):
        plan = plan_of(system, small=8, dt=0.4, increments=name)
        dz = system.increments(plan, many, spread, {}, rng()).dz
        whole = system.wholes(plan, many, times, spread, {}, rng())
        ratio[name] = 4 * (whole[:, 1] - whole[:, 0]).var(axis=0) / dz.var(axis=0).mean(axis=0)
        between[name] = np.corrcoef(dz[..., 2].T)[np.triu_indices(4, 1)].mean()
    np.testing.assert_allclose(ratio["independent"], 1, atol=0.15)
    assert abs(between["independent"]) < 4 / np.sqrt(6 * 3000)
    assert ratio["antithetic"][2] > 1.5 and between["antithetic"] > 0.05


def test_a_patch_without_noise_has_no_odd_part() -> None:
    quiet = LINE.changed(noise=0.0)
    made = quiet.increments(PLAN, states(), second_moments, {}, rng())
    assert made.mean is not None
    np.testing.assert_allclose(made.dz, np.repeat(made.mean[:, None], 4, 1), atol=1e-18)


def test_closure_variables_are_means_over_patches() -> None:
    fields = states()
    z = LINE.z(PLAN, fields, second_moments)
    u, v = fields[:, 0], fields[:, 1]
    np.testing.assert_allclose(z[:, 2], (u * u).mean(axis=1))
    np.testing.assert_allclose(z[:, 3], (u * v).mean(axis=1))
    rates = LINE.rates(fields).mean(axis=-1)
    np.testing.assert_allclose(rates[:, 0], z[:, 0] - z[:, 2] - z[:, 3], atol=1e-14)
    np.testing.assert_allclose(rates[:, 1], 3 * (z[:, 3] - 0.4 * z[:, 1]), atol=1e-14)


def test_small_systems_are_a_coarse_picture_of_the_large() -> None:
    small = LINE.on_grid(40, 2.0)
    assert (small.n_cells, small.spacing) == (40, 2.0)
    assert small.noise == pytest.approx(0.02 / np.sqrt(2)) and LINE.on_grid(40).noise == 0.02
    white = PredatorPrey(80, noise_kind="white").on_grid(40, 2.0)
    assert white.cell_noise == pytest.approx(0.02 / np.sqrt(2))


def test_chunks_repeat_and_number_their_runs() -> None:
    def chunk(number: int) -> dict[str, Any]:
        seed = stream(3, "field-pairs", number)
        return pairs_chunk(LINE, PLAN, 5, second_moments, {}, seed, number)

    one, again = chunk(2), chunk(2)
    assert one["z0"].shape == one["dz"].shape == one["mean"].shape == (20, 4)
    np.testing.assert_array_equal(one["dz"], again["dz"])
    np.testing.assert_array_equal(np.unique(one["snapshot"]), 10 + np.arange(5))
    assert not np.array_equal(one["dz"], chunk(1)["dz"])
    tiles = tiles_chunk(LINE, PLAN, 5, {}, stream(0, "tiles"))["tiles"]
    assert tiles.shape == (5 * 4 * 4, 2, 20)


def plan_of(system: FieldSystem, **changes: Any) -> FieldPlan:
    usual: dict[str, Any] = {"small": 16, "large": 32, "ages": (0.5, 1.0), "relax_time": 0.4}
    return system.plan(**usual | {"dt": 0.1} | changes)


def test_changes_of_observables_of_neighbours_add_up() -> None:
    """The free energy of walls between patches: exact for each patch, the whole's in the sum."""
    system = AllenCahnMeans(32, edge=32.0, width=1.5, noise=0.1)
    plan = plan_of(system, core=8, dt=0.02)
    fields = system.snapshots(plan, 3, {}, rng()).states
    made = system.increments(plan, fields, no_closure, {}, rng())
    quiet = system.changed(noise=0.0)
    still = quiet.increments(plan, fields, no_closure, {}, rng())
    whole = quiet.wholes(plan, fields, np.array([0.0, 0.02]), no_closure, {}, rng())
    drift = whole[:, 1] - whole[:, 0]
    assert still.mean is not None and made.dz.shape == (6, 16, 2)
    np.testing.assert_allclose(still.mean, drift, atol=0.02 * np.abs(drift).max())
    own = np.stack([system.on_grid(8).observe(x) for x in system.tiles(plan, fields)])
    after = quiet.advance(fields, 0.02, quiet.step)
    tiles = np.stack([system.on_grid(8).observe(x) for x in system.tiles(plan, after)])
    cut = (tiles - own).mean(axis=1)  # energies of tiles alone miss their borders
    assert np.abs(cut - drift)[:, 1].max() > 3 * np.abs(still.mean - drift)[:, 1].max()


@pytest.mark.slow
@pytest.mark.parametrize("axes", [1, 2])
def test_patches_of_an_own_equation_are_the_whole(axes: int) -> None:
    """Drift, noise and independence by the function of all systems; a wrong noise is seen."""
    system = FisherKPP(axes=axes, noise=0.2, time_step=0.02, boundary="periodic")
    large, starts = (128, 60) if axes == 1 else (32, 30)
    plan = plan_of(system, large=large, small=16, dt=0.2, ages=(0.5, 1.0, 2.0, 3.0))
    chunk = wholes_chunk(system, plan, starts, {}, stream(1, "test"))
    check = check_patches(chunk)
    assert abs(check.drift_slope - 1) < 3 * check.drift_slope_error + 0.02
    assert abs(check.covariance_ratio - 1) < 4 * check.covariance_ratio_error
    assert abs(check.correlation) < 4 * check.correlation_error + 0.01
    quieter = chunk | {"whole_dz": chunk["whole_dz"] * 0.5}
    wrong = check_patches(quieter)
    assert abs(wrong.covariance_ratio - 1) > 4 * wrong.covariance_ratio_error
    assert abs(wrong.drift_slope - 1) > 10 * wrong.drift_slope_error


def test_conditions_are_attributes() -> None:
    system = FisherKPP(noise=0.0, time_step=0.02)
    plan = plan_of(system)
    start = system.start(plan, 3, 2, {}, rng())
    slow, fast = (
        system.wholes(plan, start, np.array([0.0, 1.0]), no_closure, {"growth": r}, rng())
        for r in (0.5, 1.0)
    )
    assert np.all(fast[:, 1, 0] > slow[:, 1, 0]) and start.shape == (2, 1, 32)
    assert system.model_condition({"growth": 0.5}).tolist() == [0.5]
    with pytest.raises(ValueError, match="FisherKPP has no 'grwth'"):
        system.wholes(plan, start, np.array([0.0, 1.0]), no_closure, {"grwth": 1.0}, rng())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"increments": "both"}, "increments must be of independent, antithetic, single"),
        ({"growing": "magic"}, "growing must be of repetition, interpolation"),
        ({"core": 7}, "a patch must have a number of cells that divides 32"),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_of(FisherKPP(time_step=0.02), **changes)
    with pytest.raises(ValueError, match="time_step must be above 0, not inf"):
        plan_of(FisherKPP())
    with pytest.raises(ValueError, match=r"above 0 and at most 0.3846 on .80,."):
        plan_of(LINE.changed(time_step=0.5))
