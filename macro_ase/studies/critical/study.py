"""Study `ising-critical`: finite-size scaling from models of m that were learned on patches.

    small runs -> repeated, relaxed in windows -> patches evolved alone -> one model a size
    paths of the models -> <|m|>, chi', U -> exponents, beside Wolff clusters

z is m alone. Its memory is long, yet its drift given m, measured over snapshots in equilibrium at
that m and L, closes the stationary law (`critical.law`), which is all that is asked here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Array
from ...kinetics.one_variable_sde import MOMENTS
from ...rng import coerce_rng, stream
from ...sampling.critical_chains import CriticalSampling, chain_chunk, wolff_chunk
from ..stages import Chunk, Stages
from .findings import CriticalFindings, SizeFindings
from .law import PolynomialFit, Table, moments
from .model import BinnedPairs, fit_member, tabulated
from .runs import direct_chunk, joined, path_chunk
from .settings import WHOLE, check_critical_settings

RESAMPLED_PATHS = 100


class CriticalIsingStudy:
    """A study of critical Ising models; made from its settings, which it checks first.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.

    Raises
    ------
    ValueError
        Naming the setting and what is wrong with it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        check_critical_settings(config)
        self.config, self.seed = config, config["seed"]
        table = config["system"]
        self.sizes, self.beyond = tuple(table["sizes"]), tuple(table["beyond"])
        self.temperatures, self.middle = tuple(table["temperatures"]), table["middle"]
        self.dt, self.buffer = config["sampling"]["dt"], config["sampling"]["buffer"]
        self.resamples = config["checks"]["resamples"]

    def temperatures_of(self, size: int) -> tuple[float, ...]:
        """Where a size is studied."""
        return (self.middle,) if size in self.beyond else self.temperatures

    def growth(self, size: int) -> float:
        """Square of the side over that of a patch."""
        return float((size / self.config["sampling"]["patch"]) ** 2)

    def sampling(
        self, size: int, temperature: float, rounds: int | None = None
    ) -> CriticalSampling:
        """How snapshots are made; ``rounds`` other than those of training may be asked for."""
        table = self.config["sampling"]
        share = table["beyond_share"] if size in self.beyond else 1.0
        wanted = share * table["snapshots"] * self.growth(size) / (64 * table["words"])
        return CriticalSampling(
            temperature,
            size,
            table["patch"],
            table["small_time"],
            table["relax_sweeps"],
            table["gap"],
            max(1, round(wanted)) if rounds is None else rounds,
        )

    def run(self, folder: Path, quick: bool) -> None:
        """Simulate, learn, predict and compare, and write the results into the folder."""
        from .results import write_critical

        self.stages = Stages(folder, self.config["workers"])
        sizes = (*self.sizes, *self.beyond)
        by_size = {size: self.study_size(size) for size in sizes}
        wolff = self.stages.timed("Wolff snapshots", self.wolff_snapshots)
        ways, scan = self.stages.timed("scan", self.scan)
        findings = CriticalFindings(self.seed, by_size, wolff, ways, scan)
        write_critical(self, folder, quick, findings)

    def study_size(self, size: int) -> SizeFindings:
        """All that is done at one size."""
        timed, temperatures = self.stages.timed, self.temperatures_of(size)
        chains = timed(f"snapshots {size}", self.chains, size)
        fits = [self.fit(rows) for rows in chains]
        models = timed(f"learning {size}", self.learn, size, chains)
        tables = [
            [tabulated(model, T, fit.reach) for model in models]
            for T, fit in zip(temperatures, fits)
        ]
        paths, errors = timed(f"paths {size}", self.paths, size, tables)
        direct, histograms = timed(f"direct {size}", self.direct, size)
        histories = np.array([model.history for model in models])
        measured = (paths, errors, chains, histories, direct, histograms)
        return SizeFindings(size, temperatures, fits, tables, *measured)

    def chains(self, size: int) -> list[Chunk]:
        """Snapshots of one size, by temperature."""
        words, ways = self.config["sampling"]["words"], [(self.dt, self.buffer)]
        names = {
            T: [f"chains/{size}/{k}/{word}" for word in range(words)]
            for k, T in enumerate(self.temperatures_of(size))
        }
        jobs = {
            key: (self.sampling(size, T), ways, self.seed, "critical-chains", word)
            for T, keys in names.items()
            for word, key in enumerate(keys)
        }
        done = self.stages.chunks(f"snapshots {size}", chain_chunk, jobs)
        return [joined([done[key] for key in keys]) for keys in names.values()]

    def fit(self, rows: Chunk) -> PolynomialFit:
        """Drift and diffusion without training."""
        blocks = len(rows["m"]) // self.config["learning"]["chains"]
        m, mean, dm = (rows[name].reshape(blocks, -1) for name in ("m", "mean", "dm"))
        return PolynomialFit.of(m, mean, dm, self.dt)

    def learn(self, size: int, chains: list[Chunk]) -> list[Any]:
        """Fit the members of a size, or load those that were fitted already."""
        import torch

        from ...learning.options import FitOptions

        torch.set_num_threads(1)
        table = dict(self.config["learning"])
        members, per_block = table.pop("members"), table.pop("chains")
        options = FitOptions(**table)
        pairs = [
            BinnedPairs.of(T, rows, per_block, self.dt)
            for T, rows in zip(self.temperatures_of(size), chains)
        ]
        folder = self.stages.folder / "model" / f"L{size}"
        return [
            fit_member(folder / f"member{k}", pairs, options, self.seed, size, k)
            for k in range(members)
        ]

    def paths(self, size: int, tables: list[list[Table]]) -> tuple[Array, Array]:
        """Moments along paths, shape (members, n_T, 4), and errors of the mean, (n_T, 3)."""
        table, growth = self.config["prediction"], self.growth(size)
        how = (table["step"] * growth, table["time"] * growth, table["paths"], self.seed)
        items = [(k, member) for k in range(len(tables)) for member in range(len(tables[0]))]
        jobs = {f"paths/{size}/{k}/{j}": (tables[k][j], *how, (size, k, j)) for k, j in items}
        done = self.stages.chunks(f"paths {size}", path_chunk, jobs)
        every = np.array([done[key]["means"] for key in jobs])
        means = every.reshape(len(tables), -1, table["paths"], MOMENTS)
        errors = [
            self._path_error(own.reshape(-1, MOMENTS), size, T)
            for own, T in zip(means, self.temperatures_of(size))
        ]
        return means.mean(axis=2).transpose(1, 0, 2), np.array(errors)

    def _path_error(self, means: Array, size: int, temperature: float) -> Array:
        """Errors of moments of paths of all members, shape (3,), by drawing paths again."""
        rng = coerce_rng(stream(self.seed, "critical-paths", size, round(1e6 * temperature)))
        drawn = rng.integers(len(means), size=(RESAMPLED_PATHS, len(means)))
        return moments(means[drawn].mean(axis=1)[:, :3], size**2, temperature).std(axis=0)

    def direct(self, size: int) -> tuple[Array, Array]:
        """Moments by Wolff clusters and their errors, and histograms of m."""
        table = self.config["direct"]
        jobs = {
            f"direct/{size}/{k}": (size, T, table["samples"], table["interval"], self.seed)
            for k, T in enumerate(self.temperatures_of(size))
        }
        done = self.stages.chunks(f"direct {size}", direct_chunk, jobs)
        rows = [done[key] for key in jobs]
        return np.array([r["moments"] for r in rows]), np.array([r["histogram"] for r in rows])

    def wolff_snapshots(self) -> dict[int, Chunk]:
        """Increments from snapshots by Wolff clusters at the middle temperature."""
        rounds, ways = self.config["checks"]["wolff_rounds"], [(self.dt, self.buffer)]
        jobs = {
            f"wolff/{size}": (self.sampling(size, self.middle, rounds), ways, self.seed)
            for size in self.sizes
        }
        done = self.stages.chunks("Wolff snapshots", wolff_chunk, jobs)
        return {size: joined([done[f"wolff/{size}"]]) for size in self.sizes}

    def scan(self) -> tuple[list[tuple[float, int]], Chunk]:
        """Patches of several dt and buffers, and wholes, from the same snapshots."""
        table = self.config["checks"]
        ways = [(dt, b) for dt in table["scan_times"] for b in (WHOLE, *table["scan_buffers"])]
        sampling = self.sampling(table["scan_size"], self.middle, table["scan_rounds"] // 4)
        keys = {f"scan/{k}": (sampling, ways, self.seed, "critical-scan", k) for k in range(4)}
        done = self.stages.chunks("scan", chain_chunk, keys)
        parts = [done[key] for key in keys]
        return ways, {
            name: np.concatenate([part[name] for part in parts], axis=0 if name == "m" else 1)
            for name in parts[0]
        }
