"""A small MACE model for the tests of patches and of swaps."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

CUTOFF_A = 3.0


@pytest.fixture(scope="module")
def mace() -> Iterator[Any]:
    """A small random MACE model of two layers, in double precision."""
    torch = pytest.importorskip("torch")
    modules = pytest.importorskip("mace.modules")
    from e3nn import o3
    from mace.calculators import MACECalculator

    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    interaction = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=CUTOFF_A,
        num_bessel=4,
        num_polynomial_cutoff=5,
        max_ell=1,
        interaction_cls=interaction,
        interaction_cls_first=interaction,
        num_interactions=2,
        num_elements=2,
        hidden_irreps=o3.Irreps("4x0e"),
        MLP_irreps=o3.Irreps("4x0e"),
        atomic_energies=np.array([0.0, 0.3]),
        avg_num_neighbors=8.0,
        atomic_numbers=[41, 42],
        correlation=2,
        gate=torch.nn.functional.silu,
        atomic_inter_scale=2.0,
        atomic_inter_shift=0.0,
    )
    yield MACECalculator(models=[model], device="cpu", default_dtype="float64")
    torch.set_default_dtype(torch.float32)
