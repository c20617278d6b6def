"""A journal of long work: one JSON line for every finished item, on disk before the next one.

The first line holds the settings. Work that is killed and taken up again with the same settings
finds what was finished; half a line at the end, from a kill during writing, is dropped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """Finished items by key, those of an earlier run included.

    The file and its folder are made when the first item is added.

    Parameters
    ----------
    file : Path
    settings : dict
        What results depend on, as JSON holds it.

    Attributes
    ----------
    records : dict
        Records by key.

    Raises
    ------
    ValueError
        If the file was written with other settings, or is no journal.
    """

    def __init__(self, file: Path, settings: dict[str, Any]) -> None:
        self.file, self.settings = file, settings
        self.records: dict[str, Any] = {}
        if file.is_file():
            self._read()

    def add(self, key: str, record: Any) -> None:
        """Append a finished item and wait until it is on the disk."""
        lines = [{"key": key, "record": record}]
        if not self.file.is_file():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lines.insert(0, {"settings": self.settings})
        with self.file.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
        self.records[key] = record

    def _read(self) -> None:
        text = self.file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
            found = lines[0]["settings"] if lines else None
            records = {line["key"]: line["record"] for line in lines[1:]}
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{self.file} is no journal of this program") from None
        if found is None:
            self.file.unlink()
            return
        self._refuse_others(found)
        os.truncate(self.file, len(whole))
        self.records = records

    def _refuse_others(self, found: dict[str, Any]) -> None:
        names = {**found, **self.settings}
        changed = [n for n in names if found.get(n) != self.settings.get(n)]
        if changed:
            was = ", ".join(f"{n} {found.get(n)}, now {self.settings.get(n)}" for n in changed)
            raise ValueError(
                f"{self.file.parent} was begun with other settings ({was}); choose another folder"
            )
