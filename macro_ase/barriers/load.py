"""Barrier models from files, whatever their kind."""

from __future__ import annotations

from pathlib import Path

from .base import BarrierModel
from .constant import ConstantBarriers
from .kra import KRABarriers
from .shipped import barrier_file


def load_barriers(path: str | Path | None = None) -> BarrierModel:
    """A barrier model from a file: ``.json`` is KRA or constant, ``.npz`` a neural network.

    Parameters
    ----------
    path : str or Path, optional
        Or the name of a model that ships, such as ``NbMoTaW``. Default: ``NbMoTa``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If its ending is another, or what it holds is damaged.
    """
    file = barrier_file(path)
    if file.suffix == ".json":
        if ConstantBarriers.wrote(file):
            return ConstantBarriers.load(file)
        return KRABarriers.load(file)
    if file.suffix == ".npz":
        from .nnk import NNKBarriers

        return NNKBarriers.load(file)
    raise ValueError(f"{file}: barrier models end in .json (KRA) or .npz (network)")
