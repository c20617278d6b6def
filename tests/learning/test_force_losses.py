"""Losses against their definitions; partial forces against all, subset by subset."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.force_batch import ForceBatch
from macro_ase.learning.force_losses import QuadraticLoss, loss_x, loss_x_partial, loss_z

pytestmark = pytest.mark.learn

N, D, ROWS = 6, 3, 5


def parts(seed: int = 0) -> tuple[np.ndarray, ...]:
    """z0, phi', phi' phi'^T and forces of random configurations, and a drift."""
    rng = np.random.default_rng(seed)
    jacobian = rng.normal(size=(ROWS, D, N))
    gram = jacobian @ jacobian.transpose(0, 2, 1)
    return rng.normal(size=(ROWS, D)), jacobian, gram, *rng.normal(size=(2, ROWS, N))


def batch(columns: list[int] | None = None, p: float | None = None) -> ForceBatch:
    z0, jacobian, gram, forces, _ = parts()
    use = list(range(N)) if columns is None else columns
    share = len(use) / N if p is None else p
    return ForceBatch.of(z0, gram, jacobian[:, :, use], forces[:, use], share)


def drift() -> np.ndarray:
    return parts()[4][:, :D]


def misfit(columns: list[int]) -> np.ndarray:
    """|f_I - (phi'^+)_I g|^2 from the definition."""
    _, jacobian, _, forces, _ = parts()
    pulled = (np.linalg.pinv(jacobian) @ drift()[..., None])[..., 0]
    return ((forces - pulled)[:, columns] ** 2).sum(axis=1)


def test_losses_by_their_definitions() -> None:
    _, jacobian, _, forces, _ = parts()
    dzdt = (jacobian @ forces[..., None])[..., 0]
    whole = batch()
    np.testing.assert_allclose(loss_z(whole)(drift()), ((dzdt - drift()) ** 2).sum(axis=1))
    np.testing.assert_allclose(loss_x(whole)(drift()), misfit(list(range(N))))
    some = [0, 2, 5]
    np.testing.assert_allclose(loss_x_partial(batch(some))(drift()), misfit(some) / 0.5)


def test_all_particles_give_the_full_loss() -> None:
    whole, partial = loss_x(batch()), loss_x_partial(batch())
    for name in ("metric", "linear", "constant"):
        np.testing.assert_allclose(getattr(partial, name), getattr(whole, name), atol=1e-12)


def mean_over_subsets(k: int, p: float) -> np.ndarray:
    values = [
        loss_x_partial(batch(list(subset), p))(drift()) for subset in combinations(range(N), k)
    ]
    return np.mean(values, axis=0)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_mean_over_subsets_is_the_full_loss(k: int) -> None:
    np.testing.assert_allclose(mean_over_subsets(k, k / N), loss_x(batch())(drift()), rtol=1e-12)


def test_a_wrong_weight_does_not_give_it() -> None:
    wrong = mean_over_subsets(2, (2 + 1) / N)
    assert np.all(np.abs(wrong / loss_x(batch())(drift()) - 1) > 0.3)


def test_full_losses_refuse_some_particles() -> None:
    for loss in (loss_z, loss_x):
        with pytest.raises(ValueError, match=r"all particles, not a share p = 0\.5"):
            loss(batch([0, 1, 2]))


def test_a_singular_encoder_is_refused() -> None:
    z0, jacobian, _, forces, _ = parts()
    jacobian[:, 1] = 0
    gram = jacobian @ jacobian.transpose(0, 2, 1)
    with pytest.raises(ValueError, match="depend on each other"):
        loss_x(ForceBatch.of(z0, gram, jacobian, forces, 1.0))


def test_batches_are_joined_taken_and_saved(tmp_path: Path) -> None:
    one = batch([1, 4])
    both = ForceBatch.join([one, one])
    assert len(both) == 2 * ROWS and both.p == one.p
    np.testing.assert_array_equal(both.take(np.arange(ROWS, 2 * ROWS)).gram, one.gram)
    one.save(tmp_path / "batch.npz")
    again = ForceBatch.load(tmp_path / "batch.npz")
    for name, value in one.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], value)
    with pytest.raises(ValueError, match="batches must be of one p, d"):
        ForceBatch.join([one, batch()])
    np.savez(tmp_path / "other.npz", z0=one.z0)
    with pytest.raises(
        ValueError, match=r"other.npz holds no complete force batch: .* lacks condi"
    ):
        ForceBatch.load(tmp_path / "other.npz")
    np.save(tmp_path / "array.npy", one.z0)
    for name, content in (("cut.npz", (tmp_path / "batch.npz").read_bytes()[:-200]), ("x", b"?")):
        (tmp_path / name).write_bytes(content)
    for name in ("array.npy", "cut.npz", "x"):
        with pytest.raises(ValueError, match=f"{name} holds no complete force batch: ") as found:
            ForceBatch.load(tmp_path / name)
        assert "\n" not in str(found.value)
    with pytest.raises(FileNotFoundError):
        ForceBatch.load(tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match="of one p, d and number of conditions"):
        ForceBatch.join([])


