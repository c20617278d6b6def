"""``macro-ase make-potential eam``: what it writes, says and refuses."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from macro_ase.commands import make_eam
from macro_ase.commands.make_eam import make_eam_command
from macro_ase.potentials import eam_fit, path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.zhou import ZHOU, zhou_table

MEBIBYTE = 2**20


def frames() -> list[Atoms]:
    """Elements and rattled alloys of the elements' own potential."""
    rng, calculator = np.random.default_rng(0), TableEAM(zhou_table())
    made = [
        bulk(name, "bcc", a=element.lattice_constant_A, cubic=True)
        for name, element in ZHOU.items()
    ]
    for (a, b), n in itertools.product(itertools.combinations(ZHOU, 2), (4, 8, 12)):
        atoms = bulk(a, "bcc", a=3.25, cubic=True) * (2, 2, 2)
        atoms.symbols[rng.permutation(16)[:n]] = b
        atoms.rattle(0.1, rng=rng)
        made.append(atoms)
    for atoms in made:
        energy, forces = calculator.get_potential_energy(atoms), calculator.get_forces(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    return made


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "frames.extxyz", frames(), format="extxyz")
    monkeypatch.setattr(eam_fit, "N_EVALUATIONS", 3)
    monkeypatch.setattr(eam_fit, "THINNING", 1)
    monkeypatch.setattr(
        make_eam, "crystal_properties", lambda *_: {"lattice constant of Nb (A)": 3.298}
    )
    return tmp_path


@pytest.mark.slow
def test_a_table_with_provenance_and_the_same_bytes(data: Path) -> None:
    out = data / "NbMoTa.eam.alloy"
    text = make_eam_command([data / "frames.extxyz"], out, seed=3)
    assert "| Mo-Ta | 3 |" in text and "| all | 9 |" in text
    assert "scales s of the densities" in text and "| lattice constant of Nb (A) | 3.298 |" in text
    table = EAMTable.read(out)
    assert table.comment[1].startswith("frames.extxyz sha256 ")
    assert table.comment[2] == (
        "macro-ase make-potential eam --data frames.extxyz --out NbMoTa.eam.alloy --seed 3"
    )
    assert str(data) not in out.read_text()
    first = out.read_bytes()
    make_eam_command([data / "frames.extxyz"], out, seed=3)
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        ("gone.extxyz", "a.eam.alloy", "no file of frames"),
        ("frames.extxyz", "gone/a.eam.alloy", "cannot write a file"),
        ("frames.extxyz", "a.txt", r"ends in \.eam\.alloy"),
    ],
)
def test_refusals_leave_nothing(data: Path, name: str, out: str, message: str) -> None:
    before = sorted(data.rglob("*"))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        make_eam_command([data / name], data / out)
    assert sorted(data.rglob("*")) == before


def test_the_shipped_table() -> None:
    file = path("NbMoTa.eam.alloy")
    assert file.stat().st_size < 2 * MEBIBYTE
    table = EAMTable.read(file)
    assert table.species == ("Nb", "Mo", "Ta")
    for a, b in itertools.combinations_with_replacement(range(3), 2):
        near = (table.r_A > 0.5) & (table.r_A < 2.4)
        assert np.all(np.diff(table.pair[a, b][near]) < 0), "repulsive at short range"


@pytest.mark.parametrize(("pair", "dft_meV"), [("NbMo", -115.6), ("MoTa", -193.8), ("NbTa", -0.1)])
def test_the_shipped_table_gives_the_dft_energies_of_b2(pair: str, dft_meV: float) -> None:
    calculator = TableEAM(path("NbMoTa.eam.alloy"))
    names = (pair[:2], pair[2:])

    def lowest(symbols: tuple[str, str]) -> float:
        """Energy per atom at the best of many lattice constants."""
        energies = []
        for constant in np.arange(3.1, 3.36, 0.005):
            atoms = bulk("Nb", "bcc", a=constant, cubic=True)
            atoms.symbols = list(symbols)
            energies.append(calculator.get_potential_energy(atoms) / 2)
        return min(energies)

    mixing = lowest((names[0], names[1])) - np.mean([lowest((s, s)) for s in names])
    assert 1e3 * mixing == pytest.approx(dft_meV, abs=15)
