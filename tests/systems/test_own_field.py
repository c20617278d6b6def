"""Field equations of one's own: rates of waves, exact moments of noise, fronts, refusals."""

from typing import Any

import numpy as np
import pytest

from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.systems.field import FieldSystem, inside, laplacian, replica_states
from macro_ase.systems.predator_prey import PredatorPrey

from .own_fields import FisherKPP, SwiftHohenberg

EPS = 1e-6


class Plain(FieldSystem):
    """Predator-prey as a person would write it."""

    fields, names = ("u", "v"), ("mean u", "mean v")
    noise = 0.02

    def equation(self, u: Any, v: Any) -> Any:
        x, y = inside(u), inside(v)
        return x * (1 - x - y), 3.0 * y * (x - 0.4) + laplacian(v, self.cell)

    def initial(self, number: int, shape: Any, condition: Any, rng: Any) -> Any:
        return 0.5 * np.ones((number, 2, *shape))

    def observe(self, fields: Any) -> Any:
        return fields.mean(axis=-1)


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
@pytest.mark.parametrize("scheme", ["euler-maruyama", "rk4"])
def test_what_is_written_in_numpy_is_what_is_compiled(boundary: str, scheme: str) -> None:
    own, compiled = Plain(cells=12, boundary=boundary), PredatorPrey(12, boundary=boundary)
    start = compiled.wave([0.5, 0.4], 0.1, 3)
    np.testing.assert_allclose(own.rates(start), compiled.rates(start), atol=1e-14)
    ends = [x.run(start, [0.5, 1.0], 0.01, 3, scheme) for x in (own, compiled)]
    np.testing.assert_allclose(*ends, rtol=1e-9)  # the same random numbers


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
def test_growth_of_swift_hohenbergs_modes(boundary: str, axes: int) -> None:
    """r - (1 - k^2)^2, with the k^2 of the grid exactly, and of waves with an error of h^2."""
    system = SwiftHohenberg(cells=24, axes=axes, boundary=boundary)
    h = system.cell
    for mode in (2, 4, 6):
        k = mode * np.pi / (24 * h)
        wave = EPS * np.cos(k * h * (np.arange(24) + 0.5)) * np.ones((1, 1, *(24,) * axes))
        after = system.advance(wave, 0.5, 0.01, scheme="rk4")
        rate = np.log((after * wave).sum() / (wave * wave).sum()) / 0.5
        on_grid = 4 * np.sin(k * h / 2) ** 2 / h**2
        assert rate == pytest.approx(0.2 - (1 - on_grid) ** 2, abs=1e-8)
        assert rate != pytest.approx(0.2 - 1.05 * (1 - on_grid) ** 2, abs=1e-4)
        error = k**4 * h**2 / 12  # of k^2 on the grid
        assert abs(rate - (0.2 - (1 - k**2) ** 2)) <= error * (2 * abs(1 - k**2) + error) + 1e-8


def branching(**values: Any) -> FisherKPP:
    """u' = .5 u + .6 sqrt(u) W in every cell: no diffusion, no saturation."""

    class Branching(FisherKPP):
        def equation(self, u: Any) -> Any:
            return 0.5 * u[:, 1:-1]

    return Branching(noise=0.6, **values)


