"""What a fit says of itself: silent where it is good, a sentence where it cannot be trusted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from macro_ase.barriers.fit_data import BarrierTable
from macro_ase.barriers.fitting import fit
from macro_ase.barriers.formation_frames import FormationFrames


def hops(table: BarrierTable, keep: np.ndarray) -> BarrierTable:
    """The table with some of its hops."""
    return replace(
        table,
        vacancy=table.vacancy[keep],
        target=table.target[keep],
        barrier_eV=table.barrier_eV[keep],
    )


@pytest.fixture(scope="module")
def good(synthetic: Any) -> tuple[BarrierTable, FormationFrames]:
    truth = synthetic.true_model(2)
    return synthetic.table(truth, 0, 0.03), synthetic.frames(truth, 60)


def test_a_good_fit_is_silent(good: tuple[BarrierTable, FormationFrames]) -> None:
    model, metrics = fit([good[0]], good[1])
    assert model.fit_warnings == () and model.unfitted_species == ()
    assert metrics["outliers"] == []
    assert sum(metrics["n_hops"].values()) == metrics["n_barriers"] == 1024


def test_hops_of_one_species_alone(good: tuple[BarrierTable, FormationFrames]) -> None:
    hopping = good[0].crystal.occupation[good[0].target]
    model, metrics = fit([hops(good[0], hopping == 0)], good[1])
    assert model.unfitted_species == ("Mo",)
    assert "no hop of Mo was fitted: nothing is known of such barriers" in model.fit_warnings
    assert metrics["n_hops"]["Mo"] == 0


def test_a_rare_species(good: tuple[BarrierTable, FormationFrames]) -> None:
    hopping = good[0].crystal.occupation[good[0].target]
    few = np.flatnonzero(hopping == 1)[:5]
    model, _ = fit([hops(good[0], (hopping == 0) | np.isin(np.arange(1024), few))], good[1])
    assert model.unfitted_species == ()
    assert model.fit_warnings == (
        "only 5 of the fitted hops are of Mo, fewer than its 18 parameters",
    )


def test_fewer_hops_than_parameters(good: tuple[BarrierTable, FormationFrames]) -> None:
    model, metrics = fit([hops(good[0], np.arange(1024) < 80)], good[1])
    assert f"80 barriers were fitted with {metrics['n_parameters']} parameters" in (
        model.fit_warnings
    )


def test_hops_into_one_site_are_refused(good: tuple[BarrierTable, FormationFrames]) -> None:
    with pytest.raises(ValueError, match="all hops lead into one site"):
        fit([hops(good[0], good[0].vacancy == 7)], good[1])


def test_no_better_than_the_mean(good: tuple[BarrierTable, FormationFrames]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, 1024)
    model, metrics = fit([replace(good[0], barrier_eV=good[0].barrier_eV + noise)], good[1])
    assert metrics["barrier_cv_r2"] < 0
    assert any(f"R^2 = {metrics['barrier_cv_r2']:.2f}" in text for text in model.fit_warnings)


@pytest.mark.parametrize("factor", [0.3, 2.5])
def test_an_outlier_is_named(good: tuple[BarrierTable, FormationFrames], factor: float) -> None:
    wrong, names = good[0].barrier_eV.copy(), tuple(f"line {n}" for n in range(1024))
    wrong[17] *= factor
    model, metrics = fit([replace(good[0], barrier_eV=wrong, names=names)], good[1])
    assert len(metrics["outliers"]) == 1 and metrics["outliers"][0].startswith("line 17, ")
    predicted = float(metrics["outliers"][0].split()[2])
    assert predicted == pytest.approx(good[0].barrier_eV[17], abs=0.15)
    said = "1 of 1024 barriers are far from what the others predict: line 17, "
    assert any(text.startswith(said) for text in model.fit_warnings)


def test_an_outlier_among_few_is_far_from_their_median(
    good: tuple[BarrierTable, FormationFrames],
) -> None:
    few = hops(good[0], np.arange(1024) % 60 == 0)
    assert fit([few], good[1])[1]["outliers"] == []
    few.barrier_eV[3] = 7.0
    (outlier,) = fit([few], good[1])[1]["outliers"]
    assert outlier.startswith("number 3, 1.")


def test_hops_and_their_way_back_that_disagree(
    good: tuple[BarrierTable, FormationFrames],
) -> None:
    model, _ = fit([replace(good[0], closure_error_eV=0.1)], good[1])
    assert (
        "do not add up to 0 around closed loops: they are wrong by 0.10 eV"
        in (model.fit_warnings[0])
    )


def test_many_collapsed_hops(good: tuple[BarrierTable, FormationFrames]) -> None:
    model, _ = fit([replace(good[0], collapsed=("gone",) * 60)], good[1])
    assert model.fit_warnings == ("60 hops have collapsed beside 1024 that were fitted",)


def test_barriers_in_rydberg(good: tuple[BarrierTable, FormationFrames]) -> None:
    model, _ = fit([replace(good[0], barrier_eV=good[0].barrier_eV / 13.6)], good[1])
    assert any("is that their unit?" in text for text in model.fit_warnings)


@pytest.mark.slow
def test_no_energies_and_missing_pairs(synthetic: Any) -> None:
    truth = synthetic.true_model(3)
    table, frames = synthetic.table(truth, 0, 0.03), synthetic.frames(truth, 60)
    assert fit([table], None)[0].fit_warnings[0].startswith("no formation energies were given")
    crystals = [c.with_occupation(2 * (c.occupation % 2)) for c in frames.crystals]
    energies = np.array([truth.energy.energy(c) / c.grid.n_sites for c in crystals])
    model, _ = fit([table], FormationFrames(crystals, energies, 0))
    for pair in ("Nb and Mo", "Mo and Ta"):
        assert f"no frame holds both {pair}: their bonds come from barriers alone" in (
            model.fit_warnings
        )
    assert not any("Nb and Ta" in text for text in model.fit_warnings)


def test_energies_that_are_noise(good: tuple[BarrierTable, FormationFrames]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 60)
    model, _ = fit([good[0]], replace(good[1], energy_eV=good[1].energy_eV + noise))
    assert any("formation energies are predicted to" in text for text in model.fit_warnings)


def test_an_energy_that_is_wrong_is_named(good: tuple[BarrierTable, FormationFrames]) -> None:
    wrong, names = good[1].energy_eV.copy(), tuple(f"frame {n}" for n in range(60))
    wrong[7] += 0.3
    model, metrics = fit([good[0]], replace(good[1], energy_eV=wrong, names=names))
    assert len(metrics["formation_outliers"]) == 1
    said = (
        f"1 of 60 formation energies are far from what the others predict: frame 7: {wrong[7]:.3f}"
    )
    assert any(text.startswith(said) for text in model.fit_warnings)


@pytest.mark.slow
def test_compositions_that_the_others_do_not_predict(synthetic: Any) -> None:
    truth = synthetic.true_model(2)
    tables = [
        synthetic.table(truth, seed, 0.02, share)
        for seed, share in enumerate(([0.5, 0.5], [0.9, 0.1]))
    ]
    energies = synthetic.frames(truth, 60)
    model, metrics = fit(tables, energies)
    assert model.fit_warnings == () and len(metrics["compositions"]) == 2
    assert metrics["left_out_composition_mae_eV"] < 0.06
    tables[1] = replace(tables[1], barrier_eV=tables[1].barrier_eV + 0.3)
    model, metrics = fit(tables, energies)
    assert metrics["left_out_composition_mae_eV"] > 0.15
    (text,) = model.fit_warnings
    assert text.startswith("barriers of a whole composition that was left out are predicted to 0.")
