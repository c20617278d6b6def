"""What the stages found: moments by size and route, chains that tell of assumptions, baselines.

Chains are as `systems.critical_chains` gives them. Moments are <|m|>, chi' and U; a route's are an
array of shape (n_T, 2, 3), with their errors. How points compare is `analysis.critical_points`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.critical_points import Comparison, Points, scaled
from ...analysis.stationary_law import PolynomialFit, Table, drift_difference, sample_moments
from ...arrays import Array, Chunk
from ...systems.critical_chains import WHOLE
from .design import CriticalDesign

HISTOGRAM = np.linspace(-1, 1, 101)
LEARNED = ("snapshots", "learning", "paths")
"""Stages of the learned route, of each size."""


def rows_of(chains: Chunk, way: int = 0) -> tuple[Array, Array, Array]:
    """m, mean and dm of chains that evolved in one way, shape (n_chains, rounds)."""
    return chains["m"], chains["mean"][way], chains["dm"][way]


def snapshot_moments(design: CriticalDesign, chains: Chunk, L: int, T: float) -> list[Array]:
    """Moments of snapshots themselves, and by least squares from their drift, shape (2, 3)."""
    rows, where = rows_of(chains), (L**2, T)
    fit = PolynomialFit.of(rows, design.dt, len(rows[0]) // design.chains)
    both = sample_moments(rows[0], *where), fit.moments(*where, design.resamples)
    return [np.stack(own) for own in both]


@dataclass(frozen=True)
class SizeFindings:
    """What was found at one size.

    Attributes
    ----------
    temperatures : tuple of float
    chains : Chunk
        At the middle temperature.
    routes : dict
        Moments by "snapshots themselves", "paths" (their errors are those of paths alone),
        "quadrature" of the members' laws, "least squares" and "direct".
    laws : array, shape (members, n_T, 3)
        Moments of the members' stationary laws.
    tables : list of list of Table
        By temperature and member.
    outside : array, shape (n_T,)
        Share of the steps of paths with |m| > 1.
    histories : array, shape (members, n_checks, 2)
    histograms : array, shape (n_T, 100)
        Of m in direct runs.
    """

    temperatures: tuple[float, ...]
    chains: Chunk
    routes: dict[str, Array]
    laws: Array
    tables: list[list[Table]]
    outside: Array
    histories: Array
    histograms: Array

    def path_miss(self) -> tuple[float, float]:
        """chi' of paths over that of the members' laws, less 1, averaged over T; its error."""
        (paths, errors), law = self.routes["paths"][..., 1].T, self.laws[..., 1].mean(axis=0)
        error = np.sqrt(((errors / law) ** 2).sum()) / len(law)
        return float((paths / law - 1).mean()), float(error)


@dataclass(frozen=True)
class CriticalFindings:
    """What the stages made.

    Attributes
    ----------
    design : CriticalDesign
    by_size : dict
    wolff : dict
        Chains by Wolff clusters, by size, at the middle temperature.
    scan : Chunk
        Chains that evolved in several ways.
    small : array, shape (1 + n_L, n_T, 2, 3)
        Moments of the system as small as a patch: at the temperatures of the study, then at
        those where its correlation length over L is that of each size.
    cpu_s : dict
        CPU seconds by stage.
    """

    design: CriticalDesign
    by_size: dict[int, SizeFindings]
    wolff: dict[int, Chunk]
    scan: Chunk
    small: Array
    cpu_s: dict[str, float]

    def predicted(self, *sizes: int) -> Points:
        """Of the paths of the models, means over members.

        Errors are the spread of the members' stationary laws, which is the bootstrap error of
        learning, and what the paths are too short for.
        """
        laws = np.array([self.by_size[size].laws for size in sizes])
        paths = np.array([self.by_size[size].routes["paths"] for size in sizes])
        values, errors = paths[:, :, 0], np.hypot(laws.std(axis=1, ddof=1), paths[:, :, 1])
        draws = values + (laws - laws.mean(axis=1, keepdims=True)).transpose(1, 0, 2, 3)
        return Points(sizes, self.design.temperatures_of(sizes[0]), values, errors, draws)

    def measured(self, *sizes: int) -> Points:
        """Of direct runs."""
        return self._points(sizes, [self.by_size[size].routes["direct"] for size in sizes])

    def _points(self, sizes: tuple[int, ...], routes: list[Array]) -> Points:
        values, errors = np.array(routes).transpose(2, 0, 1, 3)
        temperatures = self.design.temperatures_of(sizes[0])
        return Points.independent(sizes, temperatures, values, errors, self.design.seed)

    def baselines(self) -> dict[str, Comparison]:
        """Simpler means beside direct runs, at all sizes and temperatures."""
        sizes = self.design.sizes
        routes = [self.by_size[size].routes for size in sizes]
        larger = scaled(self.small[1:], np.array(sizes) / self.design.patch)
        means = {
            "least squares, without training": [own["least squares"] for own in routes],
            "the training snapshots themselves": [own["snapshots themselves"] for own in routes],
            "the small system's own average": [self.small[0]] * len(sizes),
            "the small system with exact finite-size scaling": list(larger),
        }
        direct = self.measured(*sizes)
        return {
            name: Comparison.of(self._points(sizes, own), direct) for name, own in means.items()
        }

    def cost(self, size: int) -> float:
        """CPU seconds of the learned route over those of direct runs; nan if not measured."""
        stages = [self.cpu_s.get(f"{stage} {size}", 0.0) for stage in (*LEARNED, "direct")]
        return sum(stages[:-1]) / stages[-1] if stages[-1] > 0 else float("nan")

    def equal_cost(self) -> Array:
        """Mean |relative error| of direct runs, had these cost what learning did, shape (3,)."""
        direct = self.measured(*self.design.sizes)
        longer = np.array([self.cost(size) for size in direct.sizes])
        relative = direct.errors / direct.values / np.sqrt(longer)[:, None, None]
        errors: Array = np.sqrt(2 / np.pi) * relative.mean(axis=(0, 1))
        return errors

    def drift_differences(self) -> dict[int, tuple[float, float]]:
        """chi^2 per bin of the drifts from patch-relaxed and Wolff snapshots, and its chance."""
        return {
            size: drift_difference(rows_of(self.by_size[size].chains)[:2], rows_of(own)[:2])
            for size, own in self.wolff.items()
        }

    def noise_ratio(self) -> tuple[float, float]:
        """Mean square increments of K patches averaged over that of wholes, as in training.

        The nearest (dt, buffer) of the scan; the error is that of both, as normal numbers have it.
        """
        design = self.design
        dt = min(sorted(design.scan_times), key=lambda t: abs(t - design.dt))
        buffer = min(sorted(design.scan_buffers), key=lambda b: abs(b - design.buffer))
        dm, ways = self.scan["dm"].astype(float), design.scan_ways
        patch, whole = (dm[ways.index((dt, b))] for b in (buffer, WHOLE))
        ratio = float((patch**2).mean() / (whole**2).mean())
        return ratio, float(ratio * np.sqrt(4 / whole.size))
