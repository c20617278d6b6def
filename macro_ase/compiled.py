"""Compiled functions of the package; their machine code is kept between processes.

numba's own cache knows a function by the file in which it stands. A kernel holds the code of the
kernels that it calls, so here the content of all their files counts. Code that holds a user's own
function, a registered equation or barrier model, is compiled by each process anew.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import llvmlite
import numba as nb
import numpy as np
from numba.core import sigutils, types
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .kernel_store import KernelStore

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

PACKAGE = files(__package__)
SETTINGS: Any = nb.config
OPTIONS: Any = {"nogil": True, "no_cfunc_wrapper": True}
INSIDE = f"{__package__}."
SOURCES = ("compiled.py", "site_assignment.py", "kinetics", "observables")
VERSIONS = (sys.implementation.cache_tag, nb.__version__, llvmlite.__version__, np.__version__)


def compiled(function: Function) -> Dispatcher[Function]:
    """Decorate a kernel: compiled when it is first called, run without Python's lock, kept."""
    dispatcher: Any = nb.njit(**OPTIONS)(function)
    if not SETTINGS.DISABLE_JIT and function.__module__.startswith(INSIDE):
        dispatcher._cache = KernelCache(function)
    kernel: Dispatcher[Function] = dispatcher
    return kernel


def inlined(function: Function) -> Dispatcher[Function]:
    """Decorate a small part of kernels, written out where it is called."""
    return nb.njit(nogil=True, inline="always")(function)


class KernelCache(_Cache):
    """Machine code of one function of the package, a file for each signature."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.module = function.__module__
        self.name = f"{self.module.rpartition('.')[2]}.{function.__qualname__}"
        self.enabled = True

    @property
    def cache_path(self) -> str:
        return str(next(iter(_store().folders), ""))

    def enable(self) -> None:
        self.enabled = True

    def disable(self) -> None:
        self.enabled = False

    def flush(self) -> None:
        self.disable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Kept code for a signature, or None."""
        target_context.refresh()
        file = self._file(sig, target_context.codegen())
        content = _store().read(file) if file else None
        return content and CompileResult._rebuild(target_context, *pickle.loads(content))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature."""
        file = self._file(sig, data.codegen)
        if file and not (data.lifted or data.library.has_dynamic_globals):
            _store().write(file, dumps(data._reduce()))

    def _file(self, sig: Any, codegen: Any) -> str | None:
        """Name of the file; None for code that is not to be kept."""
        arguments, _ = sigutils.normalize_signature(sig)
        ours = self.enabled and all(map(_is_ours, arguments))
        if not ours or _stamps() != STAMPS:
            return None
        machine = codegen.magic_tuple(), SETTINGS.BOUNDSCHECK
        key = (self.module, *map(_identity, arguments), machine)
        return f"{self.name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.nbc"


def _is_ours(kind: Any) -> bool:
    """Whether code for arguments of this numba type holds functions of the package only."""
    if _is_tuple(kind):
        home = f"{_home(kind).__module__}."
        return home.startswith(("builtins.", INSIDE)) and all(map(_is_ours, kind))
    plain = (types.Number, types.Boolean, types.Array, types.NoneType, types.Omitted)
    return isinstance(kind, plain)


def _identity(kind: Any) -> tuple[str, ...]:
    """A numba type by name, its named tuples by their module too."""
    if not _is_tuple(kind):
        return (str(kind),)
    inner = (name for item in kind for name in _identity(item))
    return (str(kind), _home(kind).__module__, _home(kind).__qualname__, *inner)


def _is_tuple(kind: Any) -> bool:
    return isinstance(kind, types.BaseTuple)


def _home(kind: Any) -> type:
    """Python's class of a tuple."""
    return getattr(kind, "instance_class", tuple)


def _sources() -> Iterator[Any]:
    """Files whose content may become part of a kernel."""
    for entry in map(PACKAGE.joinpath, SOURCES):
        inside = sorted(entry.iterdir(), key=lambda file: file.name) if entry.is_dir() else [entry]
        yield from (file for file in inside if file.name.endswith(".py"))


def _stamps() -> list[tuple[str, int, int]]:
    """Name, time and size of each source, to notice edits; none of a package in a zip file."""
    try:
        states = [(file.name, file.stat()) for file in _sources() if isinstance(file, Path)]
    except OSError:
        return []
    return [(name, state.st_mtime_ns, state.st_size) for name, state in states]


def _digest() -> str:
    """Digest of the content of all sources, and of the versions of what compiles them."""
    whole = hashlib.sha256(repr(VERSIONS).encode())
    for file in _sources():
        content = file.read_bytes()
        whole.update(f"{file.name} {len(content)} ".encode() + content)
    return whole.hexdigest()[:16]


STAMPS = _stamps()
DIGEST = _digest()


@cache
def _store() -> KernelStore:
    return KernelStore(DIGEST, PACKAGE if isinstance(PACKAGE, Path) else None)
