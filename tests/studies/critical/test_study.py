"""A tiny critical study end to end, and its estimators on a law that is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.symmetric_model import SymmetricModel  # noqa: E402
from macro_ase.learning.options import FitOptions  # noqa: E402
from macro_ase.studies.critical.law import (  # noqa: E402
    GRID,
    PolynomialFit,
    Table,
    moments,
    stationary_density,
    stationary_moments,
)
from macro_ase.studies.critical.model import BinnedPairs, fit_member, tabulated  # noqa: E402
from macro_ase.studies.critical.points import (  # noqa: E402
    CRITICAL_TEMPERATURE,
    EXACT,
    Comparison,
    Points,
)
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "sampling.snapshots=400",
    "learning.iterations=30",
    "learning.members=2",
    "prediction.paths=8",
    "prediction.time=40.0",
    "direct.samples=400",
    "checks.wolff_rounds=20",
    "checks.scan_rounds=20",
    "checks.resamples=4",
)
DT, N_SITES, T = 0.25, 256, 2.27


def settings(*overrides: str, **options: Any) -> dict[str, Any]:
    return load_config("ising-critical", True, (*TINY, *overrides), **options)


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("critical") / "run"
    return run_study(settings("system.beyond=[32]", workers=1), folder, quick=True)


def test_results(finished: Path) -> None:
    metrics = metrics_of(finished)
    names = {"m_rel_error", "chi_rel_error", "u_rel_error", *EXACT}
    assert set(metrics) == names | {"m_32", "chi_32", "u_32"}
    for name, metric in metrics.items():
        assert all(np.isfinite(metric[part]) for part in ("value", "error", "truth", "floor")), name
    html = (finished / "report.html").read_text()
    for text in ("Larger sizes", "least squares", "Wolff", "single patches", "beta/nu", "third 3"):
        assert text in html
    model = SymmetricModel.load(finished / "model" / "L16" / "member0")
    drift, diffusion = model.network.moments(GRID, 1000 / 2.26)
    np.testing.assert_allclose(drift, -drift[::-1], atol=1e-12)
    np.testing.assert_allclose(diffusion, diffusion[::-1], rtol=1e-12)


def test_interrupted_it_goes_on_to_the_same_bytes(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the direct runs, then finished with other workers."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    own = "system.beyond=[32]"
    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.critical.study.direct_chunk", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings(own, workers=1), tmp_path / "run", quick=True)
    weights = tmp_path / "run" / "model" / "L16" / "member1" / "weights.safetensors"
    written = weights.stat().st_mtime_ns
    run_study(settings(own, workers=2), tmp_path / "run", quick=True)
    assert weights.stat().st_mtime_ns == written
    assert metrics_of(tmp_path / "run") == metrics_of(finished)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("system.sizes=[16, 20]", "system.sizes and system.beyond must be multiples"),
        ("system.sizes=[16]", "system.sizes must be two or more and ascend"),
        ("system.sizes=[24, 16]", "system.sizes must be two or more and ascend"),
        ("system.temperatures=[2.3, 2.2]", "system.temperatures must be two or more"),
        ("system.middle=2.3", "system.middle must be one of system.temperatures"),
        ("sampling.patch=2", "sampling.patch must be at least 4"),
        ("sampling.buffer=-1", "sampling.buffer must be at least 0"),
        ("sampling.dt=0.0", "sampling.dt must be above 0"),
        ("sampling.snapshots=0", "sampling.snapshots must be at least 1"),
        ("learning.members=1", "learning.members must be at least 2"),
        ("learning.chains=48", "learning.chains must divide 64"),
        ("learning.chains=32", "learning.chains must divide 64 and leave 5 blocks"),
        ("prediction.step=0.0", "prediction.step must be above 0"),
        ("direct.samples=10", "direct.samples must be at least 100"),
        ("checks.scan_size=48", "checks.scan_size must be one of system.sizes"),
        ("checks.scan_times=[]", "checks.scan_times must be above 0"),
        ("checks.scan_buffers=[-1]", "checks.scan_buffers must not be negative"),
    ],
)
def test_bad_settings(
    override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", "ising-critical", "--quick", "--out", str(tmp_path / "run"), "--set", override]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def well(temperature: float) -> Table:
    """A double well whose stationary law is known, with noise that depends on m."""
    diffusion = (0.8 - 0.5 * GRID**2) / N_SITES
    slope = 24 * GRID - 30 * GRID**3 - 200 * (temperature - T) * GRID  # of ln p
    return Table(diffusion * slope / 2 - 0.5 * GRID / N_SITES, diffusion, 0.98)


def pairs(temperature: float, noise: float = 1.0, seed: int = 0) -> dict[str, np.ndarray]:
    """Chains of independent snapshots with increments of the SDE, shape (128, 600)."""
    rng, own = np.random.default_rng(seed), well(temperature)
    law = stationary_density(own)
    m = rng.choice(GRID, size=(128, 600), p=law / law.sum())
    drift, diffusion = (np.interp(m, GRID, x) for x in (own.drift, own.diffusion))
    mean = drift * DT + rng.normal(0, 0.002, m.shape)
    dm = drift * DT + np.sqrt(noise * diffusion * DT) * rng.normal(size=m.shape)
    return {"m": m, "mean": mean, "dm": dm, "square": dm**2}


def learned(tmp_path: Path, noise: float) -> np.ndarray:
    """Deviations of chi' at three temperatures, in errors of four members, shape (3,)."""
    temperatures, options = (2.26, 2.27, 2.28), FitOptions(8, 2, 150)
    binned = [
        BinnedPairs.of(t, pairs(t, noise, seed), 8, DT) for seed, t in enumerate(temperatures)
    ]
    chi = []
    for k in range(4):
        model = fit_member(tmp_path / f"{noise}-{k}", binned, options, 0, k)
        tables = [tabulated(model, t, 0.98) for t in temperatures]
        chi.append([stationary_moments(x, N_SITES, t)[1] for x, t in zip(tables, temperatures)])
    exact = [stationary_moments(well(t), N_SITES, t)[1] for t in temperatures]
    return (np.mean(chi, axis=0) - exact) / np.maximum(np.std(chi, axis=0, ddof=1), 0.02 * exact[1])


