"""Training on vibrating crystals of one size; conditioning; the encoder serves another size."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

torch = pytest.importorskip("torch")

from macro_ase.learning.environment_encoder import (  # noqa: E402
    Configuration,
    EnvironmentEncoder,
    RadialFunctions,
)
from macro_ase.learning.environment_training import (  # noqa: E402
    EnvironmentOptions,
    train_environment_encoder,
)

pytestmark = pytest.mark.learn
RADIAL = RadialFunctions(cutoff=3.2, number=3)
Q = 2 * RADIAL.number + 1


def crystal(heat: float, shaking: float, size: tuple[int, int, int], seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    atoms = bulk("Ar", "fcc", a=3.6, cubic=True).repeat(size)
    atoms.positions += rng.normal(0, shaking, (len(atoms), 3))
    atoms.set_velocities(rng.normal(0, heat, (len(atoms), 3)))
    return atoms


def configurations(n: int) -> list[Configuration]:
    rng = np.random.default_rng(0)
    numbers = rng.uniform([0.5, 0.02], [1.5, 0.2], (n, 2))
    made = (crystal(h, s, (2, 2, 2), k) for k, (h, s) in enumerate(numbers))
    return [Configuration.of(atoms, RADIAL.cutoff) for atoms in made]


@pytest.fixture(scope="module")
def trained() -> tuple[EnvironmentEncoder, np.ndarray]:
    torch.set_num_threads(1)
    given = np.zeros((1, Q))
    given[0, -1] = 1 / 3
    options = EnvironmentOptions(variables=2, hidden=(8,), steps=150)
    own = np.random.SeedSequence(0)
    return train_environment_encoder(configurations(80), RADIAL, given, options, own)


def test_temperature_is_kept_and_the_environments_are_rebuilt(
    trained: tuple[EnvironmentEncoder, np.ndarray],
) -> None:
    model, unexplained = trained
    seen = configurations(3)[2]
    temperature = (seen.velocities**2).sum(axis=1).mean() / 3
    assert model.encode(seen)[0] == pytest.approx(temperature, rel=1e-12)
    assert unexplained.min() < 0.15 and unexplained.mean() < 0.6


def test_the_gram_matrix_is_conditioned(trained: tuple[EnvironmentEncoder, np.ndarray]) -> None:
    mean = np.mean([trained[0].gram(c) for c in configurations(40)], axis=0)
    assert np.linalg.cond(mean) < 2


def test_it_serves_a_larger_crystal(trained: tuple[EnvironmentEncoder, np.ndarray]) -> None:
    model = trained[0]
    few, many = (
        model.encode(Configuration.of(crystal(1.0, 0.1, size, 5), RADIAL.cutoff))
        for size in ((2, 2, 2), (4, 4, 4))
    )
    spread = np.std([model.encode(c) for c in configurations(30)], axis=0)
    assert np.all(np.abs(many - few) < 0.5 * spread)
