"""Drift and diffusion per unit of time from a model of steps, and the potential that they have.

With m_1, C_1 the mean change and covariance of one step of dt, and m_2, C_2 those of two,

    b = (4 m_1 - m_2) / (2 dt),    D = (4 C_1 - C_2) / (2 dt),

in Ito's sense. What is left of the error is of second order in dt: (dt / tau)^2 / 3 of the drift
where it relaxes with a time tau, instead of dt / (2 tau). Two steps start their second from 2 d
points that have the mean and covariance of the first (S. J. Julier and J. K. Uhlmann,
Proc. SPIE 3068, 182 (1997)). Where a step does not hold relaxation, m_1 / dt and C_1 / dt are it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ...arrays import Array, as_columns, finite_array, one_condition
from ...files import save_figure
from ...observables.past import unmoved
from .clock import Clock
from .networks import NetworkDrift, PatchSDE
from .pictures import draw
from .stacked import Stacked
from .training import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID, REACH, LEAST_SHARE = 801, 3.0, 1e-3


class LocalLaw:
    """What a model of steps says per unit of time; `MacroModel` gives the attributes."""

    trained: Trained
    z_names: tuple[str, ...]
    step_events: float
    sites_per_patch: float
    clock: Clock
    substeps: int

    def dt(self, temperature_K: float) -> float:
        """Time step in the unit of the clock."""
        return self.step_events * self.clock.tau_w(temperature_K)

    @property
    def remembers(self) -> bool:
        """Whether the drift depends on the past of a state (`observables.past`)."""
        return self.trained.members[0].memory > 0

    def _stacked(self) -> Stacked:
        """The members as they are now, for paths."""
        return Stacked.of(self.trained.members)

    def step_moments(self, z: Array, condition: Array) -> tuple[Array, Array]:
        """Drift, (members, n, d), and patch covariance, (members, n, d, d), per step.

        States have shape (n, d); or (n, 2 d), with their past, which else is as they are.
        """
        drifts, covariances = self._moments(z, condition)
        return drifts[..., : self._d], covariances[..., : self._d, : self._d]

    def _moments(self, z: Array, condition: Array) -> tuple[Array, Array]:
        """The same of whole states, which have their past if it is remembered."""
        scale, drifts, covariances = self._spread(self.trained.scaling.z_scale), [], []
        y, c = self._tensors(z, condition)
        with torch.no_grad():
            for member in self.trained.members:
                a, b = member.of_state(y, c)
                drifts.append(a.numpy() * scale)
                scaled = b.numpy() * scale[:, None]
                covariances.append(scaled @ scaled.transpose(0, 2, 1))
        return np.array(drifts, dtype=float), np.array(covariances, dtype=float)

    def _spread(self, z: Array) -> Array:
        """Of the observables, (..., d), or whole states: whole states, of a past like them."""
        return unmoved(z, self.remembers and z.shape[-1] == self._d)

    def _observed(self, y: Array) -> Array:
        """The observables z of scaled whole states."""
        scaling = self.trained.scaling
        return np.asarray(y[..., : self._d] * scaling.z_scale + scaling.z_mean)

    def _patches(self, n_sites: float | None, n_patches: float | None) -> tuple[float, float]:
        raise NotImplementedError

    @property
    def _d(self) -> int:
        return len(self.trained.scaling.z_mean)

    @property
    def _c(self) -> int:
        return len(self.trained.scaling.condition_mean)

    def drift(
        self,
        z: ArrayLike,
        condition: ArrayLike | None = None,
        n_sites: float | None = None,
        n_patches: float | None = None,
    ) -> Array:
        """b(z) of dz = b dt + noise, per unit of time, shape (n, d).

        Parameters
        ----------
        z : array_like, shape (n, d); (n,) for one observable
        condition : array_like, shape (n, c) or (c,), optional
        n_sites, n_patches
            As in `MacroModel.simulate`.
        """
        return self._law(z, condition, n_sites, n_patches)[0]

    def diffusion(
        self,
        z: ArrayLike,
        condition: ArrayLike | None = None,
        n_sites: float | None = None,
        n_patches: float | None = None,
    ) -> Array:
        """D(z), the covariance of the noise of the whole per unit of time, shape (n, d, d).

        Of dz = b dt + s dW it is s s^T. Arguments are those of `drift`.
        """
        return self._law(z, condition, n_sites, n_patches)[1]

    def potential(self, z: ArrayLike, condition: ArrayLike | None = None) -> Array:
        """V(z), shape (n,), at one condition; the lowest of the given states has 0.

        Of one observable it is -ln of the stationary density, exp(integral of 2 b / D) / D. Of
        several it is V of the Onsager structure, in the unit in which exp(-V) is that density if M
        is half the noise.
        """
        self._require_no_memory("a potential of z")
        states, own = self._states(z), one_condition(condition, self._c)
        values = self._line(states[:, 0], own) if self._d == 1 else self._onsager(states, own)
        return np.asarray(values - values.min(), dtype=np.float64)

    def plot(self, path: str | Path | None = None, condition: ArrayLike | None = None) -> Figure:
        """Drift, noise and potential or phase portrait; written to a file where one is named."""
        scaling = self.trained.scaling
        figure = draw(
            lambda z: self._law(z, condition),
            lambda z: self.potential(z, condition),
            self.z_names,
            scaling.z_mean,
            scaling.z_scale,
        )
        if path is not None:
            save_figure(figure, path)
        return figure

    def _states(self, z: ArrayLike) -> Array:
        own = as_columns(np.atleast_1d(np.asarray(z)) if self._d == 1 else z, "z")
        return finite_array(own, "z", None, self._d)

    def _conditions(self, condition: ArrayLike | None, n: int) -> Array:
        """Of every state, shape (n, c)."""
        if condition is None or np.ndim(condition) < 2:
            return np.tile(one_condition(condition, self._c), (n, 1))
        return finite_array(condition, "condition", n, self._c)

    def _tensors(self, z: ArrayLike, condition: ArrayLike | None) -> tuple[Tensor, Tensor]:
        whole = self._spread(np.atleast_2d(np.asarray(z, dtype=float)))
        states = finite_array(whole, "z", None, (1 + self.remembers) * self._d)
        own, scaling = self._conditions(condition, len(states)), self.trained.scaling
        parts = np.split(states, 1 + self.remembers, axis=1)
        scaled = np.concatenate([scaling.z(x) for x in parts], axis=1), scaling.condition(own)
        y, c = (torch.as_tensor(x, dtype=torch.float32) for x in scaled)
        return y, c

    def _require_no_memory(self, what: str) -> None:
        if self.remembers:
            raise ValueError(
                f"{what} is that of a state alone, and this model's drift depends on the past, too"
            )

    def _law(
        self,
        z: ArrayLike,
        condition: ArrayLike | None,
        n_sites: float | None = None,
        n_patches: float | None = None,
    ) -> tuple[Array, Array]:
        """b and D."""
        self._require_no_memory("drift or diffusion per unit of time")
        states = self._states(z)
        own, (n, k) = self._conditions(condition, len(states)), self._patches(n_sites, n_patches)
        share = self.sites_per_patch / n
        dt = self.step_events * np.array([self.clock.tau_at(c) for c in own])[:, None]

        def step(points: Array) -> tuple[Array, Array]:
            """Of one or several points for each state, (..., n, d)."""
            conditions = np.tile(own, (points.size // states.size, 1))
            m, c = self.step_moments(points.reshape(-1, self._d), conditions)
            mean, covariance = k * share * m.mean(axis=0), k * share**2 * c.mean(axis=0)
            return mean.reshape(points.shape), covariance.reshape(*points.shape, self._d)

        mean, covariance = step(states)
        if self.substeps > 1:
            return mean / dt, covariance / dt[..., None]
        roots = np.sqrt(self._d) * np.linalg.cholesky(covariance).transpose(2, 0, 1)
        ends = states + mean + np.concatenate([roots, -roots])
        means, covariances = step(ends)
        moved = ends + means - states
        twice = moved.mean(axis=0)
        spread = np.einsum("kni,knj->nij", moved - twice, moved - twice) / len(moved)
        spread += covariances.mean(axis=0)
        return (4 * mean - twice) / (2 * dt), (4 * covariance - spread) / (2 * dt[..., None])

    def _line(self, z: Array, condition: Array) -> Array:
        """-ln of the stationary density of one observable, up to a constant."""
        scaling = self.trained.scaling
        reach = scaling.z_mean[0] + scaling.z_scale[0] * REACH * np.array([-1, 1])
        grid = np.linspace(min(z.min(), reach[0]), max(z.max(), reach[1]), GRID)
        b, noise = (x.reshape(GRID) for x in self._law(grid, condition))
        noise = np.maximum(noise, LEAST_SHARE * np.median(noise))
        slope = 2 * b / noise
        work = np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(grid))])
        values: Array = np.interp(z, grid, np.log(noise) - work)
        return values

    def _onsager(self, states: Array, condition: Array) -> Array:
        """V of the Onsager structure, mean over the members, in units of the noise of the whole."""
        y, c = self._tensors(states, condition)
        values: Array = np.mean([_energy(member, y, c) for member in self.trained.members], axis=0)
        return values * self._patches(None, None)[0] / self.sites_per_patch


def _energy(member: PatchSDE, y: Tensor, c: Tensor) -> Array:
    """V where M is half of a patch's noise, on the mean around the centre of the states."""
    if isinstance(member.drift, NetworkDrift):
        raise ValueError(
            "a drift of kind 'network' of several observables has no potential: fit with "
            "drift='onsager'"
        )
    d = y.shape[1]
    around = torch.cat([torch.zeros(1, d), torch.eye(d), -torch.eye(d)])
    given = c[:1].expand(len(around), -1)
    with torch.no_grad():
        b = member.diffusion(around, given)
        half = member.drift.matrices(around, given)[0]
        unit = torch.linalg.solve(b @ b.transpose(1, 2), 2 * half)
        size = torch.diagonal(unit, dim1=1, dim2=2).mean()
        return (size * member.drift.energy(y, c)).double().numpy()
