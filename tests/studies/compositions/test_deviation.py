"""Deviations of bond densities: there and back, their scatter by the exact law, their limit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from macro_ase.config import load_config
from macro_ase.studies.compositions.design import CompositionDesign
from macro_ase.studies.compositions.deviation import (
    change_of_deviation,
    delta_of_deviation,
    deviation,
)

pytestmark = pytest.mark.filterwarnings("ignore:barriers are extrapolated")
LEARNED = ["Nb0.34Mo0.33Ta0.33", "Nb0.8Mo0.16Ta0.04", "Nb0.2Mo0.2Ta0.6"]
SMALL = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "system.sites_per_vacancy=128")


@pytest.fixture(scope="module")
def design() -> CompositionDesign:
    given = {"conditions": {"compositions": LEARNED}, "held_out": {"compositions": ["Mo0.5Ta0.5"]}}
    return CompositionDesign.of(load_config("nbmota-composition", True, SMALL, changes=given))


def test_delta_of_what_was_measured(design: CompositionDesign) -> None:
    """In the ternary and at the edge, where x of two pairs that are not there plays no part."""
    for own in (design.training[1], design.held_out[0]):
        system, order = own.system, own.system.order
        bonds = system.bonds(system.large_state, system.large)
        z, v = order.state(bonds, system.large.n_sites), order.vacancy_neighbours(bonds[0])
        x = np.full(3, 7.0)
        x[[design.system.order.pairs.index(pair) for pair in order.pairs]] = deviation(order, z, 2)[
            : len(order.pairs)
        ]
        found = delta_of_deviation(order, design.system.order.pairs, x, v)
        np.testing.assert_allclose(found, order.delta(z, v), atol=1e-12)
    assert order.all_names == ("Mo-Mo", "Mo-Ta", "Ta-Ta")


def test_changes_add_up(design: CompositionDesign) -> None:
    order = design.training[1].system.order
    z = order.random_state(2) * np.array([[0.9], [0.7]])
    moved = deviation(order, z[0], 2) + change_of_deviation(order, z[1] - z[0], 2)
    np.testing.assert_allclose(moved, deviation(order, z[1], 2), rtol=1e-12)


def random_crystals(design: CompositionDesign, which: int, number: int) -> NDArray[np.float64]:
    """z of random crystals of a composition."""
    system, rng = design.training[which].system, np.random.default_rng(which)
    state = system.large_state
    return np.array([system.observe(rng.permutation(state)[None])[0] for _ in range(number)])


def test_scatter_of_random_crystals_is_of_one_size(design: CompositionDesign) -> None:
    """The law to 4 errors, and the offset of the mean; alpha of a rare pair scatters far more."""
    number, of_alpha = 600, []
    for which in (0, 1):
        system, order = design.training[which].system, design.training[which].system.order
        n, z = system.large.n_sites, random_crystals(design, which, number)
        x = deviation(order, z, 2)
        a, b = order.fractions[np.array(order.pairs)].T
        law = np.tile((1 - a) * (1 - b) + a * b, 2)
        assert np.all(np.abs(n * x.var(axis=0) / law - 1) < 4 * (2 / number) ** 0.5)
        assert np.all(law < 1)
        offset = -np.sqrt(order.random_state(2)) / (n - 1)
        assert np.all(np.abs(x.mean(axis=0) - offset) < 4 * np.sqrt(law / n / number))
        alpha = 1 - z / order.random_state(2)
        of_alpha.append(n * alpha.var(axis=0)[2])  # Mo-Ta
    assert of_alpha[0] < 1 and of_alpha[1] > 10  # negative control
