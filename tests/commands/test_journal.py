"""The journal: cut or damaged, it keeps every whole line and says what it skipped."""

import warnings
from pathlib import Path

import pytest

from macro_ase.commands.journal import Journal

JOURNAL = "hops.jsonl"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal with the items 1 to 4."""
    begun = Journal(tmp_path / JOURNAL, {"seed": 0})
    for n in range(1, 5):
        begun.add(f"item {n}", {"n": n})
    return tmp_path / JOURNAL


def texts(file: Path) -> tuple[dict, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        records = Journal(file, {"seed": 0}, lambda key, record: "n" in record).records
    return records, [str(w.message) for w in caught]


@pytest.mark.parametrize(
    "damage",
    ["{}", "[]", "null", "3", "", '"a', "\x00\x00", '{"key": "item 2"}', '{"key": 2, "record": {}}',
     '{"key": "item 2", "record": {}}', '{"key": "item 2", "record": {"n":', "[" * 10**5],
)  # fmt: skip
def test_damaged_lines_of_a_journal_are_skipped_with_a_word(journal: Path, damage: str) -> None:
    lines = journal.read_text().splitlines()
    lines[2] = damage
    journal.write_text("\n".join(lines) + "\n")
    records, said = texts(journal)
    assert records == {f"item {n}": {"n": n} for n in (1, 3, 4)}
    assert len(said) == 1 and said[0].endswith("and their items done again: 3")
    with pytest.warns(UserWarning, match="damaged lines"):
        Journal(journal, {"seed": 0}, lambda key, record: "n" in record).add("item 2", {"n": 2})
    assert set(texts(journal)[0]) == {f"item {n}" for n in range(1, 5)}


def test_a_journal_that_is_not_utf8_keeps_its_good_lines(journal: Path) -> None:
    content = bytearray(journal.read_bytes())
    content[content.index(b"item 3")] = 0xFF
    journal.write_bytes(content)
    records, said = texts(journal)
    assert set(records) == {"item 1", "item 2", "item 4"} and len(said) == 1


@pytest.mark.parametrize("kept", range(0, 130, 7))
def test_a_journal_cut_anywhere_gives_its_whole_lines(journal: Path, kept: int) -> None:
    content = journal.read_bytes()[:kept]
    journal.write_bytes(content)
    records, said = texts(journal)
    assert len(records) == max(0, content.count(b"\n") - 1) and said == []


@pytest.mark.parametrize("first", ["{}", "hello", '{"settings": 3}', '{"key": "a", "record": {}}'])
def test_without_settings_a_journal_is_refused(journal: Path, first: str) -> None:
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([first, *lines[1:]]) + "\n")
    with pytest.raises(ValueError, match="its first line holds no settings"):
        Journal(journal, {"seed": 0})


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("hello\n")
    with pytest.raises(ValueError, match="is no journal"):
        Journal(tmp_path / JOURNAL, {})
