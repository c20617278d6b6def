"""The study of the Ising model: relaxation in a field from random states, m and broken bonds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...arrays import Array
from ...learning.encoders.tile_closure import Features, SeveralClosures
from ...systems.base import Closure
from ...systems.ising import IsingSystem
from ...systems.spin_system import Spins, SpinSystem
from ..results import write_findings
from ..stages import Chunk
from .findings import SpinFindings
from .ising_closures import CLOSURES, check_closure, fit_closures, tiles_chunk, trained_encoder
from .ising_comparison import ClosureScore, closure_table, compare_closures
from .ising_results import checks_of, metrics_of, peak_table
from .results import draw, sections
from .settings import spin_parameters
from .study import SpinStudy


class IsingStudy(SpinStudy):
    """Magnetisation and broken bonds predicted from patches in true surroundings."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        check_closure(config)
        self.kind = config["closure"]["kind"]
        self.closures: dict[int, SeveralClosures] = {}
        self.scores: list[ClosureScore] = []

    def make_system(self) -> SpinSystem:
        """The system that the settings name."""
        return IsingSystem(*spin_parameters(self.config))

    def kinds(self, patch: int) -> list[str]:
        """Closures that are measured on patches of a side: one, or those that are compared."""
        table = self.config["closure"]
        compared = table["compare"] if patch == table["compare_patch"] else []
        return [kind for kind in CLOSURES if kind == self.kind or kind in compared]

    def closure(self, patch: int) -> Closure:
        """Closure variables of tiles of a side, all that are measured."""
        return self.closures[patch]

    def columns(self, patch: int, z: Array) -> list[int]:
        """Columns of z that the model of a side takes."""
        return self.closures[patch].columns(self.kind, len(self.system.names))

    def prepare_closure(self) -> None:
        """Fit the closures, and train the encoder if one is wanted."""
        jobs = {f"tiles/{p}": (self.system, self.sampling(p), self.seed) for p in self.patches}
        done = self.stages.chunks("tiles", tiles_chunk, jobs)
        tiles = {patch: done[f"tiles/{patch}"]["tiles"] for patch in self.patches}
        encoder = self._encoder(tiles)
        self.closures = {p: fit_closures(self.kinds(p), tiles[p], encoder) for p in self.patches}

    def _encoder(self, tiles: dict[int, Spins]) -> Features | None:
        """The one encoder of all sides, trained on the tiles that closures are compared on."""
        if not any("encoder" in self.kinds(patch) for patch in self.patches):
            return None
        table = self.config["closure"]
        patch = table["compare_patch"]
        own = tiles[patch if patch in self.patches else max(self.patches)]
        folder = self.stages.folder / "model" / "encoder"
        return trained_encoder(folder, self.system, own, table, self.seed)

    def after_learning(self, pairs: dict[int, Chunk]) -> None:
        """Compare closures by held-out prediction of z*."""
        table = self.config["closure"]
        patch = table["compare_patch"]
        if patch in self.patches and len(self.kinds(patch)) > 1:
            self.scores = self.stages.timed("closures", compare_closures, self, patch, pairs[patch])

    def write(self, folder: Path, quick: bool, findings: SpinFindings) -> None:
        """Write metrics, tables and figures."""
        table = self.config["direct"]
        starts = table["magnetisations"]
        captions = draw(folder, findings, starts, self.system.names)
        metrics = metrics_of(findings, starts)
        more = [peak_table(findings, starts)]
        more += [closure_table(self.scores)] if self.scores else []
        results = {
            "summary": [self._summary(quick)],
            "sections": sections(findings, self.system, table["few_runs"], captions, more),
            "checks": checks_of(findings, metrics, starts),
        }
        write_findings(folder, self.config, self.stages, metrics, results)

    def _summary(self, quick: bool) -> str:
        system, table = self.system, self.config["sampling"]
        return (
            f"Ising model of {self.side} x {self.side} spins at T = {system.temperature:g} in a "
            f"field of {system.field:g}: small periodic systems as large as a patch were repeated "
            f"and relaxed, and patches with a buffer of {table['buffer']} evolved alone for dt = "
            f"{table['dt']:g} with the {table['boundary']} boundary. Closure: {self.kind}"
            + (" (quick form)." if quick else ".")
        )
