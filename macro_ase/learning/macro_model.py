"""The learned macroscopic model: what it is, how it is saved, how it runs.

In scaled units, with time in steps dt = h tau_w(T),

    dy = f a(y, c) dt + g b(y, c) dW,   f = K n_s / n,   g = sqrt(K) n_s / n,

the sum of K independent patches, each with the drift and the patch diffusion
Sigma_p = b b^T / dt that were learned with n_s sites a patch. When the large system has as
many sites a patch as the training states, f = 1 and g = K^-1/2.

A training increment is that of one patch while the others stand still. Where patches share their
sites, as vacancies do, it does not contain the relaxation of the whole during dt: paths then
take several Euler-Maruyama steps within dt; with one, relaxation and noise would both come out too
large, by a relative dt / (2 relaxation time). Where a patch has sites of its own it relaxes as
the whole does, and one step is right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..files import write_atomically
from ..rng import stream
from .networks import PatchSDE
from .pairs import Scaling
from .training import Trained, TrainingOptions

Array = NDArray[np.float64]
SUBSTEPS = 4
FORMAT = "macro_ase macro model 1"


@dataclass(frozen=True)
class Clock:
    """Mean residence time against 1000 K / T.

    Attributes
    ----------
    x : array, shape (n_T,)
        1000 K / T, ascending.
    log_tau : array, shape (n_T,)
        ln of the mean residence time, in the system's unit of time.
    """

    x: Array
    log_tau: Array

    def tau_w(self, temperature_K: float) -> float:
        """Mean residence time; log-linear between and beyond the points (Arrhenius)."""
        at = 1000 / temperature_K
        if len(self.x) == 1:
            return float(np.exp(self.log_tau[0]))
        k = int(np.clip(np.searchsorted(self.x, at) - 1, 0, len(self.x) - 2))
        slope = (self.log_tau[k + 1] - self.log_tau[k]) / (self.x[k + 1] - self.x[k])
        return float(np.exp(self.log_tau[k] + slope * (at - self.x[k])))


@dataclass(frozen=True)
class MacroPaths:
    """Predicted paths.

    Attributes
    ----------
    times : array, shape (n_t,)
        In the unit of the clock.
    z : array, shape (members, paths, n_t, d)
    """

    times: Array
    z: Array


@dataclass(frozen=True)
class MacroModel:
    """An ensemble of drift and patch diffusion with its clock.

    Attributes
    ----------
    trained : Trained
    options : TrainingOptions
    z_names : tuple of str
    step_events : float
        h: mean events of one patch in a step.
    sites_per_patch : float
        n_s of the training states.
    clock : Clock
    substeps : int
        Euler-Maruyama steps within dt: several where an increment of one patch alone does not
        contain the relaxation of the whole; one where patches relax as the whole does.
    """

    trained: Trained
    options: TrainingOptions
    z_names: tuple[str, ...]
    step_events: float
    sites_per_patch: float
    clock: Clock
    substeps: int = SUBSTEPS

    def dt(self, temperature_K: float) -> float:
        """Time step in the unit of the clock."""
        return self.step_events * self.clock.tau_w(temperature_K)

    def step_moments(self, z: Array, condition: Array) -> tuple[Array, Array]:
        """Drift and patch covariance per step of every member.

        Parameters
        ----------
        z : array, shape (n, d)
        condition : array, shape (n, c)

        Returns
        -------
        drift : array, shape (members, n, d)
        covariance : array, shape (members, n, d, d)
        """
        scaling = self.trained.scaling
        y = torch.as_tensor(scaling.z(z), dtype=torch.float32)
        c = torch.as_tensor(scaling.condition(condition), dtype=torch.float32)
        drifts, covariances = [], []
        with torch.no_grad():
            for member in self.trained.members:
                a, b = member(y, c)
                drifts.append(a.numpy() * scaling.z_scale)
                scaled = b.numpy() * scaling.z_scale[:, None]
                covariances.append(scaled @ scaled.transpose(0, 2, 1))
        return np.array(drifts, dtype=float), np.array(covariances, dtype=float)

    def step_means(
        self, z: Array, condition: Array, n_sites: float, n_patches: float | None = None
    ) -> Array:
        """Mean change of z over one step, without noise, its own relaxation included.

        Parameters
        ----------
        z : array, shape (n, d)
        condition : array, shape (n, c)
        n_sites, n_patches
            As in `simulate`.

        Returns
        -------
        array, shape (n, d)
            Mean over the members.
        """
        k = n_sites / self.sites_per_patch if n_patches is None else n_patches
        factor = k * self.sites_per_patch / n_sites / self.substeps
        point = np.asarray(z, dtype=float)
        for _ in range(self.substeps):
            point = point + factor * self.step_moments(point, condition)[0].mean(axis=0)
        return point - z

    def simulate(
        self,
        z0: Array,
        condition: Array,
        n_steps: int,
        n_sites: float,
        n_patches: float | None = None,
        paths: int = 50,
        seed: int | np.random.SeedSequence = 0,
        interval: float | None = None,
        substeps: int | None = None,
    ) -> MacroPaths:
        """Euler-Maruyama paths.

        Parameters
        ----------
        z0 : array, shape (d,) or (paths, d)
        condition : array, shape (c,)
            1000 K / T first.
        n_steps : int
            Number of records after the first.
        n_sites : float
            n of the large system.
        n_patches : float, optional
            K; default n / n_s.
        paths : int
            Of every member.
        seed : int or SeedSequence
        interval : float, optional
            Time between records, in the unit of the clock; default the training step.
        substeps : int, optional
            Steps of the integration between records; default the model's own.

        Raises
        ------
        ValueError
            If a size, number or time is not positive.
        """
        k = n_sites / self.sites_per_patch if n_patches is None else n_patches
        substeps = self.substeps if substeps is None else substeps
        dt = self.dt(1000 / float(np.asarray(condition)[0]))
        span = 1.0 if interval is None else interval / dt
        if min(n_steps, n_sites, k, paths, substeps, span) <= 0:
            raise ValueError("sizes, numbers and times must be positive")
        scaling = self.trained.scaling
        drift_factor = k * self.sites_per_patch / n_sites * span / substeps
        noise_factor = np.sqrt(k * span / substeps) * self.sites_per_patch / n_sites
        c = torch.as_tensor(scaling.condition(np.asarray(condition)), dtype=torch.float32)
        start = torch.as_tensor(scaling.z(np.asarray(z0)), dtype=torch.float32)
        own = seed if isinstance(seed, np.random.SeedSequence) else stream(seed, "simulate")
        generator = torch.Generator().manual_seed(int(own.generate_state(1)[0]))
        results = []
        for member in self.trained.members:
            y = start.expand(paths, -1)
            path = [y]
            many = c.repeat(paths, 1)
            with torch.no_grad():
                for _ in range(n_steps):
                    for _ in range(substeps):
                        a, b = member(y, many)
                        xi = torch.randn(y.shape, generator=generator)
                        y = y + drift_factor * a + noise_factor * (b @ xi[..., None])[..., 0]
                    path.append(y)
            results.append(torch.stack(path, dim=1).numpy())
        z = np.array(results, dtype=float) * scaling.z_scale + scaling.z_mean
        times = span * dt * np.arange(n_steps + 1, dtype=np.float64)
        return MacroPaths(times, z)

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``weights.safetensors``."""
        from safetensors.torch import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{k}.{name}": value.contiguous()
            for k, member in enumerate(self.trained.members)
            for name, value in member.state_dict().items()
        }
        write_atomically(folder / "weights.safetensors", save(tensors))
        scaling = self.trained.scaling
        data = {
            "format": FORMAT,
            "z_names": list(self.z_names),
            "step_events": self.step_events,
            "sites_per_patch": self.sites_per_patch,
            "substeps": self.substeps,
            "clock": {"x": self.clock.x.tolist(), "log_tau": self.clock.log_tau.tolist()},
            "options": vars(self.options),
            "scaling": {name: value.tolist() for name, value in vars(scaling).items()},
            "eps": self.trained.eps,
            "history": self.trained.history.tolist(),
        }
        write_atomically(folder / "model.json", json.dumps(data, indent=1) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> MacroModel:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        FileNotFoundError
            If the folder holds no model.
        ValueError
            If it is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = Path(folder)
        try:
            data = json.loads((folder / "model.json").read_text())
            weights = load_file(folder / "weights.safetensors")
            return cls._from_data(data, weights)
        except (KeyError, TypeError, json.JSONDecodeError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{folder} holds no complete model: {error}") from error

    @classmethod
    def _from_data(cls, data: dict[str, Any], weights: dict[str, torch.Tensor]) -> MacroModel:
        if data["format"] != FORMAT:
            raise ValueError(f"model format {data['format']!r} is not {FORMAT!r}")
        options = TrainingOptions(**data["options"])
        scaling = Scaling(**{k: np.array(v) for k, v in data["scaling"].items()})
        d, members = len(data["z_names"]), []
        for k in range(options.members):
            member = PatchSDE(
                d, scaling.n_conditions, options.drift, options.width, options.depth, torch.eye(d)
            )
            mine = {n[len(f"{k}.") :]: w for n, w in weights.items() if n.startswith(f"{k}.")}
            member.load_state_dict(mine)
            member.eval()
            members.append(member)
        trained = Trained(members, scaling, data["eps"], np.array(data["history"]))
        clock = Clock(np.array(data["clock"]["x"]), np.array(data["clock"]["log_tau"]))
        return cls(
            trained,
            options,
            tuple(data["z_names"]),
            data["step_events"],
            data["sites_per_patch"],
            clock,
            data["substeps"],
        )
