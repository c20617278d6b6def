"""A tiny predator-prey study end to end: results, resuming, refusals in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from studies.conftest import Interrupted  # noqa: E402

from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "system.n_cells=80",
    "sampling.patch=20",
    "sampling.small=40",
    "sampling.half_waves=8.0",
    "sampling.starts=8",
    "sampling.interval=2.0",
    "sampling.last_age=8.0",
    "sampling.early_interval=0.5",
    "sampling.relax_time=0.4",
    "learning.epochs=3",
    "learning.width=8",
    "learning.repeats=2",
    "closure.kind=encoder",
    "closure.compare=['none', 'moments', 'encoder']",
    "closure.steps=10",
    "closure.means=[0.5]",
    "closure.amplitudes=[0.1]",
    "direct.runs=4",
    "direct.means=[0.5]",
    "direct.end=3.0",
    "prediction.lambdas=[1.0, 4.0]",
    "prediction.ways=['single increments', 'periodic patches']",
)


def settings(*overrides: str) -> dict[str, Any]:
    return load_config("predator-prey", True, (*TINY, *overrides))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, interrupted: Interrupted) -> Path:
    """With a copy of the folder, "stopped", from before the predictions."""
    folder = tmp_path_factory.mktemp("predator-prey") / "run"
    return interrupted(settings("workers=1"), folder, "macro_ase.studies.road.predict_chunk")


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


@pytest.mark.slow
def test_results(finished: Path) -> None:
    metrics = metrics_of(finished)
    assert set(metrics) == {
        *("mmd2_lambda_1", "mmd2_lambda_4", "mmd2_floor", "mmd2_latent"),
        *("std_ratio_u", "std_ratio_v", "mean_error"),
    }
    values = {name: metric["value"] for name, metric in metrics.items()}
    assert all(0 <= values[f"mmd2_{n}"] < 2 for n in ("lambda_1", "lambda_4", "floor", "latent"))
    assert all(0.1 < values[f"std_ratio_{n}"] < 10 for n in "uv") and 0 < values["mean_error"] < 1
    html = (finished / "report.html").read_text()
    for text in ("truth against truth", "4 = K", "periodic patches", "Held-out", "dt 0.1, peri"):
        assert text in html
    model = MacroModel.load(finished / "model" / "0-encoder")
    assert model.sites_per_patch == 20 and len(model.z_names) == 4
    assert len(MacroModel.load(finished / "model" / "0-none").z_names) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_interrupted_it_goes_on_to_the_same_numbers(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the predictions, then finished with other workers."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    folder = finished.with_name("stopped")
    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.road.predict_chunk", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings("workers=1"), folder, quick=True)
    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.road.direct_chunk", None)  # never called again
        with pytest.raises(TypeError):
            run_study(settings("workers=2"), folder, quick=True)  # but for held-out ones
    run_study(settings("workers=2"), folder, quick=True)
    again = metrics_of(folder)
    for name, metric in metrics_of(finished).items():
        assert again[name]["value"] == pytest.approx(metric["value"], rel=1e-5), name


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampling.patch=7", "sampling: a patch must have a number of cells that divides 80"),
        ("sampling.small=33", "sampling: small must divide large = 80 into whole patches, not 33"),
        ("sampling.boundary=open", "sampling: boundary must be one of frozen, periodic"),
        ("sampling.increments=both", "sampling: increments must be of independent"),
        ("sampling.means=[0.6, 0.4]", "sampling.means must be two ascending numbers"),
        ("sampling.dt=0.0", "sampling.dt must be above 0"),
        ("sampling.relax_time=-1.0", "sampling.relax_time must be at least 0, not -1"),
        ("sampling.starts=4", "sampling.starts must be at least 5"),
        ("sampling.growing=magic", "sampling: growing must be of repetition, interpolation"),
        ("sampling.interval=0.9", "sampling.last_age - sampling.early_age must be a multiple"),
        ("sampling.early_interval=0.7", "sampling.early_age must be a multiple of sampling.early_"),
        ("direct.end=3.05", "direct.end must be a multiple of direct.interval = 0.1, not 3.05"),
        ("system.b=-1.0", "system: b must be above 0"),
        ("system.noise_kind=pink", "system: noise_kind must be one of lattice, white"),
        ("system.time_step=0.5", "system: time_step must be above 0 and at most 0.3846"),
        ("closure.kind=magic", "closure.kind must be one of none, moments, gradients, encoder"),
        ("learning.drift=other", "learning.drift must be one of network, onsager"),
        ("direct.amplitudes=[1.5]", "direct.amplitudes must be at most 1, not [1.5]"),
        ("direct.runs=1", "direct.runs must be at least 2"),
        ("prediction.lambdas=[0.0]", "prediction.lambdas must be above 0"),
        ("prediction.ways=['faster']", "prediction.ways must be of single increments"),
        ("scan.buffers=[30]", "scan: buffer must be from 0 to 20, not 30"),
    ],
)
def test_bad_settings(
    override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["run", "predator-prey", "--quick", "--out", str(tmp_path / "run")]
    for text in (*TINY, override):
        argv += ["--set", text]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()
