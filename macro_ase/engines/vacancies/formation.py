"""Formation energies of vacancies in an alloy, with chemical potentials that are the alloy's own.

A site i of a crystal of N atoms and energy E is left empty, E_i, and holds each species s, E_is:

    mu_s  = E / N + <E_is - E> - sum_t c_t <E_it - E>
    E_f,is = E_i - E_is + mu_s

with <> the mean over sites drawn at random, whatever they held. <E_is - E_it> is the derivative of
the energy with respect to turning a t into an s at fixed sites, exactly for pair energies in a
random crystal, and sum_s c_s mu_s = E / N, so that nothing but this alloy is needed. A vacancy does
not know what was there before it: with these mu_s the mean over sites of E_f,is is the same for
every s. In a pure metal E_f = E_i - (N - 1) E / N.

That mu, not the species taken out, decides: X. Zhang and M. H. F. Sluiter, Phys. Rev. B 91, 174107
(2015); R. C. Pasianot et al., Philos. Mag. 105, 1295 (2025). Substitutions as chemical potentials
are those of B. Widom, J. Chem. Phys. 39, 2808 (1963), to first order; the entropy that goes with
order is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Array, finite_array


@dataclass(frozen=True, eq=False)
class FormationEnergies:
    """Formation energies by site and species, and what they were found with.

    Attributes
    ----------
    energies_eV : array, shape (n, S)
        E_f,is.
    shares : array, shape (S,)
        c_s, above 0.
    potentials_eV, potential_errors_eV : arrays, shape (S,)
        mu_s, and their standard errors; nan for one site.
    """

    energies_eV: Array
    shares: Array
    potentials_eV: Array
    potential_errors_eV: Array

    @classmethod
    def of(
        cls, vacant_eV: Array, occupied_eV: Array, crystal_eV: float, counts: Array
    ) -> FormationEnergies:
        """From energies of the whole crystal.

        Parameters
        ----------
        vacant_eV : array, shape (n,)
            With a site empty.
        occupied_eV : array, shape (n, S)
            With each species on it; that which was there gives ``crystal_eV``.
        crystal_eV : float
        counts : array, shape (S,)
            Atoms of each species in the crystal.
        """
        occupied = finite_array(occupied_eV, "occupied_eV", None, len(counts))
        vacant = finite_array(vacant_eV, "vacant_eV", len(occupied))
        shares = np.asarray(counts) / np.sum(counts)
        swaps = occupied - crystal_eV
        relative = swaps - (swaps @ shares)[:, None]
        potentials = crystal_eV / np.sum(counts) + relative.mean(axis=0)
        return cls(
            vacant[:, None] - occupied + potentials, shares, potentials, _standard_error(relative)
        )

    @property
    def mean(self) -> tuple[float, float]:
        """E_f over sites, for any species, and its standard error; 0 for a site of a pure metal."""
        sites = self.energies_eV @ self.shares
        if len(self.shares) == 1 and len(sites) == 1:
            return float(sites[0]), 0.0
        return float(sites.mean()), float(_standard_error(sites[:, None])[0])

    @property
    def deviations_eV(self) -> Array:
        """Energies less their mean, shape (n, S)."""
        return self.energies_eV - self.mean[0]


def _standard_error(values: Array) -> Array:
    """Of means over the first axis; nan for one value."""
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))
