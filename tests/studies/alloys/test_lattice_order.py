"""Order of the lattice in small runs of fcc Cu-Au: known phases, random crystals, cold and hot."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.config import load_config
from macro_ase.sampling.pairs import small_chunk
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.lattice_order import lattice_order
from macro_ase.studies.alloys.report import _lattice

pytestmark = pytest.mark.learn


def design(*settings: str) -> Design:
    own = ("system.small_size=[4, 4, 4]", "system.patch_size=[2, 2, 2]", *settings)
    return Design.of(load_config("swap", False, (*own, "system.large_size=[4, 4, 4]")))


def chunk(states: Any) -> dict[str, Any]:
    """A run of twice as many rows, of whose second half all states were kept."""
    n = len(states)
    return {"z": np.zeros((2 * n, 1)), "kept": np.arange(n, 2 * n), "states": np.array(states)}


def test_l1_2_is_one_and_random_crystals_have_what_is_said() -> None:
    d = design("system.composition=Cu0.75Au0.25")
    n, rng = d.system.small.n_sites, np.random.default_rng(0)
    ordered = np.tile(np.array([0, 1, 1, 1], dtype=np.int8), (3, n // 4))
    random = [chunk(rng.permuted(ordered.repeat(40, axis=0), axis=1)) for _ in range(3)]
    assert n == 256 and d.system.species == ("Cu", "Au")
    found = lattice_order(d.system, [[chunk(ordered)], random])
    assert found is not None
    np.testing.assert_allclose(found.phases["L1_2"].value[0], 1.0)
    np.testing.assert_allclose(found.phases["L1_0"].value[0], 0.0)
    np.testing.assert_allclose(found.highest.value[0], n / 3)
    np.testing.assert_array_equal(found.at[0], 1.0)
    for phase, value in found.phases.items():
        assert np.all(np.abs(value.value[1] - found.random[phase]) < 4 * value.error[1])
    assert np.all(found.highest.value[1] < 1.5)


@pytest.mark.slow
def test_a_cold_alloy_is_more_ordered_than_a_hot_one() -> None:
    """In the mean of four runs: one that was quenched may stay between domains."""
    d = design("conditions.temperatures_K=[300.0, 2000.0]")
    runs = [
        [small_chunk(d.system, 40.0, {"T": t}, 0, (run,)) for run in range(4)]
        for t in d.temperatures
    ]
    found = lattice_order(d.system, runs)
    assert found is not None
    for phase, value in found.phases.items():
        assert np.all(value.value[1] - found.random[phase] < 4 * value.error[1])
    eta, error = found.phases["any"].value, found.phases["any"].error
    assert np.all(eta[0] - eta[1] > 4 * np.hypot(*error))
    np.testing.assert_array_equal(found.at[0], 1.0)
    assert np.all(found.highest.value[0] > 3 * found.highest.value[1])
    (section,) = _lattice(d, SimpleNamespace(lattice=found))  # type: ignore[arg-type]
    (table,) = section.tables
    assert table.columns == ["T (K)", "", "Cu", "Au"] and len(table.rows) == 10
    names = ["order of any phase", "order of L1_2", "order of L1_0"]
    assert [row[1] for row in table.rows[:3]] == names
    assert f"L1_2 {found.random['L1_2']:.3f}, L1_0" in section.text


def test_other_lattices_have_no_section() -> None:
    d = design("system.lattice=hcp")
    assert lattice_order(d.system, [[]]) is None
    assert _lattice(d, SimpleNamespace(lattice=None)) == []  # type: ignore[arg-type]
