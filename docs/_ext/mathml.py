"""Formulas as MathML, which browsers draw themselves: no script, no fonts, no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

SAME = {r"\dots": r"\ldots", r"\bigl": "", r"\bigr": "", r"\Bigl": "", r"\Bigr": ""}


def mathml(tex: str, is_block: bool) -> str:
    """A formula as MathML; one that cannot be read ends the build."""
    plain = re.sub(r"\\[A-Za-z]+", lambda found: SAME.get(found[0], found[0]), tex)
    if plain.startswith(("^", "_")):
        plain = "{}" + plain
    try:
        return tex2mathml(plain, as_block=is_block)
    except MathError as error:
        raise ExtensionError(f"cannot read the formula {tex!r}: {error}") from error


def visit_inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(mathml(node.astext(), is_block=False))
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.Element) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), is_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
