"""A tiny study end to end: from a structure to its report, resumed, refused."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ase import Atoms
from ase.build import bulk
from ase.io import write

torch = pytest.importorskip("torch")

from macro_ase.barriers import KRABarriers  # noqa: E402
from macro_ase.build import build_crystal  # noqa: E402
from macro_ase.cli import main  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.folder_lock import only_writer  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.sampling import Store  # noqa: E402
from macro_ase.sampling.pairs import (  # noqa: E402
    direct_run_chunk,
    grown_pairs_chunk,
    small_chunk,
)
from macro_ase.studies.alloys import study as stages  # noqa: E402
from macro_ase.studies.runner import Runner  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn
TINY = (
    "system.small_size=[4,4,4]",
    "system.large_size=[8,8,8]",
    "system.sites_per_vacancy=128",
    "conditions.temperatures_K=[2000.0, 3000.0]",
    "small.runs=2",
    "small.events=20000",
    "sampling.grow=true",
    "sampling.repeats=1",
    "sampling.dt_events=[500, 1000]",
    "learning.members=2",
    "learning.epochs=3",
    "learning.width=8",
    "direct.runs=2",
    "direct.relaxation_times=5.0",
    "predict.paths=8",
)
METRICS = {
    "sro_rms",
    "row_sum_residual",
    "vacancy_term_error",
    "std_ratio_worst",
    "relaxation_ratio_worst",
    "coverage_68",
    "coverage_95",
    "barrier_cv_mae_eV",
    "formation_rms_meV",
}


def settings(*overrides: str, **options: Any) -> dict[str, Any]:
    return load_config("nbmota", True, (*TINY, *overrides), **options)


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def chunks_of(folder: Path) -> dict[str, bytes]:
    """Every array of the store by key and name."""
    store, found = Store(folder / "data.zarr"), {}
    for marker in sorted((folder / "data.zarr").rglob("zarr.json")):
        key = str(marker.parent.relative_to(folder / "data.zarr"))
        if "attributes" in marker.read_text() and key != "." and store.has(key):
            found |= {f"{key}:{n}": a.tobytes() for n, a in store.read(key).items()}
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, float]]:
    """A finished run, and how long it took."""
    folder, start = tmp_path_factory.mktemp("study") / "run", time.perf_counter()
    assert run_study(settings(workers=1), folder, quick=True) == folder
    yield folder, time.perf_counter() - start


def test_every_run_has_random_numbers_of_its_own(finished: tuple[Path, float]) -> None:
    """Direct runs of a temperature start alike; none of any kind equals another."""
    chunks = chunks_of(finished[0])
    for kind, name, number in (("small", "z", 4), ("pairs", "dz", 4), ("direct", "z", 4)):
        found = [v for k, v in chunks.items() if k.startswith(kind) and k.endswith(f":{name}")]
        assert len(found) == len(set(found)) == number, kind


def test_the_clock_has_each_temperature_s_own_residence_time(
    finished: tuple[Path, float],
) -> None:
    """Those of the small runs; the colder, the longer, by far more than their scatter."""
    model, store = MacroModel.load(finished[0] / "model"), Store(finished[0] / "data.zarr")
    for t in (2000.0, 3000.0):
        own = [float(store.read(f"small/{t!r}/{r}")["tau_w"][0]) for r in (0, 1)]
        assert model.clock.tau_w(t) == pytest.approx(np.mean(own))
    assert model.clock.tau_w(2000.0) > 3 * model.clock.tau_w(3000.0)


def test_metrics(finished: tuple[Path, float]) -> None:
    data = json.loads((finished[0] / "metrics.json").read_text())
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


def test_the_folder_holds_what_it_should(finished: tuple[Path, float]) -> None:
    found = {p.name for p in finished[0].iterdir()}
    assert found >= {
        "config.toml",
        "data.zarr",
        "model",
        "figures",
        "metrics.json",
        "results.json",
        "report.html",
    }
    assert len(list((finished[0] / "figures").glob("*.png"))) >= 5
    assert load_config(finished[0] / "config.toml") == settings(workers=1)


def test_the_report_is_self_contained(finished: tuple[Path, float], tmp_path: Path) -> None:
    html = (finished[0] / "report.html").read_text()
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", html)
    assert len(sources) >= 5
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert "@import" not in html and "url(" not in html
    for name in METRICS:
        assert name in html
    for word in ("drift of patches", "seams healed", "time step", "vacancies met", "2000", "3000"):
        assert word in html


def test_the_saved_model_is_the_one_that_predicted(finished: tuple[Path, float]) -> None:
    model = MacroModel.load(finished[0] / "model")
    assert model.z_names[:3] == ("Nb-Mo", "Nb-Ta", "Mo-Ta") and model.sites_per_patch == 128
    run = Store(finished[0] / "data.zarr").read("direct/2000.0/0")
    np.testing.assert_allclose(np.diff(run["times"]), model.dt(2000.0), rtol=1e-9)


def test_a_finished_run_is_not_computed_again(
    finished: tuple[Path, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, first = finished
    before, chunks, model = metrics_of(folder), chunks_of(folder), folder / "model" / "model.json"
    written = model.stat().st_mtime_ns
    for name in ("small_chunk", "grown_pairs_chunk", "direct_run_chunk"):  # never called again
        monkeypatch.setattr(
            f"macro_ase.studies.alloys.study.{name}", None
        )  # not callable: never called
    start = time.perf_counter()
    run_study(settings(workers=1), folder, quick=True)
    assert time.perf_counter() - start < max(0.5 * first, 3)
    assert metrics_of(folder) == before and chunks_of(folder) == chunks
    assert model.stat().st_mtime_ns == written


def test_interrupted_it_goes_on_to_the_same_bytes(
    finished: tuple[Path, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of the pairs, with a chunk half written; then with other workers."""
    calls = []

    def stopping(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return grown_pairs_chunk(*args)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("macro_ase.studies.alloys.study.grown_pairs_chunk", stopping)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings(workers=1), folder)
    assert not (folder / "model").exists() and not (folder / "metrics.json").exists()
    half = folder / "data.zarr" / "pairs" / "3000.0" / "0" / "1"
    Store(folder / "data.zarr").write("pairs/3000.0/0/1", {"z0": np.zeros(3)})
    zarr.open_group(str(half), mode="a").attrs["finished"] = False
    run_study(settings(workers=2), folder)
    assert chunks_of(folder) == chunks_of(finished[0])
    assert metrics_of(folder) == metrics_of(finished[0])
    weights = [f / "model" / "weights.safetensors" for f in (folder, finished[0])]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_another_seed_is_another_result(finished: tuple[Path, float], tmp_path: Path) -> None:
    """Negative control of the comparisons above, and the user's own crystal in one."""
    atoms = build_crystal("bcc", "Nb0.35Mo0.35Ta0.3", (8, 8, 4), vacancies=5, rng=1)
    write(tmp_path / "my.xyz", atoms)
    argv = ["run", "nbmota", "--quick", "--out", str(tmp_path / "run"), "--seed", "1"]
    argv += ["--structure", str(tmp_path / "my.xyz"), "--workers", "1"]
    for override in TINY:
        argv += ["--set", override]
    assert main(argv) == 0
    assert metrics_of(tmp_path / "run")["sro_rms"] != metrics_of(finished[0])["sro_rms"]
    html = (tmp_path / "run" / "report.html").read_text()
    assert "my.xyz, 8 x 8 x 4 bcc cells" in html and "5 vacancies of its own" in html
    run = Store(tmp_path / "run" / "data.zarr").read("direct/2000.0/0")
    around = 8 * np.array([n / 512 for n in np.bincount(atoms.numbers)[[41, 42, 73]]])
    assert run["z"][0, 0] == pytest.approx(0.35 * around[1], abs=0.1)


