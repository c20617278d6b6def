"""Lines of a potential that would override what the package sets, or be overridden."""

from pathlib import Path

import pytest
from ase import units
from ase.build import bulk

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.refusals import refuse_commands
from macro_ase.potentials import path

TABLE = path("NbMoTa.eam.alloy")
LINES = ["pair_style eam/alloy", f"pair_coeff * * {TABLE} Nb Mo Ta"]


@pytest.mark.parametrize(
    "line",
    [
        "mass 1 5.0",
        "mass * 5.0  # heavy",
        "units real",
        "atom_style charge",
        "boundary f f f",
        "neigh_modify delay 10",
        "timestep 0.005",
        "run 10",
        "fix 1 all nve",
        "group core id 1",
        "read_data other.data",
        "thermo_style custom step",
        "set type 1 type 2",
    ],
)
def test_what_the_package_sets_is_refused(line: str, tmp_path: Path) -> None:
    included = tmp_path / "lines.mod"
    included.write_text(line + "\n")
    for given in (line, f"include {included}"):
        with pytest.raises(ValueError, match=r"^units, box[^\n]* leave out '[^\n]*'$") as error:
            LammpsCalculator([*LINES, given])
        assert line.strip() in str(error.value)


def test_a_mass_does_not_reach_a_patch() -> None:
    from macro_ase.engines.lammps.patch import LammpsPatch

    with pytest.raises(ValueError, match="leave out 'mass 1 5'"):
        LammpsPatch(bulk("Nb", cubic=True), None, [*LINES, "mass 1 5"], timestep=units.fs)


def test_lines_of_the_potential_are_taken() -> None:
    kept = ["pair_modify shift yes", "neigh_modify one 4000", "fix q all qeq/point 1 9 1e-6 9 q"]
    refuse_commands([*LINES, *kept, "neighbor 1.0 bin", "kspace_style none"])


@pytest.mark.parametrize(
    ("said", "told"), [("3 Nb Mo\nTa", "3 elements"), ("2 Nb Mo Ta", "2 elements")]
)
def test_tables_that_end_lammps_are_refused(said: str, told: str, tmp_path: Path) -> None:
    lines = TABLE.read_text().split("\n")
    file = tmp_path / "broken table.eam.alloy"
    file.write_text("\n".join([*lines[:3], said, *lines[4:]]))
    for style, sub in (("eam/alloy", ""), ("hybrid eam/alloy", "eam/alloy ")):
        commands = [f"pair_style {style}", f'pair_coeff * * {sub}"{file}" Nb Mo Ta']
        with pytest.raises(ValueError, match=f"{file.name}: {told} must stand on one line"):
            LammpsCalculator(commands)
