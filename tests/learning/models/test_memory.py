"""A model that remembers, beside a law whose past matters and is known.

    dz = -(k z + q (z - m)) dt + s dW,    dm = (z - m) dt / theta:

fluctuations go back by k + q, and what has lasted by k.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

pytest.importorskip("torch")

from macro_ase.learning.models.arrays_at_hand import pairs_of_series
from macro_ase.learning.models.macro_model import MacroModel
from macro_ase.learning.models.training import train
from macro_ase.learning.options import TrainingOptions
from macro_ase.observables.past import Memory

pytestmark = pytest.mark.learn

K, Q, THETA, NOISE, FAR = 0.01, 0.06, 15.0, 0.1, 8.0


def step_of(theta: float) -> np.ndarray:
    """Of (z, m)."""
    return np.array([[1 - K - Q, Q], [1 / theta, 1 - 1 / theta]])


def spread_and_half_of(theta: float) -> tuple[float, int]:
    """Standard deviation, and steps in which half of a start with m = z is gone."""
    step = step_of(theta)
    half = [np.linalg.matrix_power(step, n).sum(axis=1)[0] < 0.5 for n in range(400)]
    variance = solve_discrete_lyapunov(step, np.diag([NOISE**2, 0]))[0, 0]
    return float(np.sqrt(variance)), int(np.argmax(half))


STEP, (SPREAD, HALF) = step_of(THETA), spread_and_half_of(THETA)
OPTIONS = {"drift": "network", "width": 8, "depth": 1, "members": 2, "epochs": 8, "batch_size": 500}


def series(
    rng: np.random.Generator, n: int = 12, steps: int = 1500, step: np.ndarray = STEP
) -> list[np.ndarray]:
    """From far away to fluctuations."""
    state = np.full((n, 2), FAR * SPREAD)
    path = [state[:, 0]]
    for _ in range(steps):
        state = state @ step.T
        state[:, 0] += NOISE * rng.normal(size=n)
        path.append(state[:, 0])
    return list(np.array(path).T[..., None])


@pytest.fixture(scope="module")
def known() -> list[np.ndarray]:
    return series(np.random.default_rng(1))


@pytest.fixture(scope="module")
def model(known: list[np.ndarray]) -> MacroModel:
    return MacroModel.fit_series(known, 1.0, seed=2, memory=THETA, **OPTIONS)


def spread_and_half(model: MacroModel) -> tuple[float, float]:
    paths = model.simulate(np.zeros(1), n_steps=600, paths=60, seed=3).z[..., 0]
    start = np.array([FAR * SPREAD])
    way = model.simulate(start, n_steps=300, paths=60, seed=4).z[..., 0].mean(axis=(0, 1))
    return float(paths[..., 150:].std()), float(np.argmax(way < start / 2))


@pytest.mark.slow
def test_it_has_the_spread_and_the_way_of_the_law(model: MacroModel) -> None:
    spread, half = spread_and_half(model)
    assert spread == pytest.approx(SPREAD, rel=0.06)
    assert half == pytest.approx(HALF, rel=0.12)


@pytest.mark.slow
def test_without_memory_one_of_them_is_wrong(known: list[np.ndarray]) -> None:
    spread, half = spread_and_half(MacroModel.fit_series(known, 1.0, seed=2, **OPTIONS))
    assert abs(spread / SPREAD - 1) > 0.12 or abs(half / HALF - 1) > 0.24


@pytest.mark.slow
def test_a_memory_that_grows_is_that_of_every_condition() -> None:
    """theta of 4 and of 40; one of 13 for both makes the way of one of them wrong."""
    rng, thetas = np.random.default_rng(6), {1.0: 4.0, 2.0: 40.0}
    many = [x for theta in thetas.values() for x in series(rng, 12, 1500, step_of(theta))]
    condition = [[c] for c in thetas for _ in range(12)]
    memory = Memory.through(list(thetas), list(thetas.values()))
    grown = {"memory": memory.at_0, "memory_growth": memory.growth}
    off = []
    for own in (grown, {"memory": 13.0}):
        model = MacroModel.fit_series(many, 1.0, condition, seed=2, **own, **OPTIONS)
        for c, theta in thetas.items():
            _, half = spread_and_half_of(theta)
            start = np.array([FAR * SPREAD])
            path = model.simulate(start, c, n_steps=400, paths=60, seed=4).z[..., 0]
            off.append(abs(np.argmax(path.mean(axis=(0, 1)) < start / 2) / half - 1))
    assert np.all(np.array(off[:2]) < 0.1)
    assert max(off[2:]) > 0.2
    with pytest.raises(ValueError, match=r"series 0 .* must have one condition"):
        MacroModel.fit_series([many[0]], 1.0, [np.arange(1501.0)], **grown, **OPTIONS)


@pytest.mark.parametrize("growth", ["2", None, np.nan, np.inf])
def test_a_growth_is_a_number_of_a_memory(growth: object) -> None:
    with pytest.raises(ValueError, match="memory_growth must be a finite number"):
        TrainingOptions(memory=3.0, memory_growth=growth)
    with pytest.raises(ValueError, match="memory_growth is 2, but memory is 0"):
        TrainingOptions(memory_growth=2.0)


@pytest.mark.slow
def test_it_is_the_same_when_read(model: MacroModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = MacroModel.load(tmp_path)
    assert again.options.memory == THETA and again.remembers
    first, second = (m.simulate([1.0], n_steps=20, paths=3, seed=0).z for m in (model, again))
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_a_step_knows_the_past_that_it_is_given(model: MacroModel) -> None:
    here = np.array([[0.5], [0.5]])
    later = np.hstack([here, [[0.5], [1.0]]])
    assert model.step_moments(here, np.empty(0))[0].shape == (2, 2, 1)
    alike, apart = model.step_moments(later, np.empty(0))[0].mean(axis=0)[:, 0]
    assert alike == model.step_moments(here, np.empty(0))[0].mean(axis=0)[0, 0]
    assert apart - alike == pytest.approx(Q * 0.5, rel=0.25)


@pytest.mark.slow
def test_what_needs_a_state_alone_is_refused(model: MacroModel) -> None:
    for ask in (model.drift, model.diffusion, model.potential):
        with pytest.raises(ValueError, match="depends on the past, too"):
            ask([0.0, 0.1])


def test_memory_and_past_go_together(known: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="memory is 15 and these pairs have none"):
        MacroModel.fit(np.ones((200, 1)), np.ones((200, 1)), 1.0, memory=15.0)
    pairs, none = pairs_of_series(known, None, Memory(THETA)), TrainingOptions(epochs=1)
    with pytest.raises(ValueError, match="memory is 0 and these pairs have one"):
        train(pairs, none, 0)
    with pytest.raises(ValueError, match="past must have shape"):
        replace(pairs, past=np.ones((3, 1)))
    assert np.array_equal(pairs.take(np.arange(5)).past, pairs.past[:5])


@pytest.mark.slow
def test_a_treatment_follows_the_paths() -> None:
    """The mean by the stiff solver, of the start, its past and the rest, is that of paths."""
    temperatures, rng = np.array([800.0, 1000.0, 1250.0]), np.random.default_rng(5)
    all_series = [x for _ in temperatures for x in series(rng, 4, 600)]
    condition = [[1000 / t] for t in temperatures for _ in range(4)]
    own = MacroModel.fit_series(all_series, 1.0, condition, seed=2, memory=THETA, **OPTIONS)
    start = np.array([FAR * SPREAD])
    paths = own.simulate(start, 1.0, n_steps=60, paths=400, seed=4)
    mean = own.anneal("1000 K, hold 60 s", start, paths=0, records=paths.times[[20, 40, 60]])
    way = paths.z.mean(axis=(0, 1))[[20, 40, 60], 0]
    np.testing.assert_allclose(mean.mean[1:, 0], way, atol=0.02 * FAR * SPREAD)
    found = own.equilibrate([1000.0], start, paths=60, seed=1)
    assert found.spread[0, 0] == pytest.approx(SPREAD, rel=0.1)
    assert own.rests([[1.0]])[0, 0, 0] == pytest.approx(0, abs=0.3 * SPREAD)