@pytest.mark.slow
@pytest.mark.parametrize("start", [1.0, 0.02])
def test_moments_of_growth_with_multiplicative_noise(start: float) -> None:
    """E u = u0 e^(at) and Var u = u0 s^2 / a (e^(2at) - e^(at)), also where noise reaches 0."""
    n, dt, a, s = 200_000, 0.02, 0.5, 0.6
    system = branching(cells=n // 10)
    u = system.advance(np.full((10, 1, n // 10), start), 1.0, dt, 3).ravel()
    growth = (1 + a * dt) ** 50
    assert u.min() >= 0
    variance = start * s**2 / a * (np.exp(2 * a) - np.exp(a))
    assert u.mean() == pytest.approx(start * growth, abs=4 * np.sqrt(variance / n))
    if start == 1.0:
        assert u.var() == pytest.approx(variance, rel=0.03)
    else:  # setting to 0 what falls below gives the mean a bias that this test sees
        rng, cut = np.random.default_rng(0), np.full(n, start)
        for _ in range(50):
            cut = np.maximum(cut * (1 + a * dt) + s * np.sqrt(cut * dt) * rng.normal(size=n), 0)
        assert abs(cut.mean() - start * growth) > 8 * np.sqrt(variance / n)


def test_opposite_numbers_and_additive_noise() -> None:
    """With noise of a fixed size the even part of a linear step is its drift."""
    system = FisherKPP(cells=16, noise=0.1)
    start = np.full((1, 1, 16), 0.5)
    parts = []
    for sign in (1, -1):
        padded = system.pad(start)
        system.advance_padded(padded, 4, 0.01, "euler-maruyama", replica_states(5, 1), sign=sign)
        parts.append(system.unpad(padded))
    still = system.changed(noise=0.0).advance(start, 0.04, 0.01)
    odd, even = (parts[0] - parts[1]) / 2, (parts[0] + parts[1]) / 2 - still
    assert np.abs(even).max() < 0.05 * np.abs(odd).max()


def test_noise_per_area_does_not_depend_on_the_grid() -> None:
    for kind, axes in (("lattice", 1), ("white", 1), ("lattice", 2), ("white", 2)):
        fine = branching(cells=16, axes=axes, noise_kind=kind, boundary="periodic")
        coarse = fine.on_grid(8, 2.0)
        assert (coarse.grid, coarse.cell) == ((8,) * axes, 2.0)
        assert coarse.cell_noise == pytest.approx(fine.cell_noise / 2 ** (axes / 2))


def test_speed_of_a_front() -> None:
    """v* - 3 / (2 t), and no more than the next term 3 sqrt(pi) / (2 t^1.5) from that.

    v* = 2 without a grid; here it is that of the slowest of the grid's exponential fronts (U. Ebert
    and W. van Saarloos, Physica D 146, 1, 2000).
    """
    h, dt = 0.5, 0.02
    system = FisherKPP(cells=400, spacing=h)
    x = (np.arange(400) + 0.5) * h
    start = np.where(x < 10, 1.0, 0.0)[None, None]
    times = np.array([40.0, 50.0])
    mass = system.run(start, times, dt)[0, :, 0].sum(axis=1) * h
    steep = np.linspace(0.5, 1.5, 1001)
    growth = np.log1p(dt * (1 + 2 * (np.cosh(steep * h) - 1) / h**2)) / dt
    speed = (growth / steep).min()
    assert speed == pytest.approx(2.0, rel=0.02)
    wanted, term = speed - 3 / (2 * 45), 3 * np.sqrt(np.pi) / (2 * 45**1.5)
    assert abs((mass[1] - mass[0]) / 10 - wanted) < term < (speed - wanted) / 3


def test_a_replica_does_not_depend_on_its_company() -> None:
    system, states = FisherKPP(cells=9, noise=0.2), replica_states(1, 3)
    together = system.pad(np.random.default_rng(0).uniform(0.1, 1, (3, 1, 9)))
    alone = together[2:].copy()
    for x, own in ((together, states.copy()), (alone, states[2:].copy())):
        system.advance_padded(x, 5, 0.01, "euler-maruyama", own)
    np.testing.assert_array_equal(alone[0], together[2])


def test_the_driver_runs_them_as_atoms() -> None:
    system = SwiftHohenberg(cells=(6, 8), axes=2, noise=0.1)
    start = 0.1 * np.random.default_rng(0).normal(size=(1, 6, 8))
    atoms = system.to_atoms(start)
    FieldDynamics(atoms, system, 0.001, rng=3).run(20)
    assert system.from_atoms(atoms).shape == (1, 6, 8)
    assert np.abs(system.from_atoms(atoms) - start).max() > 0.01


def test_attributes_are_changed_by_name() -> None:
    system = FisherKPP(growth=0.5, cells=32)
    assert (system.growth, system.grid, FisherKPP.growth) == (0.5, (32,), 1.0)
    assert system.changed(growth=0.7).growth == 0.7 and system.growth == 0.5
    assert "growth=0.5" in repr(system) and repr(system) != repr(system.changed(growth=0.7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FisherKPP(grwth=1.0), "FisherKPP has no 'grwth', only axes, boundary, cells"),
        (lambda: FisherKPP(cells=1), "at least 2 cells along each axis, not \\(1,\\)"),
        (lambda: SwiftHohenberg(cells=1), "at least 2 cells"),
        (lambda: FisherKPP(axes=3), "a grid has 1 or 2 axes, not 3"),
        (lambda: FisherKPP(boundary="given"), "boundary must be neumann or periodic"),
        (
            lambda: SwiftHohenberg(ghost=1).rates(np.zeros((1, 1, 64))),
            "SwiftHohenberg.equation must return 1 array.s. of .64,. cells, 1 layer",
        ),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
