"""The macro model: its clock, its files, its paths."""

import json
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase.learning.models.macro_model import Clock, MacroModel  # noqa: E402
from macro_ase.learning.models.training import train  # noqa: E402
from macro_ase.learning.options import TrainingOptions  # noqa: E402
from macro_ase.learning.pairs import PairBatch  # noqa: E402

pytestmark = pytest.mark.learn
CONDITION = np.array([0.5, 1 / 3])


@cache
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
    return MacroModel(trained, options, ("a", "b"), 500, 1024.0, clock, substeps=4)


def run(m: MacroModel, **changes: int) -> np.ndarray:
    settings = {"n_steps": 12, "n_sites": 8192, "paths": 5, "seed": 0} | changes
    return m.simulate(np.array([1.2, 1.9]), CONDITION, **settings).z  # type: ignore[arg-type]


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


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, "many"])
@pytest.mark.parametrize("name", ["n_steps", "n_sites", "n_patches", "paths", "interval"])
def test_sizes_must_be_positive(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} .*(must|not finite)"):
        run(model(), **{name: value})  # type: ignore[arg-type]


def test_more_paths_than_fit_are_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match=r"2 x 1000000000 paths of 12000 records would need"):
        run(model(), paths=10**9, n_steps=12_000)
    with pytest.raises(ValueError, match="number of steps in all must be 1 to 1000000000"):
        run(model(), interval=1e30)


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
    if how == "more members":
        data["options"]["members"] = 3
        text.write_text(json.dumps(data))
    if how == "fewer members":
        data["options"]["members"] = 1
        text.write_text(json.dumps(data))
    if how == "a name missing":
        data["z_names"] = ["a"]
        text.write_text(json.dumps(data))
    if how == "no time step":
        data["step_events"] = 0
        text.write_text(json.dumps(data))
    if how == "clock backwards":
        data["clock"]["x"] = data["clock"]["x"][::-1]
        text.write_text(json.dumps(data))
    if how == "not text":
        text.write_bytes(b"\xff\xfe\x00" + weights.read_bytes()[:50])
    if how == "nan weights":
        from safetensors.torch import load_file, save_file

        save_file({k: v * torch.nan for k, v in load_file(weights).items()}, weights)


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
        "more members",
        "fewer members",
        "a name missing",
        "no time step",
        "clock backwards",
        "not text",
        "nan weights",
    ],
)
def test_a_damaged_model_is_one_clear_error(tmp_path: Path, how: str) -> None:
    model().save(tmp_path / "model")
    damage(tmp_path / "model", how)
    with pytest.raises(ValueError, match=f"^{tmp_path}.* holds no complete model: .") as found:
        MacroModel.load(tmp_path / "model")
    assert "\n" not in str(found.value)
    if how == "other format":
        assert "something else" in str(found.value)


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
    """Coarser records of the same steps are the same paths, noise included."""
    m, starts = model(), np.array([[1.2, 1.9], [0.9, 2.1]])
    options = {"condition": CONDITION, "n_sites": 8192, "paths": 2}
    fine = m.simulate(starts, n_steps=12, **options)  # type: ignore[arg-type]
    coarse = m.simulate(starts, n_steps=4, interval=3 * m.dt(2000.0), **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(coarse.times, fine.times[::3])
    np.testing.assert_allclose(coarse.z[0, :, 0], starts, atol=1e-6)
    np.testing.assert_allclose(coarse.z[0], fine.z[0, :, ::3], atol=1e-6)
    assert np.abs(fine.z[0, 0, -1] - fine.z[0, 1, -1]).max() > 0.05


RELAXED = np.exp(-1 / 5)
MEAN, SPREAD = np.array([0.3, -0.2]), np.array([0.1, 0.05])


@cache
def series_model(tau_w: float = 1.0, relaxed: float = RELAXED) -> MacroModel:
    """Of a user's own time series: MEAN and SPREAD, relaxed to a part during a step of dt = tau_w.

    The network holds the exact linear step, as one that was trained on endless data would.
    """
    rng = np.random.default_rng(0)
    z0 = MEAN + SPREAD * rng.normal(size=(200, 2))
    dz = (relaxed - 1) * (z0 - MEAN) + SPREAD * rng.normal(size=(200, 2))
    options = TrainingOptions("network", width=4, depth=1, members=1, epochs=1)
    trained = train(PairBatch(z0, dz, 0.5, np.arange(200) // 4), options, 0)
    scaling, (member,) = trained.scaling, trained.members
    offset = (relaxed - 1) * (scaling.z_mean - MEAN) / scaling.z_scale
    noise = np.sqrt(np.abs(1 - relaxed**2)) * SPREAD / scaling.z_scale
    with torch.no_grad():
        for network in (member.drift.network, member.diffusion.network):
            for weight in network.parameters():
                weight.zero_()
        member.drift.slope.copy_(torch.eye(2) * (relaxed - 1))
        member.drift.offset.value.copy_(torch.as_tensor(offset[:, None]))
        member.diffusion.start.copy_(torch.diag(torch.as_tensor(noise)))
    clock = Clock(np.array([1.0]), np.log([tau_w]))
    return MacroModel(trained, options, ("a", "b"), 1.0, 100.0, clock)


@pytest.mark.slow
@pytest.mark.parametrize("interval", [1.0, 3 * 0.1 / 0.1, 5.0, 7.3, 20.0, 50.0])
def test_the_interval_of_records_is_not_the_step(interval: float) -> None:
    """Exact mean after one interval and late spread, within 4 errors and .5 % of cut steps."""
    m, start = series_model(), MEAN + 3 * SPREAD
    z = m.simulate(start, 0.5, 4, 100.0, paths=4000, interval=interval, seed=1).z[0]
    exact = MEAN + 3 * SPREAD * RELAXED**interval
    assert np.all(np.abs(z[:, 1].mean(axis=0) - exact) < (4 / 4000**0.5 + 0.005) * SPREAD)
    late = m.simulate(MEAN, 0.5, 40, 100.0, paths=1000, interval=interval, seed=1).z[0, :, 30:]
    assert np.all(np.abs(late.std(axis=(0, 1)) / SPREAD - 1) < 0.03)


def test_a_step_of_one_relaxation_time_is_right_by_default_and_wrong_when_divided() -> None:
    m = series_model(relaxed=np.exp(-1.0))
    divided = replace(m, substeps=4)
    for own, right in ((m, True), (divided, False)):
        z = own.simulate(MEAN + 2 * SPREAD, 0.5, 8, 100.0, paths=4000, seed=2).z[0]
        mean = (z[:, 1].mean(axis=0) - MEAN) / SPREAD
        spread = z[:, -1].std(axis=0) / SPREAD
        assert np.all(np.abs(mean - 2 * np.exp(-1)) < 4 / 4000**0.5) == right
        assert np.all(np.abs(spread - 1) < 4 / 8000**0.5) == right


def test_times_are_in_the_unit_of_the_clock() -> None:
    """A residence time of .01 and an interval of .02 are two steps: dt enters once."""
    m, fast = series_model(), series_model(tau_w=0.01)
    slow = m.simulate(MEAN, 0.5, 5, 100.0, interval=2.0, seed=3)
    quick = fast.simulate(MEAN, 0.5, 5, 100.0, interval=0.02, seed=3)
    np.testing.assert_allclose(quick.z, slow.z)
    np.testing.assert_allclose(quick.times, 0.02 * np.arange(6))


@pytest.mark.parametrize("paths", [7, 30, 42, 333])
def test_a_model_that_was_read_gives_the_same_bytes(paths: int, tmp_path: Path) -> None:
    """Weights in the memory of a file, not aligned, round sums in another order."""
    model().save(tmp_path)
    read = MacroModel.load(tmp_path)
    np.testing.assert_array_equal(run(read, paths=paths), run(model(), paths=paths))
    pointers = [p.data_ptr() for member in read.trained.members for p in member.parameters()]
    assert all(pointer % 16 == 0 for pointer in pointers)


def test_substeps_are_saved_with_the_model(tmp_path: Path) -> None:
    replace(model(), substeps=7).save(tmp_path)
    assert MacroModel.load(tmp_path).substeps == 7
    assert series_model().substeps == 1


def test_steps_that_are_cut_short_warn_where_that_is_wrong() -> None:
    with pytest.warns(UserWarning, match="relaxes by 63%: .*wrong by about 16%.*multiples"):
        series_model(relaxed=np.exp(-1.0)).simulate(MEAN, 0.5, 2, 100.0, interval=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series_model().simulate(MEAN, 0.5, 2, 100.0, interval=7.3)
        model().simulate(MEAN, CONDITION, 2, 100.0, interval=1e-12)


def test_more_patches_a_site_take_more_steps() -> None:
    """With 8 times the patches in the same sites all is 8 times as fast: 8 steps a step."""
    m = series_model()
    dense = m.simulate(MEAN + SPREAD, 0.5, 1, 100.0, n_patches=8, paths=4000, seed=4).z[0, :, 1]
    plain = m.simulate(MEAN + SPREAD, 0.5, 8, 100.0, n_patches=1, paths=4000, seed=4).z[0, :, 8]
    np.testing.assert_allclose(dense.mean(axis=0), plain.mean(axis=0), atol=0.005)


@pytest.mark.parametrize(
    ("z0", "condition", "message"),
    [
        (np.zeros(3), CONDITION, r"z0 must have shape \(2,\), not \(3,\)"),
        (np.zeros((7, 2)), CONDITION, r"z0 must have shape \(50, 2\), not \(7, 2\)"),
        ([np.nan, 0.0], CONDITION, r"z0 is not finite, at index \[0\]: nan"),
        (["a", "b"], CONDITION, "z0 must be an array of real numbers"),
        ([1.0, 2.0], 0.5, r"condition must have shape \(2,\), not \(1,\)"),
        ([1.0, 2.0], None, r"condition must have shape \(2,\), not \(0,\)"),
        ([1.0, 2.0], [0.5, np.inf], "condition is not finite"),
    ],
)
def test_states_and_conditions_of_other_shapes_are_refused(
    z0: object, condition: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model().simulate(z0, condition, 3, 1024)  # type: ignore[arg-type]


def test_conditions_of_nothing_zero_and_a_number() -> None:
    """All the same where the condition does not matter; 0 is a condition like any other."""
    rng = np.random.default_rng(0)
    z0 = rng.normal(size=200)
    dz = -0.1 * z0 + 0.3 * rng.normal(size=200)
    options = TrainingOptions("network", width=4, depth=1, members=1, epochs=1)
    found = []
    for trained_on, asked in ((np.empty((200, 0)), None), (0.0, 0), (0.5, [0.5]), (-2.0, -2)):
        trained = train(PairBatch(z0, dz, trained_on, np.arange(200) // 4), options, 0)
        m = MacroModel(trained, options, ["x"], 0.1, 1.0, Clock([1.0], [0.0]))  # type: ignore[arg-type]
        found.append(m.simulate(0.0, asked, 3, 1.0, paths=2))
        np.testing.assert_allclose(found[-1].times, [0, 0.1, 0.2, 0.3])
        np.testing.assert_array_equal(found[-1].z, found[0].z)


def test_a_condition_outside_the_training_warns(tmp_path: Path) -> None:
    m = model()
    m.save(tmp_path)
    start = [1.0, 2.0]
    for own in (m, MacroModel.load(tmp_path)):
        with pytest.warns(UserWarning, match="condition 0 is 0.7, and was 0.4 to 0.6 in training"):
            own.simulate(start, [0.7, 1 / 3], 1, 1024)
        with pytest.warns(UserWarning, match="condition 1 is 0.5, and was 0.333333 to 0.333333"):
            own.simulate(start, [0.6, 0.5], 1, 1024)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for inverse in (0.4, 0.5, 0.6):
            m.simulate(start, [inverse, 1 / 3], 1, 1024)


def test_files_without_the_range_are_read(tmp_path: Path) -> None:
    model().save(tmp_path)
    file = tmp_path / "model.json"
    data = json.loads(file.read_text())
    del data["scaling"]["condition_range"]
    file.write_text(json.dumps(data))
    back = MacroModel.load(tmp_path)
    np.testing.assert_array_equal(run(back), run(model()))
    assert back.trained.scaling.outside(np.array([9.0, 9.0])) == ""


def test_paths_that_diverge_say_so() -> None:
    growing = series_model(relaxed=20.0)
    with pytest.warns(UserWarning, match=r"100 of 100 paths diverged, the first at time \d+:"):
        z = growing.simulate(MEAN, 0.5, 400, 1.0, n_patches=0.01, paths=100).z
    assert not np.isfinite(z[:, :, -1]).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z_names": ("a",)}, "z_names must be 2 different names, not \\('a',\\)"),
        ({"z_names": ("a", "a")}, "z_names must be 2 different names"),
        ({"z_names": "ab"}, "z_names must be 2 different names, not 'ab'"),
        ({"substeps": 0}, "substeps must be 1 or more, not 0"),
        ({"step_events": -1.0}, "step_events must be above 0, not -1"),
        ({"sites_per_patch": np.nan}, "sites_per_patch is not finite"),
        ({"options": TrainingOptions()}, "options are not those that the members were trained"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(model(), **change)  # type: ignore[arg-type]
