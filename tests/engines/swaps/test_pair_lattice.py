"""A pair energy on the compiled kernel: the energies of its definition."""

import numpy as np
import pytest

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines.swaps.pair_lattice import pair_lattice
from macro_ase.site_cells import SiteCells

ENERGY = KRABarriers.load("NbMoTa").energy
ATOMS = build_crystal("bcc", "Ta0.3Nb0.4Mo0.3", (3, 4, 5), vacancies=2, rng=0)


@pytest.mark.parametrize("species", [("Nb", "Mo", "Ta"), ("Ta", "Nb", "Mo")])
def test_energies_and_those_of_swaps_are_by_definition(species: tuple[str, ...]) -> None:
    energy, crystal = ENERGY.only(species), Crystal.from_atoms(ATOMS, species=species)
    lattice = pair_lattice(SiteCells.of(ATOMS, vacancies=True)[0], energy, 2)
    state, n_atoms = lattice.state(crystal.occupation), crystal.counts[:-1].sum()
    whole = energy.energy(crystal)
    known = ENERGY.energy(Crystal.from_atoms(ATOMS, species=ENERGY.species))
    assert whole == pytest.approx(known, abs=1e-9), "the order of species changes nothing"
    bonds = whole - n_atoms * energy.composition_energy(crystal.counts[:-1])
    assert lattice.energy(state) == pytest.approx(bonds, abs=1e-9)
    assert lattice.species == (*species, "X") and lattice.n_shells == 2
    for i, j in np.random.default_rng(0).choice(len(ATOMS), (20, 2)):
        swapped = ATOMS.copy()
        swapped.numbers[[i, j]] = ATOMS.numbers[[j, i]]
        change = energy.energy(Crystal.from_atoms(swapped, species=species)) - whole
        assert lattice.swap_energy(state, i, j) == pytest.approx(change, abs=1e-9)


def test_what_it_is_not_of_is_refused() -> None:
    fcc = SiteCells.of(build_crystal("fcc", "NbMo", (2, 2, 2), rng=0))[0]
    with pytest.raises(ValueError, match="of bcc sites, not of fcc"):
        pair_lattice(fcc, ENERGY, 2)
    with pytest.raises(ValueError, match="knows Nb, Mo, Ta, not W"):
        ENERGY.only(("Nb", "W"))
