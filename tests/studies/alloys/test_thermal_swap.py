"""The road of an alloy whose atoms vibrate, by a calculator that takes no time."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from tiny_swap import TINY_SWAP

from macro_ase.config import load_config
from macro_ase.sampling.pairs import grown_pairs_chunk, small_chunk
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.study import pair_jobs, small_jobs, time_step
from macro_ase.workflow import run_study

pytestmark = pytest.mark.learn
OWN = """
import numpy as np
from ase.calculators.calculator import all_changes
from macro_ase.potentials.exact_state import ExactState

class Springs(ExactState):
    '''Unlike neighbours have -.05 eV; springs of 5 eV / A^2, of gold twice that.'''
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        cells = np.rint(self.atoms.cell.lengths() / 3).astype(int)
        site = np.rint(self.atoms.positions / 3).astype(int)
        gold = np.zeros(cells)
        gold[tuple(np.mod(site, cells).T)] = self.atoms.numbers == 79
        unlike = sum((gold != np.roll(gold, 1, axis)).sum() for axis in range(3))
        away = self.atoms.positions - 3 * site
        forces = -5.0 * (1 + (self.atoms.numbers == 79))[:, None] * away
        energy = -0.05 * unlike - 0.5 * (forces * away).sum()
        self.results = {"energy": float(energy), "forces": forces}

def springs():
    return Springs()
"""
TINY = (
    *TINY_SWAP,
    "system.calculator=python:own_springs_here:springs",
    "system.sites=thermal",
    "system.halo_A=3.0",
    "system.lattice=cubic",
    "system.lattice_constant_A=3.0",
    "system.large_size=[3, 3, 3]",
    "conditions.temperatures_K=[600.0]",
)


@pytest.fixture
def calculator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_springs_here.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("calculator", "undrawn")
def test_two_workers_walk_the_road_and_have_the_bytes_of_one(tmp_path: Path) -> None:
    config = load_config("swap", False, TINY, workers=2)
    folder, design = run_study(config, tmp_path / "run"), Design.of(config)
    assert "vibrate" in (folder / "report.html").read_text()
    store = Store(folder / "data.zarr")
    small = {key: store.read(key) for key in small_jobs(design)}
    pairs = pair_jobs(design, small, time_step(design, small))
    alone = {key: small_chunk(*job) for key, job in small_jobs(design).items()}
    alone |= {key: grown_pairs_chunk(*job) for key, job in pairs.items()}
    assert len(alone) == 4
    for key, chunk in alone.items():
        for name, values in chunk.items():
            np.testing.assert_array_equal(values, store.read(key)[name])


@pytest.mark.usefixtures("calculator")
def test_atoms_that_stand_still_make_other_moves() -> None:
    config = load_config("swap", False, (*TINY, "small.events=1.0"), workers=1)
    still = Design.of(config | {"system": config["system"] | {"sites": "ideal"}})
    runs = [
        [small_chunk(*job)["z"] for job in small_jobs(d).values()]
        for d in (Design.of(config), still)
    ]
    for vibrating, standing in zip(*runs):
        np.testing.assert_array_equal(vibrating[0], standing[0])
        assert (vibrating != standing).any()
