"""What `macro-ase vacancy-energy` writes and says of the sites in its journal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import GPa

from ..engines.vacancies.formation import FormationEnergies
from ..engines.vacancies.fraction import VacancyFraction
from ..run_folder import versions

CRYSTAL = "crystal"
"""Key of the crystal in the journal."""

LARGE_PRESSURE_EV = 0.05
"""Pressure times volume of an atom that is said."""


def is_record(species: Sequence[str], key: str, record: Any) -> bool:
    """Whether an item of the journal is what became of the crystal or of a site, whole."""
    if not isinstance(record, dict):
        return False
    if "failed" in record:
        return isinstance(record["failed"], str)
    if key == CRYSTAL:
        return _finite(record.get("energy_eV")) and isinstance(record.get("positions_A"), list)
    held = record.get("occupied_eV")
    if not (_finite(record.get("vacant_eV")) and isinstance(held, dict)):
        return False
    return len(held) == len(species) - 1 and all(s in species and _finite(held[s]) for s in held)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


class Results:
    """Formation energies of the sites that have one.

    Parameters
    ----------
    atoms : ase.Atoms
    species : sequence of str
    sites : sequence of int
        Indices of the atoms taken out.
    records : mapping
        From the keys of the crystal and of sites to what became of them.
    entropy_kB : float

    Raises
    ------
    ValueError
        If fewer than two sites of an alloy, or none, have an energy.
    """

    def __init__(
        self,
        atoms: Atoms,
        species: Sequence[str],
        sites: Sequence[int],
        records: Mapping[str, Any],
        entropy_kB: float,
    ) -> None:
        self.atoms, self.species, self.crystal = atoms, species, records[CRYSTAL]
        self.records = {site: records[site_key(site)] for site in sites}
        self.faults = {s: r["failed"] for s, r in self.records.items() if "failed" in r}
        self.good = [site for site in sites if site not in self.faults]
        least = 1 if len(species) == 1 else 2
        if len(self.good) < least:
            why = next(iter(self.faults.values()), "more sites are needed")
            raise ValueError(f"{len(self.good)} sites have a formation energy, not {least}: {why}")
        self.was = np.array([species.index(atoms.symbols[site]) for site in self.good])
        self.energies = self._energies()
        self.fraction = VacancyFraction(
            self.energies.mean[0],
            formation_entropy_kB=entropy_kB,
            deviations_eV=tuple(map(tuple, self.energies.deviations_eV.tolist())),
            shares=tuple(self.energies.shares.tolist()),
        )

    def _energies(self) -> FormationEnergies:
        whole = self.crystal["energy_eV"]
        own = [self.records[site] for site in self.good]
        occupied = [[r["occupied_eV"].get(s, whole) for s in self.species] for r in own]
        counts = np.array([np.sum(self.atoms.symbols == s) for s in self.species])
        vacant = np.array([r["vacant_eV"] for r in own])
        return FormationEnergies.of(vacant, np.array(occupied), whole, counts)

    def provenance(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What the fraction's file says of where it comes from."""
        e = self.energies
        potentials = zip(e.potentials_eV.tolist(), e.potential_errors_eV.tolist())
        return {
            "settings": dict(settings),
            "versions": versions(),
            "crystal": {k: v for k, v in self.crystal.items() if k != "positions_A"},
            "mean_and_error_eV": _plain(e.mean),
            "potentials_and_errors_eV": dict(zip(self.species, map(_plain, potentials))),
            "left_out": {site_key(site): fault for site, fault in self.faults.items()},
            "sites": {site_key(site): self.records[site] for site in self.good},
        }

    def lines(self, temperatures_K: Sequence[float]) -> Iterator[str]:
        """Tables, by species taken out and by temperature."""
        e, n, entropy = self.energies, len(self.good), self.fraction.formation_entropy_kB
        each = self.crystal["energy_eV"] / len(self.atoms)
        yield f"crystal     {len(self.atoms)} atoms, {each:.4f} eV each"
        yield from self._pressure()
        yield f"sites       {n} of {len(self.atoms)}, {len(self.faults)} left out"
        yield from (f"            {site_key(s)}: {fault}" for s, fault in self.faults.items())
        yield "taken out   sites     mu/eV    error  E_f mean/eV    error   spread"
        for k, name in enumerate(self.species):
            own = e.energies_eV[self.was == k, k]
            mu = f"{e.potentials_eV[k]:10.3f}{_number(e.potential_errors_eV[k])}"
            yield f"{name:12}{len(own):5}{mu}{_statistics(own)}"
        mean, error = e.mean
        spread = (e.energies_eV @ e.shares).std(ddof=1) if n > 1 else math.nan
        yield f"{'any':12}{n:5}{'':19}{mean:13.3f}{_number(error)}{_number(spread)}"
        yield f"T/K         E_f effective/eV    c_v with an entropy of {entropy:g} k, and interval"
        yield from (self._at(t) for t in temperatures_K)

    def _pressure(self) -> Iterator[str]:
        pressure = self.crystal.get("pressure_GPa")
        if pressure is None:
            return
        work = pressure * GPa * self.atoms.get_volume() / len(self.atoms)
        said = f"            under {pressure:+.2f} GPa, {work:+.3f} eV per atom"
        yield said + (": relax its cell first" if abs(work) > LARGE_PRESSURE_EV else "")

    def _at(self, temperature_K: float) -> str:
        f = self.fraction
        energy = f"{temperature_K:<12g}{f.effective_energy_eV(temperature_K):.3f}"
        try:
            value, (low, high) = f(temperature_K), f.interval(temperature_K)
        except ValueError:
            return f"{energy:32}-"
        return f"{energy:32}{value:.2e}  {low:.1e} to {high:.1e}"


def site_key(site: int) -> str:
    """Key in the journal of an atom taken out, by number from 1."""
    return f"atom {site + 1}"


def _number(value: float) -> str:
    return f"{value:9.3f}" if math.isfinite(value) else f"{'-':>9}"


def _statistics(values: np.ndarray) -> str:
    """Mean, its error and spread."""
    if len(values) == 0:
        return f"{'-':>13}{'-':>9}{'-':>9}"
    spread = values.std(ddof=1) if len(values) > 1 else math.nan
    return f"{values.mean():13.3f}{_number(spread / math.sqrt(len(values)))}{_number(spread)}"


def _plain(pair: tuple[float, float]) -> list[float | None]:
    return [x if math.isfinite(x) else None for x in pair]
