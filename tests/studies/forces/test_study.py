"""Tiny studies of partial forces end to end: results, resuming, systems, refusals in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.config import load_config  # noqa: E402
from macro_ase.rng import coerce_rng  # noqa: E402
from macro_ase.studies.forces.chunks import Case  # noqa: E402
from macro_ase.studies.forces.system import ForceSystem  # noqa: E402
from macro_ase.studies.registry import study_class  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
NAMES = ("predator-prey-forces", "allen-cahn-forces")
COMMON = (
    "data.test_runs=3",
    "forces.seeds=2",
    "encoder.steps=30",
    "encoder.states=200",
    "encoder.width=6",
    "encoder.hidden=[6]",
    "learning.steps=10",
    "learning.polish=5",
    "learning.width=6",
)
TINY = {
    "predator-prey-forces": (
        "data.training_runs=12",
        "data.chunk=5",
        "data.interval=1.0",
        "data.dt=0.05",
        "forces.equivalents=[20, 40]",
    ),
    "allen-cahn-forces": (
        "system.n_side=20",
        "data.training_runs=12",
        "data.chunk=5",
        "data.time=0.02",
        "data.dt=0.05",
        "data.frames=50",
        "forces.share=0.1",
        "forces.equivalents=[20]",
    ),
}


def settings(study: str, *overrides: str, **options: Any) -> dict[str, Any]:
    return load_config(study, True, (*TINY[study], *COMMON, *overrides), **options)


def system(study: str) -> ForceSystem:
    return study_class(study)(settings(study)).system


@pytest.fixture(scope="module", params=NAMES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    run_study(settings(request.param, workers=1), folder, quick=True)
    return request.param, folder


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def test_results(finished: tuple[str, Path]) -> None:
    study, folder = finished
    losses = ("Lz", "Lx_partial")
    sizes = ("_20", "_40") if study == "predator-prey-forces" else ("",)
    metrics = metrics_of(folder)
    assert set(metrics) == {f"error_{loss}{size}" for loss in losses for size in sizes}
    for name, metric in metrics.items():
        assert metric["value"] > metric["floor"] >= 0, name
        assert metric["error"] is not None, name
    html = (folder / "report.html").read_text()
    for text in ("full-force equivalents", "outside the rows", "floor: true runs"):
        assert text in html


def test_resumed_with_other_workers_is_the_same(finished: tuple[str, Path], tmp_path: Path) -> None:
    import shutil

    study, folder = finished
    again = tmp_path / "run"
    shutil.copytree(folder, again)
    for chunk in ("encoder/1", "learning/Lx_partial/20/1", "training/1"):
        shutil.rmtree(again / "data.zarr" / chunk)
    shutil.rmtree(again / "model" / "encoder1")
    run_study(settings(study, workers=2), again, quick=True)
    assert metrics_of(again) == metrics_of(folder)
    weights = "model/encoder1/weights.safetensors"
    assert (again / weights).read_bytes() == (folder / weights).read_bytes()


@pytest.mark.parametrize("study", NAMES)
def test_forces_and_observables_of_a_system(study: str) -> None:
    tested = system(study)
    x = np.asarray(tested.training_states(2, coerce_rng(0))[5:9], dtype=float)
    forces = tested.forces(x)
    particles = np.array([[3, 1], [0, 9], [5, 6], [8, 2]])
    columns = tested.columns(particles)
    assert columns.shape == (4, 2 * x.shape[1] // tested.n_particles)
    chosen = np.take_along_axis(forces, columns, axis=1)
    np.testing.assert_array_equal(tested.forces(x, particles), chosen)
    step, jacobian = 1e-5, tested.observables.jacobian(x)
    jacobian = np.broadcast_to(jacobian, (4, *jacobian.shape[1:]))
    for k in (0, 7, x.shape[1] - 1):
        up, down = x.copy(), x.copy()
        up[:, k] += step
        down[:, k] -= step
        slope = (tested.observables(up) - tested.observables(down)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, :, k], slope, rtol=1e-5, atol=1e-7)


def test_a_quarter_stands_for_the_square() -> None:
    from macro_ase.systems.allen_cahn import AllenCahn

    tested = system("allen-cahn-forces")
    whole = AllenCahn(20).torus(0.35, 0.12)
    quarter = np.ascontiguousarray(whole[:, :, :10, :10])
    later = AllenCahn(20).advance(whole, 0.004, 1e-4, 0, "rk4")
    own = tested.quarter.advance(quarter, 0.004, 1e-4, 0, "rk4")  # type: ignore[attr-defined]
    np.testing.assert_allclose(own, later[:, :, :10, :10], atol=1e-12)
    energy = tested.observables(own.reshape(1, -1))
    np.testing.assert_allclose(energy, AllenCahn(20).observe(later), rtol=1e-12)


def test_losses_are_compared_at_equal_numbers_of_forces() -> None:
    study = study_class("predator-prey-forces")(settings("predator-prey-forces"))
    whole, part = (study.configurations(Case(loss, 20, 0), 372) for loss in ("Lz", "Lx_partial"))
    assert len(whole) == 20 and len(part) == 100 and len(np.unique(part)) == 100
    np.testing.assert_array_equal(part[:20], whole)


@pytest.mark.parametrize(
    ("study", "override", "message"),
    [
        ("predator-prey-forces", "forces.share=0", "forces.share must lie above 0"),
        ("predator-prey-forces", "forces.equivalents=[1000]", "needs 5000 configurations"),
        ("predator-prey-forces", "forces.losses=['Ly']", "forces.losses must be of Lz"),
        ("predator-prey-forces", "forces.equivalents=[]", "forces.equivalents must be 2"),
        ("predator-prey-forces", "learning.drift='spline'", "learning.drift must be one of"),
        ("predator-prey-forces", "learning.rollout_step=0", "rollout_step must be above 0"),
        ("predator-prey-forces", "encoder.hidden=[]", "encoder.hidden must be widths"),
        ("predator-prey-forces", "data.means=[0.6, 0.4]", "data.means must be two ascending"),
        ("predator-prey-forces", "data.interval=50", "data.interval must be above 0"),
        ("predator-prey-forces", "data.interval=0.7", "data.time must be a multiple of data.inter"),
        ("predator-prey-forces", "data.dt=2", "dt must be above 0 and at most"),
        ("allen-cahn-forces", "encoder.width=10", "leaves 10 forces of a configuration, and 11"),
        ("allen-cahn-forces", "forces.units='metre'", "forces.units must be one of force, spread"),
        ("predator-prey-forces", "encoder.variables=7", "must be at most encoder.width = 6"),
        ("predator-prey-forces", "forces.equivalents=[4]", "a linear drift of 4 variables needs 5"),
        ("allen-cahn-forces", "forces.rows='all'", "forces.rows must be one of variables, comp"),
        ("allen-cahn-forces", "system.n_side=21", "system.n_side must be even"),
        ("allen-cahn-forces", "data.inner=[0.1, 0.35]", "data.inner and data.outer must be"),
        ("allen-cahn-forces", "data.snapshots=1", "data.snapshots must be at least 2"),
        ("allen-cahn-forces", "data.dt=0.4", "dt must be above 0 and at most"),
    ],
)
def test_bad_settings_are_refused(study: str, override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        study_class(study)(settings(study, override))
