"""Every study gives the numbers that it gave before: `nbmota` in its quick form, others briefer.

`numbers.json` holds value, error, truth and floor of every metric, and what made them: other
versions or another kind of processor change last digits, and training spreads them. It holds
too what the quick forms have where the brief ones differ: docs tell numbers of the quick ones.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from studies import brief_forms  # noqa: E402
from studies.brief_forms import BRIEF, PARTS, made_with, quick_settings  # noqa: E402

from macro_ase.config import list_studies  # noqa: E402

KEPT: dict[str, Any] = json.loads(brief_forms.NUMBERS.read_text())
CASES = [(study, name) for study, metrics in KEPT["metrics"].items() for name in metrics]


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All brief forms, in one process of their own: what was loaded before changes last digits."""
    folder = tmp_path_factory.mktemp("brief")
    alone = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, brief_forms.__file__, str(folder)]
    done = subprocess.run(command, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def differing(found: dict[str, float | None], kept: list[float | None]) -> list[str]:
    """Parts of a metric that are not as they were, up to rounding."""
    return [
        part
        for part, old in zip(PARTS, kept, strict=True)
        if (found[part] is None) != (old is None)
        or (old is not None and found[part] != pytest.approx(old, rel=1e-9, abs=1e-12))
    ]


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.parametrize(("study", "name"), CASES, ids=[f"{s}-{n}" for s, n in CASES])
def test_studies_give_the_numbers_they_gave(
    study: str, name: str, request: pytest.FixtureRequest, quick_run: Callable[[str], Path]
) -> None:
    if made_with() != KEPT["made_with"]:
        pytest.skip(f"numbers were made with {KEPT['made_with']}")
    own = request.getfixturevalue("brief") / study if study in BRIEF else quick_run(study)
    metrics = brief_forms.metrics(own)
    assert set(metrics) == set(KEPT["metrics"][study])
    kept = KEPT["metrics"][study][name]
    assert not differing(metrics[name], kept), (metrics[name], kept)


@pytest.mark.parametrize("study", BRIEF)
def test_quick_forms_have_the_settings_they_had(study: str) -> None:
    assert quick_settings(study) == KEPT["quick_settings"][study]


def test_every_study_that_ships_is_among_them() -> None:
    shipped = {name for name, _ in list_studies()} - {"own"}
    assert set(KEPT["metrics"]) == shipped == {*BRIEF, "nbmota"}


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
