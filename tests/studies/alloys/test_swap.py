"""The road of a person's own alloy: any calculator and number of workers, without truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from tiny_swap import TINY_SWAP

from macro_ase.config import load_config
from macro_ase.sampling.store import Store
from macro_ase.workflow import run_study

pytestmark = pytest.mark.learn
OWN = """
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table

def mine():
    return TableEAM(emt_table(("Cu", "Au")))
"""
TINY = (
    *TINY_SWAP,
    "system.lattice=hcp",
    "system.large_size=[3, 3, 6]",
    "conditions.temperatures_K=[1500.0]",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By a calculator of one's own, by one worker and by two, and by the compiled one.

    Only the first learns and has a report: of the others, patches are compared.
    """
    base = tmp_path_factory.mktemp("swap")
    (base / "own_road_here.py").write_text(OWN)

    def run(name: str, calculator: str, workers: int) -> Path:
        own = (*TINY, f"system.calculator={calculator}")
        return run_study(load_config("swap", False, own, workers=workers), base / name)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(base)
        run("one", "python:own_road_here:mine", 1)
        patch.setattr("macro_ase.studies.alloys.study.model_of", stop)
        for other in (("two", "python:own_road_here:mine", 2), ("compiled", "emt", 1)):
            with pytest.raises(KeyboardInterrupt):
                run(*other)
    return {name: base / name for name in ("one", "two", "compiled")}


def arrays(folder: Path) -> dict[str, Any]:
    """Of small runs and of patches."""
    store = Store(folder / "data.zarr")
    keys = [f"{stage}/{run}" for stage in ("small/1500.0", "pairs/1500.0/0") for run in (0, 1)]
    return {f"{key}/{name}": x for key in keys for name, x in store.read(key).items()}


@pytest.mark.slow
def test_calculators_and_workers_give_the_same_bytes(runs: dict[str, Path]) -> None:
    compiled, one, two = (arrays(runs[name]) for name in ("compiled", "one", "two"))
    assert compiled.keys() == one.keys() == two.keys() and len(compiled) > 20
    for key, value in one.items():
        np.testing.assert_array_equal(value, two[key])
        np.testing.assert_array_equal(value, compiled[key])


@pytest.mark.slow
def test_without_direct_runs_the_report_says_what_stands_in_their_place(
    runs: dict[str, Path],
) -> None:
    found = json.loads((runs["one"] / "results.json").read_text())
    metrics = json.loads((runs["one"] / "metrics.json").read_text())["metrics"]
    assert "There are no direct runs" in found["summary"][-1]
    assert set(metrics) == {
        "small_sro_rms",
        "row_sum_residual",
        "small_std_ratio_worst",
        "small_relaxation_ratio_worst",
    }
    assert any("drift of patches" in check["name"] for check in found["checks"])
    rows = [row for part in found["sections"] for table in part["tables"] for row in table["rows"]]
    assert not any("direct" in map(str, row) for row in rows) and not found.get("baselines")
    assert "there are no direct runs to compare with" in found["cost"]["sentence"]
