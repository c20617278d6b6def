"""The measured assumptions, on increments whose independence is known."""

import numpy as np
import pytest

from macro_ase.analysis.assumptions import PatchCheck, check_patches, seam_difference

K = 8
SLOPES = np.array([[-0.2, 0.05], [0.0, -0.1]])
NOISE = np.array([[0.5, 0.0], [0.2, 0.3]])  # of one patch, that is of K times its change


def increments(
    common: float = 0.0,
    whole_noise: float = 1.0,
    whole_drift: float = 1.0,
    shift: float = 0.0,
    n: int = 1200,
    seed: int = 0,
    n_patches: int = K,
    strength: float = 1.0,
) -> dict[str, np.ndarray]:
    """Pairs of n snapshots; a share ``common`` of the noise variance is shared by patches."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    own = rng.normal(size=(n, n_patches, 2)) * np.sqrt(1 - common)
    shared = rng.normal(size=(n, 1, 2)) * np.sqrt(common)
    slopes = strength * SLOPES
    dz = (z @ slopes.T)[:, None] + (own + shared) @ NOISE.T
    chosen = np.arange(0, n, 4)
    drift = whole_drift * z[chosen] @ slopes.T + shift
    alone = rng.normal(size=(len(chosen), 2)) * np.sqrt((1 - common) / n_patches)
    together = rng.normal(size=(len(chosen), 2)) * np.sqrt(common)
    return {
        "snapshot": np.repeat(np.arange(n), n_patches),
        "z0": np.repeat(z, n_patches, axis=0),
        "dz": dz.reshape(-1, 2),
        "n_patches": np.full(n * n_patches, n_patches),
        "met": (np.arange(n * n_patches) % 10 == 0).astype(np.int8),
        "whole_snapshot": chosen,
        "whole_z0": z[chosen],
        "whole_dz": drift + whole_noise * (alone + together) @ NOISE.T,
    }


def test_independent_patches() -> None:
    check = check_patches(increments())
    assert check.drift_slope == pytest.approx(1, abs=4 * check.drift_slope_error)
    assert check.covariance_ratio == pytest.approx(1, abs=4 * check.covariance_ratio_error)
    assert abs(check.correlation) < 4 / np.sqrt(1200 * K * (K - 1))
    assert check.mean_difference < 4 and check.met_share == pytest.approx(0.1)
    assert check.drift_slope_error < 0.1 and check.covariance_ratio_error < 0.1


def test_errors_are_calibrated() -> None:
    """Spread over repeats against the error claimed."""
    checks = [check_patches(increments(n=240, seed=s)) for s in range(60)]
    for name, exact in (("drift_slope", 1), ("covariance_ratio", 1), ("correlation", 0)):
        values = np.array([getattr(c, name) for c in checks])
        errors = np.array([getattr(c, f"{name}_error") for c in checks])
        assert values.std() / errors.mean() == pytest.approx(1, abs=0.35)
        assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(60) + 0.03 * exact


@pytest.mark.slow
def test_a_drift_that_is_hardly_known_is_not_taken_for_a_smaller_one() -> None:
    """Errors of the fit raise its squares; a drift twice that of patches still shows."""
    for factor in (1.0, 2.0):
        weak = [increments(n=300, seed=s, strength=0.4, whole_drift=factor) for s in range(40)]
        slopes = np.array([check_patches(chunk).drift_slope for chunk in weak])
        error = np.nanstd(slopes) / np.sqrt(40)
        assert abs(np.nanmean(slopes) - factor) < max(0.1, 4 * error)
        assert error < 0.1
    few = [check_patches(increments(n=60, seed=s, strength=0.3)) for s in range(60)]
    off = np.array([abs(c.drift_slope - 1) / c.drift_slope_error for c in few])
    assert np.nanmean(off > 2) < 0.1  # errors are as large as the slope is uncertain
    none = check_patches(increments(n=40, strength=0.0))
    assert np.isnan(none.drift_slope) or none.drift_slope_error > 0.5


@pytest.mark.parametrize("common", [0.05, 0.2])
def test_common_noise_is_detected(common: float) -> None:
    check = check_patches(increments(common=common))
    assert check.correlation == pytest.approx(common, rel=0.25)
    expected = 1 + (K - 1) * common
    assert check.covariance_ratio == pytest.approx(expected, abs=5 * check.covariance_ratio_error)
    assert check.covariance_ratio - 1 > 3 * check.covariance_ratio_error


def rejected(check: PatchCheck) -> set[str]:
    """What of a check is more than four errors from what independent patches give."""
    found = set()
    if abs(check.drift_slope - 1) > 4 * check.drift_slope_error:
        found.add("drift")
    if abs(check.covariance_ratio - 1) > 4 * check.covariance_ratio_error:
        found.add("noise")
    if check.mean_difference > 4:
        found.add("mean")
    return found


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ({"whole_drift": 0.5}, "drift"),
        ({"whole_noise": 1.4}, "noise"),
        ({"whole_noise": np.sqrt(K)}, "noise"),
        ({"shift": 0.1}, "mean"),
    ],
)
def test_negative_controls(fault: dict[str, float], finding: str) -> None:
    assert finding in rejected(check_patches(increments(**fault)))  # type: ignore[arg-type]
    assert rejected(check_patches(increments())) == set()


def test_the_units_of_the_observables_do_not_matter() -> None:
    chunk = increments()
    units = np.array([1e-3, 40.0])
    scaled = {k: v * units if k in ("z0", "dz", "whole_z0", "whole_dz") else v
              for k, v in chunk.items()}  # fmt: skip
    first, second = check_patches(chunk), check_patches(scaled)
    for name, value in vars(first).items():
        assert getattr(second, name) == pytest.approx(value, rel=1e-9)


def test_share_of_the_drift() -> None:
    chunk = increments()
    exact = np.diag(SLOPES @ SLOPES.T) / np.diag(SLOPES @ SLOPES.T + NOISE @ NOISE.T)
    spread = np.diag(SLOPES @ SLOPES.T + NOISE @ NOISE.T)
    scaled = (exact * spread / chunk["dz"].var(axis=0)).mean()
    assert check_patches(chunk).drift_share == pytest.approx(scaled, rel=0.15)


@pytest.mark.parametrize("n_patches", [2, 3, 8])
@pytest.mark.parametrize("common", [0.0, 0.3])
def test_the_correlation_is_that_of_two_patches_whatever_k(n_patches: int, common: float) -> None:
    """Within four errors; a mean over all K^2 pairs, equal ones included, would be far off."""
    found = [
        check_patches(increments(common, n=600, seed=s, n_patches=n_patches)).correlation
        for s in range(10)
    ]
    assert np.mean(found) == pytest.approx(common, abs=4 * np.std(found) / np.sqrt(10))
    assert np.std(found) < 0.06


def young(bend: float, n: int, common: float = 0.0) -> dict[str, np.ndarray]:
    """Pairs of states on their way, whose drift bends by ``bend`` times the square of z."""
    chunk = increments(common, n=n)
    far = np.random.default_rng(7).exponential(3.0, n)
    for name, snapshot in (("", chunk["snapshot"]), ("whole_", chunk["whole_snapshot"])):
        start = chunk[f"{name}z0"] + np.column_stack([far, 0 * far])[snapshot]
        more = (start - chunk[f"{name}z0"]) @ SLOPES.T
        more[:, 0] += bend * start[:, 0] ** 2
        chunk |= {f"{name}z0": start, f"{name}dz": chunk[f"{name}dz"] + more}
    return chunk


def test_young_states_whose_drift_bends_do_not_count_as_correlated() -> None:
    """Enough snapshots: squares are fitted. Too few: the fit is linear, and the bend shows."""
    many, few = check_patches(young(0.02, 1200)), check_patches(young(0.02, 100))
    assert many.correlation == pytest.approx(0, abs=0.02)
    assert many.covariance_ratio == pytest.approx(1, abs=4 * many.covariance_ratio_error)
    assert few.correlation > 0.06
    shared = check_patches(young(0.02, 1200, common=0.2))
    assert shared.correlation == pytest.approx(0.2, abs=0.03)


def test_any_order_of_chunks_and_repeats_is_the_same() -> None:
    chunk = increments(common=0.1, n=200)
    repeated = {k: v if k.startswith("whole") else np.concatenate([v, v]) for k, v in chunk.items()}
    first, again = check_patches(chunk), check_patches(repeated)
    assert again.drift_slope == pytest.approx(first.drift_slope)
    assert again.correlation == pytest.approx(first.correlation, abs=0.01)
    later = np.argsort(-(chunk["snapshot"] // 50), kind="stable")
    wholes = np.arange(len(chunk["whole_snapshot"]))[::-1]
    mixed = {k: v[wholes if k.startswith("whole") else later] for k, v in chunk.items()}
    for name, value in vars(first).items():
        assert getattr(check_patches(mixed), name) == pytest.approx(value, rel=1e-9), name


def chosen(chunk: dict[str, np.ndarray], number: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Pairs of so many random patches of every snapshot."""
    rng, n = np.random.default_rng(seed), len(chunk["snapshot"]) // K
    rows = np.sort(rng.permuted(np.tile(np.arange(K), (n, 1)), axis=1)[:, :number])
    kept = (K * np.arange(n)[:, None] + rows).ravel()
    own = {k: v if k.startswith("whole") else v[kept] for k, v in chunk.items()}
    return own | {"evolved": np.full(n * number, number)}


