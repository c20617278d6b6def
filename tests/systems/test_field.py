"""Steps of field equations: decay of waves, order of accuracy, noise, refusals, atoms."""

from typing import Any

import numpy as np
import pytest

from macro_ase.systems.allen_cahn import AllenCahn
from macro_ase.systems.predator_prey import PredatorPrey

EPS = 1e-6


def decay(scheme: str, dt: float, boundary: str = "neumann", time: float = 0.5) -> float:
    """Factor by which a weak wave of predators without prey dies: rate 4 sin^2 / h^2 + a b."""
    system = PredatorPrey(16, noise=0.0, boundary=boundary, spacing=0.5)
    wave = EPS * wave_of(16, boundary)
    fields = np.zeros((1, 2, 16))
    fields[0, 1] = wave
    after = system.advance(fields, time, dt, scheme=scheme)[0, 1]
    np.testing.assert_allclose(after / np.linalg.norm(after), wave / np.linalg.norm(wave))
    return float(after @ wave / (wave @ wave))


def wave_of(n: int, boundary: str) -> np.ndarray:
    x = (np.arange(n) + 0.5) / n
    return np.cos(3 * np.pi * x) if boundary == "neumann" else np.cos(2 * np.pi * x)


@pytest.mark.parametrize("boundary", ["neumann", "periodic"])
def test_waves_decay_at_the_grids_own_rate(boundary: str) -> None:
    angle = 3 * np.pi / 32 if boundary == "neumann" else np.pi / 16
    rate = 16 * np.sin(angle) ** 2 + 3 * 0.4
    assert decay("rk4", 0.01, boundary) == pytest.approx(np.exp(-rate * 0.5), rel=1e-7)
    euler = (1 - rate * 0.01) ** 50
    assert decay("euler-maruyama", 0.01, boundary) == pytest.approx(euler, rel=1e-10)
    assert decay("rk4", 0.01, boundary) != pytest.approx(np.exp(-1.05 * rate * 0.5), rel=1e-3)