def test_the_model_finds_a_known_law(tmp_path: Path) -> None:
    assert np.abs(learned(tmp_path, 1.0)).max() < 4


def test_a_tuned_lambda_would_be_noticed(tmp_path: Path) -> None:
    """The negative control: a covariance of twice the increments' own, as K / 2 would give."""
    assert np.abs(learned(tmp_path, 2.0)).max() > 6


def test_least_squares_finds_it_too() -> None:
    rows = pairs(T)
    m, mean, dm = (rows[k].reshape(16, -1) for k in ("m", "mean", "dm"))
    value, error = PolynomialFit.of(m, mean, dm, DT).moments(N_SITES, T, 40)
    exact = stationary_moments(well(T), N_SITES, T)
    assert np.all(np.abs(value - exact) < 4 * error + 0.005 * exact)


def test_the_stationary_law_is_the_known_one() -> None:
    exact = np.exp(12 * GRID**2 - 7.5 * GRID**4) * (np.abs(GRID) <= 0.98)
    law = stationary_density(well(T))
    np.testing.assert_allclose(law / law.max(), exact / exact.max(), rtol=2e-3, atol=1e-9)


def test_exponents_of_exact_power_laws() -> None:
    """Points that scale exactly give the exact exponents; noise shows in the errors."""
    sizes, temperatures = (16, 32, 64), (2.25, 2.26, 2.27, 2.28, 2.29)
    L = np.array(sizes)[:, None]
    x = (np.array(temperatures) - CRITICAL_TEMPERATURE) * L
    values = np.stack(
        [
            L ** (-1 / 8) * np.exp(-0.1 * x),
            0.03 * L**1.75 * np.exp(0.2 * x - 0.05 * x**2),
            0.61 - 0.05 * x - 0.01 * x**2,
        ],
        axis=-1,
    )
    errors = 0.002 * values
    rng = np.random.default_rng(1)
    noisy = values + errors * rng.normal(size=values.shape)
    points = Points.independent(sizes, temperatures, noisy, errors, 0)
    exact = Points.independent(sizes, temperatures, values, errors, 0)
    for name, (value, error, _) in points.exponents().items():
        assert exact.exponents()[name][0] == pytest.approx(EXACT[name], abs=1e-6)
        assert 0 < error < 0.1 and abs(value - EXACT[name]) < 4 * error
    crossings = exact.crossings(0)
    assert len(crossings) == 2
    assert crossings[0].temperature == pytest.approx(CRITICAL_TEMPERATURE, abs=1e-4)
    comparison = Comparison.of(points, exact)
    assert np.all(comparison.mean_errors < 3 * comparison.floor)
    assert np.all(comparison.within_two > 0.8)


def test_moments_of_perfect_order() -> None:
    np.testing.assert_allclose(moments(np.ones(3), 100, 2.0), [1, 0, 2 / 3], atol=1e-12)
