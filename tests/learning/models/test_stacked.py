"""Stacked members give what the networks give, and more quickly."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.models.networks import PatchSDE  # noqa: E402
from macro_ase.learning.models.stacked import Stacked  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.mark.parametrize("drift", ["onsager", "network"])
@pytest.mark.parametrize("conditions", [0, 2])
@pytest.mark.parametrize("memory", [0.0, 7.0])
def test_stacked_members_are_the_networks(drift: str, conditions: int, memory: float) -> None:
    torch.manual_seed(0)
    d = 3
    start = torch.tril(torch.rand(d, d)) + torch.eye(d)
    members = [PatchSDE(d, conditions, drift, 8, 2, start * (k + 1), memory) for k in range(3)]
    with torch.no_grad():
        for member in members:
            for weight in member.parameters():
                weight.add_(0.3 * torch.randn_like(weight))
    rng = np.random.default_rng(0)
    y, c = rng.normal(size=(3, 7, members[0].n_state)), rng.normal(size=(3, 7, conditions))
    stacked = Stacked.of([member.eval() for member in members])
    for k, member in enumerate(members):
        own = (torch.as_tensor(x[k]) for x in (y, c))
        a, b = (x.detach().numpy() for x in member.double().of_state(*own))
        np.testing.assert_allclose(stacked.drift(y, c)[k], a, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(stacked.factor(y, c)[k], b, rtol=1e-10, atol=1e-12)