def test_some_patches_of_every_state_tell_what_all_do() -> None:
    """Means over data sets of a known correlation against it; taken for all, they are refused."""
    common, checks = 0.1, []
    for seed in range(20):
        checks.append(check_patches(chosen(increments(common, n=400, seed=seed), 3, seed)))
    exact = {"drift_slope": 1.0, "covariance_ratio": 1 + (K - 1) * common, "correlation": common}
    for name, value in exact.items():
        found = np.array([getattr(check, name) for check in checks])
        assert abs(found.mean() - value) < 4 * found.std() / np.sqrt(20), name
        assert abs(found.mean() - value) < 0.1 * value, name
    some = chosen(increments(), 3)
    some.pop("evolved")
    with pytest.raises(ValueError, match="or of each as many"):
        check_patches(some)


def test_one_patch_of_a_state_does_not_tell_what_patches_share() -> None:
    check = check_patches(chosen(increments(), 1))
    assert np.isnan(check.correlation) and np.isnan(check.correlation_error)
    assert check.n_patches == K and check.drift_slope == pytest.approx(1, abs=0.2)
    assert check_patches(increments(n_patches=1)).correlation == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evolved": np.full(1600, 3)}, "or of each as many, as often"),
        ({"evolved": np.full(1600, 0)}, "or of each as many, as often"),
        ({"met": None}, "pairs to be checked lack met"),
        ({"whole_dz": None, "whole_z0": None}, "lack whole_z0, whole_dz"),
        ({"dz": np.zeros((1600, 2))}, "increments of an observable do not vary"),
        ({"z0": np.zeros((1600, 3))}, r"z0 must be finite, of shape \(1600, 2\), not \(1600, 3\)"),
        ({"whole_dz": np.full((50, 2), np.nan)}, "whole_dz must be finite"),
        ({"n_patches": np.full(1600, 7)}, "all K patches of every snapshot are needed"),
        ({"n_patches": np.repeat([8, 4], 800)}, "all K patches of every snapshot are needed"),
        ({"snapshot": np.arange(1600) // 16 * 2}, "every whole needs the pairs of its snapshot"),
    ],
)
def test_what_is_not_asked_for_is_refused(change: dict[str, object], message: str) -> None:
    chunk: dict[str, object] = increments(n=200) | change  # type: ignore[operator]
    if "snapshot" in change:
        chunk["whole_snapshot"] = np.arange(50) * 2 + 1
    given = {k: v for k, v in chunk.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        check_patches(given)  # type: ignore[arg-type]


def test_one_patch_has_no_correlation() -> None:
    check = check_patches(increments(n_patches=1))
    assert check.correlation == 0
    assert check.covariance_ratio == pytest.approx(1, abs=5 * check.covariance_ratio_error)


def test_seam_difference() -> None:
    rng = np.random.default_rng(0)
    bulk = rng.normal(1.0, 0.05, (400, 3))
    seam = bulk + [0.0, 0.02, -0.1] + rng.normal(0, 0.03, (400, 3))
    mean, error = seam_difference(np.stack([seam, bulk], axis=1))
    np.testing.assert_allclose(error, 0.03 / 20, rtol=0.15)
    assert np.all(np.abs(mean - [0.0, 0.02, -0.1]) < 4 * error)
    assert abs(mean[2]) > 20 * error[2]
