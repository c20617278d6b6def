"""A tiny study end to end: from a structure to its report, resumed."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ase.io import write

torch = pytest.importorskip("torch")

from tiny_alloy import METRICS, TINY, chunks_of, metrics_of, refusal, settings  # noqa: E402

from macro_ase.build import build_crystal  # noqa: E402
from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.sampling import Store  # noqa: E402
from macro_ase.sampling.pairs import (  # noqa: E402
    direct_run_chunk,
    grown_pairs_chunk,
)
from macro_ase.studies.alloys import study as stages  # noqa: E402
from macro_ase.studies.runner import Runner  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "run"
    assert run_study(settings(workers=1), folder, quick=True) == folder
    return folder


@pytest.mark.slow
def test_every_run_has_random_numbers_of_its_own(finished: Path) -> None:
    """Direct runs of a temperature start alike; none of any kind equals another."""
    chunks = chunks_of(finished)
    for kind, name, number in (("small", "z", 4), ("pairs", "dz", 4), ("direct", "z", 4)):
        found = [v for k, v in chunks.items() if k.startswith(kind) and k.endswith(f":{name}")]
        assert len(found) == len(set(found)) == number, kind


@pytest.mark.slow
def test_the_clock_has_each_temperature_s_own_residence_time(
    finished: Path,
) -> None:
    """Those of the small runs; the colder, the longer, by far more than their scatter."""
    model, store = MacroModel.load(finished / "model"), Store(finished / "data.zarr")
    for t in (2000.0, 3000.0):
        own = [float(store.read(f"small/{t!r}/{r}")["tau_w"][0]) for r in (0, 1)]
        assert model.clock.tau_w(t) == pytest.approx(np.mean(own))
    assert model.clock.tau_w(2000.0) > 3 * model.clock.tau_w(3000.0)


@pytest.mark.slow
def test_metrics(finished: Path) -> None:
    data = json.loads((finished / "metrics.json").read_text())
    parts = {"study", "versions", "seed", "wall_s", "stages", "cost", "checks", "metrics"}
    assert set(data) == parts
    assert data["study"] == "nbmota" and data["seed"] == 0 and data["wall_s"] > 0
    assert list(data["stages"]) == [
        "small runs",
        "time step",
        "patch pairs",
        "learning",
        "direct runs",
        "prediction",
        "comparison",
    ]
    assert set(data["metrics"]) >= METRICS
    for metric in data["metrics"].values():
        assert set(metric) == {"value", "error", "truth", "floor", "unit"}
    assert data["metrics"]["row_sum_residual"]["value"] < 1e-6
    assert data["metrics"]["sro_rms"]["value"] < 0.06  # a random crystal is off by .33
    assert data["metrics"]["sro_rms"]["floor"] > 0
    assert data["metrics"]["barrier_cv_mae_eV"]["value"] < 0.052


@pytest.mark.slow
def test_the_folder_holds_what_it_should(finished: Path) -> None:
    found = {p.name for p in finished.iterdir()}
    assert found >= {
        "config.toml",
        "data.zarr",
        "model",
        "figures",
        "metrics.json",
        "results.json",
        "report.html",
    }
    assert len(list((finished / "figures").glob("*.png"))) >= 5
    assert load_config(finished / "config.toml") == settings(workers=1)


@pytest.mark.slow
def test_the_report_is_self_contained(finished: Path, tmp_path: Path) -> None:
    html = (finished / "report.html").read_text()
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", html)
    assert len(sources) >= 5
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert "@import" not in html and "url(" not in html
    for name in METRICS:
        assert name in html
    for word in ("drift of patches", "seams healed", "time step", "vacancies met", "2000", "3000"):
        assert word in html


@pytest.mark.slow
def test_the_saved_model_is_the_one_that_predicted(finished: Path) -> None:
    model = MacroModel.load(finished / "model")
    assert model.z_names[:3] == ("Nb-Mo", "Nb-Ta", "Mo-Ta") and model.sites_per_patch == 128
    run = Store(finished / "data.zarr").read("direct/2000.0/0")
    np.testing.assert_allclose(np.diff(run["times"]), model.dt(2000.0), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_finished_run_is_not_computed_again(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    before, chunks = metrics_of(folder), chunks_of(folder)
    written = (folder / "model" / "model.json").stat().st_mtime_ns
    for name in ("small_chunk", "grown_pairs_chunk", "direct_run_chunk"):
        monkeypatch.setattr(f"macro_ase.studies.alloys.study.{name}", None)  # never called again
    monkeypatch.setattr("macro_ase.learning.models.training.train", None)
    run_study(settings(workers=1), folder, quick=True)
    assert metrics_of(folder) == before and chunks_of(folder) == chunks
    assert (folder / "model" / "model.json").stat().st_mtime_ns == written


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_another_seed_is_another_result(finished: Path, tmp_path: Path) -> None:
    """Negative control of the comparisons above, and the user's own crystal in one."""
    atoms = build_crystal("bcc", "Nb0.35Mo0.35Ta0.3", (8, 8, 4), vacancies=5, rng=1)
    write(tmp_path / "my.xyz", atoms)
    argv = ["run", "nbmota", "--quick", "--out", str(tmp_path / "run"), "--seed", "1"]
    argv += ["--structure", str(tmp_path / "my.xyz"), "--workers", "1"]
    for override in TINY:
        argv += ["--set", override]
    assert main(argv) == 0
    assert metrics_of(tmp_path / "run")["sro_rms"] != metrics_of(finished)["sro_rms"]
    html = (tmp_path / "run" / "report.html").read_text()
    assert "my.xyz, 8 x 8 x 4 bcc cells" in html and "5 vacancies of its own" in html
    run = Store(tmp_path / "run" / "data.zarr").read("direct/2000.0/0")
    around = 8 * np.array([n / 512 for n in np.bincount(atoms.numbers)[[41, 42, 73]]])
    assert run["z"][0, 0] == pytest.approx(0.35 * around[1], abs=0.1)


