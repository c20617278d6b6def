"""The learned macroscopic model: what it is, how it is learned from arrays, how it runs.

In scaled units, with time in steps dt = h tau_w(T),

    dy = f a(y, c) dt + g b(y, c) dW,   f = K n_s / n,   g = sqrt(K) n_s / n,

the sum of K independent patches, each with the drift and the patch diffusion
Sigma_p = b b^T / dt that were learned with n_s sites a patch. When the large system has as
many sites a patch as the training states, f = 1 and g = K^-1/2.

A training increment of a time series, or of a patch with sites of its own, holds the relaxation
during dt, and one Euler-Maruyama step a dt is right. Where patches share their sites, as
vacancies do, the increment of one patch while the others stand still does not hold it: paths then
take several steps within dt; with one, relaxation and noise would both come out too large, by a
relative dt / (2 relaxation time). Which of both it is belongs to the model (``substeps``). Steps
are never longer, whatever is recorded, and as much shorter as f is above 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from ...arrays import Array, above_0, finite_array, one_condition
from ...counts import require_count
from ...memory import require_memory
from ...observables.past import Memory
from ...ratios import steps_within
from ...rng import stream
from ..options import TrainingOptions
from ..pairs import PairBatch, Scaling
from ..saved import Saved, ensemble_weights, filled_members, shapes
from .arrays_at_hand import pairs_of, pairs_of_series, training_options
from .clock import Clock
from .equilibrating import Equilibrating
from .paths import (
    MacroPaths,
    Steps,
    euler_maruyama,
    warn_of_divergence,
    warn_of_long_steps,
    warn_of_short_steps,
)
from .training import Trained, new_member, train

__all__ = ["Clock", "MacroModel", "MacroPaths"]
MOST_STEPS = 10**9
NUMBERS = ("step_events", "sites_per_patch", "substeps", "n_sites", "block_sites")


@dataclass(frozen=True)
class MacroModel(Equilibrating, Saved):
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
        contain the relaxation of the whole; one where increments are those of a time series, or
        patches relax as the whole does.
    n_sites : float, optional
        Of the large system that is meant where no other is named.
    block_sites : float, optional
        Of the systems whose states it has learned from: larger ones are blocks of this size
        (`paths`).
    """

    trained: Trained
    options: TrainingOptions
    z_names: tuple[str, ...]
    step_events: float
    sites_per_patch: float
    clock: Clock
    substeps: int = 1
    n_sites: float | None = None
    block_sites: float | None = None
    kind: ClassVar[str] = "macro-model"

    def __post_init__(self) -> None:
        names = self.z_names
        listed = not isinstance(names, str) and all(isinstance(name, str) for name in names)
        if not listed or len(names) != self._d or len(set(names)) != len(names):
            raise ValueError(f"z_names must be {self._d} different names, not {names!r}")
        _require_own_options(self.trained, self.options)
        own = {name: above_0(getattr(self, name), name) for name in NUMBERS[:2]}
        own |= {"substeps": require_count(self.substeps, "substeps", 1)}
        given = {name: getattr(self, name) for name in NUMBERS[3:]}
        own |= {name: above_0(x, name) for name, x in given.items() if x is not None}
        for name, value in (own | {"z_names": tuple(names)}).items():
            object.__setattr__(self, name, value)

    @classmethod
    def fit(
        cls,
        z0: ArrayLike,
        dz: ArrayLike,
        dt: float,
        n_patches: float | None = None,
        condition: Any = None,
        groups: Any = None,
        names: Sequence[str] | None = None,
        seed: int = 0,
        checkpoint: Path | None = None,
        **options: Any,
    ) -> Self:
        """A model of your own increments.

        Parameters
        ----------
        z0 : array_like, shape (n, d) or (n,)
            States.
        dz : array_like of the same shape
            Increments of the whole; with ``n_patches`` those of one patch, times their number.
        dt : float
            In any unit of time, short beside relaxation.
        n_patches : float, optional
            K, the number of independent patches of the whole.
        condition : array_like, shape (n, c) or (n,), or number, optional
        groups : sequence, shape (n,), optional
            Pairs of a group are validated on together; default: 50 groups of neighbours.
        names : sequence of str, optional
        seed : int
        checkpoint : Path, optional
            As in `learning.descent.descend`.
        **options
            Of `learning.options.TrainingOptions`.
        """
        pairs = pairs_of(z0, dz, condition, groups)
        return cls._fitted(pairs, dt, n_patches, names, options, seed, checkpoint)

    @classmethod
    def fit_series(
        cls,
        z: Any,
        dt: float,
        condition: Any = None,
        names: Sequence[str] | None = None,
        seed: int = 0,
        checkpoint: Path | None = None,
        **options: Any,
    ) -> Self:
        """A model of time series at intervals of dt; else as `fit`.

        Parameters
        ----------
        z : array_like, shape (n_t, d) or (n_t,), or list of arrays
            One series, or several.
        condition : array_like, optional
            Of every state, shape (n_t, c), or once a series; a list of these for several series.
        """
        own = training_options(options)
        memory = Memory(own.memory, own.memory_growth) if own.memory else None
        pairs = pairs_of_series(z, condition, memory)
        return cls._fitted(pairs, dt, None, names, options, seed, checkpoint)

    @classmethod
    def _fitted(
        cls, pairs: PairBatch, dt: float, k: float | None, names: Any, given: Any, *train_as: Any
    ) -> Self:
        options, step = training_options(given), above_0(dt, "dt")
        whole = 1.0 if k is None else above_0(k, "n_patches")
        if names is None:
            names = [f"z{i + 1}" for i in range(pairs.z0.shape[1])]
        seed, checkpoint = train_as
        trained = train(pairs, options, seed, "learning", checkpoint)
        own = (names,) if isinstance(names, str) else tuple(names)
        unit = Clock(np.ones(1), np.zeros(1))
        model = cls(trained, options, own, step, 1.0, unit, n_sites=whole)
        warn_of_long_steps(model._stacked(), np.zeros(trained.scaling.n_conditions), 4)
        return model

    def step_means(
        self, z: Array, condition: Array, n_sites: float, n_patches: float | None = None
    ) -> Array:
        """Mean change of z, shape (n, d), over one step without noise, relaxation included.

        Arguments are those of `step_moments` and `simulate`.
        """
        steps = self._steps(1.0, n_sites, n_patches)
        start = point = self._spread(np.asarray(z, dtype=float))
        for _ in range(steps.number):
            point = point + steps.drift * self._moments(point, condition)[0].mean(axis=0)
        return (point - start)[:, : self._d]

    def simulate(
        self,
        z0: ArrayLike,
        condition: ArrayLike | None = None,
        n_steps: int = 100,
        n_sites: float | None = None,
        n_patches: float | None = None,
        paths: int = 50,
        seed: int | np.random.SeedSequence = 0,
        interval: float | None = None,
    ) -> MacroPaths:
        """Euler-Maruyama paths.

        Warns of a condition outside the range of training, of an interval that cuts steps too
        short to be right, and of paths that diverge.

        Parameters
        ----------
        z0 : array, shape (d,) or (paths, d)
        condition : array, shape (c,)
            1000 K / T first; a number where there is one condition, None where there is none.
        n_steps : int
            Number of records after the first.
        n_sites : float
            n of the large system; default that of the model, if it has one.
        n_patches : float, optional
            K; default n / n_s.
        paths : int
            Of every member.
        seed : int or SeedSequence
        interval : float, optional
            Time between records, in the unit of the clock; default the training step. The steps
            between two records are equal and no longer than the model's own, so multiples of
            the training step, or parts of a step that is short beside relaxation, are exact.
        """
        records, number = (
            require_count(n, name, 1) for n, name in ((n_steps, "n_steps"), (paths, "paths"))
        )
        scaling, members = self.trained.scaling, self._stacked()
        n_bytes = 16 * members.number * number * (records + 1) * members.d
        require_memory(n_bytes, f"{members.number} x {number} paths of {records} records")
        own = one_condition(condition, self._c)
        if outside := scaling.outside(own):
            warnings.warn(f"the model extrapolates: {outside}", stacklevel=2)
        dt = self.step_events * self.clock.tau_at(own)
        time = dt if interval is None else above_0(interval, "interval")
        steps = self._steps(time / dt, n_sites, n_patches)
        require_count(steps.number * records, "the number of steps in all", 1, MOST_STEPS)
        c = scaling.condition(own)
        if self.substeps == 1:
            warn_of_short_steps(members, c, steps.share, 3)
        start = self._spread(scaling.z(self._starts(z0, number)))
        seeds = seed if isinstance(seed, np.random.SeedSequence) else stream(seed, "simulate")
        z = self._observed(euler_maruyama(members, start, c, records, steps, seeds))
        result = MacroPaths(time * np.arange(records + 1, dtype=np.float64), z)
        warn_of_divergence(result, 3)
        return result

    def _patches(self, n_sites: float | None, n_patches: float | None) -> tuple[float, float]:
        """n and K."""
        if n_sites is None and self.n_sites is None:
            raise ValueError("n_sites, the sites of the large system, must be given")
        n = above_0(self.n_sites if n_sites is None else n_sites, "n_sites")
        return n, n / self.sites_per_patch if n_patches is None else above_0(n_patches, "n_patches")

    def _steps(self, span: float, n_sites: float | None, n_patches: float | None) -> Steps:
        """Of a span in training steps; equal, and none longer than one of the model's own."""
        n, k = self._patches(n_sites, n_patches)
        speed = k * self.sites_per_patch / n
        length = span * max(1.0, speed)
        number = steps_within(length * self.substeps, 1.0)
        blocks = max(1.0, n / (self.block_sites or n))
        noise = float(np.sqrt(k * span / number * blocks)) * self.sites_per_patch / n
        return Steps(number, speed * span / number, noise, length / number, blocks)

    def _starts(self, z0: ArrayLike, paths: int) -> Array:
        """Initial states, shape (paths, d)."""
        own = np.asarray(z0)
        shape = (paths, self._d) if own.ndim > 1 else (self._d,)
        one = own.reshape(1) if own.ndim == 0 else own
        return np.broadcast_to(finite_array(one, "z0", *shape), (paths, self._d))

    def _parts(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        told = {"z_names": list(self.z_names)} | {name: getattr(self, name) for name in NUMBERS}
        told["clock"] = {name: value.tolist() for name, value in vars(self.clock).items()}
        told |= {"options": vars(self.options), "scaling": self.trained.scaling.lists()}
        told |= {"eps": self.trained.eps, "history": self.trained.history.tolist()}
        return told, ensemble_weights(self.trained.members)

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, torch.Tensor], *given: Any) -> Self:
        options, scaling = TrainingOptions(**data["options"]), Scaling(**data["scaling"])
        eye = torch.eye(len(scaling.z_mean))
        members = filled_members(
            weights, options.members, lambda: new_member(scaling, options, eye)
        )
        trained = Trained(members, scaling, float(data["eps"]), np.array(data["history"], float))
        numbers = {k: data[k] for k in ("z_names", *NUMBERS[:3])}
        numbers |= {k: data.get(k) for k in NUMBERS[3:]}
        return cls(trained, options, clock=Clock(**data["clock"]), **numbers)


def _require_own_options(trained: Trained, options: TrainingOptions) -> None:
    """Refuse options that make other members than there are: such a model could not be read."""
    eye = torch.eye(len(trained.scaling.z_mean))
    with torch.device("meta"):
        new = new_member(trained.scaling, options, eye)
    same = [shapes(m.state_dict()) == shapes(new.state_dict()) for m in trained.members]
    if len(same) != options.members or not all(same):
        raise ValueError("options are not those that the members were trained with")
