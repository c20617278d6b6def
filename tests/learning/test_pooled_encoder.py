"""The pooled encoder: its Jacobian, its sums over blocks, and no care for order and size."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

torch = pytest.importorskip("torch")

from macro_ase.engines.partial_forces import choose_block  # noqa: E402
from macro_ase.learning.force_losses import loss_x_partial  # noqa: E402
from macro_ase.learning.pooled_encoder import (  # noqa: E402
    PooledEncoder,
    RadialBasis,
    RawForces,
    macroscopic,
)

pytestmark = pytest.mark.learn
BASIS = RadialBasis(number=5)
NAMES = ("z", "gram", "dzdt", "block_gram", "block_dzdt", "square", "block_square")


def fluid(seed: int = 0, size: int = 4) -> tuple[Atoms, np.ndarray, np.ndarray]:
    """Atoms, velocities of mean 0, and made-up forces."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Ar", "fcc", 1.7, cubic=True) * (size, size, size)
    atoms.rattle(0.1, rng=rng)
    velocities = rng.normal(size=(len(atoms), 3))
    return atoms, velocities - velocities.mean(axis=0), rng.normal(size=(len(atoms), 3))


def states(n: int = 12) -> RawForces:
    parts = []
    for seed in range(n):
        atoms, velocities, forces = fluid(seed, 3)
        rng = np.random.default_rng(seed)
        blocks = [choose_block(atoms, 27, rng) for _ in range(3)]
        parts.append(RawForces.measure(atoms, velocities, forces, blocks, BASIS))
    return RawForces.join(parts)


def test_the_jacobian_is_the_derivative() -> None:
    atoms, velocities, _ = fluid()
    rng, h = np.random.default_rng(1), 1e-6
    dx, dv = rng.normal(size=(2, len(atoms), 3))
    dv -= dv.mean(axis=0)
    ends = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * h * dx
        ends.append(macroscopic(moved, velocities + sign * h * dv, BASIS)[0])
    _, jacobian = macroscopic(atoms, velocities, BASIS)
    along = (jacobian * np.concatenate([dx, dv], axis=1)).sum(axis=(1, 2))
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * h), along, atol=1e-6, rtol=1e-6)


def test_rates_of_distances_are_their_derivatives() -> None:
    """dS/dt is one of the variables; it follows from velocities alone."""
    atoms, velocities, forces = fluid()
    z, jacobian = macroscopic(atoms, velocities, BASIS)
    rates = (jacobian * np.concatenate([velocities, forces], axis=1)).sum(axis=(1, 2))
    np.testing.assert_allclose(rates[1:6], z[6:], atol=1e-12)
    temperature = 2 * (velocities * forces).sum() / (3 * (len(atoms) - 1))
    assert rates[0] == pytest.approx(temperature)


def test_order_and_number_do_not_matter() -> None:
    atoms, velocities, _ = fluid()
    z, _ = macroscopic(atoms, velocities, BASIS)
    order = np.random.default_rng(2).permutation(len(atoms))
    np.testing.assert_allclose(macroscopic(atoms[order], velocities[order], BASIS)[0], z)
    twice = macroscopic(atoms * (2, 1, 1), np.tile(velocities, (2, 1)), BASIS)[0]
    np.testing.assert_allclose(twice[1:], z[1:])
    n = len(atoms)
    assert twice[0] * (2 * n - 1) / (2 * n) == pytest.approx(z[0] * (n - 1) / n)


def test_blocks_that_cover_all_atoms_give_what_all_atoms_give() -> None:
    """The mean over the blocks of a partition, each of the same size; wrong weight as control."""
    atoms, velocities, forces = fluid(size=3)
    parts = np.split(np.random.default_rng(3).permutation(len(atoms)), 4)
    raw = RawForces.measure(atoms, velocities, forces, parts, BASIS)
    np.testing.assert_allclose(raw.block_gram[0].mean(axis=0), raw.gram[0], atol=1e-15)
    np.testing.assert_allclose(raw.block_dzdt[0].mean(axis=0), raw.dzdt[0], atol=1e-13)
    assert raw.block_square[0].mean() == pytest.approx(raw.square[0])
    assert np.abs(raw.block_dzdt[0].mean(axis=0) / 2 - raw.dzdt[0]).max() > 1e-3


def test_the_encoder_keeps_the_temperature_and_is_well_conditioned() -> None:
    raw = states()
    encoder = PooledEncoder.fit(BASIS, raw, 2)
    z, batch = encoder.encode(raw.z), encoder.all_forces(raw)
    assert z.shape == (12, 5)
    np.testing.assert_allclose(z[:, 0], raw.z[:, 0])
    mean = batch.gram.mean(axis=0)
    np.testing.assert_allclose(mean, mean[0, 0] * np.eye(5), atol=1e-10 * mean[0, 0])
    some = encoder.some_forces(raw, 0.25)
    assert len(some) == 36 and some.p == 0.25
    np.testing.assert_allclose(some.gram[:3], np.repeat(batch.gram[:1], 3, axis=0))
    assert np.isfinite(loss_x_partial(some)(some.dzdt)).all()
    with pytest.raises(ValueError, match=r"variables must lie in 1\.\.5, not 6"):
        PooledEncoder.fit(BASIS, raw, 6)


def test_taking_some() -> None:
    raw = states(4)
    few = raw.take(np.array([2, 0]), 1)
    np.testing.assert_array_equal(few.z, raw.z[[2, 0]])
    np.testing.assert_array_equal(few.block_dzdt, raw.block_dzdt[[2, 0], :1])
    again = RawForces(**raw.arrays())
    assert all(np.array_equal(getattr(again, name), getattr(raw, name)) for name in NAMES)
