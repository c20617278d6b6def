"""What a measurement of diffusion found, a row a temperature."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..files import replacing
from .arrhenius import Arrhenius, fit_arrhenius


class RealFraction(NamedTuple):
    """Vacancies per site of the crystal in the laboratory, at each of n temperatures."""

    value: Array  # (n,) c_v
    log_error: Array  # (n,) standard error of ln c_v, common to all species


@dataclass(frozen=True)
class Diffusion:
    """Diffusion at one temperature, in the crystal that was simulated.

    Arrays have shape (S,), by species; the last is the vacancy ``X``.

    Attributes
    ----------
    temperature_K : float
    species : tuple of str
    coefficient_m2_s, coefficient_error : arrays
        D* of a tracer; D_v of the vacancy.
    correlation, correlation_error : arrays
        f.
    jumps_per_s, jumps_error : arrays
        nu, of one atom.
    window_hops : int array
        Hops of all vacancies in the windows that displacements were taken over.
    settled : bool array
        Whether it no longer changes with the windows, within three errors.
    vacancy_fraction : float
        x_v, vacancies per site.
    hops : int
    time_s : float
    """

    temperature_K: float
    species: tuple[str, ...]
    coefficient_m2_s: Array
    coefficient_error: Array
    correlation: Array
    correlation_error: Array
    jumps_per_s: Array
    jumps_error: Array
    window_hops: NDArray[np.int64]
    settled: NDArray[np.bool_]
    vacancy_fraction: float
    hops: int
    time_s: float

    @property
    def columns(self) -> tuple[Array, ...]:
        """D, f and nu, each followed by its error."""
        return (
            self.coefficient_m2_s,
            self.coefficient_error,
            self.correlation,
            self.correlation_error,
            self.jumps_per_s,
            self.jumps_error,
        )

    def scaled(self, vacancy_fraction: float) -> tuple[Array, Array]:
        """D and errors, shape (S,) each, in m^2/s, of a crystal of this vacancy fraction c_v.

        D* c_v / x_v for atoms; D_v as it is.
        """
        factor = np.full(len(self.species), vacancy_fraction / self.vacancy_fraction)
        factor[-1] = 1.0
        return self.coefficient_m2_s * factor, self.coefficient_error * factor


@dataclass(frozen=True)
class DiffusionTable:
    """Diffusion at several temperatures.

    Attributes
    ----------
    rows : tuple of Diffusion
    real : RealFraction, optional
        c_v of the crystal in the laboratory.
    """

    rows: tuple[Diffusion, ...]
    real: RealFraction | None = None

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols, ``X`` the last."""
        return self.rows[0].species

    @property
    def temperatures_K(self) -> Array:
        """Shape (n,)."""
        return np.array([row.temperature_K for row in self.rows])

    @property
    def coefficients_m2_s(self) -> tuple[Array, Array]:
        """D and errors, shape (n, S) each, in the laboratory where its vacancies are known.

        Errors are those of the simulation, without that of c_v.
        """
        own = [row.vacancy_fraction for row in self.rows]
        fractions = own if self.real is None else self.real.value.tolist()
        D, errors = zip(*(row.scaled(c) for row, c in zip(self.rows, fractions)))
        return np.array(D), np.array(errors)

    def arrhenius(self) -> dict[str, Arrhenius]:
        """Laws fitted to `coefficients_m2_s`, by species.

        Raises
        ------
        ValueError
            If there are fewer than two temperatures.
        """
        D, errors = self.coefficients_m2_s
        T = self.temperatures_K
        return {
            name: fit_arrhenius(T, D[:, s], errors[:, s]) for s, name in enumerate(self.species)
        }

    def to_csv(self, path: str | Path) -> None:
        """Write a line a temperature and species; numbers in SI units and K."""
        names = ["temperature_K", "species", "D_m2_s", "D_error", "f", "f_error", "jumps_per_s"]
        names += ["jumps_error", "window_hops", "settled", "vacancy_fraction", "hops", "time_s"]
        real = ["real_vacancy_fraction", "real_log_error", "real_D_m2_s", "real_D_error"]
        D, errors = self.coefficients_m2_s
        with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names if self.real is None else names + real)
            for k, row in enumerate(self.rows):
                for s, name in enumerate(row.species):
                    cells: list[float] = [float(column[s]) for column in row.columns]
                    cells += [row.window_hops[s], row.settled[s]]
                    cells += [row.vacancy_fraction, row.hops, row.time_s]
                    if self.real is not None:
                        cells += [*(part[k] for part in self.real), D[k, s], errors[k, s]]
                    writer.writerow([f"{row.temperature_K:g}", name, *(f"{x:.9g}" for x in cells)])
