"""Equilibrium at any size from the run of an alloy whose model is made by hand."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning.models.linear_model import ENERGY_K, PREFACTOR, STEP

from macro_ase.analysis.time_step import TimeStepScan
from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.studies.alloys.study import predict

from .hand_made_run import KAPPA, NOISE, alpha_of, hand_made

pytestmark = pytest.mark.learn
KELVIN = np.array([2000.0, 2500.0])
TIMES = STEP / KAPPA * PREFACTOR * np.exp(ENERGY_K / KELVIN)
"""Of a crystal with a vacancy to each patch that was learned from."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_made(tmp_path_factory.mktemp("runs") / "alloy")


def predicted(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[str, str]:
    assert main(["predict", *map(str, words)]) == 0
    return capsys.readouterr()


def read(csv: Path) -> dict[str, np.ndarray]:
    columns, *rows = (line.split(",") for line in csv.read_text().splitlines())
    return dict(zip(columns, np.array(rows, dtype=float).T))


@pytest.mark.slow
@pytest.mark.parametrize("cells", [8, 16])
def test_means_spreads_and_times_of_a_size(
    run: Path, tmp_path: Path, cells: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The spread falls as 1 / sqrt(n), time and order stay.

    At 2500 K the small crystal's order changes by four spreads: too little for a time.
    """
    csv, plot = tmp_path / "order.csv", tmp_path / "order.png"
    size = ("--size", *[cells] * 3, "--temperature", *KELVIN, "--paths", 100)
    out, err = predicted(capsys, run, *size, "--csv", csv, "--plot", plot)
    n, own = 2 * cells**3, read(csv)
    assert f"random crystal of {cells} x {cells} x {cells} cells, {n} sites" in out and not err
    assert out.count("Mo-Ta") == 3 and "2500.0" in out
    np.testing.assert_array_equal(own["temperature_K"], KELVIN)
    at = np.array([alpha_of(run, t) for t in KELVIN])
    np.testing.assert_allclose(own["alpha Mo-Ta"], at, atol=0.004)
    spread = NOISE * np.sqrt(100 / n / (2 * KAPPA)) / (8 / 9)
    np.testing.assert_allclose(own["alpha Mo-Ta spread"], spread, rtol=0.1)
    lower, upper = own["alpha Mo-Ta low 68"], own["alpha Mo-Ta high 68"]
    np.testing.assert_allclose(upper - lower, 2 * spread, rtol=0.15)
    times = np.where((cells == 8) & (KELVIN > 2000), np.nan, 10.24 * TIMES)
    np.testing.assert_allclose(own["alpha Mo-Ta relaxation"], times, rtol=0.01)
    assert plot.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_a_study_predicts_its_large_crystal(run: Path) -> None:
    """From where that begins to where alpha of the small one leads; its bonds per site do not."""
    own = AlloyRun(run)
    d, n = own.design, len(own.design.temperatures)
    step, slowest = own.model.step_events, np.full((n, 1), 25 * own.model.step_events)
    kelvin = np.array(d.temperatures)
    scan = TimeStepScan(kelvin, np.array([step]), slowest, slowest, step)
    c, ratio = d.system.order.fractions, d.system.over_small(d.system.order)[2]
    for t, (_, z) in zip(d.temperatures, predict(d, scan, own.model), strict=True):
        start = d.system.observe(np.array([d.start(t, r) for r in range(d.direct_runs)]))
        np.testing.assert_allclose(z[0, : len(start), 0], start, rtol=1e-5)
        mean = float(z[:, :, 1200:, 2].mean())
        assert 1 - mean / (8 * c[1] * c[2]) == pytest.approx(alpha_of(run, t), abs=0.004)
        assert abs(1 - mean / ratio / (8 * c[1] * c[2]) - alpha_of(run, t)) > 0.01


def test_a_size_begins_as_the_run_does(run: Path) -> None:
    """The same crystal at the run's own size; at others random ones of the same composition."""
    own = AlloyRun(run)
    here, there = own.beginning(), own.beginning(size=(8, 8, 8))
    np.testing.assert_array_equal(here.z0, there.z0)
    assert (here.n_patches, here.n_sites) == (there.n_patches, there.n_sites) == (1, 1024)
    large = own.beginning(size=(16, 20, 24))
    assert large.n_sites == 15360 and large.n_patches == 15
    np.testing.assert_allclose(large.order.fractions, here.order.fractions, atol=2e-3)
    assert np.abs(large.z0[:3] / (8 * 0.111) - 1).max() < 0.05


def test_a_run_of_a_file_gives_random_crystals_of_its_composition(tmp_path: Path) -> None:
    file = tmp_path / "my.xyz"
    build_crystal("bcc", "Nb0.2Mo0.5Ta0.3", size=(8, 8, 8), vacancies=2, rng=0).write(file)
    with pytest.warns(UserWarning, match="lies outside what the barriers were fitted to"):
        own = AlloyRun(hand_made(tmp_path / "alloy", f"system.structure={str(file)!r}"))
    large = own.beginning(size=(16, 16, 16))
    assert large.n_patches == 16
    np.testing.assert_allclose(large.order.fractions[:3], [0.2, 0.5, 0.298], atol=1e-3)


@pytest.mark.slow
def test_a_file_other_temperatures_and_laboratory_time(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crystal, csv = tmp_path / "my.xyz", tmp_path / "out.csv"
    build_crystal("bcc", "NbMoTa", size=(10, 9, 8), vacancies=2, rng=0).write(crystal)
    words = ("--structure", crystal, "--temperature", 2000, 1400, "--csv", csv)
    share = 2 / 1440 / 1e6
    out, err = predicted(capsys, run, *words, "--vacancy-fraction", f"{share:.9g}")
    assert "my.xyz, 1440 sites. It has 2 vacancies of its own" in out
    assert "laboratory time to 1 - 1/e" in out and "by the vacancy fraction" in out
    assert err.count("\n") == 1 and "temperatures are 1400 to 2000 K" in err
    own = read(csv)
    np.testing.assert_array_equal(own["temperature_K"], [1400, 2000])
    name = "alpha Mo-Ta"
    both = own[f"{name} laboratory_s"], own[f"{name} relaxation"]
    np.testing.assert_allclose(both[0], 1e6 * both[1], rtol=1e-6)
    assert own[f"{name} error"][0] > own[f"{name} error"][1]


@pytest.mark.slow
def test_swaps_have_attempts_for_time_and_no_vacancies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = hand_made(tmp_path / "swaps", study="nbmota-swap")
    out, _ = predicted(capsys, own, "--size", 8, 8, 8, "--paths", 2)
    assert "change from the start (attempts per site)" in out and "vacanc" not in out
    assert main(["predict", str(own), "--vacancy-fraction", "1e-6"]) == 2
    assert "has no vacancies" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "3000", "3000", "3000"], "--size = [3000, 3000, 3000] of 54000000000 sites"),
        (["--size", "2", "8", "8"], "--size: expected a whole number >= 3, not 2"),
        (["--size", "8", "8"], "--size: expected 3 arguments"),
        (["--size", "8", "8", "8", "--structure", "my.xyz"], "give one of them"),
        (["--temperature", "-5"], "--temperature"),
        (["--paths", "0"], "--paths: expected a whole number >= 1, not 0"),
        (["--csv", "x.csv", "--plot", "x.csv"], "one file"),
        (["--vacancy-fraction", "none"], "no such file: none"),
    ],
)
def test_refusals(
    run: Path,
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.xyz").touch()
    assert main(["predict", str(run), *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.count("\n") == 1
