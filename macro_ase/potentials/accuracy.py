"""How good an interatomic potential is: errors on frames, and properties of perfect crystals.

Results are plain numbers by name, with the unit in the name. `REFERENCES` has what some should
be, and where that is known from; `accuracy_table` sets both side by side.

Properties of the bcc elements and of their alloys come from energies alone (forces are used to
relax a vacancy), so that any ASE calculator can be asked. With e(x) the energy per atom of a
crystal under a strain x and V its volume per atom,

    isotropic         diag(x, x, x)                     e'' = 9 V B
    tetragonal        diag(x, 1/(1+x) - 1, 0)           e'' = 2 V (C11 - C12)
    shear             x in xy and yx, volume kept       e'' = 4 V C44
    mixing energy     of a crystal at its own lattice constant, against its elements at theirs
    vacancy           E(N-1) - (N-1)/N E(N), atoms relaxed in the cell of the perfect crystal

Of the frames that `REFERENCES` quotes, lattice constants are those of the unstrained cells, and
mixing energies those of the relaxed B2 cells against the lowest energies of the elements. Elastic
constants are of room temperature; vacancies have errors of .2 (Mo), .3 (Nb) and .6 eV (Ta).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, covalent_radii, reference_states
from ase.optimize import FIRE
from ase.units import GPa
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from tqdm import tqdm

from ..patches import order_axes
from ..rng import stream
from .dft_frames import Frame

STRAIN = 0.005
RANDOM_CELLS = 4
VACANCY_CELLS = 4
SMALLEST_FORCE_EV_A = 1e-3

_PBE = "PBE frames of Li et al., npj Comput. Mater. 6, 70 (2020)"
_ELASTIC = "experiment, as in Finnis and Sinclair, Phil. Mag. A 50, 45 (1984)"
_VACANCY = "experiment, Maier et al., Phil. Mag. A 40, 701 (1979)"

_LATTICE_A = {"Nb": 3.323, "Mo": 3.169, "Ta": 3.322}
_B2_MEV = {"MoNb": -115.6, "MoTa": -193.8, "NbTa": -0.1}
_ELASTIC_GPA = {"Nb": (246.6, 133.2, 28.1), "Mo": (464.7, 161.5, 108.9), "Ta": (266.0, 161.2, 82.4)}
_VACANCY_EV = {"Nb": 2.6, "Mo": 3.0, "Ta": 2.8}

REFERENCES: dict[str, tuple[float, str]] = {
    **{f"lattice constant of {s} (A)": (x, _PBE) for s, x in _LATTICE_A.items()},
    **{f"mixing energy of B2 {s} (meV/atom)": (x, _PBE) for s, x in _B2_MEV.items()},
    **{
        f"{constant} of {s} (GPa)": (x, _ELASTIC)
        for s, constants in _ELASTIC_GPA.items()
        for constant, x in zip(("C11", "C12", "C44"), constants)
    },
    **{f"vacancy formation energy of {s} (eV)": (x, _VACANCY) for s, x in _VACANCY_EV.items()},
}


def check_potential(
    calculator: Any,
    frames: Sequence[Frame] = (),
    species: Sequence[str] | None = None,
    seed: int = 0,
    align: bool = False,
    progress: bool | None = None,
) -> dict[str, float]:
    """Errors of a potential on frames, and properties of its bcc crystals.

    Parameters
    ----------
    calculator : ase Calculator
        Energies in eV, forces in eV/A.
    frames : sequence of Frame
        Held out from its fit. Errors are given by `Frame.kind` and for all frames.
    species : sequence of str, optional
        Elements whose crystals are made; default: those of the frames.
    seed : int
        Of the random crystals.
    align : bool
        Compare energies after the least-squares shift per element that brings them together,
        for potentials with another zero of energy than the frames.
    progress : bool, optional
        Show a progress bar; default: if a terminal watches.

    Returns
    -------
    dict of str to float
        Numbers by names such as ``"energy rms, AIMD (meV/atom)"``.
    """
    if species is None:
        species = sorted({name for f in frames for name in f.atoms.get_chemical_symbols()})
    errors = frame_errors(calculator, frames, align, progress) if frames else {}
    return errors | crystal_properties(calculator, species, seed)


def frame_errors(
    calculator: Any, frames: Sequence[Frame], align: bool = False, progress: bool | None = None
) -> dict[str, float]:
    """Root-mean-square and mean absolute errors of energies per atom and force components.

    Kinds of frames whose forces all vanish by symmetry have no force errors.
    """
    energies, forces = [], []
    for frame in tqdm(frames, unit="frame", disable=None if progress is None else not progress):
        atoms = frame.atoms.copy()
        order_axes(atoms)
        atoms.calc = calculator
        forces.append((atoms.get_forces() - frame.forces_eV_A).ravel())
        energies.append((atoms.get_potential_energy() - frame.energy_eV) / len(atoms))
    per_atom = np.array(energies)
    if align:
        per_atom = per_atom - _shifts(frames, per_atom)
    results: dict[str, float] = {}
    for kind in (*sorted({frame.kind for frame in frames}), "all frames"):
        chosen = [k for k, f in enumerate(frames) if kind in (f.kind, "all frames")]
        results[f"frames, {kind}"] = len(chosen)
        results |= _errors("energy", kind, "meV/atom", per_atom[chosen])
        if any(np.abs(frames[k].forces_eV_A).max() > SMALLEST_FORCE_EV_A for k in chosen):
            results |= _errors("force", kind, "meV/A", np.concatenate([forces[k] for k in chosen]))
    return results


def _shifts(frames: Sequence[Frame], per_atom: NDArray[np.float64]) -> NDArray[np.float64]:
    """What constants per element explain of energy errors per atom."""
    numbers = sorted({int(z) for frame in frames for z in frame.atoms.numbers})
    shares = np.array([[np.mean(f.atoms.numbers == z) for z in numbers] for f in frames])
    shifts: NDArray[np.float64] = shares @ np.linalg.lstsq(shares, per_atom, rcond=None)[0]
    return shifts


def _errors(what: str, kind: str, unit: str, errors: NDArray[np.float64]) -> dict[str, float]:
    return {
        f"{what} rms, {kind} ({unit})": 1e3 * float(np.sqrt(np.mean(errors**2))),
        f"{what} MAE, {kind} ({unit})": 1e3 * float(np.mean(np.abs(errors))),
    }


def crystal_properties(calculator: Any, species: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Lattice constants, elastic constants and vacancies of elements; mixing energies of alloys.

    Parameters
    ----------
    calculator : ase Calculator
    species : sequence of str
        Elements, bcc.
    seed : int
        Of the random crystals, equiatomic and of 4 x 4 x 4 conventional cells, unrelaxed.
    """
    results: dict[str, float] = {}
    energies: dict[str, float] = {}
    for name in species:
        a0, energies[name] = relaxed_volume(calculator, partial(_element, name), [name])
        results[f"lattice constant of {name} (A)"] = a0
        results |= elastic_constants(calculator, name, a0)
        vacancy = vacancy_formation_energy(calculator, name, a0)
        results[f"vacancy formation energy of {name} (eV)"] = vacancy
    pairs, triples = (list(itertools.combinations(sorted(species), n)) for n in (2, 3))
    for pair in pairs:
        mixing = _mixing_energy(calculator, partial(_b2, pair), pair, energies)
        results[f"mixing energy of B2 {''.join(pair)} (meV/atom)"] = mixing
    for names in (*pairs, *triples):
        mixing = _mixing_energy(calculator, partial(_random, names, seed), names, energies)
        results[f"mixing energy of random {''.join(names)} (meV/atom)"] = mixing
    return results


