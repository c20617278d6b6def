"""Ising dynamics against exact enumeration, in equilibrium and in time, and in patches."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import expm_multiply

from macro_ase.analysis.exact_ising import density_of_states
from macro_ase.engines.spins.ensemble import KERNELS, SpinEnsemble
from macro_ase.engines.spins.lattice import random_spins
from macro_ase.engines.spins.models import Ising
from macro_ase.kinetics.ising import (
    BROKEN_BONDS,
    CORE_BROKEN_BONDS,
    CORE_MAGNETISATION,
    FLIPS,
    MAGNETISATION,
)
from macro_ase.kinetics.metropolis import metropolis_probabilities
from macro_ase.statistics import integrated_autocorrelation_time
from macro_ase.testing import assert_visits

TEMPERATURE, FIELD = 2.5, 0.1
Law = tuple[float, float, float]
DYNAMICS: dict[str, Callable[[SpinEnsemble], np.ndarray]] = {
    "heat-bath": lambda e: e.advance(60.0),
    "n-fold": lambda e: e.advance(60.0),
    "metropolis": lambda e: e.metropolis(interval=60),
    "checkerboard": lambda e: e.checkerboard(interval=60),
    "wolff": lambda e: e.wolff(interval=60),
}


def levels_follow(tally: np.ndarray, model: Ising, temperature: float, wrong: Law) -> None:
    """Visits of levels (M, broken bonds) by Boltzmann's law, and not by a wrong one."""
    levels = density_of_states(model.size)
    pairs = zip(levels.magnetisation.tolist(), levels.broken_bonds.tolist())
    number = {level: i for i, level in enumerate(pairs)}
    seen = [number[tuple(row)] for row in tally[:, [MAGNETISATION, BROKEN_BONDS]].tolist()]
    own = model.coupling, model.field
    exact, energies = levels.probabilities(temperature, *own), levels.energies(*own)
    assert_visits(seen, exact, levels.probabilities(*wrong), values=energies)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "coupling", "field", "temperature"),
    [((4, 4), 1.0, 0.1, 3.0), ((3, 5), -0.8, 0.3, 2.0), ((5,), 1.0, -0.2, 1.2)],
    ids=["square", "antiferromagnet", "chain"],
)
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_equilibrium_is_exact(
    dynamics: str, size: tuple[int, ...], coupling: float, field: float, temperature: float
) -> None:
    field = 0.0 if dynamics == "wolff" else field
    model = Ising(size, coupling, field)
    kernel = dynamics if dynamics in KERNELS else "heat-bath"
    start = np.random.default_rng(0).choice([-1, 1], (12_000, model.n_sites))
    ensemble = SpinEnsemble(model, start, temperature, rng=1, kernel=kernel)
    tally = DYNAMICS[dynamics](ensemble)[:, -1]
    np.testing.assert_array_equal(tally[:, :2], model.tally(ensemble.spins)[:, :2])
    levels_follow(tally, model, temperature, (1.05 * temperature, coupling, field))
    if field:
        levels_follow(tally, model, temperature, (temperature, coupling, -field))


def exact_paths(size: tuple[int, ...], times: np.ndarray) -> np.ndarray:
    """Exact means of M, B, M^2, B^2 from all down, (n_times, 4), by the whole master equation."""
    model = Ising(size, 1.0, FIELD)
    n = model.n_sites
    states = np.array(list(itertools.product([-1, 1], repeat=n)), dtype=np.int8)
    around = states[:, model.neighbors].sum(axis=2)
    rates = 1 / (1 + np.exp(2 * states * (around + FIELD) / TEMPERATURE))
    here = np.repeat(np.arange(len(states)), n)
    there = here ^ np.tile(2 ** np.arange(n)[::-1], len(states))
    generator = coo_array((rates.ravel(), (there, here)), shape=(2**n, 2**n)).tocsr()
    generator -= coo_array((rates.sum(axis=1), (np.arange(2**n),) * 2), shape=(2**n, 2**n))
    start = np.zeros(2**n)
    start[0] = 1.0
    p = np.array([expm_multiply(generator * t, start) for t in times])
    z = model.tally(states)[:, :2].astype(float)
    return p @ np.column_stack([z, z**2])


def time_sigmas(ensemble: SpinEnsemble, times: np.ndarray) -> float:
    z = ensemble.advance(times)[..., :2].astype(float)
    values = np.concatenate([z, z**2], axis=2)
    error = values.std(axis=0) / np.sqrt(len(values))
    return float(
        np.max(np.abs(values.mean(axis=0) - exact_paths(ensemble.model.size, times)) / error)
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [(3, 3), (5,)])
def test_time_runs_as_in_the_master_equation(kernel: str, size: tuple[int, ...]) -> None:
    times = np.array([0.3, 1.0, 4.0, 10.0])
    model = Ising(size, 1.0, FIELD)
    start = -np.ones((30_000, model.n_sites))
    assert time_sigmas(SpinEnsemble(model, start, TEMPERATURE, 2, kernel=kernel), times) < 4
    wrong = SpinEnsemble(model, start, TEMPERATURE, 3, kernel=kernel)
    assert wrong._rates.any()
    wrong._flip_rates = metropolis_probabilities(model.flip_energies, TEMPERATURE)
    assert time_sigmas(wrong, times) > 4


