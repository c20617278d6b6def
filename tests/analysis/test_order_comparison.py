"""Prediction beside truth, on synthetic runs whose means, spreads and times are known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from macro_ase.analysis.order_comparison import OrderComparison, compare_order
from macro_ase.systems.alloy_order import BondOrder

ORDER = BondOrder(("Nb", "Mo", "Ta"), np.array([2728, 2728, 2728, 8]))
START, END = np.array([0.88, 0.88, 0.88]), np.array([0.94, 0.85, 1.10])
SPREAD = np.array([0.010, 0.012, 0.008])
VACANCY = np.array([0.008, 0.007, 0.009])
TAU, STEP_S, N_T, FIRST = 10.0, 1e-9, 750, 60


def paths(
    n: int,
    end: np.ndarray = END,
    spread: float = 1.0,
    tau: float = TAU,
    seed: int = 0,
    start: np.ndarray = START,
) -> np.ndarray:
    """Relaxing AR(1) paths from one point, shape (n, N_T, 3)."""
    phi = np.exp(-1 / tau)
    noise = np.random.default_rng(seed).normal(size=(n, N_T, 3)) * np.sqrt(1 - phi**2)
    noise[:, 0] = 0
    fluctuation = lfilter([1.0], [1.0, -phi], noise, axis=1) * SPREAD * spread
    return end + (start - end) * np.exp(-np.arange(N_T) / tau)[:, None] + fluctuation


def direct(n: int = 3, seed: int = 100, **options: object) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "times": STEP_S * np.arange(N_T),
            "z": z,
            "extra": VACANCY + 0.002 * rng.normal(size=(N_T, 3)),
        }
        for z in paths(n, seed=seed, **options)  # type: ignore[arg-type]
    ]


def comparison(
    vacancy: np.ndarray = VACANCY, n_direct: int = 3, **options: object
) -> OrderComparison:
    predicted = np.array([paths(16, seed=s, **options) for s in range(4)])  # type: ignore[arg-type]
    return compare_order(
        ORDER,
        [2000.0],
        [direct(n_direct)],
        [(STEP_S * np.arange(N_T), predicted)],
        [(vacancy, np.full(3, 1e-4))],
        [FIRST],
    )


def miss(c: OrderComparison) -> np.ndarray:
    """Predicted less true delta in standard errors, shape (n_all,)."""
    error = np.hypot(c.delta_true.error, c.delta_predicted.error)
    return (np.abs(c.delta_predicted.value - c.delta_true.value) / error)[0]


def test_a_right_prediction() -> None:
    c = comparison()
    assert c.names == ORDER.all_names
    np.testing.assert_allclose(c.delta_true.value[0], ORDER.delta(END, VACANCY), atol=0.02)
    assert miss(c).max() < 4
    for ratio, largest in ((c.std_ratio, 0.1), (c.relaxation_ratio, 0.4)):
        known = ratio.value[~np.isnan(ratio.value)]
        assert ratio.value.shape == (1, 3) and np.nanmax(ratio.error) < largest
        assert len(known) > 1 and np.nanmax(np.abs(ratio.value - 1) / ratio.error) < 4
    assert np.isnan(c.relaxation_true.value[0, 1])  # it changes by 2.5 standard deviations
    assert c.relaxation_true.value[0, 2] == pytest.approx(TAU * STEP_S, rel=0.12)
    assert c.row_sum_residual < 1e-12
    np.testing.assert_allclose(c.vacancy_true.value[0], VACANCY, atol=4 * 0.002 / np.sqrt(2070))


def test_spread_is_that_of_the_process() -> None:
    c = comparison()
    exact = np.sqrt(ORDER.counts.sum() / ORDER.counts[0]) ** 2 * SPREAD
    rows = [c.names.index(name) for name in ORDER.pair_names]
    for found in (c.std_true, c.std_predicted):
        np.testing.assert_allclose(found.value[0, rows], exact, rtol=0.08)


def test_negative_control_a_shifted_mean() -> None:
    c = comparison(end=END + [0.0, 0.0, 0.02])
    assert miss(c)[c.names.index("Mo-Ta")] > 6
    assert miss(c)[c.names.index("Nb-Nb")] < 4


@pytest.mark.parametrize("factor", [0.7, 1.5])
def test_negative_control_a_wrong_spread(factor: float) -> None:
    c = comparison(spread=factor)
    np.testing.assert_allclose(c.std_ratio.value[0], factor, rtol=0.1)
    assert np.all(np.abs(c.std_ratio.value - 1) > 4 * c.std_ratio.error)
    assert c.coverage()[0][0] < 0.68


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_negative_control_a_wrong_clock(factor: float) -> None:
    c = comparison(tau=factor * TAU)
    assert c.relaxation_ratio.value[0, 2] == pytest.approx(factor, rel=0.2)
    assert miss(c).max() < 5


def test_negative_control_a_wrong_vacancy_term_moves_like_pairs_alone() -> None:
    c = comparison(vacancy=VACANCY + 0.1)
    like = [k for k, name in enumerate(c.names) if name.split("-")[0] == name.split("-")[1]]
    unlike = [k for k in range(6) if k not in like]
    assert miss(c)[like].min() > 6 and miss(c)[unlike].max() < 4


def test_a_component_that_hardly_changes_has_no_time() -> None:
    start = END + 2 * SPREAD
    c = compare_order(
        ORDER,
        [2000.0],
        [direct(start=start)],
        [(STEP_S * np.arange(N_T), np.array([paths(8, start=start, seed=s) for s in range(2)]))],
        [(VACANCY, np.zeros(3))],
        [FIRST],
    )
    assert np.isnan(c.relaxation_true.value).all() and np.isnan(c.relaxation_ratio.value).all()


@pytest.mark.slow
def test_errors_of_direct_runs_are_calibrated() -> None:
    """The error of three runs against the spread over 40 repeats."""
    found = []
    for seed in range(40):
        c = compare_order(
            ORDER,
            [2000.0],
            [direct(seed=1000 + seed)],
            [(STEP_S * np.arange(N_T), paths(2)[None])],
            [(VACANCY, np.zeros(3))],
            [FIRST],
        )
        found.append((c.delta_true.value[0], c.delta_true.error[0]))
    values, errors = np.array(found).transpose(1, 0, 2)
    calibration = values.std(axis=0) / np.sqrt((errors**2).mean(axis=0))
    np.testing.assert_allclose(calibration, 1, atol=0.4)


def test_one_member_has_no_error_of_its_own() -> None:
    c = compare_order(
        ORDER,
        [2000.0],
        [direct(1)],
        [(STEP_S * np.arange(N_T), paths(4)[None])],
        [(VACANCY, np.zeros(3))],
        [FIRST],
    )
    assert np.all(np.isnan(c.delta_predicted.error))
    assert np.all(c.delta_true.error > 0) and np.all(c.delta_true.error < 0.05)


@pytest.mark.slow
def test_intervals_cover_as_they_say() -> None:
    """Means and spreads of 40 predictions by members of one error, beside three runs each."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ends = END + 0.001 * rng.normal(size=(8, 3)) + 0.001 * rng.normal(size=3)
        predicted = np.array([paths(8, end=end, seed=seed * 8 + k) for k, end in enumerate(ends)])
        c = compare_order(
            ORDER,
            [2000.0],
            [direct(seed=5000 + seed)],
            [(STEP_S * np.arange(N_T), predicted)],
            [(VACANCY, np.zeros(3))],
            [FIRST],
        )
        found.append(c.deviations[:6])
    share = np.mean(np.abs(found) <= 1)
    assert 0.58 < share < 0.78 and np.mean(np.abs(found) <= 1.96) > 0.88
    assert np.mean(np.abs(found) <= 0.5) < 0.58


