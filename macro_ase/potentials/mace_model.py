"""The shape of a small MACE potential, its graphs, and its file.

MACE (Batatia et al., NeurIPS 35, 11423 (2022)) writes the energy as a sum over atoms of a
many-body expansion of their surroundings, passed on from neighbour to neighbour. With L layers
of cutoff r_max an atom feels what lies within L r_max, and what is further away changes nothing,
so few layers and a short cutoff make energy differences local and cheap.

Energies of single atoms are the least-squares fit of the energies to the composition. The model
and its graphs are those of the package ``mace-torch``.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from ..files import write_atomically
from ..patches import order_axes
from .dft_frames import Frame


@dataclass(frozen=True)
class MACESettings:
    """Shape of the model and course of its training.

    Attributes
    ----------
    r_max_A : float
        Cutoff of one layer in A.
    layers, channels, max_ell, correlation : int
        Message-passing layers; invariant channels; highest degree of the spherical harmonics;
        order of the products of neighbours (3: four-body terms).
    radial_functions : int
        Bessel functions.
    radial_widths : tuple of int
        Hidden widths of the network that makes radial functions of them.
    epochs, batch_size : int
        Passes over the frames; frames of a step.
    learning_rate : float
        The highest.
    energy_weight, forces_weight : float
        w_E in 1/eV^2 and w_F in A^2/eV^2.
    late_energy_weight, late_fraction : float
        w_E in this last fraction of the epochs.
    elastic_weight : float
        How many times more the energies of elastic frames count: strains cost little energy.
    averaging : float
        Decay of the moving average of the parameters, per step.

    Raises
    ------
    ValueError
        If a number that must be is not above 0.
    """

    r_max_A: float = 4.5
    layers: int = 2
    channels: int = 16
    max_ell: int = 2
    correlation: int = 3
    radial_functions: int = 8
    radial_widths: tuple[int, ...] = (32, 32)
    epochs: int = 62
    batch_size: int = 10
    learning_rate: float = 0.01
    energy_weight: float = 100.0
    forces_weight: float = 10.0
    late_energy_weight: float = 1000.0
    late_fraction: float = 0.4
    elastic_weight: float = 30.0
    averaging: float = 0.995

    def __post_init__(self) -> None:
        for name in ("r_max_A", "layers", "channels", "epochs", "batch_size", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")

    @property
    def receptive_radius_A(self) -> float:
        """How far away an atom can be that changes the energy of another."""
        return self.layers * self.r_max_A


QUICK = MACESettings(channels=4, layers=1, max_ell=1, radial_widths=(16,), epochs=5)


def species_of(frames: Sequence[Frame]) -> list[int]:
    """Atomic numbers that occur, in ascending order."""
    return sorted({int(z) for frame in frames for z in frame.atoms.numbers})


def atomic_energies(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Energies of single atoms in eV, by atomic number: least squares on the composition."""
    species = species_of(frames)
    counts = [[np.count_nonzero(frame.atoms.numbers == z) for z in species] for frame in frames]
    energies = np.array([frame.energy_eV for frame in frames])
    rows = np.array(counts, dtype=float)
    solved: NDArray[np.float64] = np.linalg.lstsq(rows, energies, rcond=None)[0]
    return solved


def graphs_of(frames: Sequence[Frame], settings: MACESettings) -> list[Any]:
    """Each frame with its pairs of neighbours, as `mace.data.AtomicData`."""
    from mace.data import AtomicData, Configuration
    from mace.tools import AtomicNumberTable

    table = AtomicNumberTable(species_of(frames))
    cells = [frame.atoms.copy() for frame in frames]
    for atoms in cells:
        order_axes(atoms)
    return [
        AtomicData.from_config(
            Configuration(
                atomic_numbers=atoms.numbers,
                positions=atoms.positions,
                properties={"energy": frame.energy_eV, "forces": frame.forces_eV_A},
                property_weights={
                    "energy": settings.elastic_weight if frame.kind == "elastic" else 1.0,
                    "forces": 1.0,
                },
                cell=atoms.cell.array,
                pbc=tuple(atoms.pbc),
            ),
            z_table=table,
            cutoff=settings.r_max_A,
        )
        for atoms, frame in zip(cells, frames)
    ]


def new_model(graphs: Sequence[Any], frames: Sequence[Frame], settings: MACESettings) -> Any:
    """A `mace.modules.ScaleShiftMACE` with random parameters, scaled to the frames."""
    import torch
    from e3nn import o3
    from mace import modules

    block = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    scalars = o3.Irreps(f"{settings.channels}x0e")
    forces = np.concatenate([frame.forces_eV_A for frame in frames])
    edges = sum(graph.edge_index.shape[1] for graph in graphs)
    return modules.ScaleShiftMACE(
        r_max=settings.r_max_A,
        num_bessel=settings.radial_functions,
        num_polynomial_cutoff=5,
        max_ell=settings.max_ell,
        interaction_cls=block,
        interaction_cls_first=block,
        num_interactions=settings.layers,
        num_elements=len(species_of(frames)),
        hidden_irreps=scalars,
        MLP_irreps=scalars,
        atomic_energies=atomic_energies(frames),
        avg_num_neighbors=edges / sum(len(frame.atoms) for frame in frames),
        atomic_numbers=species_of(frames),
        correlation=settings.correlation,
        gate=torch.nn.functional.silu,
        radial_MLP=list(settings.radial_widths),
        atomic_inter_scale=float(np.sqrt(np.mean(forces**2))) or 1.0,
        atomic_inter_shift=0.0,
    )


def save_mace(model: Any, file: str | Path) -> None:
    """Write a model for ``mace.calculators.MACECalculator(model_paths=file)``.

    Compiled parts are stored without debugging records, which name folders of this machine.
    """
    import torch

    save = torch.jit.save

    def save_lean(module: Any, buffer: io.BytesIO) -> None:
        whole = io.BytesIO()
        save(module, whole)
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(buffer, "w") as lean:
            for entry in source.infolist():
                if not entry.filename.endswith(".debug_pkl"):
                    lean.writestr(entry, source.read(entry))

    for parameter in model.parameters():
        parameter.grad = None
    with patch("torch.jit.save", save_lean):
        whole = io.BytesIO()
        torch.save(model, whole)
    write_atomically(file, whole.getvalue())
