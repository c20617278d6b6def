"""What times of the model of an alloy are: simulated seconds, those of the laboratory, attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..engines.vacancies.fraction import VacancyFraction
from ..systems.alloy import Alloy
from .alloy_run import AlloyRun, Beginning


@dataclass(frozen=True)
class AlloyTimes:
    """Time in the laboratory beside that of the model.

    Attributes
    ----------
    scale, log_error : callable
        From a temperature in K to laboratory seconds in a simulated one, and the standard error of
        its logarithm; 1 and 0 where the laboratory's vacancies are not known.
    remark : str
        For people.
    """

    scale: Callable[[float], float]
    log_error: Callable[[float], float]
    remark: str

    @classmethod
    def of(
        cls, run: AlloyRun, begin: Beginning, vacancy_fraction: str | None, kelvin: Iterable[float]
    ) -> AlloyTimes:
        """By a file or number as for `VacancyFraction.of`; the remark is of these temperatures.

        Raises
        ------
        ValueError, FileNotFoundError
            If there is no such fraction, or none could be of this run.
        """
        if not isinstance(run.design.system, Alloy):
            if vacancy_fraction is not None:
                raise ValueError(
                    f"{run.folder} has no vacancies that --vacancy-fraction could be of"
                )
            told = "times, also those of a schedule, are in attempts per site, not seconds"
            return cls(_one, _none, told)
        share = float(begin.order.fractions[-1])
        if vacancy_fraction is None:
            return cls(_one, _none, f"times are those of a crystal of which {share:.2g} is vacant")
        fraction, ends = VacancyFraction.of(vacancy_fraction), sorted(kelvin)
        vacant, unsure = (
            " to ".join(dict.fromkeys(f"{own(t):.2g}" for t in (ends[0], ends[-1])))
            for own in (fraction, lambda t: np.exp(fraction.log_error(t)))
        )
        return cls(
            partial(fraction.time_scale, simulated_fraction=share),
            fraction.log_error,
            f"times are those of the laboratory, by the vacancy fraction {vacancy_fraction}: "
            f"{vacant}, known to a factor of {unsure} (simulated: {share:.2g})",
        )


def _one(temperature_K: float) -> float:
    return 1.0


def _none(temperature_K: float) -> float:
    return 0.0
