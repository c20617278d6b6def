"""Cross-validation: errors are those of data that were not fitted."""

from dataclasses import replace
from typing import Any

import numpy as np

from macro_ase.barriers.cross_validation import cross_validate, leave_out_compositions
from macro_ase.barriers.linear_fit import Problem, assemble, prior_of, solve

EVERYTHING = slice(None)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def some_sites(problem: Problem, number: int) -> Problem:
    """Hops into the first so many sites only."""
    keep = problem.site < number
    return replace(
        problem,
        hops=problem.hops[keep],
        barrier_eV=problem.barrier_eV[keep],
        site=problem.site[keep],
        composition=problem.composition[keep],
    )


def test_left_out_barriers_are_worse_than_fitted_ones(synthetic: Any) -> None:
    """Few noisy hops: errors are those of another crystal with the same noise, not of training."""
    truth, sigma_eV = synthetic.true_model(2), 0.1
    energies = synthetic.frames(truth, 60)
    problem = some_sites(assemble([synthetic.table(truth, 0, sigma_eV)], energies, 2), 16)
    prior = prior_of(2, 0.003, 0.003)
    w = solve(problem, prior, EVERYTHING, EVERYTHING)
    trained = rms(problem.hops @ w - problem.barrier_eV)
    unseen = assemble([synthetic.table(truth, 99, sigma_eV)], energies, 2)
    other = rms(unseen.hops @ w - unseen.barrier_eV)
    left_out = rms(cross_validate(problem, prior, seed=0)[0])
    assert trained < 0.8 * sigma_eV < sigma_eV < left_out
    assert abs(left_out - other) < 0.3 * other
    assert left_out > 1.5 * trained


def test_left_out_frames_are_worse_than_fitted_ones(synthetic: Any) -> None:
    truth, sigma_eV = synthetic.true_model(2), 0.02
    energies = synthetic.frames(truth, 16)
    noise = np.random.default_rng(0).normal(0, sigma_eV, 16)
    problem = assemble(
        [synthetic.table(truth, 0, 0.1)], replace(energies, energy_eV=energies.energy_eV + noise), 2
    )
    prior = prior_of(2, 0.03, 0.03)
    w = solve(problem, prior, EVERYTHING, EVERYTHING)
    trained = rms(problem.frames @ w - problem.formation_eV)
    left_out = rms(cross_validate(problem, prior, seed=0)[1])
    assert trained < 0.95 * sigma_eV < sigma_eV < left_out
    assert left_out > 1.1 * trained


def test_a_composition_that_is_left_out_is_left_out_whole(synthetic: Any) -> None:
    """Barriers that are higher by .3 eV in one composition: only its absence shows it."""
    truth = synthetic.true_model(2)
    tables = [
        synthetic.table(truth, seed, share=share)
        for seed, share in enumerate(([0.5, 0.5], [0.5, 0.5], [0.9, 0.1]))
    ]
    tables[2] = replace(tables[2], barrier_eV=tables[2].barrier_eV + 0.3)
    problem = assemble(tables, synthetic.frames(truth, 60), 2)
    prior = prior_of(2, 1e-3, 1e-3)
    error = leave_out_compositions(problem, prior)
    within = cross_validate(problem, prior, seed=0)[0]
    far = problem.composition == 2
    assert set(problem.composition) == {0, 1, 2} or set(problem.composition) == {0, 2}
    assert abs(error[far].mean() + 0.3) < 0.1
    assert np.abs(within[:, far]).mean() < 0.5 * np.abs(error[far]).mean()


def test_crystals_of_nearly_one_composition_are_left_out_together(synthetic: Any) -> None:
    truth, rng = synthetic.true_model(2), np.random.default_rng(0)
    tables = []
    for n_first in (64, 65, 32):
        table = synthetic.table(truth, n_first)
        codes = rng.permutation(np.arange(128) >= n_first).astype(np.int8)
        tables.append(replace(table, crystal=table.crystal.with_occupation(codes)))
    problem = assemble(tables, None, 2)
    assert [int(n) for n in problem.composition[::1024]] == [0, 0, 2]


def test_a_species_of_one_composition_alone_has_no_such_error(synthetic: Any) -> None:
    truth = synthetic.true_model(2)
    tables = [synthetic.table(truth, 0, share=[1.0, 0.0]), synthetic.table(truth, 1)]
    problem = assemble(tables, None, 2)
    error = leave_out_compositions(problem, prior_of(2, 1.0, 1.0))
    assert np.array_equal(np.isnan(error), problem.hopping == 1)
