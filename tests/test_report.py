"""The report: everything in it, nothing outside it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from macro_ase.report import rounded, write_report

METRICS: dict[str, Any] = {
    "study": "toy",
    "versions": {"macro-ase": "0.1.0", "numpy": "2.0"},
    "seed": 0,
    "wall_s": 200.0,
    "stages": {"small": 61.23, "truth": 8000.0},
    "metrics": {
        "sro_rms": {"value": 0.01234, "error": 0.0011, "truth": 0, "floor": 0.004, "unit": None},
        "ratio": {"value": 1.0, "error": None, "truth": None, "floor": None, "unit": "1"},
    },
}
RESULTS: dict[str, Any] = {
    "title": "A <b>toy</b> & its order",
    "summary": ["First paragraph.", "Second <script>alert(1)</script>."],
    "sections": [
        {
            "title": "Order",
            "text": "One.\n\nTwo.",
            "tables": [
                {"caption": "T", "columns": ["pair", "a"], "rows": [["Mo-Ta", 0.123456], [None, 1]]}
            ],
            "figures": [{"file": "figures/x.png", "caption": 'The "figure"'}],
        }
    ],
    "checks": [
        {"name": "mean", "passed": True, "value": 0.1, "allowed": "<= .2", "text": "good"},
        {"name": "std", "passed": False, "value": 0.3, "allowed": "<= .2", "text": "bad"},
        {"name": "share", "passed": None, "value": None, "allowed": None, "text": "just so"},
    ],
}


class Tags(HTMLParser):
    """Every start tag, and whether tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "x.png").write_bytes(b"\x89PNG picture")
    (tmp_path / "config.toml").write_text('study = "toy"\nnote = "<&>"\n')
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    return tmp_path


def parse(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_the_page_is_well_formed_and_loads_nothing(run: Path) -> None:
    report = write_report(run)
    assert report == run / "report.html"
    page = report.read_text()
    tags = parse(page)
    assert tags.open == []
    links = [value for name, value in tags.attributes if name in ("src", "href")]
    assert len(links) == 1 and str(links[0]).startswith("data:image/png;base64,")
    assert not {"script", "link", "iframe", "object"} & set(tags.names)
    assert "@import" not in page and "url(" not in page and "://" not in page


def test_everything_is_there_in_order(run: Path) -> None:
    page = write_report(run).read_text()
    parts = [
        "<h1>A &lt;b&gt;toy&lt;/b&gt; &amp; its order</h1>",
        "Study toy, seed 0, 3.3 min of work.",
        "First paragraph.",
        "0.0123 ± 0.0011",
        "<h2>Order</h2>",
        "<p>One.</p>\n<p>Two.</p>",
        "The &quot;figure&quot;",
        "0.1235",
        "✓ pass",
        "✗ fail",
        "for information",
        "61.2 s",
        "2.2 h",
        "0.1.0",
        "macro-ase run config.toml --out runs/again",
        "note = &quot;&lt;&amp;&gt;&quot;",
    ]
    positions = [page.find(part) for part in parts]
    assert -1 not in positions and positions == sorted(positions)


def test_a_bare_run_still_has_a_report(run: Path) -> None:
    (run / "metrics.json").write_text(json.dumps({"study": "toy", "seed": 0, "wall_s": None}))
    (run / "results.json").write_text(json.dumps({"title": "Bare", "sections": None}))
    page = write_report(run).read_text()
    assert parse(page).open == [] and "Main results" not in page


def test_writing_again_gives_the_same_bytes(run: Path) -> None:
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


@pytest.mark.parametrize("missing", ["config.toml", "metrics.json", "results.json"])
def test_not_a_run_is_refused(run: Path, missing: str) -> None:
    (run / missing).unlink()
    message = rf"is not the folder of a finished run: it has no {re.escape(missing)}"
    with pytest.raises(FileNotFoundError, match=message):
        write_report(run)
    assert not (run / "report.html").exists()


def test_missing_figures_and_damaged_files_are_named(run: Path) -> None:
    (run / "figures" / "x.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no figure figures/x\.png"):
        write_report(run)
    (run / "results.json").write_text('{"title": ')
    with pytest.raises(ValueError, match=r"results\.json is damaged"):
        write_report(run)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (None, None, "–"),
        (float("nan"), 0.1, "–"),
        (1024, None, "1024"),
        (0.123456, None, "0.1235"),
        (1.23456e-13, None, "1.235e-13"),
        (-0.18312, 0.0123, "-0.183 ± 0.012"),
        (0.5, 0.0, "0.5"),
        (12345.6, 321.0, "12346 ± 321"),
        (3.2e-13, 1e-14, "3.2e-13 ± 1e-14"),
    ],
)
def test_numbers_are_rounded_sensibly(value: Any, error: Any, text: str) -> None:
    assert rounded(value, error) == text
