"""Registered functions: the one of the class that is passed, compiled from today's sources."""

from collections import namedtuple
from typing import Any

import numba as nb
import numpy as np
import pytest

from macro_ase.kinetics import barrier_tables, field_rates
from macro_ase.kinetics.allen_cahn import AllenCahnParameters
from macro_ase.kinetics.field_steps import rates_of
from macro_ase.kinetics.kra_hops import KRATables

REGISTERS = (field_rates.register, barrier_tables.register)


@nb.njit
def rate_of(parameters: Any, padded: Any, out: Any) -> None:
    field_rates.field_rates(parameters, padded, out)


@nb.njit
def near(tables: Any, padded: Any, out: Any) -> int:
    return barrier_tables.barriers_at(tables, padded, 0, 0, out)


def equation(value: float, name: str = "Mine", fields: str = "x") -> Any:
    """A class of parameters, as a notebook defines it again and again, and its function."""
    kind = namedtuple(name, fields)

    @nb.njit
    def rates(parameters, padded, out):
        out[...] = value

    return kind, rates


def filled(parameters: Any) -> float:
    out = np.zeros((1, 3, 3))
    rate_of(parameters, np.zeros((1, 3, 3)), out)
    return out[0, 1, 1]


def test_a_class_defined_anew_has_its_new_function() -> None:
    for value in (1.0, 2.0, 3.0):
        kind, rates = equation(value)
        field_rates.register(kind, rates)
        assert filled(kind(0.5)) == value


def test_a_class_named_as_one_of_the_package() -> None:
    kind, rates = equation(7.0, "AllenCahnParameters", " ".join(AllenCahnParameters._fields))
    field_rates.register(kind, rates)
    padded, out = np.full((1, 1, 3, 3), 0.5), np.zeros((1, 1, 3, 3))
    found = []
    for parameters in (kind(1.0, 1.0), AllenCahnParameters(1.0, 1.0), kind(1.0, 1.0)):
        rates_of(padded, parameters, (0, 0, 0, 0), out)
        found.append(out[0, 0, 1, 1])
    assert found == [7.0, 0.5 - 0.5**3, 7.0]


def test_a_function_of_python_is_compiled() -> None:
    kind = namedtuple("Plain", "a")

    def rates(parameters, padded, out):
        out[...] = 3.0 * parameters.a

    field_rates.register(kind, rates)
    assert filled(kind(0.5)) == 1.5


def test_barriers_of_a_class_defined_anew() -> None:
    for value in (1, 2):
        kind = namedtuple("Tables", "a")

        def barriers(tables, padded, site, basis, out, value=value):
            return value

        barrier_tables.register(kind, barriers)
        assert near(kind(0.5), np.zeros(3, np.int8), np.zeros(8)) == value


@pytest.mark.parametrize("register", REGISTERS, ids=["fields", "barriers"])
def test_what_cannot_be_registered_is_refused(register: Any) -> None:
    kind, rates = equation(1.0, "Once")
    register(kind, rates)
    register(kind, rates)
    with pytest.raises(ValueError, match="Once has the function rates already"):
        register(kind, equation(2.0)[1])
    for other in (AllenCahnParameters, KRATables):
        with pytest.raises(ValueError, match="is a class of macro_ase"):
            register(other, rates)
    for wrong in (dict, tuple, kind(1.0), "Once"):
        with pytest.raises(TypeError, match="class of named tuples"):
            register(wrong, rates)
    with pytest.raises(TypeError, match="must be a function"):
        register(equation(1.0)[0], None)
