"""The command that computes vacancies: by hand, by enumeration, stopped and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import read, write
from ase.optimize import BFGS

from macro_ase import TableEAM, VacancyFraction, build_crystal
from macro_ase.cli import main
from macro_ase.commands import vacancy_worker
from macro_ase.commands.vacancy_energy import JOURNAL, vacancy_energy_command
from macro_ase.commands.vacancy_results import CRYSTAL, is_record
from macro_ase.crystal import Crystal
from macro_ase.lattice import shell_neighbors
from macro_ase.potentials import path

EAM = "eam:NbMoTa.eam.alloy"
HERE = "threads:1"
MODULE = """
import numpy as np
from ase.calculators.emt import EMT
from macro_ase import PairEnergy, PairEnergyCalculator
def emt():
    return EMT()
def pairs():
    energy = np.array([[[-.6, -.72, -.05], [-.72, -.75, -.1], [-.05, -.1, 0]]])
    return PairEnergyCalculator(PairEnergy(("Mo", "Ta"), energy, np.zeros((2, 2))))
"""
PAIR, TO_VACANCY = np.array([[-0.6, -0.72], [-0.72, -0.75]]), np.array([-0.05, -0.1])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("of_vacancies.py").write_text(MODULE)
    sys.modules.pop("of_vacancies", None)


def by_hand(atoms: Atoms, calculator: object, relax: bool) -> float:
    """E(N - 1) - (N - 1) / N E(N)."""
    whole, holed = atoms.copy(), atoms.copy()
    del holed[3]
    for one in (whole, holed):
        one.calc = calculator
        if relax:
            BFGS(one, logfile=None).run(0.005)
    n = len(atoms)
    return float(holed.get_potential_energy() - (n - 1) / n * whole.get_potential_energy())


@pytest.mark.slow
@pytest.mark.parametrize("relax", [False, True])
def test_copper_is_as_by_hand(relax: bool) -> None:
    copper = bulk("Cu", cubic=True) * (3, 3, 3)
    write("cu.xyz", copper)
    text = vacancy_energy_command(
        "cu.xyz", "python:of_vacancies:emt", 2, "cu.json", HERE, relax, fmax=0.005
    )
    found = VacancyFraction.read("cu.json").formation_energy_eV
    assert found == pytest.approx(by_hand(copper, EMT(), relax), abs=2e-4)
    assert "Cu              2" in text and "under " in text


@pytest.mark.slow
@pytest.mark.parametrize(("name", "a0", "known"), [("Nb", 3.298, 2.70), ("Mo", 3.150, 2.96)])
def test_elements_of_the_potential_that_ships(name: str, a0: float, known: float) -> None:
    """As `potentials/NbMoTa-eam.md` has them."""
    write("a.xyz", bulk(name, "bcc", a=a0, cubic=True) * (4, 4, 4))
    vacancy_energy_command("a.xyz", EAM, 1, "v.json", HERE, True, fmax=0.005)
    found = VacancyFraction.read("v.json")
    assert found.formation_energy_eV == pytest.approx(known, abs=0.01)
    by = by_hand(read("a.xyz"), TableEAM(path("NbMoTa.eam.alloy")), True)
    assert found.formation_energy_eV == pytest.approx(by, abs=2e-3)
    assert found.log_error(1500) == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_all_sites_of_a_lattice_alloy_are_those_of_their_bonds() -> None:
    atoms = build_crystal("bcc", "Mo0.4Ta0.6", (3, 3, 3), lattice_constant_A=3.2, rng=0)
    write("a.xyz", atoms)
    calculator = "python:of_vacancies:pairs"
    vacancy_energy_command("a.xyz", calculator, None, "v.json", HERE, entropy_kB=1.5)
    found = VacancyFraction.read("v.json")

    crystal = Crystal.from_atoms(atoms, species=("Mo", "Ta"))
    around = crystal.occupation[shell_neighbors(crystal.grid)]
    bonds = np.stack([(around == s).sum(axis=1) for s in (0, 1)], axis=1)
    counts, whole = crystal.counts[:2], PAIR[crystal.occupation[:, None], around].sum() / 2
    shares = counts / counts.sum()
    swaps = bonds @ PAIR  # of each species on each site
    potentials = whole / 54 + (swaps - swaps @ shares[:, None]).mean(axis=0)
    energies = (bonds @ TO_VACANCY)[:, None] - swaps + potentials
    assert found.formation_energy_eV == pytest.approx((energies @ shares).mean(), abs=1e-9)
    made = np.array(found.deviations_eV) + found.formation_energy_eV
    np.testing.assert_allclose(np.sort(made, axis=0), np.sort(energies, axis=0), atol=2e-6)
    kept = found.info["potentials_and_errors_eV"]
    np.testing.assert_allclose([kept["Mo"][0], kept["Ta"][0]], potentials)
    factor = np.mean(1 / (np.exp(energies / (8.617333e-5 * 1500)) @ shares))
    assert found(1500) == pytest.approx(np.exp(1.5) * factor, rel=1e-4)


SCRIPT = """
import sys
from macro_ase.commands.vacancy_energy import vacancy_energy_command
if __name__ == "__main__":
    vacancy_energy_command(*sys.argv[1:3], 5, sys.argv[3], workers=2, relax=True)
