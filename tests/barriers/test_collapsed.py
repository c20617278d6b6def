"""Collapsed hops: found by their size, by the way back, and by energy changes around loops."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from macro_ase.barriers.collapsed import collapsed_hops
from macro_ase.barriers.fit_data import BarrierTable
from macro_ase.barriers.fitting import fit, load_data


def pairs_of(table: BarrierTable) -> list[tuple[int, int]]:
    """Numbers of like hops and of their reverse."""
    number = {pair: n for n, pair in enumerate(zip(table.vacancy.tolist(), table.target.tolist()))}
    occupation = table.crystal.occupation
    return [
        (n, number[t, v])
        for (v, t), n in number.items()
        if v < t and occupation[v] == occupation[t]
    ]


def judged(table: BarrierTable, barrier_eV: np.ndarray) -> tuple[dict[int, str], float]:
    return collapsed_hops(table.vacancy, table.target, table.crystal.occupation, barrier_eV)


@pytest.fixture(scope="module")
def table(synthetic: Any) -> BarrierTable:
    return synthetic.table(synthetic.true_model(3), 0)


def test_good_hops_are_kept(table: BarrierTable) -> None:
    reasons, closure_eV = judged(table, table.barrier_eV)
    assert reasons == {} and closure_eV < 1e-6


@pytest.mark.parametrize("barrier_eV", [-0.2, 0.0, 3e-4, 0.006, 0.02])
def test_a_small_barrier_has_collapsed_and_so_has_its_way_back(
    table: BarrierTable, barrier_eV: float
) -> None:
    pairs, values = pairs_of(table), table.barrier_eV.copy()
    unlike = next(n for n in range(len(values)) if all(n not in pair for pair in pairs))
    values[[pairs[0][0], unlike]] = barrier_eV
    reasons, _ = judged(table, values)
    assert set(reasons) == {*pairs[0], unlike}
    assert "not above 0.02 eV" in reasons[pairs[0][0]]
    assert "way back" in reasons[pairs[0][1]]


@pytest.mark.slow
def test_a_pair_that_contradicts_the_loops_is_found(table: BarrierTable) -> None:
    """One direction is wrong by a third of an eV: neither is small."""
    pairs, values = pairs_of(table), table.barrier_eV.copy()
    found = 0
    for pair in pairs[:40:4]:
        wrong = values.copy()
        wrong[pair[0]] -= 0.35
        reasons, _ = judged(table, wrong)
        assert not reasons or set(pair) <= set(reasons)
        assert len(reasons) <= 12
        found += len(reasons) > 0
    assert found >= 7


def test_noise_alone_condemns_nobody(table: BarrierTable) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, len(table.barrier_eV))
    reasons, closure_eV = judged(table, table.barrier_eV + noise)
    assert len(reasons) <= 4
    assert 0.04 < closure_eV < 0.15


def test_no_hops_and_one_hop() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert collapsed_hops(none, none, np.zeros(2, dtype=np.int8), np.zeros(0)) == ({}, 0.0)
    one = np.array([0]), np.array([1])
    assert collapsed_hops(*one, np.zeros(2, dtype=np.int8), np.ones(1)) == ({}, 0.0)


def test_they_are_dropped_named_and_counted(synthetic: Any, tmp_path: Path) -> None:
    synthetic.write_table(tmp_path, i3=-0.2, i17=0.004, i200=0.0, i300=np.nan)
    (table,), none = load_data([tmp_path], [])
    assert none is None
    small = [text for text in table.collapsed if "not above" in text]
    assert len(small) == 3
    assert small[0].endswith("line 1, entry 4: -0.2 eV, not above 0.02 eV")
    assert small[1].endswith("line 3, entry 2: 0.004 eV, not above 0.02 eV")
    assert len(table.barrier_eV) == 54 * 8 - 1 - len(table.collapsed) == len(table.names)
    assert table.barrier_eV.min() > 0.02
    assert fit([table], None)[1]["n_collapsed"] == len(table.collapsed) <= 6
