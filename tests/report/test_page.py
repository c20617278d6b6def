"""The report: everything in it, nothing outside it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from macro_ase.report.numbers import metrics_text
from macro_ase.report.page import write_report

METRICS: dict[str, Any] = {
    "study": "toy",
    "versions": {"macro-ase": "0.1.0", "numpy": "2.0"},
    "seed": 0,
    "wall_s": 200.0,
    "stages": {"small": 61.23, "truth": 8000.0},
    "cost": {"small": 59.98},
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
        {"name": "noise", "verdict": "undecided", "value": "1", "allowed": "1", "text": "near"},
    ],
    "baselines": {"caption": "B", "columns": ["way", "a"], "rows": [["small system", "0.3 ± 0.1"]]},
    "cost": {
        "table": {"caption": "C", "columns": ["way", "events"], "rows": [["direct", 12]]},
        "sentence": "Cheaper from 77 sites on.",
    },
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
        "Checks: 1 passed, 1 failed, 1 undecided.",
        "First paragraph.",
        "<h2>Main results</h2>",
        "0.0123 ± 0.0011",
        "<h2>Prediction, truth and baselines</h2>",
        "small system",
        "<h2>What it cost</h2>",
        "Cheaper from 77 sites on.",
        "direct",
        "<h2>Order</h2>",
        "<p>One.</p>\n<p>Two.</p>",
        "The &#34;figure&#34;",
        "0.1235",
        "✓ passed",
        "✗ failed",
        "for information",
        "? undecided",
        "61.2 s",
        "60.0 s",
        "2.2 h",
        "0.1.0",
        "macro-ase run config.toml --out runs/again",
        "note = &#34;&lt;&amp;&gt;&#34;",
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


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\x1b[31m"


KEPT = ("figures/x.png", "undecided")


def renamed(value: Any) -> Any:
    """All texts hostile, but the names of what the report looks for."""
    if isinstance(value, dict):
        own = {"macro-ase", "numpy", "small", "sro_rms", "ratio"}
        return {(k + HOSTILE if k in own else k): renamed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v) for v in value]
    return HOSTILE if isinstance(value, str) and value not in KEPT else value


def test_no_name_becomes_code(run: Path) -> None:
    """Species, studies, settings and files are named by people, and results come by mail."""
    (run / "metrics.json").write_text(json.dumps(renamed(METRICS)))
    (run / "results.json").write_text(json.dumps(renamed(RESULTS)))
    (run / "config.toml").write_text(f"structure = {json.dumps(HOSTILE)}\n")
    page = write_report(run).read_text()
    tags = parse(page)
    assert tags.open == [] and not {"script", "iframe", "object"} & set(tags.names)
    assert tags.names.count("img") == 1 and page.count("alert(2)") > 20
    assert not [name for name, _ in tags.attributes if name.startswith("on")]


def test_truth_and_floor_stand_under_their_names(run: Path) -> None:
    metric = {"value": 1.5, "error": None, "truth": 2.5, "floor": 3.5, "unit": "eV"}
    data = METRICS | {"metrics": {"a": metric}}
    (run / "metrics.json").write_text(json.dumps(data))
    page = write_report(run).read_text()
    table = page[page.index("Main results") :].partition("</table>")[0]
    header, row = (re.findall(rf"<{t}[^>]*>([^<]*)</{t}>", table) for t in ("th", "td"))
    shown = dict(zip(header, row, strict=True))
    assert shown == {"metric": "a", "value": "1.5", "truth": "2.5", "floor": "3.5", "unit": "eV"}
    assert metrics_text(data).split(None, 1) == ["a", "1.5 eV  (truth 2.5, floor 3.5)"]


def test_columns_of_numbers_are_set_like_numbers(run: Path) -> None:
    """Texts with errors too; a column with a word in it is text."""
    rows = [["a", "1.5 ± 0.2", "8 x 8", 1, ""], ["b", None, "3", "+2e-05", ""]]
    table = {"columns": ["", "number", "text", "numbers", "empty"], "rows": rows}
    results = {"title": "t", "sections": [{"title": "s", "tables": [table]}]}
    (run / "results.json").write_text(json.dumps(results))
    page = write_report(run).read_text()
    own = page[page.index("<h2>s</h2>") :].partition("</table>")[0]
    row = ["text", "number", "text", "number", "text"]
    assert re.findall(r'<td class="(\w+)">', own) == 2 * row
    assert re.findall(r"<th( [^>]*)?>", own) == [' class="number"' * (k == "number") for k in row]


@pytest.mark.parametrize("name", ["metrics.json", "results.json"])
@pytest.mark.parametrize(
    "text", ["[]", "3", '"x"', "null", "true", "[" * 100_000, "\udcff", ""], ids=range(8)
)
def test_json_of_another_kind_is_one_line(run: Path, name: str, text: str) -> None:
    (run / name).write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=rf"{name} (is damaged|must hold a table)") as error:
        write_report(run)
    assert "\n" not in str(error.value) and not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("metrics.json", {"study": []}, r"metrics.json: study must be text, not \[\]"),
        ("metrics.json", {"stages": [1]}, r"stages must be a table, not \[1\]"),
        ("metrics.json", {"stages": {"a": "1"}}, r'stages.a must be a number, not "1"'),
        ("metrics.json", {"metrics": {"a": None}}, r"metrics.a must not be null"),
        ("metrics.json", {"metrics": {"a": {"value": "<b>"}}}, r"metrics.a.value must be a number"),
        ("metrics.json", {"metrics": {"a": {"error": True}}}, r"metrics.a.error must be a number"),
        ("metrics.json", {"wall_s": 10**400}, r"wall_s must be a number, not 1000"),
        ("metrics.json", {"versions": {"numpy": 2}}, r"versions.numpy must be text"),
        ("results.json", {"title": None}, r"results.json: title is missing"),
        ("results.json", {"summary": "x"}, r"summary must be a list"),
        ("results.json", {"summary": [None]}, r"summary\[0\] must not be null"),
        ("results.json", {"sections": [{}]}, r"sections\[0\].title is missing"),
        ("results.json", {"sections": [{"title": "a", "tables": [{"columns": []}]}]}, "rows is"),
        ("results.json", {"checks": [{"name": "a", "passed": "yes"}]}, "must be true or false"),
        ("results.json", {"checks": [{"name": "a", "passed": 1}]}, "must be true or false"),
        ("results.json", {"checks": [{"name": "a", "verdict": "x"}]}, "one of passed, failed, und"),
        ("results.json", {"checks": [{"name": "a", "verdict": [1]}]}, "one of passed, failed, und"),
        ("results.json", {"cost": {"sentence": "x"}}, "results.json: cost.table is missing"),
        ("results.json", {"baselines": {"columns": ["a"]}}, "baselines.rows is missing"),
        ("metrics.json", {"cost": {"a": "1"}}, r'cost.a must be a number, not "1"'),
    ],
)
def test_json_of_another_shape_names_the_part(
    run: Path, file: str, changes: dict[str, Any], message: str
) -> None:
    data = {"metrics.json": METRICS, "results.json": RESULTS}[file] | changes
    (run / file).write_text(json.dumps(data))
    with pytest.raises(ValueError, match=message):
        write_report(run)


@pytest.mark.parametrize("way", ["absolute", "up", "link", "linked folder", "beside", "empty"])
def test_only_pictures_of_the_run_itself_are_shown(run: Path, tmp_path: Path, way: str) -> None:
    outside = tmp_path.parent / f"{tmp_path.name} outside"
    outside.mkdir()
    (outside / "key.png").write_bytes(b"\x89PNG secret")
    file = "figures/key.png"
    if way == "absolute":
        file = str(outside / "key.png")
    elif way == "up":
        file = f"figures/../../{outside.name}/key.png"
    elif way == "link":
        (run / file).symlink_to(outside / "key.png")
    elif way == "linked folder":
        (run / "figures").rename(run / "old")
        (run / "figures").symlink_to(outside)
    elif way == "beside":
        file = "config.toml"
    else:
        (run / file).touch()
    figure = [{"file": file, "caption": "x"}]
    results = RESULTS | {"sections": [{"title": "t", "figures": figure}]}
    (run / "results.json").write_text(json.dumps(results))
    with pytest.raises(ValueError, match=r"is not among the figures of this run|is no whole PNG"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_a_linked_report_is_not_written_through(run: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (run / "report.html").symlink_to(precious)
    write_report(run)
    assert precious.read_text() == "mine" and not (run / "report.html").is_symlink()
