"""Savings of force evaluations: read from curves, bounds said so."""

import numpy as np
import pytest

from macro_ase.analysis.savings import Needed, needed, saving, typical


def test_evaluations_are_interpolated_between_logarithms() -> None:
    evaluations = np.array([1e3, 1e4, 1e5])
    law = 10 * evaluations**-0.5
    found = needed(evaluations, law, 0.05)
    assert found.bound == 0 and found.evaluations == pytest.approx((10 / 0.05) ** 2)
    assert needed(evaluations, law, 1e-3) == Needed(1e5, 1)


def test_what_the_first_amount_reaches_may_need_less() -> None:
    evaluations, errors = np.array([1e3, 1e4]), np.array([np.inf, 0.01])
    assert needed(evaluations, np.array([0.1, 0.01]), 0.2) == Needed(1e3, -1)
    assert needed(evaluations, errors, 0.02) == Needed(1e4, -1)


def test_a_diverged_run_is_no_good_seed_but_one_of_three_is_borne() -> None:
    errors = np.array([[[0.1, 0.2], [np.nan, 0.1], [0.2, 0.4]]])
    np.testing.assert_allclose(typical(errors), [0.3])
    assert typical(np.array([[np.nan], [np.nan], [0.1]])) == np.inf


def test_a_saving_is_a_bound_where_one_loss_falls_short() -> None:
    full, partial = Needed(600.0, 0), Needed(200.0, 0)
    assert str(saving(full, partial)) == "3"
    assert str(saving(full, Needed(300.0, 1))) == "< 2"
    assert str(saving(Needed(300.0, 1), Needed(600.0, 0))) == "> 0.5"
    assert str(saving(Needed(300.0, 1), Needed(600.0, -1))) == "> 0.5"
    assert str(saving(Needed(300.0, 1), Needed(600.0, 1))) == "not known"
    assert str(saving(Needed(1.0, -1), Needed(1.0, -1))) == "not known"
