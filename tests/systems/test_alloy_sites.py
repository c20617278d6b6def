"""A person's own alloy: from a file or at random, patches beside wholes, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from macro_ase.analysis.order_comparison import mean_of_runs
from macro_ase.config import load_config
from macro_ase.rng import kernel_state, stream
from macro_ase.systems import SwapAlloy
from macro_ase.systems.alloy_sites import sites_from_config
from macro_ase.systems.base import no_closure
from macro_ase.systems.calculator_swaps import CalculatorSwaps
from macro_ase.systems.swap_engines import EAMSwaps

HOT = {"T": 1200.0}
SMALL = ("system.small_size=[4, 4, 4]", "system.patch_size=[2, 2, 2]")
OWN = """
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table

def mine():
    return TableEAM(emt_table(("Au", "Cu")))
"""


def alloy(*settings: str, large: str = "[6, 6, 6]") -> SwapAlloy:
    own = (*SMALL, f"system.large_size={large}", *settings)
    return sites_from_config(load_config("swap", False, own))[0]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a calculator of one's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_swaps_here.py").write_text(OWN)
    return tmp_path


@pytest.mark.slow
def test_small_and_large_crystals_have_the_same_order_above_the_transition() -> None:
    """Averages of runs of 256 sites and of the whole of 864, within four errors."""
    system, times = alloy(), 0.5 * np.arange(250)
    means = []
    for grid, start in ((system.small, system.small_states[0]), (system.large, system.large_state)):
        order = system.small_order if grid is system.small else system.order
        runs = [system.path(grid, start, times, 1200.0, stream(0, "m", k)) for k in range(4)]
        late = [order.delta(z[50:], v[50:]) for z, v, _ in runs]
        means.append(mean_of_runs(late))
    offset = system.small_order.random_delta - system.order.random_delta
    (small, small_error), (large, large_error) = means
    error = np.hypot(small_error, large_error)
    assert np.all(np.abs(small - large) < 4 * error + np.abs(offset))
    assert large[1] > 20 * large_error[1], "unlike neighbours are preferred"


@pytest.mark.slow
@pytest.mark.parametrize("lattice", ["fcc", "hcp"])
def test_patches_drift_as_the_whole_does(lattice: str) -> None:
    system = alloy(f"system.lattice={lattice}").alone()
    state, rng = system.large_state, np.random.default_rng(0)
    plan = system.plan(dt=0.1)
    both = [
        (
            system.increments(plan, state[None], no_closure, HOT, rng).dz[0].mean(axis=0),
            np.diff(system.direct(state, np.array([0, 0.1]), HOT, stream(0, "w", k))[0], axis=0)[0],
        )
        for k in range(150)
    ]
    patches, whole = np.array(both).swapaxes(0, 1)
    error = np.hypot(*(x.std(axis=0) / len(x) ** 0.5 for x in (patches, whole)))
    difference = np.abs(patches.mean(axis=0) - whole.mean(axis=0)) / error
    assert difference.max() < 4
    assert np.abs(whole.mean(axis=0)[0]) > 5 * error[0], "there is a drift to compare"


@pytest.mark.slow
def test_any_calculator_makes_the_moves_of_the_compiled_one(here: Path) -> None:
    compiled, own = (
        alloy(f"system.calculator={text}").alone() for text in ("emt", "python:own_swaps_here:mine")
    )
    assert isinstance(compiled.swaps, EAMSwaps) and isinstance(own.swaps, CalculatorSwaps)
    plan, found = compiled.plan(dt=0.25), []
    for system in (compiled, own):
        state, rng = system.large_state[None], np.random.default_rng(0)
        found.append(system.increments(plan, state, no_closure, HOT, rng, 2).dz)
        found.append(system.direct(state[0], np.array([0, 0.2]), HOT, stream(0, "d"))[0])
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[3])


def test_a_hot_file_in_any_order_is_the_crystal_that_it_holds(here: Path) -> None:
    atoms = bulk("Ti") * (6, 6, 4)
    rng = np.random.default_rng(0)
    atoms.numbers = rng.permutation(np.arange(len(atoms)) % 3)
    atoms.symbols = np.array(["Cu", "Au", "Ni"])[atoms.numbers]
    atoms.rattle(0.03, seed=0)
    write("own.xyz", atoms[rng.permutation(len(atoms))])
    settings = (
        'system.structure="own.xyz"',
        "system.small_size=[6, 6, 4]",
        "system.patch_size=[3, 3, 2]",
    )
    system, notes = sites_from_config(load_config("swap", False, settings))
    assert system.large.size == (6, 6, 4) and system.species == ("Ni", "Cu", "Au")
    assert system.names[:3] == ("Ni-Cu", "Ni-Au", "Cu-Au")
    assert system.order.counts.tolist() == [96, 96, 96, 0] and system.order.coordination == 12
    assert "6 x 6 x 4 cells of 2 sites (96 Ni, 96 Cu, 96 Au)" in notes[0]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("system.calculator=vasp", "system.calculator: calculator 'vasp' is not understood"),
        ("system.calculator=eam:gone", "system.calculator: no such file: gone"),
        ("system.calculator=eam:NbMoTa.eam.alloy", "knows Nb, Mo, Ta, not Au, Cu"),
        ("system.composition=Cu0.5Fe0.5", "system.calculator: emt knows .* not Fe"),
        ("system.composition=Cu", "at least two species"),
        ("system.calculator=python:own_swaps_here:gone", "has no function gone"),
        ("system.patch_size=[3, 3, 3]", "patch_size .* does not divide"),
        ("system.buffer_cells=2", "with a buffer of 2 does not fit"),
        ("system.buffer_cells=0", "buffer_cells must be at least 1"),
        ("system.small_size=[8, 4, 4]", "larger than the large system's"),
        ("system.lattice=hex", "system.lattice must be one of bcc, fcc, cubic, hcp"),
        ("system.halo_A=-1.0", "system.halo_A must be 0 or more"),
        ("system.shells=9", "system.shells must be 1 to 6"),
        ("system.lattice_constant_A=-1.0", "lattice_constant_A must be 0 or more"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(here: Path, setting: str, message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        alloy(setting)
    assert "\n" not in str(error.value)


def test_a_calculator_that_did_one_alloy_is_asked_again_of_another() -> None:
    """Calculators are kept by their text and the species that they were found to know."""
    one = alloy("system.halo_A=6.0")
    one.swaps.check(one.small, one.small_states[0])
    with pytest.raises(ValueError, match=r"emt knows .* not Fe"):
        alloy("system.halo_A=6.0", "system.composition=Cu0.5Fe0.5")


@pytest.mark.slow
def test_relaxed_sites_of_a_table_are_compiled_and_move_as_by_calls() -> None:
    ends = []
    for calculator in ("emt", "python:ase.calculators.emt:EMT"):
        own = (f"system.calculator={calculator}", "system.sites=relaxed")
        system, notes = sites_from_config(load_config("swap", False, (*SMALL, *own)))
        assert ("compiled kernel" in notes[-1]) == (calculator == "emt")
        swaps, sites = system.swaps, system.small.resized((2, 2, 2))
        codes, bonds = system.small_states[0][: sites.n_sites], np.zeros((2, 3, 3))
        state, rng = swaps.begin(sites, codes), kernel_state(5)
        swaps.run(sites, state, 12, 1000.0, rng, bonds)
        ends.append((state.occupation.tolist(), rng.tolist(), state.memory["energy"]))
    assert ends[0][:2] == ends[1][:2] and ends[0][0] != codes.tolist()
    assert ends[0][2] == pytest.approx(ends[1][2], abs=1e-6)
