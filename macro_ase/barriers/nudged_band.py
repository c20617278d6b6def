"""Barriers of vacancy hops on any calculator, from the minimum-energy path between two end states.

An atom moves into a vacancy beside it. Both end states are relaxed at a fixed cell. Between them
a string of images, kept equally spaced along a spline x(s), relaxes until the forces across it are
small. Along the string

    dE/ds = -F . dx/ds,

so the cubic through the energies and their slopes has its maximum near the saddle. From there one
image climbs along the string's direction t, under the force F - 2 (F . t) t, until F vanishes. One
string gives the barriers of the hop and of its reverse, whose difference is exactly the energy of
the final less that of the initial state.

`climbed_barrier` leaves the string out: one image climbs from half way between the relaxed ends,
along the line that joins them. That is less than half of the work, and the same saddle where there
is but one.

The string: W. E, W. Ren and E. Vanden-Eijnden, J. Chem. Phys. 126, 164103 (2007). Climbing:
G. Henkelman, B. P. Uberuaga and H. Jonsson, J. Chem. Phys. 113, 9901 (2000). The optimizer:
S. Makri, C. Ortner and J. R. Kermode, J. Chem. Phys. 150, 094109 (2019), in ASE.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.geometry import find_mic
from ase.mep.neb import NEB, NEBOptimizer
from ase.optimize import LBFGS
from ase.optimize.ode import ode12r
from ase.optimize.sciopt import OptimizerConvergenceError
from scipy.interpolate import CubicHermiteSpline

from ..arrays import Array
from ..kinetics.kra_hops import KRA_FLOOR_EV

IMAGES, FEWEST_IMAGES = 5, 3
FMAX_EV_A = 0.02
STRING_FMAX_EV_A = 0.05
STEPS = 300
ROUND = 20
"""Steps of the string before its images are spaced anew: its optimizer remembers where they were
before they were spaced, and after some hundred steps they would slide into the minima."""


@dataclass(frozen=True)
class Hop:
    """What became of one vacancy hop.

    Attributes
    ----------
    forward_eV, backward_eV : float
        Energy of the saddle above the initial and above the final state. nan if none lies between
        them; not to be trusted if the hop has not converged.
    energy_change_eV : float
        Energy of the final less that of the initial state.
    converged : bool
        Whether end states, string and saddle met the limits of the forces.
    steps : int
        Steps of the string and of the climb.
    collapsed : bool
        Whether there is no hop: an end state left its site, no saddle lies between the two, or
        one of them is held by no more than the floor of the barrier models, 0.02 eV.
    """

    forward_eV: float
    backward_eV: float
    energy_change_eV: float
    converged: bool
    steps: int
    collapsed: bool

    @property
    def usable(self) -> bool:
        """Whether its barriers may be used."""
        return self.converged and not self.collapsed


@dataclass(frozen=True)
class RadiusError:
    """Errors of barriers of local relaxations against those of the whole cell.

    Attributes
    ----------
    n_hops : int
        Hops that are usable both ways; the errors are nan if there is none.
    mean_eV, mean_absolute_eV, largest_eV : float
        Of local less whole; the largest is of the absolute value.
    """

    n_hops: int
    mean_eV: float
    mean_absolute_eV: float
    largest_eV: float


def hop_barrier(
    atoms: Atoms,
    vacancy: int,
    target: int,
    calculator: Calculator,
    images: int = IMAGES,
    relax_radius_A: float | None = None,
    fmax: float = FMAX_EV_A,
    steps: int = STEPS,
) -> Hop:
    """Barriers of the hop of an atom into a vacancy beside it, and back.

    Parameters
    ----------
    atoms : ase.Atoms
        The crystal without a vacancy, of any lattice; not changed. Its cell is kept. With
        ``relax_radius_A``, relax it first: what is frozen stays where it is.
    vacancy : int
        Index of the atom that is taken out.
    target : int
        Index of the atom that moves to where that one was.
    calculator : ase calculator
        Energies and forces; one is used for all images.
    images : int
        Images between the end states, 3 or more.
    relax_radius_A : float, optional
        Only atoms this near to one of the two sites move; default: all.
    fmax : float
        Largest force on an atom in the end states and at the saddle, eV/A. The string, which only
        leads there, is relaxed to `STRING_FMAX_EV_A`.
    steps : int
        Most steps of each end state, of the string and of the climb.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    _check(len(atoms), vacancy, target, images, relax_radius_A, fmax, steps)
    initial, final = end_states(atoms, vacancy, target, relax_radius_A)
    length = float(np.linalg.norm(final.positions - initial.positions))
    ends = [relaxed(state, calculator, fmax, steps) for state in (initial, final)]
    change = ends[1].get_potential_energy() - ends[0].get_potential_energy()
    settled = all(_residual(end) <= fmax for end in ends)
    if any(_moved(state, end) > length / 2 for state, end in zip((initial, final), ends)):
        return Hop(math.nan, math.nan, change, settled, 0, collapsed=True)
    band, string_steps, found = _string(ends[0], ends[1], calculator, images, steps)
    start = _highest(band)
    if start is None:
        return Hop(math.nan, math.nan, change, settled and found, string_steps, collapsed=True)
    energy, climb_steps, climbed = _climb(*start, calculator, fmax, steps)
    forward = energy - ends[0].get_potential_energy()
    converged, steps_taken = settled and found and climbed, string_steps + climb_steps
    collapsed = min(forward, forward - change) <= KRA_FLOOR_EV
    return Hop(forward, forward - change, change, converged, steps_taken, collapsed)


