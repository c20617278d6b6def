"""One-call sweeps: exact small systems, the two-dimensional transition, reproducibility."""

import numpy as np
import pytest

from macro_ase.analysis.binder import crossings
from macro_ase.analysis.collapse import Curves, fit_collapse
from macro_ase.analysis.exact_ising import exact_torus
from macro_ase.analysis.response import QUANTITIES, CanonicalRun
from macro_ase.analysis.scaling import critical_exponents
from macro_ase.analysis.sweep import ADVANCE, sweep
from macro_ase.analysis.sweep_table import SweepTable

TC = 2 / np.log(1 + np.sqrt(2))


def off_by(table: SweepTable, exact: np.ndarray) -> float:
    """Largest distance from the exact quantities, in error bars."""
    return float(np.abs((table.values - exact) / table.errors).max())


@pytest.mark.parametrize("algorithm", sorted(ADVANCE))
def test_every_algorithm_is_exact_on_small_lattices(algorithm, ising, tiny_ising) -> None:
    temperatures = [2.2, 3.5]
    table = sweep([3, 4], temperatures, 8000, algorithm=algorithm, seed=1)
    exact = [model.quantities(T) for model in (tiny_ising, ising) for T in temperatures]
    shifted = [model.quantities(1.1 * T) for model in (tiny_ising, ising) for T in temperatures]
    assert off_by(table, np.array(exact)) < 4
    assert off_by(table, np.array(shifted)) > 8


def test_a_field_is_exact(ising) -> None:
    table = sweep([4], [3.0], 8000, algorithm="glauber", field=0.1, seed=2)
    p, m = ising.probabilities(3.0, 0.1), ising.magnetization
    value, error = table.magnetization.mean(), table.column("m_abs")[1][0]
    assert abs(value - p @ m) < 4 * error
    energy, energy_error = table.column("energy")
    assert abs(energy[0] - p @ (ising.energy - 0.1 * m)) < 4 * energy_error[0]


def test_the_coupling_sets_the_temperature_scale() -> None:
    one, two = (sweep([4], [2.4 * J], 300, coupling=J, seed=3) for J in (1.0, 2.0))
    assert one.column("energy")[0] < 0
    np.testing.assert_allclose(
        2 * one.column("energy")[0], two.column("energy")[0], atol=6 * one.column("energy")[1][0]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("dimension", "temperature"), [(1, 1.5), (3, 8.0)])
def test_other_dimensions(dimension: int, temperature: float) -> None:
    """The chain is exact; the cube's ln Z = n (3 ln cosh K + 3 v^4 + 22 v^6 + ...)."""
    table = sweep([8], [temperature], 8000, dimension=dimension, seed=4)
    v = np.tanh(1 / temperature)
    chain = (v + v**7) / (1 + v**8)
    cube = 3 * v + (1 - v**2) * (12 * v**3 + 132 * v**5 + 1500 * v**7 + 19800 * v**9)
    value, error = table.column("energy")
    assert abs(value[0] + (chain if dimension == 1 else cube)) < 4 * error[0]


@pytest.fixture(scope="module")
def critical() -> SweepTable:
    return sweep([8, 12, 16], [2.2, 2.235, TC, 2.305, 2.34], 16_000, seed=0, workers=2)


@pytest.mark.slow
def test_energies_and_heats_are_kaufmans(critical: SweepTable) -> None:
    points = zip(critical.size.tolist(), critical.temperature.tolist())
    exact = [exact_torus((L, L), T) for L, T in points]
    for name in ("energy", "specific_heat"):
        value, error = critical.column(name)
        off = (value - [getattr(e, name) for e in exact]) / error
        assert np.abs(off).max() < 4
        assert 0.5 < off.std() < 1.6


@pytest.mark.slow
def test_cumulants_cross_at_the_critical_temperature(critical: SweepTable) -> None:
    for found in crossings(critical):
        assert found.temperature_error < 0.02
        assert abs(found.temperature - TC) < 3 * found.temperature_error
        assert abs(found.cumulant - 0.6107) < 4 * found.cumulant_error + 0.005


@pytest.mark.slow
def test_exponents_are_those_of_the_ising_class(critical: SweepTable) -> None:
    found = critical_exponents(critical, TC)
    for (value, error), exact, known in (
        (found.beta_over_nu, 0.125, 0.02),
        (found.gamma_over_nu, 1.75, 0.1),
        (found.one_over_nu, 1.0, 0.15),
        (found.hyperscaling, 2.0, 0.1),
    ):
        assert error < known
        assert abs(value - exact) < 3 * error
    elsewhere = critical_exponents(critical, 2.34)
    assert abs(elsewhere.gamma_over_nu[0] - 1.75) > 4 * elsewhere.gamma_over_nu[1]


@pytest.mark.slow
def test_curves_collapse_at_the_critical_temperature(critical: SweepTable) -> None:
    curves = Curves.of_table(critical, "binder")
    start = {"critical_temperature": 2.3, "one_over_nu": 1.3, "ratio": 0.0}
    found = fit_collapse(curves, start, given={"ratio": 0.0}, degree=3)
    assert found.quality < 3
    assert abs(found.critical_temperature - TC) < 4 * found.errors["critical_temperature"]
    assert abs(found.one_over_nu - 1) < 4 * found.errors["one_over_nu"]


