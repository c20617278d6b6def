"""Models of a person's own arrays: laws that are known, and inputs of any kind."""

import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase import MacroModel  # noqa: E402

pytestmark = pytest.mark.learn
RATES, NOISE = np.array([[-1.0, 2.0], [-1.0, -0.8]]), np.array([[0.5, 0.2], [0.2, 0.4]])
SPREAD = solve_continuous_lyapunov(RATES, -NOISE)
LINEAR = {"members": 1, "epochs": 5, "width": 8, "depth": 1}
DOCS = Path(__file__).parents[3] / "docs" / "arrays.md"


def rms(x: np.ndarray) -> float:
    return float(np.sqrt((x**2).mean()))


@cache
def turning(dt: float = 0.1, n: int = 1000, size: float = 1.0) -> np.ndarray:
    """An Ornstein-Uhlenbeck process that turns, exactly, shape (100, n, 2)."""
    rng, step = np.random.default_rng(0), expm(RATES * dt)
    root = np.linalg.cholesky(SPREAD - step @ SPREAD @ step.T) * size
    z = [rng.normal(size=(100, 2)) @ np.linalg.cholesky(SPREAD).T * size]
    for _ in range(n - 1):
        z.append(z[-1] @ step.T + rng.normal(size=(100, 2)) @ root.T)
    return np.stack(z, axis=1)


def well_noise(x: np.ndarray) -> np.ndarray:
    return 0.005 * (1 + x**2)


def documented(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a snippet of docs/arrays.md makes."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    code = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[number]
    exec(code, names)
    return names["model"], names


@pytest.mark.slow
def test_a_process_that_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drift, noise and stationary moments; noise 1.1 times as large must fail."""
    drawn: list[str] = []
    monkeypatch.setattr(MacroModel, "plot", lambda _, path: drawn.append(path))
    model, names = documented(0, tmp_path, monkeypatch)
    inner = names["z"][200:].reshape(-1, 2)[::50]
    low, high = np.quantile(inner, [0.05, 0.95], axis=0)
    inner = inner[((inner > low) & (inner < high)).all(axis=1)]
    b = inner @ RATES.T
    assert rms(model.drift(inner) - b) / rms(b) < 0.05
    assert rms(model.diffusion(inner) - NOISE) / rms(NOISE) < 0.05
    late = model.simulate([0, 0], n_steps=600, paths=200, seed=3).z[:, :, 100:].reshape(-1, 2)
    size = np.sqrt(np.diag(SPREAD))
    assert np.all(np.abs(np.cov(late.T) - SPREAD) < 0.03 * np.outer(size, size))
    v = np.einsum("ni,ij,nj->n", inner, np.linalg.inv(SPREAD), inner) / 2
    assert np.std(model.potential(inner) - v) < 0.3 * np.std(v)
    assert drawn == ["law.png"]  # as `test_figures` does
    wrong = MacroModel.fit_series(list(turning(n=200, size=1.1)), 0.1, members=1, epochs=5)
    assert rms(wrong.diffusion(inner) - NOISE) / rms(NOISE) > 0.1


@pytest.mark.slow
def test_a_double_well_with_noise_that_depends_on_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, with the potential, -ln of the stationary density of Ito's equation."""
    model, names = documented(1, tmp_path, monkeypatch)
    x0, x1 = names["x0"], names["x"]
    x = np.linspace(*np.quantile(x0, [0.05, 0.95]), 200)
    noise = well_noise(x)
    assert rms(model.drift(x)[:, 0] - (x - x**3)) / rms(x - x**3) < 0.05
    assert rms(model.diffusion(x)[:, 0, 0] - noise) / rms(noise) < 0.05
    grid = np.linspace(-2, 2, 4001)
    slope = 2 * (grid - grid**3) / well_noise(grid)
    v = np.log(well_noise(grid)) - np.cumsum(slope) * (grid[1] - grid[0])
    p = np.exp(v.min() - v)
    late = model.simulate(0.9, n_steps=1000, paths=300, seed=3).z[:, :, 200:]
    for power in (2, 4):
        assert (late**power).mean() == pytest.approx((p * grid**power).sum() / p.sum(), rel=0.03)
    inside = np.linspace(-1.25, 1.25, 101)
    missed = model.potential(inside) - np.interp(inside, grid, v)
    assert rms(missed - missed.mean()) < 0.1 * np.ptp(np.interp(inside, grid, v))
    moved = x0 + (x0 - x0**3) * 0.05
    louder = (moved - x0) + 1.1 * (x1 - moved)
    wrong = MacroModel.fit(x0[:6000], louder[:6000], 0.05, members=1, epochs=20, batch_size=256)
    assert rms(wrong.diffusion(x)[:, 0, 0] - noise) / rms(noise) > 0.1


QUICK = {"members": 1, "epochs": 1, "width": 4, "depth": 1}


def short(d: int = 2, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, d))
    return z, -0.1 * z + 0.3 * rng.normal(size=(n, d))


