"""Studies of learning from forces on some particles."""

from __future__ import annotations

from typing import Any

from ...report import Report
from ...sampling.needs import Needs
from ..runner import Runner
from .compare import ForcesFindings, Stages
from .design import ForcesDesign
from .report import forces_report
from .saving import SavingFindings, SavingStages
from .saving_design import SavingDesign
from .saving_report import saving_report


class ForcesStudy:
    """A study of partial forces; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Raises
    ------
    ValueError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.design = ForcesDesign.of(config)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        return self.design.needs()

    def compute(self, runner: Runner) -> ForcesFindings:
        """Simulate, learn, predict and compare."""
        return Stages(self.design, runner).findings()

    def report(self, findings: ForcesFindings, quick: bool) -> Report:
        """Errors beside the floor, the published ones and those of simpler ways."""
        return forces_report(self.design, findings, quick)


class SavingStudy:
    """A study of the evaluations that partial forces save; as `ForcesStudy`."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.design = SavingDesign.of(config)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        return self.design.needs()

    def compute(self, runner: Runner) -> SavingFindings:
        """Simulate, learn, predict and compare."""
        return SavingStages(self.design, runner).findings()

    def report(self, findings: SavingFindings, quick: bool) -> Report:
        """Savings beside the published ones, and errors at other sizes beside the floor."""
        return saving_report(self.design, findings, quick)
