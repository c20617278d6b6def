"""A trajectory that is appended to: no frame twice, and none of other atoms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read

from ..reasons import reason


@dataclass(frozen=True)
class Appended:
    """What the file of a trajectory ends with when a driver begins to append.

    Attributes
    ----------
    info : dict
        ``atoms.info`` of the last frame; empty if there is none.
    until : int
        Frames of steps up to this one are in the file.
    """

    info: dict[str, Any] = field(default_factory=dict)
    until: int = -1

    @classmethod
    def to(cls, trajectory: Any, atoms: Atoms) -> Appended:
        """Look at the last frame of a file, if there is one.

        Raises
        ------
        ValueError
            If it cannot be read, or holds another number of atoms.
        """
        if not isinstance(trajectory, str | Path) or not Path(trajectory).exists():
            return cls()
        if Path(trajectory).stat().st_size == 0:
            return cls()
        try:
            last = read(trajectory, index=-1)
        except Exception as error:
            raise ValueError(f"cannot append to {trajectory}: {reason(error)}") from error
        assert isinstance(last, Atoms)
        if len(last) != len(atoms):
            raise ValueError(f"cannot append to {trajectory}: it has {len(last)} atoms a frame")
        return cls(dict(last.info), 0 if _same(last, atoms) else -1)

    def holds(self, step: int) -> bool:
        """Whether the file has the frame of this step already."""
        return step <= self.until

    def resumed(self) -> Appended:
        """The same for a run that goes on from a restart: its steps are those of the file."""
        return replace(self, until=max(self.until, int(self.info.get("step", -1))))

    def written(self, step: int) -> Appended:
        """The same with the frame of this step."""
        return replace(self, until=step)


def _same(a: Atoms, b: Atoms) -> bool:
    return np.array_equal(a.numbers, b.numbers) and np.allclose(a.positions, b.positions)
