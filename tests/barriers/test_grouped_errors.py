"""Errors by species and composition: what they are of, and how well they are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from macro_ase.barriers.cross_validation import cross_validate
from macro_ase.barriers.grouped_errors import composition_errors, species_errors
from macro_ase.barriers.linear_fit import Problem, assemble, prior_of

PRIOR = prior_of(2, 1e-2, 1e-2)
EVEN, RICH = np.array([0.5, 0.5]), np.array([0.2, 0.8])


def measured(problem: Problem, tables: list[Any]) -> dict[str, Any]:
    error = cross_validate(problem, PRIOR, 0)[0]
    return composition_errors(problem, PRIOR, error, tables, 0)["compositions"]


def two_tables(synthetic: Any, sign: int) -> tuple[Problem, list[Any]]:
    """Two compositions; the second has the orbit weights of the first, times a sign."""
    truth, sigma_eV = synthetic.true_model(2), 0.03
    other = replace(truth, orbit_weights_eV=sign * truth.orbit_weights_eV)
    tables = [
        synthetic.table(model, n, sigma_eV, share)
        for n, (model, share) in enumerate(((truth, EVEN), (other, RICH)))
    ]
    return assemble(tables, synthetic.frames(truth, 60), 2), tables


@pytest.mark.slow
def test_one_law_is_fitted_together_as_well_as_alone(synthetic: Any) -> None:
    for found in measured(*two_tables(synthetic, 1)).values():
        assert found["together_less_alone_eV"] < 2 * found["together_less_alone_error_eV"]


@pytest.mark.slow
def test_two_laws_are_better_fitted_apart(synthetic: Any) -> None:
    for found in measured(*two_tables(synthetic, -1)).values():
        assert found["together_less_alone_eV"] > 4 * found["together_less_alone_error_eV"]
        assert found["left_out_less_together_eV"] > 4 * found["left_out_less_together_error_eV"]
        assert found["alone_mae_eV"] == pytest.approx(0.03 * np.sqrt(2 / np.pi), rel=0.25)
        difference = found["cv_mae_eV"] - found["alone_mae_eV"]
        assert found["together_less_alone_eV"] == pytest.approx(difference)
        apart = np.hypot(found["cv_mae_error_eV"], found["alone_mae_error_eV"])
        assert found["together_less_alone_error_eV"] < apart  # the same hops, paired


@pytest.mark.slow
def test_a_shift_of_a_composition_is_seen_where_it_is_left_out(synthetic: Any) -> None:
    """Barriers .2 eV higher in the second: it is predicted as before, too low by .2 eV more."""
    problem, tables = two_tables(synthetic, 1)
    second = problem.composition == 1
    higher = replace(problem, barrier_eV=problem.barrier_eV + 0.2 * second)
    before, after = (list(measured(p, tables).values()) for p in (problem, higher))
    for n, expected in enumerate((0.2, -0.2)):
        found = after[n]["left_out_shift_eV"] - before[n]["left_out_shift_eV"]
        assert found == pytest.approx(expected, abs=1e-3)
        assert after[n]["left_out_shift_error_eV"] < 0.01


def test_errors_know_that_hops_into_one_site_go_together(synthetic: Any) -> None:
    """Errors that are one number a site: n_sites values and not 8 times as many."""
    problem = assemble([synthetic.table(synthetic.true_model(2), 0)], None, 2)
    of_site = np.random.default_rng(0).normal(0, 0.05, 128)
    alike = species_errors(problem, of_site[problem.site][None], ("Nb", "Mo"), 0)
    single = np.random.default_rng(0).normal(0, 0.05, len(problem.site))
    apart = species_errors(problem, single[None], ("Nb", "Mo"), 0)
    for name, code in (("Nb", 0), ("Mo", 1)):
        of = problem.hopping == code
        assert alike[name]["cv_mae_eV"] == pytest.approx(np.abs(of_site[problem.site[of]]).mean())
        folded = 0.05 * np.sqrt(1 - 2 / np.pi)
        assert alike[name]["cv_mae_error_eV"] == pytest.approx(folded / np.sqrt(128), rel=0.3)
        assert apart[name]["cv_mae_error_eV"] == pytest.approx(folded / np.sqrt(of.sum()), rel=0.3)


def test_means_and_spreads_are_those_of_the_hops(synthetic: Any) -> None:
    problem = assemble([synthetic.table(synthetic.true_model(2), 0)], None, 2)
    found = species_errors(problem, np.full((3, len(problem.site)), 0.1), ("Nb", "Mo"), 0)
    for name, code in (("Nb", 0), ("Mo", 1)):
        barrier = problem.barrier_eV[problem.hopping == code]
        assert found[name]["mean_eV"] == pytest.approx(barrier.mean())
        assert found[name]["cv_mean_eV"] == pytest.approx(barrier.mean() + 0.1)
        assert found[name]["cv_std_eV"] == pytest.approx(barrier.std())
        assert found[name]["cv_mae_eV"] == pytest.approx(0.1)
        assert found[name]["cv_mae_error_eV"] == pytest.approx(0, abs=1e-12)


def test_what_cannot_be_known_is_not_there(synthetic: Any) -> None:
    """Errors of a composition alone need hops into two sites of it."""
    truth = synthetic.true_model(2)
    tables = [synthetic.table(truth, 0, share=np.array([1.0, 0.0])), synthetic.table(truth, 1)]
    one = tables[1].vacancy == 0
    tables[1] = replace(
        tables[1],
        vacancy=tables[1].vacancy[one],
        target=tables[1].target[one],
        barrier_eV=tables[1].barrier_eV[one],
    )
    problem = assemble(tables, None, 2)
    found = measured(problem, tables)
    assert list(found) == [
        "Nb1.000",
        f"Nb{tables[1].composition[0]:.3f}Mo{tables[1].composition[1]:.3f}",
    ]
    pure, mixed = found.values()
    assert mixed["alone_mae_eV"] is None and mixed["alone_mae_error_eV"] is None
    assert pure["alone_mae_eV"] < 1e-3 and pure["left_out_mae_eV"] is not None
    mo = species_errors(assemble(tables[:1], None, 2), np.zeros((1, 1024)), ("Nb", "Mo"), 0)
    assert set(mo) == {"Nb"}


def test_one_composition_has_nothing_to_be_left_out(synthetic: Any) -> None:
    tables = [synthetic.table(synthetic.true_model(2), 0)]
    problem = assemble(tables, None, 2)
    assert composition_errors(problem, PRIOR, np.zeros((1, 1024)), tables, 0) == {}
