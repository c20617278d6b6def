"""Links lead to pages when a page is read; all are checked when the site is there."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from links import broken_links, to_pages

LOG = logging.getLogger(__name__)


def rewrite(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = to_pages(source[0], page)


def check(app: Sphinx, failed: Exception | None) -> None:
    if failed is None and app.builder.format == "html":
        for wrong in broken_links(Path(app.outdir).resolve()):
            LOG.warning("broken link: %s", wrong)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", rewrite)
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
