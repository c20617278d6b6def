"""What a study is: a frozen design below, and stages that a runner walks above it.

A design (system, settings, numbers derived once) is all that a chunk function sees; only the runner
knows the folder, the store and who computes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..report import Report
from ..sampling.needs import Needs
from .fixes import checked
from .runner import Runner


class Study(ABC):
    """A study of one kind; made from its settings, which its design checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Attributes
    ----------
    design_type : type
        Of the frozen design, whose ``of`` takes the settings.
    report_of : callable
        From the design, what the stages made and whether the form is quick, to a `Report`.
    inputs : sequence of Path
        Files on which results depend, besides those that the settings name.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """

    design_type: ClassVar[Any]
    report_of: ClassVar[Any]
    inputs: Sequence[Path] = ()

    def __init__(self, config: dict[str, Any]) -> None:
        self.design = checked(self.design_type.of, config)

    @abstractmethod
    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""

    @abstractmethod
    def compute(self, runner: Runner) -> Any:
        """All stages; several tasks may go through them at the same time."""

    def report(self, findings: Any, quick: bool) -> Report:
        """What was found, as parts of a report."""
        report: Report = type(self).report_of(self.design, findings, quick)
        return report
