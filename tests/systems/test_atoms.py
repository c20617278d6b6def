"""Atoms of one's own: patches evolve as the whole does, with the buffer that they need."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT

from macro_ase.analysis.assumptions import check_patches
from macro_ase.crystal import Crystal
from macro_ase.engines.patches.evolution import DynamicsEvolution, MonteCarloEvolution
from macro_ase.engines.swaps.moves import Displacement, NeighbourSwap
from macro_ase.lattice import shell_neighbors
from macro_ase.patch_study import PatchStudy
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.emt_table import emt_table
from macro_ase.rng import stream
from macro_ase.sampling.pairs import wholes_chunk
from macro_ase.systems.atoms import AtomsSystem
from macro_ase.systems.base import Plan, States, no_closure
from macro_ase.systems.engine_pairs import engine_pairs

SPECIES = ("Nb", "Mo", "Ta")
STEP = 2 * units.fs


class Bonds(AtomsSystem):
    """A random alloy whose neighbours swap; Mo-Ta bonds per atom are measured."""

    names = ("Mo-Ta",)

    def __init__(self) -> None:
        table = EAMTable.read(path("NbMoTa.eam.alloy"))
        swaps = MonteCarloEvolution(TableEAM(table), 1500.0, NeighbourSwap())
        super().__init__(bulk("Nb", "bcc", 3.24, cubic=True) * (1, 3, 3), swaps, axes=(0,))

    def prepare(self, atoms: Atoms, rng: np.random.Generator) -> None:
        atoms.symbols = rng.permutation(np.array(SPECIES)[np.arange(len(atoms)) % 3])

    def shares(self, atoms: Atoms) -> np.ndarray:
        sites = Crystal.from_atoms(atoms, species=SPECIES)
        around = sites.occupation[shell_neighbors(sites.grid, 1)]
        own = sites.occupation[:, None]
        share = 0.5 * ((own + around == 3) & (own * around == 2)).sum(axis=1)
        return share[sites.site_of_atom]


class Copper(AtomsSystem):
    """Copper that is set free from random displacements at rest; kinetic energy is measured."""

    names = ("kinetic energy",)

    def __init__(self) -> None:
        dynamics = DynamicsEvolution(EMT(), STEP)
        super().__init__(bulk("Cu", "fcc", 3.61, cubic=True), dynamics, axes=(0,))

    def prepare(self, atoms: Atoms, rng: np.random.Generator) -> None:
        atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)

    def shares(self, atoms: Atoms) -> np.ndarray:
        return np.asarray(0.5 * (atoms.get_momenta() ** 2).sum(axis=1) / atoms.get_masses())


class Displaced(Copper):
    """Monte Carlo from the perfect crystal; squared displacements are measured."""

    def __init__(self) -> None:
        super().__init__()
        copper = TableEAM(emt_table(("Cu",)))
        self.evolution = MonteCarloEvolution(copper, 600.0, Displacement(0.1))

    def prepare(self, atoms: Atoms, rng: np.random.Generator) -> None:
        pass

    def shares(self, atoms: Atoms) -> np.ndarray:
        ideal = self.template.repeat(self.repeats(len(atoms) // 4)).positions
        return np.asarray(((atoms.positions - ideal) ** 2).sum(axis=1))


def plan(small: int, large: int, dt: float, **more: object) -> Plan:
    return Plan(
        **({"small": small, "large": large, "ages": (0.0,), "relax_time": 0.0, "dt": dt} | more)
    )  # type: ignore[arg-type]


def begun(system: AtomsSystem, side: int, n: int = 2) -> States:
    return np.array(
        [system.state_of(system.begun(side, np.random.default_rng(k))) for k in range(n)]
    )


@cache
def wholes() -> tuple[States, np.ndarray]:
    """Two states, and what they show then and a step later."""
    system, own = Copper(), plan(2, 8, 10 * STEP)
    states, times = begun(system, 8), np.array([0.0, own.dt])
    return states, system.wholes(own, states, times, no_closure, {}, np.random.default_rng(0))


def patches_over_whole(buffer: int, boundary: str = "frozen") -> np.ndarray:
    """Increments of patches over those of wholes, for each of two states."""
    system, own = Copper(), plan(2, 8, 10 * STEP, buffer=buffer, boundary=boundary)
    states, path = wholes()
    made = system.increments(own, states, no_closure, {}, np.random.default_rng(0))
    np.testing.assert_allclose(made.z0, path[:, 0])
    return np.asarray(made.dz.mean(axis=1) / (path[:, 1] - path[:, 0]))[:, 0]


@pytest.mark.slow
def test_dynamics_in_patches_is_that_of_the_whole_given_a_buffer() -> None:
    """Nothing is random here: all that a patch misses is how its surroundings move."""
    np.testing.assert_allclose(patches_over_whole(1), 1, atol=2e-4)
    np.testing.assert_allclose(patches_over_whole(2), 1, atol=1e-6)


@pytest.mark.slow
def test_negative_controls_no_buffer_and_no_surroundings() -> None:
    assert np.all(np.abs(patches_over_whole(0) - 1) > 0.01)
    assert np.all(np.abs(patches_over_whole(1, "periodic") - 1) > 0.03)


@pytest.mark.slow
def test_increments_are_those_of_engine_pairs() -> None:
    """The same blocks as masks, evolved by the same engine with the same seeds."""
    system, own = Copper(), plan(2, 6, 5 * STEP, buffer=1)
    state = begun(system, 6, 1)
    cell = np.arange(24) // 4
    masks = [(cell // 2 == k, np.isin(cell, [(2 * k - 1) % 6, (2 * k + 2) % 6])) for k in range(3)]
    patches = [Patch.mask(core, buffer) for core, buffer in masks]
    evolve, atoms = system.evolution.during(own.dt, {}), system.atoms_of(state[0])
    pairs = engine_pairs(atoms, patches, evolve, system.shares, 1.0, 0, 0)
    made = system.increments(own, state, no_closure, {}, np.random.default_rng(0))
    np.testing.assert_array_equal(made.dz[0], pairs.dz)
    np.testing.assert_array_equal(made.z0[0], pairs.z0[0])


@pytest.mark.slow
def test_swaps_in_patches_are_those_of_the_whole() -> None:
    own = plan(3, 6, 0.4, buffer=1)
    check = check_patches(wholes_chunk(Bonds(), own, 60, {}, stream(0, "a")))
    assert abs(check.drift_slope - 1) < 4 * check.drift_slope_error < 0.8
    assert abs(check.covariance_ratio - 1) < 4 * check.covariance_ratio_error < 1
    assert abs(check.correlation) < 4 * check.correlation_error and check.mean_difference < 4


@pytest.mark.slow
def test_displacements_in_patches_are_those_of_the_whole() -> None:
    check = check_patches(
        wholes_chunk(Displaced(), plan(2, 6, 1.8, buffer=1), 12, {}, stream(0, "d"))
    )
    assert abs(check.drift_slope - 1) < 4 * check.drift_slope_error < 0.5


@pytest.mark.parametrize("system", [Bonds(), Copper()])
def test_states_tiles_and_growth_without_time_are_exact(system: AtomsSystem) -> None:
    small, own = begun(system, 2, 1)[0], plan(2, 6, 1.0)
    assert small.shape == (2 * len(system.template), 7 if system.evolution.dynamic else 4)
    np.testing.assert_array_equal(system.state_of(system.atoms_of(small)), small)
    large = system.grow(small, own, 0.0, {}, stream(0, "g"))
    atoms = system.atoms_of(large)
    assert len(atoms) == 6 * len(system.template)
    np.testing.assert_allclose(
        atoms.cell.lengths()[0], 3 * system.atoms_of(small).cell.lengths()[0]
    )
    tiles = system.tiles(own, large[None])[0]
    np.testing.assert_allclose(tiles, np.repeat(small[None], 3, axis=0), atol=1e-9)
    np.testing.assert_allclose(system.observe(large[None]), system.observe(small[None]))


def test_windows_evolve_in_turns_when_a_state_grows() -> None:
    """Composition and sites stay; each of the four windows moved, also across the first seam."""
    system, own = Bonds(), plan(4, 8, 1.0)
    small = begun(system, 4, 1)[0]
    still, grown = (system.grow(small, own, t, {}, stream(0, "g")) for t in (0.0, 1.0))
    np.testing.assert_array_equal(grown[:, 1:], still[:, 1:])
    np.testing.assert_array_equal(np.sort(grown[:, 0]), np.sort(still[:, 0]))
    changed = (grown[:, 0] != still[:, 0]).reshape(4, -1).sum(axis=1)
    assert np.all(changed > 3)
    assert system.observe(grown[None])[0, 0] > system.observe(still[None])[0, 0]  # order grows


def test_axes_of_repetition_and_temperatures_of_conditions() -> None:
    system = AtomsOfThree()
    assert len(system.begun(3, np.random.default_rng(0))) == 27 and system.dimension == 3
    evolve = system.evolution.during(2.0, {"T": 900.0})
    assert (evolve.dt, evolve.temperature_K) == (2.0, 900.0)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="a patch of 2 cells with a buffer of 1 fills 4 cells"):
        system.plan(small=2, large=4, ages=(0.0,), relax_time=0.0, dt=1.0, buffer=1)
    with pytest.raises(ValueError, match="a time must be a multiple of timestep"):
        Copper().evolution.during(1.5 * STEP, {})


class AtomsOfThree(Displaced):
    """One atom a cell, along all axes."""

    def __init__(self) -> None:
        evolution = MonteCarloEvolution(EMT(), 600.0, Displacement(0.1))
        AtomsSystem.__init__(self, bulk("Cu", "fcc", 3.61), evolution)


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.usefixtures("undrawn")
def test_a_study_of_them_end_to_end(tmp_path: Path) -> None:
    """Swaps from random crystals to equilibrium, by the model and directly."""
    pytest.importorskip("torch")
    ages = [0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    numbers = {"starts": 10, "ages": ages, "buffer": 1, "relax_time": 0.0, "check_runs": 4}
    runs = {"initial_states": 1, "runs": 3, "steps": 12, "members": 2, "epochs": 20}
    study = PatchStudy(Bonds(), 3, 6, 0.5, {"T": [1500.0]}, quick=True, **numbers, **runs)
    folder = study.run(tmp_path / "run", executor=1)
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    late = metrics["late_mean_Mo_Ta"]
    assert abs(late["value"] - late["truth"]) < 0.1  # from .89 at the start to 1.1
    assert "Mo-Ta" in (folder / "report.html").read_text()
