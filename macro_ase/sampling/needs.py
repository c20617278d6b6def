"""What a run will need of a machine, asked before any work."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..executors import Workers
from ..memory import require_memory

INTERPRETER_BYTES = 0.4e9
"""Memory of a process with the package, numba's code and PyTorch loaded."""


@dataclass(frozen=True)
class Needs:
    """Memory and disk of a study, roughly.

    Attributes
    ----------
    chunk_bytes : float
        Working memory of the largest chunk.
    store_bytes : float
        Disk for all chunks.
    """

    chunk_bytes: float
    store_bytes: float

    def require(self, workers: Workers, folder: Path) -> str:
        """Refuse what cannot fit; a line about what is needed.

        Parameters
        ----------
        workers : Workers
        folder : Path
            Of the run; what it holds already is not needed again.

        Raises
        ------
        ValueError
            If the memory of this machine, or the room on the disk, is too small.
        """
        here = workers.interpreters > 0
        number = workers.number if here else 0
        memory = max(1, workers.interpreters) * INTERPRETER_BYTES + number * self.chunk_bytes
        there = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        disk = max(0.0, self.store_bytes - there)
        chunks = "1 chunk" if number == 1 else f"{number} chunks"
        at_once = f"{chunks} at a time" if here else "but for the workers"
        require_memory(memory, f"the run, {at_once},")
        place = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        _, _, free = shutil.disk_usage(place)
        if disk > free:
            raise ValueError(
                f"the run would need about {_size(disk)} of disk, and {_size(free)} are free in "
                f"{place}; choose another --out"
            )
        return f"needs about {_size(memory)} of memory ({at_once}), {_size(disk)} of disk"


def _size(n_bytes: float) -> str:
    units = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
    unit = next((name for name, length in units.items() if n_bytes >= length), "KiB")
    return f"{n_bytes / units[unit]:.3g} {unit}"
