"""Frames with ab-initio energies and forces, and partitions of them that do not leak.

Frames that tell nearly the same, such as a cell before and after its relaxation, must stay on
one side of a split, or the error on the other side says nothing. So each frame belongs to a
*structure*, and whole structures are held out.

The label of a frame is ``group/part``. The group is ``info["group"]`` (the chemical symbols if
there is none), and the part depends on how the group's name ends:

=========== ====================================================================================
``_AIMD``   its run of `BLOCK` consecutive frames of the file with one ``info["tag"]``. Blocks
            are contiguous in the file; a file that shuffles time shuffles it in the blocks too
``_Elastic`` its largest strain component in whole percent, against the cell whose components
            are the group's medians: strains that symmetry makes equal stay together
others      its composition, such as ``Mo7Nb9``: all arrangements and relaxations of it, or all
            cells of one surface of so many atoms
=========== ====================================================================================

Structures are drawn group by group, so that every group is on both sides.
"""

from __future__ import annotations

import gzip
import io
import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import iread
from ase.io.formats import filetype
from numpy.typing import NDArray

from ..reasons import reason
from ..rng import stream
from .frame_labels import ENERGY_KEYS, FORCES_KEYS, label, label_key

BLOCK = 20
KINDS = {"_SS": "solid solutions", "_AIMD": "AIMD", "_Elastic": "elastic", "_Surface": "surfaces"}


@dataclass(frozen=True, eq=False)
class Frame:
    """Atoms with the energy and the forces that a potential is to reproduce.

    Attributes
    ----------
    atoms : ase.Atoms
        Without a calculator.
    energy_eV : float
        Of the whole cell.
    forces_eV_A : array, shape (n_atoms, 3)
    group : str
        What the frame belongs to, such as ``"Nb_AIMD"``.
    structure : str
        The unit of splitting, see the module.
    """

    atoms: Atoms
    energy_eV: float
    forces_eV_A: NDArray[np.float64]
    group: str
    structure: str

    @property
    def kind(self) -> str:
        """What errors are stated for: solid solutions, AIMD, elastic, surfaces or the group."""
        return next((kind for end, kind in KINDS.items() if self.group.endswith(end)), self.group)


def frame_files(folder: str | Path) -> list[Path]:
    """Extended XYZ files of a folder, gzipped or not, in alphabetical order.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or none in it.
    """
    files = sorted(Path(folder).glob("*.extxyz")) + sorted(Path(folder).glob("*.extxyz.gz"))
    if not files:
        raise FileNotFoundError(f"no files *.extxyz or *.extxyz.gz in {folder}")
    return files


def read_frames(
    files: Sequence[str | Path], energy_key: str | None = None, forces_key: str | None = None
) -> list[Frame]:
    """All frames of files that ASE reads, in order.

    Parameters
    ----------
    files : sequence of str or Path
        Extended XYZ, gzipped or not; energies in eV, forces in eV/A. Stresses are not used, and
        isolated atoms are frames like any other.
    energy_key, forces_key : str, optional
        Names of the labels; default ``energy`` or ``REF_energy``, ``forces`` or ``REF_forces``,
        whichever all frames of a file have. Other names than ASE's are said in a warning.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    ValueError
        If it cannot be read, a frame lacks an energy or forces or has one that is not finite, or
        has two of one kind that differ.
    """
    keys = energy_key, forces_key
    return [frame for file in files for frame in _read(Path(file), *keys)]


def _read(file: Path, energy_key: str | None, forces_key: str | None) -> list[Frame]:
    if not file.is_file():
        raise FileNotFoundError(f"no file of frames {file}")
    try:
        images = _images(file)
    except Exception as error:
        raise ValueError(f"{file} cannot be read as frames: {reason(error)}") from error
    if not images:
        raise ValueError(f"{file} holds no frames")
    keys = (
        label_key(images, energy_key, ENERGY_KEYS, "energy_key (--energy-key)", str(file)),
        label_key(images, forces_key, FORCES_KEYS, "forces_key (--forces-key)", str(file)),
    )
    if keys != (ENERGY_KEYS[0], FORCES_KEYS[0]) and None in (energy_key, forces_key):
        warnings.warn(f"{file}: energies are {keys[0]}, forces {keys[1]}", stacklevel=3)
    labels = [_labels(image, number, file, *keys) for number, image in enumerate(images)]
    groups = [_group(image) for image in images]
    parts = _parts(images, groups)
    return [
        Frame(_bare(image), energy, forces, group, f"{group}/{part}")
        for image, (energy, forces), group, part in zip(images, labels, groups, parts)
    ]


def _images(file: Path) -> list[Atoms]:
    """All images; a gzipped file is unpacked first, as ASE's reader seeks to and fro."""
    if file.suffix != ".gz":
        return list(iread(file))
    with gzip.open(file, "rt", encoding="utf-8") as packed:
        text = io.StringIO(packed.read())
    return list(iread(text, format=filetype(file.stem, read=False)))


