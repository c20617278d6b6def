"""Tiny studies of other alloys, boundaries, dynamics and barriers end to end."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_alloy import METRICS, metrics_of, settings  # noqa: E402

from macro_ase.barriers import KRABarriers, nnk  # noqa: E402
from macro_ase.config import load_config  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.run_folder import prepare  # noqa: E402
from macro_ase.sampling import Store  # noqa: E402
from macro_ase.studies.registry import study_of  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
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


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_periodic_boundary_and_no_direct_runs(tmp_path: Path) -> None:
    """Without direct runs there is a prediction, and no metric that needs the truth."""
    config = settings(
        "system.boundary='periodic'", "conditions.temperatures_K=[3000.0]", "direct.runs=0"
    )
    run_study(config, tmp_path / "run")
    assert "periodic" in (tmp_path / "run" / "report.html").read_text()
    metrics = metrics_of(tmp_path / "run")
    assert not metrics.keys() & {"sro_rms", "std_ratio_worst", "relaxation_ratio_worst"}
    assert metrics["row_sum_residual"]["value"] < 1e-6


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
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


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_swaps_of_neighbours(tmp_path: Path) -> None:
    """The other dynamics of an alloy, and patches that evolve more than once."""
    tiny = (
        "system.small_size=[4,4,4]",
        "system.large_size=[8,8,4]",
        "conditions.temperatures_K=[1200.0, 2000.0]",
        "small.runs=2",
        "small.events=16.0",
        "sampling.repeats=2",
        "learning.epochs=3",
        "learning.width=8",
        "direct.runs=8",
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
    assert len(pairs["dz"]) == 2 * 4 * (pairs["snapshot"].max() + 1)


def write_network(path: Path) -> None:
    """A barrier network of random weights, in the layout of the published one."""
    rng, n = np.random.default_rng(5), nnk.WIDTH
    arrays: dict[str, np.ndarray] = {"W4": rng.normal(0, 0.02, (n, 1)), "b4": np.array([0.8])}
    for layer in range(4):
        arrays[f"W{layer}"] = rng.normal(0, *((0.2, (n, n)) if layer else (0.1, (729, n))))
        arrays |= {f"{name}{layer}": rng.normal(0, 0.2, n) for name in ("b", "beta", "mean")}
        arrays |= {f"{name}{layer}": rng.uniform(0.5, 1.5, n) for name in ("gamma", "var")}
    np.savez(path, **arrays)


def barrier_network(file: Path, drift: str) -> dict[str, Any]:
    """Settings of a short study: a hop takes 100 times as long as with other barriers."""
    return settings(
        f"system.barriers={str(file)!r}",
        "conditions.temperatures_K=[2500.0]",
        "small.events=10000",
        "sampling.dt_events=[250, 500]",
        f"learning.drift={drift}",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.filterwarnings("error:Initializing zero-element tensors")
def test_a_barrier_network_at_one_temperature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swaps that heal seams use an energy fitted to the network; the model has no condition.

    The network is narrow. Both drifts are learned from the same patches: nothing but the model is
    made twice.
    """
    monkeypatch.setattr(nnk, "WIDTH", 32)
    write_network(tmp_path / "network.npz")
    for drift in ("onsager", "network"):
        config, folder = barrier_network(tmp_path / "network.npz", drift), tmp_path / drift
        if drift == "network":
            prepare(folder, config, False, study_of(config).inputs)
            shutil.copytree(tmp_path / "onsager" / "data.zarr", folder / "data.zarr")
        run_study(config, folder)
        metrics = metrics_of(folder)
        assert 0 < metrics["sro_rms"]["value"] < 0.08
        assert metrics["barrier_cv_mae_eV"]["value"] is None
        model = MacroModel.load(folder / "model")
        assert model.trained.scaling.n_conditions == 0 and model.options.drift == drift


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
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
