"""Refusals that know what would do instead."""

from __future__ import annotations

from typing import Any


class Refused(ValueError):
    """Values that make no sense, said in one line.

    Attributes
    ----------
    instead : dict
        Values that would do, the nearest ones, by the names of arguments or by full names of
        settings; `studies.fixes` tries them and tells whoever runs a study.
    """

    def __init__(self, text: str, instead: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.instead = instead or {}


class Mended(Refused):
    """A refusal that ends with the options that mend it: they were tried, and full names stand."""
