"""The elements as published: lattice constants, cohesive energies, smooth embedding energies."""

import numpy as np
import pytest
from ase.build import bulk

from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_cells import rest_of_table
from macro_ase.potentials.zhou import CUTOFF_A, ZHOU, mixed_pair, switch_off, zhou_table

PUBLISHED = {"Nb": (3.298, -7.58), "Mo": (3.150, -6.81), "Ta": (3.303, -8.09)}
JUMP_EV = 1e-6


@pytest.mark.parametrize("scales", [None, np.array([1.0, 2.0, 0.9])])
def test_elements_at_rest(scales: np.ndarray | None) -> None:
    rest = rest_of_table(zhou_table(density_scales=scales))
    for name, (constant, energy) in PUBLISHED.items():
        assert rest.lattice_constant_A[name] == pytest.approx(constant, abs=6e-4)
        assert rest.energy_eV[name] == pytest.approx(energy, abs=5e-3)


@pytest.mark.parametrize("name", ZHOU)
def test_embedding_pieces_meet_with_the_same_slope(name: str) -> None:
    element, h = ZHOU[name], 1e-4
    for share in (0.85, 1.0, 1.15):
        rho = share * element.rho_e + h * np.array([-1.0, -1e-6, 1e-6, 1.0])
        F = element.embedding(rho)
        assert abs(F[2] - F[1]) < JUMP_EV
        assert (F[1] - F[0]) / h == pytest.approx((F[3] - F[2]) / h, abs=2e-6)
    assert np.isfinite(element.embedding(np.zeros(1))).all()


def test_mixing_is_symmetric_and_the_identity_on_an_element() -> None:
    r_A = np.linspace(1.5, CUTOFF_A, 50)
    nb, ta = ZHOU["Nb"], ZHOU["Ta"]
    np.testing.assert_array_equal(mixed_pair(nb, ta, r_A), mixed_pair(ta, nb, r_A))
    np.testing.assert_allclose(mixed_pair(ta, ta, r_A), ta.pair(r_A))


def test_functions_end_smoothly_at_the_cutoff() -> None:
    table = zhou_table()
    for functions in (table.density, table.pair):
        assert np.abs(functions[..., -1]).max() == 0
        assert np.abs(np.diff(functions)[..., -1]).max() < 1e-8
    np.testing.assert_array_equal(
        switch_off(np.array([1.0, 2.0, 3.0, 4.0]), 2.0, 3.0), [1, 1, 0, 0]
    )


def test_densities_weighed_anew_change_alloys_only() -> None:
    plain, weighed = (
        TableEAM(zhou_table(density_scales=s)) for s in (None, np.array([1.0, 1.5, 0.9]))
    )
    crystal = bulk("Mo", "bcc", a=3.1, cubic=True) * (2, 2, 2)
    crystal.rattle(0.1, seed=0)
    energies = [c.get_potential_energy(crystal) for c in (plain, weighed)]
    assert energies[0] == pytest.approx(energies[1], abs=1e-6)
    crystal.symbols[::2] = "Ta"
    energies = [c.get_potential_energy(crystal) for c in (plain, weighed)]
    assert abs(energies[0] - energies[1]) > 0.1


def test_an_element_without_parameters_is_named() -> None:
    with pytest.raises(ValueError, match=r"no Zhou parameters of W; there are Nb, Mo, Ta"):
        zhou_table(("Nb", "W"))