@pytest.mark.slow
def test_kernels_agree_in_flip_rate_and_memory() -> None:
    """On a lattice too large to enumerate, that is no multiple of anything."""
    model, n = Ising((23, 17), 1.0, FIELD), 100
    spins = np.stack([random_spins(model.n_sites, 0.75, seed) for seed in range(n)])
    results = []
    for seed, kernel in enumerate(KERNELS):
        ensemble = SpinEnsemble(model, spins, TEMPERATURE, seed, kernel=kernel)
        before = ensemble.advance(100.0)[:, -1, FLIPS]
        records = ensemble.advance(np.arange(100.5, 1600, 0.5))
        rate = (records[:, -1, FLIPS] - before) / (1500 * model.n_sites)
        memory = integrated_autocorrelation_time(np.moveaxis(records[..., :2], 0, 1))
        means = records[..., :2].mean(axis=1) / model.n_sites
        results.append(np.column_stack([rate, memory, means]))
    one, two = (r.mean(axis=0) for r in results)
    errors = [r.std(axis=0, ddof=1) / np.sqrt(n) for r in results]
    sigma = np.hypot(*errors)
    assert np.all(np.abs(one - two) < 4 * sigma), (one, two, sigma)
    assert np.all(sigma / one < 0.07)


def patch(size: tuple[int, int], side: int, buffer: int) -> tuple[np.ndarray, np.ndarray]:
    """Active sites and core of a square patch that lies across the periodic boundary."""
    shift = np.add.outer(np.arange(-buffer, side + buffer), np.zeros(side + 2 * buffer, int))
    rows, columns = (shift - 2) % size[0], (shift.T - 1) % size[1]
    sites = (rows * size[1] + columns).ravel()
    inside = (shift >= 0) & (shift < side)
    core = np.zeros(size[0] * size[1], dtype=bool)
    core[sites[(inside & inside.T).ravel()]] = True
    return sites, core


@pytest.mark.parametrize("kernel", KERNELS)
def test_patches_evolve_in_frozen_surroundings(kernel: str) -> None:
    size = (11, 13)
    model = Ising(size, 1.0, FIELD)
    active, core = patch(size, 4, 2)
    start = np.stack([random_spins(model.n_sites, 0.2, seed) for seed in range(50)])
    ensemble = SpinEnsemble(model, start, TEMPERATURE, 1, active, core, kernel)
    frozen = np.setdiff1d(np.arange(model.n_sites), active)
    before = ensemble.tally.copy()
    for time in np.arange(0.05, 2.0, 0.05):
        now = ensemble.advance(time)[:, 0]
        np.testing.assert_array_equal(ensemble.spins[:, frozen], start[:, frozen])
        np.testing.assert_array_equal(now[:, :2], model.tally(ensemble.spins)[:, :2])
    moved = (ensemble.spins != start).sum(axis=1)
    assert np.all(moved <= now[:, FLIPS]) and moved.max() > 0
    change = now - before
    assert np.any(change[:, CORE_MAGNETISATION] != change[:, MAGNETISATION])
    in_core = (ensemble.spins - start)[:, core].sum(axis=1)
    np.testing.assert_array_equal(now[:, CORE_MAGNETISATION], in_core)