@pytest.mark.filterwarnings("ignore:composition")
def test_a_binary(tmp_path: Path) -> None:
    """One observable, and a species without atoms."""
    config = settings("system.composition=Mo0.5Ta0.5", "conditions.temperatures_K=[3000.0]")
    run_study(config, tmp_path / "run")
    metrics = metrics_of(tmp_path / "run")
    assert 0 < metrics["sro_rms"]["value"] < 0.1  # a random crystal is off by .48
    assert 0 <= metrics["vacancy_term_error"]["value"] < 0.01
    assert metrics["row_sum_residual"]["value"] < 1e-6
    html = (tmp_path / "run" / "report.html").read_text()
    assert "Mo-Ta" in html and "Nb-Mo" not in html


def test_a_periodic_boundary_and_no_direct_runs(tmp_path: Path) -> None:
    """Without direct runs there is a prediction, and null where the truth would be."""
    config = settings(
        "system.boundary='periodic'", "conditions.temperatures_K=[3000.0]", "direct.runs=0"
    )
    run_study(config, tmp_path / "run")
    assert "periodic" in (tmp_path / "run" / "report.html").read_text()
    metrics = metrics_of(tmp_path / "run")
    assert metrics["sro_rms"]["value"] is None and metrics["std_ratio_worst"]["value"] is None
    assert metrics["row_sum_residual"]["value"] < 1e-6


