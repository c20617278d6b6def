"""Long-range order: ordered phases analytically, random crystals within their noise."""

import numpy as np
import pytest

from macro_ase.lattice import BCC, FCC, LATTICES, SiteGrid
from macro_ase.observables import b2_order, structure_factors, sublattice_order

GRID = SiteGrid(BCC, (3, 4, 6))


def stacked(pattern, axis=2):
    """Codes of bcc planes stacked along an axis in a repeating pattern."""
    return np.array(pattern)[GRID.coordinates[:, axis] % len(pattern)]


def test_perfect_b2_is_one():
    order = b2_order(stacked([0, 1]), GRID, 3)
    assert np.allclose(order.signed, [1, -1, 0])
    assert np.allclose(order.normalized[:2], 1)
    assert np.isnan(order.normalized[2])


def test_a_third_on_one_sublattice_is_fully_ordered():
    codes = np.ones(GRID.n_sites, dtype=int)
    corners = np.arange(0, GRID.n_sites, 2)
    codes[corners[: GRID.n_sites // 3]] = 0
    order = b2_order(codes, GRID, 2)
    assert np.allclose(order.signed, [2 / 3, -2 / 3])
    assert np.allclose(order.magnitude, 2 / 3)
    assert np.allclose(order.normalized, 1)


def test_random_crystals_have_the_noise_of_the_docstring():
    rng, n = np.random.default_rng(0), GRID.n_sites
    codes = rng.permuted(np.tile(np.arange(n) % 3, (4000, 1)), axis=1)
    order = b2_order(codes, GRID, 3)
    assert order.signed.shape == (4000, 3)
    assert np.allclose(order.concentration, 1 / 3)
    square = (order.signed**2).mean(axis=0)
    assert np.allclose(square, 4 * (1 / 3) * (2 / 3) / (n - 1), rtol=0.1)


@pytest.mark.parametrize(
    ("lattice", "cell", "eta"),
    [
        (BCC, (0, 1), 1.0),
        (FCC, (1, 0, 0, 0), 1.0),
        (FCC, (1, 1, 0, 0), 1.0),
        (FCC, (1, 1, 1, 1), np.nan),
    ],
    ids=["B2", "L1_2", "L1_0", "pure"],
)
def test_order_of_sublattices_is_one_in_ordered_phases(lattice, cell, eta):
    """And where a quarter of a crystal is another phase's domain it is what the shares say."""
    grid = SiteGrid(lattice, (4, 4, 4))
    codes = np.tile(cell, 4**3)
    np.testing.assert_allclose(sublattice_order(codes, grid, 2), eta)
    if cell == (1, 0, 0, 0):
        codes[: grid.n_sites // 4] = np.tile((0, 1, 0, 0), 4**2)
        variance = ((3 / 4 - 1 / 4) ** 2 + 2 * (1 / 4) ** 2) / 4
        expected = np.sqrt(variance / (1 / 4 * 3 / 4))
        np.testing.assert_allclose(sublattice_order(codes, grid, 2), expected)


def test_order_of_sublattices_is_that_of_b2_and_of_peaks_and_random_as_said():
    rng, n = np.random.default_rng(0), GRID.n_sites
    codes = rng.permuted(np.tile(np.arange(n) % 2, (4000, 1)), axis=1)
    eta = sublattice_order(codes, GRID, 2)
    np.testing.assert_allclose(eta, b2_order(codes, GRID, 2).normalized, atol=1e-12)
    assert np.allclose((eta**2).mean(axis=0), 1 / (n - 1), rtol=0.1)
    grid = SiteGrid(FCC, (3, 3, 3))
    codes = rng.permuted(np.tile(np.arange(grid.n_sites) % 3, (50, 1)), axis=1)
    peaks = [f.values[..., -1] / f.random / grid.n_sites for f in structure_factors(codes, grid, 3)]
    np.testing.assert_allclose(sublattice_order(codes, grid, 3) ** 2, sum(peaks), atol=1e-12)


def test_order_of_sublattices_needs_some():
    with pytest.raises(ValueError, match="bcc and fcc, not on cubic"):
        sublattice_order(np.zeros(8, dtype=int), SiteGrid(LATTICES["cubic"], (2, 2, 2)), 2)


def test_structure_factor_of_random_crystals_is_flat():
    rng, n = np.random.default_rng(1), GRID.n_sites
    codes = rng.permuted(np.tile(np.arange(n) % 3, (3000, 1)), axis=1)
    for factor, size in zip(structure_factors(codes, GRID, 3), GRID.size, strict=True):
        assert factor.values.shape == (3000, 3, size + 1)
        assert np.allclose(factor.random, 2 / 9)
        assert np.allclose(factor.values[..., 0], 0)
        mean = factor.values[..., 1:].mean(axis=0)
        assert np.allclose(mean, 2 / 9 * n / (n - 1), rtol=0.12)


def test_structure_factor_agrees_with_the_sum_over_sites():
    codes = np.random.default_rng(2).integers(0, 3, GRID.n_sites)
    for axis, factor in enumerate(structure_factors(codes, GRID, 3)):
        position = GRID.coordinates[:, axis] / 2
        for species in range(3):
            excess = (codes == species) - np.mean(codes == species)
            waves = np.exp(2j * np.pi * np.outer(factor.k, position))
            expected = np.abs(waves @ excess) ** 2 / GRID.n_sites
            assert np.allclose(factor.values[species], expected)


@pytest.mark.parametrize(
    ("pattern", "peak"), [([0, 1], 1.0), ([0, 1, 1], 2 / 3), ([0, 0, 1, 1], 1 / 2)]
)
def test_stackings_peak_where_they_should(pattern, peak):
    _, _, factor = structure_factors(stacked(pattern), GRID, 2)
    assert factor.k[factor.values[0].argmax()] == pytest.approx(peak)
    others = structure_factors(stacked(pattern), GRID, 2)[:2]
    if pattern == [0, 1]:
        assert factor.values[0].max() == pytest.approx(GRID.n_sites / 4)
        assert all(f.values[0, -1] == pytest.approx(GRID.n_sites / 4) for f in others)
    else:
        assert b2_order(stacked(pattern), GRID, 2).magnitude == pytest.approx(0)
        assert all(np.allclose(f.values, 0) for f in others)


def test_structure_factor_at_one_is_the_b2_order():
    codes = np.random.default_rng(3).integers(0, 3, GRID.n_sites)
    expected = GRID.n_sites * b2_order(codes, GRID, 3).magnitude ** 2 / 4
    for factor in structure_factors(codes, GRID, 3):
        assert np.allclose(factor.values[:, -1], expected)


def test_wrong_lattice_or_size_is_refused():
    fcc = SiteGrid(FCC, (2, 2, 2))
    with pytest.raises(ValueError, match="bcc, not on fcc"):
        b2_order(np.zeros(fcc.n_sites), fcc, 2)
    assert len(structure_factors(np.arange(fcc.n_sites) % 2, fcc, 2)) == 3
    with pytest.raises(ValueError, match="must hold 144 codes"):
        b2_order(np.zeros(7), GRID, 2)
    with pytest.raises(ValueError, match="each code must be"):
        structure_factors(np.full(GRID.n_sites, 2), GRID, 2)


def test_order_of_atoms() -> None:
    """The same through Atoms: perfect B2 peaks at k = 1, and only alloys have an order."""
    from macro_ase.build import build_crystal
    from macro_ase.observables import long_range_order

    order = long_range_order(build_crystal("bcc", "MoTa", (6, 6, 6), ordered="B2"))
    np.testing.assert_allclose(order.b2.normalized[:2], 1.0)
    assert all(f.values[0].argmax() == 6 for f in order.structure_factors)
    assert "B2 1.000" in order.table() and "k = 1.00" in order.table()
    with pytest.raises(ValueError, match="at least two species"):
        long_range_order(build_crystal("bcc", "Mo", (3, 3, 3)))


@pytest.mark.parametrize("how", ["shifted", "unwrapped", "left-handed", "open", "hot", "holes"])
def test_order_is_that_of_the_sites(how) -> None:
    """B2 of MoTa in every disguise of its atoms; the sublattices may be exchanged."""
    from macro_ase.build import build_crystal
    from macro_ase.observables import long_range_order

    atoms, rng = build_crystal("bcc", "MoTa", (4, 5, 6), ordered="B2"), np.random.default_rng(0)
    if how == "shifted":
        atoms.positions += [1.7, -3.3, 40.1]
    if how == "unwrapped":
        atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    if how == "left-handed":
        atoms.set_cell(atoms.cell.array * [1, 1, -1], scale_atoms=True)
    if how == "open":
        atoms.pbc = (True, False, True)
    if how == "hot":
        atoms.positions += rng.normal(0, 0.22, (len(atoms), 3))
    if how == "holes":
        del atoms[[3, 50]]
    order = long_range_order(atoms)
    least = 0.98 if how == "holes" else 1 - 1e-12
    assert np.all(order.b2.normalized[:2] >= least)
    assert all(f.k[f.values[0].argmax()] == 1 for f in order.structure_factors)


@pytest.mark.parametrize("codes", [np.full(GRID.n_sites, 0.5), np.full(GRID.n_sites, np.nan)])
def test_codes_that_are_no_whole_numbers_are_refused(codes) -> None:
    with pytest.raises(ValueError, match="whole number"):
        b2_order(codes, GRID, 2)
