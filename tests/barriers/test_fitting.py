"""The joint fit: known parameters come back, bad data are refused, the shipped fit is good."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from macro_ase.barriers import KRABarriers
from macro_ase.barriers.fit_data import BarrierTable, FormationFrames, read_table
from macro_ase.barriers.fitting import _prior, assemble, energy_of, fit, load_data, solve, unpack
from macro_ase.barriers.orbits import HOP_DIRECTIONS
from macro_ase.build import build_crystal
from macro_ase.kinetics.padding import pad, padded_sites
from macro_ase.kinetics.vacancy_walk import evaluate_barriers
from macro_ase.lattice import BCC, Crystal, SiteGrid
from macro_ase.potentials import path as potential_path

SPECIES = ("Nb", "Mo", "Ta", "W", "V")
DATA = Path(__file__).parents[2].parent / "shared" / "data"
MAX_BARRIER_MAE_EV, MAX_FORMATION_RMS_MEV = 0.052, 3.0


def true_model(n: int) -> KRABarriers:
    """Random parameters in the form of the fit, far from the floor of E_KRA."""
    rng = np.random.default_rng(n)
    width = len(_prior(n, 1.0, 1.0))
    w = rng.normal(0, 0.004, width)
    w[:n] = rng.uniform(1.0, 1.4, n)
    return unpack(w, SPECIES[:n], np.full((1, n), 1 / n))


def table(model: KRABarriers, seed: int) -> BarrierTable:
    """All barriers of a random crystal of 128 sites under a model."""
    grid, n = SiteGrid(BCC, (4, 4, 4)), len(model.species)
    occupation = np.random.default_rng(seed).integers(0, n, grid.n_sites).astype(np.int8)
    barriers = np.empty((grid.n_sites, 8))
    tables, neighbours = model.tables(grid), grid.neighbors(HOP_DIRECTIONS)
    for site in range(grid.n_sites):
        vacant = occupation.copy()
        vacant[site] = n
        place = int(padded_sites(grid, site))
        evaluate_barriers(tables, pad(grid, vacant), place, site % 2, barriers[site])
    crystal = Crystal.from_sites(grid, model.species, occupation, 3.2)
    sites = np.repeat(np.arange(grid.n_sites), 8)
    return BarrierTable(crystal, sites, neighbours.ravel(), barriers.ravel(), ())


def frames(model: KRABarriers, number: int, seed: int = 0) -> FormationFrames:
    """Formation energies of random crystals of all compositions under a model."""
    rng, grid, n = np.random.default_rng(seed), SiteGrid(BCC, (3, 3, 3)), len(model.species)
    crystals = [
        Crystal.from_sites(
            grid, model.species, rng.choice(n, grid.n_sites, p=rng.dirichlet(np.ones(n))), 3.2
        )
        for _ in range(number)
    ]
    energies = [model.energy.energy(c) / grid.n_sites for c in crystals]
    return FormationFrames(crystals, np.array(energies), 0)


@pytest.mark.parametrize(("n", "crystals"), [(1, 1), (2, 1), (5, 2)])
def test_known_parameters_are_recovered(n: int, crystals: int) -> None:
    truth = true_model(n)
    tables = [table(truth, seed) for seed in range(crystals)]
    energies = frames(truth, 40 * n) if n > 1 else None
    problem = assemble(tables, energies, n)
    w = solve(problem, 1e-9 * _prior(n, 1.0, 1.0), slice(None), slice(None))
    found = unpack(w, truth.species, truth.compositions)
    unseen = table(truth, 99)
    np.testing.assert_allclose(table(found, 99).barrier_eV, unseen.barrier_eV, atol=2e-5)
    if n > 1:
        other = frames(truth, 20, seed=1)
        got = frames(found, 20, seed=1).energy_eV
        np.testing.assert_allclose(got, other.energy_eV, atol=1e-6)
        np.testing.assert_allclose(found.energy.pair_eV, truth.energy.pair_eV, atol=2e-4)
        np.testing.assert_allclose(found.activation_eV, truth.activation_eV, atol=2e-4)


def noisy_table(model: KRABarriers, sigma_eV: float) -> BarrierTable:
    t = table(model, 0)
    noise = np.random.default_rng(0).normal(0, sigma_eV, len(t.barrier_eV))
    return BarrierTable(t.crystal, t.vacancy, t.target, t.barrier_eV + noise, ())


def test_fit_measures_itself() -> None:
    truth, sigma_eV = true_model(2), 0.03
    data = noisy_table(truth, sigma_eV), frames(truth, 60)
    model, metrics = fit([data[0]], data[1], seed=1)
    left = np.abs(table(model, 99).barrier_eV - table(truth, 99).barrier_eV).mean()
    expected = np.hypot(left, sigma_eV * np.sqrt(2 / np.pi))
    assert metrics["barrier_cv_mae_eV"] == pytest.approx(expected, rel=0.15)
    assert metrics["n_barriers"] == 1024 and metrics["n_frames"] == 60
    again, repeated = fit([data[0]], data[1], seed=1)
    assert repeated == metrics
    np.testing.assert_array_equal(again.orbit_weights_eV, model.orbit_weights_eV)


def test_barriers_alone_determine_the_energy_poorly() -> None:
    truth = true_model(2)
    data = noisy_table(truth, 0.03)
    unseen = frames(truth, 40, seed=1).energy_eV
    rms_meV = {}
    for name, energies in (("joint", frames(truth, 60)), ("alone", None)):
        model, metrics = fit([data], energies)
        error = frames(model, 40, seed=1).energy_eV - unseen
        rms_meV[name] = 1e3 * float(np.sqrt((error**2).mean()))
        assert ("formation_rms_meV" in metrics) == (name == "joint")
    assert rms_meV["joint"] < 1 and rms_meV["alone"] > 3 * rms_meV["joint"], rms_meV


def test_one_species_fits_and_can_be_saved(tmp_path: Path) -> None:
    model, metrics = fit([table(true_model(1), 0)], None)
    model.info["metrics"] = metrics
    model.info["provenance"] = {}
    model.save(tmp_path / "one.json")
    json.loads((tmp_path / "one.json").read_text(), parse_constant=pytest.fail)
    assert metrics["barrier_cv_mae_eV"] < 1e-5 and metrics["barrier_cv_r2"] == 0
    assert KRABarriers.load(tmp_path / "one.json").species == ("Nb",)


def write_table(folder: Path, **changes: float) -> np.ndarray:
    """A POSCAR of 54 atoms with its tables; returns the barriers."""
    atoms = build_crystal("bcc", "NbMo", (3, 3, 3), rng=0)
    atoms = atoms[np.argsort(atoms.get_chemical_symbols(), kind="stable")]
    crystal = Crystal.from_atoms(atoms)
    atom_at = np.argsort(crystal.site_of_atom)
    ids = atom_at[crystal.grid.neighbors(HOP_DIRECTIONS)[crystal.site_of_atom]] + 1
    barriers = np.random.default_rng(0).normal(1, 0.1, ids.shape)
    for place, value in changes.items():
        barriers.flat[int(place[1:])] = value
    folder.mkdir(exist_ok=True)
    write(folder / "POSCAR", atoms, format="vasp")
    np.savetxt(folder / "atomid_for_NN.txt", ids, fmt="%d")
    np.savetxt(folder / "barrier_for_NN.txt", barriers)
    return barriers


def test_collapsed_hops_are_dropped_and_counted(tmp_path: Path) -> None:
    barriers = write_table(tmp_path, i3=-0.2, i17=-0.01, i200=0.0, i300=np.nan)
    (table,), none = load_data(tmp_path, [])
    assert (
        none is None
        and len(table.collapsed) == 3
        and table.collapsed[0].endswith("line 1, entry 4: -0.2 eV")
    )
    assert len(table.barrier_eV) == 54 * 8 - 4
    np.testing.assert_allclose(table.barrier_eV, barriers.ravel()[barriers.ravel() > 0])
    assert fit([table], None)[1]["n_collapsed"] == 3


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("POSCAR", None, "no POSCAR"),
        ("POSCAR", "nonsense", "POSCAR cannot be read"),
        ("atomid_for_NN.txt", None, r"expected one atomid\*.txt"),
        ("barrier_for_NN.txt", "1 2\n3 4\n", "54 atoms need tables of 54 x 8"),
        ("barrier_for_NN.txt", "1 two\n", "two"),
        ("barrier_for_NN.txt", "-1 " * 8 + "\n", "54 x 8"),
        ("atomid_for_NN.txt", ("0 " * 8 + "\n") * 54, r"whole and lie in 1..54"),
        ("atomid_for_NN.txt", ("1.5 " * 8 + "\n") * 54, r"whole and lie in 1..54"),
        ("atomid_for_NN.txt", ("1 " * 8 + "\n") * 54, "line 1, entry 1 is no first neighbour"),
        ("barrier_for_NN.txt", ("-1 " * 8 + "\n") * 54, "no barrier is positive"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, file: str, text: str | None, message: str) -> None:
    write_table(tmp_path)
    (tmp_path / file).unlink()
    if text is not None:
        (tmp_path / file).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_data(tmp_path, [])


def test_folders_of_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(tmp_path / name)
    tables, _ = load_data(tmp_path, [])
    assert len(tables) == 2
    np.testing.assert_array_equal(
        tables[0].barrier_eV, read_table(tmp_path / "b", tables[0].crystal.species[:-1]).barrier_eV
    )


ELEMENTS = '1\nenergy=-10.0 Lattice="3.2 0 0 0 3.2 0 0 0 3.2" pbc="T T T" {}\n{} 0 0 0\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "cannot be read as extxyz"),
        (ELEMENTS.format("", "Nb").replace("energy=-10.0 ", ""), "frame 0 has no energy"),
        (ELEMENTS.format("", "Nb"), "no relaxed bcc alloy frames"),
    ],
)
def test_bad_energies_are_refused(tmp_path: Path, text: str, message: str) -> None:
    write_table(tmp_path)
    file = tmp_path / "frames.extxyz"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_data(tmp_path, [file])
    with pytest.raises(FileNotFoundError, match="gone"):
        load_data(tmp_path, [tmp_path / "gone.extxyz"])


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
    tables, relaxed = load_data(DATA / "dft_neb_nbmota", energies)
    model, metrics = fit(tables, relaxed)
    assert metrics["barrier_cv_mae_eV"] <= MAX_BARRIER_MAE_EV
    assert metrics["formation_rms_meV"] <= MAX_FORMATION_RMS_MEV
    shipped = KRABarriers.load()
    np.testing.assert_allclose(model.energy.pair_eV, shipped.energy.pair_eV, atol=1e-6)
    np.testing.assert_allclose(model.orbit_weights_eV, shipped.orbit_weights_eV, atol=1e-6)


def test_an_energy_is_fitted_to_a_model_that_has_none() -> None:
    """From barriers of one crystal alone: energies of swaps in another come back."""
    truth = true_model(2)
    found, crystal, rng = energy_of(truth), table(truth, 7).crystal, np.random.default_rng(0)
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