def test_patches_of_small_states_themselves(tmp_path: Path) -> None:
    """Without growing, of a small crystal that does not divide the large one."""
    config = settings(
        "sampling.grow=false",
        "system.small_size=[6,6,6]",
        "system.large_size=[8,8,8]",
        "conditions.temperatures_K=[3000.0]",
        "sampling.repeats=2",
        "small.events=30000",
    )
    run_study(config, tmp_path / "run")
    chunk = Store(tmp_path / "run" / "data.zarr").read("pairs/3000.0/0/0")
    own = np.unique(chunk["snapshot"], return_counts=True)[1]
    assert set(own) == {2 * chunk["n_patches"][0]} and np.isnan(chunk["seam"]).all()
    small = Store(tmp_path / "run" / "data.zarr").read("small/3000.0/0")
    np.testing.assert_allclose(
        np.unique(chunk["z0"], axis=0), np.unique(small["z"][small["kept"]], axis=0)
    )
    assert 0 < metrics_of(tmp_path / "run")["sro_rms"]["value"] < 0.1


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sampling.copies=2", "sampling.copies must be 1 where states do not grow"),
        ("sampling.healing_events=10", "sampling.healing_events must be 0 where states do not"),
        ("system.boundary='periodic'", "system.boundary must be embedded where states do not grow"),
        ("system.small_size=[9,9,9]", r"small_size \[9, 9, 9\] is larger than the large system's"),
    ],
)
def test_what_only_grown_states_have_is_refused(setting: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        run_study(settings("sampling.grow=false", setting), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_swaps_of_neighbours(tmp_path: Path) -> None:
    """The other dynamics of an alloy, and patches that evolve more than once."""
    tiny = (
        "system.small_size=[4,4,4]",
        "system.large_size=[8,8,8]",
        "conditions.temperatures_K=[1200.0, 2000.0]",
        "small.runs=2",
        "small.events=16.0",
        "sampling.repeats=4",
        "learning.epochs=3",
        "learning.width=8",
        "direct.runs=2",
        "direct.relaxation_times=5.0",
        "predict.paths=8",
    )
    run_study(load_config("nbmota-swap", True, tiny), tmp_path / "run", quick=True)
    metrics = metrics_of(tmp_path / "run")
    of_vacancies = {"vacancy_term_error", "barrier_cv_mae_eV", "formation_rms_meV"}
    assert set(metrics) == METRICS - of_vacancies
    assert 0 < metrics["sro_rms"]["value"] < 0.07  # a random crystal is off by .5
    assert metrics["row_sum_residual"]["value"] < 1e-12
    html = (tmp_path / "run" / "report.html").read_text()
    assert "attempts per site" in html and "vacancies met" not in html
    pairs = Store(tmp_path / "run" / "data.zarr").read("pairs/2000.0/0/0")
    assert len(pairs["dz"]) == 4 * 8 * (pairs["snapshot"].max() + 1)


def test_the_output_folder_is_not_empty(
    finished: tuple[Path, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert "--overwrite" in refusal(capsys, folder, "--seed", "1")
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def refusal(capsys: pytest.CaptureFixture[str], out: Path, *more: str) -> str:
    """The one line that a tiny study with these arguments is refused with."""
    argv = ["run", "nbmota", "--quick", "--out", str(out)]
    for override in TINY:
        argv += ["--set", override]
    assert main([*argv, *more]) == 2
    printed, err = capsys.readouterr()
    assert printed == "" and err.count("\n") == 1 and err.startswith("macro-ase: error: ")
    return err


def structure(kind: str, folder: Path) -> Path:
    file = folder / f"{kind}.xyz"
    crystals: dict[str, Atoms] = {
        "fcc": bulk("Cu", cubic=True) * (4, 4, 4),
        "tungsten": build_crystal("bcc", "W", (8, 8, 8), rng=0),
        "odd": build_crystal(size=(6, 6, 6), rng=0),
        "moved": build_crystal(size=(8, 8, 8), rng=0),
    }
    if kind == "text":
        file.write_text("hello\n")
        return file
    atoms = crystals[kind]
    if kind == "moved":
        atoms.positions[3, 0] += 0.6
    write(file, atoms)
    return file


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "cannot be read as a structure"),
        ("fcc", "fcc.xyz: not a block of conventional bcc cells"),
        ("tungsten", "species W not among Nb, Mo, Ta"),
        ("odd", "system.small_size [4, 4, 4] does not divide the large system's [6, 6, 6] cells"),
        ("moved", " A from the nearest bcc site; at most 0.3 A is snapped"),
    ],
)
def test_bad_structures_are_one_line_and_nothing_is_written(
    kind: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = structure(kind, tmp_path)
    assert message in refusal(capsys, tmp_path / "out", "--structure", str(file))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--structure", "gone.xyz"), "no such file: gone.xyz"),
        (("--set", "system.structure=gone.xyz"), "no such file: gone.xyz"),
        (("--set", "system.small_size=[16,16,16]"), "does not divide"),
        (("--set", "system.small_size=[3,3,3]"), "along each axis it may be one of [[4, 8]"),
        (("--set", "system.small_size=[2,2,2]"), "three numbers of at least 3"),
        (("--set", "conditions.temperatures_K=[0]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperatures_K=[2000, -1]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperatures_K=[]"), "temperatures_K must be above 0 K"),
        (("--set", "conditions.temperature_K=[900]"), "did you mean 'conditions.temperatures_K'"),
        (("--set", "system.barriers=gone.json"), "no such file: gone.json"),
        (("--set", "system.composition=Nb"), "at least two species"),
        (("--set", "small.events=0"), "small.events must be at least 1, not 0"),
        (("--set", "small.events=2000"), "small.events must be at least 8000"),
        (("--set", "small.runs=0"), "small.runs must be at least 1, not 0"),
        (("--set", "sampling.dt_events=[100]"), "sampling.dt_events must be multiples of 125"),
        (("--set", "direct.runs=-1"), "direct.runs must not be negative, not -1"),
        (("--set", "learning.drift=linear"), "learning.drift must be one of network, onsager"),
        (("--set", "learning.epochs=0"), "learning.epochs must be at least 1, not 0"),
        (("--set", "learning.learning_rate=0"), "learning.learning_rate must be above 0"),
        (("--set", "direct.relaxation_times=0"), "direct.relaxation_times must be above 0"),
        (("--set", "predict.paths=0"), "predict.paths must be at least 1, not 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:composition")
def test_bad_settings_are_one_line_and_nothing_is_written(
    more: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(capsys, tmp_path / "out", *more)
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:.*made again", "ignore:.*computed again")
def test_what_is_lost_or_damaged_is_made_again_to_the_same_bytes(
    finished: tuple[Path, float], tmp_path: Path
) -> None:
    """Kills, full disks and partial copies leave such files; nothing else is computed."""
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    weights = folder / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    for name in ("config.toml", "metrics.json", "results.json", "report.html"):
        (folder / name).write_text("")
    next((folder / "data.zarr/direct/3000.0/1/z/c").rglob("0/0")).unlink()
    run_study(settings(workers=1), folder, quick=True)
    assert chunks_of(folder) == chunks_of(finished[0])
    assert metrics_of(folder) == metrics_of(finished[0])
    for name in ("model/weights.safetensors", "config.toml", "inputs.json"):
        assert (folder / name).read_bytes() == (finished[0] / name).read_bytes()
    results, before = (json.loads((f / "results.json").read_text()) for f in (folder, finished[0]))
    assert results.pop("cost") and before.pop("cost") and results == before


def until(folder: Path, n_chunks: int, process: subprocess.Popen[str]) -> None:
    """Wait until a run has so many chunks."""
    while process.poll() is None:
        if len(list(folder.glob("data.zarr/*/*/*/zarr.json"))) >= n_chunks:
            return
        time.sleep(0.02)
    raise AssertionError(f"it ended by itself: {process.communicate()}")


def test_terminated_then_killed_it_goes_on_to_the_same_bytes(
    finished: tuple[Path, float], tmp_path: Path
) -> None:
    """SIGTERM ends between chunks, with one line and 143; after SIGKILL the lock is stale."""
    folder = tmp_path / "run"
    argv = [sys.executable, "-m", "macro_ase", "run", "nbmota", "--quick", "--out", str(folder)]
    argv += ["--workers", "1", *(part for o in TINY for part in ("--set", o))]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, **pipes) as process:
        until(folder, 2, process)
        process.terminate()
        printed, said = process.communicate()
    lines = said.splitlines()
    assert printed == "" and lines[0].startswith("needs about ")
    assert lines[-1] == "stopped; run the same command again to go on"
    assert process.returncode == 143 and not (folder / "run.lock").exists()
    assert not (folder / "data.zarr" / ".unfinished").exists()
    kept = chunks_of(folder)
    assert kept.items() <= chunks_of(finished[0]).items() and kept
    with subprocess.Popen(argv, **pipes) as process:
        until(folder, 6, process)
        process.kill()
    assert (folder / "run.lock").is_file()
    run_study(settings(workers=1), folder)
    assert chunks_of(folder) == chunks_of(finished[0])
    assert metrics_of(folder) == metrics_of(finished[0])


def test_two_runs_in_one_folder(
    finished: tuple[Path, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_writer(tmp_path / "run"):
        assert "is in use by process" in refusal(capsys, tmp_path / "run")
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.lock"]


def test_every_stage_has_its_seed(finished: tuple[Path, float], tmp_path: Path) -> None:
    """The same inputs and another seed give another result, stage by stage."""
    folder, _ = finished
    d, other = (stages.AlloyStudy(settings(workers=1, seed=seed)).design for seed in (0, 1))
    runner, again = Runner(folder), Runner(tmp_path)

    def both(function: Any, make: Any, *inputs: Any) -> list[Any]:
        return [r.chunks("s", function, make(x, *inputs)) for x, r in ((d, runner), (other, again))]

    small = both(small_chunk, stages.small_jobs)
    scan = stages.time_step(d, small[0])
    pairs = both(grown_pairs_chunk, stages.pair_jobs, small[0], scan)
    own = (small[0], scan, pairs[0])
    model, model_1 = stages.model_of(d, *own, runner), stages.model_of(other, *own, again)
    direct = both(direct_run_chunk, stages.direct_jobs, scan, model)
    paths, paths_1 = (stages.predict(x, scan, model) for x in (d, other))
    assert not np.array_equal(d.system.large_state, other.system.large_state)
    for chunks, key, name in (
        (small, "small/2000.0/0", "tau_w"),
        (pairs, "pairs/2000.0/0/0", "dz"),
        (direct, "direct/2000.0/0", "z"),
    ):
        assert not np.array_equal(*(own[key][name] for own in chunks))
    assert not np.array_equal(*(m.trained.history for m in (model, model_1)))
    assert not np.array_equal(paths[0][1][:, :, 1], paths_1[0][1][:, :, 1])


def write_network(path: Path) -> None:
    """A barrier network of random weights, in the layout of the published one."""
    rng = np.random.default_rng(5)
    arrays: dict[str, np.ndarray] = {"W4": rng.normal(0, 0.01, (128, 1)), "b4": np.array([0.8])}
    for layer in range(4):
        arrays[f"W{layer}"] = rng.normal(0, 0.1, (128 if layer else 729, 128))
        arrays |= {f"{name}{layer}": rng.normal(0, 0.2, 128) for name in ("b", "beta", "mean")}
        arrays |= {f"{name}{layer}": rng.uniform(0.5, 1.5, 128) for name in ("gamma", "var")}
    np.savez(path, **arrays)


@pytest.mark.parametrize("drift", ["onsager", "network"])
@pytest.mark.filterwarnings("error:Initializing zero-element tensors")
def test_a_barrier_network_at_one_temperature(tmp_path: Path, drift: str) -> None:
    """Swaps that heal seams use an energy fitted to the network; the model has no condition."""
    write_network(tmp_path / "network.npz")
    config = settings(
        f"system.barriers={str(tmp_path / 'network.npz')!r}",
        "conditions.temperatures_K=[2500.0]",
        f"learning.drift={drift}",
    )
    folder = run_study(config, tmp_path / "run")
    metrics = metrics_of(folder)
    assert 0 < metrics["sro_rms"]["value"] < 0.08
    assert metrics["barrier_cv_mae_eV"]["value"] is None
    model = MacroModel.load(folder / "model")
    assert model.trained.scaling.n_conditions == 0 and model.options.drift == drift


def test_four_species_with_barriers_by_name(tmp_path: Path) -> None:
    """NbMoTaW needs two settings; its six pairs go to the report, and the name to the folder."""
    quaternary = (
        "system.composition=Nb0.25Mo0.25Ta0.25W0.25",
        "system.barriers=NbMoTaW",
        "conditions.temperatures_K=[3000.0]",
        "sampling.dt_events=[250, 500]",
    )
    run_study(settings(*quaternary, workers=1), tmp_path / "run", quick=True)
    metrics = metrics_of(tmp_path / "run")
    assert metrics["row_sum_residual"]["value"] < 1e-6
    assert metrics["sro_rms"]["value"] < 0.1  # a random crystal is off by .3
    shipped = KRABarriers.load("NbMoTaW").info["metrics"]
    assert metrics["barrier_cv_mae_eV"]["value"] == shipped["barrier_cv_mae_eV"]
    inputs = json.loads((tmp_path / "run" / "inputs.json").read_text())
    assert len(inputs["NbMoTaW"]) == 64
    html = (tmp_path / "run" / "report.html").read_text()
    assert "Ta-W" in html and "Warning" not in html
