"""Zhou, Johnson and Wadley's embedded-atom potentials of Nb, Mo and Ta.

With x = r / r_e,

    f(r)   = f_e exp(-beta (x-1)) / (1 + (x-lambda)^n)
    phi(r) = A exp(-alpha (x-1)) / (1 + (x-kappa)^m) - B exp(-beta (x-1)) / (1 + (x-lambda)^n)
    F(rho) = sum_k Fn_k (rho/rho_n - 1)^k                     rho < rho_n = .85 rho_e
           = sum_k F_k (rho/rho_e - 1)^k                      rho_n <= rho < rho_0 = 1.15 rho_e
           = F_e (1 - eta ln(rho/rho_s)) (rho/rho_s)^eta      rho >= rho_0

and between unlike species Johnson's mixing

    phi_ab(r) = 1/2 (f_b/f_a phi_aa + f_a/f_b phi_bb)

These reach sqrt(10/3) r_e of Ta, between the third and the fourth shell, where they are some
1e-5 eV; over the last .3 A we turn them off smoothly.

X. W. Zhou, R. A. Johnson and H. N. G. Wadley, Phys. Rev. B 69, 144113 (2004): Mo, Ta and the form.
Y. Wu et al., Mater. Des. 230, 111999 (2023): Nb, whose F_3 differs below and above rho_e.
R. A. Johnson, Phys. Rev. B 39, 12554 (1989): the mixing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from ..arrays import Array
from .eam_table import EAMTable

CUTOFF_A = 5.2218
SWITCH_A = 0.3
N_R, N_RHO, RHO_MAX = 2000, 4000, 200.0


@dataclass(frozen=True)
class ZhouElement:
    """Parameters of one element, named as in the formulas; lengths in A, energies in eV.

    ``F3_below`` and ``F3_above`` hold on the two sides of rho_e.
    """

    lattice_constant_A: float
    r_e: float
    f_e: float
    rho_e: float
    rho_s: float
    alpha: float
    beta: float
    A: float
    B: float
    kappa: float
    lam: float
    Fn: tuple[float, float, float, float]
    F: tuple[float, float, float]
    F3_below: float
    F3_above: float
    eta: float
    F_e: float
    m: int
    n: int

    def density(self, r_A: Array) -> Array:
        """f(r)."""
        return self.f_e * self._tail(r_A)

    def pair(self, r_A: Array) -> Array:
        """phi(r), eV."""
        x = r_A / self.r_e
        repulsion = self.A * np.exp(-self.alpha * (x - 1)) / (1 + (x - self.kappa) ** self.m)
        return repulsion - self.B * self._tail(r_A)

    def embedding(self, rho: Array) -> Array:
        """F(rho), eV."""
        below = np.polynomial.Polynomial(self.Fn)(rho / (0.85 * self.rho_e) - 1)
        y = rho / self.rho_e - 1
        cubic = np.where(rho < self.rho_e, self.F3_below, self.F3_above)
        middle = np.polynomial.Polynomial(self.F)(y) + cubic * y**3
        power = (np.maximum(rho, 1e-300) / self.rho_s) ** self.eta
        above = self.F_e * (1 - np.log(power)) * power
        return np.where(
            rho < 0.85 * self.rho_e, below, np.where(rho < 1.15 * self.rho_e, middle, above)
        )

    def _tail(self, r_A: Array) -> Array:
        x = r_A / self.r_e
        return np.exp(-self.beta * (x - 1)) / (1 + (x - self.lam) ** self.n)


ZHOU = {
    "Nb": ZhouElement(
        lattice_constant_A=3.298,
        r_e=2.841095,
        f_e=2.889829,
        rho_e=31.417267,
        rho_s=31.699834,
        alpha=7.595435,
        beta=4.417068,
        A=0.579206,
        B=0.909354,
        kappa=0.138183,
        lam=0.368801,
        Fn=(-4.924136, -0.535647, 1.649732, -2.738757),
        F=(-4.970108, 0.0, 1.928528),
        F3_below=-0.764655,
        F3_above=-0.765052,
        eta=0.909898,
        F_e=-4.967403,
        m=18,
        n=21,
    ),
    "Mo": ZhouElement(
        lattice_constant_A=3.150,
        r_e=2.728100,
        f_e=2.723710,
        rho_e=29.354065,
        rho_s=29.354065,
        alpha=8.393531,
        beta=4.476550,
        A=0.708787,
        B=1.120373,
        kappa=0.137640,
        lam=0.275280,
        Fn=(-3.692913, -0.178812, 0.380450, -3.133650),
        F=(-3.71, 0.0, 0.875874),
        F3_below=0.776222,
        F3_above=0.776222,
        eta=0.790879,
        F_e=-3.712093,
        m=20,
        n=20,
    ),
    "Ta": ZhouElement(
        lattice_constant_A=3.303,
        r_e=2.860082,
        f_e=3.086341,
        rho_e=33.787168,
        rho_s=33.787168,
        alpha=8.489528,
        beta=4.527748,
        A=0.611679,
        B=1.032101,
        kappa=0.176977,
        lam=0.353954,
        Fn=(-5.103845, -0.405524, 1.112997, -3.585325),
        F=(-5.14, 0.0, 1.640098),
        F3_below=0.221375,
        F3_above=0.221375,
        eta=0.848843,
        F_e=-5.141526,
        m=20,
        n=20,
    ),
}


def zhou_table(
    species: tuple[str, ...] = ("Nb", "Mo", "Ta"), density_scales: Array | None = None
) -> EAMTable:
    """Table of the elements with Johnson's mixing.

    Parameters
    ----------
    species : tuple of str
    density_scales : array, shape (S,), optional
        s by species, default 1: f becomes s f and F(rho) becomes F(rho / s). That leaves the
        elements as they are and weighs their densities in alloys; the mixing uses the f of
        the formulas.

    Raises
    ------
    ValueError
        If the parameters of a species are not here.
    """
    missing = [name for name in species if name not in ZHOU]
    if missing:
        raise ValueError(f"no Zhou parameters of {', '.join(missing)}; there are {', '.join(ZHOU)}")
    elements = [ZHOU[name] for name in species]
    scales = np.ones(len(species)) if density_scales is None else density_scales
    dr_A, drho = CUTOFF_A / (N_R - 1), RHO_MAX / (N_RHO - 1)
    r_A = dr_A * np.arange(N_R, dtype=np.float64)
    rho = drho * np.arange(N_RHO, dtype=np.float64)
    off = switch_off(r_A, CUTOFF_A - SWITCH_A, CUTOFF_A)
    return EAMTable(
        species=species,
        masses=np.array([atomic_masses[atomic_numbers[name]] for name in species]),
        lattice_constants_A=np.array([element.lattice_constant_A for element in elements]),
        cutoff_A=CUTOFF_A,
        dr_A=dr_A,
        drho=drho,
        density=np.array([s * off * element.density(r_A) for s, element in zip(scales, elements)]),
        embedding=np.array([element.embedding(rho / s) for s, element in zip(scales, elements)]),
        pair=np.array([[off * mixed_pair(a, b, r_A) for b in elements] for a in elements]),
        comment=("Zhou-Johnson-Wadley EAM with Johnson mixing, written by macro_ase", "", ""),
    )


def mixed_pair(a: ZhouElement, b: ZhouElement, r_A: Array) -> Array:
    """Johnson's pair function of two species, eV; of an element with itself phi_aa."""
    if a is b:
        return a.pair(r_A)
    f_a, f_b = a.density(r_A), b.density(r_A)
    return (f_b / f_a * a.pair(r_A) + f_a / f_b * b.pair(r_A)) / 2


def switch_off(r_A: Array, start_A: float, end_A: float) -> Array:
    """From 1 to 0 with two continuous derivatives."""
    t = np.clip((r_A - start_A) / (end_A - start_A), 0.0, 1.0)
    return 1 - t**3 * (10 - 15 * t + 6 * t**2)