@pytest.mark.slow
def test_reweighting_agrees_with_a_simulation_there(critical: SweepTable) -> None:
    part = critical.rows(critical.temperature != 2.235)
    moved, direct = part.at(2.235), critical.at(2.235)
    off = (moved.values - direct.values) / np.hypot(moved.errors, direct.errors)
    assert np.abs(off).max() < 4


def test_the_same_bytes_for_any_workers_and_company() -> None:
    first = sweep([8, 4], [2.0, 2.5], 500, seed=7, workers=1)
    again = sweep([4, 8], [2.5, 2.0], 500, seed=7, workers=3)
    alone = sweep([8], [2.5], 500, seed=7)
    for name in ("values", "errors", "energy", "magnetization"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(first, name)[-1:], getattr(alone, name))
    other = sweep([8], [2.5], 500, seed=8)
    assert not np.array_equal(other.values, alone.values)


def test_long_memory_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"L = 16 at T = 2.27 has about .* independent") as record:
        sweep([8, 16], [2.27, 5.0], 3000, algorithm="glauber", seed=0)
    assert len(record) == 1


def test_a_sampler_of_ones_own() -> None:
    """Independent normal m: U = 0 and <m^2> = 1 / L^2."""

    def sampler(size, temperature, samples, burn_in, seed) -> CanonicalRun:
        m = np.random.default_rng(seed).normal(size=samples) / size
        return CanonicalRun(size, temperature, m**2, m)

    table = sweep([5, 6], [1.0], 4000, algorithm=sampler, keep_series=False)
    assert table.energy.shape == (2, 0)
    for name, exact in (("binder", np.zeros(2)), ("m2", 1 / np.array([25.0, 36.0]))):
        value, error = table.column(name)
        assert np.abs((value - exact) / error).max() < 4
    assert set(QUANTITIES) >= {"binder", "m2"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"algorithm": "wolf"}, "algorithm must be one of wolff, glauber"),
        ({"dimension": 4}, "dimension must be 1, 2 or 3"),
        ({"sizes": [2, 8]}, "sizes must be 3 or more, not 2"),
        ({"sizes": [8.5]}, "sizes must be a whole number, not 8.5"),
        ({"sizes": []}, "needs a size"),
        ({"temperatures": [2.0, -1.0]}, "temperatures must be above 0, not -1"),
        ({"coupling": -1.0}, "coupling must be above 0"),
        ({"field": 0.1}, "wolff needs field = 0"),
        ({"interval": 0}, "interval must be 1 or more"),
        ({"samples": 1}, "samples must be 2 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_bad_settings_are_refused(changed, message: str) -> None:
    settings = {"sizes": [4], "temperatures": [2.0], "samples": 10} | changed
    with pytest.raises(ValueError, match=message):
        sweep(**settings)


@pytest.mark.parametrize("algorithm", ["glauber", "metropolis", "checkerboard"])
def test_a_run_in_a_field_starts_along_it(algorithm: str) -> None:
    """At T = 1.5 a lattice against the field would stay there for longer than any run."""
    for field in (-0.1, 0.1):
        table = sweep([16], [1.5], 300, algorithm=algorithm, field=field, seed=1)
        m = table.run(0).magnetization
        assert np.all(m * field > 0) and np.abs(m.mean()) == pytest.approx(0.988, abs=0.004)


def test_errors_that_are_not_known_are_infinite(tmp_path) -> None:
    with pytest.warns(UserWarning, match="errors are not known"):
        table = sweep([16], [2.0, 2.27, 6.0], 200, algorithm="metropolis", seed=4)
    assert not table.resolved[1] and np.isinf(table.errors[1]).all()
    assert np.isfinite(table.errors[2]).all() and table.resolved[2]
    for name in ("a.npz", "a.csv"):
        table.save(tmp_path / name)
        np.testing.assert_array_equal(SweepTable.load(tmp_path / name).resolved, table.resolved)
    assert np.isinf(table.at(2.28).errors).all()


def test_the_energy_must_be_resolved_too() -> None:
    rng = np.random.default_rng(0)
    slow = np.repeat(rng.normal(size=8), 50) + 0.1 * rng.normal(size=400)
    run = CanonicalRun(8, 2.0, slow, rng.normal(size=400))
    assert not SweepTable.from_runs([run]).resolved[0]
    run = CanonicalRun(8, 2.0, rng.normal(size=400), rng.normal(size=400))
    assert SweepTable.from_runs([run]).resolved[0]


def test_numbers_of_any_kind() -> None:
    one = sweep([8], [3.0], 100, seed=5)
    two = sweep(np.int64(8), 3.0, 1e2, seed=np.int32(5), workers=np.int64(2), interval=1.0)
    np.testing.assert_array_equal(one.values, two.values)
    three, four = (sweep((8,), np.array(3.0), 100, seed=None) for _ in range(2))
    assert not np.array_equal(three.values, four.values)
