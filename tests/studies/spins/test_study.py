"""Tiny studies of the spin models end to end: results, resuming, refusals in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from studies.conftest import Interrupted  # noqa: E402

from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.sampling import Store  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "system.side=16",
    "sampling.patches=[8]",
    "sampling.starts=24",
    "sampling.times=[0.0, 1.0, 4.0, 16.0, 40.0]",
    "learning.epochs=2",
    "learning.members=2",
    "direct.runs=6",
    "direct.few_runs=3",
    "direct.steps=8",
    "scan.states=32",
)
ISING = (
    "scan.buffers=[0, 4]",
    "closure.compare=['none', 'encoder']",
    "closure.compare_patch=8",
    "closure.runs=4",
    "closure.steps=10",
)
NAMES = {
    "curie-weiss": {"error_patch8", "stationary_mean", "stationary_std"},
    "ising": {
        "m_error_patch8",
        "bond_error_patch8",
        "late_mean_m",
        "late_std_m",
        "late_bonds",
        "bond_peak_ratio",
    },
}


def settings(study: str, *overrides: str, **options: Any) -> dict[str, Any]:
    own = ISING if study == "ising" else ()
    return load_config(study, True, (*TINY, *own, *overrides), **options)


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


@pytest.fixture(scope="module", params=["curie-weiss", "ising"])
def finished(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    interrupted: Interrupted,
) -> tuple[str, Path]:
    """With a copy of the folder, "stopped", from before the direct runs."""
    folder = tmp_path_factory.mktemp(request.param) / "run"
    config = settings(request.param, workers=1)
    return request.param, interrupted(config, folder, "macro_ase.studies.road.direct_chunk")


@pytest.mark.slow
def test_every_run_has_random_numbers_of_its_own(finished: tuple[str, Path]) -> None:
    """Direct runs from the same mean spin, and within a chunk; no two are equal."""
    store = Store(finished[1] / "data.zarr")
    starts = len(settings(finished[0])["direct"]["magnetisations"])
    runs = [store.read(f"direct/{use}/{k}")["z"] for use in (0, 1) for k in range(starts)]
    flat = np.concatenate(runs)[:, 1:].reshape(sum(map(len, runs)), -1)
    assert len(np.unique(flat, axis=0)) == len(flat)


@pytest.mark.slow
def test_results(finished: tuple[str, Path]) -> None:
    study, folder = finished
    metrics = metrics_of(folder)
    assert set(metrics) == NAMES[study]
    for name, metric in metrics.items():
        assert np.isfinite(metric["value"]), name
        assert metric["truth"] is not None and metric["floor"] is not None, name
    html = (folder / "report.html").read_text()
    for text in ("direct against direct", "periodic", "frozen, buffer 0", "drift of patches"):
        assert text in html
    assert ("Held-out prediction" in html) == (study == "ising")
    model = MacroModel.load(folder / "model" / "patch8")
    assert model.sites_per_patch == 256 and len(model.z_names) == (1 if study != "ising" else 4)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_interrupted_it_goes_on_to_the_same_numbers(
    finished: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the direct runs, then finished with other workers."""
    study, folder = finished
    again = folder.with_name("stopped")
    weights = again / "model" / "patch8" / "weights.safetensors"
    written = weights.stat().st_mtime_ns

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.road.direct_chunk", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings(study, workers=1), again, quick=True)
    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.road.pairs_chunk", None)  # never called again
        run_study(settings(study, workers=2), again, quick=True)
    assert weights.stat().st_mtime_ns == written
    assert metrics_of(again) == metrics_of(folder)


@pytest.mark.parametrize(
    ("study", "override", "message"),
    [
        ("curie-weiss", "sampling.patches=[7]", "sampling.patches must be sides from 4 on"),
        ("curie-weiss", "sampling.dt=0.0", "sampling.dt must be above 0"),
        ("curie-weiss", "sampling.boundary=open", "sampling.boundary must be one of"),
        ("curie-weiss", "sampling.times=[2.0, 1.0]", "sampling.times must ascend"),
        ("curie-weiss", "sampling.magnetisation=[0.5, 0.1]", "sampling.magnetisation must be two"),
        ("curie-weiss", "sampling.starts=4", "sampling.starts must be at least 5"),
        ("curie-weiss", "learning.baseline=other", "learning.baseline must be one of"),
        ("curie-weiss", "learning.drift=other", "learning.drift must be one of"),
        ("curie-weiss", "system.temperature=-1.0", "system.temperature must be above 0"),
        ("curie-weiss", "direct.magnetisations=[1.5]", "direct.magnetisations must lie in -1..1"),
        ("curie-weiss", "direct.few_runs=7", "direct.few_runs = 7"),
        ("curie-weiss", "scan.patch=5", "scan.patch must divide system.side = 16"),
        ("ising", "sampling.buffer=-1", "sampling.buffer must be from 0 to 4 for patches of [8]"),
        ("ising", "sampling.buffer=5", "sampling.buffer must be from 0 to 4 for patches of [8]"),
        ("ising", "closure.kind=magic", "closure.kind must be one of none, correlations, encoder"),
        ("ising", "closure.channels=0", "closure.channels must be at least 1"),
        ("ising", "closure.magnetisations=[]", "closure.magnetisations must lie in -1..1"),
        ("ising", "scan.buffers=[0, 6]", "scan.buffers must be from 0 to 4 for patches of [8]"),
    ],
)
def test_bad_settings(
    study: str, override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", study, "--quick", "--out", str(tmp_path / "run")]
    for text in (*TINY, *(ISING if study == "ising" else ()), override):
        argv += ["--set", text]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_published_way_for_comparison(tmp_path: Path) -> None:
    """Little periodic systems, and the evolved patch taken for the whole."""
    changes = ("sampling.boundary=periodic", "learning.baseline=naive", "closure.compare=[]")
    run_study(settings("ising", *changes), tmp_path / "run", quick=True)
    assert np.isfinite(metrics_of(tmp_path / "run")["m_error_patch8"]["value"])
