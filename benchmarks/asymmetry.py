"""Does the kinetically resolved barrier fail where the two ends of a hop differ much?

    python benchmarks/asymmetry.py FOLDER --energies FILE [FILE ...]

The folder and files are those of `macro-ase fit-barriers`. Every barrier is predicted by a fit that
has not seen its vacancy site. What is left, given less predicted, is shown by how much the two ends
differ in energy, |dE| of the fit: its mean (a bias of the form), its spread, and the mean absolute
error. Below, what a parabola would add: E_KRA + c dE^2, with c fitted to what is left. Errors are
standard errors over vacancy sites.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from macro_ase.barriers.cross_validation import choose_prior, cross_validate
from macro_ase.barriers.fitting import load_data
from macro_ase.barriers.linear_fit import N_SHELLS, Problem, assemble, prior_of, solve

EDGES_EV = (0.0, 0.1, 0.2, 0.3, 0.45, np.inf)


def energy_changes(problem: Problem, prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """dE of every hop in eV, by the fit to all data."""
    n = problem.n_species
    pairs, tail = N_SHELLS * n * (n + 1) // 2, n * (n - 1) // 2
    columns = slice(-pairs - tail, -tail or None)
    return 2 * problem.hops[:, columns] @ solve(problem, prior, slice(None), slice(None))[columns]


def by_site(values: NDArray[np.float64], site: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and its standard error, from the means of vacancy sites."""
    means = np.array([values[site == s].mean() for s in np.unique(site)])
    return float(values.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def curvature(left: NDArray[np.float64], dE: NDArray[np.float64]) -> float:
    """c of left = c (dE^2 - <dE^2>), in 1/eV."""
    x = dE**2 - np.mean(dE**2)
    return float(x @ left / (x @ x))


def main() -> None:
    """Fit with sites left out, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--energies", type=Path, nargs="+", required=True)
    args = parser.parse_args()
    tables, frames = load_data([args.folder], args.energies)
    problem = assemble(tables, frames, len(tables[0].crystal.species) - 1)
    prior = prior_of(problem.n_species, *choose_prior(problem, 0))
    left, dE = -cross_validate(problem, prior, 0)[0].mean(axis=0), energy_changes(problem, prior)
    print(f"{'|dE| (eV)':>12} {'hops':>5} {'mean left (eV)':>18} {'spread':>7} {'MAE':>6}")
    for low, high in pairwise(EDGES_EV):
        here = (low <= np.abs(dE)) & (np.abs(dE) < high)
        mean, error = by_site(left[here], problem.site[here])
        spread, mae = left[here].std(), np.abs(left[here]).mean()
        print(f"{low:5.2f}-{high:<6.2f} {here.sum():5d} {mean:+9.4f} +- {error:.4f}", end="")
        print(f" {spread:9.4f} {mae:6.4f}")
    sites, rng = np.unique(problem.site), np.random.default_rng(0)
    drawn = [rng.choice(sites, len(sites)) for _ in range(400)]
    rows = [np.concatenate([np.flatnonzero(problem.site == s) for s in d]) for d in drawn]
    c, error = curvature(left, dE), np.std([curvature(left[r], dE[r]) for r in rows])
    explained = 1 - np.var(left - c * dE**2) / np.var(left)
    print(f"c = {c:+.4f} +- {error:.4f} per eV; explains {explained:.1%} of what is left")
    activation = np.mean(problem.barrier_eV - dE / 2)
    crossing = f"{activation:.2f} eV have {1 / (16 * activation):.4f}"
    print(f"equal parabolas that cross at E_KRA = {crossing}")


if __name__ == "__main__":
    main()
