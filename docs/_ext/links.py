"""Links of the pages: from files of the repository to pages of the site; which are broken."""

from __future__ import annotations

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FROM = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "lammps_inputs": "lammps_inputs/README.md",
}
PAGES = {
    "README.md": "docs/index.md",
    "CHANGELOG.md": "docs/changelog.md",
    "CONTRIBUTING.md": "docs/contributing.md",
    "lammps_inputs/README.md": "docs/lammps_inputs.md",
    "lammps_inputs/": "docs/lammps_inputs.md",
    "docs/gallery/": "docs/gallery/index.md",
    "tutorials/": "docs/tutorials/index.md",
    **{f"potentials/{p.name}": f"docs/potentials/{p.name}" for p in ROOT.glob("potentials/*.md")},
    **{f"tutorials/{p.name}": f"docs/tutorials/{p.stem}.md" for p in ROOT.glob("tutorials/*.py")},
    **{f"docs/gallery/{p.name}": f"docs/gallery/{p.stem}.md" for p in DOCS.glob("gallery/*.py")},
}


def home_of(page: str) -> str:
    """The file of the repository whose text a page has."""
    if page.startswith("potentials/"):
        return f"{page}.md"
    return FROM.get(page, f"docs/{page}.md")


def to_pages(text: str, page: str) -> str:
    """Text of a page in which links to files of the repository lead to their pages.

    A link to a file that has no page, such as the licence, becomes the file's name.
    """
    folder = posixpath.dirname(home_of(page))

    def moved(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        address, anchor = urldefrag(target)
        if not address or ":" in address:
            return found[0]
        slash = "/" if address.endswith("/") else ""
        file = posixpath.normpath(posixpath.join(folder, address)) + slash
        file = PAGES.get(file, file)
        if not file.startswith("docs/"):
            return f"{words} (`{file}`)" if (ROOT / file).exists() else found[0]
        here = posixpath.dirname(f"docs/{page}")
        return f"{mark}[{words}]({posixpath.relpath(file, here)}{'#' if anchor else ''}{anchor})"

    return LINK.sub(moved, text)


class Page(HTMLParser):
    """Addresses that a page names, and places in it that others may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name in ("id", "name") and value:
                self.anchors.add(value)


def broken_links(site: Path) -> list[str]:
    """Links within a folder of HTML that lead nowhere, each with its page."""
    files = [file for file in site.rglob("*.html") if "_static" not in file.parts]
    pages = {file: Page(file.read_text()) for file in files}
    wrong = []
    for file, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(link)
            if ":" in address or address.startswith("//"):
                continue
            target = (
                (file.parent / unquote(address.partition("?")[0])).resolve() if address else file
            )
            known = pages[target].anchors if target in pages else None
            if not target.exists() or (
                anchor and known is not None and unquote(anchor) not in known
            ):
                wrong.append(f"{file.relative_to(site)}: {link}")
    return wrong
