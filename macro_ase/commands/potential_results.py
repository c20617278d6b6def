"""What a potential was found to say, as one file, and what many of them say side by side.

    NAME.json  {"format", "name", "calculator", "settings", "versions",
                "values": {key: number or [number, standard error]},
                "reference": {key: number}, "left_out": {key: why}}

Keys are those of `potential_tasks`; energies of phases and frames are formation energies per atom.
The numbers of a file stand by themselves, so that files made in other environments, where other
packages are installed, are read beside each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..reasons import reason
from ..run_folder import write_json

FORMAT = "macro_ase compared potential 1"
NOT_COMPARED = ("calculator", "files", "macro_ase")
"""Settings in which results beside each other may differ."""


@dataclass(frozen=True)
class Measured:
    """All that one potential said, and what it should have said; see the module."""

    name: str
    calculator: str
    settings: dict[str, Any]
    versions: dict[str, str]
    values: dict[str, Any]
    reference: dict[str, float]
    left_out: dict[str, str] = field(default_factory=dict)

    def write(self, file: Path) -> None:
        """Write the file of the module."""
        write_json(file, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, file: Path) -> Measured:
        """What `write` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            Naming the file.
        """
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if data.pop("format") != FORMAT:
                raise KeyError("format")
            found = cls(**data)
            numbers = [x for v in (found.values, found.reference) for x in v.values()]
            np.concatenate([np.ravel(x).astype(float) for x in [*numbers, 0.0]])
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            what = f"no result of macro-ase compare-potentials: {reason(error)}"
            raise ValueError(f"{file} is {what}") from error
        return found

    def section(self, start: str) -> dict[str, Any]:
        """Values whose keys begin so."""
        return {k: v for k, v in self.values.items() if k.startswith(start)}

    def both(self, start: str) -> tuple[list[str], Array, Array]:
        """Keys, values and references of what has both."""
        keys = [k for k in self.section(start) if k in self.reference]
        pairs = [(float(self.values[k]), self.reference[k]) for k in keys]
        own, true = np.array(pairs).reshape(-1, 2).T
        return keys, own, true


def require_alike(results: Sequence[Measured]) -> None:
    """Refuse results that were not measured in the same way, or have one name.

    Raises
    ------
    ValueError
    """
    first, *others = results
    names = [r.name for r in results]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"two potentials are called {', '.join(twice)}: name them NAME=KIND:SPEC")
    for other in others:
        keys = (first.settings.keys() & other.settings.keys()) - set(NOT_COMPARED)
        known = [k for k in sorted(keys) if None not in (first.settings[k], other.settings[k])]
        changed = [k for k in known if first.settings[k] != other.settings[k]]
        if changed:
            what = ", ".join(
                f"{k} {other.settings[k]}, of {first.name} {first.settings[k]}" for k in changed
            )
            raise ValueError(f"{other.name} was measured with other settings: {what}")
