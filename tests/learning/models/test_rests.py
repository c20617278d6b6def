"""States of rest under many conditions at once."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from learning.models.linear_model import equilibrium, linear_model

from macro_ase.learning.models.networks import PatchSDE
from macro_ase.learning.models.rests import rests_of
from macro_ase.learning.models.stacked import Stacked

pytestmark = pytest.mark.learn


def test_a_linear_drift_rests_where_its_formula_says() -> None:
    temperatures = np.array([1600.0, 2000.0, 3000.0])
    rests = linear_model(shifts=(0.0, 0.01)).rests(1000 / temperatures[:, None])
    for own, shift in zip(rests, (0.0, 0.01)):
        np.testing.assert_allclose(own, equilibrium(temperatures, shift), atol=1e-6)


def test_a_bent_drift_vanishes_there() -> None:
    torch.manual_seed(0)
    members = [PatchSDE(3, 2, "onsager", 8, 2, torch.eye(3)).eval() for _ in range(2)]
    stacked, c = Stacked.of(members), np.random.default_rng(0).normal(size=(40, 2))
    y = rests_of(stacked, c)
    found = np.isfinite(y).all(axis=(0, 2))
    assert found.mean() > 0.9
    drift = stacked.drift(y[:, found], np.broadcast_to(c, (2, 40, 2))[:, found])
    assert np.abs(drift).max() < 1e-8


def test_what_does_not_relax_has_no_rest() -> None:
    model = linear_model(kappa=np.array([0.05, -0.02]))
    assert np.isnan(model.rests(np.array([[0.5]]))).all()
