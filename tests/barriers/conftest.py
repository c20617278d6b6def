"""Barriers and energies of models that are known exactly, in memory and as files."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from macro_ase.barriers import KRABarriers
from macro_ase.barriers.fit_data import BarrierTable
from macro_ase.barriers.formation_frames import FormationFrames
from macro_ase.barriers.linear_fit import prior_of, unpack
from macro_ase.barriers.orbits import HOP_DIRECTIONS
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.kinetics.hop_rates import evaluate_barriers
from macro_ase.kinetics.padding import pad, padded_sites
from macro_ase.lattice import BCC, SiteGrid


class Synthetic:
    """Models that are known exactly, and what fits read of them."""

    SPECIES = ("Nb", "Mo", "Ta", "W", "V")

    @staticmethod
    def true_model(n: int) -> KRABarriers:
        """Random parameters in the form of the fit, far from the floor of E_KRA."""
        rng = np.random.default_rng(n)
        width = len(prior_of(n, 1.0, 1.0))
        w = rng.normal(0, 0.004, width)
        w[:n] = rng.uniform(1.0, 1.4, n)
        return unpack(w, Synthetic.SPECIES[:n], np.full((1, n), 1 / n))

    @staticmethod
    def all_barriers(model: KRABarriers, grid: SiteGrid, occupation: np.ndarray) -> np.ndarray:
        """Barriers of every hop into every site of a full crystal, shape (n_sites, 8)."""
        barriers = np.empty((grid.n_sites, 8))
        tables = model.tables(grid)
        for site in range(grid.n_sites):
            vacant = occupation.copy()
            vacant[site] = len(model.species)
            place = int(padded_sites(grid, site))
            evaluate_barriers(tables, pad(grid, vacant), place, site % 2, barriers[site])
        return barriers

    @staticmethod
    def table(
        model: KRABarriers, seed: int, sigma_eV: float = 0.0, share: np.ndarray | None = None
    ) -> BarrierTable:
        """All barriers of a random crystal of 128 sites under a model, with noise."""
        grid, n = SiteGrid(BCC, (4, 4, 4)), len(model.species)
        rng = np.random.default_rng(seed)
        occupation = rng.choice(n, grid.n_sites, p=share).astype(np.int8)
        barriers = Synthetic.all_barriers(model, grid, occupation)
        barriers += rng.normal(0, sigma_eV, barriers.shape)
        crystal = Crystal.from_sites(grid, model.species, occupation, 3.2)
        sites = np.repeat(np.arange(grid.n_sites), 8)
        return BarrierTable(
            crystal, sites, grid.neighbors(HOP_DIRECTIONS).ravel(), barriers.ravel()
        )

    @staticmethod
    def frames(model: KRABarriers, number: int, seed: int = 0) -> FormationFrames:
        """Formation energies of random crystals of all compositions under a model."""
        rng, grid, n = np.random.default_rng(seed), SiteGrid(BCC, (3, 3, 3)), len(model.species)
        crystals = [
            Crystal.from_sites(
                grid, model.species, rng.choice(n, grid.n_sites, p=rng.dirichlet(np.ones(n))), 3.2
            )
            for _ in range(number)
        ]
        energies = [model.energy.energy(c) / grid.n_sites for c in crystals]
        return FormationFrames(crystals, np.array(energies), 0)

    @staticmethod
    def write_table(folder: Path, seed: int = 0, **changes: float) -> np.ndarray:
        """A POSCAR of 54 atoms with the tables of a known model; returns the barriers.

        ``i17=-0.1`` sets entry 17 of the barriers, counted through all lines.
        """
        atoms = build_crystal("bcc", "NbMo", (3, 3, 3), rng=seed)
        atoms = atoms[np.argsort(atoms.get_chemical_symbols(), kind="stable")[::-1]]
        model = Synthetic.true_model(2)
        crystal = Crystal.from_atoms(atoms, species=model.species)
        atom_at = np.argsort(crystal.site_of_atom)
        ids = atom_at[crystal.grid.neighbors(HOP_DIRECTIONS)[crystal.site_of_atom]] + 1
        barriers = Synthetic.all_barriers(model, crystal.grid, crystal.occupation)[
            crystal.site_of_atom
        ]
        for place, value in changes.items():
            barriers.flat[int(place[1:])] = value
        folder.mkdir(exist_ok=True)
        write(folder / "POSCAR", atoms, format="vasp")
        np.savetxt(folder / "atomid_for_NN.txt", ids, fmt="%d")
        np.savetxt(folder / "barrier_for_NN.txt", barriers)
        return barriers


@pytest.fixture(scope="session")
def synthetic() -> type[Synthetic]:
    return Synthetic
