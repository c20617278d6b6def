"""Closures of tiles of fields, and models learned from pairs: made once, then loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...learning.encoders.tile_closure import Features, SeveralClosures, TileClosure
from ...observables.field_moments import second_moments, squared_gradients, tile_means
from ...rng import stream
from ...sampling.field_pairs import Array, FieldSampling
from ..kept import load_or_make
from ..patch_model import learn_patch_model
from ..stages import Chunk

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

CHOSEN: dict[str, Features] = {"moments": second_moments, "gradients": squared_gradients}


def fit_closures(
    folder: Path, tiles: Array, kinds: list[str], table: dict[str, Any], seed: int
) -> SeveralClosures:
    """Closures of the given kinds from tiles, shape (n, 2, core).

    Parameters
    ----------
    folder : Path
        Where the encoder lies, if one is wanted; it is trained once.
    tiles : array
    kinds : list of str
    table : dict
        The settings ``closure``.
    seed : int
    """
    features = dict(CHOSEN)
    if "encoder" in kinds:
        features["encoder"] = _encoder(folder, tiles, table, seed)
    wanted = [kind for kind in kinds if kind != "none"]
    return SeveralClosures({k: TileClosure.fit(features[k], tiles, tile_means) for k in wanted})


def _encoder(folder: Path, tiles: Array, table: dict[str, Any], seed: int) -> Features:
    from ...learning.encoders.field_encoder import FieldEncoder, train_field_encoder
    from ...learning.options import EncoderOptions

    def make() -> FieldEncoder:
        options = EncoderOptions(table["variables"], table["channels"], table["steps"])
        encoder, _ = train_field_encoder(tiles, options, stream(seed, "field-encoder"), folder)
        encoder.save(folder)
        return FieldEncoder.load(folder)

    return load_or_make(lambda: FieldEncoder.load(folder), make).encode


def learn_fields(
    folder: Path,
    sampling: FieldSampling,
    pairs: Chunk,
    columns: list[int],
    table: dict[str, Any],
    seed: int,
) -> MacroModel:
    """Train a model of one patch and save it, or load it.

    Parameters
    ----------
    folder : Path
        Of the model.
    sampling : FieldSampling
        How the pairs were made.
    pairs : dict
        As `sampling.field_pairs.pairs_chunk` returns.
    columns : list of int
        Columns of z that the model takes.
    table : dict
        The settings ``learning``.
    seed : int
    """
    used = ("z0", "dz", "mean") if sampling.increments == "antithetic" else ("z0", "dz")
    own = {name: pairs[name][:, columns] for name in used} | {"snapshot": pairs["snapshot"]}
    options = {key: value for key, value in table.items() if key != "repeats"}
    system: Any = sampling.patches.system
    names, sites = system.names, float(sampling.patches.width[0])
    return learn_patch_model(folder, own, np.ones(1), names, sampling.dt, sites, options, seed)


def predicted_paths(
    model: MacroModel,
    starts: Array,
    factor: float,
    paths: int,
    steps: int,
    interval: float,
    seed: np.random.SeedSequence,
) -> Array:
    """Paths of a whole of ``factor`` patches, all members, in steps of dt or somewhat less.

    Parameters
    ----------
    model : MacroModel
    starts : array, shape (n_sets, d)
    factor : float
        lambda: the covariance of a patch is that of the whole times this.
    paths : int
        From each start.
    steps : int
        Records after the first.
    interval : float
        Time between them.
    seed : SeedSequence

    Returns
    -------
    array, shape (n_sets, paths, n_t, d)
    """
    import torch

    torch.set_num_threads(1)  # also in a worker's thread, which has its own number
    members = len(model.trained.members)
    each = -(-paths // members)
    result = model.simulate(
        np.repeat(starts, each, axis=0),
        np.ones(1),
        steps,
        factor * model.sites_per_patch,
        factor,
        each * len(starts),
        seed,
        interval,
    )
    z = result.z.reshape(members, len(starts), each, *result.z.shape[2:]).swapaxes(0, 1)
    return z.reshape(len(starts), -1, *z.shape[3:])[:, :paths]