def climbed_barrier(
    atoms: Atoms,
    vacancy: int,
    target: int,
    calculator: Calculator,
    fmax: float = FMAX_EV_A,
    steps: int = STEPS,
) -> Hop:
    """Barriers of a hop and back, climbed from half way between its relaxed end states.

    Parameters, errors
    ------------------
    As of `hop_barrier`. A path of several saddles shows the one nearest to its middle, which need
    not be the highest.
    """
    _check(len(atoms), vacancy, target, FEWEST_IMAGES, None, fmax, steps)
    states = end_states(atoms, vacancy, target)
    length = float(np.linalg.norm(states[1].positions - states[0].positions))
    ends = [relaxed(state, calculator, fmax, steps) for state in states]
    low, high = (end.get_potential_energy() for end in ends)
    settled = all(_residual(end) <= fmax for end in ends)
    if any(_moved(state, end) > length / 2 for state, end in zip(states, ends)):
        return Hop(math.nan, math.nan, high - low, settled, 0, collapsed=True)
    line = (ends[1].positions - ends[0].positions).ravel()
    middle = ends[0].copy()
    middle.positions += line.reshape(-1, 3) / 2
    energy, taken, climbed = _climb(middle, line / np.linalg.norm(line), calculator, fmax, steps)
    collapsed = min(energy - low, energy - high) <= KRA_FLOOR_EV
    return Hop(energy - low, energy - high, high - low, settled and climbed, taken, collapsed)


def end_states(
    atoms: Atoms, vacancy: int, target: int, relax_radius_A: float | None = None
) -> tuple[Atoms, Atoms]:
    """Before and after the hop, not relaxed; atoms outside the radius are fixed."""
    hop = find_mic(atoms.positions[vacancy] - atoms.positions[target], atoms.cell, atoms.pbc)[0]
    initial = atoms.copy()
    if relax_radius_A is not None:
        distances = [atoms.get_distances(k, range(len(atoms)), mic=True) for k in (vacancy, target)]
        initial.set_constraint(FixAtoms(np.flatnonzero(np.minimum(*distances) > relax_radius_A)))
    del initial[vacancy]
    final = initial.copy()
    final.positions[target - (target > vacancy)] += hop
    return initial, final


def relaxed(
    atoms: Atoms, calculator: Calculator, fmax: float = FMAX_EV_A, steps: int = STEPS
) -> Atoms:
    """A copy at its energy minimum at a fixed cell, with its energy and forces attached."""
    copy: Atoms = atoms.copy()
    copy.calc = calculator
    LBFGS(copy, logfile=None).run(fmax, steps)  # type: ignore[arg-type]
    energy, forces = copy.get_potential_energy(), copy.get_forces(apply_constraint=False)
    copy.calc = SinglePointCalculator(copy, energy=float(energy), forces=forces)
    return copy


