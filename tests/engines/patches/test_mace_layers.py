"""Layers that compute what a move changes: by any kind of layer the energies are the whole's."""

from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from engines.small_mace import small_mace

from macro_ase.engines.patches.cluster_sites import batched_energies
from macro_ase.engines.patches.clusters import AtomMemory, SiteGraph

pytestmark = [pytest.mark.learn, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
KINDS = {
    "": {},
    "DensityResidual": {"pair_repulsion": True},
    "ResidualNonLinear": {"distance_transform": "Agnesi"},
}


def calculator(kind: str) -> Any:
    """A random model of three layers, whose features have directions, with energies that matter."""
    own = {"num_interactions": 3, "atomic_inter_scale": 1e3, **KINDS[kind]}
    return small_mace(f"RealAgnostic{kind}InteractionBlock", "4x0e + 4x1o", **own)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_swaps_changes_the_energy_of_the_whole(kind: str) -> None:
    """Of which every other one is made."""
    mace, rng = calculator(kind), np.random.default_rng(0)
    energies = batched_energies(mace)
    assert energies is not None and energies.layers == 3
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (5, 5, 5)
    atoms.symbols[:] = rng.choice(["Nb", "Mo"], len(atoms))
    graph, memory = SiteGraph(atoms, energies.cutoff_A, energies.layers), AtomMemory(len(atoms))
    kept = energies([graph.whole(atoms.numbers, memory)])[0]
    memory.keep()
    assert len(memory.features) == 2
    assert kept.sum() == pytest.approx(mace.get_potential_energy(atoms))
    for turn in range(4):
        i, j = np.flatnonzero(atoms.numbers == 41)[turn], np.flatnonzero(atoms.numbers == 42)[turn]
        after = atoms.copy()
        after.numbers[[i, j]] = atoms.numbers[[j, i]]
        changed, cluster = graph.around([i, j], after.numbers, memory)
        found = energies([cluster])[0]
        whole = mace.get_potential_energy(after) - mace.get_potential_energy(atoms)
        assert abs(whole) > 1e-3
        assert found.sum() - kept[changed].sum() == pytest.approx(whole, rel=1e-9, abs=1e-9)
        if turn % 2:
            atoms, kept[changed] = after, found
            memory.keep()
