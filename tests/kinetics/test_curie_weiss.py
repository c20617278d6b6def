"""Curie-Weiss dynamics, by counts and site by site, against the exact master equation."""

import numpy as np
import pytest

from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss
from macro_ase.engines.spins.ensemble import SpinEnsemble, curie_weiss_paths
from macro_ase.engines.spins.lattice import random_spins
from macro_ase.engines.spins.models import CurieWeiss
from macro_ase.kinetics.curie_weiss import mean_field_energies
from macro_ase.kinetics.ising import CORE_MAGNETISATION, FLIPS, MAGNETISATION

N, TEMPERATURE, FIELD = 60, 1.1, 0.1
TIMES = np.array([0.5, 2.0, 8.0, 40.0])
REPLICAS = 20_000


def sigmas(paths: np.ndarray, exact: ExactCurieWeiss) -> np.ndarray:
    """Deviations of mean and mean square of m, paths of shape (n, n_times), in their errors."""
    m = paths / N
    mean, std = exact.moments(-0.5, TIMES)
    means = (m.mean(axis=0) - mean) / (m.std(axis=0) / np.sqrt(len(m)))
    squares = m**2
    error = squares.std(axis=0) / np.sqrt(len(m))
    return np.concatenate([means, (squares.mean(axis=0) - mean**2 - std**2) / error])


def by_counts() -> np.ndarray:
    start = np.full(REPLICAS, -N // 2)
    return curie_weiss_paths(CurieWeiss(N, FIELD), start, TEMPERATURE, TIMES, rng=1)[..., 0]


def by_sites() -> np.ndarray:
    spins = np.tile(random_spins(N, -0.5, 0), (REPLICAS, 1))
    ensemble = SpinEnsemble(CurieWeiss(N, FIELD), spins, TEMPERATURE, rng=2)
    records = ensemble.advance(TIMES)
    np.testing.assert_array_equal(ensemble.spins.sum(axis=1), records[:, -1, MAGNETISATION])
    return records[..., MAGNETISATION]


@pytest.mark.slow
def test_paths_follow_the_master_equation() -> None:
    exact = ExactCurieWeiss(N, TEMPERATURE, FIELD)
    for paths in (by_counts(), by_sites()):
        assert np.abs(sigmas(paths, exact)).max() < 4
        for wrong in (ExactCurieWeiss(N, 1.15, FIELD), ExactCurieWeiss(N, TEMPERATURE, 0.11)):
            assert np.abs(sigmas(paths, wrong)).max() > 4


def test_flips_come_at_their_rate() -> None:
    exact = ExactCurieWeiss(N, TEMPERATURE, FIELD)
    p = exact.stationary()
    start = 2 * np.random.default_rng(0).choice(N + 1, 4000, p=p) - N
    flips = curie_weiss_paths(CurieWeiss(N, FIELD), start, TEMPERATURE, 50.0, rng=3)[:, 0, 1]
    error = flips.std() / np.sqrt(len(flips))
    assert abs(flips.mean() - 50 * N / exact.mean_time_of_flips()) < 4 * error


def test_energy_differences() -> None:
    model = CurieWeiss(N, FIELD)
    spins = random_spins(N, 0.2, 0)[None]
    before = model.energy(model.tally(spins))
    for site in range(N):
        flipped = spins.copy()
        flipped[0, site] *= -1
        row, ups = int(spins[0, site] > 0), int((spins[0] > 0).sum())
        change = model.energy(model.tally(flipped)) - before
        assert change == pytest.approx(mean_field_energies(N, FIELD)[row, ups])


def test_a_patch_feels_the_frozen_rest() -> None:
    """With one active site the chain has two states, whose weights the field of all decides."""
    spins, site = random_spins(N, 0.5, 1), 7
    core = np.arange(N) == site
    ensemble = SpinEnsemble(
        CurieWeiss(N, FIELD), np.tile(spins, (4000, 1)), TEMPERATURE, 4, [site], core
    )
    records = ensemble.advance(20.0)[:, 0]
    others = np.delete(np.arange(N), site)
    np.testing.assert_array_equal(ensemble.spins[:, others], np.tile(spins[others], (4000, 1)))
    rest = spins[others].sum()
    energies = [-((rest + s) ** 2) / (2 * N) - FIELD * (rest + s) for s in (1, -1)]
    p = 1 / (1 + np.exp((energies[0] - energies[1]) / TEMPERATURE))
    up = (ensemble.spins[:, site] == 1).mean()
    assert abs(up - p) < 4 * np.sqrt(p * (1 - p) / 4000)
    change = records[:, MAGNETISATION] - spins.sum()
    np.testing.assert_array_equal(records[:, CORE_MAGNETISATION], change)
    assert records[:, FLIPS].min() >= 0


def test_refusals() -> None:
    with pytest.raises(ValueError, match="kernel must be one of heat-bath, not 'n-fold'"):
        SpinEnsemble(CurieWeiss(N), np.ones(N), 1.0, kernel="n-fold")
    with pytest.raises(ValueError, match="magnetisation must be one"):
        curie_weiss_paths(CurieWeiss(N), 1, 1.0, 1.0)
    with pytest.raises(ValueError, match="n_sites"):
        CurieWeiss(0)
