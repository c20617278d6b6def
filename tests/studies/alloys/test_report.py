"""Reports of alloys from runs whose answers are known: checks, metrics, baselines, cost."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase.units import kB
from scipy.signal import lfilter

from macro_ase.analysis.order_comparison import Estimate
from macro_ase.analysis.time_step import TimeStepScan
from macro_ase.engines.vacancies.fraction import VacancyFraction
from macro_ase.report import Report
from macro_ase.studies.alloys.compare import beside_small_runs, compare
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.report import report
from macro_ase.systems.alloy_crystals import AlloyCrystals
from macro_ase.systems.alloy_order import BondOrder

K, N, D, T, SLOW, STEP = 8, 400, 3, 2000.0, 5.0, 500
SPECIES = ("Nb", "Mo", "Ta")
MEAN, SPREAD = np.array([0.94, 0.85, 1.10]), 0.01
SYSTEM: Any = SimpleNamespace(
    event="hops of a vacancy",
    time_unit="s",
    boundary="embedded",
    names=("Nb-Mo", "Nb-Ta", "Mo-Ta"),
    record_events=125,
    model_condition=lambda condition: np.array([1000 / condition["T"]]),
    large=SimpleNamespace(n_sites=8192),
    small=SimpleNamespace(n_sites=1024),
    large_state=np.zeros(8192),
    n_patches=lambda state: K,
    events_of=lambda events: (2 * events, 1, K),
    vacancy_scale=1.0,
    order=BondOrder(SPECIES, np.array([2728, 2728, 2728, 8])),
    small_order=BondOrder(SPECIES, np.array([341, 341, 341, 1])),
)
SYSTEM.events = partial(AlloyCrystals.events, SYSTEM)
SYSTEM.alone = lambda: SYSTEM
RUNS, LONG = 16, 4000
DESIGN = Design(
    system=SYSTEM,
    notes=(),
    temperatures=(T,),
    learning={"drift": "onsager"},
    seed=0,
    small_runs=RUNS,
    small_events={T: 250_000},
    copies=1,
    repeats=1,
    healing_events=100,
    dt_events=[STEP],
    direct_runs=2,
    relaxation_times={T: 174.0},
    paths=4,
)


class Model:
    """A model whose step is a known fraction of the displacement from 0."""

    def __init__(self, rate: float, eps: float) -> None:
        history = np.zeros((2, 3, 2))
        scaling = SimpleNamespace(z_scale=np.ones(D))
        self.trained = SimpleNamespace(eps=eps, scaling=scaling, history=history)
        self.rate = rate

    def step_means(self, z: Any, condition: Any, n_sites: int, n_patches: int) -> Any:
        return -self.rate * z

    def simulate(self, z0: Any, condition: Any, steps: int, *sizes: Any) -> Any:
        z = relaxing(2 * len(z0), steps + 1, 4).reshape(2, len(z0), steps + 1, D)
        return SimpleNamespace(times=STEP * np.arange(steps + 1), z=z)

    def step_moments(self, z: Any, condition: Any) -> tuple[Any, Any]:
        return -self.rate * z[None], np.tile(np.eye(D), (1, len(z), 1, 1))


def stationary(n: int, times: int, seed: int, slow: float = SLOW) -> np.ndarray:
    """AR(1) paths about the mean, shape (n, times, D)."""
    memory = np.exp(-1 / slow)
    noise = np.random.default_rng(seed).normal(size=(n, times, D)) * np.sqrt(1 - memory**2)
    return MEAN + SPREAD * lfilter([1.0], [1.0, -memory], noise, axis=1)


def relaxing(n: int, times: int, seed: int, slow: float = SLOW) -> np.ndarray:
    """The same from .3 below the mean."""
    return stationary(n, times, seed, slow) - 0.3 * np.exp(-np.arange(times) / slow)[:, None]


def made(
    rate: float = 0.3,
    eps: float = 0.005,
    seam: float = 0.0,
    times: int = 900,
    predicted: float = 0.0,
    small: float = 0.0,
    quick: float = 1.0,
    shared: float = 0.0,
) -> tuple[Report, Any]:
    """Patches and wholes of drift -.3 z and unit noise; averages shifted as asked, in Mo-Ta."""
    rng, mo_ta = np.random.default_rng(0), np.array([0, 0, 1])
    z = rng.normal(0, 2, (N, D))
    common = np.sqrt(shared) * rng.normal(size=(N, 1, D))
    dz = -0.3 * z[:, None] + np.sqrt(1 - shared) * rng.normal(size=(N, K, D)) + common
    whole = -0.3 * z + rng.normal(size=(N, D)) / np.sqrt(K)
    seams = rng.normal(0, 1e-3, (N, 2, D)) + np.array([seam, 0])[:, None]
    pairs = {
        "snapshot": np.repeat(np.arange(N), K),
        "z0": np.repeat(z, K, axis=0),
        "dz": dz.reshape(-1, D),
        "n_patches": np.full(N * K, K),
        "patch": np.tile(np.arange(K), N),
        "met": np.zeros(N * K, np.int8),
        "whole_snapshot": np.arange(N),
        "whole_z0": z,
        "whole_dz": whole,
        "seam": seams,
    }
    slowest = np.array([[STEP * SLOW]])
    scan = TimeStepScan(np.array([T]), np.array([STEP]), slowest, slowest, STEP)
    runs = {
        f"direct/{T!r}/{r}": {"times": np.arange(times), "z": x, "extra": np.full((times, 3), 0.01)}
        for r, x in enumerate(stationary(2, times, 1))
    }
    own = {
        f"small/{T!r}/{r}": {
            "times": 125 * np.arange(LONG),
            "z": z + small * mo_ta,
            "extra": np.full((LONG, 3), 0.01),
        }
        for r, z in enumerate(relaxing(RUNS, LONG, 2, 4 * SLOW * quick))
    }
    paths = [
        (np.arange(times), stationary(8, times, 3).reshape(2, 4, times, D) + predicted * mo_ta)
    ]
    cpu_s = {"small runs": 1.0, "patch pairs": 5.0, "learning": 2.0, "direct runs": 4.0}
    parts = {
        f"pairs/{T!r}/0/{r}": {name: np.array_split(x, RUNS)[r] for name, x in pairs.items()}
        for r in range(RUNS)
    }
    stages = (own, scan, parts, Model(rate, eps), runs)
    found = compare(DESIGN, *stages, paths, cpu_s)  # type: ignore[arg-type]
    return report(DESIGN, found, quick=True), found


def verdicts(**fault: float) -> dict[str, str]:
    return {check.name: check.verdict for check in made(**fault)[0].checks}  # type: ignore[arg-type]


def test_a_sound_study_passes() -> None:
    found = verdicts()
    assert found.pop("vacancies met") == "information"
    assert len(found) == 12 and set(found.values()) == {"passed"}


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"rate": 0.4}, "step of the model = step of the whole"),
        ({"eps": 0.02}, "regularisation small"),
        ({"seam": 0.03}, "seams healed"),
        ({"times": 200}, "direct runs long enough"),
        ({"shared": 0.2}, "z is all that patches share"),
        ({"quick": 0.5}, "model = small runs: relaxation times"),
    ],
)
def test_each_fault_fails_its_check(fault: dict[str, float], name: str) -> None:
    assert verdicts(**fault)[name] == "failed"


@pytest.mark.parametrize(("moved", "seen"), [(slice(RUNS // 2, RUNS), False), (slice(2), True)])
def test_the_model_stands_beside_runs_from_random_crystals_alone(moved: slice, seen: bool) -> None:
    """Half of the runs begin elsewhere, and what they do then changes nothing."""
    kelvin, rests = (T, T + 500), [(np.full(D, 0.01), np.full(D, 0.001))] * 2
    d = replace(DESIGN, temperatures=kelvin, small_treated=0.5)

    def mean(by: float) -> Any:
        z = relaxing(RUNS, 200, 2)
        z[moved] += by
        own = [{"times": 125 * np.arange(200), "z": x, "extra": np.full((200, 3), 0.01)} for x in z]
        model: Any = Model(0.3, 0.005)
        return beside_small_runs(d, [own, own], STEP, model, rests).delta_true.value

    assert np.array_equal(mean(0.1), mean(0.0)) is not seen


def test_metrics_tell_a_prediction_that_is_right_from_one_that_is_not() -> None:
    good, wrong = (made(predicted=x)[0].metrics["sro_rms"] for x in (0.0, 0.05))
    assert good.value is not None and good.floor is not None and wrong.value is not None
    assert good.value < 4 * good.floor < 0.03
    exact = 0.05 / (2728 / 8192) * np.sqrt(3 / 6)  # Mo-Ta, and against it Mo-Mo and Ta-Ta
    assert wrong.value == pytest.approx(exact, rel=0.1)


def rows_of(table: Any) -> dict[str, Any]:
    return {row[0]: row[1] for row in table.rows}


def test_baselines_the_small_crystal_and_a_direct_run_as_dear() -> None:
    """The expected error goes as the root of the length; a shifted small crystal is far off."""
    plain, found = made()
    rows = rows_of(plain.baselines)
    true = found.comparison.delta_true
    assert rows["all direct runs: expected error"].value == pytest.approx(
        np.sqrt((true.error**2).mean())
    )
    learned = RUNS * 2 * 250_000 + 100 * N * K + N * K * STEP + N / 4 * K * STEP
    length = learned / (K * STEP) - 30
    expected = np.sqrt((true.error**2).mean() * 2 * (900 + 1 - 30) / length)
    assert rows["one direct run of equal cost: expected error"].value == pytest.approx(expected)
    rows = rows_of(made(small=0.02)[0].baselines)
    own, prediction = rows["small crystal's own average"], rows["prediction from patches"]
    assert own.value > 5 * prediction.value and own.value > 4 * own.error


def test_a_run_of_equal_cost_that_is_over_in_its_burn_in_has_no_error() -> None:
    _, found = made()
    poor = replace(found, pairs=[replace(found.pairs[0], number=1)])
    design = replace(DESIGN, small_events={T: 1000})
    row = rows_of(report(design, poor, True).baselines)[
        "one direct run of equal cost: expected error"
    ]
    assert np.isnan(row.value) and str(row) == "–"


def test_the_cost_counts_events_by_stage() -> None:
    cost = made()[0].cost
    assert cost is not None
    events = {row[1]: row[2].value for row in cost.table.rows if row[2] is not None}  # type: ignore[union-attr]
    assert events["small runs"] == RUNS * 2 * 250_000
    assert events["patches, each alone"] == N * K * STEP
    assert events["direct runs"] == 2 * 900 * STEP * K
    assert "here the learned route costs 2 times the direct one" in cost.sentence


@pytest.mark.slow
def test_the_offset_of_a_small_random_crystal_is_exact() -> None:
    """Mean delta of random crystals of 54 sites with fixed numbers against the formula."""
    from macro_ase.lattice import BCC, SiteGrid, shell_neighbors
    from macro_ase.observables.bonds import bond_counts

    grid, rng = SiteGrid(BCC, (3, 3, 3)), np.random.default_rng(0)
    counts = np.array([14, 20, 18, 2])
    order, state = BondOrder(SPECIES, counts), np.repeat(np.arange(4), counts).astype(np.int8)
    deltas = []
    for _ in range(4000):
        bonds = bond_counts(rng.permutation(state), shell_neighbors(grid), 4)
        deltas.append(order.delta(order.densities(bonds, 54), order.vacancy_neighbours(bonds)))
    mean, error = np.mean(deltas, axis=0), np.std(deltas, axis=0) / np.sqrt(4000)
    assert np.all(np.abs(mean - order.random_delta) < 4 * error)
    assert np.abs(order.random_delta / error).min() > 6  # negative control: no offset is noticed


@pytest.mark.slow
def test_time_in_the_laboratory_stands_beside_the_simulated(tmp_path: Path) -> None:
    _, found = made()
    times = Estimate(np.array([[2e-7, 3e-7, 4e-7]]), np.array([[1e-8, 2e-8, 3e-8]]))
    timed = replace(found.comparison, relaxation_true=times, relaxation_predicted=times)
    found = replace(found, comparison=timed)
    plain = report(DESIGN, found, quick=True)
    known = replace(DESIGN, vacancy_fraction=VacancyFraction(2.9, 0.05))
    told = report(known, found, quick=True)
    assert told.metrics == plain.metrics  # nothing that was there changes
    before, after = plain.sections[1], told.sections[1]
    rows = {row[1]: row[2:] for row in after.tables[0].rows}
    assert list(rows.values())[:3] == [row[2:] for row in before.tables[0].rows]
    assert len(rows) == 5 and len(after.tables) == len(before.tables) + 1
    scale = 8 / 8192 / VacancyFraction(2.9)(T)
    simulated, there = rows["direct"][1], rows["in the laboratory, direct"][1]
    assert there.value == pytest.approx(simulated.value * scale)
    relative = np.hypot(simulated.error / simulated.value, 0.05 / (kB * T))
    assert there.error == pytest.approx(there.value * relative)
    assert "time.vacancy_fraction, from macro-ase vacancy-energy" in before.text
    assert "9.77e-04 / c_v(T) times as long there; errors" in after.text
    pictures = []
    for section, name in ((before, "plain.png"), (after, "known.png")):
        section.figures[0].draw(tmp_path / name)
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] != pictures[1]


def test_swaps_say_nothing_of_vacancies() -> None:
    _, found = made()
    order = BondOrder(SPECIES, np.array([2731, 2731, 2730, 0]))
    swaps = SimpleNamespace(**{**vars(SYSTEM), "order": order})
    text = report(replace(DESIGN, system=swaps), found, quick=True).sections[1].text
    assert "laboratory" not in text
