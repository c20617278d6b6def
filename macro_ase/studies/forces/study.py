"""Studies of learning from forces on some particles."""

from __future__ import annotations

from typing import Any, ClassVar

from ...report import Report
from ...sampling.needs import Needs
from ..runner import Runner
from .compare import Stages
from .design import ForcesDesign
from .report import forces_report
from .saving import SavingStages
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

    kind: ClassVar[Any] = ForcesDesign
    stages: ClassVar[Any] = Stages
    told: ClassVar[Any] = staticmethod(forces_report)

    def __init__(self, config: dict[str, Any]) -> None:
        self.design = self.kind.of(config)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        return self.design.needs()

    def compute(self, runner: Runner) -> Any:
        """Simulate, learn, predict and compare."""
        return self.stages(self.design, runner).findings()

    def report(self, findings: Any, quick: bool) -> Report:
        """Errors beside the floor, the published ones and those of simpler ways."""
        return self.told(self.design, findings, quick)


class SavingStudy(ForcesStudy):
    """A study of the evaluations that partial forces save."""

    kind: ClassVar[Any] = SavingDesign
    stages: ClassVar[Any] = SavingStages
    told: ClassVar[Any] = staticmethod(saving_report)
