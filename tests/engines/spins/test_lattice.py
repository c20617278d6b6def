"""Spin lattices as atoms."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from macro_ase.engines.spins.lattice import lattice_sites, random_spins, spin_lattice, spins_of


@pytest.mark.parametrize("size", [(5,), (4, 7), (3, 4, 5)])
@pytest.mark.parametrize("name", ["a.traj", "a.xyz"])
def test_files_give_back_lattice_and_spins(
    size: tuple[int, ...], name: str, tmp_path: Path
) -> None:
    spins = random_spins(int(np.prod(size)), 0.3, 0)
    atoms = spin_lattice(size, spins, spacing=2.5)
    atoms.write(tmp_path / name)
    again = read(tmp_path / name)
    np.testing.assert_array_equal(spins_of(again), spins)
    found, sites = lattice_sites(again)
    assert found == size
    np.testing.assert_array_equal(sites, np.arange(len(atoms)))


def test_sites_of_shuffled_and_shifted_atoms() -> None:
    atoms = spin_lattice((4, 5))
    order = np.random.default_rng(0).permutation(20)
    shuffled = atoms[order]
    shuffled.positions += [0.02, 3.01, 0.0]
    size, sites = lattice_sites(shuffled)
    rows, columns = np.unravel_index(sites, size)
    steps = (shuffled.positions - shuffled.positions[0])[:, :2]
    np.testing.assert_allclose((steps[:, 0] - rows + rows[0]) % 4 % 4, 0, atol=1e-9)
    np.testing.assert_allclose((steps[:, 1] - columns + columns[0]) % 5 % 5, 0, atol=1e-9)


def test_random_spins_have_the_mean_asked_for() -> None:
    for mean in (-1.0, -0.75, 0.0, 0.5, 1.0):
        assert random_spins(4096, mean, 0).mean() == mean
    assert np.any(random_spins(64, 0, 0) != random_spins(64, 0, 1))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="3 or more along each axis"):
        spin_lattice((2, 4))
    with pytest.raises(ValueError, match="magmoms must be 1 or -1"):
        spin_lattice((3, 3), np.zeros(9))
    with pytest.raises(ValueError, match="9 sites"):
        spin_lattice((3, 3), np.ones(8))
    with pytest.raises(ValueError, match="must lie in -1"):
        random_spins(9, 1.1)
    with pytest.raises(ValueError, match="periodic along"):
        lattice_sites(Atoms("H4", positions=np.eye(4, 3)))
    rattled = spin_lattice((4, 4))
    rattled.rattle(0.3)
    with pytest.raises(ValueError, match="not on the sites"):
        lattice_sites(rattled)
    doubled = spin_lattice((4, 4))
    doubled.positions[1] = doubled.positions[0]
    with pytest.raises(ValueError, match="share a site"):
        lattice_sites(doubled)
    with pytest.raises(ValueError, match="initial magnetic moments"):
        spins_of(Atoms("H"))
