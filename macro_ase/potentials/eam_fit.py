"""Cross terms of an embedded-atom potential, fitted to ab-initio energies and forces of alloys.

The elements stay those of `zhou`. In alloys three things are free:

    phi_ab(r) = Johnson's + sum_k w_abk B_k(r)     a != b, B_k cubic B-splines that vanish
                                                   smoothly at 2 A and at the cutoff
    f_b(r) -> s_b f_b(r), F_b(rho) -> F_b(rho / s_b)
    F_b(rho) -> F_b(rho) + c_b x (x-1)^3 / (1 + (x-1)^2)^(3/2),    x = rho / (s_b rho_e)

The second changes nothing in an element. The third leaves its lattice constant, cohesive energy
and elastic constants as they are, for it is of third order at equilibrium. Energies and forces
are linear in w and c, which minimise, for given s,

    sum_frames (dE / n / sigma_E)^2 + sum_frames (|dF|^2 / 3n) / sigma_F^2
      + lambda sum_ab |second differences of w_ab|^2 + ridge |c|^2

with E the formation energy against the elements at rest and n the number of atoms. s (one of them
is 1) and lambda are chosen by cross-validation over structures, s on every fourth frame. lambda
is held large enough to keep phi smooth between the shells, where crystals have no pairs.

`eam_cells` says how frames are compared with a potential whose elements are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.optimize import minimize
from tqdm import tqdm

from ..arrays import Array
from .dft_frames import Frame, folds_by_structure
from .eam_calculator import sums
from .eam_cells import AlloyCells, evaluate, gather, rest_of_frames, rest_of_table, totals
from .eam_table import EAMTable
from .zhou import CUTOFF_A, ZHOU, zhou_table

ENERGY_ERROR_EV, FORCE_ERROR_EV_A = 0.004, 0.1
PAIR_START_A, N_INTERVALS = 2.0, 13
EMBEDDING_RIDGE = 1.0
SMOOTHNESS = (1e3, 3e3, 1e4, 3e4)
N_FOLDS = 5
START_SCALES, N_EVALUATIONS, THINNING = (2.0, 0.86), 30, 4
SIMPLEX = np.array([[0.0, 0.0], [0.15, 0.0], [0.0, 0.05]])


@dataclass(frozen=True, eq=False)
class Parameters:
    """What is fitted: s, shape (S,), c, shape (S,), and w, shape (n_pairs, n_splines)."""

    density_scales: Array
    cubic_eV: Array
    pair_eV: Array


@dataclass(frozen=True)
class HeldOutErrors:
    """Root-mean-square errors of frames of one alloy, each structure left out of the linear fit."""

    frames: int
    energy_meV: float
    force_meV_A: float


@dataclass(frozen=True, eq=False)
class Result:
    """A fit.

    Attributes
    ----------
    table : EAMTable
    parameters : Parameters
    smoothness : float
        lambda.
    errors : dict of HeldOutErrors
        By alloy, such as ``"Mo-Ta"``, and for all.
    """

    table: EAMTable
    parameters: Parameters
    smoothness: float
    errors: dict[str, HeldOutErrors]


def fit(frames: Sequence[Frame], seed: int) -> Result:
    """Fit the cross terms.

    Parameters
    ----------
    frames : sequence of Frame
        Pure frames of every element, and alloys.
    seed : int
        Of the partition into folds.

    Raises
    ------
    ValueError
        If there are too few structures, or an element has no pure frame or no potential.
    """
    alloys = [frame for frame in frames if len(set(frame.atoms.symbols)) > 1]
    if not alloys:
        raise ValueError("no frame holds two elements or more: cross terms are fitted to alloys")
    dft, own = rest_of_frames(frames), rest_of_table(zhou_table())
    fold_of = {
        frame.structure: number
        for number, (_, held_out) in enumerate(folds_by_structure(alloys, N_FOLDS, seed))
        for frame in held_out
    }

    def problem(chosen: Sequence[Frame]) -> CrossFit:
        fold = np.array([fold_of[frame.structure] for frame in chosen])
        return CrossFit(gather(chosen, zhou_table(), dft, own), fold)

    whole = problem(alloys)
    linear = whole.at(best_scales(problem(alloys[::THINNING])))
    smoothness = min(SMOOTHNESS, key=linear.loss)
    parameters = linear.parameters(smoothness)
    errors = _errors_by_alloy(alloys, whole.cells, *linear.held_out(smoothness))
    return Result(build_table(parameters), parameters, smoothness, errors)


def _errors_by_alloy(
    frames: Sequence[Frame], cells: AlloyCells, energy_eV: Array, force_eV_A: Array
) -> dict[str, HeldOutErrors]:
    names = np.array(["-".join(sorted(set(frame.atoms.symbols))) for frame in frames])
    chosen = {name: names == name for name in sorted(set(names))} | {"all": names == names}
    return {
        str(name): HeldOutErrors(
            int(used.sum()),
            1e3 * float(np.sqrt(np.mean(energy_eV[used] ** 2))),
            1e3 * float(np.sqrt(np.mean(force_eV_A[used[cells.frame]] ** 2))),
        )
        for name, used in chosen.items()
    }


def best_scales(problem: CrossFit) -> Array:
    """Logarithms of s, of all elements but the first, with the least cross-validated loss."""
    start = np.log(START_SCALES)
    options = {"maxfev": N_EVALUATIONS, "initial_simplex": start + SIMPLEX}
    with tqdm(total=N_EVALUATIONS, unit="trial", disable=None) as bar:

        def loss(logs: Array) -> float:
            bar.update()
            return min(map(problem.at(logs).loss, SMOOTHNESS))

        return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


class CrossFit:
    """The least-squares problem of a set of cells, for any s.

    Parameters
    ----------
    cells : AlloyCells
    fold : int array, shape (n_frames,)
        Fold of every frame.
    """

    def __init__(self, cells: AlloyCells, fold: NDArray[np.int64]) -> None:
        self.cells, self.fold = cells, fold
        self._pair_rows = pair_rows(cells)

    def at(self, log_scales: Array) -> LinearFit:
        """The linear problem with these logarithms of s, of all elements but the first."""
        scales = np.exp([0.0, *log_scales])
        table = zhou_table(tuple(ZHOU), scales)
        terms = embedding_rows(self.cells, table, cubic_embedding(table, scales))
        energies, forces = (np.concatenate(both, axis=-1) for both in zip(self._pair_rows, terms))
        energy, force = evaluate(table, self.cells)
        return LinearFit(
            self.fold,
            self.fold[self.cells.frame],
            scales,
            energies,
            forces,
            self.cells.energy_eV - energy,
            self.cells.forces_eV_A - force,
            1 / self.cells.n[self.cells.frame],
        )


class LinearFit:
    """Normal equations fold by fold."""

    def __init__(
        self,
        fold: NDArray[np.int64],
        fold_of_atom: NDArray[np.int64],
        scales: Array,
        energy_rows: Array,
        force_rows: Array,
        energy: Array,
        force: Array,
        atom_weight: Array,
    ) -> None:
        self.scales = scales
        self._rows, self._wanted = (energy_rows, force_rows), (energy, force)
        self._members = (fold, fold_of_atom)
        self._weight = atom_weight / (3 * FORCE_ERROR_EV_A**2)
        self._normal = [self._equations(k) for k in range(N_FOLDS)]

    def _equations(self, number: int) -> tuple[Array, Array, float]:
        """Matrix, right side and square of the wanted values of a fold."""
        frames, atoms = (members == number for members in self._members)
        X, y = self._rows[0][frames] / ENERGY_ERROR_EV, self._wanted[0][frames] / ENERGY_ERROR_EV
        root = np.sqrt(self._weight[atoms])[:, None]
        Y = (root[..., None] * self._rows[1][atoms]).reshape(-1, X.shape[1])
        z = (root * self._wanted[1][atoms]).ravel()
        return X.T @ X + Y.T @ Y, X.T @ y + Y.T @ z, float(y @ y + z @ z)

    def _solve(self, smoothness: float, without: int | None = None) -> Array:
        kept = [eq for k, eq in enumerate(self._normal) if k != without]
        matrix, vector, _ = (sum(parts) for parts in zip(*kept))
        return np.linalg.solve(matrix + prior(smoothness, len(vector)), vector)

    def held_out(self, smoothness: float) -> tuple[Array, Array]:
        """Errors of energies and forces of each fold, fitted without it."""
        errors = tuple(np.empty_like(wanted) for wanted in self._wanted)
        for k in range(N_FOLDS):
            solution = self._solve(smoothness, without=k)
            for error, rows, wanted, members in zip(
                errors, self._rows, self._wanted, self._members
            ):
                error[members == k] = rows[members == k] @ solution - wanted[members == k]
        return errors[0], errors[1]

    def loss(self, smoothness: float) -> float:
        """Cross-validated sum of squares that the fit minimises."""
        solutions = [self._solve(smoothness, without=k) for k in range(N_FOLDS)]
        return sum(
            float(w @ matrix @ w - 2 * vector @ w) + square
            for w, (matrix, vector, square) in zip(solutions, self._normal)
        )

    def parameters(self, smoothness: float) -> Parameters:
        """From all folds."""
        solution, n = self._solve(smoothness), len(ZHOU)
        return Parameters(self.scales, solution[-n:], solution[:-n].reshape(len(_pairs()), -1))


def prior(smoothness: float, size: int) -> Array:
    """Matrix of the quadratic penalty."""
    matrix = EMBEDDING_RIDGE * np.eye(size)
    n_splines = N_INTERVALS - 3
    bend = np.diff(np.eye(n_splines + 4), 2, axis=0)[:, 2:-2]
    n_pair = n_splines * len(_pairs())
    matrix[:n_pair, :n_pair] = np.kron(np.eye(len(_pairs())), smoothness * bend.T @ bend)
    return matrix


def splines() -> list[BSpline]:
    """The cubic B-splines of the pair functions, nan outside."""
    knots = np.linspace(PAIR_START_A, CUTOFF_A, N_INTERVALS + 1)
    return [
        BSpline.basis_element(knots[k : k + 5], extrapolate=False) for k in range(N_INTERVALS - 3)
    ]


def pair_rows(cells: AlloyCells) -> tuple[Array, Array]:
    """Energies per atom and forces of each pair parameter.

    Returns
    -------
    energies : array, shape (n_frames, n_pairs * n_splines)
    forces : array, shape (n_atoms, 3, n_pairs * n_splines)
    """
    low = np.minimum(cells.codes[cells.i], cells.codes[cells.j])
    high = np.maximum(cells.codes[cells.i], cells.codes[cells.j])
    columns = []
    for a, b in _pairs():
        chosen = np.flatnonzero((low == a) & (high == b))
        for spline in splines():
            r_A = cells.distance_A[chosen]
            inside = np.isfinite(spline(r_A))
            near = chosen[inside]
            value, slope = (spline(r_A[inside], nu) for nu in (0, 1))
            energy = sums(cells.i[near], value / 2, len(cells.codes))
            columns.append(totals(cells, energy, near, slope))
    energies, forces = zip(*columns)
    return np.stack(energies, axis=-1), np.stack(forces, axis=-1)


def _pairs() -> list[tuple[int, int]]:
    return list(combinations(range(len(ZHOU)), 2))


def cubic_embedding(table: EAMTable, density_scales: Array) -> Array:
    """The third-order term of F for c = 1, shape (S, nrho)."""
    rho_e = np.array([ZHOU[name].rho_e for name in table.species])
    x: Array = table.rho / (density_scales * rho_e)[:, None]
    return x * (x - 1) ** 3 / (1 + (x - 1) ** 2) ** 1.5


def embedding_rows(cells: AlloyCells, table: EAMTable, terms: Array) -> tuple[Array, Array]:
    """Energies per atom and forces of an added embedding energy, as `pair_rows`, by species."""
    rows = [
        evaluate(
            replace(
                table,
                embedding=np.where(np.arange(len(terms))[:, None] == k, terms, 0.0),
                pair=np.zeros_like(table.pair),
            ),
            cells,
        )
        for k in range(len(terms))
    ]
    energies, forces = zip(*rows)
    return np.stack(energies, axis=-1), np.stack(forces, axis=-1)


def build_table(parameters: Parameters) -> EAMTable:
    """The potential with these parameters."""
    table = zhou_table(tuple(ZHOU), parameters.density_scales)
    pair = table.pair.copy()
    basis = np.array([np.nan_to_num(spline(table.r_A)) for spline in splines()])
    for (a, b), weights in zip(_pairs(), parameters.pair_eV):
        pair[a, b] += weights @ basis
        pair[b, a] = pair[a, b]
    cubic = cubic_embedding(table, parameters.density_scales)
    return replace(
        table, pair=pair, embedding=table.embedding + parameters.cubic_eV[:, None] * cubic
    )
