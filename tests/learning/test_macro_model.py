"""The macro model: its clock, its files, its paths."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase.learning.macro_model import Clock, MacroModel  # noqa: E402
from macro_ase.learning.pairs import PairBatch  # noqa: E402
from macro_ase.learning.training import TrainingOptions, train  # noqa: E402

pytestmark = pytest.mark.learn
CONDITION = np.array([0.5, 1 / 3])


def model(drift: str = "onsager", varying: bool = True) -> MacroModel:
    rng = np.random.default_rng(0)
    n = 400
    inverse = rng.choice([0.4, 0.5, 0.6], n) if varying else np.full(n, 0.5)
    z0 = rng.normal([1.0, 2.0], 0.1, (n, 2))
    dz = -0.1 * (z0 - [1.0, 2.0]) + rng.normal(0, 0.05, (n, 2))
    condition = np.column_stack([inverse, np.full(n, 1 / 3)])
    options = TrainingOptions(drift=drift, width=8, depth=1, members=2, epochs=2)
    trained = train(PairBatch(z0, dz, condition, np.arange(n) // 4), options, 0)
    clock = Clock(np.array([0.4, 0.5, 0.6]), np.log([1e-12, 3e-12, 2e-11]))
    return MacroModel(trained, options, ("a", "b"), 500, 1024.0, clock)


def run(m: MacroModel, **changes: int) -> np.ndarray:
    settings = {"n_steps": 12, "n_sites": 8192, "paths": 5, "seed": 0} | changes
    return m.simulate(np.array([1.2, 1.9]), CONDITION, **settings).z  # type: ignore[arg-type]


def test_the_clock_is_exact_for_an_arrhenius_law() -> None:
    activation, attempt = 1.7 / 8.617333e-5, 1e13
    temperatures = np.array([3000.0, 2000.0, 1500.0])
    clock = Clock(1000 / temperatures, activation / temperatures - np.log(attempt))
    for t in (5000.0, 3000.0, 2600.0, 2000.0, 1777.0, 1500.0, 900.0, 300.0):
        assert clock.tau_w(t) == pytest.approx(np.exp(activation / t) / attempt, rel=1e-9)


def test_the_clock_goes_through_its_points() -> None:
    x, log_tau = np.array([0.3, 0.5, 1.0]), np.array([-27.0, -26.0, -20.0])
    clock = Clock(x, log_tau)
    np.testing.assert_allclose([np.log(clock.tau_w(1000 / a)) for a in x], log_tau, rtol=1e-12)
    assert np.log(clock.tau_w(1000 / 0.4)) == pytest.approx(-26.5)
    one = Clock(np.array([0.5]), np.array([-26.0]))
    assert one.tau_w(777.0) == pytest.approx(np.exp(-26.0))


def test_the_step_is_so_many_residence_times() -> None:
    m = model()
    assert m.dt(2000.0) == pytest.approx(500 * 3e-12)
    times = m.simulate(np.array([1.0, 2.0]), CONDITION, 3, 1024).times
    np.testing.assert_allclose(times, 500 * 3e-12 * np.arange(4))


@pytest.mark.parametrize("drift", ["onsager", "network"])
@pytest.mark.parametrize("varying", [True, False])
def test_saved_and_loaded_it_gives_the_same_paths(
    tmp_path: Path, drift: str, varying: bool
) -> None:
    m = model(drift, varying)
    m.save(tmp_path / "model")
    back = MacroModel.load(tmp_path / "model")
    assert run(m).tobytes() == run(back).tobytes()
    assert (back.z_names, back.step_events, back.sites_per_patch) == (("a", "b"), 500, 1024.0)
    assert back.options == m.options and back.dt(1234.5) == m.dt(1234.5)
    assert back.trained.eps == m.trained.eps
    np.testing.assert_array_equal(back.trained.history, m.trained.history)


def test_seeds_and_starts() -> None:
    m = model()
    assert run(m).shape == (2, 5, 13, 2)
    np.testing.assert_array_equal(run(m), run(m))
    assert not np.array_equal(run(m), run(m, seed=1))
    np.testing.assert_allclose(run(m)[:, :, 0], np.broadcast_to([1.2, 1.9], (2, 5, 2)), rtol=1e-6)


def test_k_defaults_to_sites_over_sites_per_patch() -> None:
    m = model()
    np.testing.assert_array_equal(run(m), run(m, n_patches=8))
    assert not np.array_equal(run(m), run(m, n_patches=9))


@pytest.mark.parametrize("change", ["n_steps", "n_sites", "n_patches", "paths"])
def test_sizes_must_be_positive(change: str) -> None:
    with pytest.raises(ValueError, match="sizes, numbers and times must be positive"):
        run(model(), **{change: 0})


def damage(folder: Path, how: str) -> None:
    text, weights = folder / "model.json", folder / "weights.safetensors"
    data = json.loads(text.read_text())
    if how == "truncated json":
        text.write_text(text.read_text()[:100])
    if how == "not an object":
        text.write_text("[1, 2]")
    if how == "truncated weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    if how == "empty weights":
        weights.write_bytes(b"")
    if how == "key missing":
        del data["clock"]
        text.write_text(json.dumps(data))
    if how == "other format":
        text.write_text(json.dumps(data | {"format": "something else"}))
    if how == "unknown option":
        data["options"]["colour"] = "red"
        text.write_text(json.dumps(data))
    if how == "other width":
        data["options"]["width"] = 9
        text.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "how",
    [
        "truncated json",
        "not an object",
        "truncated weights",
        "empty weights",
        "key missing",
        "other format",
        "unknown option",
        "other width",
    ],
)
def test_a_damaged_model_is_one_clear_error(tmp_path: Path, how: str) -> None:
    model().save(tmp_path / "model")
    damage(tmp_path / "model", how)
    with pytest.raises(ValueError, match=r"holds no complete model|model format") as found:
        MacroModel.load(tmp_path / "model")
    assert "something else" in str(found.value) if how == "other format" else True


@pytest.mark.parametrize("gone", ["model.json", "weights.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, gone: str) -> None:
    model().save(tmp_path / "model")
    (tmp_path / "model" / gone).unlink()
    with pytest.raises(FileNotFoundError, match=gone):
        MacroModel.load(tmp_path / "model")


def test_the_mean_step_is_that_of_many_paths() -> None:
    """Without noise, within 4 sigma; twice as many patches are told apart."""
    m, z0 = model(), np.array([1.3, 1.8])
    moved = m.simulate(z0, CONDITION, 1, 1024 * 64, paths=4000).z[:, :, 1] - z0
    mean = moved.mean(axis=(0, 1))
    error = moved.std(axis=1).mean(axis=0) / np.sqrt(moved[..., 0].size)
    step = m.step_means(z0[None], CONDITION[None], 1024 * 64)[0]
    assert np.all(np.abs(mean - step) < 4 * error + 1e-3 * np.abs(step))
    doubled = m.step_means(z0[None], CONDITION[None], 1024 * 64, n_patches=128)[0]
    assert np.any(np.abs(mean - doubled) > 8 * error)


def test_records_at_another_interval_and_starts_of_their_own() -> None:
    """Coarser records of finer steps: the noise-free limit of many patches is the same path."""
    m, starts = model(), np.array([[1.2, 1.9], [0.9, 2.1]])
    dt = m.dt(2000.0)
    options = {"condition": CONDITION, "n_sites": 10**9, "n_patches": 10**9 // 1024, "paths": 2}
    fine = m.simulate(starts, n_steps=12, **options)  # type: ignore[arg-type]
    coarse = m.simulate(starts, n_steps=4, interval=3 * dt, substeps=12, **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(coarse.times, fine.times[::3])
    np.testing.assert_allclose(coarse.z[0, :, 0], starts, atol=1e-6)
    np.testing.assert_allclose(coarse.z, fine.z[:, :, ::3], atol=2e-3)
    assert np.abs(fine.z[0, 0, -1] - fine.z[0, 1, -1]).max() > 0.05
    with pytest.raises(ValueError, match="must be positive"):
        m.simulate(starts, n_steps=4, interval=0.0, **options)  # type: ignore[arg-type]
