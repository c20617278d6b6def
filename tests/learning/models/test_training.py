"""Training on pairs of a known stochastic differential equation."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

torch = pytest.importorskip("torch")

from macro_ase.learning import descent  # noqa: E402
from macro_ase.learning.models import training  # noqa: E402
from macro_ase.learning.models.macro_model import Clock, MacroModel  # noqa: E402
from macro_ase.learning.models.training import drawn_rows, split_rows, train  # noqa: E402
from macro_ase.learning.options import DRIFTS, TrainingOptions  # noqa: E402
from macro_ase.learning.pairs import PairBatch  # noqa: E402

pytestmark = pytest.mark.learn
K = 16
SITES_PER_PATCH = 100.0
TEMPERATURES_K = (1000.0, 1250.0, 2000.0)
CENTRE = np.array([1.0, -3.0])
UNITS = np.array([0.02, 0.5])
FACTOR = np.array([[1.0, 0.0], [0.4, 0.8]])  # of the patch covariance per step, in UNITS
SIGMA_P = (FACTOR @ FACTOR.T) * np.outer(UNITS, UNITS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def rates(temperature_K: float) -> np.ndarray:
    """Linear drift per step in UNITS; not symmetric, and slower when cold."""
    return np.array([[0.12, 0.03], [-0.04, 0.08]]) * (1.6 - 0.6 * 1000 / temperature_K)


def drift(z: np.ndarray, temperature_K: float) -> np.ndarray:
    return -((z - CENTRE) / UNITS) @ rates(temperature_K).T * UNITS


def stationary_std(temperature_K: float, patches: float = K) -> np.ndarray:
    """Exact, of the whole: the solution of A S + S A' = Sigma_p / K."""
    covariance = solve_continuous_lyapunov(rates(temperature_K), FACTOR @ FACTOR.T / patches)
    return np.sqrt(np.diag(covariance)) * UNITS