@pytest.mark.slow
def test_the_error_of_a_relaxation_time_is_that_of_the_mean_path() -> None:
    times = np.array([comparison(n_direct=6).relaxation_true.error[0, 2]])
    many = [direct(6, seed=300 + k) for k in range(24)]
    each = [
        compare_order(
            ORDER,
            [2000.0],
            [runs],
            [(STEP_S * np.arange(N_T), paths(2)[None])],
            [(VACANCY, np.zeros(3))],
            [FIRST],
        ).relaxation_true.value[0, 2]
        for runs in many
    ]
    assert times[0] == pytest.approx(np.std(each, ddof=1), rel=0.6)


@pytest.mark.slow
def test_intervals_of_relaxation_times_cover_as_they_say() -> None:
    """Of four runs beside a prediction that is right; taken as normal, errors are too small."""
    times, predicted = STEP_S * np.arange(N_T), np.array([paths(1, spread=0.0)] * 2)
    scores, plain = [], []
    for seed in range(120):
        c = compare_order(
            ORDER,
            [2000.0],
            [direct(4, seed=9000 + seed)],
            [(times, predicted)],
            [(VACANCY, np.zeros(3))],
            [FIRST],
        )
        scores.append(c.deviations[-2:])
        ratio = c.relaxation_ratio
        plain.append(((ratio.value - 1) / ratio.error)[0, [0, 2]])
    sizes = np.abs(np.concatenate(scores))
    assert 0.60 < np.mean(sizes <= 1) < 0.77
    assert 0.91 < np.mean(sizes <= 1.96) < 0.99
    assert np.mean(np.abs(plain) <= 1.96) < np.mean(sizes <= 1.96) - 0.02
