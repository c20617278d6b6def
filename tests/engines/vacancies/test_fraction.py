"""Vacancy fractions: the formula, its errors, files, and kinetics that scales with it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.units import kB
from scipy.integrate import quad

from macro_ase import KRABarriers, VacancyFraction, VacancyKMC, build_crystal

TANTALUM = VacancyFraction(3.0, 0.1, 2.0, 0.5)
ALLOY = VacancyFraction(
    2.8,
    deviations_eV=((0.2, -0.1), (-0.2, 0.1), (0.1, -0.2), (-0.1, 0.2)),
    shares=(0.4, 0.6),
    info={"of": "a test"},
)


def test_the_formula_and_its_errors() -> None:
    assert TANTALUM(2500) == pytest.approx(math.exp(2 - 3 / (kB * 2500)))
    assert TANTALUM.log_error(2500) == pytest.approx(math.hypot(0.5, 0.1 / (kB * 2500)))
    low, high = TANTALUM.interval(2500, errors=2)
    assert math.log(high / low) == pytest.approx(4 * TANTALUM.log_error(2500))
    assert TANTALUM.time_scale(2500, 1e-3) == pytest.approx(1e-3 / TANTALUM(2500))


@pytest.mark.slow
def test_errors_are_those_of_drawn_parameters() -> None:
    rng = np.random.default_rng(0)
    energies, entropies = 3 + 0.1 * rng.normal(size=4000), 2 + 0.5 * rng.normal(size=4000)
    logs = [math.log(VacancyFraction(e, 0, s)(2000)) for e, s in zip(energies, entropies)]
    assert np.std(logs) == pytest.approx(TANTALUM.log_error(2000), rel=0.05)


def test_an_alloy_counts_the_surroundings_that_vacancies_prefer() -> None:
    found, mean = ALLOY.effective_energy_eV(1000), VacancyFraction(2.8)(1000)
    factors = [
        1 / sum(c * math.exp(d / (kB * 1000)) for c, d in zip(ALLOY.shares, row))
        for row in ALLOY.deviations_eV
    ]
    assert ALLOY(1000) == pytest.approx(mean * np.mean(factors))
    assert found == pytest.approx(2.8 - kB * 1000 * math.log(np.mean(factors)))
    assert ALLOY.log_error(1000) > 0 and VacancyFraction(2.8).log_error(1000) == 0


def test_what_is_quenched_in_does_not_change() -> None:
    quenched = VacancyFraction(fixed=1e-7)
    assert quenched(300) == quenched(2000) == pytest.approx(1e-7)
    assert quenched.interval(300)[0] == pytest.approx(1e-7) and quenched.log_error(300) == 0
    assert quenched.time_scale(300, 1e-3) == pytest.approx(1e4)
    with pytest.raises(ValueError, match="has no formation energy"):
        quenched.effective_energy_eV(300)


@pytest.mark.slow
def test_time_along_a_ramp_is_the_integral() -> None:
    times, kelvin = np.linspace(0, 1e-3, 2001), np.linspace(2400, 1600, 2001)
    exact = quad(lambda t: TANTALUM.time_scale(2400 - 8e5 * t, 1e-3), 0, 1e-3)[0]
    laboratory = TANTALUM.laboratory_s(times, kelvin, 1e-3)
    assert laboratory[0] == 0 and laboratory[-1] == pytest.approx(exact, rel=1e-5)
    later = TANTALUM.laboratory_s(times[:2], [2000.0, 2000.0], 1e-3, errors=1)[-1]
    plain = TANTALUM.laboratory_s(times[:2], [2000.0, 2000.0], 1e-3)[-1]
    assert math.log(later / plain) == pytest.approx(TANTALUM.log_error(2000))


def hops_per_s(vacancies: int) -> tuple[np.ndarray, float]:
    """Hops in a simulated second of 1,024 sites at 2000 K, five runs, and the scale of time."""
    rates, barriers = [], KRABarriers.load()
    for seed in range(5):
        atoms = build_crystal("bcc", "NbMoTa", (8, 8, 8), vacancies=vacancies, rng=seed)
        driver = VacancyKMC(atoms, barriers, 2000, rng=seed)
        driver.run(15_000)
        begun = driver.time
        driver.run(55_000)
        rates.append(5.5e4 / (driver.time - begun))
    return np.array(rates), VacancyFraction(2.9).time_scale(2000, vacancies / 1024)


@pytest.mark.slow
def test_hops_in_laboratory_time_do_not_depend_on_how_many_vacancies_were_simulated() -> None:
    (few, few_scale), (many, many_scale) = hops_per_s(1), hops_per_s(4)

    def difference(few: np.ndarray, many: np.ndarray) -> float:
        error = np.hypot(few.std(ddof=1), many.std(ddof=1)) / np.sqrt(5)
        return float(abs(many.mean() - few.mean()) / error)

    there = few / few_scale, many / many_scale
    assert difference(*there) < 3 and there[0].std() < 0.08 * there[0].mean()
    assert difference(few, many) > 20  # negative control: in simulated time they do


@pytest.mark.parametrize("fraction", [TANTALUM, ALLOY, VacancyFraction(fixed=2e-6)])
def test_files(fraction: VacancyFraction, tmp_path: Path) -> None:
    fraction.write(tmp_path / "v.json")
    found = VacancyFraction.of(str(tmp_path / "v.json"))
    assert found == fraction and found.info == fraction.info
    assert VacancyFraction.of(found) is found


def test_numbers_are_quenched_in() -> None:
    assert VacancyFraction.of("1e-7") == VacancyFraction.of(1e-7) == VacancyFraction(fixed=1e-7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either fixed or of a formation energy"),
        ({"formation_energy_eV": 3.0, "fixed": 0.1}, "either fixed or of a formation energy"),
        ({"fixed": 1.0}, "between 0 and 1, not 1.0"),
        ({"fixed": math.nan}, "between 0 and 1, not nan"),
        ({"formation_energy_eV": -1.0}, "formation_energy_eV must be above 0, not -1"),
        ({"formation_energy_eV": math.inf}, "must be a finite number, not inf"),
        ({"formation_energy_eV": 3.0, "formation_energy_error_eV": -1}, "must be 0 or more"),
        ({"formation_energy_eV": 3.0, "shares": (0.5, 0.6)}, "add up to 1"),
        ({"formation_energy_eV": 3.0, "shares": (0.5, 0.5), "deviations_eV": ((1.0,),)}, "shape"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VacancyFraction(**given)


def test_temperatures_and_shares_without_a_meaning_are_refused() -> None:
    for kelvin in (0, -5, math.nan):
        with pytest.raises(ValueError, match="temperature must be above 0 K"):
            TANTALUM(kelvin)
    with pytest.raises(ValueError, match="the vacancy fraction is 1 or more at 20000 K"):
        TANTALUM.time_scale(20000, 1e-3)
    with pytest.raises(ValueError, match="too small for a number at 10 K"):
        TANTALUM(10)
    for share in (0, 1, "many"):
        with pytest.raises(ValueError, match="simulated vacancy fraction must be between 0 and 1"):
            TANTALUM.time_scale(2000, share)  # type: ignore[arg-type]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "v.json"
    with pytest.raises(FileNotFoundError, match="no such file: gone"):
        VacancyFraction.of("gone.json")
    with pytest.raises(ValueError, match="between 0 and 1, not 7"):
        VacancyFraction.of("7")
    for text in ("{", "[]", "{}", json.dumps({"format": "another"})):
        file.write_text(text)
        with pytest.raises(ValueError, match="is no file of a vacancy fraction"):
            VacancyFraction.read(file)
