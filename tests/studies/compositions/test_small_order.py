"""What small runs say of all compositions, from runs made by hand of a law that is known."""

from dataclasses import replace

import numpy as np
import pytest

from macro_ase.config import load_config
from macro_ase.observables.quasichemical import alpha_of_exchange
from macro_ase.studies.compositions.compare import error_of
from macro_ase.studies.compositions.design import CompositionDesign
from macro_ase.studies.compositions.deviation import scatter_scale
from macro_ase.studies.compositions.small_order import SmallOrder

pytestmark = pytest.mark.filterwarnings("ignore:barriers are extrapolated")
LEARNED = ["Nb0.34Mo0.33Ta0.33", "Nb0.6Mo0.2Ta0.2", "Nb0.2Mo0.6Ta0.2", "Nb0.2Mo0.2Ta0.6",
           "Nb0.45Mo0.45Ta0.1", "Nb0.45Mo0.1Ta0.45", "Nb0.1Mo0.45Ta0.45"]  # fmt: skip
SMALL = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "system.sites_per_vacancy=128")
NOISE = 0.004


def law(c: np.ndarray) -> np.ndarray:
    """alpha of Nb-Mo, Nb-Ta and Mo-Ta in an endless crystal, in both shells.

    Their exchange energies are planes.
    """
    first = np.array([0.4 - 0.2 * c[0], -0.1 * c[1], 0.9 - 0.1 * c[2]])
    return alpha_of_exchange(np.concatenate([first, first / 2]), c, [(0, 1), (0, 2), (1, 2)])


@pytest.fixture(scope="module")
def known() -> tuple[CompositionDesign, SmallOrder]:
    given = {"conditions": {"compositions": LEARNED}, "held_out": {"compositions": ["Mo0.5Ta0.5"]}}
    d = CompositionDesign.of(load_config("nbmota-composition", True, SMALL, changes=given))
    rng, small = np.random.default_rng(0), {}
    for own, t in d.conditions:
        order, n = own.system.small_order, own.system.small.n_sites
        c = order.fractions[:-1] / order.fractions[:-1].sum()
        alpha = law(c) - 1 / (n - 1)
        for key in own.keys("small", t):
            scale = scatter_scale(order, order.pairs, 2)
            z = scale**2 * (1 - alpha) + rng.normal(0, NOISE, (400, 6)) * scale
            first = np.full((200, 6), 50.0)  # an early half that does not count
            shared = np.full(
                (600, 3), 8 * order.fractions[-1]
            )  # vacancies as the small crystal has
            z, shared[:200] = np.concatenate([first[:200], z[:400]]), 9.0
            small[key] = {"z": z, "extra": shared}
    return d, SmallOrder.of(d, small)


def test_rests_at_the_learned_and_at_an_edge(known: tuple[CompositionDesign, SmallOrder]) -> None:
    d, small = known
    for own in (d.training[0], d.held_out[0]):
        order = own.system.order
        c = order.fractions[:-1] / order.fractions[:-1].sum()
        condition = own.system.model_condition({"T": 2400.0})
        scale = scatter_scale(order, small.pairs, 2)
        rest = small.rest(order, condition)
        np.testing.assert_allclose(rest, scale * (law(c) - 1 / (order.counts.sum() - 1)), atol=2e-3)
        endless = replace(order, counts=order.counts * 10**6)  # the same composition
        missing = small.rest(endless, condition) - rest
        np.testing.assert_allclose(missing, scale / (order.counts.sum() - 1), rtol=1e-3)
    assert np.all(small.rest(order, condition)[[0, 1, 3, 4]] == 0)  # pairs of what is absent
    assert small.neighbours(order, condition)[0] == 0


def test_delta_keeps_the_sum_rule_and_has_errors(
    known: tuple[CompositionDesign, SmallOrder],
) -> None:
    d, small = known
    order = d.held_out[0].system.order
    found = small.delta(order, d.held_out[0].system.model_condition({"T": 2400.0}))
    condition = d.held_out[0].system.model_condition({"T": 2400.0})
    v, free = small.neighbours(order, condition)[1], 8 * order.fractions[-1]
    np.testing.assert_allclose(v, free, rtol=1e-3)
    assert order.all_names == ("Mo-Mo", "Mo-Ta", "Ta-Ta")
    np.testing.assert_allclose(found.value[:2].sum(), free - v, atol=1e-12)
    assert np.all(found.error > 0) and np.all(found.error < 0.02)


def test_errors_of_members_and_of_their_surface_add() -> None:
    members = np.array([[0.0, 1.0], [0.2, 1.0]])
    np.testing.assert_allclose(error_of(members, np.array([0.0, 0.3])), [0.1, 0.3])
    np.testing.assert_allclose(error_of(members, np.array([0.1, 0.0])), [0.1 * 2**0.5, 0.0])
    assert np.isnan(error_of(members[:1], np.array([0.1, 0.3]))).all()