def pairs(n: int, seed: int = 0) -> PairBatch:
    """Increments of patches at states spread over the stationary law and beyond."""
    rng = np.random.default_rng(seed)
    temperature = rng.choice(TEMPERATURES_K, n)
    z0 = CENTRE + rng.normal(size=(n, 2)) * UNITS
    mean = np.empty((n, 2))
    for t in TEMPERATURES_K:
        mean[temperature == t] = drift(z0[temperature == t], t)
    dz = mean + rng.normal(size=(n, 2)) @ FACTOR.T * UNITS
    condition = np.column_stack([1000 / temperature, np.full(n, 1 / 3)])
    return PairBatch(z0, dz, condition, np.arange(n) // K)


def options(kind: str, **changes: object) -> TrainingOptions:
    settings = {"drift": kind, "width": 12, "depth": 1, "members": 2, "epochs": 4,
                "batch_size": 1024, "learning_rate": 1e-2}  # fmt: skip
    return TrainingOptions(**(settings | changes))  # type: ignore[arg-type]


OPTIONS = options("network", epochs=1, members=1)


def fitted(kind: str, n: int = 60_000) -> MacroModel:
    """Of the kind whose rates start alike at all temperatures after twice the epochs."""
    clock = Clock(np.array([0.5, 1.0]), np.log([1e-12, 1e-9]))
    settings = options(kind, epochs=8 if kind == "potential" else 4)
    trained = train(pairs(n), settings, 0)
    return MacroModel(trained, settings, ("a", "b"), 500, SITES_PER_PATCH, clock, substeps=4)


@pytest.fixture(scope="module", params=DRIFTS)
def model(request: pytest.FixtureRequest) -> MacroModel:
    return fitted(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("temperature_K", TEMPERATURES_K)
def test_drift_and_covariance_are_recovered(model: MacroModel, temperature_K: float) -> None:
    """Slopes are known to UNITS / sqrt(20,000), 6 % of the largest: within 4 of these errors."""
    rng = np.random.default_rng(5)
    z = CENTRE + rng.normal(size=(400, 2)) * UNITS
    condition = np.tile([1000 / temperature_K, 1 / 3], (400, 1))
    drifts, covariances = model.step_moments(z, condition)
    assert drifts.shape == (2, 400, 2) and covariances.shape == (2, 400, 2, 2)
    x = (z - CENTRE) / UNITS
    found = -np.linalg.lstsq(x, drifts.mean(axis=0) / UNITS, rcond=None)[0].T
    np.testing.assert_allclose(found, rates(temperature_K), atol=0.028)
    miss = (drifts.mean(axis=0) - drift(z, temperature_K)) / UNITS
    assert np.sqrt((miss**2).mean()) < 0.035
    relative = covariances.mean(axis=(0, 1)) / np.outer(UNITS, UNITS)
    np.testing.assert_allclose(relative, FACTOR @ FACTOR.T, atol=0.04)


def simulated_std(model: MacroModel, temperature_K: float) -> np.ndarray:
    condition = np.array([1000 / temperature_K, 1 / 3])
    paths = model.simulate(CENTRE, condition, 300, int(K * SITES_PER_PATCH), paths=60, seed=3)
    assert paths.z.shape == (2, 60, 301, 2)
    return paths.z[:, :, 60:].std(axis=(0, 1, 2))


@pytest.mark.slow
@pytest.mark.parametrize("temperature_K", TEMPERATURES_K[::2])
def test_the_large_system_fluctuates_as_it_should(model: MacroModel, temperature_K: float) -> None:
    exact = stationary_std(temperature_K)
    np.testing.assert_allclose(simulated_std(model, temperature_K), exact, rtol=0.1)


@pytest.mark.slow
def test_patches_are_those_of_the_sites_unless_they_are_given(model: MacroModel) -> None:
    same, other = ((CENTRE, np.array([1.0, 1 / 3]), 3, int(K * SITES_PER_PATCH), k) for k in (K, 9))
    whole = model.simulate(*same[:4], paths=3, seed=3).z
    np.testing.assert_array_equal(model.simulate(*same, paths=3, seed=3).z, whole)
    assert np.any(model.simulate(*other, paths=3, seed=3).z != whole)


@pytest.mark.slow
def test_negative_control_without_k_it_does_not(model: MacroModel) -> None:
    exact = stationary_std(TEMPERATURES_K[0])
    one_patch = model.simulate(
        CENTRE, np.array([1.0, 1 / 3]), 300, int(SITES_PER_PATCH), paths=60, seed=3
    )
    ratio = one_patch.z[:, :, 60:].std(axis=(0, 1, 2)) / exact
    assert np.all(ratio > 2.5)


@pytest.mark.slow
def test_more_sites_a_patch_are_slower(model: MacroModel) -> None:
    """Half the patches in the same sites: half the drift, and half the variance of noise."""
    condition, start = np.array([1.0, 1 / 3]), CENTRE + 3 * UNITS
    ends = [
        model.simulate(start, condition, 4, int(K * SITES_PER_PATCH), k, 300).z.mean(axis=(0, 1))
        for k in (K, K // 2)
    ]
    change = [(end[4] - end[0]) for end in ends]
    np.testing.assert_allclose(change[1] / change[0], 0.5, atol=0.12)


def test_the_same_seed_gives_the_same_model() -> None:
    batch, settings = pairs(2000), options("onsager", epochs=2)
    first, again, other = (train(batch, settings, seed) for seed in (0, 0, 1))
    for one, two in zip(first.members, again.members):
        for name, value in one.state_dict().items():
            assert torch.equal(value, two.state_dict()[name])
    np.testing.assert_array_equal(first.history, again.history)
    assert not np.array_equal(first.history, other.history)
    assert first.history.shape == (2, 2, 2)
    assert not np.array_equal(first.history[0], first.history[1])


def test_training_does_not_depend_on_what_was_drawn_before() -> None:
    batch, settings = pairs(500), options("network", epochs=1, members=1)
    first = train(batch, settings, 0)
    torch.randn(17)
    np.random.default_rng(0).normal()
    np.testing.assert_array_equal(first.history, train(batch, settings, 0).history)


def test_regularisation_is_small() -> None:
    batch = pairs(2000)
    trained = train(batch, options("onsager", epochs=1, members=1), 0)
    residual = []
    for condition in np.unique(batch.condition, axis=0):
        part = batch.take(np.all(batch.condition == condition, axis=1))
        x = np.column_stack([np.ones(len(part)), part.z0])
        dy = part.dz / trained.scaling.z_scale
        residual.append(np.cov((dy - x @ np.linalg.lstsq(x, dy, rcond=None)[0]).T))
    smallest = min(np.linalg.eigvalsh(covariance)[0] for covariance in residual)
    assert trained.eps == pytest.approx(0.005 * smallest, rel=0.01)


def test_one_observable() -> None:
    batch = pairs(1000)
    single = PairBatch(batch.z0[:, :1], batch.dz[:, :1], batch.condition, batch.snapshot)
    trained = train(single, options("onsager", epochs=20, members=1), 0)
    exact = 0.5 + np.log(UNITS[0] / batch.z0[:, 0].std())  # -ln N at the truth, less ln sqrt(2 pi)
    assert trained.history[0, -1, 1] == pytest.approx(exact, abs=0.15)


def test_what_cannot_be_learned_from_is_refused() -> None:
    batch = pairs(500)
    with pytest.raises(ValueError, match="99 pairs are too few to learn from"):
        train(batch.take(np.arange(99)), options("onsager"), 0)
    with pytest.raises(ValueError, match="at least 5 snapshots are needed"):
        train(replace(batch, snapshot=np.zeros(500)), options("onsager"), 0)
    with pytest.raises(ValueError, match=r"observable 1 .* does not vary, it is -3"):
        train(replace(batch, z0=np.column_stack([batch.z0[:, 0], np.full(500, -3.0)])), OPTIONS, 0)
    with pytest.raises(ValueError, match=r"increments of observable 0 .* do not vary"):
        train(replace(batch, dz=batch.dz * [0.0, 1.0]), OPTIONS, 0)
    twice = PairBatch(batch.z0[:, [0, 0]], batch.dz[:, [0, 0]], batch.condition, batch.snapshot)
    with pytest.raises(ValueError, match="an observable depends on the others"):
        train(twice, options("onsager"), 0)


@pytest.mark.slow
def test_means_of_less_noise_sharpen_the_drift_and_leave_the_noise() -> None:
    """The drift -0.1 y from means with a tenth of the noise; the covariance from increments."""
    rng, n = np.random.default_rng(0), 4000
    z0 = rng.normal(0, 1, (n, 1))
    mean = -0.1 * z0 + rng.normal(0, 0.05, (n, 1))
    dz = mean + rng.normal(0, 0.5, (n, 1))
    options = TrainingOptions("network", 8, 1, 1, 20, 512)
    missed = {}
    for name, means in (("without", None), ("with", mean)):
        batch = PairBatch(z0, dz, np.full((n, 1), 0.4), np.arange(n) // 8, means)
        trained = train(batch, options, 0)
        y = torch.linspace(-1.5, 1.5, 31)[:, None]
        with torch.no_grad():
            drift, factor = trained.members[0](y, torch.zeros(31, 0))
        z = y.numpy() * trained.scaling.z_scale + trained.scaling.z_mean
        missed[name] = float(np.abs(drift.numpy() * trained.scaling.z_scale + 0.1 * z).max())
        std = float(factor.mean()) * trained.scaling.z_scale[0]
        assert std == pytest.approx(np.hypot(0.5, 0.05), rel=0.05)
    assert missed["with"] < 0.02 and missed["with"] < missed["without"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drift": "mlp"}, "drift must be one of onsager, network, potential, not 'mlp'"),
        ({"members": 0}, "members must be 1 to 1000000, not 0"),
        ({"epochs": 0}, "epochs must be 1 to 1000000, not 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"depth": 10**9}, "depth must be 1 to 100, not 1000000000"),
        ({"width": "32"}, "width must be a whole number, not .32."),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0, not 0.0"),
        ({"learning_rate": np.nan}, "learning_rate must be a number above 0, not nan"),
        ({"weight_decay": -1.0}, "weight_decay must be a number at least 0"),
    ],
)
def test_options_beyond_their_limits_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        options(**({"kind": "onsager"} | change))


def test_whole_numbers_of_any_kind_are_counts() -> None:
    counts = TrainingOptions(members=np.int64(2), epochs=3.0, learning_rate=np.float32(0.5))
    assert (counts.members, counts.epochs, counts.learning_rate) == (2, 3, 0.5)
    assert type(counts.members) is type(counts.epochs) is int


def test_lists_columns_and_numbers_train_as_arrays_do() -> None:
    """Of one observable without, with one and with the same condition for all pairs."""
    z0, dz = pairs(200).z0[:, 0], pairs(200).dz[:, 0]
    number = np.arange(200) // 10
    trained = [
        train(PairBatch(z0, dz, np.full((200, 1), 0.7), number), OPTIONS, 0),
        train(PairBatch(z0.tolist(), dz[:, None], 0.7, number.tolist()), OPTIONS, 0),
        train(PairBatch(z0[:, None], dz.tolist(), np.empty((200, 0)), number * 1.0), OPTIONS, 0),
        train(PairBatch(z0, dz, np.zeros(200, int), number), OPTIONS, 0),
        train(PairBatch(z0, dz, None, number), OPTIONS, 0),  # type: ignore[arg-type]
    ]
    for other in trained[1:]:
        np.testing.assert_array_equal(other.history, trained[0].history)


def test_a_training_that_diverges_says_so() -> None:
    """At once: refused. Later: what it was before is kept, with a warning."""
    batch = pairs(500)
    with pytest.raises(ValueError, match="training of member 0 diverged; lower learning_rate"):
        train(batch, replace(OPTIONS, learning_rate=1e30, batch_size=64), 0)
    lost = np.array([[1.0, 1.0], [0.9, 1.1], [np.nan, 2.0]])
    with pytest.warns(UserWarning, match="member 0 diverged in epoch 3; what it was before"):
        descent._require_convergence(lost, "member 0", True)
    with pytest.raises(ValueError, match="training of the encoder diverged"):
        descent._require_convergence(lost, "the encoder", False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(batch, OPTIONS, 0)


def test_validation_snapshots_are_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that give gradients and rows that do not share no snapshot; members differ in them."""
    batch, seen, loss = pairs(800), [], training._loss

    def watched(model: object, data: object, rows: np.ndarray, *given: object) -> object:
        seen.append((torch.is_grad_enabled(), set(batch.snapshot[rows].tolist())))
        return loss(model, data, rows, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_loss", watched)
    held_out = []
    for seed in (0, 1):
        seen.clear()
        train(batch, replace(OPTIONS, epochs=2, batch_size=100), seed)
        trained, checked = (
            set().union(*(own for gives, own in seen if gives == kind)) for kind in (True, False)
        )
        assert not trained & checked and len(trained | checked) == 50 and len(checked) == 10
        held_out.append(checked)
    assert held_out[0] != held_out[1]


def test_members_draw_runs_with_replacement() -> None:
    """Shares drawn and left out are those of a bootstrap; whole runs are held out."""
    groups, rng = np.repeat(np.arange(50), 4), np.random.default_rng(1)
    left = []
    for _ in range(200):
        rows, check = drawn_rows(groups, rng)
        assert len(rows) == len(groups) and not set(groups[rows]) & set(groups[check])
        left.append(len(np.unique(groups[check])) / 50)
    assert np.mean(left) == pytest.approx((1 - 1 / 50) ** 50, abs=4 * np.std(left) / 200**0.5)
    rows, check = split_rows(groups, rng)  # negative control: nothing comes twice
    assert len(np.unique(rows)) == len(rows) == 160 and len(check) == 40


def test_two_runs_always_leave_one_out() -> None:
    groups, rng = np.array([0, 0, 1]), np.random.default_rng(2)
    assert all(len(drawn_rows(groups, rng)[1]) in (1, 2) for _ in range(50))


def test_a_batch_keeps_its_runs() -> None:
    n = 6
    run = np.arange(n) // 2
    batch = PairBatch(np.ones((n, 1)), np.ones((n, 1)), None, np.arange(n), None, run)
    np.testing.assert_array_equal(batch.take(run == 1).run, [1, 1])
    with pytest.raises(ValueError, match="run"):
        PairBatch(np.ones((n, 1)), np.ones((n, 1)), None, np.arange(n), None, run[:3])


@pytest.mark.slow
def test_weights_of_layers_decay_alone() -> None:
    """What is linear in the states is not drawn to 0 by a decay that leaves no network."""
    batch = pairs(4000)
    strong = train(batch, options("network", members=1, epochs=40, weight_decay=100.0), 0)
    drift = strong.members[0].drift
    layers = [x.weight.detach() for x in drift.network if hasattr(x, "weight")]
    assert max(float(weight.abs().max()) for weight in layers) < 1e-3
    np.testing.assert_allclose(drift.slope.detach(), -rates(1250.0), atol=0.05)
