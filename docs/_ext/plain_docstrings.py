"""Docstrings are plain text: `|m|` is a modulus and `*grid` an unpacking, not marks of reST."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

MARK = re.compile(r"(`+)[^`]*\1|\||(?<![\w*\\])\*(?=[\w(])(?![^\s*]*\*)")


def plain(lines: list[str]) -> list[str]:
    """Lines with the marks escaped, but for what is between backticks and for code."""
    found, code_depth = [], None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if code_depth is not None and line.strip() and depth <= code_depth:
            code_depth = None
        if code_depth is None and not line.lstrip().startswith((">>>", "...")):
            code_depth = depth if line.rstrip().endswith("::") else None
            line = MARK.sub(lambda m: m[0] if m[0][0] == "`" else "\\" + m[0], line)
        found.append(line)
    return found


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process, priority=100)
    return {"parallel_read_safe": True}
