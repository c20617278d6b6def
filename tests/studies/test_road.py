"""The road's own part of learning: a model is kept only for the observables that it is of."""

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.studies.road import learn
from macro_ase.studies.runner import Runner

pytestmark = pytest.mark.learn
OPTIONS = {"drift": "network", "width": 4, "depth": 1, "members": 1, "epochs": 1}


def test_a_model_of_other_observables_is_made_again(tmp_path: Path) -> None:
    rng, runner = np.random.default_rng(0), Runner(tmp_path)
    pairs = {name: rng.normal(size=(200, 2)) for name in ("z0", "dz")}
    pairs["snapshot"] = np.arange(200) // 10

    def learned(*names: str) -> tuple[str, ...]:
        return learn(runner, "", pairs, np.ones(1), names, 1.0, 1.0, OPTIONS, 0).z_names

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert learned("a", "b") == learned("a", "b") == ("a", "b")  # the second is loaded
    with pytest.warns(UserWarning, match="holds a model of a, b; it is made again"):
        assert learned("c", "b") == ("c", "b")
