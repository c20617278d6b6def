"""Where runs rest, beside pairs from some of their states."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

torch = pytest.importorskip("torch")

from macro_ase.learning.models.networks import PatchSDE, negative_log_likelihood  # noqa: E402
from macro_ase.learning.models.run_parts import Moves, RunParts, design_effect  # noqa: E402
from macro_ase.learning.models.training import _loss, train  # noqa: E402
from macro_ase.learning.options import TrainingOptions  # noqa: E402
from macro_ase.learning.pairs import LATE, PairBatch, Scaling  # noqa: E402

pytestmark = pytest.mark.learn
K, RUNS, STEPS, KEPT = 16, 10, 1500, 12
RATE, NOISE = np.array([[0.1, 0.02], [-0.03, 0.05]]), np.array([[0.5, 0.0], [0.2, 0.4]])
REST = {1.0: np.array([2.0, -1.0]), 2.0: np.array([2.5, 1.0])}
OPTIONS = TrainingOptions("network", width=4, depth=1, members=3, epochs=20, polish=60)


def walks(
    rng: np.random.Generator, rest: np.ndarray, runs: int, steps: int, away: float = 0.0
) -> np.ndarray:
    """Runs of a whole of K patches, shape (runs, steps + 1, 2), from so far away from rest."""
    z = [rest + np.full((runs, 2), away)]
    for _ in range(steps):
        moved = rng.normal(size=(runs, 2)) @ NOISE.T / np.sqrt(K)
        z.append(z[-1] - (z[-1] - rest) @ RATE.T + moved)
    return np.array(z).swapaxes(0, 1)


def known(seed: int) -> tuple[PairBatch, RunParts, dict[float, np.ndarray]]:
    """Few pairs of patches, whole runs in equilibrium, and the states of these."""
    rng, rows, late, states = np.random.default_rng(seed), [], [], {}
    for c, rest in REST.items():
        states[c] = walks(rng, rest, RUNS, STEPS)[:, 100:]
        for k, run in enumerate(states[c]):
            number = k + (RUNS if c == 2 else 0)
            own = run[rng.choice(len(run), KEPT)]
            dz = -(own - rest) @ RATE.T + rng.normal(size=own.shape) @ NOISE.T
            rows += [(x, y, c, 100 * number + j, number) for j, (x, y) in enumerate(zip(own, dz))]
            late.append((number, c, run))
    z0, dz, c, snapshot, run = (np.array(x) for x in zip(*rows))
    pairs = PairBatch(z0, dz, c, snapshot, run=run)
    numbers, conditions, own = zip(*late)
    steps = [len(x) - 1.0 for x in own]
    return (
        pairs,
        RunParts.of(numbers, np.array(conditions)[:, None], [LATE] * len(own), own, steps, K, 2),
        states,
    )


def linear_laws(pairs: PairBatch, parts: RunParts | None, states: dict) -> list:
    """Rest and spread by condition, of the linear fit to the mean drift over the states of runs."""
    trained, found = train(pairs, OPTIONS, 0, known=parts), []
    scale = trained.scaling.z_scale
    for c, z in states.items():
        own = z[:, ::10].reshape(-1, 2)
        y = torch.as_tensor(trained.scaling.z(own)).float()
        given = torch.as_tensor(trained.scaling.condition(np.full((len(y), 1), c))).float()
        with torch.no_grad():
            moments = [m(y, given) for m in trained.members]
            a = np.mean([a.numpy() for a, _ in moments], axis=0) * scale
            b = np.mean([(b @ b.mT).mean(dim=0).numpy() for _, b in moments], axis=0)
        known = np.column_stack([np.ones(len(own)), own - own.mean(axis=0)])
        fit = np.linalg.lstsq(known, a, rcond=None)[0]
        rest = own.mean(axis=0) - np.linalg.solve(fit[1:].T, fit[0])
        found.append((rest, stationary(-fit[1:].T, b * np.outer(scale, scale) / K)))
    return found


def stationary(rate: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Covariance S of y -> y - A y + noise: S = (1 - A) S (1 - A)^T + Q."""
    return solve_discrete_lyapunov(np.eye(2) - rate, noise)


def standard_error() -> np.ndarray:
    """Of the mean state of the runs of a condition: A^-1 D A^-T / (K N)."""
    inverse = np.linalg.inv(RATE)
    return np.sqrt(np.diag(inverse @ NOISE @ NOISE.T @ inverse.T) / (K * RUNS * (STEPS - 100)))