def _labels(
    image: Atoms, number: int, file: Path, energy_key: str, forces_key: str
) -> tuple[float, NDArray[np.float64]]:
    where, found = f"frame {number} of {file}", []
    for key, shape in ((energy_key, ()), (forces_key, (len(image), 3))):
        try:
            value = np.asarray(label(image, key), dtype=float)
        except (TypeError, ValueError):
            value = np.empty(0)
        if value.shape != shape:
            what = "number" if shape == () else f"array of shape {shape}"
            raise ValueError(f"{key} of {where} is no {what}")
        found.append(value)
    if not all(np.isfinite(value).all() for value in found):
        raise ValueError(f"{where} has an energy or a force that is not finite")
    return float(found[0]), found[1]


def _group(image: Atoms) -> str:
    return str(image.info.get("group", "-".join(sorted(set(image.get_chemical_symbols())))))


def _bare(image: Atoms) -> Atoms:
    atoms: Atoms = image.copy()
    atoms.calc = None
    return atoms


def _parts(images: Sequence[Atoms], groups: Sequence[str]) -> list[str]:
    """What tells the structures of one group apart, frame by frame."""
    members = defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    parts = [image.get_chemical_formula() for image in images]
    for group, numbers in members.items():
        chosen = [images[n] for n in numbers]
        if group.endswith("_AIMD"):
            new = _blocks([str(image.info.get("tag", "")) for image in chosen])
        elif group.endswith("_Elastic"):
            new = _strains(np.array([image.cell.array for image in chosen]))
        else:
            continue
        for number, part in zip(numbers, new):
            parts[number] = part
    return parts


def _blocks(tags: Sequence[str]) -> list[str]:
    """Number of the block of each frame; a new tag begins a new block."""
    blocks, number, length = [], -1, BLOCK
    for n, tag in enumerate(tags):
        if length == BLOCK or tag != tags[n - 1]:
            number, length = number + 1, 0
        length += 1
        blocks.append(f"block{number}")
    return blocks


def _strains(cells: NDArray[np.float64]) -> list[str]:
    """Largest strain component of each cell, shape (n, 3, 3), in whole percent."""
    reference = np.median(cells, axis=0)
    strains = np.abs(np.linalg.solve(reference, cells) - np.eye(3)).max(axis=(1, 2))
    return [f"strain{round(100 * strain)}%" for strain in strains]


def split_by_structure(
    frames: Sequence[Frame], fraction: float, seed: int
) -> tuple[list[Frame], list[Frame]]:
    """Training and held-out frames, no structure in both.

    Parameters
    ----------
    frames : sequence of Frame
    fraction : float
        Of the structures of each group, rounded up, to hold out; groups of one structure are
        not held out.
    seed : int

    Returns
    -------
    training, held_out : list of Frame
        In the order of ``frames``.

    Raises
    ------
    ValueError
        If ``fraction`` is not between 0 and 1, or every group has but one structure.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"the fraction to hold out must be between 0 and 1, not {fraction:g}")
    held: set[str] = set()
    for number, structures in enumerate(_structures(frames)):
        count = min(math.ceil(fraction * len(structures)), len(structures) - 1)
        held |= set(_shuffled(structures, seed, "hold-out", number)[:count])
    if not held:
        raise ValueError("every group of frames is a single structure: none can be held out")
    return _without(frames, held), _within(frames, held)


def folds_by_structure(
    frames: Sequence[Frame], n: int, seed: int
) -> list[tuple[list[Frame], list[Frame]]]:
    """``n`` pairs of training and held-out frames; each structure is held out exactly once.

    Raises
    ------
    ValueError
        If ``n`` is below 2 or there are fewer structures than ``n``.
    """
    by_group = _structures(frames)
    total = sum(len(structures) for structures in by_group)
    if not 2 <= n <= total:
        raise ValueError(f"{total} structures make 2 to {total} folds, not {n}")
    dealt = [
        structure
        for number, structures in enumerate(by_group)
        for structure in _shuffled(structures, seed, "folds", number)
    ]
    folds = [set(dealt[k::n]) for k in range(n)]
    return [(_without(frames, fold), _within(frames, fold)) for fold in folds]


def _structures(frames: Iterable[Frame]) -> list[list[str]]:
    """Structures of each group, in alphabetical order."""
    groups: dict[str, set[str]] = defaultdict(set)
    for frame in frames:
        groups[frame.group].add(frame.structure)
    return [sorted(groups[group]) for group in sorted(groups)]


def _shuffled(items: list[str], seed: int, stage: str, number: int) -> list[str]:
    order = np.random.default_rng(stream(seed, stage, number)).permutation(len(items))
    return [items[k] for k in order]


def _within(frames: Sequence[Frame], structures: set[str]) -> list[Frame]:
    return [frame for frame in frames if frame.structure in structures]


def _without(frames: Sequence[Frame], structures: set[str]) -> list[Frame]:
    return [frame for frame in frames if frame.structure not in structures]
