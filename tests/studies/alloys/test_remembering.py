"""A study whose model remembers, from its small runs to what its commands say."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_alloy import METRICS, metrics_of, settings

from macro_ase.cli import main
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.sampling.store import Store
from macro_ase.workflow import run_study

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from small_paths import compare, rows

pytestmark = pytest.mark.learn

OWN = (
    "small.events=12000",
    "sampling.dt_events=[500, 1000]",
    "small.runs=4",
    "sampling.grow=false",
    "sampling.early_parts=true",
    "sampling.memory_events=1000",
    "system.large_size=[6,6,6]",
)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_model_that_remembers_walks_the_whole_road(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    run_study(settings(*OWN, "direct.runs=1"), folder, quick=True)
    assert set(metrics_of(folder)) == METRICS
    assert "which remembers 1000 hops" in (folder / "report.html").read_text()
    run = AlloyRun(folder)
    kelvin, store = run.design.temperatures, Store(folder / "data.zarr")
    fresh, after = (
        store.read(f"small/{t!r}/{r}")["z"] for t, r in ((kelvin[0], 0), (kelvin[1], 2))
    )
    np.testing.assert_array_equal(after[0], fresh[-1])
    model, lines = run.model, rows(compare(run, "Mo-Ta", 2, treated=True))
    assert lines.pop().startswith("mean square, in errors: ") and not lines.pop()
    assert [line.split()[1] for line in lines] == [f"{t:g}" for t in run.design.temperatures]
    with pytest.raises(SystemExit, match="the model steps by 125 hops, and not"):
        compare(run, "Mo-Ta", 1, model=replace(model, step_events=125.0))
    assert model.remembers and model.options.memory in (1, 2)
    rests = model.rests([model.trained.scaling.condition_mean])
    assert rests.shape == (2, 1, 6) and np.isfinite(rests).any()
    asked = ["anneal", str(folder), "--schedule", "3000 K, 1e12 K/s to 2000 K", "--paths", "3"]
    assert main([*asked, "--csv", str(tmp_path / "order.csv")]) == 0
    assert len((tmp_path / "order.csv").read_text().splitlines()) > 20
    assert main(["predict", str(folder), "--size", "8", "8", "8", "--temperature", "2500"]) == 0
    capsys.readouterr()
