"""A study of a system of one's own in Python: `PatchStudy`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .config import OWN, load_config
from .executors import Engine
from .studies.own.study import OwnStudy
from .studies.registry import source_of
from .systems.base import System
from .workflow import run_made


class PatchStudy:
    """A system of a person's own, through to its report.

    Parameters
    ----------
    system : System
        Such as an instance of a class of one's own that derives from `LatticeSystem`.
    small, large : int
        Sides of the small system, which is also a patch, and of the large one.
    dt : float
        How long a patch evolves alone, in the system's unit of time; a step of the model.
    conditions : mapping, optional
        Values by name, such as ``{"T": [1.1, 1.2]}``.
    quick : bool
        Few samples, to see that it runs.
    seed : int
    settings
        Any other key of the preset ``own`` by its last name, such as ``buffer=2`` or ``runs=100``.

    Raises
    ------
    ValueError
        In one line, for settings that there are not, or that make no sense.

    Examples
    --------
    >>> from macro_ase import AllenCahn
    >>> field = AllenCahn(32, width=0.05, boundary="periodic")
    >>> study = PatchStudy(field, small=8, large=32, dt=0.01, buffer=4, starts=20)

    ``study.run("runs/field")`` then simulates, learns, and writes the report.
    """

    def __init__(
        self,
        system: System,
        small: int,
        large: int,
        dt: float,
        conditions: Mapping[str, Sequence[float] | float] | None = None,
        *,
        quick: bool = False,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if not isinstance(system, System):
            given = " (an instance is needed)" if inspect.isclass(system) else ""
            raise ValueError(f"system must derive from System, not be {system!r}{given}")
        self.quick, self.system = quick, system
        given = {"small": small, "large": large, "dt": dt, "seed": seed} | settings
        tables = {"system": described(system), "conditions": dict(conditions or {})}
        self.config = load_config(OWN, quick, changes=given | tables)
        self.study = OwnStudy(self.config, system)

    def run(
        self,
        out: str | Path,
        overwrite: bool = False,
        executor: Engine | None = None,
        walltime: float | None = None,
    ) -> Path:
        """Simulate, learn, predict, compare and report; goes on where it was.

        Parameters
        ----------
        out : str or Path
            The run folder.
        overwrite : bool
            Replace an earlier run of other settings.
        executor : executor, int or str, optional
            As `run_study` takes it.
        walltime : float, optional
            Seconds after which no more work is begun.

        Returns
        -------
        Path
            The run folder, with ``report.html`` and ``metrics.json`` in it.
        """
        return run_made(self.study, self.config, out, overwrite, self.quick, executor, walltime)


def described(system: System) -> dict[str, Any]:
    """A system as settings: its class, and its arguments where it keeps them."""
    own = type(system)
    module, source = own.__module__, source_of(own)
    home = str(source) if module == "__main__" and source is not None else module
    values = system.arguments().items()
    plain = {k: v if isinstance(v, (bool, int, float, str)) else repr(v) for k, v in values}
    return {"class": f"{home}:{own.__qualname__}"} | plain
