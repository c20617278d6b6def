"""Whether something fits this machine, asked before it is made."""

from __future__ import annotations

import os
from pathlib import Path

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def require_memory(n_bytes: float, what: str) -> None:
    """Refuse what needs more memory than the machine, or the container, has.

    Parameters
    ----------
    n_bytes : float
        What is needed, roughly.
    what : str
        For the message.

    Raises
    ------
    ValueError
    """
    limit = memory_limit()
    if n_bytes > limit:
        raise ValueError(
            f"{what} would need about {n_bytes / 2**30:.3g} GiB of memory, "
            f"and there are {limit / 2**30:.3g} GiB"
        )


def memory_limit() -> float:
    """Bytes of memory that a process can have at most; infinite where the system does not say."""
    found = [float("inf")]
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not on Windows
        pass
    for name in LIMITS:
        try:
            found.append(int(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    return min(found)
