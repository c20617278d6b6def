"""A small random MACE model of Nb and Mo."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

CUTOFF_A = 3.0
RESIDUAL = "RealAgnosticResidualInteractionBlock"


@contextmanager
def quickly_made() -> Iterator[None]:
    """Modules of models made here are not compiled by TorchScript, nor the order of sums sought.

    Both take longer than all that is asked of a small model.
    """
    from e3nn import get_optimization_defaults, set_optimization_defaults

    usual = get_optimization_defaults()
    set_optimization_defaults(jit_script_fx=False, optimize_einsums=False)
    try:
        yield
    finally:
        set_optimization_defaults(**usual)


def small_mace(interaction: str = RESIDUAL, features: str = "4x0e", **options: Any) -> Any:
    """Its calculator, in double precision; by default with two layers, without directions."""
    torch = pytest.importorskip("torch")
    modules = pytest.importorskip("mace.modules")
    from e3nn import o3
    from mace.calculators import MACECalculator

    if interaction not in modules.interaction_classes:
        pytest.skip(f"this version of MACE has no {interaction}")
    block = modules.interaction_classes[interaction]
    usual = {"num_interactions": 2, "atomic_inter_scale": 2.0}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with quickly_made():
        model = modules.ScaleShiftMACE(
            r_max=CUTOFF_A,
            num_bessel=4,
            num_polynomial_cutoff=5,
            max_ell=1,
            interaction_cls=block,
            interaction_cls_first=block,
            num_elements=2,
            hidden_irreps=o3.Irreps(features),
            MLP_irreps=o3.Irreps("4x0e"),
            atomic_energies=np.array([0.0, 0.3]),
            avg_num_neighbors=8.0,
            atomic_numbers=[41, 42],
            correlation=2,
            gate=torch.nn.functional.silu,
            atomic_inter_shift=0.0,
            **(usual | options),
        )
    return MACECalculator(models=[model.double()], device="cpu", default_dtype="float64")
