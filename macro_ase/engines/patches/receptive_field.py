"""How far energies reach: what a cut-out must hold so that its energy changes are those of all.

The energy of an atom depends on the atoms within the *receptive field* R. A move changes the
energies of all atoms within R of it, and these depend on atoms within 2 R: so far reach energy
changes, and forces. The terms of a pair potential stand for themselves: there it is R.
"""

from __future__ import annotations

from typing import Any

from ase import Atoms
from ase.calculators.eam import EAM
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from ...potentials.eam_calculator import TableEAM

PAIRWISE = (LennardJones, MorsePotential)


def receptive_field(calculator: Any) -> float:
    """Distance within which the energy of an atom depends on others, A.

    Known of calculators with an attribute ``receptive_field_A``, of `TableEAM`, of ASE's
    `LennardJones`, `MorsePotential`, `EMT` and `EAM`, and of MACE, whose layers each see as far as
    its cutoff.

    Raises
    ------
    ValueError
        Of others.
    """
    given = getattr(calculator, "receptive_field_A", None)
    if given is not None:
        return float(given)
    if isinstance(calculator, TableEAM):
        return calculator.table.cutoff_A
    if isinstance(calculator, EAM):
        return float(calculator.cutoff)
    if isinstance(calculator, LennardJones):
        return float(calculator.parameters["rc"] or 3 * calculator.parameters["sigma"])
    if isinstance(calculator, MorsePotential):
        return float(calculator.parameters["rcut2"] * calculator.parameters["r0"])
    if isinstance(calculator, EMT):
        return float(EMT()._calc_cutoff(Atoms())[1])  # of all elements: asap_cutoff shortens it
    models = getattr(calculator, "models", None)
    if models and hasattr(models[0], "num_interactions") and hasattr(models[0], "r_max"):
        return float(models[0].num_interactions) * float(models[0].r_max)
    raise ValueError(
        f"how far the energies of {type(calculator).__name__} reach is not known: give halo_A"
    )


def reach(calculator: Any) -> float:
    """Distance within which energy changes and forces depend on other atoms, A.

    ``calculator.reach_A`` where there is one, else the rule above.

    Raises
    ------
    ValueError
        If it is not known.
    """
    given = getattr(calculator, "reach_A", None)
    if given is not None:
        return float(given)
    return (1 if isinstance(calculator, PAIRWISE) else 2) * receptive_field(calculator)
