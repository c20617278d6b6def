"""The command line: help, what is passed on, and one line for bad input."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ase.io import read

from macro_ase.cli import COMMANDS, main
from macro_ase.cli_arguments import parser

ROOT = Path(__file__).parent.parent
BIG = ("--size", "100000", "100000", "100000")


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def presets(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A single study named toy."""
    folder = cwd / "presets"
    folder.mkdir()
    text = 'title = "A toy"\nseed = 0\nworkers = 1\n[system]\nstructure = ""\nbarriers = ""\n'
    (folder / "toy.toml").write_text(text + "hops = 5\n[quick]\n")
    monkeypatch.setattr("macro_ase.config.PRESETS", folder)
    return folder


def refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line that the arguments are refused with."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("macro-ase: error: ")
    return err


def backend(monkeypatch: pytest.MonkeyPatch, module: str, name: str, answer: Any) -> list[Any]:
    """Puts a stand-in for a function of the package in place; gives the list of its calls."""
    calls: list[Any] = []

    def stand_in(*args: Any, **options: Any) -> Any:
        calls.append((args, options))
        return answer() if callable(answer) else answer

    fake = ModuleType(module)
    setattr(fake, name, stand_in)
    monkeypatch.setitem(sys.modules, module, fake)
    return calls


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_has_a_description_and_examples(
    name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"] if name is None else [name, "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    if name is None:
        assert all(f"  {command}" in text for command in COMMANDS)
    else:
        assert f"  macro-ase {name}" in text.partition("examples:")[2]
        assert max(map(len, text.splitlines())) <= 100


def test_commands_of_the_page_on_scaling_can_be_read() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text().replace("\\\n", " ")
    lines = re.findall(r"^    .*\bmacro[-_]ase ((?:run|work) .*)$", text, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        parser().parse_args(shlex.split(line))


def test_the_commands_of_the_manual_are_there() -> None:
    simulate = ["run", "work", "list", "report", "predict", "anneal", "map"]
    simulate += ["sro", "kmc", "build"]
    computed = ["compute-barriers", "vacancy-energy", "fit-barriers", "make-potential"]
    computed += ["compare-potentials"]
    tools = ["export", "doctor", "completion"]
    assert list(COMMANDS) == [*simulate, "diffusion", *computed, *tools]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "required: COMMAND"),
        (("rum",), "invalid choice: 'rum' (choose from 'run', "),
        (("run", "toy", "--quik"), "arguments: --quik; did you mean --quick?"),
        (("sro", "here.xyz", "C"), "arguments: C; macro-ase sro --help shows what there is"),
        (("run", "tyo"), "unknown study 'tyo'; did you mean 'toy'?"),
        (("run", "gone.toml"), "no such file: gone.toml"),
        (("run", "toy", "--set", "system.hop=3"), "'system.hop'; did you mean 'system.hops'?"),
        (("run", "toy", "--set", "system.hops=x"), "system.hops = 'x': expected a whole number"),
        (("make-potential", "eam", "--data", "gone.xyz", "--out", "x.eam.alloy"), "gone.xyz"),
        (("make-potential", "meam", "--out", "x"), "invalid choice: 'meam'"),
        (("compute-barriers", "gone.xyz", "--calculator", "eam:x", "--out", "x"), "gone.xyz"),
        (("run", "toy", "--seed", "-1"), "--seed: expected a whole number >= 0, not -1"),
        (("run", "toy", "--workers", "0"), "--workers: expected a whole number >= 1, not 0"),
        (("run", "toy", "--structure", "gone.xyz"), "--structure: no such file: gone.xyz"),
        (("run", "toy", "--barriers", "gone.json"), "--barriers: no such file: gone.json"),
        (("run", "toy", "--barriers", "NbMo"), "no such file: NbMo; barrier models that ship"),
        (("report", "gone"), "gone is not the folder of a finished run"),
        (("sro", "gone.xyz"), "no such file: gone.xyz"),
        (("sro", "here.xyz", "--shells", "0"), "--shells: expected a whole number >= 1, not 0"),
        (("sro", "here.xyz", "--csv", "no/out.csv"), "cannot write a file no/out.csv"),
        (("kmc", "gone.xyz", "--temperature", "1", "--steps", "1"), "no such file: gone.xyz"),
        (("kmc", "here.xyz", "--temperature", "0", "--steps", "1"), "a number > 0, not 0"),
        (("kmc", "here.xyz", "--temperature", "-5", "--steps", "1"), "--temperature: expected"),
        (("kmc", "here.xyz", "--temperature", "inf", "--steps", "1"), "--temperature: expected"),
        (("kmc", "here.xyz", "--temperature", "9", "--steps", "-1"), ">= 0, not -1"),
        (("kmc", "here.xyz", "--temperature", "9", "--steps", "1.5"), ">= 0, not 1.5"),
        (("kmc", "here.xyz", "--temperature", "9"), "are required: --steps"),
        (("fit-barriers", "gone", "--out", "m.json"), "no such folder: gone"),
        (("build", "hcp", "W", "--out", "a.xyz"), "invalid choice: 'hcp'"),
        (("build", "bcc", "W0.5", "--out", "a.xyz"), "the fractions of 'W0.5' add to 0.5"),
        (("build", "bcc", "W", "--size", "2", "2", "0", "--out", "a.xyz"), ">= 1, not 0"),
        (("build", "bcc", "W", *BIG, "--out", "a.xyz"), "sites would need about"),
        (("build", "bcc", "W", "--vacancies", "1e16", "--out", "a.xyz"), "<= 1000000000000000"),
        (("kmc", "here.xyz", "--temperature", "9", "--steps", "1e300"), "<= 1000000000000000"),
        (("kmc", "here.xyz", "--temperature", "1e26", "--steps", "1"), "from 1e-12 to 1e+07"),
        (
            ("run", "toy", "--seed", "1e300"),
            "a whole number <= 9223372036854775807",
        ),
        (("run", "toy", "--seed", "9" * 5000), "--seed: expected a whole number >= 0, not 999"),
        (("run", "toy", "--workers", "1e9"), "--workers: expected a whole number <= 4096"),
        (("run", "toy", "--set", "system.hops=1e300"), "system.hops must be at most"),
        (("build", "bcc", "W", "--out", "no/a.xyz"), "cannot write a file no/a.xyz"),
        (("build", "bcc", "W", "--out", "a.abc"), "no file format is known"),
        (("build", "bcc", "W", "--out", "a.gpw"), "gpw"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    argv: tuple[str, ...],
    message: str,
    cwd: Path,
    presets: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (cwd / "here.xyz").touch()
    assert message in refusal(capsys, *argv)
    assert {path.name for path in cwd.iterdir()} == {"here.xyz", "presets"}


def test_list(presets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert capsys.readouterr().out == f"toy A toy\nsettings: {presets}\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m macro_ase list | true"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert run.returncode == 0 and "Broken pipe" not in run.stderr


def test_build_writes_a_crystal(cwd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = "build bcc Mo0.5Ta0.5 --size 3 3 3 --vacancies 1 --ordered B2 --out b2.xyz".split()
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith("b2.xyz: 54 sites, ")
    symbols = read("b2.xyz").get_chemical_symbols()  # type: ignore[union-attr]
    assert symbols.count("X") == 1 and set(symbols[::2]) <= {"Mo", "X"}
    first = Path("b2.xyz").read_bytes()
    assert main(argv) == 0 and Path("b2.xyz").read_bytes() == first


def write_run(folder: Path) -> Path:
    metric = {"value": 0.0213, "error": 0.0021, "truth": 0, "floor": 0.004, "unit": "1"}
    metrics = {"study": "toy", "seed": 0, "wall_s": 1, "metrics": {"sro_rms": metric}}
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('study = "toy"\n')
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "results.json").write_text(json.dumps({"title": "Toy"}))
    return folder


def test_run_passes_the_settings_on_and_ends_with_the_report(
    cwd: Path,
    presets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_folder = write_run(cwd / "done")
    calls = backend(monkeypatch, "macro_ase.workflow", "run_study", run_folder)
    for name in ("my.xyz", "b.json"):
        (cwd / name).touch()
    argv = "run toy --quick --seed 3 --workers 2 --structure my.xyz --barriers b.json"
    argv += " --engine processes:2 --walltime 1:30:00"
    assert main([*argv.split(), "--set", "system.hops=1e3"]) == 0
    ((config, out, overwrite, quick), options) = calls[0]
    assert (out, overwrite, quick) == (Path("runs/toy-quick"), False, True)
    assert options == {"executor": "processes:2", "walltime": 5400}
    assert config == {
        "study": "toy",
        "title": "A toy",
        "seed": 3,
        "workers": 2,
        "system": {
            "structure": str(cwd / "my.xyz"),
            "barriers": str(cwd / "b.json"),
            "hops": 1000,
        },
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == "sro_rms 0.0213 ± 0.0021 1 (truth 0, floor 0.004)".split()
    assert lines[-1] == f"report: {run_folder / 'report.html'}"
    assert (run_folder / "report.html").is_file()


def test_report(cwd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(cwd / "done")
    assert main(["report", "done"]) == 0
    assert capsys.readouterr().out == "done/report.html\n"


def test_sro_kmc_and_fit_are_passed_on(
    cwd: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Path("here.xyz")
    here.touch()
    sro = backend(monkeypatch, "macro_ase.commands.sro_file", "sro_file", "order")
    kmc = backend(monkeypatch, "macro_ase.commands.kmc_file", "kmc_file", "hops")
    fit = backend(monkeypatch, "macro_ase.commands.fit_barriers", "fit_barriers_command", "fitted")
    assert main("sro here.xyz --shells 3 --csv o.csv".split()) == 0
    assert main("kmc here.xyz --temperature 900 --steps 1e6 --traj o.traj --ramp 300".split()) == 0
    assert main("fit-barriers . --out m.json --energies here.xyz --energies here.xyz".split()) == 0
    (((file,), options),) = sro
    assert file == here and options["n_shells"] == 3 and options["csv"] == Path("o.csv")
    assert options["weights"] == "auto" and options["index"] is options["cutoffs_A"] is None
    options = {"barriers": None, "vacancies": 0, "trajectory": Path("o.traj")}
    options |= {"interval": 1000, "seed": None, "log": None, "species": None, "ramp_to_K": 300.0}
    options |= {"append": False, "restart": None, "write_restart": None, "final": None, "csv": None}
    options |= {"vacancy_fraction": None}
    assert kmc == [((here, 900.0, 1_000_000), options)]
    assert fit == [(([Path(".")], Path("m.json"), [here, here], 0), {})]
    assert capsys.readouterr().out == "order\nhops\nfitted\n"
    assert main("kmc here.xyz --temperature 900 --steps 1 --barriers NbMoTaW".split()) == 0
    assert kmc[1][1]["barriers"] == Path("NbMoTaW")
    assert main("fit-barriers . .. --out m.json".split()) == 0
    assert fit[1] == (([Path("."), Path("..")], Path("m.json"), [], 0), {})


def raising(error: BaseException) -> Any:
    def answer() -> None:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileExistsError("runs/toy holds another run; --overwrite empties it"), "another run"),
        (ValueError("two\nlines"), "two lines"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "'macro-ase[learn]'"),
    ],
)
def test_errors_of_the_package_become_one_line(
    error: Exception,
    message: str,
    presets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    backend(monkeypatch, "macro_ase.workflow", "run_study", raising(error))
    assert message in refusal(capsys, "run", "toy")


def test_faults_of_the_package_are_not_hidden(
    presets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = ModuleNotFoundError("No module named 'macro_ase.gone'", name="macro_ase.gone")
    backend(monkeypatch, "macro_ase.workflow", "run_study", raising(fault))
    with pytest.raises(ModuleNotFoundError):
        main(["run", "toy"])


def test_ctrl_c(
    presets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend(monkeypatch, "macro_ase.workflow", "run_study", raising(KeyboardInterrupt()))
    assert main(["run", "toy"]) == 130
    assert "stopped; run the same command again to go on" in capsys.readouterr().err


def test_seeds_of_build_and_kmc_are_used(cwd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where atoms sit, which are taken out, and how vacancies hop: each by its own seed."""
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        build = f"build bcc NbMoTa --size 4 4 4 --vacancies 1 --seed {seed} --out {name}.xyz"
        assert main(build.split()) == 0
    a, b, c = (Path(f"{name}.xyz").read_bytes() for name in "abc")
    assert a == b and a != c
    for more in ("", "--vacancies 2"):
        capsys.readouterr()
        told = []
        for seed in (0, 0, 1):
            kmc = f"kmc a.xyz --temperature 1500 --steps 40 --seed {seed} {more}"
            assert main(kmc.split()) == 0
            told.append(capsys.readouterr().out)
        assert told[0] == told[1] and told[0] != told[2]
    taken = []
    for seed in (0, 1):
        kmc = (
            f"kmc a.xyz --temperature 1500 --steps 0 --seed {seed} --vacancies 3 --traj {seed}.traj"
        )
        assert main(kmc.split()) == 0
        taken.append(read(f"{seed}.traj").numbers)  # type: ignore[union-attr]
    assert (taken[0] != taken[1]).any()
