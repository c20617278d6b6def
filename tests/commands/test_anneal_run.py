"""Heat treatment of the run of an alloy, whose model is made by hand: the command and its files."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning.models.linear_model import ENERGY_K, PREFACTOR, STEP

from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.config import load_config
from macro_ase.toml_text import dump_toml

from .hand_made_run import KAPPA, alpha_of, hand_made

pytestmark = pytest.mark.learn
QUICK = ("--paths", "10")
COOLING = "2800 K, 1e9 K/s to 1700 K, hold 1 ms, quench to 300 K, hold 1 us"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_made(tmp_path_factory.mktemp("runs") / "alloy")


TRAINING = """
import numpy as np
from macro_ase.learning.models.training import train
from macro_ase.learning.options import TrainingOptions
from macro_ase.learning.pairs import PairBatch
z, dz = np.random.default_rng(0).normal(size=(2, 200, 1))
train(PairBatch(z, dz, 0.5, np.arange(200) // 10), TrainingOptions(members=1, epochs=1), 0)
"""


@pytest.mark.slow
def test_a_training_and_an_answer_load_no_compiler(run: Path) -> None:
    """That of torch takes 1.5 s, and the answer a part of one."""
    words = ["anneal", str(run), "--schedule", COOLING, "--paths", "0"]
    code = (
        f"{TRAINING}import sys; from macro_ase.cli import main; main({words}); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "torch" in loaded and "torch._dynamo" not in loaded, done.stderr


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_times_to_equilibrium(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """-ln of the part that is left, in relaxation times; bands are about the times.

    One is 5 steps of 500 residence times, for Mo-Ta is all that moves.
    """
    csv, plot = tmp_path / "times.csv", tmp_path / "times.png"
    words = ["--times-to", "2800", "2000", "--csv", str(csv), "--plot", str(plot), *QUICK]
    assert main(["anneal", str(run), *words]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    slower = 1024 / 100  # sites of the one vacancy, and of a patch that was learned from
    exact = slower * STEP / KAPPA * PREFACTOR * np.exp(ENERGY_K / np.array([2000, 2800]))
    np.testing.assert_allclose([float(row[2]) for row in rows], np.log(10) * exact, rtol=0.01)
    assert float(rows[0][1]) > float(rows[1][1])
    columns, *rows = (line.split(",") for line in csv.read_text().splitlines())
    own = dict(zip(columns, np.array(rows, dtype=float).T))
    assert own["temperature_K"].tolist() == [2000, 2800] * 3
    assert own["left"].tolist() == [0.9, 0.9, 0.5, 0.5, 0.1, 0.1]
    tau = own["of_mean_s"] / -np.log(own["left"])
    np.testing.assert_allclose(tau[::2], tau[0], rtol=0.02)
    assert np.all(own["low_95_s"] <= own["low_68_s"])
    assert np.all((own["low_68_s"] <= own["time_s"]) & (own["time_s"] <= own["high_68_s"]))
    assert plot.stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to do: give --schedule, --times-to or both"),
        (["--schedule", "2000 K, wait"], "cannot read 'wait' in the schedule"),
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
