"""The joint fit: how good it says it is, what it says cannot be trusted, the shipped fit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from macro_ase.barriers import KRABarriers
from macro_ase.barriers.fitting import energy_of, fit, load_data
from macro_ase.potentials import path as potential_path

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MAX_BARRIER_MAE_EV, MAX_FORMATION_RMS_MEV = 0.052, 3.0


@pytest.mark.slow
def test_fit_measures_itself(synthetic: Any) -> None:
    truth, sigma_eV = synthetic.true_model(2), 0.03
    data = synthetic.table(truth, 0, sigma_eV), synthetic.frames(truth, 60)
    model, metrics = fit([data[0]], data[1], seed=1)
    left = np.abs(
        synthetic.table(model, 99).barrier_eV - synthetic.table(truth, 99).barrier_eV
    ).mean()
    expected = np.hypot(left, sigma_eV * np.sqrt(2 / np.pi))
    assert metrics["barrier_cv_mae_eV"] == pytest.approx(expected, rel=0.15)
    assert metrics["n_barriers"] == 1024 and metrics["n_frames"] == 60
    again, repeated = fit([data[0]], data[1], seed=1)
    assert repeated == metrics
    np.testing.assert_array_equal(again.orbit_weights_eV, model.orbit_weights_eV)


@pytest.mark.slow
def test_barriers_alone_determine_the_energy_poorly(synthetic: Any) -> None:
    truth = synthetic.true_model(2)
    data = synthetic.table(truth, 0, 0.03)
    unseen = synthetic.frames(truth, 40, seed=1).energy_eV
    rms_meV = {}
    for name, energies in (("joint", synthetic.frames(truth, 60)), ("alone", None)):
        model, metrics = fit([data], energies)
        error = synthetic.frames(model, 40, seed=1).energy_eV - unseen
        rms_meV[name] = 1e3 * float(np.sqrt((error**2).mean()))
        assert ("formation_rms_meV" in metrics) == (name == "joint")
    assert rms_meV["joint"] < 1 and rms_meV["alone"] > 3 * rms_meV["joint"], rms_meV


def test_one_species_fits_and_can_be_saved(synthetic: Any, tmp_path: Path) -> None:
    model, metrics = fit([synthetic.table(synthetic.true_model(1), 0)], None)
    model.info["metrics"] = metrics
    model.info["provenance"] = {}
    model.save(tmp_path / "one.json")
    json.loads((tmp_path / "one.json").read_text(), parse_constant=pytest.fail)
    assert metrics["barrier_cv_mae_eV"] < 1e-5 and metrics["barrier_cv_r2"] == 0
    assert KRABarriers.load(tmp_path / "one.json").species == ("Nb",)


def test_the_shipped_fit_is_as_good_as_promised() -> None:
    metrics = json.loads(potential_path("NbMoTa-kra.json").read_text())["metrics"]
    assert 0 < metrics["barrier_cv_mae_eV"] <= MAX_BARRIER_MAE_EV
    assert 0 < metrics["formation_rms_meV"] <= MAX_FORMATION_RMS_MEV
    assert metrics["n_barriers"] == 1024 and metrics["n_frames"] > 900
    readme = (potential_path("NbMoTa-kra.json").parent / "README.md").read_text()
    for key, digits in (("barrier_cv_mae_eV", 4), ("barrier_cv_r2", 3), ("formation_rms_meV", 2)):
        assert f"| {metrics[key]:.{digits}f} ".replace(" 0.", " .") in readme
    alpha = metrics["alpha_2000K"]
    assert set(alpha) == {"Nb-Mo", "Nb-Ta", "Mo-Ta"}
    assert alpha["Mo-Ta"][0] < alpha["Nb-Mo"][0] < 0 < alpha["Nb-Ta"][0]
    assert all(0 < error < 0.005 for _, error in alpha.values())


@pytest.mark.skipif(not DATA.is_dir(), reason="the DFT data are not beside the repository")
def test_the_shipped_fit_can_be_remade() -> None:
    energies = [DATA / "nbmota_dft" / f"{n}.extxyz.gz" for n in ("elements", "solid_solutions")]
    tables, relaxed = load_data([DATA / "dft_neb_nbmota"], energies)
    model, metrics = fit(tables, relaxed)
    assert metrics["barrier_cv_mae_eV"] <= MAX_BARRIER_MAE_EV
    assert metrics["formation_rms_meV"] <= MAX_FORMATION_RMS_MEV
    shipped = KRABarriers.load()
    np.testing.assert_allclose(model.energy.pair_eV, shipped.energy.pair_eV, atol=1e-6)
    np.testing.assert_allclose(model.orbit_weights_eV, shipped.orbit_weights_eV, atol=1e-6)


@pytest.mark.slow
def test_an_energy_is_fitted_to_a_model_that_has_none(synthetic: Any) -> None:
    """From barriers of one crystal alone: energies of swaps in another come back."""
    truth = synthetic.true_model(2)
    found, crystal, rng = (
        energy_of(truth),
        synthetic.table(truth, 7).crystal,
        np.random.default_rng(0),
    )
    changes = []
    for _ in range(40):
        i, j = (rng.choice(np.flatnonzero(crystal.occupation == code)) for code in (0, 1))
        swapped = crystal.occupation.copy()
        swapped[[i, j]] = swapped[[j, i]]
        after = crystal.with_occupation(swapped)
        changes.append([e.energy(after) - e.energy(crystal) for e in (truth.energy, found)])
    true, fitted = np.array(changes).T
    assert np.corrcoef(true, fitted)[0, 1] > 0.95
    assert np.corrcoef(true, rng.permutation(fitted))[0, 1] < 0.6
