"""The encoder of atoms: automatic differentiation, symmetries, size, chosen atoms alone."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

torch = pytest.importorskip("torch")

from macro_ase.learning.conditioned_encoder import Head  # noqa: E402
from macro_ase.learning.environment_encoder import (  # noqa: E402
    Configuration,
    EnvironmentEncoder,
    RadialFunctions,
    environments,
)

pytestmark = pytest.mark.learn
RADIAL = RadialFunctions(cutoff=3.2, number=4)
Q = 2 * RADIAL.number + 1


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def liquid(seed: int = 0) -> Atoms:
    """32 atoms off their places, moving, in a periodic cell."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Ar", "fcc", a=3.6, cubic=True).repeat(2)
    atoms.positions += rng.normal(0, 0.15, (len(atoms), 3))
    atoms.set_velocities(rng.normal(size=(len(atoms), 3)))
    return atoms


def encoder() -> EnvironmentEncoder:
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    given = np.zeros((1, Q))
    given[0, -1] = 20 / 3
    shift, scale = rng.normal(size=Q), rng.uniform(0.5, 2, Q)
    mix, add = rng.normal(size=(3, 3)), 0.1 * rng.normal(size=(3, Q))
    return EnvironmentEncoder(RADIAL, given, Head(Q, 3, (6, 5)), shift, scale, mix, add)


def configuration(atoms: Atoms) -> Configuration:
    return Configuration.of(atoms, RADIAL.cutoff)


def z_of(model: EnvironmentEncoder, atoms: Atoms) -> np.ndarray:
    return model.encode(configuration(atoms))