@pytest.mark.slow
def test_a_model_rests_and_fluctuates_as_its_runs_did() -> None:
    """Members draw runs or know all, so their mean is within the error of these; few pairs are far.

    The spread of runs of 1,400 steps, which relax in 20, is known to 4 %.
    """
    pairs, late, states = known(1)
    off = []
    unnamed = replace(pairs, run=None)
    for given, own in ((pairs, late), (unnamed, late), (pairs, None)):
        laws = linear_laws(given, own, states)
        rests = [
            (x - z.mean(axis=(0, 1))) / standard_error() for (x, _), z in zip(laws, states.values())
        ]
        true = stationary(RATE, NOISE @ NOISE.T / K)
        spreads = [np.sqrt(np.diag(x).clip(0) / np.diag(true)) - 1 for _, x in laws]
        off.append((np.array(rests), np.array(spreads)))
    for rests, spreads in off[:2]:
        assert np.abs(rests).max() < 2.5
        assert np.abs(spreads).max() < 0.1
    rests, spreads = off[2]
    assert np.sqrt((rests**2).mean()) > 8
    assert np.abs(spreads).max() > 0.3


def by_definition(moves: Moves, drift: np.ndarray, noise: np.ndarray, theta: float = 1.0) -> float:
    """The misfit of constant moments, shapes (d,) and (d, d), by the covariance of all entries."""
    total, q, d = 0.0, noise / moves.n_patches, len(drift)
    for k in range(len(moves.steps)):
        moved, s, spread = (
            x[k].double().numpy() for x in (moves.moved, moves.covariance, moves.spread)
        )
        miss = drift - moved
        p = s.copy()
        p[:d, :d] -= q / (2 * moves.substeps)
        left = -spread
        left[:d] += np.outer(drift, drift) / moves.substeps + q
        x = moves.points[moves.group == k].double().numpy() - np.tile(moves.centre[k], len(s) // d)
        share = moves.share[moves.group == k].double().numpy()
        past = share @ ((x[:, :d] - x[:, d:]) / theta) if len(s) > d else np.zeros(0)
        if len(past):
            of_past = (share[:, None] * (x[:, :d] - x[:, d:]) / theta).T @ x[:, :d]
            left[d:] += np.outer(share @ x[:, d:], drift) + of_past
            left[d:] += np.outer(past, drift) / moves.substeps
        own = miss @ np.linalg.solve(q, miss)
        both = joint_covariance(p, q)
        own += left.ravel() @ np.linalg.pinv(both, rcond=1e-9) @ left.ravel()
        total += 0.5 * float(moves.steps[k]) * own
    return total


def joint_covariance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Of x xi^T, shape (D, d), and the transposed of its first d rows added to these."""
    d, n = len(q), len(p)
    parts = np.einsum("ik,jl->ijkl", p, q)
    swap = np.zeros((n, d, n, d))
    for i in range(n):
        for j in range(d):
            swap[i, j, i, j] += 1
            if i < d:
                swap[i, j, j, i] += 1
    total = np.einsum("abij,ijkl,cdkl->abcd", swap, parts, swap)
    return total.reshape(n * d, n * d)


def test_the_misfit_is_the_likelihood_of_the_moves() -> None:
    pairs, late, states = known(2)
    scaling = Scaling.of(pairs)
    drawn = np.repeat(np.arange(3, RUNS), 2)
    rows = np.concatenate(
        [np.flatnonzero(pairs.run == k) for k in [*drawn, *range(RUNS, 2 * RUNS)]]
    )
    rests = replace(late, substeps=4).beside(rows, pairs.run, scaling)
    mean = late.mean[drawn].mean(axis=0)
    own = late.square[drawn].mean(axis=0) - np.outer(mean, mean)
    share = np.zeros((len(rests.steps), len(rests.share)))
    share[rests.group, np.arange(len(rests.share))] = rests.share
    points = rests.points.double().numpy()
    scales = np.outer(scaling.z_scale, scaling.z_scale)
    np.testing.assert_allclose(share.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(share[0] @ points, scaling.z(mean), atol=1e-5)
    away = points - share[0] @ points
    np.testing.assert_allclose((share[0] * away.T) @ away, own / scales, atol=1e-5)
    np.testing.assert_allclose(rests.covariance[0], own / scales, atol=1e-5)
    assert float(rests.steps[0]) == pytest.approx(14 * (STEPS - 100) / len(rows))
    ends = (states[1.0][drawn][:, [0, -1]] - mean) / scaling.z_scale
    moved = np.einsum("rti,rtj->tij", ends, ends) / len(drawn)
    np.testing.assert_allclose(rests.spread[0], (moved[1] - moved[0]) / (STEPS - 100), atol=1e-7)
    factor = torch.tensor([[0.3, 0.0], [0.1, 0.2]])
    drift = torch.tensor([0.1, -0.2])
    n = len(points)
    found = rests.misfit(drift.expand(n, 2), factor.expand(n, 2, 2))
    noise = (factor @ factor.T).double().numpy()
    assert float(found) == pytest.approx(by_definition(rests, drift.numpy(), noise), rel=1e-3)


def remembered() -> tuple[np.ndarray, Moves, Scaling]:
    """Runs at two conditions with a past that is elsewhere in the mean, and their moves."""
    z = remembering(np.random.default_rng(5), 12, 400) + np.array([0.0, 0.0, 0.3, -0.2])
    own, each = np.arange(12), np.repeat([[1.0], [2.0]], 6, axis=0)
    parts = RunParts.of(range(12), each, [LATE] * 12, list(z), [400.0] * 12, K, 2, 4)
    scaling = Scaling(np.ones(2), np.array([0.5, 2.0]), np.zeros(1), np.ones(1))
    return z, parts.beside(own, own, scaling), scaling


def test_moves_with_a_past_are_about_the_mean_of_the_states() -> None:
    z, moves, scaling = remembered()
    for k, own in enumerate((z[:6], z[6:])):
        centre = own[..., :2].mean(axis=(0, 1))
        x = (own - np.tile(centre, 2)) / np.tile(scaling.z_scale, 2)
        covariance = np.einsum("rti,rtj->ij", x, x) / (6 * 401)
        ends = np.einsum("rti,rtj->tij", x[:, [0, -1]], x[:, [0, -1], :2]) / 6
        np.testing.assert_allclose(moves.centre[k], scaling.z(centre), atol=1e-5)
        np.testing.assert_allclose(moves.covariance[k], covariance, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(moves.spread[k], (ends[1] - ends[0]) / 400, atol=1e-7)


def test_the_misfit_knows_how_the_past_moves() -> None:
    """Given the errors of its line those of squares are others: both together, by definition."""
    _, moves, _ = remembered()
    theta, drift = 6.0, torch.tensor([0.02, -0.01])
    factor, n = torch.tensor([[0.3, 0.0], [0.1, 0.2]]), len(moves.points)
    past = (moves.points[:, :2] - moves.points[:, 2:]) / theta
    full = torch.cat([drift.expand(n, 2), past], dim=1)
    found = float(moves.misfit(full, factor.expand(n, 2, 2)))
    noise = (factor @ factor.T).double().numpy()
    assert found == pytest.approx(by_definition(moves, drift.numpy(), noise, theta), rel=1e-3)


def test_training_knows_how_the_past_moves() -> None:
    """Its loss is that of pairs and of the moves of whole states."""
    _, moves, _ = remembered()
    torch.manual_seed(0)
    model, y = PatchSDE(2, 1, "network", 8, 1, torch.eye(2), 6.0).eval(), torch.randn(20, 4)
    dy, c = torch.randn(20, 2), torch.ones(20, 1)
    found = _loss(model, (y, dy, c), np.arange(20), 0.01, moves)
    drift, factor = model.of_state(moves.points, moves.condition)
    own = negative_log_likelihood(*model(y, c), dy, 0.01)
    torch.testing.assert_close(found, own + moves.misfit(drift, factor[:, :2, :2]))


@pytest.mark.slow
def test_moves_of_a_known_law_have_the_errors_that_the_misfit_says() -> None:
    """chi^2 of d + d (d + 1) / 2 numbers a run; a drift a tenth too weak is far beyond it."""
    z = walks(np.random.default_rng(0), np.zeros(2), 300, 3100)[:, 100:]
    assert chi2(z, LATE, 1.0) == pytest.approx(5, abs=3 * np.sqrt(10 / 300))
    assert chi2(z, LATE, 0.9) > 5 + 10 * np.sqrt(10 / 300)


THETA, BACK = 15.0, np.array([[0.15, 0.0], [0.05, 0.1]])
"""Of a law that remembers: steps, and how quickly z goes back to its past."""


def remembering(rng: np.random.Generator, runs: int, steps: int) -> np.ndarray:
    """z and its past, shape (runs, steps + 1, 4), at rest."""
    x, path = np.zeros((runs, 4)), []
    for _ in range(steps + 801):
        z, m = x[:, :2], x[:, 2:]
        moved = rng.normal(size=(runs, 2)) @ NOISE.T / np.sqrt(K)
        later = z - z @ RATE.T - (z - m) @ BACK.T + moved
        x = np.hstack([later, m + (z - m) / THETA])
        path.append(x)
    return np.array(path[800:]).swapaxes(0, 1)


@pytest.mark.slow
def test_moves_with_a_past_have_them_too() -> None:
    """chi^2 of d^2 more; what goes back to its past by less, and to rest by more, is beyond.

    That hardly changes how far it fluctuates.
    """
    z = remembering(np.random.default_rng(4), 300, 4000)
    assert chi2(z, LATE, 1.0) == pytest.approx(9, abs=4 * np.sqrt(18 / 300))
    assert chi2(z, LATE, 1.15, back=0.8) > 9 + 10 * np.sqrt(18 / 300)


def test_moves_on_the_way_to_rest_have_them_too() -> None:
    """chi^2 of d numbers a run that begins twenty spreads away; of squares nothing is known."""
    z = walks(np.random.default_rng(1), np.zeros(2), 300, 60, away=8.0)
    assert chi2(z, LATE + 1, 1.0) == pytest.approx(2, abs=3 * np.sqrt(4 / 300))
    assert chi2(z, LATE + 1, 0.9) > 2 + 10 * np.sqrt(4 / 300)


def chi2(z: np.ndarray, part: int, slower: float, back: float = 1.0) -> float:
    """Of the linear law with a drift weaker by a factor, a run, each being a group of its own.

    With a past, of the law that remembers, which goes back to it more slowly by another factor.
    """
    n, steps = len(z), z.shape[1] - 1
    own, each = np.arange(n), np.arange(float(n))[:, None]
    known = RunParts.of(range(n), each, [part] * n, list(z), [steps] * n, K, 2)
    moves = known.beside(own, own, Scaling(np.zeros(2), np.ones(2), np.zeros(1), np.ones(1)))
    noise, rate, again = (torch.as_tensor(x, dtype=torch.float32) for x in (NOISE, RATE, BACK))
    y, m = moves.points[:, :2], moves.points[:, 2:]
    drift = -slower * y @ rate.T
    if m.shape[1]:
        drift = torch.cat([drift - back * (y - m) @ again.T, (y - m) / THETA], dim=1)
    return 2 * float(moves.misfit(drift, noise.expand(len(y), 2, 2)))


def test_pairs_that_repeat_each_other_count_once() -> None:
    pairs, _, _ = known(3)
    assert design_effect(pairs, pairs.dz) == pytest.approx(1.0, abs=0.4)
    five = pairs.take(np.repeat(np.arange(len(pairs)), 5))
    noise = np.random.default_rng(0).normal(size=(RUNS * 2, 2))[five.run]
    assert design_effect(five, noise + 0.1 * five.dz) > 50
    once = design_effect(replace(pairs, dz=noise[::5] + pairs.dz), noise[::5] + pairs.dz)
    assert once > 5


def test_pairs_without_runs_know_all_of_them() -> None:
    """The mean over all states, with the steps of all runs to a pair."""
    pairs, late, states = known(4)
    scaling, rows = Scaling.of(pairs), np.arange(0, len(pairs), 2)
    rests = late.beside(rows, None, scaling)
    for k, z in enumerate(states.values()):
        np.testing.assert_allclose(rests.centre[k], scaling.z(z.mean(axis=(0, 1))), atol=1e-5)
        steps = late.steps[k * RUNS : (k + 1) * RUNS].sum()
        assert float(rests.steps[k]) == pytest.approx(steps / len(rows))


@pytest.mark.slow
def test_training_and_validation_weigh_all_runs_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs without runs: a fifth of them is validated beside a fifth of the steps."""
    pairs, late, _ = known(4)
    seen, beside = [], RunParts.beside

    def kept(*args: object) -> Moves:
        seen.append(beside(*args))
        return seen[-1]

    monkeypatch.setattr(RunParts, "beside", kept)
    train(replace(pairs, run=None), replace(OPTIONS, members=1, epochs=1), 0, known=late)
    total = late.steps.sum() / len(pairs)
    assert len(seen) == 2
    for rests in seen:
        assert float(rests.steps.sum()) == pytest.approx(total)
