"""Pages that are made, before Sphinx reads any: tutorials and gallery by running their scripts.

What a script gave is kept in `_build/executed` under a digest of it and of the package, so that a
second build runs only what has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

import api_pages
import gallery_pages
import tutorial_pages

LOG = logging.getLogger(__name__)
DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
RC = Path(__file__).with_name("matplotlibrc")
COPIES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "lammps_inputs/README.md": "lammps_inputs.md",
    **{
        f"potentials/{file.name}": f"potentials/{file.name}"
        for file in ROOT.glob("potentials/*.md")
    },
}


def digest(files: list[Path]) -> str:
    """A digest of files, names and contents."""
    found = hashlib.sha256()
    for file in sorted(files):
        found.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return found.hexdigest()[:16]


def execute(scripts: list[Path], together: bool) -> dict[str, Path]:
    """Run scripts, in one process or one each; the folder of what each gave, by its name."""
    key = digest([*ROOT.glob("macro_ase/**/*.py"), Path(__file__).with_name("cells.py"), RC])
    kept = DOCS / "_build" / "executed"
    folders = {script.stem: kept / f"{key}-{digest([script])}" for script in scripts}
    missing = [s for s in scripts if not (folders[s.stem] / s.stem / "cells.json").exists()]
    for group in [missing] if together and missing else [[script] for script in missing]:
        LOG.info("running %s", " ".join(script.name for script in group))
        fresh = kept / "running"
        shutil.rmtree(fresh, ignore_errors=True)
        words = [sys.executable, str(Path(__file__).with_name("cells.py")), str(fresh)]
        settings = {
            "MPLBACKEND": "agg",
            "MATPLOTLIBRC": str(RC),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": search_path(),
        }
        done = subprocess.run(
            [*words, *map(str, group)], env=os.environ | settings, capture_output=True, text=True
        )
        if done.returncode:
            raise ExtensionError(f"a script of the documentation failed:\n{done.stderr[-4000:]}")
        for script in group:
            shutil.rmtree(folders[script.stem], ignore_errors=True)
            folders[script.stem].mkdir(parents=True)
            (fresh / script.stem).rename(folders[script.stem] / script.stem)
    return {name: folder / name for name, folder in folders.items()}


def search_path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def write_pages(app: Sphinx) -> None:
    """All pages that are made; those of scripts that are no more go."""
    for folder in ("tutorials", "api", "potentials"):
        shutil.rmtree(DOCS / folder, ignore_errors=True)
    for made in [*DOCS.glob("gallery/*.md"), *DOCS.glob("gallery/*.png")]:
        made.unlink()
    for source, page in COPIES.items():
        (DOCS / page).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / source, DOCS / page)
    tutorials = sorted(ROOT.glob("tutorials/*.py"))
    tutorial_pages.write(DOCS / "tutorials", tutorials, execute(tutorials, together=False))
    pictures = sorted(DOCS.glob("gallery/*.py"))
    gallery_pages.write(DOCS / "gallery", pictures, execute(pictures, together=True))
    api_pages.write(DOCS / "api")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
