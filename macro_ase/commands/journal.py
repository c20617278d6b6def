"""A journal of long work: one JSON line for every finished item, on disk before the next one.

The first line holds the settings. Work that is killed and taken up again with the same settings
finds what was finished; half a line at the end, from a kill during writing, is dropped. A damaged
line is skipped with a word, and its item is done again.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..files import naming


class Journal:
    """Finished items by key, those of an earlier run included.

    The file and its folder are made when the first item is added.

    Parameters
    ----------
    file : Path
    settings : dict
        What results depend on, as JSON holds it.
    is_record : callable
        Whether a key and a record may stand in this journal; what may not is a damaged line.

    Attributes
    ----------
    records : dict
        Records by key.

    Raises
    ------
    ValueError
        If the file was written with other settings, or holds none.
    """

    def __init__(
        self,
        file: Path,
        settings: dict[str, Any],
        is_record: Callable[[str, Any], bool] = lambda key, record: True,
    ) -> None:
        self.file, self.settings, self._is_record = file, settings, is_record
        self.records: dict[str, Any] = {}
        if file.is_file():
            self._read()

    def add(self, key: str, record: Any) -> None:
        """Append a finished item and wait until it is on the disk.

        Raises
        ------
        OSError
            Naming the file, if it cannot be written.
        """
        lines = [{"key": key, "record": record}]
        if not self.file.is_file():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lines.insert(0, {"settings": self.settings})
        with naming(self.file), self.file.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
        self.records[key] = record

    def _read(self) -> None:
        text = self.file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if not whole:
            self.file.unlink()
            return
        first, *rest = map(_parsed, whole.split(b"\n")[:-1])
        if not isinstance(first.get("settings"), dict):
            raise ValueError(
                f"{self.file} is no journal of this program: its first line holds no settings"
            )
        self._refuse_others(first["settings"])
        good = [self._is_item(line) for line in rest]
        damaged = [number for number, fine in enumerate(good, start=2) if not fine]
        if damaged:
            warnings.warn(
                f"{self.file}: damaged lines are skipped and their items done again: "
                f"{', '.join(map(str, damaged))}",
                stacklevel=3,
            )
        os.truncate(self.file, len(whole))
        self.records = {
            line["key"]: line["record"] for line, fine in zip(rest, good, strict=True) if fine
        }

    def _is_item(self, line: dict[str, Any]) -> bool:
        known = isinstance(line.get("key"), str) and "record" in line
        return known and self._is_record(line["key"], line["record"])

    def _refuse_others(self, found: dict[str, Any]) -> None:
        names = {**found, **self.settings}
        changed = [n for n in names if found.get(n) != self.settings.get(n)]
        if changed:
            was = ", ".join(f"{n} {found.get(n)}, now {self.settings.get(n)}" for n in changed)
            raise ValueError(
                f"{self.file.parent} was begun with other settings ({was}); choose another folder"
            )


def _parsed(line: bytes) -> dict[str, Any]:
    """What a line holds; nothing if it is damaged."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
