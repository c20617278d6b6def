"""Time in the laboratory: the share of sites that are vacant there, against that of a simulation.

    c_v(T) = exp(S_f / k - E_f / kT)

A crystal that is simulated with the share x_v of vacancies moves x_v / c_v(T) times as fast as one
in the laboratory, as long as vacancies are few and move independently.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase.units import kB
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...files import write_atomically
from ...reals import as_real, require_finite
from ...reasons import reason
from ..temperature import require_temperature
from .environments import effective_energy, effective_energy_error

FORMAT = "macro_ase vacancy fraction 1"
NUMBERS = (
    "formation_energy_eV",
    "formation_energy_error_eV",
    "formation_entropy_kB",
    "formation_entropy_error_kB",
)
MOST_LOG = 700.0


@dataclass(frozen=True)
class VacancyFraction:
    """The share of vacant sites, c_v(T) = exp(S_f / k - E_f / kT), or one that is quenched in.

    Attributes
    ----------
    formation_energy_eV, formation_entropy_kB : float
        E_f, and S_f in units of k.
    formation_energy_error_eV, formation_entropy_error_kB : float
        Their standard errors, apart from the sampling of ``deviations_eV``.
    fixed : float, optional
        The share at every temperature, as after a quench; energies then have no meaning.
    deviations_eV : sequence of sequences of float, shape (n, S)
        In an alloy, formation energies less E_f by surroundings and species; c_v is then of
        `environments.effective_energy` instead of E_f, and its error that of their sampling too.
    shares : sequence of float, shape (S,)
        Fractions of the species of an alloy.
    info : dict
        Provenance, as saved.

    Raises
    ------
    ValueError
        Unless there is either a positive formation energy or a fixed share between 0 and 1.

    Examples
    --------
    >>> copper = VacancyFraction(1.17, 0.02, formation_entropy_kB=1.5)
    >>> f"{copper(1300):.1e}"
    '1.3e-04'
    >>> f"{copper.time_scale(1000, simulated_fraction=1e-3):.0f} s of copper in a simulated one"
    '176 s of copper in a simulated one'
    """

    formation_energy_eV: float | None = None
    formation_energy_error_eV: float = 0.0
    formation_entropy_kB: float = 0.0
    formation_entropy_error_kB: float = 0.0
    fixed: float | None = None
    deviations_eV: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    shares: tuple[float, ...] = ()
    info: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.fixed is None) == (self.formation_energy_eV is None):
            raise ValueError("a vacancy fraction is either fixed or of a formation energy")
        if self.fixed is not None:
            if not 0 < as_real(self.fixed) < 1:
                raise ValueError(
                    f"a fixed vacancy fraction must be between 0 and 1, not {self.fixed}"
                )
            return
        for name in NUMBERS:
            number = require_finite(getattr(self, name), name)
            if ("error" in name and number < 0) or (name == NUMBERS[0] and number <= 0):
                limit = "0 or more" if "error" in name else "above 0"
                raise ValueError(f"{name} must be {limit}, not {number:g}")
        if not math.isclose(self._shares.sum(), 1, abs_tol=1e-6) or self._shares.min() <= 0:
            raise ValueError(f"shares must be above 0 and add up to 1, not {self.shares}")
        if len(self._deviations) == 0:
            raise ValueError("deviations_eV must not be empty")

    @cached_property
    def _shares(self) -> Array:
        return finite_array(self.shares or (1.0,), "shares", None)

    @cached_property
    def _deviations(self) -> Array:
        given = self.deviations_eV or np.zeros((1, len(self._shares)))
        return finite_array(given, "deviations_eV", None, len(self._shares))

    def __call__(self, temperature_K: float) -> float:
        """The share at a temperature.

        Raises
        ------
        ValueError
            If the temperature is not above 0, or the share would be 1 or more, or too small to be a
            number.
        """
        return math.exp(self._log(require_temperature(temperature_K)))

    def effective_energy_eV(self, temperature_K: float) -> float:
        """E_f as it counts at a temperature: that of the surroundings that vacancies prefer."""
        if self.formation_energy_eV is None:
            raise ValueError("a fixed vacancy fraction has no formation energy")
        own = effective_energy(self._deviations, self._shares, require_temperature(temperature_K))
        return self.formation_energy_eV + own

    def interval(self, temperature_K: float, errors: float = 1.0) -> tuple[float, float]:
        """Limits that lie so many standard errors of ln c_v below and above it; at most 1."""
        centre = self._log(require_temperature(temperature_K))
        spread = errors * self.log_error(temperature_K)
        return math.exp(centre - spread), math.exp(min(centre + spread, 0.0))

    def log_error(self, temperature_K: float) -> float:
        """Standard error of ln c_v, about the relative error of c_v where that is small."""
        if self.fixed is not None:
            return 0.0
        sampled = 0.0
        if len(self._deviations) > 1:
            sampled = effective_energy_error(self._deviations, self._shares, temperature_K)
        energy = math.hypot(self.formation_energy_error_eV, sampled) / (kB * temperature_K)
        return math.hypot(self.formation_entropy_error_kB, energy)

    def time_scale(self, temperature_K: float, simulated_fraction: float) -> float:
        """Seconds in the laboratory to one that is simulated with this share of vacancies.

        Raises
        ------
        ValueError
            As of a call, or unless the simulated share is between 0 and 1.
        """
        if not 0 < as_real(simulated_fraction) < 1:
            raise ValueError(
                f"the simulated vacancy fraction must be between 0 and 1, not {simulated_fraction}"
            )
        return simulated_fraction / self(temperature_K)

    def laboratory_s(
        self,
        times_s: ArrayLike,
        temperatures_K: ArrayLike,
        simulated_fraction: float,
        errors: float = 0.0,
    ) -> Array:
        """Times in the laboratory of simulated times, by the trapezoidal rule over `time_scale`.

        Parameters
        ----------
        times_s, temperatures_K : arrays, shape (n,)
            Of the simulation; the temperature goes evenly from one to the next.
        simulated_fraction : float
            Share of vacancies in the simulation.
        errors : float
            Standard errors of ln c_v by which c_v is smaller, and times longer.

        Returns
        -------
        array, shape (n,)
            In s, 0 at the first.
        """
        times = finite_array(times_s, "times_s", None)
        given = finite_array(temperatures_K, "temperatures_K", len(times))
        kinds, place = np.unique(given, return_inverse=True)
        scale = np.array([self.time_scale(t, simulated_fraction) for t in kinds])
        if errors:
            scale *= np.exp(errors * np.array([self.log_error(t) for t in kinds]))
        rate = scale[place]
        steps = np.diff(times) * (rate[1:] + rate[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])

    def _log(self, temperature_K: float) -> float:
        """ln c_v."""
        if self.fixed is not None:
            return math.log(self.fixed)
        energy = self.effective_energy_eV(temperature_K)
        log = self.formation_entropy_kB - energy / (kB * temperature_K)
        if not -MOST_LOG < log < 0:
            what = "1 or more" if log >= 0 else "too small for a number"
            raise ValueError(
                f"the vacancy fraction is {what} at {temperature_K:g} K with a formation energy of "
                f"{energy:g} eV and an entropy of {self.formation_entropy_kB:g} k"
            )
        return log

    @classmethod
    def of(cls, given: VacancyFraction | float | str | Path) -> VacancyFraction:
        """From a number, which is fixed, or from a file.

        Raises
        ------
        ValueError, FileNotFoundError
            If it is neither.
        """
        if isinstance(given, VacancyFraction):
            return given
        text = str(given)
        return cls(fixed=float(text)) if _is_number(text) else cls.read(text)

    @classmethod
    def read(cls, file: str | Path) -> VacancyFraction:
        """From what `write`, or ``macro-ase vacancy-energy --out``, wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged, or something else.
        """
        if not Path(file).is_file():
            raise FileNotFoundError(f"no such file: {file}")
        try:
            return cls._from_json(json.loads(Path(file).read_text(encoding="utf-8")))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"{file} is no file of a vacancy fraction: {reason(error)}") from error

    @classmethod
    def _from_json(cls, data: Mapping[str, Any]) -> VacancyFraction:
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r} is not {FORMAT!r}")
        return cls(
            **{name: data[name] for name in NUMBERS if name in data},
            fixed=data.get("fixed"),
            deviations_eV=tuple(tuple(map(float, row)) for row in data.get("deviations_eV", [])),
            shares=tuple(map(float, data.get("shares", []))),
            info=dict(data["provenance"]),
        )

    def write(self, file: str | Path) -> None:
        """As JSON, energies of surroundings rounded to 1e-6 eV."""
        data: dict[str, Any] = {"format": FORMAT}
        if self.fixed is not None:
            data["fixed"] = self.fixed
        else:
            data |= {name: getattr(self, name) for name in NUMBERS}
        if self.deviations_eV:
            rows = np.round(self._deviations, 6).tolist()
            data |= {"shares": list(self.shares), "deviations_eV": rows}
        write_atomically(file, json.dumps(data | {"provenance": self.info}, indent=1) + "\n")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
