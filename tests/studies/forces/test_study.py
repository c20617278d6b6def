"""Tiny studies of partial forces end to end: results, other engines, resuming, refusals."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.force_losses import QuadraticLoss  # noqa: E402
from macro_ase.learning.models.paths import trajectory_errors  # noqa: E402
from macro_ase.learning.options import DriftOptions  # noqa: E402
from macro_ase.sampling.store import Store  # noqa: E402
from macro_ase.studies.forces.chunks import (  # noqa: E402
    Comparison,
    learning_chunk,
    linear_chunk,
)
from macro_ase.studies.forces.design import Case  # noqa: E402
from macro_ase.studies.forces.study import ForcesStudy  # noqa: E402
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
    "learning.width=6",
)
TINY = {
    "predator-prey-forces": (
        "data.training_runs=24",
        "data.chunk=10",
        "data.interval=1.0",
        "data.dt=0.05",
        "forces.equivalents=[20, 120]",
        "learning.steps=100",
        "learning.polish=50",
        "learning.rollout_step=1.0",
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
        "learning.steps=10",
        "learning.polish=5",
        "learning.rollout_step=4e-4",
    ),
}


def settings(study: str, *overrides: str, **options: Any) -> dict[str, Any]:
    return load_config(study, True, (*TINY[study], *COMMON, *overrides), **options)


@pytest.fixture(scope="module", params=NAMES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    run_study(settings(request.param, workers=1), folder, quick=True)
    return request.param, folder


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def chunks_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Checksums of all arrays of all chunks."""
    found = {}
    for file in sorted((folder / "data.zarr").rglob("zarr.json")):
        attributes = json.loads(file.read_text()).get("attributes", {})
        if attributes.get("finished"):
            found[str(file.parent.relative_to(folder))] = attributes["arrays"]
    return found


@pytest.mark.slow
def test_results(finished: tuple[str, Path]) -> None:
    study, folder = finished
    losses = ("Lz", "Lx_partial")
    sizes = ("_20", "_120") if study == "predator-prey-forces" else ("",)
    metrics = metrics_of(folder)
    assert set(metrics) == {f"error_{loss}{size}" for loss in losses for size in sizes}
    test = Store(folder / "data.zarr").read("test")
    still = trajectory_errors(np.broadcast_to(test["z"][:, :1], test["z"].shape), test["z"])
    for name, metric in metrics.items():
        assert 0 <= metric["floor"] < 1e-3 < metric["value"] and metric["error"] > 0, name
        assert metric["value"] < still.mean() or name.endswith("_20"), name
    html = (folder / "report.html").read_text()
    told = "full-force equivalents", "outside the rows", "floor: true runs", "predicted runs on"
    for text in (*told, "linear drift of least loss", "z stays as it starts"):
        assert text in html


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_resumed_with_other_workers_is_the_same(
    finished: tuple[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One chunk of every stage is made again, by a process of another interpreter or by threads."""
    study, folder = finished
    again = tmp_path / "run"
    shutil.copytree(folder, again)
    chunks = {key.split("/")[1]: key for key in chunks_of(folder)}
    assert {"encoder", "learning", "linear", "test", "training"} <= chunks.keys()
    for chunk in chunks.values():
        shutil.rmtree(again / chunk)
    shutil.rmtree(again / "model" / "encoder1")
    (again / "model" / "drift Lz 20 0" / "model.json").write_text("{")
    other: Any = "threads:2"
    if study == "predator-prey-forces":
        other = request.getfixturevalue("another_interpreter")
    with pytest.warns(UserWarning, match="made again"):
        run_study(settings(study), again, quick=True, executor=other)
    assert metrics_of(again) == metrics_of(folder) and chunks_of(again) == chunks_of(folder)
    for file in ("encoder1/weights.safetensors", "drift Lz 20 0/model.json"):
        assert (again / "model" / file).read_bytes() == (folder / "model" / file).read_bytes()


def spiral(n: int = 200) -> tuple[np.ndarray, QuadraticLoss, dict[str, Comparison]]:
    """States of dz/dt = A z with the exact loss of its drift, and true paths."""
    rng, a = np.random.default_rng(0), np.array([[-0.2, 1.0], [-1.0, -0.2]])
    z, times = rng.normal(size=(n, 2)), np.linspace(0, 3, 16)
    turn = np.stack([np.array([[c, s], [-s, c]]) for c, s in zip(np.cos(times), np.sin(times))])
    start = rng.normal(size=(4, 2))
    true = np.einsum("t,tij,nj->nti", np.exp(-0.2 * times), turn, start)
    loss = QuadraticLoss.of_rates(z @ a.T, np.ones(2))
    return z, loss, {"": Comparison(start, times, true, 0.05)}


@pytest.mark.slow
def test_drifts_find_a_spiral_and_not_what_forces_of_other_states_say() -> None:
    z, loss, tests = spiral()
    options = DriftOptions(width=4, steps=20, polish=20)

    def errors(own: QuadraticLoss) -> tuple[float, float]:
        job = pickle.loads(
            pickle.dumps((options, z, own, tests, np.random.SeedSequence(1), "", {}))
        )
        learned, linear = learning_chunk(*job), linear_chunk(*job)
        assert {"file model.json", "file weights.safetensors"} < learned.keys()
        return learned["errors"].mean(), linear["errors"].mean()

    learned, linear = errors(loss)
    assert learned < 1e-3 and linear < 1e-6
    shuffled = loss.take(np.random.default_rng(2).permutation(len(z)))
    assert min(errors(shuffled)) > 0.3


def test_losses_are_compared_at_equal_numbers_of_forces() -> None:
    design = ForcesStudy(settings("predator-prey-forces")).design
    whole, part = (design.configurations(Case(loss, 20, 0), 372) for loss in ("Lz", "Lx_partial"))
    assert len(whole) == 20 and len(part) == 100 and len(np.unique(part)) == 100
    np.testing.assert_array_equal(part[:20], whole)


@pytest.mark.slow
@pytest.mark.parametrize("study", NAMES)
def test_needs_are_those_of_the_run(study: str, finished: tuple[str, Path]) -> None:
    if study == finished[0]:
        needs = ForcesStudy(settings(study)).needs()
        files = (f for f in (finished[1] / "data.zarr").rglob("*") if f.is_file())
        used = sum(file.stat().st_size for file in files)
        assert used / 5 < needs.store_bytes < 5 * used
        states = Store(finished[1] / "data.zarr").read("training/0")["states"]
        assert 2 * states.nbytes < needs.chunk_bytes < 100 * states.nbytes + 1e8


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
        ForcesStudy(settings(study, override))