def elastic_constants(calculator: Any, name: str, lattice_constant_A: float) -> dict[str, float]:
    """C11, C12 and C44 in GPa of a bcc element, from second differences of the energy."""
    cell = _element(name, lattice_constant_A)
    volume = cell.get_volume() / len(cell)

    def curvature(strained: Callable[[float], NDArray[np.float64]]) -> float:
        energies = [_energy(calculator, _deformed(cell, strained(x))) for x in (-STRAIN, 0, STRAIN)]
        second = energies[0] - 2 * energies[1] + energies[2]
        return float(second / STRAIN**2 / volume / GPa)

    bulk_modulus = curvature(lambda x: np.eye(3) * (1 + x)) / 9
    difference = curvature(lambda x: np.diag([1 + x, 1 / (1 + x), 1])) / 2
    shear = curvature(lambda x: np.array([[1, x, 0], [x, 1, 0], [0, 0, 1 / (1 - x * x)]])) / 4
    return {
        f"C11 of {name} (GPa)": bulk_modulus + 2 * difference / 3,
        f"C12 of {name} (GPa)": bulk_modulus - difference / 3,
        f"C44 of {name} (GPa)": shear,
    }


def vacancy_formation_energy(calculator: Any, name: str, lattice_constant_A: float) -> float:
    """In eV, in 4 x 4 x 4 conventional bcc cells, relaxed to .01 eV/A."""
    atoms = _element(name, lattice_constant_A) * ([VACANCY_CELLS] * 3)
    perfect = _energy(calculator, atoms)
    del atoms[0]
    atoms.calc = calculator
    FIRE(atoms, logfile=None).run(fmax=0.01, steps=500)
    return float(atoms.get_potential_energy() - len(atoms) * perfect)


