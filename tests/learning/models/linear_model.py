"""A model by hand whose law is known: linear drift, Arrhenius clock."""

import numpy as np
import pytest
import torch

from macro_ase.learning.models import annealing, treated_paths
from macro_ase.learning.models.clock import Clock
from macro_ase.learning.models.macro_model import MacroModel
from macro_ase.learning.models.training import Trained, new_member
from macro_ase.learning.options import TrainingOptions
from macro_ase.learning.pairs import Scaling

KAPPA = np.array([0.05, 0.02])
"""Share of a deviation that relaxes in a training step."""
NOISE = np.array([0.03, 0.02])
"""Standard deviation of the noise of a step, for n = n_s."""
ENERGY_K, PREFACTOR = 12_000.0, 1e-14
STEP = 500.0
RANGE = np.array([1000 / 3000, 1000 / 1600])


def only_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of heat treatments take every step from now on."""
    monkeypatch.setattr(annealing, "MEMORY", np.inf)
    monkeypatch.setattr(treated_paths, "LEAST", np.inf)


def equilibrium(temperatures: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """z_eq(T), shape (n, 2), linear in 1 / T."""
    x = 1000 / np.asarray(temperatures)
    return np.stack([0.9 + 0.3 * x + shift, 0.8 - 0.4 * x], axis=-1)


def step_s(temperatures: np.ndarray) -> np.ndarray:
    """dt(T) in s."""
    return STEP * PREFACTOR * np.exp(ENERGY_K / np.asarray(temperatures))


def linear_model(
    substeps: int = 2,
    shifts: tuple[float, ...] = (0.0,),
    frozen_at: float | None = None,
    kappa: np.ndarray = KAPPA,
) -> MacroModel:
    """One member for every shift of z_eq; its clock is that of one temperature if that is given."""
    scaling = Scaling(
        np.array([1.05, 0.62]),
        np.array([0.05, 0.06]),
        np.array([0.45]),
        np.array([0.1]),
        RANGE[:, None],
    )
    x = RANGE if frozen_at is None else np.array([1000 / frozen_at])
    clock = Clock(x, np.log(PREFACTOR) + ENERGY_K / 1000 * x)
    middle, tilt = equilibrium(np.array([1000 / 0.45]))[0], np.array([0.3, -0.4])
    rests = [middle + np.array([shift, 0.0]) for shift in shifts]
    common = (tilt, kappa, NOISE, scaling, clock, ("a", "b"), substeps)
    return made(rests, *common)


def made(
    rests: list[np.ndarray],
    tilt: np.ndarray,
    kappa: np.ndarray,
    noise: np.ndarray,
    scaling: Scaling,
    clock: Clock,
    names: tuple[str, ...],
    substeps: int,
) -> MacroModel:
    """Members that rest at ``rests`` + tilt (1000 K / T - the mean of training).

    Other conditions of the scaling do not move them.
    """
    options = TrainingOptions("network", width=4, depth=1, members=len(rests), epochs=1)
    members = []
    for rest in rests:
        start = torch.diag(torch.as_tensor(noise / scaling.z_scale))
        member = new_member(scaling, options, start)
        with torch.no_grad():
            for network in (member.drift.network, member.diffusion.network):
                for weight in network.parameters():
                    weight.zero_()
            member.drift.slope.copy_(torch.diag(torch.as_tensor(-kappa)))
            own = np.stack([rest - scaling.z_mean, tilt * scaling.condition_scale[0]], 1)
            offset = kappa[:, None] * own / scaling.z_scale[:, None]
            member.drift.offset.value[:, :2].copy_(torch.as_tensor(offset))
        members.append(member.float().eval())
    trained = Trained(members, scaling, 1e-6, np.zeros((len(rests), 1, 2)))
    return MacroModel(trained, options, names, STEP, 100.0, clock, substeps)
