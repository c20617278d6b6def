"""Members fitted to pairs of a double well that is known."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.analysis.stationary_law import (  # noqa: E402
    GRID,
    Table,
    stationary_density,
    stationary_moments,
)
from macro_ase.learning.options import FitOptions  # noqa: E402
from macro_ase.studies.critical.members import binned, drawn_blocks, fit_member  # noqa: E402

pytestmark = pytest.mark.learn
DT, N_SITES, TEMPERATURES = 0.25, 256, (2.26, 2.27, 2.28)


def well(temperature: float) -> Table:
    """A double well whose stationary law is known, with noise that depends on m."""
    diffusion = (0.8 - 0.5 * GRID**2) / N_SITES
    slope = 24 * GRID - 30 * GRID**3 - 200 * (temperature - 2.27) * GRID  # of ln p
    return Table(diffusion * slope / 2 - 0.5 * GRID / N_SITES, diffusion, 0.98)


def chains(temperature: float, noise: float, seed: int) -> tuple[np.ndarray, ...]:
    """m, mean and dm of independent snapshots of the well, shape (128, 600)."""
    rng, own = np.random.default_rng(seed), well(temperature)
    law = stationary_density(own)
    m = rng.choice(GRID, size=(128, 600), p=law / law.sum())
    drift, diffusion = (np.interp(m, GRID, x) for x in (own.drift, own.diffusion))
    mean = drift * DT + rng.normal(0, 0.002, m.shape)
    return m, mean, drift * DT + np.sqrt(noise * diffusion * DT) * rng.normal(size=m.shape)


def off(noise: float) -> np.ndarray:
    """Deviations of chi' at three temperatures, in errors of four members, shape (3,)."""
    sums = {T: binned(chains(T, noise, k), 8, DT) for k, T in enumerate(TEMPERATURES)}
    chi = []
    for k in range(4):
        rng = np.random.default_rng(k)
        network = fit_member(sums, FitOptions(8, 2, 150), rng).network
        tables = [Table(*network.moments(GRID, 1000 / T), 0.98) for T in TEMPERATURES]
        chi.append([stationary_moments(x, N_SITES, T)[1] for x, T in zip(tables, TEMPERATURES)])
    exact = [stationary_moments(well(T), N_SITES, T)[1] for T in TEMPERATURES]
    return (np.mean(chi, axis=0) - exact) / np.maximum(np.std(chi, axis=0, ddof=1), 0.02 * exact[1])


@pytest.mark.slow
def test_members_find_a_known_law() -> None:
    assert np.abs(off(1.0)).max() < 4


@pytest.mark.slow
def test_a_tuned_lambda_would_be_noticed() -> None:
    """The negative control: a covariance of twice the increments' own, as K / 2 would give."""
    assert np.abs(off(2.0)).max() > 6


def test_blocks_are_trained_on_or_validated_on() -> None:
    rows = chains(2.27, 1.0, 0)
    sums = binned(rows, 8, DT)
    assert sums.shape == (16, 129, 4) and sums[..., 0].sum() == rows[0].size
    assert sums[..., 3].sum() == pytest.approx((rows[2] ** 2).sum() / DT)
    training, validation = drawn_blocks(16, np.random.default_rng(0))
    assert not np.any((training > 0) & (validation > 0))
    assert np.count_nonzero(validation) == 3 and training.sum() > 6
