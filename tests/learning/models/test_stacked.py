"""Stacked members give what the networks give, and more quickly."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.models.networks import DRIFTS, PatchSDE  # noqa: E402
from macro_ase.learning.models.paths import Steps, euler_maruyama  # noqa: E402
from macro_ase.learning.models.stacked import Stacked  # noqa: E402
from macro_ase.rng import stream  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("conditions", [0, 2])
@pytest.mark.parametrize("memory", [(0.0,), (7.0,), (7.0, 0.5)])
def test_stacked_members_are_the_networks(
    drift: str, conditions: int, memory: tuple[float, ...]
) -> None:
    if memory[1:] and not conditions:
        return
    torch.manual_seed(0)
    d = 3
    start = torch.tril(torch.rand(d, d)) + torch.eye(d)
    members = [PatchSDE(d, conditions, drift, 8, 2, start * (k + 1), *memory) for k in range(3)]
    with torch.no_grad():
        for member in members:
            for weight in member.parameters():
                weight.add_(0.3 * torch.randn_like(weight))
    rng = np.random.default_rng(0)
    y, each = rng.normal(size=(3, 7, members[0].n_state)), rng.normal(size=(3, 7, conditions))
    stacked = Stacked.of([member.eval() for member in members])
    for c in (each, np.broadcast_to(each[0, 0], each.shape)):
        for k, member in enumerate(members):
            own = (torch.as_tensor(x[k].copy()) for x in (y, c))
            a, b = (x.detach().numpy() for x in member.double().of_state(*own))
            np.testing.assert_allclose(stacked.drift(y, c)[k], a, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(stacked.factor(y, c)[k], b, rtol=1e-10, atol=1e-12)


def test_paths_are_those_of_the_networks_one_by_one() -> None:
    """The same scheme with the same normal numbers, member by member."""
    torch.manual_seed(0)
    members = [PatchSDE(2, 1, "onsager", 8, 2, torch.eye(2) * (k + 1)).eval() for k in range(3)]
    start, c, steps = np.zeros((5, 2)), np.array([0.4]), Steps(2, 0.3, 0.1, 0.5)
    paths = euler_maruyama(Stacked.of(members), start, c, 4, steps, stream(0, "paths"))
    rng = np.random.default_rng(stream(0, "paths"))
    y, many = torch.zeros(3, 5, 2, dtype=torch.double), torch.full((5, 1), 0.4).double()
    for record in range(5):
        np.testing.assert_allclose(paths[:, :, record], y.numpy(), atol=1e-10)
        for _ in range(steps.number):
            xi = torch.as_tensor(rng.normal(size=(3, 5, 2, 1)))
            own = [member.double().of_state(y[k], many) for k, member in enumerate(members)]
            a, b = (torch.stack(parts).detach() for parts in zip(*own))
            y = y + steps.drift * a + steps.noise * (b @ xi)[..., 0]