"""


@pytest.mark.slow
def test_killed_and_resumed_it_ends_in_the_same_bytes() -> None:
    write("a.xyz", build_crystal("bcc", "NbMoTa", (3, 3, 3), lattice_constant_A=3.25, rng=0))
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, "a.xyz", EAM, "cut.json"])
    journal, end = Path("cut.sites") / JOURNAL, time.monotonic() + 120
    while not journal.is_file() or len(journal.read_bytes().splitlines()) < 3:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = journal.read_bytes()
    assert not Path("cut.json").exists()
    text = vacancy_energy_command("a.xyz", EAM, 5, "cut.json", workers=HERE, relax=True)
    assert journal.read_bytes().startswith(before[: before.rfind(b"\n")])
    whole = vacancy_energy_command("a.xyz", EAM, 5, "whole.json", workers="threads:2", relax=True)
    assert Path("cut.json").read_bytes() == Path("whole.json").read_bytes()
    assert text.replace("cut", "") == whole.replace("whole", "") and "5 of 54, 0 left" in text
    with pytest.raises(ValueError, match=r"other settings \(seed 0, now 1\)"):
        vacancy_energy_command("a.xyz", EAM, 5, "cut.json", relax=True, seed=1)
    fewer = vacancy_energy_command("a.xyz", EAM, 3, "cut.json", relax=True)
    sites = VacancyFraction.read("cut.json").info["sites"]
    assert "sites       3 of 54" in fewer
    assert (
        list(sites) == list(json.loads(Path("whole.json").read_text())["provenance"]["sites"])[:3]
    )


@pytest.mark.slow
def test_what_went_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.xyz", build_crystal("bcc", "NbMo", (3, 3, 3), lattice_constant_A=3.25, rng=0))
    relaxed, calls = vacancy_worker.relaxed, []

    def run_away(atoms: Atoms, *options: object) -> Atoms:
        end = relaxed(atoms, *options)
        calls.append(len(atoms))
        end.positions[0] += 1.0 if len(calls) == 1 else 0.0
        end.calc.atoms = end.copy()
        return end

    monkeypatch.setattr(vacancy_worker, "relaxed", run_away)
    text = vacancy_energy_command("a.xyz", EAM, 3, relax=True, workers=HERE)
    assert "sites       2 of 54, 1 left out" in text and "RuntimeError: relaxed, an atom" in text
    calls.clear()
    with pytest.raises(ValueError, match="1 sites have a formation energy, not 2: RuntimeError"):
        vacancy_energy_command("a.xyz", EAM, 2, relax=True, workers=HERE)


@pytest.mark.slow
def test_a_crystal_under_pressure_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.xyz", bulk("Nb", "bcc", a=3.0, cubic=True) * (3, 3, 3))
    words = f"vacancy-energy a.xyz --calculator {EAM} --sites 1 --entropy -0.5 --temperatures 900"
    assert main([*words.split(), "--engine", HERE]) == 0
    said = capsys.readouterr().out
    assert "relax its cell first" in said and "an entropy of -0.5 k" in said and "900 " in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"structure": "gone.xyz"}, "no such file"),
        ({"calculator": "vasp"}, "one of eam, mace"),
        ({"structure": "w.xyz"}, "knows Nb, Mo, Ta, not W"),
        ({"structure": "holed.xyz"}, "must have no vacancy"),
        ({"structure": "open.xyz"}, "must repeat along all three axes"),
        ({"structure": "fixed.traj"}, "which vacancies do not keep"),
        ({"structure": "one.xyz"}, "must have more than one atom"),
        ({"sites": 1}, "sites must be 2 to 54, not 1"),
        ({"sites": 55}, "sites must be 2 to 54, not 55"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"relax": True, "fmax": -1.0}, "fmax must be above 0 eV/A"),
        ({"entropy_kB": np.nan}, "entropy must be a finite number"),
        ({"temperatures_K": [0.0]}, "temperature must be above 0 K"),
        ({"out": "v.txt"}, "a vacancy fraction ends in .json"),
        ({"out": "gone/v.json"}, "is its folder there"),
        ({"out": "full.json"}, r"full.sites is not empty and holds no sites.jsonl"),
    ],
)
def test_refusals_leave_nothing(change: dict, message: str) -> None:
    alloy = build_crystal("bcc", "NbMo", (3, 3, 3), lattice_constant_A=3.25, rng=0)
    write("a.xyz", alloy)
    write("w.xyz", build_crystal("bcc", "NbW", (3, 3, 3), lattice_constant_A=3.25, rng=0))
    write(
        "holed.xyz",
        build_crystal("bcc", "NbMo", (3, 3, 3), lattice_constant_A=3.25, vacancies=1, rng=0),
    )
    write("one.xyz", bulk("Nb"))
    write("open.xyz", Atoms(alloy, pbc=(True, True, False)))
    write("fixed.traj", Atoms(alloy, constraint=FixAtoms([0])))
    Path("full.sites").mkdir()
    Path("full.sites/notes").touch()
    before = sorted(Path().rglob("*"))
    with pytest.raises((ValueError, OSError), match=message):
        vacancy_energy_command(
            **{"structure": "a.xyz", "calculator": EAM, "out": "v.json"} | change
        )
    assert [f for f in sorted(Path().rglob("*")) if "pycache" not in str(f)] == before


@pytest.mark.parametrize(
    ("record", "good"),
    [
        ({"vacant_eV": -1.0, "occupied_eV": {"Mo": -2.0}}, True),
        ({"vacant_eV": -1.0, "occupied_eV": {}}, False),
        ({"vacant_eV": np.nan, "occupied_eV": {"Mo": -2.0}}, False),
        ({"vacant_eV": -1.0, "occupied_eV": {"W": -2.0}}, False),
        ({"failed": "RuntimeError: lost atoms"}, True),
        ({"failed": 1}, False),
        ([], False),
    ],
)
def test_what_may_stand_in_the_journal(record: object, good: bool) -> None:
    assert is_record(("Mo", "Nb"), "atom 3", record) is good
    assert not is_record(("Mo", "Nb"), CRYSTAL, {"energy_eV": None})
