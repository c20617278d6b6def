"""Kinetic Monte Carlo of a file: the text, the files it writes, what it refuses."""

import re
from pathlib import Path

import numpy as np
import pytest
from ase.io import read, write
from ase.io.trajectory import Trajectory

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.commands.kmc_file import kmc_file
from macro_ase.engines.vacancies.fraction import VacancyFraction
from macro_ase.statistics import weighted_mean

NETWORK = Path(__file__).parents[2].parent / "shared" / "data" / "nnk_reference.npz"


@pytest.fixture
def alloy(tmp_path: Path) -> Path:
    file = tmp_path / "alloy.xyz"
    write(file, build_crystal(size=(4, 4, 4), vacancies=1, rng=0))
    return file


def number(text: str, label: str) -> float:
    found = re.search(rf"^{label} +(\S+)", text, re.MULTILINE)
    assert found, label
    return float(found[1])


def test_the_text_and_the_files(alloy: Path, tmp_path: Path) -> None:
    trajectory, log = tmp_path / "hops.traj", tmp_path / "hops.log"
    text = kmc_file(alloy, 2000, 6000, trajectory=trajectory, interval=100, log=log, seed=4)
    assert text.startswith("alloy.xyz: 128 bcc sites, Mo42Nb41Ta44X, 2000 K")
    assert number(text, "hops") == 6000
    seconds = number(text, "time")
    assert number(text, "mean residence time of a vacancy") == pytest.approx(
        seconds / 6000, rel=1e-3
    )
    frames = Trajectory(trajectory)
    assert len(frames) == 61
    moved = (frames[-1].positions - frames[0].positions)[frames[0].numbers == 0]
    msd = number(text, "vacancy mean square displacement")
    assert msd == pytest.approx((moved**2).sum(), rel=1e-3)
    last = log.read_text().splitlines()[-1].split()
    assert last[0] == "6000" and float(last[1]) == pytest.approx(seconds, rel=1e-3)
    row = next(line for line in text.splitlines() if line.startswith("Mo-Ta")).split()
    assert len(row) == 5 and 0 < float(row[4]) < 0.1
    assert "mean over the last 31 samples" in text
    assert kmc_file(alloy, 2000, 6000, interval=100, seed=4) == text


def test_the_cold_is_refused(alloy: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no vacancy can hop at 10 K: all rates are 0"):
        kmc_file(alloy, 10, 1000, trajectory=tmp_path / "hops.traj", log=tmp_path / "hops.log")
    assert not (tmp_path / "hops.traj").exists() and not (tmp_path / "hops.log").exists()
    with pytest.warns(UserWarning, match="steps were not done: no vacancy can hop at"):
        text = kmc_file(alloy, 1000, 1000, ramp_to_K=1)
    assert " of 1000: no vacancy can hop any more" in text


def test_a_run_in_two_parts_is_one_run(alloy: Path, tmp_path: Path) -> None:
    state, whole, parts = tmp_path / "s.npz", tmp_path / "whole.traj", tmp_path / "parts.traj"
    kmc_file(alloy, 2000, 400, trajectory=whole, interval=100, seed=3, csv=tmp_path / "a.csv")
    kmc_file(alloy, 2000, 200, trajectory=parts, interval=100, seed=3, write_restart=state)
    text = kmc_file(
        alloy, 2000, 200, trajectory=parts, interval=100, append=True, restart=state,
        write_restart=state, final=tmp_path / "final.xyz",
    )  # fmt: skip
    assert "200 (400 since the start)" in text
    one, two = (read(file, index=":") for file in (whole, parts))
    assert len(one) == len(two) == 5
    for a, b in zip(one, two):
        assert a.info == b.info and np.array_equal(a.positions, b.positions)
    np.testing.assert_allclose(read(tmp_path / "final.xyz").positions, one[-1].positions, atol=1e-7)
    rows = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True)
    np.testing.assert_allclose(rows["time_s"], [frame.info["time_s"] for frame in one])
    np.testing.assert_allclose(rows["residence_s"], [frame.info["residence_s"] for frame in one])
    assert rows["temperature_K"].tolist() == [2000.0] * 5 and "alpha_NbTa" in rows.dtype.names


