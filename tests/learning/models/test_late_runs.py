"""Where runs rest, beside pairs from some of their states."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.models.late_runs import LateRuns, design_effect  # noqa: E402
from macro_ase.learning.models.training import new_member, train  # noqa: E402
from macro_ase.learning.options import TrainingOptions  # noqa: E402
from macro_ase.learning.pairs import PairBatch, Scaling  # noqa: E402

pytestmark = pytest.mark.learn
K, RUNS, STEPS, KEPT = 16, 10, 1500, 12
RATE, NOISE = np.array([[0.1, 0.02], [-0.03, 0.05]]), np.array([[0.5, 0.0], [0.2, 0.4]])
REST = {1.0: np.array([2.0, -1.0]), 2.0: np.array([2.5, 1.0])}
OPTIONS = TrainingOptions("network", width=4, depth=1, members=3, epochs=20, polish=60)


def known(seed: int) -> tuple[PairBatch, LateRuns, dict[float, np.ndarray]]:
    """Few pairs of patches, whole runs in equilibrium, and the states of these."""
    rng, rows, late, states = np.random.default_rng(seed), [], [], {}
    for c, rest in REST.items():
        z = [rest + np.zeros((RUNS, 2))]
        for _ in range(STEPS):
            moved = rng.normal(size=(RUNS, 2)) @ NOISE.T / np.sqrt(K)
            z.append(z[-1] - (z[-1] - rest) @ RATE.T + moved)
        runs = np.array(z[100:]).swapaxes(0, 1)
        states[c] = runs
        for k, run in enumerate(runs):
            number = k + (RUNS if c == 2 else 0)
            own = run[rng.choice(len(run), KEPT)]
            dz = -(own - rest) @ RATE.T + rng.normal(size=own.shape) @ NOISE.T
            rows += [(x, y, c, 100 * number + j, number) for j, (x, y) in enumerate(zip(own, dz))]
            late.append((number, c, run))
    z0, dz, c, snapshot, run = (np.array(x) for x in zip(*rows))
    pairs = PairBatch(z0, dz, c, snapshot, run=run)
    numbers, conditions, own = zip(*late)
    steps = [len(x) - 1.0 for x in own]
    return pairs, LateRuns.of(numbers, np.array(conditions)[:, None], own, steps, K, 2), states


def rest_errors(pairs: PairBatch, late: LateRuns | None, states: dict) -> np.ndarray:
    """Mean drift of the members over the states of runs, as a distance to where they rest."""
    trained, found = train(pairs, OPTIONS, 0, late=late), []
    for c, z in states.items():
        y = torch.as_tensor(trained.scaling.z(z.reshape(-1, 2))).float()
        given = torch.as_tensor(trained.scaling.condition(np.full((len(y), 1), c))).float()
        with torch.no_grad():
            a = np.mean([m(y, given)[0].mean(dim=0).numpy() for m in trained.members], axis=0)
        found.append(np.linalg.solve(RATE, a * trained.scaling.z_scale))
    return np.array(found)


def standard_error() -> np.ndarray:
    """Of the mean state of the runs of a condition: A^-1 D A^-T / (K N)."""
    inverse = np.linalg.inv(RATE)
    return np.sqrt(np.diag(inverse @ NOISE @ NOISE.T @ inverse.T) / (K * RUNS * (STEPS - 100)))


def test_a_model_rests_where_its_runs_did() -> None:
    """Members draw runs, so their mean is within the error of these; few pairs are far off."""
    pairs, late, states = known(1)
    with_runs, without = (rest_errors(pairs, x, states) / standard_error() for x in (late, None))
    assert np.abs(with_runs).max() < 2.5
    assert np.sqrt((without**2).mean()) > 8


def test_the_misfit_is_the_likelihood_of_the_moves() -> None:
    pairs, late, _ = known(2)
    scaling = Scaling.of(pairs)
    drawn = np.repeat(np.arange(3, RUNS), 2)
    rows = np.concatenate(
        [np.flatnonzero(pairs.run == k) for k in [*drawn, *range(RUNS, 2 * RUNS)]]
    )
    rests = late.beside(rows, pairs.run, scaling)
    mean = late.mean[drawn].mean(axis=0)
    np.testing.assert_allclose(rests.points[0].mean(dim=0), scaling.z(mean), atol=1e-5)
    square = np.einsum("ki,kj->ij", *[rests.points[0].double().numpy()] * 2) / 4
    own = late.square[drawn].mean(axis=0) - np.outer(mean, mean)
    expected = own / np.outer(scaling.z_scale, scaling.z_scale)
    centre = scaling.z(mean)
    np.testing.assert_allclose(square - np.outer(centre, centre), expected, atol=1e-4)
    member = new_member(scaling, OPTIONS, torch.eye(2))
    with torch.no_grad():
        for x in member.parameters():
            x.zero_()
        member.drift.offset.value[:, 0] = torch.tensor([0.1, -0.2])
        found = float(rests.misfit(member))
        variance = float(member.diffusion(torch.zeros(1, 2), torch.zeros(1, 1))[0, 0, 0]) ** 2
    miss = np.array([0.1, -0.2]) - rests.moved.double().numpy()
    steps = K * np.array([14, 10]) * (STEPS - 100) / len(rows)
    assert found == pytest.approx(0.5 * (steps * (miss**2).sum(axis=1)).sum() / variance, rel=1e-4)


def test_pairs_that_repeat_each_other_count_once() -> None:
    pairs, _, _ = known(3)
    assert design_effect(pairs, pairs.dz) == pytest.approx(1.0, abs=0.4)
    five = pairs.take(np.repeat(np.arange(len(pairs)), 5))
    noise = np.random.default_rng(0).normal(size=(RUNS * 2, 2))[five.run]
    assert design_effect(five, noise + 0.1 * five.dz) > 50
    once = design_effect(replace(pairs, dz=noise[::5] + pairs.dz), noise[::5] + pairs.dz)
    assert once > 5


def test_runs_must_be_known() -> None:
    pairs, late, _ = known(4)
    with pytest.raises(ValueError, match="name their runs"):
        train(replace(pairs, run=None), OPTIONS, 0, late=late)
