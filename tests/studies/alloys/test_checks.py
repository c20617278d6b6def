"""The checks of a report: each passes on what it should and fails on what it should not."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from macro_ase.analysis.assumptions import check_patches
from macro_ase.sampling.time_step import TimeStepScan
from macro_ase.studies.alloys.checks import assumption_checks
from macro_ase.systems.alloy_order import BondOrder

K, N, D = 8, 400, 3
SPECIES = ("Nb", "Mo", "Ta")


class Model:
    """A model whose step is a known fraction of the displacement from 0."""

    def __init__(self, rate: float, eps: float) -> None:
        scaling = SimpleNamespace(z_scale=np.ones(D))
        self.trained, self.rate = SimpleNamespace(eps=eps, scaling=scaling), rate

    def step_means(self, z: Any, condition: Any, n_sites: int, n_patches: int) -> Any:
        return -self.rate * z

    def step_moments(self, z: Any, condition: Any) -> tuple[Any, Any]:
        return -self.rate * z[None], np.tile(np.eye(D), (1, len(z), 1, 1))


def study(
    rate: float = 0.3, eps: float = 0.005, seam: float = 0.0, times: int = 900, slow: float = 5.0
) -> Any:
    """Patches and wholes of drift -.3 z, unit noise; direct runs of a known slow time."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, (N, D))
    dz = -0.3 * z[:, None] + rng.normal(size=(N, K, D))
    whole = -0.3 * z + rng.normal(size=(N, D)) / np.sqrt(K)
    chunk = {
        "snapshot": np.repeat(np.arange(N), K),
        "z0": np.repeat(z, K, axis=0),
        "dz": dz.reshape(-1, D),
        "n_patches": np.full(N * K, K),
        "met": np.zeros(N * K, np.int8),
        "whole_snapshot": np.arange(N),
        "whole_z0": z,
        "whole_dz": whole,
        "seam": np.stack([np.full((N, D), seam), np.zeros((N, D))], axis=1)
        + rng.normal(0, 1e-3, (N, 2, D)),
    }
    memory = np.exp(-1 / slow)
    path = np.zeros((times, D))
    for t in range(1, times):
        path[t] = memory * path[t - 1] + rng.normal(size=D)
    scan = TimeStepScan(
        np.array([2000.0]),
        np.array([500]),
        np.array([[500 * slow]]),
        np.array([[500 * slow]]),
        500,
        True,
    )
    return SimpleNamespace(
        comparison=SimpleNamespace(temperatures_K=np.array([2000.0])),
        pairs=[chunk],
        model=Model(rate, eps),
        scan=scan,
        small=[[{"z": np.zeros((2000, D))}]],
        direct=[[{"z": path}]],
        system=SimpleNamespace(
            event="hops of a vacancy",
            record_events=125,
            condition=lambda t: np.array([0.5]),
            large=SimpleNamespace(n_sites=8192),
            order=BondOrder(SPECIES, np.array([2728, 2728, 2728, 8])),
        ),
    )


def failed(data: Any) -> set[str]:
    checks = assumption_checks(data, [check_patches(chunk) for chunk in data.pairs])
    return {check["name"] for check in checks if check["passed"] is False}


def test_a_sound_study_passes() -> None:
    assert failed(study()) == set()


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"rate": 0.4}, "step of the model = step of the whole"),
        ({"eps": 0.02}, "regularisation small"),
        ({"seam": 0.03}, "seams healed"),
        ({"times": 200}, "direct runs long enough"),
    ],
)
def test_each_fault_fails_its_check(fault: dict[str, float], name: str) -> None:
    assert name in failed(study(**fault))  # type: ignore[arg-type]
