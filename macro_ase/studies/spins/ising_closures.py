"""Closures of the Ising study: which there are, and what they are made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...learning.encoders.tile_closure import Features, SeveralClosures, TileClosure
from ...observables.spin_correlations import next_correlations
from ...rng import coerce_rng, stream
from ...systems.spin_system import SpinPlan, Spins, SpinSystem
from ..kept import load_or_make

CLOSURES = ("none", "correlations", "encoder")
TILE_STARTS, MOST_TILES = 96, 20_000


def check_closure(config: dict[str, Any]) -> None:
    """Refuse settings of closures that make no sense.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    table = config["closure"]
    for key, kinds in (("kind", [table["kind"]]), ("compare", table["compare"])):
        wrong = [kind for kind in kinds if kind not in CLOSURES]
        if wrong:
            allowed = ", ".join(CLOSURES)
            raise ValueError(f"closure.{key} must be of {allowed}, not {wrong[0]!r}")
    for key in ("variables", "channels", "steps", "runs"):
        if table[key] < 1:
            raise ValueError(f"closure.{key} must be at least 1, not {table[key]}")
    wrong_m = [m for m in table["magnetisations"] if not -1 <= m <= 1]
    if wrong_m or not table["magnetisations"]:
        raise ValueError(f"closure.magnetisations must lie in -1..1, not {table['magnetisations']}")
    encodes = table["kind"] == "encoder" or "encoder" in table["compare"]
    if encodes and min(config["sampling"]["patches"]) < 5:
        raise ValueError("an encoder needs sampling.patches of a side from 5 on")


def tiles_chunk(system: SpinSystem, sampling: SpinPlan, seed: int) -> dict[str, Spins]:
    """Tiles of relaxed large states, shape (n, side**2), to make closures from."""
    rng = coerce_rng(stream(seed, "tiles", sampling.small))
    tiles = system.tiles(sampling, system.snapshots(sampling, TILE_STARTS, {}, rng).states)
    return {"tiles": rng.permutation(tiles.reshape(-1, sampling.small**2))[:MOST_TILES]}


def trained_encoder(
    folder: Path, system: SpinSystem, tiles: Spins, table: dict[str, Any], seed: int
) -> Features:
    """The autoencoder's encoder, trained on tiles or loaded from the folder."""
    from ...learning.encoders.patch_encoder import PatchEncoder, train_encoder
    from ...learning.options import EncoderOptions

    def make() -> PatchEncoder:
        options = EncoderOptions(table["variables"], table["channels"], table["steps"])
        side = round(np.sqrt(tiles.shape[1]))
        observed = system.observe(tiles, side)
        encoder, left = train_encoder(tiles, observed, options, stream(seed, "encoder"))
        encoder.save(folder, left)
        return PatchEncoder.load(folder)

    return load_or_make(lambda: PatchEncoder.load(folder), make).encode


def fit_closures(kinds: list[str], tiles: Spins, encoder: Features | None) -> SeveralClosures:
    """Closures of tiles of one side; "none" has no variables to fit."""
    features = {"correlations": next_correlations} | ({"encoder": encoder} if encoder else {})
    fitted = {kind: TileClosure.fit(features[kind], tiles) for kind in kinds if kind in features}
    return SeveralClosures(fitted)