@pytest.mark.parametrize(("scheme", "order"), [("euler-maruyama", 1), ("rk4", 4)])
def test_order_of_accuracy(scheme: str, order: int) -> None:
    system = PredatorPrey(12, noise=0.0)
    fields = system.wave(0.5, 0.15, 2)
    exact = system.advance(fields, 2.0, 0.002, scheme="rk4")
    errors = [
        np.abs(system.advance(fields, 2.0, dt, scheme=scheme) - exact).max() for dt in (0.1, 0.05)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("kind", ["lattice", "white"])
@pytest.mark.parametrize("spacing", [1.0, 0.5])
def test_stationary_variance_of_linear_noise(kind: str, spacing: float) -> None:
    """Predators without prey: each mode is damped at a b = 1.2 and by diffusion.

    White noise gives the mean over a line a variance that does not depend on the cells; lattice
    noise gives each cell its own.
    """
    n, g = round(16 / spacing), 1e-4
    system = PredatorPrey(n, noise=g, noise_kind=kind, spacing=spacing)
    dt = 0.2 * system.longest_step()
    fields = np.zeros((400, 2, n))
    v = system.run(fields, [3.0], dt, 5)[:, 0, 1]
    modes = 4 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2 / spacing**2 + 1.2
    grown = (1 - (1 - modes * dt) ** (2 * round(3 / dt))) / (modes * (2 - modes * dt))
    per_cell = g**2 / (spacing if kind == "white" else 1.0)
    assert v.var() == pytest.approx(per_cell * grown.mean(), rel=4 * np.sqrt(2 / (400 * n / 4)))
    whole = v.mean(axis=1).var()
    assert whole == pytest.approx(per_cell * grown[0] / n, rel=4 * np.sqrt(2 / 400))
    other = g**2 / (1.0 if kind == "white" else spacing)
    if spacing != 1.0:
        assert whole != pytest.approx(other * grown[0] / n, rel=4 * np.sqrt(2 / 400))


def test_noise_of_a_replica_is_its_own_and_repeats() -> None:
    system = PredatorPrey(10)
    fields = system.wave([0.5, 0.5], 0.1, 2)
    one, again = (system.advance(fields, 0.1, 0.01, 3) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one[0], one[1])


def test_means_of_random_growth() -> None:
    """Noise has no mean: the mean change of many replicas is the deterministic one."""
    system = PredatorPrey(8)
    fields = np.repeat(system.wave(0.5, 0.1, 2), 4000, axis=0)
    change = system.advance(fields, 0.05, 0.01, 0) - fields
    still = PredatorPrey(8, noise=0.0).advance(fields[:1], 0.05, 0.01) - fields[:1]
    error = change.std(axis=0) / np.sqrt(4000)
    assert np.abs((change.mean(axis=0) - still[0]) / error).max() < 4.5
    np.testing.assert_allclose(error * np.sqrt(4000), 0.02 * np.sqrt(0.05), rtol=0.08)


@pytest.mark.parametrize("scheme", ["euler-maruyama", "rk4"])
def test_a_step_beyond_the_limit_is_refused_and_would_explode(scheme: str) -> None:
    system = AllenCahn(12, width=0.2)
    limit = system.longest_step(scheme)
    fields = system.torus(0.35, 0.12) + 1e-3 * np.random.default_rng(0).normal(size=(1, 1, 12, 12))
    assert np.abs(system.advance(fields, 300 * limit, 0.98 * limit, 0, scheme)).max() < 1.3
    with pytest.raises(ValueError, match=f"at most {limit:.4g} for {scheme}"):
        system.advance(fields, 1.0, 1.01 * limit, 0, scheme)
    with pytest.raises(FloatingPointError, match="beyond all bounds"):
        padded = system.pad(fields)
        system.advance_padded(padded, 3000, 1.6 * limit, scheme, np.ones((1, 4), dtype=np.uint64))


@pytest.mark.parametrize(
    ("system", "state"),
    [
        (PredatorPrey(7, spacing=0.5), PredatorPrey(7).wave(0.5, 0.1, 2)[0]),
        (AllenCahn(5, boundary="periodic"), AllenCahn(5).torus(0.4, 0.1)[0]),
    ],
)
def test_atoms_there_and_back(system: Any, state: np.ndarray) -> None:
    atoms = system.to_atoms(state)
    assert len(atoms) == state[0].size and atoms.pbc.any() == (system.boundary == "periodic")
    np.testing.assert_array_equal(system.from_atoms(atoms), state)
    shuffled = atoms[np.random.default_rng(0).permutation(len(atoms))]
    np.testing.assert_array_equal(system.from_atoms(shuffled), state)
    del shuffled.arrays[system.fields[-1]]
    with pytest.raises(ValueError, match=f"no field '{system.fields[-1]}'"):
        system.from_atoms(shuffled)
    with pytest.raises(ValueError, match="not one to a cell"):
        system.from_atoms(atoms[1:])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PredatorPrey(1), "at least 2 cells"),
        (lambda: PredatorPrey(boundary="open"), "boundary must be neumann or periodic, not 'open'"),
        (lambda: PredatorPrey(noise=-1.0), "noise must be 0 or more"),
        (lambda: PredatorPrey(noise_kind="pink"), "noise_kind must be one of lattice, white"),
        (lambda: PredatorPrey(spacing=0.0), "the spacing must be above 0"),
        (lambda: PredatorPrey(a=0.0), "a must be above 0"),
        (lambda: PredatorPrey(diffusion_v=-1.0), "diffusion_v must be 0 or more"),
        (lambda: AllenCahn(width=0.0), "width must be above 0"),
        (lambda: PredatorPrey().rates(np.zeros((1, 2, 3))), r"the shape \(n, \(2, 200\)\)"),
        (lambda: PredatorPrey().longest_step("rk5"), "scheme must be one of euler-maruyama, rk4"),
        (lambda: PredatorPrey(4).run(np.zeros((1, 2, 4)), [1.0, 0.5], 0.1), "times must ascend"),
    ],
)
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