@pytest.mark.slow
def test_the_output_folder_is_not_empty(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert "--overwrite" in refusal(capsys, folder, "--seed", "1")
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*made again", "ignore:.*computed again")
@pytest.mark.usefixtures("undrawn")
def test_what_is_lost_or_damaged_is_made_again_to_the_same_bytes(
    finished: Path, tmp_path: Path
) -> None:
    """Kills, full disks and partial copies leave such files; nothing else is computed."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    weights = folder / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    for name in ("config.toml", "metrics.json", "results.json", "report.html"):
        (folder / name).write_text("")
    next((folder / "data.zarr/direct/3000.0/1/z/c").rglob("0/0")).unlink()
    run_study(settings(workers=1), folder, quick=True)
    assert chunks_of(folder) == chunks_of(finished)
    assert metrics_of(folder) == metrics_of(finished)
    for name in ("model/weights.safetensors", "config.toml", "inputs.json"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()
    results, before = (json.loads((f / "results.json").read_text()) for f in (folder, finished))
    assert results.pop("cost") and before.pop("cost") and results == before


def until(chunk: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a run has a chunk."""
    while process.poll() is None:
        if chunk.is_dir():
            return
        time.sleep(0.02)
    raise AssertionError(f"it ended by itself: {process.communicate()}")


def stopped_among_pairs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Ctrl-C at the second chunk of pairs that this session begins."""
    calls = []

    def stopping(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return grown_pairs_chunk(*args)

    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.alloys.study.grown_pairs_chunk", stopping)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings(workers=1), folder)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_terminated_interrupted_and_killed_it_goes_on_to_the_same_bytes(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM ends between chunks, with one line and 143; Ctrl-C among the pairs, and a chunk is
    left half written; after SIGKILL the lock is stale; then it goes on with other workers."""
    folder = tmp_path / "run"
    argv = [sys.executable, "-m", "macro_ase", "run", "nbmota", "--quick", "--out", str(folder)]
    argv += ["--workers", "1", *(part for o in TINY for part in ("--set", o))]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, **pipes) as process:
        until(folder / "data.zarr/small/2000.0/1", process)
        process.terminate()
        printed, said = process.communicate()
    lines = said.splitlines()
    assert printed == "" and lines[0].startswith("needs about ")
    assert lines[-1] == "stopped; run the same command again to go on"
    assert process.returncode == 143 and not (folder / "run.lock").exists()
    assert not (folder / "data.zarr" / ".unfinished").exists()
    kept = chunks_of(folder)
    assert kept.items() <= chunks_of(finished).items() and kept
    stopped_among_pairs(folder, monkeypatch)
    assert not (folder / "model").exists() and not (folder / "metrics.json").exists()
    half = folder / "data.zarr" / "pairs" / "3000.0" / "0" / "1"
    Store(folder / "data.zarr").write("pairs/3000.0/0/1", {"z0": np.zeros(3)})
    zarr.open_group(str(half), mode="a").attrs["finished"] = False
    with subprocess.Popen(argv, **pipes) as process:
        until(folder / "data.zarr/pairs/2000.0/0/1", process)
        process.kill()
    assert (folder / "run.lock").is_file()
    run_study(settings(workers=2), folder)
    assert chunks_of(folder) == chunks_of(finished)
    assert metrics_of(folder) == metrics_of(finished)
    weights = [f / "model" / "weights.safetensors" for f in (folder, finished)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.slow
def test_every_stage_has_its_seed(finished: Path, tmp_path: Path) -> None:
    """The same inputs and another seed give another result, stage by stage."""
    d, other = (stages.AlloyStudy(settings(workers=1, seed=seed)).design for seed in (0, 1))
    runner, again = Runner(finished), Runner(tmp_path)

    def both(key: str, function: Any, make: Any, *inputs: Any) -> list[Any]:
        """All chunks of the run, and the one that is compared with the other seed."""
        one = {key: make(other, *inputs)[key]}
        return [runner.chunks("s", function, make(d, *inputs)), again.chunks("s", function, one)]

    small = [stages.small_runs(x, r) for x, r in ((d, runner), (other, again))]
    scan = stages.time_step(d, small[0])
    pairs = both("pairs/2000.0/0/0", grown_pairs_chunk, stages.pair_jobs, small[0], scan)
    own = (small[0], scan, pairs[0])
    model, model_1 = stages.model_of(d, *own, runner), stages.model_of(other, *own, again)
    direct = both("direct/2000.0/0", direct_run_chunk, stages.direct_jobs, scan, model)
    paths, paths_1 = (stages.predict(x, scan, model) for x in (d, other))
    assert not np.array_equal(d.system.large_state, other.system.large_state)
    for chunks, key, name in (
        (small, "small/2000.0/0", "tau_w"),
        (small, "small/2000.0/1", "tau_w"),
        (pairs, "pairs/2000.0/0/0", "dz"),
        (direct, "direct/2000.0/0", "z"),
    ):
        assert not np.array_equal(*(own[key][name] for own in chunks))
    assert not np.array_equal(*(m.trained.history for m in (model, model_1)))
    assert not np.array_equal(paths[0][1][:, :, 1], paths_1[0][1][:, :, 1])
