"""Studies of learning from forces on some particles."""

from __future__ import annotations

from ...sampling.needs import Needs
from ..design import Study
from ..runner import Runner
from .compare import ForcesFindings, Stages
from .design import ForcesDesign
from .report import forces_report
from .saving import SavingFindings, SavingStages
from .saving_design import SavingDesign
from .saving_report import saving_report


class ForcesStudy(Study):
    """A study of observables learned from forces on some particles."""

    design: ForcesDesign
    design_type, report_of = ForcesDesign, staticmethod(forces_report)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all."""
        return self.design.needs()

    def compute(self, runner: Runner) -> ForcesFindings:
        """Simulate, learn, predict and compare."""
        return Stages(self.design, runner).findings()


class SavingStudy(Study):
    """A study of the evaluations that partial forces save."""

    design: SavingDesign
    design_type, report_of = SavingDesign, staticmethod(saving_report)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all."""
        return self.design.needs()

    def compute(self, runner: Runner) -> SavingFindings:
        """Simulate, learn, predict and compare."""
        return SavingStages(self.design, runner).findings()
