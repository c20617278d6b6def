"""Frames: what is read, what is refused, and that no structure is on both sides of a split."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from macro_ase.potentials.dft_frames import (
    BLOCK,
    Frame,
    folds_by_structure,
    frame_files,
    read_frames,
    split_by_structure,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "nbmota_dft"


def labelled(atoms: Atoms, energy: float | None = -1.0, **info: str) -> Atoms:
    """Atoms with an energy, zero forces and entries of ``info``."""
    forces = np.zeros((len(atoms), 3))
    results = {"forces": forces} if energy is None else {"energy": energy, "forces": forces}
    atoms.calc = SinglePointCalculator(atoms, **results)
    atoms.info |= info
    return atoms


def alloy(n_mo: int, order: int = 0) -> Atoms:
    """Sixteen sites, ``n_mo`` of them Mo."""
    atoms = bulk("Nb", "bcc", a=3.3, cubic=True) * (2, 2, 2)
    atoms.symbols[np.random.default_rng(order).permutation(16)[:n_mo]] = "Mo"
    return atoms


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Six compositions with two relaxed pairs each, dynamics in two parts, strained cells."""
    images = [
        labelled(alloy(n, order), group="NbMo_SS", tag=tag)
        for n in range(2, 8)
        for order in (0, 1)
        for tag in ("unrelax", "relax")
    ]
    for tag, length in (("Md", 2 * BLOCK + 5), ("Md_90", BLOCK)):
        images += [labelled(alloy(0), group="Nb_AIMD", tag=tag) for _ in range(length)]
    for percent in (-2, -1, 0, 1, 2):
        for axis in range(3):
            cell = bulk("Nb", "bcc", a=3.3, cubic=True)
            cell.cell[axis, axis] *= 1 + percent / 100
            images.append(labelled(cell, group="Nb_Elastic"))
    write(tmp_path / "frames.extxyz", images, format="extxyz")
    return tmp_path / "frames.extxyz"


def structures(frames: list[Frame]) -> set[str]:
    return {frame.structure for frame in frames}


def test_frames_keep_labels_and_lose_calculators(file: Path) -> None:
    frames = read_frames([file])
    assert frames[0].energy_eV == -1 and frames[0].forces_eV_A.shape == (16, 3)
    assert frames[0].atoms.calc is None
    assert {frame.kind for frame in frames} == {"solid solutions", "AIMD", "elastic"}


def test_structures_are_compositions_blocks_and_strains(file: Path) -> None:
    by_group: dict[str, set[str]] = {}
    for frame in read_frames([file]):
        by_group.setdefault(frame.group, set()).add(frame.structure.partition("/")[2])
    assert by_group["NbMo_SS"] == {f"Mo{n}Nb{16 - n}" for n in range(2, 8)}
    assert by_group["Nb_AIMD"] == {f"block{k}" for k in range(4)}
    assert by_group["Nb_Elastic"] == {"strain0%", "strain1%", "strain2%"}


def test_a_split_separates_structures_and_represents_every_group(file: Path) -> None:
    frames = read_frames([file])
    training, held_out = split_by_structure(frames, 0.3, seed=0)
    assert not structures(training) & structures(held_out)
    assert len(training) + len(held_out) == len(frames)
    groups = {frame.group for frame in frames}
    assert {f.group for f in training} == {f.group for f in held_out} == groups
    shuffled = np.random.default_rng(0).permutation(len(frames))
    control = [{frames[k].structure for k in half} for half in np.array_split(shuffled, 2)]
    assert control[0] & control[1], "a random split would leak"


def test_a_split_depends_on_its_seed_alone(file: Path) -> None:
    frames = read_frames([file])
    held = [structures(split_by_structure(frames, 0.3, seed)[1]) for seed in (0, 0, 1)]
    assert held[0] == held[1] != held[2]
    reordered = structures(split_by_structure(frames[::-1], 0.3, 0)[1])
    assert reordered == held[0]


def test_folds_hold_out_every_structure_once(file: Path) -> None:
    frames = read_frames([file])
    folds = folds_by_structure(frames, 4, seed=0)
    held = [structure for _, held_out in folds for structure in structures(held_out)]
    assert sorted(held) == sorted(structures(frames))
    for training, held_out in folds:
        assert not structures(training) & structures(held_out)
        assert len(training) + len(held_out) == len(frames)


def test_wrong_requests_are_refused(file: Path) -> None:
    frames = read_frames([file])
    with pytest.raises(ValueError, match="between 0 and 1, not 1"):
        split_by_structure(frames, 1.0, 0)
    with pytest.raises(ValueError, match="single structure"):
        split_by_structure(frames[:2], 0.5, 0)
    with pytest.raises(ValueError, match="make 2 to 13 folds, not 14"):
        folds_by_structure(frames, 14, 0)


def test_files_without_what_is_needed_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.extxyz"
    with pytest.raises(FileNotFoundError, match=r"bad\.extxyz"):
        read_frames([file])
    write(file, [labelled(alloy(1)), alloy(1)], format="extxyz")
    with pytest.raises(ValueError, match=r"frame 1 .* lacks energy"):
        read_frames([file])
    write(file, labelled(alloy(1), energy=None), format="extxyz")
    with pytest.raises(ValueError, match=r"frame 0 .* lacks energy"):
        read_frames([file])
    write(file, labelled(alloy(1), energy=np.nan), format="extxyz")
    with pytest.raises(ValueError, match="not finite"):
        read_frames([file])
    file.write_text("no frames\n")
    with pytest.raises(ValueError, match="cannot be read"):
        read_frames([file])


def test_a_folder_stands_for_its_files(file: Path) -> None:
    assert frame_files(file.parent) == [file]
    with pytest.raises(FileNotFoundError, match="no files"):
        frame_files(file.parent / "nowhere")


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the DFT frames")
def test_the_frames_of_nbmota() -> None:
    frames = read_frames(frame_files(DATA))
    kinds = [frame.kind for frame in frames]
    counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    assert counts == {"AIMD": 600, "elastic": 363, "solid solutions": 1974, "surfaces": 37}
    assert len({f.structure for f in frames if f.kind == "solid solutions"}) == 45
    training, held_out = split_by_structure(frames, 0.1, seed=0)
    assert not structures(training) & structures(held_out)
    assert {frame.group for frame in held_out} == {frame.group for frame in frames}
