"""The quick form of every study gives the numbers that it gave before.

`quick_metrics.json` holds value, error, truth and floor of every metric, and what made them: other
versions or another kind of processor change last digits, and training spreads them.
"""

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from macro_ase.config import list_studies  # noqa: E402
from macro_ase.run_folder import versions  # noqa: E402

PARTS = ("value", "error", "truth", "floor")
KEPT: dict[str, Any] = json.loads(Path(__file__).with_name("quick_metrics.json").read_text())
CASES = [(study, name) for study, metrics in KEPT["metrics"].items() for name in metrics]


def made_with() -> dict[str, str]:
    """What the last digits depend on."""
    cpu = torch.backends.cpu.get_cpu_capability()
    own = versions() | {"cpu": cpu, "machine": platform.machine(), "processor": processor()}
    return {name: own[name] for name in KEPT["made_with"]}


def processor() -> str:
    """Its model, which chooses the kernels of linear algebra."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


def differing(found: dict[str, float | None], kept: list[float | None]) -> list[str]:
    """Parts of a metric that are not as they were, up to rounding."""
    return [
        part
        for part, old in zip(PARTS, kept, strict=True)
        if (found[part] is None) != (old is None)
        or (old is not None and found[part] != pytest.approx(old, rel=1e-9, abs=1e-12))
    ]


@pytest.mark.learn
@pytest.mark.parametrize(("study", "name"), CASES, ids=[f"{s}-{n}" for s, n in CASES])
def test_quick_forms_give_the_numbers_they_gave(
    study: str, name: str, quick_run: Callable[[str], Path]
) -> None:
    if made_with() != KEPT["made_with"]:
        pytest.skip(f"numbers were made with {KEPT['made_with']}")
    metrics = json.loads((quick_run(study) / "metrics.json").read_text())["metrics"]
    assert set(metrics) == set(KEPT["metrics"][study])
    kept = KEPT["metrics"][study][name]
    assert not differing(metrics[name], kept), (metrics[name], kept)


def test_every_study_that_ships_is_among_them() -> None:
    assert set(KEPT["metrics"]) == {name for name, _ in list_studies()} - {"own"}


def test_a_number_that_differs_is_noticed() -> None:
    kept = [0.25, None, 0.0, 1e-9]
    found = dict(zip(PARTS, kept, strict=True))
    assert differing(found | {"value": 0.25 * (1 + 1e-11)}, kept) == []
    assert differing(found | {"value": 0.25 * (1 + 1e-8)}, kept) == ["value"]
    assert differing(found | {"error": 0.0, "truth": None, "floor": 1.1e-9}, kept) == [
        "error",
        "truth",
        "floor",
    ]
