"""The command refuses early, and leaves a model and an account of it."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from engines.small_mace import quickly_made

from macro_ase.commands import make_mace
from macro_ase.commands.make_mace import make_mace_command
from macro_ase.potentials import accuracy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Cells of two elements held to their sites by springs of 5 eV/A^2."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(20):
        atoms = bulk("Nb", "bcc", a=3.2, cubic=True) * (2, 1, 1)
        atoms.symbols[: number % 4] = "Mo"
        moves = 0.05 * rng.normal(size=(4, 3))
        atoms.positions += moves
        energy = -10.0 * len(atoms) + 2.5 * float(np.sum(moves**2))
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=-5 * moves)
        atoms.info["group"] = "NbMo_SS"
        images.append(atoms)
    write(tmp_path / "frames.extxyz", images, format="extxyz")
    return tmp_path / "frames.extxyz"


def refuse_training(*_: Any) -> None:
    pytest.fail("training began")


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ("nowhere/a.model", FileNotFoundError, "is its folder there"),
        (".", FileNotFoundError, "cannot write a file"),
        ("a.pt", ValueError, r"a MACE model ends in \.model"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_training(
    data: Path, monkeypatch: pytest.MonkeyPatch, out: str, error: type[Exception], message: str
) -> None:
    monkeypatch.setattr(make_mace, "fit_mace", refuse_training)
    with pytest.raises(error, match=message):
        make_mace_command([data], data.parent / out)


def test_data_epochs_and_a_missing_package_are_found_before_training(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_mace, "fit_mace", refuse_training)
    out = data.parent / "a.model"
    with pytest.raises(FileNotFoundError, match=r"missing\.extxyz"):
        make_mace_command([data.parent / "missing.extxyz"], out)
    with pytest.raises(ValueError, match="epochs must be above 0, not 0"):
        make_mace_command([data], out, epochs=0)
    monkeypatch.setitem(sys.modules, "mace", None)
    with pytest.raises(ModuleNotFoundError) as missing:
        make_mace_command([data], out)
    assert missing.value.name == "mace"


@pytest.mark.slow
def test_a_model_is_made_and_described(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mace")
    asked = {}
    monkeypatch.setattr(
        accuracy,
        "crystal_properties",
        lambda calculator, species, seed: (
            asked.update(s=species) or {"lattice constant of Mo (A)": 3.2}
        ),
    )
    out = data.parent / "a.model"
    with quickly_made():
        text = make_mace_command([data], out, epochs=1, quick=True)
    assert out.is_file() and f"written: {out}" in text
    assert "| force rms, solid solutions (meV/A) |" in text and "| 3.200 | 3.169 [1] |" in text
    assert asked["s"] == ["Mo", "Nb"]
    assert sorted(p.name for p in data.parent.iterdir()) == ["a.model", "frames.extxyz"]
