"""Labels are found under ASE's names and MACE's, taken by name, and asked for elsewhere."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from macro_ase.cli import main
from macro_ase.potentials.dft_frames import read_frames

FORCES = np.arange(6.0).reshape(2, 3)


def frames_file(folder: Path, *labels: dict[str, object]) -> Path:
    """A frame for each set of labels; a matrix goes to ``arrays``."""
    images = []
    for found in labels:
        atoms = bulk("Nb", cubic=True)
        for key, value in found.items():
            (atoms.arrays if np.ndim(value) == 2 else atoms.info)[key] = value
        images.append(atoms)
    write(folder / "f.extxyz", images, format="extxyz")
    return folder / "f.extxyz"


REF = {"REF_energy": -3.0, "REF_forces": FORCES}
PLAIN = {"energy": -5.0, "forces": 2 * FORCES}


def test_names_that_mace_recommends_are_found_and_said(tmp_path: Path) -> None:
    file = frames_file(tmp_path, REF, REF)
    with pytest.warns(UserWarning, match="energies are REF_energy, forces REF_forces"):
        frames = read_frames([file])
    assert [frame.energy_eV for frame in frames] == [-3.0, -3.0]
    np.testing.assert_allclose(frames[0].forces_eV_A, FORCES)


def test_names_are_taken_as_they_are_given(tmp_path: Path) -> None:
    file = frames_file(tmp_path, {**REF, **PLAIN, "dft_energy": -4, "dft_forces": 3 * FORCES})
    with pytest.raises(ValueError, match="has energy and REF_energy, which differ: give"):
        read_frames([file])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for energy_key, forces_key, energy, factor in (
            ("energy", "forces", -5, 2),
            ("REF_energy", "REF_forces", -3, 1),
            ("dft_energy", "dft_forces", -4, 3),
        ):
            (frame,) = read_frames([file], energy_key, forces_key)
            assert frame.energy_eV == energy
            np.testing.assert_allclose(frame.forces_eV_A, factor * FORCES)


@pytest.mark.parametrize(
    ("labels", "keys", "message"),
    [
        ([PLAIN, REF], (), "frame 1 of .* lacks energy; it has REF_energy, REF_forces: give"),
        ([{"energy": -5.0}], (), "frame 0 of .* lacks forces or REF_forces; it has energy"),
        ([PLAIN], ("E0", None), "lacks E0"),
        ([{**PLAIN, "E0": "text"}], ("E0", None), "E0 of frame 0 of .* is no number"),
        ([{**PLAIN, "momentum": 1.0}], (None, "momentum"), "momentum of frame 0 of .* is no array"),
        ([{**REF, "REF_energy": np.nan}], ("REF_energy", "REF_forces"), "not finite"),
    ],
)
def test_what_cannot_be_found_is_asked_for(
    labels: list[dict[str, object]], keys: tuple[str | None, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        read_frames([frames_file(tmp_path, *labels)], *keys)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["eam", pytest.param("mace", marks=pytest.mark.slow)])
def test_the_command_takes_the_names(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "mace":
        pytest.importorskip("mace")
    file = frames_file(tmp_path, PLAIN)
    out = tmp_path / {"mace": "m.model", "eam": "m.eam.alloy"}[kind]
    keys = ["--energy-key", "E0", "--forces-key", "F0"]
    command = ["make-potential", kind, "--data", str(file), "--out", str(out), *keys]
    assert main(command) == 2
    assert "lacks E0; it has energy, forces: give" in capsys.readouterr().err
    assert not out.exists()
