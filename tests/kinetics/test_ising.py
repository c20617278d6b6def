"""Neighbours, counts and rates of the Ising model against brute force."""

import itertools
import math

import numpy as np
import pytest

from macro_ase.kinetics.ising import (
    BROKEN_BONDS,
    MAGNETISATION,
    count_spins,
    flip_class,
    flip_energies,
    glauber_rates,
    neighbor_table,
    periodic_lattice,
)

SIZES = ((5,), (3, 3), (5, 7), (4, 3, 6))


@pytest.mark.parametrize("size", SIZES)
def test_neighbours_are_one_step_away(size: tuple[int, ...]) -> None:
    table = neighbor_table(periodic_lattice(size))
    number = np.arange(math.prod(size)).reshape(size)
    expected = [
        np.roll(number, -step, axis).ravel() for axis in range(len(size)) for step in (1, -1)
    ]
    np.testing.assert_array_equal(table, np.stack(expected, axis=1))


@pytest.mark.parametrize("size", SIZES)
def test_counts_and_flips_give_the_energy(size: tuple[int, ...]) -> None:
    rng, lattice = np.random.default_rng(0), periodic_lattice(size)
    neighbors, (coupling, field) = neighbor_table(lattice), (-0.7, 0.3)
    n, z = neighbors.shape
    energies = flip_energies(z, coupling, field)

    def energy(spins: np.ndarray) -> float:
        return float(-(spins @ (coupling * spins[neighbors].sum(axis=1) / 2 + field)))

    for _ in range(20):
        spins = rng.choice([-1, 1], n).astype(np.int8)
        magnetisation, broken = count_spins(spins[None], lattice)[0, [MAGNETISATION, BROKEN_BONDS]]
        bonds = n * z // 2 - 2 * broken
        assert energy(spins) == pytest.approx(-coupling * bonds - field * magnetisation)
        site = rng.integers(n)
        kind = flip_class(int(spins[site]), int(spins[neighbors[site]].sum()), z)
        flipped = spins.copy()
        flipped[site] *= -1
        assert energies[kind] == pytest.approx(energy(flipped) - energy(spins))


def test_glauber_rates_balance() -> None:
    temperature, z = np.array([0.5, 2.5]), 4
    energies = flip_energies(z, 1.0, 0.1)
    rates = glauber_rates(energies, temperature)
    there, back = rates[:, : z + 1], rates[:, z + 1 :]
    np.testing.assert_allclose(there + back, 1.0)
    np.testing.assert_allclose(
        there / back, np.exp(-np.outer(1 / temperature, energies[: z + 1])), rtol=1e-12
    )
    assert glauber_rates(energies, 1e-3).min() >= 0 and glauber_rates(energies, 1e9).max() < 0.5001


@pytest.mark.parametrize("size", [(2,), (2, 4), (4, 4, 1), (), (3, 3, 3, 3), (4.5, 4)])
def test_sizes_that_are_no_lattice_are_refused(size: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="size must be"):
        periodic_lattice(size)  # type: ignore[arg-type]


def test_every_face_code_is_used_once_a_lattice_has_them_all() -> None:
    faces = periodic_lattice((3, 4, 5)).faces
    assert set(faces) == {a + 3 * b + 9 * c for a, b, c in itertools.product(range(3), repeat=3)}
