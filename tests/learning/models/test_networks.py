"""The structure of the drift and of the diffusion, and the likelihood."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

torch = pytest.importorskip("torch")

from macro_ase.learning.models.networks import (  # noqa: E402
    DRIFTS,
    Diffusion,
    NetworkDrift,
    OnsagerDrift,
    PatchSDE,
    make_drift,
    negative_log_likelihood,
)

pytestmark = pytest.mark.learn
D, C, N = 3, 2, 64


def points(n: int = N, seed: int = 0) -> tuple["torch.Tensor", "torch.Tensor"]:
    generator = torch.Generator().manual_seed(seed)
    y = 2 * torch.randn(n, D, generator=generator)
    return y, torch.randn(n, C, generator=generator)


def onsager(seed: int = 0, roughness: float = 8.0) -> OnsagerDrift:
    """A drift whose networks vary strongly."""
    torch.manual_seed(seed)
    drift = OnsagerDrift(D, C, 16, 2)
    with torch.no_grad():
        for network in (drift.potential, drift.mobility):
            network[-1].weight.mul_(roughness)
    return drift.eval()


def gradient(drift: OnsagerDrift, y: "torch.Tensor", c: "torch.Tensor") -> "torch.Tensor":
    point = y.detach().requires_grad_()
    return torch.autograd.grad(drift.energy(point, c).sum(), point)[0]


def mobility(drift: OnsagerDrift, y: "torch.Tensor", c: "torch.Tensor") -> "torch.Tensor":
    """The matrix (M + W), shape (n, d, d), from what the drift does to the gradient.

    Column k is minus the drift where the potential is replaced by y_k.
    """

    columns = []
    for k in range(D):

        def linear(point, c, k=k):  # type: ignore[no-untyped-def]
            return point[..., k]

        drift.energy = linear  # type: ignore[method-assign]
        columns.append(-drift(y, c))
    del drift.energy
    return torch.stack(columns, dim=-1)


@pytest.mark.parametrize("seed", range(3))
def test_the_symmetric_part_of_the_mobility_is_positive_definite(seed: int) -> None:
    drift, (y, c) = onsager(seed), points(seed=seed)
    matrix = mobility(drift, y, c)
    symmetric = (matrix + matrix.transpose(-1, -2)) / 2
    eigenvalues = torch.linalg.eigvalsh(symmetric.double())
    assert eigenvalues.min() > 0
    turning = (matrix - matrix.transpose(-1, -2)) / 2
    assert turning.abs().max() > 0.05  # there is an antisymmetric part
    direct = -(matrix @ gradient(drift, y, c)[..., None])[..., 0]
    torch.testing.assert_close(drift(y, c), direct, rtol=1e-4, atol=1e-5)


def test_the_antisymmetric_part_does_no_work() -> None:
    drift, (y, c) = onsager(), points()
    matrix, slope = mobility(drift, y, c), gradient(drift, y, c)
    turning = (matrix - matrix.transpose(-1, -2)) / 2
    work = torch.einsum("ni,nij,nj->n", slope, turning, slope)
    assert work.abs().max() < 1e-4 * (slope**2).sum(-1).max()
    power = (slope * drift(y, c)).sum(-1)
    assert power.max() <= 0


@pytest.mark.slow
def test_the_potential_falls_along_the_flow() -> None:
    drift, (y, c) = onsager(roughness=3.0), points()
    start = drift.energy(y, c)
    for _ in range(300):
        with torch.no_grad():
            y, before = y + 2e-3 * drift(y, c), drift.energy(y, c)
            assert torch.all(drift.energy(y + 2e-3 * drift(y, c), c) <= before + 1e-5)
    assert torch.all(drift.energy(y, c) < start)


def test_negative_control_a_plain_network_does_work() -> None:
    torch.manual_seed(0)
    drift, potential, (y, c) = NetworkDrift(D, C, 16, 2), onsager(), points()
    power = (gradient(potential, y, c) * drift(y, c)).sum(-1)
    assert power.max() > 0.1 * power.abs().max()


def test_the_diffusion_is_lower_triangular_with_a_positive_diagonal() -> None:
    torch.manual_seed(0)
    start = torch.tensor([[1.0, 0, 0], [0.3, 0.5, 0], [-0.2, 0.1, 0.8]])
    diffusion, (y, c) = Diffusion(D, C, 16, 2, start), points()
    with torch.no_grad():
        diffusion.network[-1].weight.mul_(30)
    factor = diffusion(y, c)
    assert factor.shape == (N, D, D)
    assert torch.all(torch.triu(factor, diagonal=1) == 0)
    assert torch.all(torch.diagonal(factor, dim1=-2, dim2=-1) > 0)
    assert factor.std(dim=0).max() > 0.05  # it depends on where


def test_the_diffusion_begins_where_it_is_told() -> None:
    start = torch.tensor([[1.0, 0, 0], [0.3, 0.5, 0], [-0.2, 0.1, 0.8]])
    torch.manual_seed(0)
    factor = Diffusion(D, C, 16, 2, start)(*points())
    torch.testing.assert_close(factor.mean(dim=0), start, atol=0.15, rtol=0)


@pytest.mark.parametrize("kind", DRIFTS)
@pytest.mark.parametrize("d", [1, D])
def test_the_likelihood_is_that_of_a_normal_distribution(kind: str, d: int) -> None:
    torch.manual_seed(1)
    model = PatchSDE(d, C, kind, 16, 1, torch.eye(d)).eval()
    (y, c), eps = points(), 0.02
    y, dy = y[:, :d], torch.randn(N, d)
    with torch.no_grad():
        own = model(y, c)
        drift, factor = (x.double().numpy() for x in own)
        found = float(negative_log_likelihood(*own, dy, eps))
    covariance = factor @ factor.transpose(0, 2, 1) + eps * np.eye(d)
    exact = -np.mean(
        [multivariate_normal(m, s).logpdf(x) for m, s, x in zip(drift, covariance, dy.numpy())]
    )
    assert found == pytest.approx(exact - d / 2 * np.log(2 * np.pi), abs=1e-5)


@pytest.mark.parametrize("d", [1, D])
def test_derivatives_of_the_likelihood_are_those_of_differences(d: int) -> None:
    torch.manual_seed(2)
    drift, dy = torch.randn(2, 7, d, dtype=torch.float64)
    factor = torch.randn(7, d, d, dtype=torch.float64).tril() + 2 * torch.eye(d)
    for x in (drift, factor):
        x.requires_grad_()

    def likelihood(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return negative_log_likelihood(a, b, dy, 0.02)

    assert torch.autograd.gradcheck(likelihood, (drift, factor))


@pytest.mark.parametrize("kind", DRIFTS)
def test_everything_is_trained(kind: str) -> None:
    torch.manual_seed(1)
    model = PatchSDE(D, C, kind, 8, 1, torch.eye(D))
    y, c = points()
    negative_log_likelihood(*model(y, c), torch.randn(N, D), 0.01).backward()
    for name, parameter in model.named_parameters():
        still = "potential" in name and name.endswith("bias") and parameter.numel() == 1
        still = still or name == "drift.law.inner"  # until what it leads to is not 0 any more
        assert still or (parameter.grad is not None and parameter.grad.abs().max() > 0), name


@pytest.mark.parametrize("kind", DRIFTS)
@pytest.mark.parametrize("c", [0, 2])
def test_any_number_of_observables_and_conditions(kind: str, c: int) -> None:
    model = PatchSDE(1, c, kind, 8, 1, torch.eye(1))
    drift, factor = model(torch.zeros(5, 1), torch.zeros(5, c))
    assert drift.shape == (5, 1) and factor.shape == (5, 1, 1)


def test_an_unknown_drift_is_refused() -> None:
    with pytest.raises(
        ValueError, match="drift must be one of onsager, network, potential, not 'straight'"
    ):
        PatchSDE(D, C, "straight", 8, 1, torch.eye(D))


@pytest.mark.parametrize("kind", DRIFTS)
def test_a_drift_starts_from_a_linear_relaxation(kind: str) -> None:
    """One that turns as it decays; the networks beside it start small."""
    torch.manual_seed(0)
    drift, (y, c) = make_drift(kind, D, C, 16, 2), points()
    with torch.no_grad():
        for name, value in drift.named_parameters():
            if name.startswith(("network", "potential", "mobility", "bend")):
                value.zero_()
    slope = torch.tensor([[-0.05, 0.04, 0.0], [-0.04, -0.05, 0.01], [0.0, 0.0, -0.2]])
    offset, factor = torch.randn(D, 1 + C), torch.tensor([[1.0, 0, 0], [0.5, 1, 0], [0, 0.2, 2]])
    drift.start_from(slope, offset, factor @ factor.T)
    ones = torch.cat([torch.ones(N, 1), c], dim=1)
    expected = y @ slope.T + ones @ offset.T
    torch.testing.assert_close(drift(y, c), expected, rtol=1e-4, atol=1e-5)


def test_the_potential_of_a_linear_relaxation_is_that_of_its_noise() -> None:
    """With noise D the law is exp(-2 V / unit): M is half of D, whatever turns."""
    drift = OnsagerDrift(2, 0, 8, 1)
    slope, noise = torch.tensor([[-0.1, 0.3], [-0.3, -0.2]]), torch.tensor([[1.0, 0.2], [0.2, 0.5]])
    drift.start_from(slope, torch.zeros(2, 1), noise)
    lower = torch.tril(drift.entries.detach())
    half = lower @ lower.T
    torch.testing.assert_close(half / half[0, 0], noise / noise[0, 0])


def test_what_would_grow_is_no_start_for_a_potential() -> None:
    drift = OnsagerDrift(2, 0, 8, 1)
    before = {name: value.clone() for name, value in drift.state_dict().items()}
    drift.start_from(torch.diag(torch.tensor([-0.1, 0.1])), torch.zeros(2, 1), torch.eye(2))
    for name, value in drift.state_dict().items():
        assert torch.equal(value, before[name])