def accuracy_table(results: Mapping[str, float]) -> str:
    """Results as a Markdown table beside their references."""
    sources = dict.fromkeys(REFERENCES[name][1] for name in results if name in REFERENCES)
    marks = {source: number + 1 for number, source in enumerate(sources)}
    rows = ["| quantity | this potential | reference |", "|---|---:|---:|"]
    for name, value in results.items():
        value_of, source = REFERENCES.get(name, (None, ""))
        reference = "" if value_of is None else f"{_digits(name, value_of)} [{marks[source]}]"
        rows.append(f"| {name} | {_digits(name, value)} | {reference} |")
    return "\n".join([*rows, "", *(f"[{mark}] {source}" for source, mark in marks.items())])


def _digits(name: str, value: float) -> str:
    decimals = {"(A)": 3, "(eV)": 2}.get(name.rpartition(" ")[2], 1)
    return f"{value:.{0 if name.startswith('frames') else decimals}f}"


def _element(name: str, lattice_constant_A: float) -> Atoms:
    return bulk(name, "bcc", a=lattice_constant_A, cubic=True)


def _b2(pair: Sequence[str], lattice_constant_A: float) -> Atoms:
    atoms = _element(pair[0], lattice_constant_A)
    atoms.symbols = list(pair)
    return atoms


def _random(names: Sequence[str], seed: int, lattice_constant_A: float) -> Atoms:
    """Equal parts as nearly as the sites allow; the same arrangement at any lattice constant."""
    atoms: Atoms = _element(names[0], lattice_constant_A) * ([RANDOM_CELLS] * 3)
    rng = np.random.default_rng(stream(seed, "random-crystal", len(names)))
    atoms.symbols = rng.permutation([names[k % len(names)] for k in range(len(atoms))])
    return atoms


def _deformed(atoms: Atoms, gradient: NDArray[np.float64]) -> Atoms:
    deformed: Atoms = atoms.copy()
    deformed.set_cell(atoms.cell.array @ gradient, scale_atoms=True)
    return deformed


def _energy(calculator: Any, atoms: Atoms) -> float:
    """Per atom, eV."""
    atoms = atoms.copy()
    atoms.calc = calculator
    return float(atoms.get_potential_energy()) / len(atoms)


def _guess(name: str) -> float:
    """Lattice constant in A, roughly."""
    state: Any = reference_states[atomic_numbers[name]]
    if state and state["symmetry"] == "bcc":
        return float(state["a"])
    return float(covalent_radii[atomic_numbers[name]] * 4 / np.sqrt(3))


def relaxed_volume(
    calculator: Any, crystal: Callable[[float], Atoms], names: Sequence[str]
) -> tuple[float, float]:
    """Lattice constant in A and energy per atom in eV where the energy is lowest.

    Parameters
    ----------
    calculator : ase Calculator
    crystal : callable
        Gives the crystal, its sites kept, at a lattice constant.
    names : sequence of str
        Elements near whose mean lattice constant, within 8 %, the lowest energy is sought.
    """
    guess = float(np.mean([_guess(name) for name in names]))
    best = minimize_scalar(
        lambda a: _energy(calculator, crystal(a)),
        bounds=(0.92 * guess, 1.08 * guess),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(best.x), float(best.fun)


def _mixing_energy(
    calculator: Any,
    crystal: Callable[[float], Atoms],
    names: Sequence[str],
    energies: Mapping[str, float],
) -> float:
    """In meV per atom, for the fractions that the crystal really has."""
    symbols = crystal(3.0).get_chemical_symbols()
    elements = float(np.mean([energies[symbol] for symbol in symbols]))
    return 1e3 * (relaxed_volume(calculator, crystal, names)[1] - elements)
