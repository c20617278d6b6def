"""Pooled features: their Jacobian, rates from all and from some forces, order and size."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.engines.patches.partial_forces import choose_block
from macro_ase.systems.pooled_features import (
    PooledForces,
    RadialBasis,
    leading,
    pooled,
)

BASIS = RadialBasis(number=5)


def fluid(seed: int = 0, size: int = 4) -> tuple[Atoms, np.ndarray, np.ndarray]:
    """Atoms, velocities of mean 0, and made-up forces."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Ar", "fcc", 1.7, cubic=True) * (size, size, size)
    atoms.rattle(0.1, rng=rng)
    velocities = rng.normal(size=(len(atoms), 3))
    return atoms, velocities - velocities.mean(axis=0), rng.normal(size=(len(atoms), 3))


def pair_forces(atoms: Atoms) -> np.ndarray:
    """Of a pair potential within the span of the functions."""
    _, jacobian = pooled(atoms, np.zeros((len(atoms), 3)), BASIS)
    return -len(atoms) * np.tensordot([0.3, -1.0, 0.5, 0.2, -0.1], jacobian[1:6, :, :3], axes=1)


def measured(forces: str = "pair", n: int = 4) -> PooledForces:
    parts = []
    for seed in range(n):
        atoms, velocities, other = fluid(seed, 3)
        f = pair_forces(atoms) if forces == "pair" else other
        block = choose_block(atoms, 12, np.random.default_rng(seed))
        parts.append(PooledForces.measure(atoms, velocities, f, block, BASIS))
    return PooledForces.join(parts)


def test_the_jacobian_is_the_derivative() -> None:
    atoms, velocities, _ = fluid()
    rng, h = np.random.default_rng(1), 1e-6
    dx, dv = rng.normal(size=(2, len(atoms), 3))
    dv -= dv.mean(axis=0)
    ends = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * h * dx
        ends.append(pooled(moved, velocities + sign * h * dv, BASIS)[0])
    _, jacobian = pooled(atoms, velocities, BASIS)
    along = (jacobian * np.concatenate([dx, dv], axis=1)).sum(axis=(1, 2))
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), along, atol=1e-6, rtol=1e-6)


def test_rates_are_the_derivatives_along_a_run() -> None:
    """Positions follow velocities and velocities forces; dR/dt needs no forces."""
    atoms, velocities, forces = fluid()
    raw = PooledForces.measure(atoms, velocities, forces, np.arange(9), BASIS)
    rates, h, ends = raw.rates()[0], 1e-5, []
    forces -= forces.mean(axis=0)
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * h * velocities
        ends.append(pooled(moved, velocities + sign * h * forces, BASIS)[0])
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), rates, atol=1e-6, rtol=1e-5)
    np.testing.assert_array_equal(rates[1:6], raw.values[0, 6:])


def test_order_and_number_do_not_matter() -> None:
    atoms, velocities, _ = fluid()
    z, _ = pooled(atoms, velocities, BASIS)
    order = np.random.default_rng(2).permutation(len(atoms))
    np.testing.assert_allclose(pooled(atoms[order], velocities[order], BASIS)[0], z)
    twice = pooled(atoms * (2, 1, 1), np.tile(velocities, (2, 1)), BASIS)[0]
    np.testing.assert_allclose(twice[1:], z[1:])
    n = len(atoms)
    assert twice[0] * (2 * n - 1) / (2 * n) == pytest.approx(z[0] * (n - 1) / n)


def test_blocks_that_cover_all_atoms_give_what_all_atoms_give() -> None:
    """The mean over the blocks of a partition, each of the same size; wrong weight as control."""
    atoms, velocities, forces = fluid(size=3)
    parts = np.split(np.random.default_rng(3).permutation(len(atoms)), 4)
    raw = PooledForces.join(
        [PooledForces.measure(atoms, velocities, forces, part, BASIS) for part in parts]
    )
    np.testing.assert_allclose(raw.gram_block.mean(axis=0), raw.gram[0], atol=1e-15)
    np.testing.assert_allclose(raw.forced_block.mean(axis=0), raw.forced[0], atol=1e-13)
    assert raw.square_block.mean() == pytest.approx((forces**2).sum())
    assert np.abs(raw.forced_block.mean(axis=0) / 2 - raw.forced[0]).max() > 1e-3


def test_a_few_atoms_tell_all_rates_where_forces_are_of_pairs() -> None:
    """Exact within the span of the functions; forces of another kind as the control."""
    for kind, exact in (("pair", True), ("other", False)):
        raw = measured(kind)
        error = np.abs(raw.rates_from_blocks(floor=1e-12) - raw.rates())
        size = np.abs(raw.rates()).max(axis=0)
        assert ((error / size).max() < 1e-6) == exact, kind
        np.testing.assert_array_equal(error[:, 1:6], 0)


def test_leading_components_and_their_rates() -> None:
    raw = measured(n=8)
    matrix = leading(raw.values, 3, 1)
    z, rates = raw.values @ matrix.T, raw.rates() @ matrix.T
    np.testing.assert_array_equal(z[:, 0], raw.values[:, 0])
    np.testing.assert_allclose(z[:, 4], rates[:, 1], atol=1e-12)
    spread = z[:, 1:4].std(axis=0)
    assert spread[0] > spread[1] > spread[2] > 0
    with pytest.raises(ValueError, match="0 <= rates <= components <= 5, not 4 and 3"):
        leading(raw.values, 3, 4)


def test_taking_some() -> None:
    raw = measured()
    few = raw.take(np.array([2, 0]))
    np.testing.assert_array_equal(few.values, raw.values[[2, 0]])
    again = PooledForces(**raw.arrays())
    np.testing.assert_array_equal(again.rates(), raw.rates())
