"""Ensembles in which the composition of a patch may change.

Semi-grand: to the energy comes - sum_s mu_s N_s; only differences of the mu matter.
Variance-constrained: also kappa N sum_s (N_s / N - c_s)^2, which holds compositions inside a
miscibility gap (B. Sadigh et al., Phys. Rev. B 85, 184203 (2012)). N_s are the atoms of species s
in core and buffer, N their sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...kinetics.site_moves import SpeciesBias
from ...reals import as_real


@dataclass(frozen=True)
class SemiGrand:
    """Chemical potentials, and a composition to be held.

    Attributes
    ----------
    mu_eV : dict
        Chemical potential by symbol: these species turn into one another.
    kappa_eV : float
        Stiffness of the constraint; 0 leaves it out.
    composition : dict
        Fraction c_s by symbol, of some of the species of ``mu_eV``; those named enter the sum.

    Raises
    ------
    ValueError
        If fewer than two species are named, or a number is out of range.
    """

    mu_eV: Mapping[str, float]
    kappa_eV: float = 0.0
    composition: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.mu_eV) < 2:
            raise ValueError(f"mu_eV must name two species or more, not {dict(self.mu_eV)}")
        if not all(math.isfinite(as_real(mu)) for mu in self.mu_eV.values()):
            raise ValueError(f"mu_eV must be finite, not {dict(self.mu_eV)}")
        if not 0 <= as_real(self.kappa_eV) < math.inf:
            raise ValueError(f"kappa_eV must be 0 or more, not {self.kappa_eV!r}")
        if (self.kappa_eV > 0) != bool(self.composition):
            raise ValueError("kappa_eV and composition go together")
        fractions = list(self.composition.values())
        if not all(0 <= c <= 1 for c in fractions) or sum(fractions) > 1 + 1e-9:
            raise ValueError(
                f"composition must be fractions of at most 1 in all, not {dict(self.composition)}"
            )
        strange = sorted(set(self.composition) - set(self.mu_eV))
        if strange:
            raise ValueError(f"composition names {', '.join(strange)}, which mu_eV does not")

    def bias(self, species: Sequence[str]) -> SpeciesBias:
        """Arrays for the kernels; ``species`` ends with the vacancy.

        Raises
        ------
        ValueError
            If a symbol of ``mu_eV`` is not a species.
        """
        unknown = sorted(set(self.mu_eV) - set(species[:-1]))
        if unknown:
            known = ", ".join(species[:-1])
            raise ValueError(f"mu_eV names {', '.join(unknown)}; the species are {known}")
        mu, kappa, target = np.zeros((3, len(species)))
        for symbol, value in self.mu_eV.items():
            mu[species.index(symbol)] = value
        for symbol, fraction in self.composition.items():
            kappa[species.index(symbol)] = self.kappa_eV
            target[species.index(symbol)] = fraction
        allowed = np.array(sorted(species.index(s) for s in self.mu_eV), dtype=np.int64)
        return SpeciesBias(allowed, mu, kappa, target)


def no_bias(n_species: int) -> SpeciesBias:
    """Arrays of the canonical ensemble: nothing transmutes."""
    zero = np.zeros(n_species)
    return SpeciesBias(np.arange(0), zero, zero, zero)
