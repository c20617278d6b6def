"""Types of names as a script sees them, for `make check`; a line that is no error would be one."""

from typing import assert_type

from ase import Atoms

import macro_ase
from macro_ase import MacroModel, Ramp, SweepTable, VacancyKMC, build_crystal

assert_type(build_crystal("bcc", "NbMoTa"), Atoms)
assert_type(Ramp(300.0, 400.0, 10).start_K, float)
assert_type(Ramp(300.0, 400.0, 10)(1), float)
assert_type(macro_ase.engines.__name__, str)


def table(swept: SweepTable, driver: VacancyKMC, model: MacroModel) -> None:
    """Names that are loaded when they are asked for are not Any."""
    assert_type(driver.run_until, int)  # type: ignore[assert-type]
    VacancyKMC(3)  # type: ignore[call-arg,arg-type]
