"""Heat treatments of a linear model against their exact law; a wrong clock must be seen."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.models import annealing, treated_paths
from macro_ase.learning.models.heat_treatment import HeatTreatment
from macro_ase.schedule import Schedule

from .linear_model import KAPPA, NOISE, equilibrium, linear_model, only_steps, step_s

pytestmark = pytest.mark.learn
SITES = 1600.0
START = np.array([1.0, 0.66])
RAMP = "2800 K, hold 1 ns, 2e9 K/s to 1650 K, hold 2 us"
FLUCTUATION = np.sqrt(NOISE**2 / (2 * KAPPA) * 100.0 / SITES)
"""Exact standard deviation at rest, of n = 16 n_s."""


def exact(schedule: Schedule, times: np.ndarray, q=np.ones_like) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, shape (n, 2): dz / ds = -kappa (z - z_eq(T)) by a fine quadrature.

    z(s) = z0 e^(-kappa s) + kappa integral e^(-kappa (s - s')) z_eq(s') ds'
    """
    grid = np.unique(np.concatenate([np.linspace(0, schedule.duration, 10_001), times]))
    own = schedule.temperature_at((grid[1:] + grid[:-1]) / 2)
    ds = np.diff(grid) / step_s(own) / q(own)
    kept = np.exp(-KAPPA * ds[:, None])
    z, rows = START.copy(), [START]
    target = equilibrium(own)
    for share, rest in zip(kept, target):
        z = rest + (z - rest) * share
        rows.append(z)
    s = np.concatenate([[0.0], np.cumsum(ds)])
    k = np.searchsorted(grid, times)
    variance = FLUCTUATION**2 * (1 - np.exp(-2 * KAPPA * s[k][:, None]))
    return np.array(rows)[k], variance


def run(text: str = RAMP, model=None, **options) -> HeatTreatment:
    usual = {"n_sites": SITES, "paths": 0, "records": 40, "seed": 1}
    return (model or linear_model()).anneal(text, START, **(usual | options))


def test_the_mean_is_exact_along_ramps_and_a_frozen_clock_is_not() -> None:
    """Within 1e-4 where the order moves by .1; frozen at the first temperature it misses by .02."""
    r = run()
    mean, _ = exact(Schedule.parse(RAMP), r.times)
    assert np.ptp(mean, axis=0).min() > 0.05
    assert np.abs(r.mean - mean).max() < 1e-4
    wrong = run(model=linear_model(frozen_at=2800.0))
    asked = np.stack([np.interp(r.times, wrong.times, own) for own in wrong.mean.T], axis=1)
    assert np.abs(asked - mean).max() > 0.02


def test_paths_have_the_exact_mean_and_variance() -> None:
    """4 standard errors of 800 paths at every record, and 1 % of steps of .05 / 4."""
    r = run(paths=800)
    mean, variance = exact(Schedule.parse(RAMP), r.times)
    error = np.sqrt(variance / 800)
    off = np.abs(r.paths[0].mean(axis=0) - mean)
    assert np.all(off < 4.5 * error + 0.01 * np.abs(mean - START) + 1e-6)
    late = variance[:, 0] > 0.5 * FLUCTUATION[0] ** 2
    ratio = r.paths[0].var(axis=0)[late] / variance[late]
    assert late.sum() > 20 and np.abs(ratio - 1).max() < 4.5 * np.sqrt(2 / 800) + 0.02


@pytest.mark.slow
def test_halving_the_steps_changes_nothing_beyond_the_error() -> None:
    coarse, fine = (run(model=linear_model(n), paths=500, records=[2e-7, 6e-7]) for n in (4, 8))
    error = np.sqrt(2 / 500) * FLUCTUATION
    off = np.abs(coarse.paths.mean(axis=(0, 1)) - fine.paths.mean(axis=(0, 1)))
    assert np.all(off < 4 * error)
    spread = coarse.paths[0, :, 1:].std(axis=0) / fine.paths[0, :, 1:].std(axis=0)
    assert np.abs(spread - 1).max() < 4.5 / np.sqrt(500) + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("substeps", [1, 2])
