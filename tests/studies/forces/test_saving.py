"""Savings of force evaluations: read from curves, bounds said so, settings refused."""

import copy

import numpy as np
import pytest

from macro_ase.config import load_config
from macro_ase.studies.forces.lennard_jones import LennardJonesForcesStudy
from macro_ase.studies.forces.saving import LennardJonesSavingStudy
from macro_ase.studies.forces.savings import Needed, needed, saving, typical


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
    assert saving(Needed(1.0, -1), Needed(1.0, -1)).metric()["value"] is None


def test_pairs_of_free_runs_share_temperatures_alone() -> None:
    study = LennardJonesSavingStudy(load_config("lennard-jones-saving", quick=True))
    one, two = study.starts("free-one/400"), study.starts("free-two/400")
    assert [s.temperature for s in one] == [s.temperature for s in two]
    assert all(a.position_seed != b.position_seed for a, b in zip(one, two))
    family = study.starts("family/400")
    assert {(s.position_seed, s.velocity_seed) for s in family} == {(1, 2)}
    assert len({s.temperature for s in family}) == len(family)


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("saving", "data.training_runs", [5], "data.training_runs must be 2 or more for each"),
        ("saving", "data.block_atoms", 0, "data.block_atoms must be at least 1, not 0"),
        ("saving", "forces.error", 0.0, "forces.error must be above 0"),
        ("saving", "forces.configurations", [3], "forces.configurations must be 6 or more each"),
        ("saving", "data.block_atoms", 30, "data.block_atoms must divide 800 atoms, not be 30"),
        ("saving", "data.block_atoms", 8, "gives 24 forces, and 25 rows need as many"),
        ("saving", "data.position_seed", 0, "data.position_seed must be at least 1, not 0"),
        ("saving", "encoder.rates", 4, "encoder.rates must be at most encoder.components"),
        ("saving", "encoder.basis", {"number": 8, "first": 2, "last": 2, "cutoff": 3}, "basis"),
        ("saving", "learning.drift", "spline", "learning.drift must be one of"),
        ("saving", "data.n_atoms", [50, 100, 150, 200], "n_atoms must be 100 or more"),
        ("forces", "data.temperatures", [1.5, 0.5], "data.temperatures must be two, ascending"),
        ("forces", "forces.error", 0.0, "forces.error must be above 0"),
        ("forces", "data.every", 1000, "data.every must leave two frames or more"),
        ("forces", "system.n_atoms", 50, "n_atoms must be 100 or more"),
    ],
)
def test_settings_that_make_no_sense(name: str, key: str, value: object, told: str) -> None:
    config = copy.deepcopy(load_config(f"lennard-jones-{name}"))
    table, last = key.split(".")
    config[table][last] = value
    study = {"saving": LennardJonesSavingStudy, "forces": LennardJonesForcesStudy}[name]
    with pytest.raises(ValueError, match=told):
        study(config)
