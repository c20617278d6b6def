"""A study of NbMoTa of some seconds: its settings, what it leaves, how it is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from macro_ase.cli import main
from macro_ase.config import load_config
from macro_ase.sampling import Store

TINY = (
    "system.small_size=[4,4,4]",
    "system.large_size=[8,8,4]",
    "system.sites_per_vacancy=128",
    "conditions.temperatures_K=[2000.0, 3000.0]",
    "small.runs=2",
    "small.events=10000",
    "small.treated=0.5",
    "sampling.grow=true",
    "sampling.repeats=1",
    "sampling.dt_events=[250, 500]",
    "learning.members=2",
    "learning.epochs=3",
    "learning.width=8",
    "direct.runs=2",
    "direct.relaxation_times=3.0",
    "predict.paths=8",
)
METRICS = {
    "sro_rms",
    "row_sum_residual",
    "vacancy_term_error",
    "std_ratio_worst",
    "relaxation_ratio_worst",
    "coverage_68",
    "coverage_95",
    "barrier_cv_mae_eV",
    "formation_rms_meV",
}


def settings(*overrides: str, **options: Any) -> dict[str, Any]:
    return load_config("nbmota", True, (*TINY, *overrides), **options)


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def chunks_of(folder: Path) -> dict[str, bytes]:
    """Every array of finished chunks by key and name; ValueError if one is damaged."""
    store = Store(folder / "data.zarr")
    return {
        f"{key}:{name}": array.tobytes()
        for key in store.keys()
        for name, array in store.read(key).items()
    }


def refusal(capsys: pytest.CaptureFixture[str], out: Path, *more: str) -> str:
    """The one line that a tiny study with these arguments is refused with."""
    argv = ["run", "nbmota", "--quick", "--out", str(out)]
    for override in TINY:
        argv += ["--set", override]
    assert main([*argv, *more]) == 2
    printed, err = capsys.readouterr()
    assert printed == "" and err.count("\n") == 1 and err.startswith("macro-ase: error: ")
    return err