def test_bad_forces_are_refused() -> None:
    z0, jacobian, gram, forces, _ = parts()
    with pytest.raises(ValueError, match=r"p, the share of particles, must be above 0, not 0"):
        ForceBatch.of(z0, gram, jacobian, forces, 0)
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\], not 1.5"):
        ForceBatch.of(z0, gram, jacobian, forces, 1.5)
    with pytest.raises(ValueError, match=r"jacobian must have shape \(\d, 3, 5\)"):
        ForceBatch.of(z0, gram, jacobian, forces[:, :5], 1.0)
    with pytest.raises(ValueError, match=r"gram must have shape \(\d, 3, 3\)"):
        ForceBatch.of(z0, gram[:, :2, :2], jacobian, forces, 1.0)
    listed = [x.tolist() for x in (z0, gram, jacobian, forces)]
    own = ForceBatch.of(*listed, 1, condition=2.0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(own.dzdt, ForceBatch.of(z0, gram, jacobian, forces, 1.0).dzdt)
    assert own.condition.tolist() == [[2.0]] * len(z0)
    forces[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        ForceBatch.of(z0, gram, jacobian, forces, 1.0)


def test_rows_of_a_loss() -> None:
    loss = loss_x(batch())
    assert isinstance(loss.take(np.array([2])), QuadraticLoss)
    np.testing.assert_allclose(loss.take(np.array([2]))(drift()[2:3]), loss(drift())[2:3])


def test_relative_losses_keep_each_minimiser() -> None:
    loss = loss_x(batch())
    other = loss.relative(0.5)
    np.testing.assert_allclose(other.minimiser(), loss.minimiser(), rtol=1e-9)
    ratio = other(drift()) / loss(drift())
    np.testing.assert_allclose(ratio, 1 / (loss.constant + 0.5 * loss.constant.mean()))


def test_misfits_of_rates_are_counted_in_units() -> None:
    rates, scale = drift(), np.array([0.1, 1.0, 7.0])
    loss = QuadraticLoss.of_rates(rates, scale)
    np.testing.assert_allclose(loss.minimiser(), rates)
    np.testing.assert_allclose(loss(rates), 0, atol=1e-9)
    np.testing.assert_allclose(loss(rates + scale), 3, rtol=1e-9)


def test_a_loss_of_more_variables_carried_to_fewer() -> None:
    """The least over rates left free; L_x becomes that of z, less a constant; a wrong B fails."""
    z0, jacobian, _, forces, _ = parts()
    chain = np.random.default_rng(2).normal(size=(ROWS, 2, D))
    own = chain @ jacobian
    exact = loss_x(ForceBatch.of(z0[:, :2], own @ own.transpose(0, 2, 1), own, forces, 1.0))
    carried = loss_x(batch()).carried(chain)
    for name in ("metric", "linear"):
        np.testing.assert_allclose(getattr(carried, name), getattr(exact, name), rtol=1e-8)
    assert np.all(carried.constant < exact.constant)
    wrong = loss_x(batch()).carried(chain[::-1])
    assert np.abs(wrong.linear / exact.linear - 1).max() > 0.1
    some = loss_x_partial(batch([0, 2, 3, 5]))
    tried = np.random.default_rng(3).normal(size=(200, ROWS, D))
    for rates in tried:
        g = (chain @ rates[..., None])[..., 0]
        assert np.all(some.carried(chain)(g) <= some(rates) + 1e-9)


def test_rescaled_losses_keep_each_minimiser() -> None:
    loss, scale = loss_x(batch()), np.array([0.1, 1.0, 7.0])
    np.testing.assert_allclose(loss.rescaled(scale)(loss.minimiser() + scale), 3, rtol=1e-9)


def test_rates_are_exact_where_forces_lie_in_the_rows() -> None:
    """Two forces of six tell dz/dt of two variables if f = phi'^T c, and do not if not."""
    z0, jacobian, gram, other, _ = parts()
    jacobian, gram, some = jacobian[:, :2], gram[:, :2, :2], [1, 4]
    c = np.random.default_rng(1).normal(size=(ROWS, 2, 1))
    for forces, exact in (((jacobian.transpose(0, 2, 1) @ c)[..., 0], True), (other, False)):
        dzdt = (jacobian @ forces[..., None])[..., 0]
        few = ForceBatch.of(z0[:, :2], gram, jacobian[:, :, some], forces[:, some], 2 / N)
        error = np.abs(loss_x_partial(few).minimiser() - dzdt).max()
        assert (error < 1e-9) == exact


def test_a_floor_keeps_the_rate_and_counts_what_is_at_rest() -> None:
    whole = batch()
    floored = whole.with_floor(0.1)
    more = (floored.gram - whole.gram)[0]
    np.testing.assert_allclose(more, np.diag(0.1 * np.diagonal(whole.gram, 0, 1, 2).mean(axis=0)))
    np.testing.assert_array_equal(floored.dzdt, whole.dzdt)
    loss = loss_x(floored)
    np.testing.assert_allclose(loss.minimiser(), whole.dzdt, rtol=1e-9)
