"""What ``macro-ase make-potential mace`` does: train a MACE model, and say how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ase.calculators.calculator import Calculator

from ..extras import need
from ..potentials.accuracy import accuracy_table, check_potential
from ..potentials.dft_frames import read_frames, split_by_structure
from ..potentials.mace_fit import fit_mace
from ..potentials.mace_model import QUICK, MACESettings, save_mace
from ..rng import whole_seed
from .output_file import require_writable

HELD_OUT = 0.1


def make_mace_command(
    data_files: Sequence[str | Path],
    out: str | Path,
    epochs: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    settings: MACESettings | None = None,
    quick: bool = False,
    energy_key: str | None = None,
    forces_key: str | None = None,
) -> str:
    """Train a MACE model on frames, hold out structures, save it and describe it.

    Parameters
    ----------
    data_files : sequence of str or Path
        Frames with energies and forces, see `read_frames`.
    out : str or Path
        Model to write, ``.model``.
    epochs : int, optional
        Passes over the frames; default: those of the settings.
    seed : int
        Of the split, the first parameters and the order of the frames.
    checkpoint : str or Path, optional
        Where the training's state is kept; if it is there, training goes on from it. Default:
        beside the model, with the ending ``.checkpoint``; removed at the end.
    settings : MACESettings, optional
        Shape and course; default: those of the model that ships.
    quick : bool
        A tiny model and few passes, to see that all works.
    energy_key, forces_key : str, optional
        See `read_frames`.

    Returns
    -------
    str
        Errors on held-out structures and properties of crystals, a Markdown table.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file or setting and what is wrong with it; nothing is then trained.
    ModuleNotFoundError
        If ``mace-torch`` is not installed.
    """
    file = Path(out)
    require_writable(file, ".model", "a MACE model")
    seed = whole_seed(seed)
    settings = settings or (QUICK if quick else MACESettings())
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    need("mace")
    training, held_out = split_by_structure(
        read_frames(data_files, energy_key, forces_key), HELD_OUT, seed
    )
    state = Path(checkpoint) if checkpoint else file.with_suffix(".checkpoint")
    save_mace(fit_mace(training, settings, seed, state), file)
    results = check_potential(_calculator(file), held_out, seed=seed)
    state.unlink()
    return "\n".join([accuracy_table(results), "", f"written: {file}"])


def _calculator(file: Path) -> Calculator:
    """The saved model, in double precision on the CPU."""
    from mace.calculators import MACECalculator

    return MACECalculator(model_paths=str(file), device="cpu", default_dtype="float64")
