"""Only pairs with a moving atom, and yet the energies and forces of the whole."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.engines.patches.eam_surroundings import EAMSurroundings
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table

EAM = TableEAM(zhou_table())
MOVING, ROOM_A = 12, 0.4


def alloy(size: tuple[int, int, int], pbc=True) -> Atoms:
    atoms = bulk("Nb", a=3.24, cubic=True) * size
    rng = np.random.default_rng(0)
    atoms.symbols[:] = rng.choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.rattle(0.1, rng=rng)
    atoms.pbc = pbc
    return atoms


def later(atoms: Atoms, rng: np.random.Generator) -> Atoms:
    """The moving atoms elsewhere, but within their room, and swapped."""
    moved = atoms.copy()
    moved.positions[:MOVING] += rng.uniform(-1, 1, (MOVING, 3)) * ROOM_A / 3**0.5
    moved.numbers[:MOVING] = rng.permutation(moved.numbers[:MOVING])
    return moved


CASES = {
    "periodic": alloy((5, 5, 5)),
    "thin": alloy((5, 1, 2)),
    "slab": alloy((5, 4, 4), pbc=(True, True, False)),
    "cluster": alloy((4, 4, 4), pbc=False),
    "all of them": alloy((1, 2, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_energies_and_forces_are_those_of_the_whole(name: str) -> None:
    atoms, rng = CASES[name].copy(), np.random.default_rng(1)
    frozen = atoms[MOVING:]
    alone = EAM.get_potential_energy(frozen) if len(frozen) else 0.0
    part = EAMSurroundings(atoms, MOVING, EAM, ROOM_A)
    for _ in range(3):
        moved = later(atoms, rng)
        energy, forces = part.evaluate(moved)
        assert energy == pytest.approx(EAM.get_potential_energy(moved) - alone, abs=1e-9)
        np.testing.assert_allclose(forces, EAM.get_forces(moved)[:MOVING], atol=1e-10)


def test_the_densities_of_frozen_atoms_matter() -> None:
    atoms = CASES["periodic"]
    part = EAMSurroundings(atoms, MOVING, EAM, ROOM_A)
    part.kernel.atoms.frozen[:] *= 0.99
    assert np.abs(part.evaluate(atoms)[1] - EAM.get_forces(atoms)[:MOVING]).max() > 1e-4


def test_unknown_elements_are_refused() -> None:
    atoms = alloy((2, 2, 2))
    atoms.symbols[3] = "W"
    with pytest.raises(ValueError, match="knows Nb, Mo, Ta, not W"):
        EAMSurroundings(atoms, 2, EAM, ROOM_A)
