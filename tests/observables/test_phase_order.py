"""Order parameters of phases: perfect crystals exactly, random ones by their law."""

from typing import Any

import numpy as np
import pytest

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC, CUBIC, FCC, LATTICES, SiteGrid
from macro_ase.observables.ordered_phases import OrderedPhase
from macro_ase.observables.phase_order import RANDOM, half_peak, phase_order

ORDERED = {
    "B2": ("bcc", "Mo0.5Ta0.5", {"any": 1, "B2": 1, "B32": 0, "D0_3": 0}, 0.0),
    "D0_3": ("bcc", "Mo3Ta", {"any": 1, "B2": 1 / 3, "B32": 0, "D0_3": 1}, 1 / 3),
    "L1_2": ("fcc", "Cu3Au", {"any": 1, "L1_2": 1, "L1_0": 0}, None),
    "L1_0": ("fcc", "CuAu", {"any": 1, "L1_2": 0, "L1_0": 1}, None),
}
"""Lattice, composition, squares of the order parameters, and S / n at (1/2, 1/2, 1/2)."""


def sites(lattice: str, composition: str, ordered: str) -> Crystal:
    atoms = build_crystal(lattice, composition, (4, 2, 6), ordered=ordered, rng=0)
    return Crystal.from_atoms(atoms, lattice=LATTICES[lattice])


@pytest.mark.parametrize("phase", ORDERED)
def test_perfect_phases_are_one_and_others_as_said(phase: str) -> None:
    lattice, composition, squares, peak = ORDERED[phase]
    crystal = sites(lattice, composition, phase)
    found = phase_order(crystal.occupation, crystal.grid, 3)
    assert found.keys() == squares.keys()
    for name, square in squares.items():
        np.testing.assert_allclose(found[name][:2], square, atol=1e-12)
        assert np.isnan(found[name][2])
    if peak is not None:
        half = half_peak(crystal.occupation, crystal.grid, 3)[:2]
        np.testing.assert_allclose(half, peak * crystal.grid.n_sites, atol=1e-9)


def test_b32_is_seen_too() -> None:
    crystal = OrderedPhase("B32", ("Mo", "Ta")).crystal(3.2)
    found = phase_order(crystal.occupation, crystal.grid, 2)
    np.testing.assert_allclose([found[name][0] for name in ("B2", "B32", "D0_3")], [0, 1, 0])
    np.testing.assert_allclose(half_peak(crystal.occupation, crystal.grid, 2), 16 / 2)


def test_the_peak_is_the_fourier_sum() -> None:
    """Of any arrangement, by the definition, mean over k and -k."""
    grid, rng = SiteGrid(BCC, (2, 4, 2)), np.random.default_rng(1)
    codes = rng.integers(0, 2, grid.n_sites)
    wave = np.exp(1j * np.pi * grid.coordinates.sum(axis=1) / 2)
    excess = codes - codes.mean()
    by_sum = abs(excess @ wave) ** 2 / grid.n_sites / codes.var()
    np.testing.assert_allclose(half_peak(codes, grid, 2), by_sum)


@pytest.mark.parametrize("grid", [SiteGrid(BCC, (6, 6, 6)), SiteGrid(FCC, (5, 5, 5))])
def test_random_crystals_follow_their_law_and_sorted_ones_do_not(grid: Any) -> None:
    rng, n = np.random.default_rng(0), grid.n_sites
    codes = rng.permuted(np.tile(np.arange(n) % 4 == 0, (4000, 1)), axis=1).astype(int)
    for name, square in phase_order(codes, grid, 2).items():
        values = square[:, 0] * (n - 1)
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - RANDOM[name]) < 4 * error + 0.01 * RANDOM[name], name
        assert abs(values.mean() - 1.2 * RANDOM[name]) > 4 * error, name
    if grid.lattice is BCC:
        peak = half_peak(codes, grid, 2)[:, 0]
        assert abs(peak.mean() - n / (n - 1)) < 4 * peak.std() / np.sqrt(len(peak))


def test_odd_cells_have_b2_alone_and_other_lattices_nothing() -> None:
    grid = SiteGrid(BCC, (3, 4, 4))
    codes = np.arange(grid.n_sites) % 2
    assert list(phase_order(codes, grid, 2)) == ["B2"]
    np.testing.assert_allclose(phase_order(codes, grid, 2)["B2"], 1)
    assert np.isnan(half_peak(codes, grid, 2)).all()
    cubic = SiteGrid(CUBIC, (2, 2, 2))
    with pytest.raises(ValueError, match="bcc and fcc, not of cubic"):
        phase_order(np.arange(8) % 2, cubic, 2)
