"""Ordered phases: neighbours that the literature gives, and none taken for another."""

import numpy as np
import pytest

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC
from macro_ase.observables.bonds import bond_counts
from macro_ase.observables.ordered_phases import OrderedPhase, ordered_phases

PHASES = ordered_phases(("Nb", "Mo", "Ta"))


@pytest.mark.parametrize(
    ("kind", "share", "minority_around"),
    [
        ("B2", 1 / 2, (0, 6, 12)),
        ("B32", 1 / 2, (4, 0, 12)),
        ("D0_3", 1 / 4, (0, 0, 12)),
        ("C11_b", 1 / 3, (0, 4, 4)),
    ],
)
def test_like_neighbours_of_the_minority(
    kind: str, share: float, minority_around: tuple[int, ...]
) -> None:
    species = ("Ta", "Mo") if kind in ("D0_3", "C11_b") else ("Mo", "Ta")
    crystal = OrderedPhase(kind, species).crystal(3.2)
    code = crystal.species.index({"C11_b": "Ta"}.get(kind, "Mo"))
    assert crystal.counts[code] == pytest.approx(share * crystal.grid.n_sites)
    around = [
        bond_counts(crystal.occupation, crystal.grid.neighbors(v), 3)[code, code]
        for v in BCC.shells(3)
    ]
    np.testing.assert_allclose(np.array(around) / crystal.counts[code], minority_around)


def test_every_phase_is_itself_alone_at_any_size_and_origin() -> None:
    assert len(PHASES) == 6 + 6 + 6 + 3
    for phase in PHASES:
        atoms = phase.atoms(3.2) * (1, 2, 1)
        atoms.positions += atoms.cell[0] / 3
        crystal = Crystal.from_atoms(atoms)
        assert [p for p in PHASES if p.is_of(crystal)] == [phase]


def test_one_swap_and_a_random_alloy_are_no_phase() -> None:
    b2 = OrderedPhase("B2", ("Mo", "Ta")).atoms(3.2)
    b2.symbols[[0, 1]] = b2.symbols[[1, 0]]
    random = build_crystal("bcc", "MoTa", (2, 2, 2), rng=0)
    for atoms in (b2, random):
        assert not any(p.is_of(Crystal.from_atoms(atoms)) for p in PHASES)


def test_formulas() -> None:
    phases = (("B2", "AB"), ("D0_3", "A3B"), ("C11_b", "AB2"))
    assert [OrderedPhase(k, ("A", "B")).formula for k, _ in phases] == [f for _, f in phases]
    assert OrderedPhase("L2_1", ("Mo", "Nb", "Ta")).formula == "Mo2NbTa"
