"""What the stages of the study of critical Ising models found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Array
from ..stages import Chunk
from .law import PolynomialFit, Table, moments, stationary_moments
from .points import Points


@dataclass(frozen=True)
class SizeFindings:
    """What was found at one size.

    Attributes
    ----------
    size : int
    temperatures : tuple of float
    fits : list of PolynomialFit
        Without training, by temperature.
    tables : list of list of Table
        By temperature and member.
    paths : array, shape (members, n_T, 4)
        <|m|>, <m^2>, <m^4> along paths, and the share of steps with |m| > 1.
    path_errors : array, shape (n_T, 3)
        Of the moments of paths, averaged over members.
    chains : list of Chunk
        Snapshots and increments by temperature, arrays of shape (n_chains, rounds).
    histories : array, shape (members, n_checks, 2)
    direct : array, shape (n_T, 2, 3)
        Moments of direct runs, and their errors.
    histograms : array, shape (n_T, 100)
        Of m in direct runs.
    """

    size: int
    temperatures: tuple[float, ...]
    fits: list[PolynomialFit]
    tables: list[list[Table]]
    paths: Array
    path_errors: Array
    chains: list[Chunk]
    histories: Array
    direct: Array
    histograms: Array

    @property
    def quadrature(self) -> Array:
        """Moments of the members' stationary laws, shape (members, n_T, 3)."""
        by_temperature = [
            [stationary_moments(table, self.size**2, T) for table in members]
            for T, members in zip(self.temperatures, self.tables)
        ]
        return np.array(by_temperature).transpose(1, 0, 2)

    @property
    def predictions(self) -> Array:
        """Moments along paths, shape (members, n_T, 3)."""
        return moments(self.paths[..., :3], self.size**2, np.array(self.temperatures))


@dataclass(frozen=True)
class CriticalFindings:
    """What the stages made: by size, and the diagnostics.

    Attributes
    ----------
    seed : int
    by_size : dict
    wolff : dict
        Increments from snapshots by Wolff clusters, by size, at the middle temperature.
    ways : list of (float, int)
        dt and buffer of the scan; buffer -1: the whole.
    scan : Chunk
    """

    seed: int
    by_size: dict[int, SizeFindings]
    wolff: dict[int, Chunk]
    ways: list[tuple[float, int]]
    scan: Chunk

    def predicted(self, sizes: tuple[int, ...]) -> Points:
        """Of the paths of the models, means over members.

        Errors are the spread of the members' stationary laws, which is the bootstrap error of
        learning, and what the paths are too short for.
        """
        own = [self.by_size[size] for size in sizes]
        values = np.array([findings.predictions.mean(axis=0) for findings in own])
        laws = np.array([findings.quadrature for findings in own])
        path_errors = np.array([findings.path_errors for findings in own])
        errors = np.hypot(laws.std(axis=1, ddof=1), path_errors)
        draws = values + (laws - laws.mean(axis=1, keepdims=True)).transpose(1, 0, 2, 3)
        return Points(sizes, own[0].temperatures, values, errors, draws)

    def measured(self, sizes: tuple[int, ...]) -> Points:
        """Of direct runs."""
        rows = np.array([self.by_size[size].direct for size in sizes])
        temperatures = self.by_size[sizes[0]].temperatures
        return Points.independent(sizes, temperatures, rows[:, :, 0], rows[:, :, 1], self.seed)