@pytest.mark.slow
def test_extrapolation_takes_out_the_bias_of_first_order() -> None:
    """Of steps that hold relaxation; the plain quotient is wrong by 5 %."""
    model = MacroModel.fit_series(list(turning()), 0.1, drift="network", **QUICK)
    z = turning()[0, :200]
    plain = model.step_moments(z, np.zeros(0))[0][0] / 0.1
    ideal = z @ (expm(0.1 * RATES) - np.eye(2)).T / 0.1
    b = z @ RATES.T
    assert rms(ideal - b) > 0.05 * rms(b)
    assert rms(model.drift(z) - b) < 0.7 * rms(plain - b) + 0.02 * rms(b)


def test_patches_are_counted() -> None:
    """K patches: increments of one, times K; noise of the whole is a K-th."""
    z, dz = short()
    one, many = (MacroModel.fit(z, dz, 0.1, n_patches=k, **QUICK) for k in (None, 16))
    x = z[:20]
    for found, same in zip(many.step_moments(x, np.zeros(0)), one.step_moments(x, np.zeros(0))):
        np.testing.assert_array_equal(found, same)
    ratio = one.diffusion(x) / many.diffusion(x, n_sites=16)
    assert np.median(ratio) == pytest.approx(16, rel=0.05)
    assert many.simulate(x[0], n_steps=3).z.shape == (1, 50, 4, 2)


def test_inputs_of_any_kind_give_one_model(tmp_path: Path) -> None:
    z, dz = (x.astype(np.float32) for x in short(1))
    models = [
        MacroModel.fit(*given, 0.1, **QUICK)
        for given in ((z, dz), (z[:, 0], dz[:, 0]), (z.tolist(), dz[:, 0].tolist()))
    ]
    conditioned = MacroModel.fit(z, dz, 0.1, condition=0.3, groups=[*"abcdef"] * 50, **QUICK)
    for model in models:
        np.testing.assert_array_equal(model.drift([0.5]), models[0].drift(np.array([[0.5]])))
    models[0].save(tmp_path)
    again = MacroModel.load(tmp_path)
    np.testing.assert_array_equal(again.diffusion(z), models[0].diffusion(z))
    assert again.simulate(0.1, n_steps=2).z.shape == (1, 50, 3, 1)
    assert conditioned.drift(z, 0.3).shape == (300, 1)
    series = [np.cumsum(dz[:100]), np.cumsum(dz[100:])]
    both = MacroModel.fit_series(series, 1, condition=[0.2, 0.4], **QUICK)
    assert both.drift([0.0], [0.2]).shape == (1, 1) and both.z_names == ("z1",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": 0.0}, "dt must be above 0, not 0"),
        ({"dt": -1}, "dt must be above 0, not -1"),
        ({"dz": np.zeros((299, 2))}, r"dz must have shape \(300, 2\), not \(299, 2\)"),
        ({"dz": np.full((300, 2), np.nan)}, "dz is not finite"),
        ({"z0": "abc"}, "z0 must be an array of real numbers"),
        ({"n_patches": 0}, "n_patches must be above 0"),
        ({"groups": [1, 2]}, r"groups must have shape \(300,\), one for each pair, not \(2,\)"),
        ({"condition": [1.0, 2.0]}, r"condition must have shape \(300, any\)"),
        ({"names": ["a"]}, "z_names must be 2 different names"),
        ({"epoch": 3}, "'epoch' is no option of training; there are drift, width"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    z, dz = short()
    with pytest.raises(ValueError, match=message) as found:
        MacroModel.fit(**({"z0": z, "dz": dz, "dt": 0.1} | QUICK | change))
    assert "\n" not in str(found.value)


def test_series_that_cannot_be_used_are_refused() -> None:
    z, _ = short()
    for series, condition, message in (
        ([z, z[:1]], None, r"series 1 \(counted from 0\) must hold at least 2 states"),
        ([z, z[:, :1]], None, "all series must have the same number of observables"),
        ([z, z], [1.0], "there are 2 series and conditions of 1"),
    ):
        with pytest.raises(ValueError, match=message):
            MacroModel.fit_series(series, 0.1, condition, **QUICK)


def test_steps_that_are_long_warn() -> None:
    """A deviation that relaxes by 63 % in dt; a tenth is fine."""
    z, _ = short(1)
    noise = 0.3 * np.random.default_rng(1).normal(size=z.shape)
    with pytest.warns(UserWarning, match=r"dt is long: a deviation relaxes by 6\d% in it"):
        MacroModel.fit(z, -0.63 * z + noise, 1.0, **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MacroModel.fit(z, -0.1 * z + noise, 1.0, **QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 3])
def test_figures(d: int, tmp_path: Path) -> None:
    model = MacroModel.fit(*short(d), 0.1, **QUICK)
    figure = model.plot(tmp_path / "law.png")
    assert len(figure.axes) >= 3 and (tmp_path / "law.png").stat().st_size > 10_000
    assert len(model.potential(np.zeros((2, d)))) == 2


def test_a_plain_network_of_two_observables_has_no_potential() -> None:
    model = MacroModel.fit(*short(), 0.1, drift="network", **QUICK)
    with pytest.raises(ValueError, match="has no potential: fit with drift='onsager'"):
        model.potential(np.zeros((1, 2)))