def test_a_trajectory_is_gone_on_with(alloy: Path, tmp_path: Path) -> None:
    file = tmp_path / "hops.traj"
    kmc_file(alloy, 2000, 200, trajectory=file, interval=100)
    kmc_file(file, 2000, 200, trajectory=file, interval=100, append=True, ramp_to_K=1000)
    times = [frame.info["time_s"] for frame in read(file, index=":")]
    assert len(times) == 5 and np.all(np.diff(times) > 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "old.traj", "trajectory": "old.traj"}, "would write over the structure file"),
        ({"path": "old.traj@0", "trajectory": "old.traj"}, "would write over the structure file"),
        ({"path": "old.traj", "trajectory": "link.traj"}, "would write over the structure file"),
        ({"path": "old.traj", "trajectory": "./x/../old.traj"}, "would write over the structure"),
        ({"path": "old.traj", "final": "old.traj"}, "out would write over the structure file"),
        ({"path": "old.traj", "csv": "old.traj", "append": True, "log": "l"}, "csv would write"),
        ({"trajectory": "t.traj", "final": "t.traj"}, "out and trajectory are one file"),
        ({"append": True}, "append needs a trajectory or a log"),
        ({"restart": "s.npz", "seed": 1}, "seed has no meaning with restart"),
        ({"restart": "none.npz"}, "none.npz"),
        ({"restart": "old.traj"}, "is not a restart file"),
        ({"final": "final.nothing"}, "final.nothing"),
        ({"ramp_to_K": -5.0}, "temperature must be above 0"),
    ],
)
def test_what_is_read_is_never_written_over(
    alloy: Path, options: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(alloy.parent)
    write("old.traj", read(alloy))
    Path("link.traj").symlink_to("old.traj")
    Path("x").mkdir()
    before = {file: file.read_bytes() for file in Path().rglob("*.*") if file.is_file()}
    usual: dict[str, object] = {"path": alloy, "temperature_K": 2000, "steps": 10}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        kmc_file(**(usual | options))  # type: ignore[arg-type]
    assert {file: file.read_bytes() for file in Path().rglob("*.*") if file.is_file()} == before


def test_few_samples_give_no_mean(alloy: Path) -> None:
    text = kmc_file(alloy, 2000, 10)
    assert "over the last" not in text and "error" not in text
    still = kmc_file(alloy, 2000, 0)
    assert number(still, "time") == 0 and "a vacancy -" in still


@pytest.mark.slow
def test_vacancies_are_taken_out_at_random(tmp_path: Path) -> None:
    file = tmp_path / "full.cif"
    write(file, build_crystal(size=(4, 4, 4), rng=0))
    texts = [kmc_file(file, 1500, 50, vacancies=3, seed=s) for s in (0, 0, 1)]
    assert "X3" in texts[0] and texts[0] == texts[1] != texts[2]


def test_absent_atoms_are_vacancies_and_relaxed_atoms_are_snapped(tmp_path: Path) -> None:
    atoms = build_crystal(size=(4, 4, 4), rng=0)
    atoms.rattle(0.05, seed=0)
    del atoms[17]
    write(tmp_path / "POSCAR", atoms, format="vasp", sort=True)
    text = kmc_file(tmp_path / "POSCAR", 1500, 50)
    assert "128 bcc sites" in text and "X," in text


def test_a_model_from_a_file(alloy: Path, tmp_path: Path) -> None:
    KRABarriers.load().save(tmp_path / "mine.json")
    text = kmc_file(alloy, 2000, 500, barriers=tmp_path / "mine.json")
    assert "barriers mine.json" in text
    assert text.splitlines()[1:] == kmc_file(alloy, 2000, 500).splitlines()[1:]


@pytest.mark.skipif(not NETWORK.is_file(), reason="the network is not beside the repository")
def test_the_published_network(alloy: Path) -> None:
    text = kmc_file(alloy, 2000, 500, barriers=NETWORK)
    assert "barriers nnk_reference.npz" in text and number(text, "hops") == 500


def test_command(alloy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trajectory = alloy.with_suffix(".traj")
    argv = f"kmc {alloy} --temperature 2000 --steps 200 --traj {trajectory} --interval 50"
    assert main(argv.split()) == 0
    assert number(capsys.readouterr().out, "hops") == 200
    assert len(read(trajectory, index=":")) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "gone.xyz"}, "no such file"),
        ({"path": "junk.xyz"}, "cannot be read as a structure"),
        ({"path": "tungsten.xyz"}, "species W not among Nb, Mo, Ta"),
        ({"path": "fcc.xyz"}, "not a"),
        ({"path": "full.xyz"}, "--vacancies"),
        ({"path": "small.xyz"}, "at least 3 along each axis"),
        ({"steps": -1}, "steps must be 0 or more, not -1"),
        ({"interval": 0}, "interval must be 1 or more, not 0"),
        ({"seed": -1}, "seed must be a whole number, 0 or larger, not -1"),
        ({"temperature_K": 0}, "temperature must be above 0 K"),
        ({"vacancies": -1}, "vacancies must be 0 or more"),
        ({"vacancies": 127}, "cannot take 127 vacancies out of 127 atoms"),
        ({"barriers": "gone.json"}, "no such file"),
        ({"barriers": "junk.json"}, "not a complete KRA barrier file"),
        ({"barriers": "junk.xyz"}, "barrier models end in"),
        ({"trajectory": "hops.xyz"}, r"ends in \.traj"),
        ({"trajectory": "gone/hops.traj"}, "is its folder there"),
        ({"log": "gone/hops.log"}, "is its folder there"),
    ],
)
def test_refusals_leave_nothing(
    alloy: Path, options: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(alloy.parent)
    Path("junk.xyz").write_text("not a crystal")
    Path("junk.json").write_text('{"format": ')
    write("tungsten.xyz", build_crystal("bcc", "NbW", (3, 3, 3), vacancies=1, rng=0))
    write("fcc.xyz", build_crystal("fcc", "NbMo", (3, 3, 3), vacancies=1, rng=0))
    write("full.xyz", build_crystal(size=(3, 3, 3), rng=0))
    write("small.xyz", build_crystal(size=(2, 2, 2), vacancies=1, rng=0))
    before = sorted(Path().rglob("*"))
    usual = {"path": alloy, "temperature_K": 2000, "steps": 10, "trajectory": "t.traj", "log": "l"}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        kmc_file(**(usual | options))  # type: ignore[arg-type]
    assert sorted(Path().rglob("*")) == before


def test_weighted_mean_is_the_average_over_time() -> None:
    """Slow states 0 and 1, of which 1 lasts twice as long, and weights that jump about."""
    rng, n_t, stay = np.random.default_rng(0), 2000, 0.95
    means, errors = [], []
    for _ in range(300):
        flips = rng.random(n_t) > stay
        states = (np.cumsum(flips) + rng.integers(2)) % 2
        mean, error = weighted_mean(states, rng.exponential(size=n_t) ** 2 * (1 + states))
        means.append(mean)
        errors.append(error)
    assert np.mean(means) == pytest.approx(2 / 3, abs=4 * np.std(means) / np.sqrt(300))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)


