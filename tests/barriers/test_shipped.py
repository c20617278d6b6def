"""Barrier models that ship: found by name, as good as the page says, right in their physics."""

import itertools
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from macro_ase.barriers import KRABarriers, PairEnergyCalculator
from macro_ase.barriers.fitting import load_data
from macro_ase.barriers.linear_fit import assemble, prior_of, solve, unpack
from macro_ase.barriers.load import load_barriers
from macro_ase.barriers.shipped import barrier_file
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import VacancyKMC
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.observables.bonds import bond_counts
from macro_ase.observables.short_range_order import warren_cowley_from_bonds
from macro_ase.potentials import path as potential_path
from macro_ase.statistics import standard_error
from macro_ase.testing import assert_barriers, vacancy_hops

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FRAMES = [
    DATA / folder / f"{kind}{end}.extxyz.gz"
    for folder, end in (("nbmota_dft", ""), ("nbmotaw_dft", "_w"))
    for kind in ("elements", "solid_solutions")
]
WITH_W = ("NbMoTaW", "MoTaW", "NbMoW", "NbTaW")
MAX_BARRIER_MAE_EV, MAX_FORMATION_RMS_MEV = 0.054, 2.0
DROPPED = {"NbTaW": 37}
GROUP_V = {"Nb", "Ta"}


def shipped(name: str) -> KRABarriers:
    with warnings.catch_warnings(action="ignore"):
        return KRABarriers.load(name)


def test_a_name_a_file_and_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert barrier_file() == barrier_file("NbMoTa") == potential_path("NbMoTa-kra.json")
    assert load_barriers("NbMoTaW").species == ("Nb", "Mo", "Ta", "W")
    KRABarriers.load("NbMoW").save("NbMoTaW")  # a file of that name comes first
    assert KRABarriers.load("NbMoTaW").species == ("Nb", "Mo", "W")
    for unknown in ("NbMoTaW-kra", "NbMo", "../potentials/NbMoTaW", ""):
        with pytest.raises(FileNotFoundError, match="that ship are MoTaW, NbMoTa, NbMoTaW, NbMoW"):
            barrier_file(unknown)


@pytest.mark.parametrize("name", WITH_W)
def test_accuracy_as_promised(name: str) -> None:
    model = shipped(name)
    m = model.info["metrics"]
    assert 0 < m["barrier_cv_mae_eV"] <= MAX_BARRIER_MAE_EV and m["barrier_cv_r2"] > 0.95
    assert 0 < m["formation_rms_meV"] <= MAX_FORMATION_RMS_MEV
    assert m["n_collapsed"] == DROPPED.get(name, 0) and m["n_barriers"] == 1024 - m["n_collapsed"]
    page = (potential_path("NbMoTaW-kra.json").parent / "NbMoTaW-kra.md").read_text()
    row = [
        f"`{name}`",
        f"{m['barrier_cv_mae_eV']:.4f} ± {m['barrier_cv_mae_error_eV']:.4f}",
        f"{m['barrier_cv_r2']:.3f}",
        f"{m['formation_rms_meV']:.2f} ± {m['formation_rms_error_meV']:.2f}",
    ]
    assert f"| {' | '.join(row)} |".replace(" 0.", " .") in page
    command = model.info["provenance"]["command"]
    assert command.startswith(f"macro-ase fit-barriers {name} ") and "shared" not in str(model.info)


@pytest.mark.parametrize("name", WITH_W)
def test_barriers_by_species_are_those_given(name: str) -> None:
    """Mean and spread of predictions of left-out hops; W and Mo move with more effort."""
    by_species = shipped(name).info["metrics"]["species"]
    for found in by_species.values():
        assert abs(found["cv_mean_eV"] - found["mean_eV"]) < 0.01
        assert 0.88 < found["cv_std_eV"] / found["std_eV"] < 1
        assert found["cv_mae_eV"] < 0.3 * found["std_eV"]
    means = {s: found["mean_eV"] for s, found in by_species.items()}
    order = [s for s in ("Nb", "Ta", "Mo", "W") if s in means]
    assert sorted(means, key=means.__getitem__) == order


@pytest.mark.parametrize("name", WITH_W)
def test_unlike_groups_attract_and_like_ones_do_not(name: str) -> None:
    """Nb and Ta have five valence electrons, Mo and W six: alpha < 0 between the groups only."""
    alpha = shipped(name).info["metrics"]["alpha_2000K"]
    for pair, (value, error) in alpha.items():
        unlike = len(GROUP_V & set(pair.split("-"))) == 1
        assert (value < -3 * error) if unlike else (value > 3 * error), pair
    if "Mo-Ta" in alpha:
        assert min(alpha, key=lambda pair: alpha[pair][0]) == "Mo-Ta"


