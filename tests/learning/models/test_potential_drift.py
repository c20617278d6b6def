"""A drift whose rates are of the condition and whose potential bends."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.models.networks import make_drift  # noqa: E402
from macro_ase.learning.models.potential_drift import PotentialDrift  # noqa: E402
from macro_ase.learning.models.training import train  # noqa: E402
from macro_ase.learning.options import TrainingOptions  # noqa: E402
from macro_ase.learning.pairs import PairBatch  # noqa: E402

pytestmark = pytest.mark.learn
D, C, N = 3, 2, 32
COLD, HOT = 0.004, 0.2
"""Rates of a step at c = 1 and at c = 0.3."""


@pytest.fixture
def drift() -> PotentialDrift:
    """With nothing at the values it starts from."""
    torch.manual_seed(0)
    made = PotentialDrift(D, C, 8, 1, past=D)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.4 * torch.randn_like(weight))
    return made.double().eval()


def points() -> tuple["torch.Tensor", "torch.Tensor"]:
    rng = np.random.default_rng(1)
    y, c = rng.normal(size=(N, D)), rng.normal(size=(N, C + D))
    return torch.as_tensor(y), torch.as_tensor(c)


def test_it_is_minus_the_matrices_times_the_slope_of_its_energy(drift: PotentialDrift) -> None:
    """By differences of V, with m - y held; M is positive definite and W antisymmetric."""
    y, c = points()
    step = 1e-5 * torch.eye(D, dtype=torch.double)
    slope = torch.stack(
        [(drift.energy(y + e, c) - drift.energy(y - e, c)) / 2e-5 for e in step], dim=1
    )
    m, w = drift.matrices(y, c)
    expected = -((m + w) @ slope[..., None])[..., 0]
    torch.testing.assert_close(drift(y, c), expected, rtol=1e-6, atol=1e-7)
    assert torch.linalg.eigvalsh(m).min() > 0
    torch.testing.assert_close(w, -w.mT)
    assert (slope * drift(y, c)).sum(-1).max() <= 0


def test_the_matrices_are_of_the_condition_alone(drift: PotentialDrift) -> None:
    y, c = points()
    same, other = c.clone(), c.clone()
    same[:, C:] += 1.0
    other[:, :C] += 1.0
    before = drift.matrices(y, c)[0]
    assert torch.equal(drift.matrices(y + 1, same)[0], before)
    assert (drift.matrices(y, other)[0] - before).abs().max() > 0.1


def test_a_past_moves_where_it_rests(drift: PotentialDrift) -> None:
    """With U straight the drift is that of y at a place that goes with m - y."""
    y, c = points()
    moved = c.clone()
    moved[:, C:] += 0.5
    assert (drift(y, moved) - drift(y, c)).abs().max() > 0.05
    shift = drift.parts(moved)[2] - drift.parts(c)[2]
    with torch.no_grad():
        for weight in drift.potential.parameters():
            weight.zero_()
    torch.testing.assert_close(drift(y + shift, moved), drift(y, c))


def slopes(kind: str) -> tuple[float, float]:
    """Of the drift at rest when cold and hot, learned with a strong weight decay."""
    rng = np.random.default_rng(2)
    c = rng.choice([0.3, 1.0], 20_000)
    rate = np.where(c == 1.0, COLD, HOT)
    z = rng.normal(size=len(c))
    dz = -rate * z + 0.05 * rng.normal(size=len(c))
    batch = PairBatch(z[:, None], dz[:, None], c[:, None], np.arange(len(c)) // 100)
    options = TrainingOptions(kind, 8, 1, 1, 20, 500, 1e-2, weight_decay=30.0)
    member = train(batch, options, 0).members[0]
    y = torch.tensor([[-0.5], [0.5]])
    found = []
    for own in (1.0, 0.3):
        given = torch.full((2, 1), (own - c.mean()) / c.std())
        with torch.no_grad():
            a = member(y, given.float())[0][:, 0]
        found.append(float(a[0] - a[1]))
    return found[0], found[1]


@pytest.mark.slow
def test_rates_differ_by_any_factor_where_nothing_may_bend() -> None:
    """By 50, with what bends drawn to 0; the other kinds give what is between."""
    cold, hot = slopes("potential")
    assert hot == pytest.approx(HOT, rel=0.05)
    assert cold == pytest.approx(COLD, abs=0.003)
    for kind in ("onsager", "network"):
        assert slopes(kind)[0] > 4 * COLD


def test_without_conditions_it_is_one_law() -> None:
    torch.manual_seed(0)
    drift = make_drift("potential", D, 0, 8, 1)
    y = torch.randn(N, D)
    assert drift(y, torch.zeros(N, 0)).shape == (N, D)
    drift.start_from(-0.1 * torch.eye(D), torch.zeros(D, 1), torch.eye(D))
    with torch.no_grad():
        for weight in drift.potential.parameters():
            weight.zero_()
    torch.testing.assert_close(drift(y, torch.zeros(N, 0)), -0.1 * y, rtol=1e-4, atol=1e-6)
