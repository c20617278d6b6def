"""Constant barriers: every lattice, files, drivers, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.io import write

from macro_ase import ConstantBarriers, VacancyKMC, build_crystal
from macro_ase.barriers.load import load_barriers
from macro_ase.cli import main


@pytest.mark.parametrize(("lattice", "neighbours"), [("bcc", 8), ("fcc", 12), ("cubic", 6)])
def test_barriers_are_those_of_the_neighbours(lattice: str, neighbours: int) -> None:
    atoms = build_crystal(
        lattice, "Nb0.5Mo0.5", (4, 4, 4), vacancies=2, lattice_constant_A=3.3, rng=3
    )
    model = ConstantBarriers({"Nb": 0.5, "Mo": 0.9}, lattice)
    vacancy = int(np.flatnonzero(atoms.numbers == 0)[0])
    targets, barriers = model.hop_barriers(atoms, vacancy)
    distances = atoms.get_distances(vacancy, targets, mic=True)
    assert len(targets) == neighbours and np.ptp(distances) < 1e-9
    others = np.setdiff1d(np.arange(len(atoms)), [vacancy])
    assert distances[0] == pytest.approx(atoms.get_distances(vacancy, others, mic=True).min())
    expected = {"Nb": 0.5, "Mo": 0.9, "X": np.inf}
    assert barriers.tolist() == [expected[atoms.symbols[k]] for k in targets]
    kmc = VacancyKMC(atoms, model, 1000, rng=0)
    assert kmc.rates[0] == pytest.approx(1e13 * np.exp(-barriers / (units.kB * 1000)))


def test_a_hop_of_fcc_leads_to_a_neighbour_and_bonds_are_kept() -> None:
    atoms = build_crystal("fcc", "Cu0.5Au0.5", (4, 4, 4), vacancies=3, rng=0)
    model = ConstantBarriers({"Au": 0.6, "Cu": 0.8}, "fcc")
    kmc = VacancyKMC(atoms, model, 900, rng=1)
    before = atoms.positions.copy()
    kmc.run(1)
    moved = np.linalg.norm(atoms.positions - before, axis=1)
    edge = atoms.cell.lengths()[0] / 4
    assert sorted(np.round(moved[moved > 0] / edge, 9)) == pytest.approx([np.sqrt(0.5)] * 2)
    kmc.run(20_000)
    again = VacancyKMC(atoms.copy(), model, 900, rng=2)
    assert np.array_equal(kmc.bond_counts, again.bond_counts)


def test_a_file_is_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "copper.json"
    model = ConstantBarriers({"Cu": 0.7, "Au": 0.6}, "fcc")
    model.save(file)
    read = load_barriers(file)
    assert isinstance(read, ConstantBarriers)
    assert (read.species, read.lattice_name) == (("Cu", "Au"), "fcc")
    assert read.barriers_eV == model.barriers_eV
    structure = tmp_path / "alloy.xyz"
    write(structure, build_crystal("fcc", "Cu0.75Au0.25", (4, 4, 4), vacancies=1, rng=0))
    words = ["kmc", str(structure), "--temperature", "900", "--steps", "64000"]
    assert main([*words, "--barriers", str(file)]) == 0
    text = capsys.readouterr().out
    assert "256 fcc sites" in text and "barriers copper.json" in text
    assert abs(float(text.split("\nCu-Au ")[1].split()[1])) < 0.3


@pytest.mark.parametrize(
    ("barriers", "lattice", "message"),
    [
        ({}, "bcc", "at least one species"),
        ({"Cu": -1}, "fcc", "barrier of Cu must be 0 to 1000 eV"),
        ({"Cu": np.nan}, "fcc", "barrier of Cu must be a finite number"),
        ({"Cu": 1.0}, "hcp", "lattice must be one of bcc, fcc, cubic, not 'hcp'"),
    ],
)
def test_what_is_no_model_is_refused(barriers: dict, lattice: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConstantBarriers(barriers, lattice)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text('{"format": "macro_ase constant barriers 1", "lattice": "fcc"}')
    with pytest.raises(ValueError, match=r"broken.json is not a complete constant barrier file"):
        load_barriers(file)
