"""What is installed, what is not, and whether it computes what it should."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path

from .. import __version__
from ..compiled import DIGEST, PACKAGE
from ..config import GROUP
from ..executors import THREAD_VARIABLES
from ..extras import EXTRAS, GIVES, installed
from ..kernel_store import KernelStore
from .self_test import Tested

DISTRIBUTIONS = {"mace": "mace-torch"}
"""Names under which packages are installed, where they are not those of their modules."""
VARIABLES = (*THREAD_VARIABLES, "NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT")


def installation() -> Iterator[str]:
    """Lines on packages, extras, the cache of kernels and threads."""
    yield f"macro_ase {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield "packages: " + ", ".join(map(_versioned, _core()))
    for extra, use in GIVES.items():
        modules = [module for module, other in EXTRAS.items() if other == extra]
        if all(map(installed, modules)):
            state = ", ".join(map(_versioned, modules))
        else:
            state = f"not installed: pip install 'macro-ase[{extra}]'"
        yield f"[{extra}] for {use}: {state}"
    others = sorted(entry.name for entry in entry_points(group=GROUP))
    yield f"studies and systems of other packages: {', '.join(others) or 'none'}"
    folder = KernelStore(DIGEST, PACKAGE if isinstance(PACKAGE, Path) else None).place()
    yield (
        "compiled kernels: no folder takes them; name one by NUMBA_CACHE_DIR=FOLDER"
        if folder is None
        else f"compiled kernels: kept in {folder} ({len(list(folder.glob('*.nbc')))} files)"
    )
    set_ = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    yield f"processors: {_processors()}; {', '.join(set_) or 'no variable limits threads'}"


def outcome(tested: Tested) -> str:
    """A line on an item of the self test."""
    word = "passed" if tested.passed else "FAILED"
    return f"{word}: {tested.what}: {tested.measured:.8g}, exact {tested.exact:.8g}"


def _core() -> list[str]:
    """Packages that the light install needs, by name."""
    try:
        needed = requires("macro-ase") or []
    except PackageNotFoundError:
        needed = ["numpy", "scipy", "numba", "ase"]
    light = (line for line in needed if "extra ==" not in line)
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in light]


def _versioned(name: str) -> str:
    try:
        return f"{name} {version(DISTRIBUTIONS.get(name, name))}"
    except PackageNotFoundError:
        return f"{name} (no version known)"


def _processors() -> str:
    """How many there are, and how many this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    here = os.cpu_count()
    return f"{here}" if allowed in (None, here) else f"{here}, {allowed} of them for this process"
