"""Kinetically resolved activation (KRA) barriers with exact detailed balance.

    E_hop = max(E_KRA, |dE|/2 + 0.02 eV) + dE/2,    dE = E(after) - E(before)

A. Van der Ven, G. Ceder, M. Asta and P. D. Tepesch, Phys. Rev. B 64, 184307 (2001).
E_KRA is a constant by hopping species plus, for every site around the bond, a weight by
hopping species, orbit and species there; dE is that of a `PairEnergy`.
"""

from __future__ import annotations

import json
import operator
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crystal import Crystal
from ..files import write_atomically
from ..kinetics.kra_hops import KRATables
from ..kinetics.padding import linear_offsets
from ..lattice import BCC, SiteGrid
from ..reasons import reason
from .base import BarrierModel
from .orbits import HOP_DIRECTIONS, REFERENCE_HOP, bond_orbits
from .pair_energy import MOST_EV, MOST_SHELLS, PairEnergy
from .shipped import barrier_file

FORMAT = "macro_ase KRA barriers 1"
COMPOSITION_MARGIN = 0.1


@dataclass(frozen=True, eq=False)
class KRABarriers(BarrierModel):
    """KRA barriers.

    Attributes
    ----------
    energy : PairEnergy
        The energy whose differences enter.
    activation_eV : array, shape (S - 1,)
        Constant part of E_KRA by hopping species.
    orbit_weights_eV : array, shape (S - 1, n_orbits, S - 1)
        By hopping species, orbit and species on a site of the orbit; zero mean over the
        last axis, so that a vacancy counts as an average atom.
    orbit_shells : int
        Shells around either end of the bond that the orbits cover.
    compositions : array, shape (n_cells, S - 1)
        Compositions of the cells that the barriers were fitted to.
    info : dict
        Accuracy and provenance, as saved.
    unfitted_species : tuple of str
        Species of which no hop was fitted: crystals that hold them are refused.
    fit_warnings : tuple of str
        What cannot be trusted in the fit, in sentences.
    """

    energy: PairEnergy
    activation_eV: NDArray[np.float64]
    orbit_weights_eV: NDArray[np.float64]
    orbit_shells: int
    compositions: NDArray[np.float64]
    info: dict[str, Any] = field(default_factory=dict, repr=False)
    unfitted_species: tuple[str, ...] = ()
    fit_warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.energy.species)
        if not 1 <= self.orbit_shells <= MOST_SHELLS:
            raise ValueError(f"orbit_shells must be 1 to {MOST_SHELLS}, not {self.orbit_shells}")
        orbits = (n, len(bond_orbits(self.orbit_shells)), n)
        shapes = (self.activation_eV.shape, self.orbit_weights_eV.shape)
        if shapes != ((n,), orbits) or self.compositions.shape[1:] != (n,):
            raise ValueError(f"{n} species and {self.orbit_shells} shells do not fit the arrays")
        parts = (self.activation_eV, self.orbit_weights_eV)
        if not all((np.abs(part) <= MOST_EV).all() for part in parts):
            raise ValueError(f"parts of barriers must be finite and at most {MOST_EV:g} eV")
        fractions = self.compositions
        whole = np.abs(fractions.sum(axis=1) - 1) < 1e-6
        if len(fractions) == 0 or not (whole.all() and np.all(fractions >= 0)):
            raise ValueError("compositions must be one or more rows of fractions that add up to 1")
        if not set(self.unfitted_species) <= set(self.energy.species):
            raise ValueError(f"unfitted species {self.unfitted_species} are not of the model")

    @property
    def species(self) -> tuple[str, ...]:  # type: ignore[override]
        """Symbols by code, without the vacancy."""
        return self.energy.species

    def remarks(self, crystal: Crystal) -> list[str]:
        """The warnings of the fit, and a composition far from all that were fitted.

        Far is more than 0.1 in the fraction of any species from the nearest of them.

        Raises
        ------
        ValueError
            If the crystal holds atoms of which no hop was fitted.
        """
        counts = crystal.counts[:-1]
        unknown = [s for s, n in zip(self.species, counts) if n and s in self.unfitted_species]
        if unknown:
            raise ValueError(
                f"the barriers were fitted without a hop of {', '.join(unknown)}: "
                "nothing is known of how such atoms of this crystal hop"
            )
        remarks = self.fit_remarks
        fractions = counts / max(1, counts.sum())
        apart = self.distances(fractions)
        nearest = int(apart.argmin())
        if counts.any() and apart[nearest] > COMPOSITION_MARGIN + 1e-9:
            remarks.append(
                f"composition {self._fractions_text(fractions)} lies outside what the barriers "
                f"were fitted to, {apart[nearest]:.2f} from the nearest ("
                f"{self._fractions_text(self.compositions[nearest])}; at most "
                f"{COMPOSITION_MARGIN}): barriers are extrapolated"
            )
        return remarks

    def distances(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Largest difference in any fraction from each composition that was fitted to.

        Parameters
        ----------
        fractions : array, shape (..., S - 1)

        Returns
        -------
        array, shape (..., n_cells)
            Barriers are extrapolated where the least is above `COMPOSITION_MARGIN`.
        """
        apart = np.abs(np.asarray(fractions)[..., None, :] - self.compositions)
        return np.asarray(apart.max(axis=-1))

    def _fractions_text(self, fractions: NDArray[np.float64]) -> str:
        return ", ".join(f"{s} {f:.2f}" for s, f in zip(self.species, fractions))

    def tables(self, grid: SiteGrid) -> KRATables:
        """Lookup tables of the model on a grid."""
        n = len(self.species) + 1
        orbits = bond_orbits(max(self.orbit_shells, self.energy.n_shells))
        sites = np.vstack(orbits)
        weights = np.zeros((n, len(sites), n, 2))
        weights[: n - 1, :, : n - 1, 0] = self._activation_weights(sites)
        weights[: n - 1, :, :, 1] = self._energy_weights(sites)
        turned = sites[None, :, :] * HOP_DIRECTIONS[:, None, :]
        reach = np.unique(np.vstack([turned.reshape(-1, 3), HOP_DIRECTIONS]), axis=0)
        return KRATables(
            targets=linear_offsets(grid, HOP_DIRECTIONS),
            window=linear_offsets(grid, turned),
            reach=linear_offsets(grid, reach[np.any(reach != 0, axis=1)]),
            activation=np.append(self.activation_eV, 0.0),
            weights=weights,
        )

    def _activation_weights(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """E_KRA weights, shape (S - 1, W, S - 1), of window sites."""
        orbit_of = {
            tuple(site): number
            for number, orbit in enumerate(bond_orbits(self.orbit_shells))
            for site in orbit.tolist()
        }
        number = np.array([orbit_of.get(tuple(site), -1) for site in sites.tolist()])
        inside = (number >= 0)[None, :, None]
        return np.where(inside, self.orbit_weights_eV[:, number, :], 0.0)

    def _energy_weights(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """dE weights, shape (S - 1, W, S): the atom arrives at 0 and leaves (1,1,1)."""
        pair = self.energy.pair_eV
        gain = pair[:, :-1, :] - pair[:, -1:, :]
        weights = np.zeros((gain.shape[1], len(sites), gain.shape[2]))
        for k, vectors in enumerate(BCC.shells(self.energy.n_shells)):
            length = (vectors[0] ** 2).sum()
            near_new = ((sites**2).sum(axis=1) == length).astype(float)
            near_old = (((sites - REFERENCE_HOP) ** 2).sum(axis=1) == length).astype(float)
            weights += gain[k][:, None, :] * (near_new - near_old)[None, :, None]
        return weights

    @classmethod
    def load(cls, path: str | Path | None = None) -> KRABarriers:
        """Read a model written by `save`, or one that ships, by name; default: NbMoTa.

        What cannot be trusted in its fit is warned of.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is not a KRA model or is damaged.
        """
        file = barrier_file(path)
        try:
            model = cls._from_json(json.loads(file.read_text(encoding="utf-8")))
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            line = f"{file} is not a complete KRA barrier file: {reason(error)}"
            raise ValueError(line) from error
        for remark in model.fit_remarks:
            warnings.warn(remark, stacklevel=2)
        return model

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> KRABarriers:
        if data["format"] != FORMAT or data.get("lattice", "bcc") != "bcc":
            raise ValueError(f"format {data['format']!r} for bcc is not {FORMAT!r}")
        activation = data["activation"]
        return cls(
            energy=PairEnergy(
                _texts(data["species"]),
                np.array(data["energy"]["pair_eV"], dtype=float),
                np.array(data["energy"]["subregular_eV"], dtype=float),
            ),
            activation_eV=np.array(activation["constant_eV"], dtype=float),
            orbit_weights_eV=np.array(activation["orbit_weights_eV"], dtype=float),
            orbit_shells=operator.index(activation["shells"]),
            compositions=np.array(data["compositions"], dtype=float),
            info={key: dict(data[key]) for key in ("metrics", "provenance")},
            unfitted_species=_texts(data.get("unfitted_species", [])),
            fit_warnings=_texts(data.get("warnings", [])),
        )

    def save(self, path: str | Path) -> None:
        """Write the model as JSON, numbers rounded to 1e-9 eV."""

        def plain(array: NDArray[np.float64]) -> list[Any]:
            numbers: list[Any] = np.round(array, 9).tolist()
            return numbers

        data = {
            "format": FORMAT,
            "lattice": "bcc",
            "species": list(self.species),
            "compositions": plain(self.compositions),
            "energy": {
                "pair_eV": plain(self.energy.pair_eV),
                "subregular_eV": plain(self.energy.subregular_eV),
            },
            "activation": {
                "constant_eV": plain(self.activation_eV),
                "shells": self.orbit_shells,
                "orbits": [orbit[0].tolist() for orbit in bond_orbits(self.orbit_shells)],
                "orbit_weights_eV": plain(self.orbit_weights_eV),
            },
            "unfitted_species": list(self.unfitted_species),
            "warnings": list(self.fit_warnings),
            **{"metrics": {}, "provenance": {}},
            **self.info,
        }
        write_atomically(path, json.dumps(data, indent=1) + "\n")


def _texts(value: Any) -> tuple[str, ...]:
    if not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        raise ValueError(f"{value!r} is no list of texts")
    return tuple(value)
