"""A tiny critical study end to end: what it finds, and what its checks would refuse."""

import json
import pickle
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from studies.conftest import Interrupted  # noqa: E402

from macro_ase.analysis.critical_points import EXACT, Scores  # noqa: E402
from macro_ase.analysis.exact_ising import density_of_states  # noqa: E402
from macro_ase.analysis.stationary_law import GRID, moments  # noqa: E402
from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.symmetric_model import SymmetricModel  # noqa: E402
from macro_ase.report import Check  # noqa: E402
from macro_ase.studies.critical.compare import CriticalFindings  # noqa: E402
from macro_ase.studies.critical.report import aims_of, assumptions_of  # noqa: E402
from macro_ase.studies.critical.study import CriticalIsingStudy, direct_chunk  # noqa: E402
from macro_ase.studies.runner import Runner  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "sampling.snapshots=1000",
    "learning.iterations=60",
    "learning.members=2",
    "prediction.paths=16",
    "prediction.time=400.0",
    "direct.samples=1000",
    "checks.wolff_rounds=20",
    "checks.scan_rounds=20",
    "checks.resamples=4",
)
BEYOND = "system.beyond=[32]"
MODULE = "macro_ase.studies.critical.study"


def settings(*overrides: str, **options: Any) -> dict[str, Any]:
    return load_config("ising-critical", True, (*TINY, *overrides), **options)


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, interrupted: Interrupted) -> Path:
    """With a copy of the folder, "stopped", from before the direct runs."""
    folder = tmp_path_factory.mktemp("critical") / "run"
    return interrupted(settings(BEYOND, workers=1), folder, f"{MODULE}.direct_chunk")


@pytest.fixture(scope="module")
def study() -> CriticalIsingStudy:
    return CriticalIsingStudy(settings(BEYOND))


@pytest.fixture(scope="module")
def findings(study: CriticalIsingStudy, finished: Path) -> CriticalFindings:
    return study.compute(Runner(finished))


@pytest.mark.slow
def test_metrics(finished: Path) -> None:
    """1000 snapshots say little, but what they say is true within its errors."""
    metrics = metrics_of(finished)
    names = ["m_rel_error", "chi_rel_error", "u_rel_error"]
    powers = ["beta_over_nu", "gamma_over_nu", "one_over_nu"]
    assert list(metrics) == [*names, *powers, "m_32", "chi_32", "u_32"]
    for name, limit in zip(names, (0.05, 0.4, 0.04)):
        assert 0 < metrics[name]["value"] < limit, name
    for name in [*powers, "m_32", "chi_32", "u_32"]:
        value, error, truth, noise = (
            metrics[name][k] for k in ("value", "error", "truth", "floor")
        )
        assert error > 0 and abs(value - truth) < 5 * np.hypot(error, noise), name
    model = SymmetricModel.load(finished / "model" / "L16" / "member0")
    drift, diffusion = model.network.moments(GRID, 1000 / 2.26)
    np.testing.assert_allclose(drift, -drift[::-1], atol=1e-12)
    np.testing.assert_allclose(diffusion, diffusion[::-1], rtol=1e-12)


@pytest.mark.slow
def test_report(study: CriticalIsingStudy, findings: CriticalFindings, finished: Path) -> None:
    """Routes that must agree do, baselines stand beside the prediction, and costs are told."""
    own = findings.by_size[24].routes
    for name in ("snapshots themselves", "quadrature", "paths", "least squares"):
        assert own[name][:, 0, 1] == pytest.approx(own["direct"][:, 0, 1], rel=0.6), name
    report = study.report(findings, True)
    assert report.baselines is not None and report.cost is not None
    rows = {str(row[0]): row[1:] for row in report.baselines.rows}
    chi = {name: cells[1].value for name, cells in rows.items()}  # type: ignore[union-attr]
    assert chi["prediction"] == report.metrics["chi_rel_error"].value
    assert chi["the small system's own average"] > 0.6  # 8^-1.75 of what 16 and 24 have
    assert chi["the small system with exact finite-size scaling"] < 0.3
    assert 0 < chi["a direct run of equal cost, expected"] < 0.2
    events = study.design.events()
    assert events["direct"]["direct"] == (2 * 16**2 + 2 * 24**2 + 32**2) * (1000 + 500)
    assert events["learned"]["relaxation"] > 10 * events["direct"]["direct"]
    html = (finished / "report.html").read_text()
    for text in (
        "L = 32: one temperature",
        "least squares",
        "Wolff",
        "single patches",
        "beta/nu",
        "third 3",
    ):
        assert text in html


