"""The effective formation energy of a vacancy whose environments differ.

E_is is the energy to form a vacancy in surroundings i in place of an atom of species s, and c_s are
the shares of the species. In equilibrium a site in these surroundings holds s with the weight
c_s exp(E_is / kT), or nothing with the weight 1, so that vacancies fill the share

    exp(-E_eff / kT)  =  mean over i of  1 / sum_s c_s exp(E_is / kT)

of the sites, as in the statistical models of X. Zhang and M. H. F. Sluiter, Phys. Rev. B 91, 174107
(2015), and A. V. Ruban, arXiv 1512.06379. With one species that is the mean of exp(-E_i / kT). The
mean of exp(-E_is / kT) over species too would take the place of an atom that sits badly in a random
crystal for a vacancy to be had cheaply; to second order in 1 / kT its E_eff is too low by the mean
over i of the variance of E_is over s, divided by kT.
"""

from __future__ import annotations

import numpy as np
from ase.units import kB
from scipy.special import logsumexp

from ...arrays import Array


def effective_energy(energies_eV: Array, shares: Array, temperature_K: float) -> float:
    """E_eff in eV.

    Parameters
    ----------
    energies_eV : array, shape (n, S)
        Formation energies by surroundings and species.
    shares : array, shape (S,)
        Fractions of the species among atoms, above 0.
    temperature_K : float
    """
    kT = kB * temperature_K
    sites = logsumexp(energies_eV / kT, axis=1, b=shares)
    return float(kT * (np.log(len(sites)) - logsumexp(-sites)))


def effective_energy_error(energies_eV: Array, shares: Array, temperature_K: float) -> float:
    """Standard error of E_eff in eV, by leaving out one of the surroundings after another.

    Each time chemical potentials are taken anew from what is left, as `centred` does. nan for fewer
    than two surroundings; arguments as for `effective_energy`.
    """
    n = len(energies_eV)
    if n < 2:
        return np.nan
    left = [
        effective_energy(centred(np.delete(energies_eV, i, axis=0), shares), shares, temperature_K)
        for i in range(n)
    ]
    return float(np.sqrt((n - 1) * np.var(left)))


def centred(energies_eV: Array, shares: Array) -> Array:
    """Energies with one mean for all species, the mean weighted by shares; shape (n, S).

    Chemical potentials that are the alloy's own make the means alike: a vacancy does not know what
    was there before it.
    """
    means: Array = energies_eV.mean(axis=0)
    return energies_eV - means + means @ shares
