"""The papers' figure in its quick form, with a network of the same form."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from test_workflow_forms import write_network

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

import paper_runs
from paper import measure, published
from paper_runs import HopRun, run
from paper_tables import Row, table

from macro_ase.barriers import nnk
from macro_ase.barriers.load import load_barriers
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.systems import alloy_setup

pytestmark = pytest.mark.learn
NAMES = ("Nb-Nb", "Nb-Mo", "Nb-Ta", "Mo-Mo", "Mo-Ta", "Ta-Ta")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    """Arguments of the benchmark, with a narrow network."""
    folder = tmp_path_factory.mktemp("paper")
    write_network(folder / "network.npz")
    own = {"network": folder / "network.npz", "folder": folder / "runs", "seed": 3}
    return Namespace(**own, temperatures=None, plot=folder / "order.png", quick=True)


@pytest.fixture(scope="module", autouse=True)
def nothing_heals() -> Iterator[None]:
    """States do not grow, so that the energy that heals seams, seconds to fit, is not asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nnk, "WIDTH", 32)
        patch.setattr(alloy_setup, "energy_of", lambda barriers: load_barriers(None).energy)
        yield


@pytest.fixture(scope="module")
def text(quick: Namespace) -> str:
    return measure(quick)


@pytest.mark.slow
def test_cold_crystals_have_no_prediction_and_others_have_all(text: str, quick: Namespace) -> None:
    cold, warm = (
        [line for line in text.splitlines() if line.startswith(f"| {t} ")] for t in (300, 3000)
    )
    assert [line.split("|")[2].strip() for line in cold[1:]] == ["published", "direct"]
    ways = ["published", "predicted", "direct"]
    assert [line.split("|")[2].strip() for line in warm[1:]] == ways
    assert " - | - |" in cold[0] and "nan" not in text
    assert quick.plot.stat().st_size > 5000


@pytest.mark.slow
def test_what_was_kept_is_used_again(text: str, quick: Namespace) -> None:
    assert measure(quick) == text


@pytest.mark.slow
def test_a_run_goes_on_to_the_same_bytes(
    text: str, quick: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = AlloyRun(quick.folder / "quick").design
    job = HopRun(quick.folder / "quick", 3000, 4e3)
    whole = run(job, design)
    assert len(whole["z"]) == paper_runs.PIECES * paper_runs.ROWS + 1
    done: list[int] = []
    write = paper_runs.write_kept

    def stops(file: Path, kept: dict[str, np.ndarray]) -> None:
        write(file, kept)
        done.append(1)
        if len(done) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(paper_runs, "write_kept", stops)
    again = replace(job, folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(again, design)
    parts = run(again, design)
    for name in ("z", "extra", "state", "time_s"):
        np.testing.assert_array_equal(parts[name], whole[name])


def test_misses_are_those_of_the_values() -> None:
    """A prediction .01 from a truth without error, that is .02 from what was published."""
    direct = published()[2000]
    truth = (direct, np.full(6, 1e-3))
    own = (direct + 0.01, np.full(6, 2e-3))
    row = Row(2000, direct - 0.02, truth, direct, own, own, 3e-4, 2e5, 2e6, False, 1.0)
    line = table([row], NAMES).splitlines()[4]
    expected = "| 2000 | 0.0003 | 2e+05 | 10% | 0.0100 | 0.0000 | 0.0200 | 0.0300 | 0.0010 |"
    assert line == expected
    moving = table([replace(row, moves=True, predicted=None, during=None)], NAMES)
    assert "2e+05, moves" in moving and "predicted |" not in moving.split("first shell")[1]


def test_published_values_fulfil_the_sum_rule_where_it_is_hot() -> None:
    """Rows of delta add up to minus the vacancy neighbours of an atom, .008; not below 1600 K."""
    found = published()
    assert len(found) == 18 and min(found) == 300 and max(found) == 3000
    for kelvin, (nb_nb, nb_mo, nb_ta, mo_mo, mo_ta, ta_ta) in found.items():
        rows = ((nb_nb, nb_mo, nb_ta), (nb_mo, mo_mo, mo_ta), (nb_ta, mo_ta, ta_ta))
        if kelvin >= 1800:
            np.testing.assert_allclose(np.sum(rows, axis=1), -0.008, atol=0.006)
