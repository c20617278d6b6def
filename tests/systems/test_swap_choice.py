"""Pair energies and vacant sites in a person's own alloy, and what is refused of both."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from macro_ase.build import build_crystal
from macro_ase.config import load_config
from macro_ase.potentials import path
from macro_ase.rng import stream
from macro_ase.systems import SwapAlloy
from macro_ase.systems.alloy_sites import sites_from_config
from macro_ase.systems.base import no_closure
from macro_ase.systems.swap_choice import energy_files
from macro_ase.systems.swap_engines import PairSwaps

SMALL = (
    "system.small_size=[4, 4, 4]",
    "system.patch_size=[2, 2, 2]",
    "system.large_size=[4, 4, 4]",
)
PAIR = (*SMALL, "system.lattice=bcc", "system.composition=NbMoTa", "system.calculator=pair:NbMoTa")


def alloy(*settings: str) -> tuple[SwapAlloy, list[str]]:
    return sites_from_config(load_config("swap", False, settings))


def test_a_pair_energy_orders_the_alloy_as_its_signs_say() -> None:
    system, notes = alloy(*PAIR)
    assert isinstance(system.swaps, PairSwaps) and "compiled kernel of pairs" in notes[-1]
    assert energy_files(" pair:NbMoTa ") == (path("NbMoTa-kra.json"),)
    times, pair = 0.25 * np.arange(120), system.names.index("Mo-Ta")
    z, _ = system.direct(system.large_state, times, {"T": 1000.0}, stream(0, "p"))
    assert z[60:, pair].mean() > z[0, pair] + 4 * z[60:, pair].std() / 60**0.5
    plan, rng = system.plan(dt=0.25), np.random.default_rng(0)
    own = system.increments(plan, system.large_state[None], no_closure, {"T": 1000.0}, rng)
    assert own.dz.shape == (1, 8, len(system.names)) and np.abs(own.dz).max() > 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("system.lattice=fcc", "ideal sites of bcc, whole: not of fcc"),
        ("system.sites=relaxed", "with system.sites 'relaxed'"),
        ("system.halo_A=5.0", "system.halo_A 5"),
        ("system.calculator=pair:gone", "no such file: gone; barrier models that ship are"),
        ("system.composition=NbW", "pair energy knows Nb, Mo, Ta, not W"),
        ("system.sites=warm", "system.sites must be one of ideal, relaxed, thermal, not 'warm'"),
    ],
)
def test_what_a_pair_energy_is_not_of_is_refused_in_a_line(setting: str, message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        alloy(*PAIR, setting)
    assert "\n" not in str(error.value)


@pytest.fixture
def holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A crystal of 256 sites, three of them vacant and not marked."""
    monkeypatch.chdir(tmp_path)
    atoms = build_crystal("fcc", "CuAu", (4, 4, 4), vacancies=3, rng=0)
    del atoms[atoms.numbers == 0]
    write("holes.xyz", atoms)
    return 'system.structure="holes.xyz"'


def test_vacant_sites_swap_as_atoms_do(holes: str) -> None:
    system, notes = alloy(*SMALL, holes)
    assert system.order.counts[-1] == 3 and system.species == ("Cu", "Au")
    assert "3 vacant" in notes[0] and notes[2].startswith("Vacant sites swap")
    state = system.path(
        system.large, system.large_state, np.array([0.0, 2.0]), 1200.0, stream(0, "v"), (1,)
    )[2][0]
    before, after = (np.flatnonzero(s == 2) for s in (system.large_state, state))
    assert len(after) == 3 and not np.array_equal(before, after)


@pytest.mark.parametrize("setting", ["system.halo_A=6.0", "system.sites=thermal"])
def test_vacant_sites_are_refused_where_a_calculator_is_called(holes: str, setting: str) -> None:
    with pytest.raises(ValueError, match=r"3 of 256 sites are vacant.*fill them with atoms"):
        alloy(*SMALL, holes, setting)
