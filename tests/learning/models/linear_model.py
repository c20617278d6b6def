"""A model by hand whose law is known: linear drift, Arrhenius clock."""

import numpy as np
import torch

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


def equilibrium(temperatures: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """z_eq(T), shape (n, 2), linear in 1 / T."""
    x = 1000 / np.asarray(temperatures)
    return np.stack([0.9 + 0.3 * x + shift, 0.8 - 0.4 * x], axis=-1)


def step_s(temperatures: np.ndarray) -> np.ndarray:
    """dt(T) in s."""
    return STEP * PREFACTOR * np.exp(ENERGY_K / np.asarray(temperatures))


def linear_model(
    substeps: int = 4,
    shifts: tuple[float, ...] = (0.0,),
    frozen_at: float | None = None,
    kappa: np.ndarray = KAPPA,
) -> MacroModel:
    """One member for every shift of z_eq; its clock is that of one temperature if that is given."""
    options = TrainingOptions("network", width=4, depth=1, members=len(shifts), epochs=1)
    scaling = Scaling(
        np.array([1.05, 0.62]),
        np.array([0.05, 0.06]),
        np.array([0.45]),
        np.array([0.1]),
        RANGE[:, None],
    )
    members = []
    for shift in shifts:
        member = new_member(scaling, options, torch.diag(torch.as_tensor(NOISE / scaling.z_scale)))
        with torch.no_grad():
            for network in (member.drift.network, member.diffusion.network):
                for weight in network.parameters():
                    weight.zero_()
            member.drift.slope.copy_(torch.diag(torch.as_tensor(-kappa)))
            rest = (
                equilibrium(np.array([1000 / 0.45]), shift)[0] - scaling.z_mean
            ) / scaling.z_scale
            tilt = np.array([0.3, -0.4]) * 0.1 / scaling.z_scale
            member.drift.offset.value.copy_(
                torch.as_tensor(kappa[:, None] * np.stack([rest, tilt], 1))
            )
        members.append(member.float().eval())
    trained = Trained(members, scaling, 1e-6, np.zeros((len(shifts), 1, 2)))
    x = RANGE if frozen_at is None else np.array([1.0])
    tau = np.log(PREFACTOR) + ENERGY_K / 1000 * (
        RANGE if frozen_at is None else np.array([1000 / frozen_at])
    )
    return MacroModel(trained, options, ("a", "b"), STEP, 100.0, Clock(x, tau), substeps)
