"""Heat treatment of the run of an alloy, whose model is made by hand: the command and its files."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning.models.linear_model import ENERGY_K, PREFACTOR, STEP, made

from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.config import dump_toml, load_config
from macro_ase.learning.models.clock import Clock
from macro_ase.learning.pairs import Scaling
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.design import Design

pytestmark = pytest.mark.learn
TILT = np.array([0.0, 0.0, 0.6, 0.0, 0.0, 0.0])
QUICK = ("--paths", "10")
COOLING = "2800 K, 1e9 K/s to 1700 K, hold 1 ms, quench to 300 K, hold 1 us"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a study leaves it; Mo-Ta bonds rest at what 1 / T says."""
    folder = tmp_path_factory.mktemp("runs") / "alloy"
    folder.mkdir()
    changes = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "small.runs=1",
               "conditions.temperatures_K=[1600.0,2300.0,3000.0]")  # fmt: skip
    config = load_config("nbmota", False, changes)
    (folder / "config.toml").write_text(dump_toml(config))
    d = Design.of(config)
    z0 = d.system.observe(d.system.large_state[None])[0]
    x = np.array([1000 / 3000, 1000 / 1600])
    shares = d.system.model_condition({"T": 2000})[1:]
    kept = np.stack([np.array([value, *shares]) for value in x])
    scaling = Scaling(
        z0, np.full(6, 0.05), np.array([x.mean(), *shares]), np.array([0.1, 0, 0]), kept
    )
    clock = Clock(x, np.log(PREFACTOR) + ENERGY_K / 1000 * x)
    # The tilt is in units of condition_scale: both members rest at z0 + tilt (1000 K / T - 1 / 3).
    rests = [z0 + TILT * (x.mean() - x[0] + shift) for shift in (0.0, 0.002)]
    common = (TILT, np.full(6, 0.05), np.full(6, 0.01), scaling, clock, d.system.names, 4)
    made(rests, *common).save(folder / "model")
    store = Store(folder / "data.zarr")
    for t in d.temperatures:
        for key in d.keys("small", t):
            store.write(key, {"z": np.tile(z0, (4, 1)), "extra": np.full((4, 3), 0.01)})
    return folder


def alpha_of(run: Path, temperature: float) -> float:
    """Of Mo-Ta at rest: 1 - z / (8 c_A c_B)."""
    d = Design.of(load_config(run / "config.toml"))
    order, z0 = d.system.order, d.system.observe(d.system.large_state[None])[0]
    c = order.fractions
    return float(1 - (z0[2] + 0.6 * (1000 / temperature - 1 / 3)) / (8 * c[1] * c[2]))


def test_a_schedule_gives_a_table_files_and_the_frozen_order(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv, plot = tmp_path / "order.csv", tmp_path / "order.png"
    words = ["anneal", str(run), "--schedule", COOLING, "--csv", str(csv), "--plot", str(plot)]
    assert main([*words, *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "the run's own crystal, 1024 sites" in out and "Nb-Nb" in out
    frozen = re.search(r"the last order is that of equilibrium at (\d+) ± \d+ K", out)
    assert frozen and abs(int(frozen[1]) - 1700) < 10
    assert err.count("extrapolates") == 1 and err.count("\n") == 1
    columns, *rows = (line.split(",") for line in csv.read_text().splitlines())
    own = dict(zip(columns, np.array(rows, dtype=float).T))
    at = alpha_of(run, 1700)
    assert own["alpha Mo-Ta"][-1] == pytest.approx(at, abs=0.004)
    assert own["alpha Mo-Ta low 68"][-1] < at < own["alpha Mo-Ta high 68"][-1]
    assert own["temperature_K"][-1] == 300 and np.all(np.diff(own["time_s"]) > 0)
    np.testing.assert_allclose(own["simulated_s"], own["time_s"], rtol=1e-6, atol=1e-15)
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_a_table_a_crystal_of_another_size_and_laboratory_time(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With 1e-6 of the vacancies all takes 1e6 times as long; random crystals begin at 0."""
    furnace, crystal, csv = (tmp_path / name for name in ("t.csv", "my.xyz", "out.csv"))
    furnace.write_text("time_s,temperature_K\n0,2500\n1e3,2000\n")
    atoms = build_crystal("bcc", "NbMoTa", size=(10, 9, 8), vacancies=2, rng=0)
    atoms.write(crystal)
    words = ["anneal", str(run), "--schedule", str(furnace), "--structure", str(crystal)]
    share = 2 / 1440 / 1e6
    words += ["--vacancy-fraction", f"{share:.9g}", "--csv", str(csv), "--paths", "0"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "my.xyz, 1440 sites. It has 2 vacancies of its own" in out
    assert f"by the vacancy fraction {share:.9g}" in out
    columns, *rows = (line.split(",") for line in csv.read_text().splitlines())
    own = dict(zip(columns, np.array(rows, dtype=float).T))
    np.testing.assert_allclose(own["simulated_s"] * 1e6, own["time_s"], rtol=1e-6, atol=1e-12)
    assert abs(own["alpha Mo-Ta"][0]) < 0.1
    assert own["alpha Mo-Ta"][-1] == pytest.approx(alpha_of(run, 2000), abs=0.004)


def test_times_to_equilibrium(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ln 10 relaxation times of 20 steps of 500 residence times, for Mo-Ta is all that moves."""
    assert main(["anneal", str(run), "--times-to", "2000", "2800", *QUICK]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    slower = 1024 / 100  # sites of the one vacancy, and of a patch that was learned from
    exact = np.log(10) * 20 * slower * STEP * PREFACTOR * np.exp(ENERGY_K / np.array([2000, 2800]))
    np.testing.assert_allclose([float(row[2]) for row in rows], exact, rtol=0.01)
    assert float(rows[0][1]) > float(rows[1][1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to do: give --schedule, --times-to or both"),
        (["--schedule", "2000 K, wait"], "cannot read 'wait' in the schedule"),
        (["--times-to", "2000", "--csv", "x.csv"], "--csv and --plot are of a schedule"),
        (["--schedule", "2000 K, hold 1 s", "--csv", "x.csv", "--plot", "x.csv"], "one file"),
        (["--schedule", "2000 K, hold 1 s", "--vacancy-fraction", "2"], "between 0 and 1"),
        (["--schedule", "2000 K, hold 1 s", "--vacancy-fraction", "none"], "no such file: none"),
    ],
)
def test_refusals(
    run: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["anneal", str(run), *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.count("\n") == 1


def test_runs_of_other_kinds_or_without_a_model_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold = ["--schedule", "2000 K, hold 1 s"]
    assert main(["anneal", str(tmp_path), *hold]) == 2
    assert "holds no run: it has no config.toml" in capsys.readouterr().err
    for study, message in (("nbmota", "has learned no model yet"), ("ising", "run of 'ising'")):
        (tmp_path / "config.toml").write_text(dump_toml(load_config(study)))
        assert main(["anneal", str(tmp_path), *hold]) == 2
        assert message in capsys.readouterr().err
