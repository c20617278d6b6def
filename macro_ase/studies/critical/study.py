"""Study `ising-critical`: finite-size scaling from models of m that were learned on patches."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.critical_points import scaled_temperature
from ...analysis.response import QUANTITIES, quantities
from ...analysis.stationary_law import GRID, Table, moments, path_means, stationary_moments
from ...analysis.sweep import sample_ising
from ...arrays import Array, Chunk
from ...kinetics.multispin import REPLICAS
from ...kinetics.one_variable_sde import MOMENTS
from ...learning.options import FitOptions
from ...rng import coerce_rng, stream
from ...sampling.needs import Needs
from ...systems.critical_chains import chain_chunk, wolff_chunk
from ..design import Study
from ..runner import Runner
from .compare import HISTOGRAM, CriticalFindings, SizeFindings, rows_of, snapshot_moments
from .design import SCAN_CHUNKS, CriticalDesign
from .members import binned, fit_member
from .report import critical_report

if TYPE_CHECKING:
    from ...learning.models.symmetric_model import SymmetricModel

RESAMPLED_PATHS = 100


class CriticalIsingStudy(Study):
    """A study of critical Ising models."""

    design_type, report_of = CriticalDesign, staticmethod(critical_report)

    def needs(self) -> Needs:
        """The largest lattice in 64 replicas, a direct run; 16 bytes a snapshot and way."""
        own = self.design
        points = [own.chain(L, T) for L in own.every_size for T in own.temperatures_of(L)]
        rounds = sum(own.words * chain.rounds for chain in points)
        rounds += own.wolff_rounds * len(own.sizes) + own.scan_rounds * len(own.scan_ways)
        lattice = 2 * REPLICAS * own.every_size[-1] ** 2
        return Needs(lattice + 64 * own.samples, 16 * REPLICAS * rounds)

    def compute(self, runner: Runner) -> CriticalFindings:
        """Simulate, learn and predict."""
        design = self.design
        by_size = {size: _size(design, runner, size) for size in design.every_size}
        wolff = runner.timed("Wolff snapshots", _wolff_snapshots, design, runner)
        scan = runner.timed("scan", _scan, design, runner)
        small = runner.timed("small systems", _small_systems, design, runner)
        return CriticalFindings(design, by_size, wolff, scan, small, dict(runner.cpu_s))


def _size(design: CriticalDesign, runner: Runner, size: int) -> SizeFindings:
    """All that is done at one size."""
    temperatures, routes = design.temperatures_of(size), dict[str, Array]()
    done = runner.timed(f"snapshots {size}", _snapshots, design, runner, size)
    middle, sums, reaches, routes["snapshots themselves"], routes["least squares"] = done
    models = runner.timed(f"learning {size}", _learned, design, runner, size, sums)
    tables = [
        [Table(*model.network.moments(GRID, 1000 / T), reach) for model in models]
        for T, reach in zip(temperatures, reaches)
    ]
    rows = zip(temperatures, tables)
    laws = np.array([[stationary_moments(x, size**2, T) for x in own] for T, own in rows])
    laws = laws.transpose(1, 0, 2)
    routes["quadrature"] = np.stack([laws.mean(axis=0), laws.std(axis=0, ddof=1)], axis=1)
    routes["paths"], outside = runner.timed(f"paths {size}", _paths, design, runner, size, tables)
    routes["direct"], seen = runner.timed(f"direct {size}", _direct, design, runner, size)
    histories = np.array([model.history for model in models])
    return SizeFindings(temperatures, middle, routes, laws, tables, outside, histories, seen)


def _snapshots(
    design: CriticalDesign, runner: Runner, size: int
) -> tuple[Chunk, dict[float, Array], list[float], Array, Array]:
    """Chains of the middle temperature; by temperature: sums in bins, largest |m|, moments."""
    temperatures, words = design.temperatures_of(size), range(design.words)
    rest = [design.way], design.seed, "critical-chains"
    jobs = {
        f"chains/{size}/{k}/{word}": (design.chain(size, T), *rest, word)
        for k, T in enumerate(temperatures)
        for word in words
    }
    done = runner.chunks(f"snapshots {size}", chain_chunk, jobs)
    middle: Chunk = {}
    sums, reaches, found = dict[float, Array](), [], []
    for k, T in enumerate(temperatures):
        chains = _joined(*(done[f"chains/{size}/{k}/{word}"] for word in words))
        sums[T] = binned(rows_of(chains), design.chains, design.dt)
        reaches.append(float(np.abs(chains["m"]).max()))
        found.append(snapshot_moments(design, chains, size, T))
        middle = chains if design.middle == T else middle
    own, fitted = (np.array(x) for x in zip(*found))
    return middle, sums, reaches, own, fitted


def _joined(*parts: Chunk) -> Chunk:
    """Chains of several chunks, one after another."""
    return {name: np.concatenate([part[name] for part in parts], axis=-2) for name in parts[0]}


def _learned(
    design: CriticalDesign, runner: Runner, size: int, sums: dict[float, Array]
) -> list[SymmetricModel]:
    """Fit the members of a size, or load those that were fitted already."""
    import torch

    from ...learning.models.symmetric_model import SymmetricModel

    torch.set_num_threads(1)
    options = FitOptions(design.width, design.depth, design.iterations, design.weight_decay)

    def make(folder: Path, k: int) -> SymmetricModel:
        rng = coerce_rng(stream(design.seed, "critical-member", size, k))
        model = fit_member(sums, options, rng)
        model.save(folder)
        return model

    kept = partial(runner.kept, load=SymmetricModel.load)
    return [kept(f"L{size}/member{k}", make=partial(make, k=k)) for k in range(design.members)]


def path_chunk(design: CriticalDesign, table: Table, size: int, k: int, member: int) -> Chunk:
    """Moments along paths of a member at the k-th temperature, ``means`` of shape (paths, 4)."""
    own = stream(design.seed, "critical-path", size, k, member)
    step, time = (design.growth(size) * x for x in (design.step, design.time))
    return {"means": path_means(table, step, time, design.paths, own)}


def _paths(
    design: CriticalDesign, runner: Runner, size: int, tables: list[list[Table]]
) -> tuple[Array, Array]:
    """Moments along paths, means over members, and their errors; share of steps beyond 1."""
    jobs = {
        f"paths/{size}/{k}/{j}": (design, table, size, k, j)
        for k, members in enumerate(tables)
        for j, table in enumerate(members)
    }
    every = runner.joined(f"paths {size}", path_chunk, jobs)["means"]
    every = every.reshape(len(tables), design.members, design.paths, MOMENTS)
    found = []
    for own, T in zip(every, design.temperatures_of(size)):
        rng = coerce_rng(stream(design.seed, "critical-paths", size, round(1e6 * T)))
        rows = own.reshape(-1, MOMENTS)
        drawn = rng.integers(len(rows), size=(RESAMPLED_PATHS, len(rows)))
        errors = moments(rows[drawn].mean(axis=1)[:, :3], size**2, T).std(axis=0)
        members = moments(own.mean(axis=1)[:, :3], size**2, T)
        found.append([members.mean(axis=0), errors])
    return np.array(found), every[..., 3].mean(axis=(1, 2))


def direct_chunk(design: CriticalDesign, stage: str, size: int, T: float) -> Chunk:
    """Moments by Wolff clusters: ``moments``, shape (2, 3), with errors; ``histogram`` of m."""
    own = stream(design.seed, stage, size, round(1e6 * T))
    run = sample_ising(size, T, design.samples, design.burn_in, own, interval=design.interval)
    columns = [QUANTITIES.index(name) for name in ("m_abs", "chi", "binder")]
    histogram, _ = np.histogram(run.magnetization, HISTOGRAM, density=True)
    return {"moments": np.array(quantities(run))[:, columns], "histogram": histogram}


def _direct(design: CriticalDesign, runner: Runner, size: int) -> tuple[Array, Array]:
    """Moments by Wolff clusters and their errors, and histograms of m."""
    temperatures, rest = design.temperatures_of(size), (design, "critical-direct", size)
    jobs = {f"direct/{size}/{k}": (*rest, T) for k, T in enumerate(temperatures)}
    done = runner.joined(f"direct {size}", direct_chunk, jobs)
    return done["moments"].reshape(-1, 2, 3), done["histogram"].reshape(len(jobs), -1)


def _small_systems(design: CriticalDesign, runner: Runner) -> Array:
    """Moments of systems as small as a patch, as `CriticalFindings.small`."""
    rest = design, "critical-small", design.patch
    jobs = {
        f"small/{size}/{k}": (*rest, scaled_temperature(T, size / design.patch))
        for size in (design.patch, *design.sizes)
        for k, T in enumerate(design.temperatures)
    }
    done = runner.joined("small systems", direct_chunk, jobs)
    return done["moments"].reshape(-1, len(design.temperatures), 2, 3)


def _wolff_snapshots(design: CriticalDesign, runner: Runner) -> dict[int, Chunk]:
    """Increments from snapshots by Wolff clusters at the middle temperature."""
    chains = {size: design.chain(size, design.middle, design.wolff_rounds) for size in design.sizes}
    jobs = {f"wolff/{size}": (own, [design.way], design.seed) for size, own in chains.items()}
    done = runner.chunks("Wolff snapshots", wolff_chunk, jobs)
    return {size: done[f"wolff/{size}"] for size in chains}


def _scan(design: CriticalDesign, runner: Runner) -> Chunk:
    """Patches of several dt and buffers, and wholes, from the same snapshots."""
    chain = design.chain(design.scan_size, design.middle, design.scan_rounds // SCAN_CHUNKS)
    jobs = {
        f"scan/{k}": (chain, design.scan_ways, design.seed, "critical-scan", k)
        for k in range(SCAN_CHUNKS)
    }
    return _joined(*runner.chunks("scan", chain_chunk, jobs).values())