def exact_columns(model: EnvironmentEncoder, atoms: Atoms) -> np.ndarray:
    """phi' by automatic differentiation of the definition, shape (d, n, 6)."""
    pairs = configuration(atoms).pairs
    i, j = torch.as_tensor(pairs.i), torch.as_tensor(pairs.j)
    x0 = torch.as_tensor(atoms.positions)
    wrap = torch.as_tensor(pairs.vector_A) - (x0[j] - x0[i])
    centres = torch.linspace(0.3, 0.95, RADIAL.number, dtype=torch.float64) * RADIAL.cutoff
    width = 0.65 * RADIAL.cutoff / (RADIAL.number - 1)

    def phi(x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        bond = x[j] - x[i] + wrap
        r = bond.norm(dim=1)
        fall = (1 + torch.cos(torch.pi * r / RADIAL.cutoff)) / 2
        peaks = torch.exp(-((r[:, None] - centres) ** 2) / (2 * width**2)) * fall[:, None]
        closing = ((v[j] - v[i]) * bond).sum(1) / r
        both = torch.cat([peaks, peaks * closing[:, None]], dim=1)
        pooled = torch.zeros(len(x), 2 * RADIAL.number, dtype=x.dtype).index_add(0, i, both)
        d = torch.cat([pooled, (v**2).sum(1, keepdim=True)], dim=1)
        h = model.head((d - torch.as_tensor(model.shift)) / torch.as_tensor(model.scale))
        learned = h @ torch.as_tensor(model.mix).T + d @ torch.as_tensor(model.add).T
        return torch.cat([d @ torch.as_tensor(model.given).T, learned], dim=1).mean(0)

    v0 = torch.as_tensor(atoms.get_velocities())
    np.testing.assert_allclose(z_of(model, atoms), phi(x0, v0).detach(), rtol=1e-10)
    by_x, by_v = torch.func.jacrev(phi, argnums=(0, 1))(x0, v0)
    return torch.cat([by_x, by_v], dim=2).detach().numpy()


def test_jacobian_and_gram_matrix_against_automatic_differentiation() -> None:
    model, atoms = encoder(), liquid()
    exact = exact_columns(model, atoms)
    seen = configuration(atoms)
    np.testing.assert_allclose(model.jacobian(seen), exact, atol=1e-6 * np.abs(exact).max())
    chosen = np.array([7, 0, 21])
    some = model.jacobian(seen, chosen)
    np.testing.assert_allclose(some, exact[:, chosen], atol=1e-6 * np.abs(exact).max())
    flat = exact.reshape(len(exact), -1)
    np.testing.assert_allclose(model.gram(seen), flat @ flat.T, rtol=1e-6, atol=1e-9)


def test_a_sample_of_atoms_estimates_the_gram_matrix() -> None:
    model, seen = encoder(), configuration(liquid())
    each = [model.gram(seen, np.array([k])) for k in range(32)]
    np.testing.assert_allclose(np.mean(each, axis=0), model.gram(seen), rtol=1e-10)


def test_order_and_origin_of_the_atoms_do_not_matter() -> None:
    model, atoms = encoder(), liquid()
    z = z_of(model, atoms)
    order = np.random.default_rng(2).permutation(len(atoms))
    np.testing.assert_allclose(z_of(model, atoms[order]), z, rtol=1e-10)
    moved = atoms.copy()
    moved.positions += [0.4, -1.3, 7.0]
    np.testing.assert_allclose(z_of(model, moved), z, rtol=1e-10)
    turned = atoms.copy()
    turned.rotate(35, (1, 2, 3), rotate_cell=True)
    velocities = Atoms("Ar" * len(atoms), atoms.get_velocities())
    velocities.rotate(35, (1, 2, 3))
    turned.set_velocities(velocities.positions)
    np.testing.assert_allclose(z_of(model, turned), z, rtol=1e-8)
    slower = atoms.copy()
    slower.set_velocities(0.9 * atoms.get_velocities())
    assert np.abs(z_of(model, slower) - z).max() > 1e-3


def test_a_repeated_cell_has_the_same_state() -> None:
    model, atoms = encoder(), liquid()
    large = atoms.repeat((2, 1, 2))
    np.testing.assert_allclose(z_of(model, large), z_of(model, atoms), rtol=1e-10)
    small, whole = (model.gram(configuration(a)) for a in (atoms, large))
    np.testing.assert_allclose(4 * whole, small, rtol=1e-8)


def test_chosen_atoms_need_their_neighbourhood_alone() -> None:
    """Atoms beyond twice the cutoff may be anything."""
    model = encoder()
    atoms = bulk("Ar", "fcc", a=3.6, cubic=True).repeat((6, 2, 2))
    rng = np.random.default_rng(3)
    atoms.positions += rng.normal(0, 0.1, (len(atoms), 3))
    atoms.set_velocities(rng.normal(size=(len(atoms), 3)))
    near = model.jacobian(configuration(atoms), np.array([0]))
    far = atoms.get_distances(0, range(len(atoms)), mic=True) > 2 * RADIAL.cutoff + 0.5
    assert far.sum() > 10
    other = atoms.copy()
    other.positions[far] += rng.normal(0, 0.05, (far.sum(), 3))
    other.set_velocities(np.where(far[:, None], 5.0, atoms.get_velocities()))
    np.testing.assert_allclose(
        model.jacobian(configuration(other), np.array([0])), near, atol=1e-12
    )


def test_radial_functions_are_smooth_and_end_at_the_cutoff() -> None:
    r = np.linspace(0.5, RADIAL.cutoff + 0.3, 400)
    values, slopes = RADIAL(r)
    numeric = (RADIAL(r + 1e-6)[0] - RADIAL(r - 1e-6)[0]) / 2e-6
    np.testing.assert_allclose(slopes, numeric, atol=1e-6)
    assert not values[r >= RADIAL.cutoff].any()
    assert environments(configuration(liquid()), RADIAL).shape == (32, Q)


def test_what_is_saved_is_the_same(tmp_path: Path) -> None:
    model, seen = encoder(), configuration(liquid())
    model.save(tmp_path)
    again = EnvironmentEncoder.load(tmp_path)
    np.testing.assert_array_equal(again.encode(seen), model.encode(seen))
    np.testing.assert_array_equal(again.jacobian(seen), model.jacobian(seen))
    (tmp_path / "environment_encoder.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no complete encoder"):
        EnvironmentEncoder.load(tmp_path)