def known(
    findings: CriticalFindings,
    factors: tuple[float, ...] = (1.0, 1.0, 1.0),
    law: float = 1.0,
    drift: float = 0.0,
    noise: float = 1.0,
    error: float = 1e-5,
) -> CriticalFindings:
    """Findings without fault but what is asked for: factors of chi' by size, and so on."""
    by_size, wolff = {}, {}
    for (size, own), factor in zip(findings.by_size.items(), factors):
        direct = own.routes["direct"][:, :1]
        paths = direct * [1.0, factor, 1.0]
        routes = {
            k: np.concatenate([x, error * x], 1) for k, x in (("direct", direct), ("paths", paths))
        }
        members = law * paths[:, 0] * np.array([1 - error, 1 + error])[:, None, None]
        by_size[size] = replace(own, routes=own.routes | routes, laws=members)
        if size in findings.wolff:
            mean = own.chains["mean"] + drift * np.sign(own.chains["m"])
            wolff[size] = own.chains | {"mean": mean.astype(np.float32)}
    shape = (len(findings.design.scan_ways), 500, 500)
    dm = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for i, (_, buffer) in enumerate(findings.design.scan_ways):
        dm[i] *= np.sqrt(noise) if buffer >= 0 else 1.0
    return replace(findings, by_size=by_size, wolff=wolff, scan=findings.scan | {"dm": dm})


def checks_of(findings: CriticalFindings) -> list[Check]:
    sizes = findings.design.sizes
    scores = Scores.of(findings.predicted(*sizes), findings.measured(*sizes))
    return aims_of(scores) + assumptions_of(findings)


ALL = ("m_rel_error", "chi_rel_error", "u_rel_error", *EXACT)
ASSUMED = ("paths = stationary law", "snapshots as in equilibrium")
NOISE = "noise of patches = noise of the whole"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ({}, set()),
        ({"factors": (1.1, 1.1, 1.0)}, {"chi_rel_error"}),
        ({"factors": (1.0, 1.03, 1.0)}, {"gamma/nu"}),
        ({"law": 1.05}, {ASSUMED[0]}),
        ({"drift": 0.001}, {ASSUMED[1]}),
        ({"noise": 1.1}, {NOISE}),
    ],
)
def test_every_check_can_fail(
    findings: CriticalFindings, fault: dict[str, Any], failed: set[str]
) -> None:
    """Without a fault all pass; each fault fails its own check alone; large errors decide none."""
    checks = checks_of(known(findings, **fault))
    assert {c.name for c in checks} == {*ALL, *ASSUMED, NOISE}
    assert {c.name for c in checks if c.verdict == "failed"} == failed
    assert {c.name for c in checks if c.verdict == "passed"} == {*ALL, *ASSUMED, NOISE} - failed
    if not fault:
        unsure = checks_of(known(findings, error=0.1))
        assert {c.name for c in unsure if c.verdict == "undecided"} == {*ALL, ASSUMED[0]}


def test_direct_runs_against_all_states(study: CriticalIsingStudy) -> None:
    """4 x 4 spins by Wolff clusters, from a design that travelled as bytes."""
    design = pickle.loads(pickle.dumps(replace(study.design, samples=20_000)))
    value, error = direct_chunk(design, "test", 4, 2.3)["moments"]
    density = density_of_states((4, 4))
    m = np.abs(density.magnetisation) / 16
    exact, warmer = (
        moments(np.array([density.probabilities(T) @ m**k for k in (1, 2, 4)]), 16, T)
        for T in (2.3, 2.4)
    )
    assert np.all(np.abs(value - exact) < 4 * error)
    assert np.all(np.abs(value - warmer) > 4 * error)


@pytest.mark.slow
def test_design_and_needs(study: CriticalIsingStudy, finished: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        study.design.dt = 1.0  # type: ignore[misc]
    store = Runner(finished).store
    keys = [str(p.parent.relative_to(store.path)) for p in store.path.rglob("*/m")]
    written = sum(x.nbytes for key in keys for x in store.read(key).values())
    assert len(keys) == 5 + 2 + 4
    assert study.needs().store_bytes == pytest.approx(written, rel=0.1)
    assert study.needs().chunk_bytes >= 2 * 64 * 32**2


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_interrupted_it_goes_on_to_the_same_bytes(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the direct runs, then finished with other workers."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    folder = finished.with_name("stopped")
    weights = folder / "model" / "L16" / "member1" / "weights.safetensors"
    written = weights.stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(f"{MODULE}.direct_chunk", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings(BEYOND, workers=1), folder, quick=True)
    assert not (folder / "report.html").exists()
    run_study(settings(BEYOND, workers=2), folder, quick=True)
    assert weights.stat().st_mtime_ns == written
    assert metrics_of(folder) == metrics_of(finished)


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
