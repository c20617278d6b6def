"""Frames that fits read: what is used and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from macro_ase.barriers.fitting import load_data
from macro_ase.barriers.formation_frames import read_formation_frames
from macro_ase.build import build_crystal

ELEMENTS = '1\nenergy=-10.0 Lattice="3.2 0 0 0 3.2 0 0 0 3.2" pbc="T T T" {}\n{} 0 0 0\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "cannot be read as extxyz"),
        (
            ELEMENTS.format("", "Nb").replace("energy=-10.0 ", ""),
            "frame 0 of .* lacks energy or REF_energy",
        ),
        (ELEMENTS.format("", "Nb").replace("-10.0", "nan"), "frame 0 has no energy"),
        (ELEMENTS.format("", "Nb"), "0 relaxed bcc alloy frames"),
    ],
)
def test_bad_energies_are_refused(synthetic: Any, tmp_path: Path, text: str, message: str) -> None:
    synthetic.write_table(tmp_path)
    file = tmp_path / "frames.extxyz"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_data([tmp_path], [file])
    with pytest.raises(FileNotFoundError, match="gone"):
        load_data([tmp_path], [tmp_path / "gone.extxyz"])


def test_energies_in_other_units_are_refused(synthetic: Any, tmp_path: Path) -> None:
    synthetic.write_table(tmp_path)
    frames = []
    for seed, composition in enumerate(("Nb", "Mo", "NbMo", "NbMo")):
        frame = build_crystal("bcc", composition, (2, 2, 2), rng=seed)
        energy = -10.0 * len(frame) * (27.2 if composition == "NbMo" else 1)
        frame.calc = SinglePointCalculator(frame, energy=energy)
        frames.append(frame)
    write(tmp_path / "frames.extxyz", frames)
    with pytest.raises(ValueError, match="formation energy of -262 eV/atom cannot be"):
        load_data([tmp_path], [tmp_path / "frames.extxyz"])


def test_which_frames_are_used(tmp_path: Path) -> None:
    """Not used, and counted: forces that are large or not a number, other species, the tag."""
    file, frames = tmp_path / "frames.extxyz", []
    force = {2: 0.2, 3: np.nan, 6: 0.1}
    for number, composition in enumerate(["Nb", "Mo", *["NbMo"] * 5, "NbW"]):
        frame = build_crystal("bcc", composition, (2, 2, 2), rng=number)
        results = {"energy": -10.0 * len(frame) - number}
        if number in force:
            results["forces"] = np.full((len(frame), 3), force[number])
        if number == 4:
            frame.info["tag"] = "unrelaxed cell"
        frame.calc = SinglePointCalculator(frame, **results)
        frames.append(frame)
    write(file, frames)
    found = read_formation_frames([file], ("Nb", "Mo"))
    assert found.names == ("frames.extxyz, frame 5", "frames.extxyz, frame 6")
    assert found.energy_eV == pytest.approx([(-5 + 0.5) / 16, (-6 + 0.5) / 16], abs=1e-6)
    assert found.skipped == 4


def test_labels_of_mace_are_found(tmp_path: Path) -> None:
    """Energies and forces as under ASE's names; two energies that differ are refused."""
    file, frames = tmp_path / "frames.extxyz", []
    for number, composition in enumerate(["Nb", "Mo", *["NbMo"] * 3]):
        frame = build_crystal("bcc", composition, (2, 2, 2), rng=number)
        frame.info["REF_energy"] = -10.0 * len(frame) - number
        frame.arrays["REF_forces"] = np.full((len(frame), 3), 0.2 * (number == 4))
        frames.append(frame)
    write(file, frames)
    found = read_formation_frames([file], ("Nb", "Mo"))
    assert found.skipped == 1
    expected = [-number / 16 + (8 * 0 + 8 * 1) / 256 for number in (2, 3)]
    np.testing.assert_allclose(found.energy_eV, expected, atol=1e-9)
    for frame in frames:
        frame.calc = SinglePointCalculator(frame, energy=1.0)
    write(file, frames)
    with pytest.raises(ValueError, match="energy and REF_energy, which differ"):
        read_formation_frames([file], ("Nb", "Mo"))