def test_time_in_the_laboratory_beside_the_simulated(alloy: Path, tmp_path: Path) -> None:
    options = {"interval": 100, "seed": 4, "csv": tmp_path / "a.csv"}
    plain = kmc_file(alloy, 2000, 1050, **options)
    before = (tmp_path / "a.csv").read_text().splitlines()
    text = kmc_file(alloy, 2000, 1050, vacancy_fraction=1e-8, **options)
    seconds = number(text, "time")
    assert number(text, "time in the laboratory") == pytest.approx(seconds / 128 / 1e-8, rel=1e-3)
    assert set(plain.splitlines()) < set(text.splitlines()) and "1.00e-08 at 2000 K" in text
    after = (tmp_path / "a.csv").read_text().splitlines()
    assert [line.rpartition(",")[0] for line in after] == before
    last = after[-1].split(",")
    assert after[0].endswith(",laboratory_s")
    assert float(last[-1]) == pytest.approx(float(last[1]) / 128 / 1e-8, rel=1e-5)


def test_the_laboratory_slows_down_along_a_ramp(alloy: Path, tmp_path: Path) -> None:
    VacancyFraction(2.9, 0.1).write(tmp_path / "v.json")
    text = kmc_file(alloy, 2000, 1000, ramp_to_K=1500, vacancy_fraction=tmp_path / "v.json")
    assert re.search(r"e-08 at 2000 K to [\d.]+e-10 at 1500 K", text)
    value = number(text, "time in the laboratory")
    least, most = map(float, re.search(r"\((\S+) to (\S+) s\)", text).groups())  # type: ignore[union-attr]
    assert least < value < most and 1 < most / value < 3
    scales = [VacancyFraction(2.9).time_scale(t, 1 / 128) for t in (2000, 1500)]
    assert scales[0] < value / number(text, "time") < scales[1]


def test_vacancy_fractions_that_are_none_are_refused(alloy: Path, tmp_path: Path) -> None:
    log = tmp_path / "hops.log"
    for given, message in ((2.0, "between 0 and 1"), ("gone", "no such file: gone")):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            kmc_file(alloy, 2000, 10, vacancy_fraction=given, log=log)
    VacancyFraction(2.9).write(tmp_path / "v.json")
    with pytest.raises(ValueError, match="would write over the vacancy-fraction file"):
        kmc_file(alloy, 2000, 10, vacancy_fraction=tmp_path / "v.json", csv=tmp_path / "v.json")
    with pytest.raises(ValueError, match="vacancy fraction is too small for a number at 1 K"):
        kmc_file(alloy, 1000, 10, ramp_to_K=1, vacancy_fraction=tmp_path / "v.json", log=log)
    assert not log.exists()
