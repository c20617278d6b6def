"""Numbers in tables keep their errors beside them: no line breaks around a ±."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def keep_together(app: Sphinx, page: nodes.document) -> None:
    for entry in page.findall(nodes.entry):
        for text in list(entry.findall(nodes.Text)):
            text.parent.replace(text, nodes.Text(text.replace(" ± ", "\u00a0±\u00a0")))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", keep_together)
    return {"parallel_read_safe": True}