def radius_error(local: Sequence[Hop], whole: Sequence[Hop]) -> RadiusError:
    """How wrong barriers are when only atoms near the hop relax.

    Parameters
    ----------
    local, whole : sequences of Hop, of equal length
        The same hops with a ``relax_radius_A`` and without. Forward and backward barriers
        both count.
    """
    errors = [
        [a.forward_eV - b.forward_eV, a.backward_eV - b.backward_eV]
        for a, b in zip(local, whole, strict=True)
        if a.usable and b.usable
    ]
    if not errors:
        return RadiusError(0, math.nan, math.nan, math.nan)
    size = np.abs(errors)
    return RadiusError(len(errors), float(np.mean(errors)), float(size.mean()), float(size.max()))


def _residual(atoms: Atoms) -> float:
    """Largest force on an atom that is free to move, eV/A."""
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def _moved(before: Atoms, after: Atoms) -> float:
    """Largest displacement of an atom, A."""
    return float(np.linalg.norm(after.positions - before.positions, axis=1).max())


def _string(
    initial: Atoms, final: Atoms, calculator: Calculator, images: int, steps: int
) -> tuple[NEB, int, bool]:
    """The relaxed string, the steps it took and whether it met the limit."""
    band = NEB(
        [initial, *(initial.copy() for _ in range(images)), final],
        method="string",
        allow_shared_calculator=True,
    )
    for image in band.images[1:-1]:
        image.calc = calculator
    band.interpolate()
    taken, found = 0, False
    while taken < steps and not found:
        optimizer = NEBOptimizer(band, logfile=None, method="ODE")
        found = bool(optimizer.run(STRING_FMAX_EV_A, min(ROUND, steps - taken)))
        taken += max(1, optimizer.nsteps)
    return band, taken, found


def _highest(band: NEB) -> tuple[Atoms, Array] | None:
    """Where the string is highest, and its direction there; None if that is at an end."""
    path = band.spline_fit(norm="euclidean")
    energy = np.array([image.get_potential_energy() for image in band.images])
    forces = np.array([image.get_forces().ravel() for image in band.images])
    slope = -(forces * path.dx_ds(path.s)).sum(axis=1)
    curve = CubicHermiteSpline(path.s, energy, slope)
    turning = curve.derivative().roots(extrapolate=False)
    if len(turning) == 0 or curve(turning).max() <= max(energy[0], energy[-1]):
        return None
    top = turning[curve(turning).argmax()]
    saddle = band.images[0].copy()
    saddle.positions = path.x(top).reshape(-1, 3)
    direction = path.dx_ds(top).ravel()
    return saddle, direction / np.linalg.norm(direction)


def _climb(
    image: Atoms, direction: Array, calculator: Calculator, fmax: float, steps: int
) -> tuple[float, int, bool]:
    """Energy at the saddle that an image climbs to, its steps and whether it arrived."""
    image.calc = calculator
    calls = 0

    def force(positions: Array) -> Array:
        nonlocal calls
        calls += 1
        image.positions = positions.reshape(-1, 3)
        real: Array = image.get_forces().ravel()
        return real - 2 * (real @ direction) * direction

    def residual(*_: Array) -> float:
        return _residual(image)

    with suppress(OptimizerConvergenceError):
        ode12r(
            force, image.positions.flatten(), fmax=fmax, residual=residual, steps=steps, verbose=0
        )
    return float(image.get_potential_energy()), calls, _residual(image) <= fmax


def _check(
    n_atoms: int,
    vacancy: int,
    target: int,
    images: int,
    relax_radius_A: float | None,
    fmax: float,
    steps: int,
) -> None:
    for name, index in (("vacancy", vacancy), ("target", target)):
        if not 0 <= index < n_atoms:
            raise ValueError(f"{name} must be an atom, 0 to {n_atoms - 1}, not {index}")
    if vacancy == target:
        raise ValueError(f"vacancy and target are the same atom, {vacancy}")
    for name, value, least in (("images", images, FEWEST_IMAGES), ("steps", steps, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
    lengths = {"fmax": fmax} | (
        {} if relax_radius_A is None else {"relax_radius_A": relax_radius_A}
    )
    for name, length in lengths.items():
        if not (math.isfinite(length) and length > 0):
            raise ValueError(f"{name} must be above 0, not {length:g}")