def test_energies_of_b2() -> None:
    """meV/atom, beside density functional theory."""
    dft = {"Nb-Mo": -115.6, "Nb-Ta": -0.1, "Nb-W": -33.8}
    dft |= {"Mo-Ta": -193.8, "Mo-W": -10.5, "Ta-W": -102.0}
    model, grid = shipped("NbMoTaW"), SiteGrid(BCC, (4, 4, 4))
    for a, b in itertools.combinations(range(4), 2):
        occupation = np.where(grid.coordinates[:, 0] % 2 == 0, a, b)
        energy = model.energy.energy(Crystal.from_sites(grid, model.species, occupation, 3.24))
        name = f"{model.species[a]}-{model.species[b]}"
        assert 1e3 * energy / grid.n_sites == pytest.approx(dft[name], abs=4), name


def test_a_hop_and_its_way_back_differ_by_the_energy() -> None:
    """Detailed balance with four species; the change with the wrong sign does not fit."""
    model = shipped("NbMoTaW")
    atoms = build_crystal("bcc", "NbMoTaW", (4, 4, 4), vacancies=1, rng=0)
    assert_barriers(vacancy_hops(model, atoms), [atoms.numbers], energy_of(model, atoms))


def energy_of(model: KRABarriers, atoms: Atoms) -> Callable[[Any], float]:
    """Energy by atomic numbers, in eV."""
    frame = atoms.copy()
    frame.calc = PairEnergyCalculator(model.energy)

    def energy_eV(numbers: tuple[int, ...]) -> float:
        frame.numbers[:] = numbers
        return float(frame.get_potential_energy())

    return energy_eV


def test_what_the_nbtaw_fit_cannot_be_trusted_in_is_said() -> None:
    with pytest.warns(UserWarning, match="3 of 987 barriers are far from what the others predict"):
        KRABarriers.load("NbTaW")


def alpha_by_hops(model: KRABarriers, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """First-shell alpha of 432 sites under vacancy hops at 2000 K, weighted by time, and errors."""
    atoms = build_crystal("bcc", "NbMoTaW", (6, 6, 6), vacancies=1, rng=1)
    kmc = VacancyKMC(atoms, model, 2000.0, rng=0)
    kmc.run(50_000)
    crystal = Crystal.from_atoms(atoms, species=model.species)
    neighbours, bonds, weights = crystal.grid.neighbors(BCC.shells(1)[0]), [], []
    for _ in range(samples):
        kmc.run(1000)
        occupation = Crystal.from_atoms(atoms, species=model.species).occupation
        bonds.append(bond_counts(occupation, neighbours, 5))
        weights.append(1 / kmc.rates.sum())
    alpha = warren_cowley_from_bonds(np.array(bonds), crystal.counts, 8)
    share = np.array(weights) / np.mean(weights)
    weighed = alpha * share[:, None, None]
    return weighed.mean(axis=0), standard_error(alpha)


@pytest.mark.slow
def test_hops_lead_to_the_order_that_the_energy_implies() -> None:
    """Kinetics of four species, beside swaps on the same energy; without the energy, no order."""
    model = shipped("NbMoTaW")
    value, error = alpha_by_hops(model, 400)
    energy = replace(model.energy, pair_eV=0 * model.energy.pair_eV)
    without, _ = alpha_by_hops(replace(model, energy=energy), 50)
    for pair, (stated, _) in model.info["metrics"]["alpha_2000K"].items():
        a, b = (model.species.index(s) for s in pair.split("-"))
        assert error[a, b] < 0.03
        assert abs(value[a, b] - stated) < 3 * error[a, b] + 0.005, pair  # 432 sites, not 2,000
    a, b = model.species.index("Mo"), model.species.index("Ta")
    assert value[a, b] < without[a, b] - 0.1


@pytest.mark.skipif(not DATA.is_dir(), reason="the DFT data are not beside the repository")
@pytest.mark.parametrize("name", ["NbMoTaW", "NbTaW"])
def test_they_can_be_remade(name: str) -> None:
    tables, frames = load_data([DATA / "dft_neb_w" / name], FRAMES)
    saved = shipped(name)
    m, n = saved.info["metrics"], len(saved.species)
    problem = assemble(tables, frames, n)
    assert m["n_barriers"] == len(problem.barrier_eV) and m["n_frames"] == len(problem.formation_eV)
    everything = slice(None)
    w = solve(problem, prior_of(n, m["orbit_strength"], m["pair_strength"]), everything, everything)
    model = unpack(w, saved.species, saved.compositions)
    np.testing.assert_allclose(model.energy.pair_eV, saved.energy.pair_eV, atol=1e-6)
    np.testing.assert_allclose(model.orbit_weights_eV, saved.orbit_weights_eV, atol=1e-6)


@pytest.mark.skipif(not DATA.is_dir(), reason="the DFT data are not beside the repository")
def test_the_collapsed_hops_of_nbtaw() -> None:
    """Dropped by rules that know no fit: the 18 not above the floor, and those they contradict."""
    ((table,), _) = load_data([DATA / "dft_neb_w" / "NbTaW"], [])
    assert len(table.collapsed) == 37
    values = [float(re.search(r"entry \d: (\S+) eV", c)[1]) for c in table.collapsed]  # type: ignore[index]
    assert sum(v <= 0 for v in values) == 6 and sum(0 < v <= 0.006 for v in values) == 12
    assert table.barrier_eV.min() > 0.1
