"""Numbers that people give, in every place that takes one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from macro_ase.engines.lammps.motion import Motion
from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.lattice import spin_lattice
from macro_ase.engines.spins.models import CurieWeiss, Ising
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import Displacement, Swap
from macro_ase.engines.temperature import Ramp
from macro_ase.reals import as_real, require_finite, require_positive
from macro_ase.systems.allen_cahn import AllenCahn

NO_NUMBERS = ["x", "10", b"1", None, True, np.True_, np.nan, np.inf, [1], np.ones(1), 1j]


def motion(**given: Any) -> Motion:
    usual = {"timestep": 1.0, "tdamp": 1.0, "swaps": 1, "swap_interval": 1}
    return Motion("nve", **{**usual, **given})


def ensemble() -> SpinEnsemble:
    return SpinEnsemble(Ising((3, 3)), np.ones((2, 9)), 1.0)


@pytest.mark.parametrize("value", [1, 2.5, np.float32(2.5), np.int8(1), np.array(2.0)])
def test_numbers_of_any_kind_are_taken(value: Any) -> None:
    assert require_positive(value, "x") == require_finite(value, "x") == as_real(value) == value


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^width must be above 0 A, not "):
        require_positive(value, "width", "A")
    with pytest.raises(ValueError, match=r"^field must be a finite number, not "):
        require_finite(value, "field")


def test_limits_are_said() -> None:
    with pytest.raises(ValueError, match=r"above 0 A and at most 10 A, not 11"):
        require_positive(11, "width", "A", 10)
    with pytest.raises(ValueError, match="above 0 A, not 0"):
        require_positive(0, "width", "A", 10)


PLACES: dict[str, Callable[[Any], Any]] = {
    "weight": Swap,
    "width_A": lambda v: Displacement(1.0, v),
    "steps": lambda v: Ramp(300, 600, v),
    "temperature": lambda v: Ramp(v, 600, 1),
    "coupling": lambda v: Ising((3, 3), v),
    "field": lambda v: Ising((3, 3), 1.0, v),
    "n_sites": CurieWeiss,
    "spacing": lambda v: spin_lattice(4, spacing=v),
    "n_records": lambda v: ensemble().metropolis(v),
    "interval": lambda v: ensemble().wolff(1, v),
    "timestep": lambda v: motion(timestep=v),
    "tdamp": lambda v: motion(tdamp=v),
    "swaps": lambda v: motion(swaps=v),
    "swap_interval": lambda v: motion(swap_interval=v),
    "mu_eV": lambda v: SemiGrand({"Nb": v, "Mo": 0.0}),
    "kappa_eV": lambda v: SemiGrand({"Nb": 0.0, "Mo": 0.0}, v, {"Nb": 0.5}),
    "noise": lambda v: AllenCahn(n_side=8, width=0.1, noise=v),
    "dt": lambda v: AllenCahn(n_side=8, width=0.1).number_of_steps(1.0, v),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("value", ["x", None, True, np.nan, [1, 2], 1j], ids=repr)
def test_every_place_says_what_it_was_given(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        PLACES[name](value)