def test_jumps_have_the_law_of_the_steps(substeps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean, spread and correlation of records that are four relaxation times and more apart."""
    text, model = "1800 K, hold 3 us", linear_model(substeps)
    at = np.array([0.2, 1.1, 2.0, 3.0]) * 1e-6
    jumped = run(text, model, paths=1000, records=at)
    only_steps(monkeypatch)
    stepped = run(text, model, paths=1000, records=at, seed=2)
    for r in (jumped, stepped):
        assert np.all(np.abs(r.paths[0].mean(axis=0) - r.mean) < 4.5 / 1000**0.5 * FLUCTUATION)
    ratio = jumped.paths[0, :, 1:].std(axis=0) / stepped.paths[0, :, 1:].std(axis=0)
    assert np.abs(ratio - 1).max() < 4.5 / np.sqrt(1000)
    for k in range(2):
        one, other = (np.corrcoef(r.paths[0, :, 1:, k].T) for r in (jumped, stepped))
        assert np.abs(one - other).max() < 4.5 * np.sqrt(2 / 1000)


def test_a_ramp_by_short_jumps_has_the_exact_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """While temperature and mean move, with next to no steps."""
    at, plans, plan = [1e-7, 5e-7, 6e-7, 2.5e-6], [], treated_paths.legs
    monkeypatch.setattr(annealing, "legs", lambda *a: plans.append(plan(*a)) or plans[-1])
    r = run(paths=2000, records=at)
    mean, variance = exact(Schedule.parse(RAMP), r.times)
    off = np.abs(r.paths[0].mean(axis=0) - mean)
    assert np.all(off < 4.5 * np.sqrt(variance / 1000) + 2e-4)
    spread = r.paths[0, :, 1:].std(axis=0) / np.sqrt(variance[1:])
    assert np.abs(spread - 1).max() < 4.5 / np.sqrt(2000) + 0.01
    jumps = [leg.jump for leg in plans[0] if leg.jump]
    steps = sum(len(leg.temperatures) for leg in plans[0] if not leg.jump)
    assert len(jumps) > 5 and sum(jump.number for jump in jumps) > 20 * steps


def test_a_hold_of_1e9_relaxation_times_costs_what_a_short_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By steps of the plan; the law at its end is that of rest."""
    plans = []
    plan = treated_paths.legs
    monkeypatch.setattr(annealing, "legs", lambda *a: plans.append(plan(*a)) or plans[-1])
    long = "2000 K, hold 1e-7 s, 1e9 K/s to 1700 K, hold 100 s"
    r = run(long, paths=500)
    run(long.replace("100 s", "1e-5 s"), paths=2)
    steps = [sum(len(leg.temperatures) for leg in legs) for legs in plans]
    assert steps[0] < 2 * steps[1] < 40_000
    assert 100 / step_s(np.array(1700.0)) * KAPPA.max() > 5e8
    assert np.abs(r.mean[-1] - equilibrium(1700.0)).max() < 1e-4
    assert np.abs(r.paths[0, :, -1].std(axis=0) / FLUCTUATION - 1).max() < 4.5 / np.sqrt(1000)


def test_slow_ramps_follow_equilibrium_whatever_they_last() -> None:
    r = run("2800 K, 10 K/h to 1700 K", paths=20)
    settled = r.times > 1e-4
    assert settled.sum() > 20
    assert np.abs(r.mean - equilibrium(r.temperatures))[settled].max() < 1e-4
    assert np.abs(r.paths[0, :, -1] - r.mean[-1]).max() < 5 * FLUCTUATION.max()


def test_what_is_cold_stands_still() -> None:
    """The clock of 1 K has no steps that a number could hold; zero steps are right."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = run("2800 K, quench to 1 K, hold 1e9 h", paths=3, records=10)
    assert np.all(r.paths == r.paths[:, :, :1]) and np.all(r.mean == r.mean[0])
    np.testing.assert_allclose(r.mean[0], START)


def test_laboratory_time_is_scaled_with_the_temperature() -> None:
    """A vacancy in 1e6 of what was simulated takes 1e6 times as long, at any temperature."""

    def scale(temperature):
        return 1e6 * np.exp(-(2500 / temperature))

    schedule = Schedule.parse("2800 K, 2000 K/s to 1650 K")
    r = linear_model().anneal(schedule, START, SITES, paths=0, records=20, time_scale=scale)
    mean, _ = exact(schedule, r.times, scale)
    assert np.abs(r.mean - mean).max() < 2e-4
    with pytest.raises(ValueError, match=r"time_scale must be above 0, and is -1 at 2800 K"):
        run(time_scale=lambda t: -1.0)


@pytest.mark.slow
def test_outside_the_training_is_said_once_and_widens_the_band() -> None:
    """Not after a quench that is too quick to move anything."""
    m = linear_model(shifts=(0.0, 0.004))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = run("2000 K, hold 1 us", m, paths=500)
        apart = np.ptp(inside.members[:, -1, 0]) / np.sqrt(2)
    with pytest.warns(UserWarning) as told:
        cold = run("2000 K, hold 1 us, quench to 1400 K, hold 1 ms", m, paths=500)
    (one,) = told
    assert "temperatures are 1400 to 2000 K, and were 1600 to 3000 K in training" in str(
        one.message
    )
    assert "wider" in str(one.message)
    assert inside.outside.max() == 0
    beyond = (1000 / 1400 - 1000 / 1600) / np.ptp([1000 / 3000, 1000 / 1600])
    assert cold.outside[-1] == pytest.approx(beyond, rel=1e-2)
    widths = [np.diff(r.band_68[:, -1, 0], axis=0)[0] / 2 for r in (inside, cold)]
    assert np.hypot(widths[0], beyond * apart) == pytest.approx(widths[1], rel=0.1)
    with pytest.warns(UserWarning, match="extrapolates"):
        quick = run(
            "2000 K, hold 1 us, quench to 1400 K, hold 1 fs".replace("fs", "ns"), m, paths=50
        )
    assert quick.outside[-1] < 1e-3


def test_bands_hold_so_many_paths_and_follow_linear_maps() -> None:
    r = run(paths=400, model=linear_model(shifts=(0.0, 0.0)))
    inside = (r.paths > r.band_68[0]) & (r.paths < r.band_68[1])
    assert inside[:, :, 10:].mean() == pytest.approx(0.68, abs=0.03)
    doubled = r.of(lambda z: 2 * z[..., :1], ("twice a",))
    np.testing.assert_allclose(doubled.band_95, 2 * r.band_95[..., :1])
    columns, values = doubled.table()
    assert columns[:4] == ["time_s", "temperature_K", "twice a", "twice a low 68"]
    assert values.shape == (len(r.times), 7) and np.all(np.diff(values[:, 0]) > 0)


@pytest.mark.parametrize("text", ["2400 K", "2400 K, quench to 1700 K"])
def test_a_schedule_that_takes_no_time_leaves_all_as_it_was(text: str) -> None:
    r = run(text, paths=3)
    assert r.times.tolist() == [0.0] and r.temperatures[0] == (2400 if "," not in text else 1700)
    np.testing.assert_allclose(r.paths[0, :, 0], np.tile(START, (3, 1)))


def test_an_end_that_is_rounded_is_the_end() -> None:
    text = "2000 K, hold 0.05 us, 1e10 K/s to 1400 K"
    end = Schedule.parse(text).duration
    assert end != 1.1e-7
    np.testing.assert_array_equal(run(text, paths=0, records=[5e-8, 1.1e-7]).times, [0, 5e-8, end])
    with pytest.raises(ValueError, match=r"must ascend from 0 to 1\.1e-07 s, the end"):
        run(text, paths=0, records=[5e-8, 1.1001e-7])


@pytest.mark.slow
def test_what_never_comes_to_rest_is_refused_before_it_takes_forever() -> None:
    """Diffusion without drift: no stationary law to jump to; a short hold has its exact spread."""
    free = linear_model(kappa=np.array([0.05, 0.0]))
    with pytest.raises(ValueError, match=r"asks for more than 1e.07 steps: near 2000 K"):
        run("2000 K, hold 1 h", free, paths=1)
    r = run("2000 K, hold 0.2 us", free, paths=2000)
    exact = NOISE[1] * np.sqrt(2e-7 / step_s(np.array(2000.0)) * 100 / SITES)
    assert r.paths[0, :, -1, 1].std() == pytest.approx(exact, rel=4.5 / np.sqrt(4000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paths": -1}, "paths must be 0 or more"),
        ({"records": 0}, "records must be 1"),
        ({"records": [1e-9, 1.0]}, "times of records must ascend from 0 to"),
        ({"n_sites": 0}, "n_sites must be above 0"),
        ({"condition": [1.0]}, "condition must have shape"),
    ],
)
def test_refusals(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(**options)
    with pytest.raises(ValueError, match="cannot read 'wait'"):
        run("2000 K, wait")