@pytest.mark.parametrize("kernel", KERNELS)
def test_core_changes_are_whole(kernel: str) -> None:
    """Without a buffer all that changes is the core's doing, bonds across the border included."""
    size = (9, 10)
    model = Ising(size)
    active, core = patch(size, 3, 0)
    start = np.stack([random_spins(90, 0.0, seed) for seed in range(40)])
    ensemble = SpinEnsemble(model, start, TEMPERATURE, 2, active, core, kernel)
    before, after = ensemble.tally.copy(), ensemble.advance(3.0)[:, 0]
    whole = [CORE_MAGNETISATION, CORE_BROKEN_BONDS]
    np.testing.assert_array_equal(after[:, whole], (after - before)[:, :2])
    buffer_only = SpinEnsemble(model, start, TEMPERATURE, 2, active, ~core, kernel)
    assert not buffer_only.advance(3.0)[..., whole].any()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_block_with_its_frozen_rim_evolves_as_in_the_whole(kernel: str) -> None:
    """Core, buffer and one rim of frozen spins are all that a patch needs of a large lattice."""
    size, side, buffer = (16, 15), 4, 2
    edge = side + 2 * buffer + 2
    active, core = patch(size, side, buffer)
    rim, _ = patch(size, side, buffer + 1)
    inner = np.arange(edge**2).reshape(edge, edge)[1:-1, 1:-1].ravel()
    spins = random_spins(16 * 15, 0.1, 4)
    whole = SpinEnsemble(Ising(size, 1.0, FIELD), spins, TEMPERATURE, 8, active, core, kernel)
    block = Ising((edge, edge), 1.0, FIELD)
    alone = SpinEnsemble(block, spins[rim], TEMPERATURE, 8, inner, core[rim], kernel)
    times, columns = [1.0, 3.0, 9.0], [CORE_MAGNETISATION, CORE_BROKEN_BONDS, FLIPS]
    np.testing.assert_array_equal(
        alone.advance(times)[..., columns], whole.advance(times)[..., columns]
    )
    np.testing.assert_array_equal(alone.spins[0, inner], whole.spins[0, active])


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_spin_flips_at_its_own_rate(kernel: str) -> None:
    """A lone active spin is a two-state process: P(turned by t) = w (1 - exp(-t)), w + w' = 1."""
    model, n, time = Ising((5, 5), 1.0, FIELD), 20_000, 0.8
    spins = random_spins(25, 0.3, 3)
    for site in (0, 7):
        ensemble = SpinEnsemble(model, np.tile(spins, (n, 1)), TEMPERATURE, 5, [site], None, kernel)
        ensemble.advance(time)
        around = spins[model.neighbors[site]].sum()
        rate = 1 / (1 + np.exp(2 * spins[site] * (around + FIELD) / TEMPERATURE))
        p = rate * (1 - np.exp(-time))
        turned = (ensemble.spins[:, site] != spins[site]).mean()
        assert abs(turned - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_replicas_have_their_own_temperature_patch_and_seed() -> None:
    model, temperatures = Ising((4, 4)), np.array([1.5, 4.0])
    active = np.array([[0, 1, 2], [8, 9, 10]])
    both = SpinEnsemble(model, np.ones((2, 16)), temperatures, [3, 4], active)
    both.advance([1.0, 5.0])
    for r in range(2):
        alone = SpinEnsemble(model, np.ones(16), temperatures[r], [3 + r], active[r])
        alone.advance([1.0, 5.0])
        np.testing.assert_array_equal(alone.spins[0], both.spins[r])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spins": np.zeros(16)}, "1 or -1"),
        ({"spins": np.ones(15)}, "shape"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": [1.0, 2.0]}, "temperature has 2 rows for 1"),
        ({"kernel": "kawasaki"}, "kernel must be one of heat-bath, n-fold, not 'kawasaki'"),
        ({"active": [16]}, "active sites must lie in 0..15"),
        ({"active": []}, "active sites must lie"),
        ({"active": [1, 1]}, "twice"),
        ({"core": np.ones(16)}, "core must be a bool array"),
        ({"rng": [1, 2]}, "2 seeds"),
    ],
)
def test_refusals(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"spins": np.ones(16), "temperature": 2.0, **changes}
    with pytest.raises(ValueError, match=message):
        SpinEnsemble(Ising((4, 4)), **arguments)  # type: ignore[arg-type]


def test_times_must_ascend() -> None:
    ensemble = SpinEnsemble(Ising((4, 4)), np.ones(16), 2.0, 0)
    ensemble.advance(2.0)
    for times in (1.0, [3.0, 2.5], np.inf):
        with pytest.raises(ValueError, match="ascend from the present 2"):
            ensemble.advance(times)


@pytest.mark.parametrize("shape", [(9,), (3, 3), (2, 9), (2, 3, 3), (1, 3, 3)])
def test_spins_of_any_shape_that_fits(shape: tuple[int, ...]) -> None:
    spins = np.random.default_rng(0).choice([-1, 1], shape)
    ensemble = SpinEnsemble(Ising((3, 3)), spins, 2.0, rng=0)
    np.testing.assert_array_equal(ensemble.spins, spins.reshape(-1, 9))


@pytest.mark.parametrize("shape", [(3,), (8,), (3, 4), (2, 8), (9, 3), (2, 4, 3), (1, 2, 3, 3), ()])
def test_spins_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="spins must be of shape"):
        SpinEnsemble(Ising((3, 3)), np.ones(shape), 2.0, rng=0)


@pytest.mark.parametrize("way", ["advance", "metropolis", "checkerboard", "wolff"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_temperature_and_spins_that_are_set_act_at_once(way: str, kernel: str) -> None:
    """Cold and ordered, then hot; then turned over from outside; always as if made anew."""
    model, hot, n = Ising((16, 16)), 6.0, 400
    ensemble = SpinEnsemble(model, np.ones(256), 1.5, rng=[1], kernel=kernel)

    def magnetisation() -> float:
        if way == "advance":
            records = ensemble.advance(ensemble.time.max() + np.arange(1.0, n + 1))
        else:
            records = getattr(ensemble, way)(n, 20 if way == "wolff" else 1)
        return float(np.abs(records[0, n // 4 :, 0] / 256).mean())

    assert magnetisation() > 0.97
    ensemble.temperature = hot
    assert magnetisation() < 0.15
    ensemble.temperature[0] = 1.0
    ensemble.spins[:] = -1
    magnetisation()
    assert np.abs(ensemble.spins.mean()) > 0.99
    np.testing.assert_array_equal(ensemble.tally[:, :2], model.tally(ensemble.spins)[:, :2])
    with pytest.raises(ValueError, match="1 or -1"):
        ensemble.spins[0, 0] = 3
        magnetisation()
