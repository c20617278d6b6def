"""Effective medium theory as an embedded-atom table.

    E = sum_i E_i + 1/2 sum_ij phi_ij,   sigma_i = 1/n_i sum_j n_j w(r) exp(-eta_j (r - beta s_j))
    ds_i = -ln(sigma_i / (12 gamma1_i)) / (beta eta_i)
    E_i  = E0_i [(1 + lambda_i ds_i) exp(-lambda_i ds_i) - 1] + 6 V_i exp(-kappa_i ds_i)
    phi_ij = v_ij + v_ji,   v_ij = -V_i / (2 gamma2_i) n_j / n_i w(r) exp(-kappa_j (r / beta - s_j))

w is a smooth cutoff. With rho_i = n_i sigma_i all of it is a function of rho_i and pairs: an
embedded-atom potential, whose swaps a compiled kernel evaluates. Parameters are those of
`ase.calculators.emt`. K. W. Jacobsen, P. Stoltze and J. K. Norskov, Surf. Sci. 366, 394 (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT, beta, parameters
from ase.data import atomic_masses, atomic_numbers
from ase.units import Bohr

from ..arrays import Array
from .eam_table import EAMTable

N_R, N_RHO = 4001, 20001
RHO_OVER_BULK = 4.0
BULK = np.array([12, 6, 24]), np.sqrt([1.0, 2.0, 3.0])
"""Neighbours in three shells of fcc, and their distances in those of the first."""


@dataclass(frozen=True)
class _Metal:
    """Parameters of an element in eV and A, named as in the formulas; ``cut_A``: those of w."""

    E0: float
    s0: float
    V0: float
    eta: float
    kappa: float
    lam: float
    n0: float
    cut_A: tuple[float, float]

    def smooth(self, r_A: Array) -> Array:
        """w(r)."""
        middle, slope = self.cut_A
        return np.asarray(1 / (1 + np.exp(slope * (r_A - middle))))

    def density(self, r_A: Array) -> Array:
        """What an atom adds to rho at a distance, A^-3."""
        return np.asarray(self.n0 * self.smooth(r_A) * np.exp(-self.eta * (r_A - beta * self.s0)))

    def tail(self, r_A: Array) -> Array:
        """n w(r) exp(-kappa (r / beta - s))."""
        return np.asarray(self.n0 * self.smooth(r_A) * np.exp(-self.kappa * (r_A / beta - self.s0)))

    def bulk(self, function: Callable[[Array], Array]) -> float:
        """Sum of a function of distance over the neighbours in its own crystal: 12 gamma n."""
        return float(BULK[0] @ function(beta * self.s0 * BULK[1]))

    def embedding(self, rho: Array) -> Array:
        """E_i of rho, eV."""
        full = self.bulk(self.density)
        ds = -np.log(np.maximum(rho, 1e-12 * full) / full) / (beta * self.eta)
        bound = self.E0 * ((1 + self.lam * ds) * np.exp(-self.lam * ds) - 1)
        return np.asarray(bound + 6 * self.V0 * np.exp(-self.kappa * ds))

    @property
    def strength(self) -> float:
        """-V_i / (2 gamma2_i n_i)."""
        return -6 * self.V0 / self.bulk(self.tail)


def emt_table(species: Sequence[str]) -> EAMTable:
    """The table of some metals, in this order; energies are those of `ase.calculators.emt.EMT`."""
    middle, reach_A, slope = EMT()._calc_cutoff(Atoms())
    metals = [_metal(name, (middle, slope)) for name in species]
    r_A = np.linspace(0, reach_A, N_R)
    density = np.array([metal.density(r_A) for metal in metals])
    tail = np.array([metal.tail(r_A) for metal in metals])
    one = np.array([metal.strength for metal in metals])[:, None, None] * tail[None]
    full = max(metal.bulk(metal.density) for metal in metals)
    rho = np.linspace(0, RHO_OVER_BULK * full, N_RHO)
    numbers = [atomic_numbers[name] for name in species]
    return EAMTable(
        species=tuple(species),
        masses=atomic_masses[numbers],
        lattice_constants_A=np.array([np.sqrt(2) * beta * metal.s0 for metal in metals]),
        cutoff_A=reach_A,
        dr_A=float(r_A[1]),
        drho=float(rho[1]),
        density=density,
        embedding=np.array([metal.embedding(rho) for metal in metals]),
        pair=one + one.swapaxes(0, 1),
        lattices=len(numbers) * ("fcc",),
        comment=("effective medium theory", "as in ase.calculators.emt", ""),
    )


def _metal(name: str, cut_A: tuple[float, float]) -> _Metal:
    E0, s0, V0, eta, kappa, lam, n0 = parameters[name]
    return _Metal(E0, s0 * Bohr, V0, eta / Bohr, kappa / Bohr, lam / Bohr, n0 / Bohr**3, cut_A)
