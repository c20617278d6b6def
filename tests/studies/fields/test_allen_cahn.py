"""A tiny study of Allen-Cahn on a square end to end, on the road of predator-prey."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from macro_ase.config import load_config  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "system.n_side=16",
    "system.edge=16.0",
    "sampling.patch=8",
    "sampling.small=8",
    "sampling.buffer=2",
    "sampling.starts=10",
    "sampling.last_age=4.0",
    "sampling.early_age=2.0",
    "sampling.early_interval=0.5",
    "sampling.interval=0.25",
    "sampling.relax_time=0.5",
    "closure.compare=['none', 'gradients']",
    "closure.initial_states=1",
    "learning.epochs=3",
    "learning.width=8",
    "direct.runs=4",
    "direct.initial_states=2",
    "direct.end=3.0",
    "prediction.lambdas=[4.0]",
    "prediction.ways=['unrelaxed']",
    "scan.buffers=[0]",
    "scan.starts=10",
    "workers=1",
)


@pytest.mark.slow
def test_results(tmp_path: Path) -> None:
    folder = run_study(load_config("allen-cahn", True, TINY), tmp_path / "run", quick=True)
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    assert set(metrics) == {
        *("mmd2_lambda_4", "mmd2_floor", "mmd2_latent", "mean_error"),
        *("std_ratio_v", "std_ratio_free_energy_per_area"),
    }
    assert 0.1 < metrics["std_ratio_v"]["value"] < 10
    html = (folder / "report.html").read_text()
    for text in ("16 x 16 cells", "4 = K", "gradients", "small system itself", "buffer 2"):
        assert text in html


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampling.means=[-2.0, 0.5]", "sampling.means must be at least -1, not"),
        ("closure.kind=encoder", "closure.kind must be one of none, moments, gradients, not"),
        ("system.time_step=1.0", "system: time_step must be above 0 and at most"),
    ],
)
def test_bad_settings(override: str, message: str, tmp_path: Path) -> None:
    config = load_config("allen-cahn", True, (*TINY, override))
    with pytest.raises(ValueError, match=message):
        run_study(config, tmp_path / "run")
