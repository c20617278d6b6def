"""Closure variables of tiles: uncorrelated with what is known, side by side."""

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.encoders.tile_closure import SeveralClosures, TileClosure, known_of
from macro_ase.observables.spin_correlations import next_correlations
from macro_ase.systems.ising import IsingSystem

pytestmark = pytest.mark.learn

ISING = IsingSystem(2.5, 0.1)


def tiles(n: int = 600, side: int = 8, seed: int = 0) -> np.ndarray:
    """Tiles of ages from random to relaxed."""
    rng = np.random.default_rng(seed)
    start = ISING.random_states(side, rng.uniform(-0.8, 0.8, n // 3), rng)
    _, states = ISING.run(start, side, [0.0, 1.0, 10.0], rng)
    return states.reshape(-1, side**2)


def test_closures_are_uncorrelated_with_what_is_known() -> None:
    spins = tiles(900)
    closure = TileClosure.fit(next_correlations, spins)
    values, known = closure(spins), known_of(spins)
    np.testing.assert_allclose(np.cov(values.T), np.eye(2), atol=1e-6)
    assert np.abs(np.corrcoef(values.T, known.T)[:2, 2:]).max() < 1e-6
    both = SeveralClosures({"correlations": closure, "encoder": closure})
    assert both(spins).shape == (900, 4)
    assert both.columns("none", 2) == [0, 1]
    assert both.columns("correlations", 2) == [0, 1, 2, 3]
    assert both.columns("encoder", 2) == [0, 1, 4, 5]
    assert SeveralClosures({})(spins).shape == (900, 0)
