"""Replicas of a spin model as arrays: the compiled dynamics behind one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...counts import require_count
from ...kinetics.checkerboard import checkerboard, checkerboard_order
from ...kinetics.curie_weiss import birth_death, birth_death_rates, mean_field_heat_bath
from ...kinetics.heat_bath import heat_bath
from ...kinetics.ising import BROKEN_BONDS, MAGNETISATION, TALLY_COLUMNS, glauber_rates
from ...kinetics.metropolis import metropolis, metropolis_probabilities
from ...kinetics.nfold_way import first_slots, n_fold_way
from ...kinetics.wolff import wolff
from ...rng import Seed, coerce_rng, kernel_state
from .models import CurieWeiss, Ising, SpinModel, require_temperature

KERNELS = ("heat-bath", "n-fold")
STATE = ("spins", "tally", "time", "rng_state", "slots")


def require_spins(spins: ArrayLike, model: SpinModel) -> NDArray[np.int8]:
    """A new array of spins, shape (n_replicas, n_sites).

    Parameters
    ----------
    spins : array, shape (n_sites,), (n_replicas, n_sites), (L, ..., L) or (n_replicas, L, ..., L)
    model : SpinModel

    Raises
    ------
    ValueError
        If the shape does not fit, or a value is neither 1 nor -1.
    """
    values = np.asarray(spins)
    n, size = model.n_sites, model.size if isinstance(model, Ising) else (model.n_sites,)
    if values.shape not in ((n,), size) and values.shape[1:] not in ((n,), size):
        raise ValueError(f"spins must be of shape (n, {n}) or (n, {size}), not {values.shape}")
    if not np.all(np.abs(values) == 1):
        raise ValueError("spins must be 1 or -1")
    return np.array(values.reshape(-1, n), dtype=np.int8, order="C")


def replica_states(rng: Seed | Sequence[Seed], n_replicas: int) -> NDArray[np.uint64]:
    """Generator states, shape (n_replicas, 4), from one seed or from one a replica."""
    if isinstance(rng, Sequence) or (isinstance(rng, np.ndarray) and rng.ndim == 1):
        if len(rng) != n_replicas:
            raise ValueError(f"{len(rng)} seeds were given for {n_replicas} replicas")
        return np.stack([kernel_state(seed) for seed in rng])
    return coerce_rng(rng).integers(1, 2**64, size=(n_replicas, 4), dtype=np.uint64)


def _require_times(times: ArrayLike, start: float) -> NDArray[np.float64]:
    """Times, shape (n_times,), if they are finite and ascend from ``start``; else ValueError."""
    ends = np.atleast_1d(np.asarray(times, dtype=float))
    if ends.ndim != 1 or not np.all(np.isfinite(ends)) or np.any(np.diff(ends, prepend=start) < 0):
        raise ValueError(f"times must be finite and ascend from the present {start:g}")
    return ends


class SpinEnsemble:
    """Replicas of one spin model, evolved side by side.

    Only ``active`` sites flip; the rest is frozen in place as their true surroundings. Changes
    made by flips in the core are counted whole, with bonds across its border and with what they
    do to M; flips of the other active sites (the buffer) are not.

    Parameters
    ----------
    model : Ising or CurieWeiss
    spins : array, shape (n_replicas, n_sites) or (n_sites,)
        1 or -1; copied.
    temperature : float or array, shape (n_replicas,)
    rng : seed, or a sequence of one seed for each replica
    active : int array, shape (n_active,) or (n_replicas, n_active), optional
        Sites that may flip; default all.
    core : bool array, shape (n_sites,) or (n_replicas, n_sites), optional
        Sites whose flips are counted as the core's; default all.
    kernel : {"heat-bath", "n-fold"}
        How Glauber dynamics is done; the law is the same. The n-fold way wins where fewer than
        about one attempt in ten is accepted. Curie-Weiss has the heat bath only.

    Attributes
    ----------
    spins : int8 array, shape (n_replicas, n_sites)
        Spins that you change are taken up by the next step.
    tally : int64 array, shape (n_replicas, 5)
        Sum of spins, broken bonds, their changes by flips in the core, number of flips
        (columns as named in `kinetics.ising`). Always up to date.
    time : float array, shape (n_replicas,)
        Physical time of Glauber dynamics: one attempt a site and unit of time.
    rng_state : uint64 array, shape (n_replicas, 4)

    Raises
    ------
    ValueError
        If the spins, sites, temperature or kernel do not fit the model.
    """

    def __init__(
        self,
        model: SpinModel,
        spins: ArrayLike,
        temperature: ArrayLike,
        rng: Seed | Sequence[Seed] = None,
        active: ArrayLike | None = None,
        core: ArrayLike | None = None,
        kernel: str = "heat-bath",
    ) -> None:
        if kernel not in KERNELS or (kernel == "n-fold" and isinstance(model, CurieWeiss)):
            allowed = KERNELS if isinstance(model, Ising) else KERNELS[:1]
            raise ValueError(f"kernel must be one of {', '.join(allowed)}, not {kernel!r}")
        self.model, self.kernel = model, kernel
        self.spins = require_spins(spins, model)
        self.temperature = temperature
        self._active = self._sites(active)
        self._core = np.ones((1, model.n_sites), bool) if core is None else self._mask(core)
        self.rng_state = replica_states(rng, len(self.spins))
        self.time = np.zeros(len(self.spins))
        self._rates_of: tuple[SpinModel, bytes] | None = None
        self.recount()

    @property
    def temperature(self) -> NDArray[np.float64]:
        """One of all replicas, or of each; a new one acts at once."""
        return self._temperature

    @temperature.setter
    def temperature(self, temperature: ArrayLike) -> None:
        values = require_temperature(temperature)
        self._refuse_other_length("temperature", len(values))
        self._temperature = values

    @property
    def _rates(self) -> NDArray[np.float64]:
        """Rates of flips, of the model and the temperature as they are now."""
        wanted = (self.model, self.temperature.tobytes())
        if wanted != self._rates_of:
            self._flip_rates = glauber_rates(
                self.model.flip_energies, require_temperature(self.temperature)
            )
            self._rates_of = wanted
        return self._flip_rates

    def _refuse_other_length(self, name: str, length: int) -> None:
        if length not in (1, len(self.spins)):
            raise ValueError(f"{name} has {length} rows for {len(self.spins)} replicas")

    def _sites(self, active: ArrayLike | None) -> NDArray[np.int32]:
        if active is None:
            return np.empty((1, 0), dtype=np.int32)
        sites = np.atleast_2d(np.asarray(active))
        self._refuse_other_length("active", len(sites))
        ordered = np.sort(sites, axis=1)
        if ordered.size == 0 or ordered[:, 0].min() < 0 or ordered.max() >= self.model.n_sites:
            raise ValueError(f"active sites must lie in 0..{self.model.n_sites - 1}")
        if np.any(np.diff(ordered, axis=1) == 0):
            raise ValueError("an active site is named twice")
        return np.ascontiguousarray(sites, dtype=np.int32)

    def _mask(self, core: ArrayLike) -> NDArray[np.bool_]:
        mask = np.atleast_2d(np.asarray(core))
        self._refuse_other_length("core", len(mask))
        if mask.dtype != bool or mask.shape[1] != self.model.n_sites:
            raise ValueError(f"core must be a bool array of {self.model.n_sites} sites")
        return np.ascontiguousarray(mask)

    def recount(self) -> None:
        """Count anew; changes in the core and flips become 0."""
        self.tally = self.model.tally(self.spins)
        self._left = self.spins.copy()
        self._refresh_lists()

    def _notice(self) -> None:
        """Take up spins that were changed from outside; changes in the core and flips stay.

        Raises
        ------
        ValueError
            If they do not fit the model or the number of replicas any more.
        """
        if np.array_equal(self.spins, self._left):
            return
        spins = require_spins(self.spins, self.model)
        if len(spins) != len(self.tally):
            raise ValueError(f"spins of {len(spins)} replicas were set for {len(self.tally)}")
        self.spins, self._left = spins, spins.copy()
        counted = [MAGNETISATION, BROKEN_BONDS]
        self.tally[:, counted] = self.model.tally(spins)[:, counted]
        self._refresh_lists()

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `restore` goes on bit for bit, also after lists were reordered."""
        return {name: getattr(self, name) for name in STATE}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""
        for name in STATE:
            setattr(self, name, state[name].copy())
        self._left = self.spins.copy()

    @property
    def energy(self) -> NDArray[np.float64]:
        """H of every replica, shape (n_replicas,)."""
        return self.model.energy(self.tally)

    def advance(self, times: ArrayLike) -> NDArray[np.int64]:
        """Glauber dynamics to given times.

        Parameters
        ----------
        times : float or array, shape (n_times,)
            Ascending, not before the present time.

        Returns
        -------
        int64 array, shape (n_replicas, n_times, 5)
            The tally at every time.

        Raises
        ------
        ValueError
            If the times do not ascend, or are not finite.
        """
        self._notice()
        ends = _require_times(times, float(self.time.max()))
        records = self._records(len(ends))
        common = (ends, self.time, self.tally, records, self.rng_state)
        if isinstance(self.model, CurieWeiss):
            mean_field_heat_bath(self.spins, self._rates, self._active, self._core, *common)
            self._left[:] = self.spins
            return records
        head = (self.spins, self.model.lattice, self._rates, self._active, self._core)
        if self.kernel == "n-fold":
            n_fold_way(*head, self.slots, *common)
        else:
            heat_bath(*head, *common)
        self._left[:] = self.spins
        return records

    def metropolis(self, n_records: int = 1, interval: int = 1) -> NDArray[np.int64]:
        """Metropolis sweeps of the active sites, in random order; time does not pass.

        Parameters
        ----------
        n_records : int
        interval : int
            Sweeps before each record.

        Returns
        -------
        int64 array, shape (n_replicas, n_records, 5)
            Tallies.
        """
        model, records = self._ising("Metropolis"), self._records(n_records)
        interval = require_count(interval, "interval")
        self._notice()
        probabilities = metropolis_probabilities(model.flip_energies, self.temperature)
        head = (self.spins, model.lattice, probabilities, self._active, self._core)
        metropolis(*head, interval, self.tally, records, self.rng_state)
        self._refresh_lists()
        return records

    def checkerboard(self, n_records: int = 1, interval: int = 1) -> NDArray[np.int64]:
        """Heat-bath sweeps by sublattice, as `metropolis`: relaxes, and has no clock."""
        model, records = self._ising("checkerboard"), self._records(n_records)
        interval = require_count(interval, "interval")
        self._notice()
        order = checkerboard_order(model.size)[None]
        if self._active.size:
            order = np.stack([order[0, np.isin(order[0], sites)] for sites in self._active])
        head = (self.spins, model.lattice, self._rates, order, self._core)
        checkerboard(*head, interval, self.tally, records, self.rng_state)
        self._refresh_lists()
        return records

    def wolff(self, n_records: int = 1, interval: int = 1) -> NDArray[np.int64]:
        """Wolff clusters, ``interval`` of them before each record, as `metropolis`.

        Raises
        ------
        ValueError
            If there is a field, or some sites are frozen.
        """
        model, records = self._ising("Wolff"), self._records(n_records)
        interval = require_count(interval, "interval")
        if model.field != 0:
            raise ValueError(f"Wolff clusters need field 0, not {model.field:g}")
        if self._active.size:
            raise ValueError("Wolff clusters need all sites active: none can be held")
        self._notice()
        temperature = np.broadcast_to(self.temperature, len(self.spins)).copy()
        head = (self.spins, model.lattice, float(model.coupling), temperature)
        wolff(*head, interval, self.tally, records, self.rng_state)
        self._refresh_lists()
        return records

    def _ising(self, what: str) -> Ising:
        if not isinstance(self.model, Ising):
            raise ValueError(f"{what} sweeps need an Ising model")
        return self.model

    def _records(self, n_records: int) -> NDArray[np.int64]:
        n_records = require_count(n_records, "n_records")
        return np.zeros((len(self.spins), n_records, TALLY_COLUMNS), dtype=np.int64)

    def _refresh_lists(self) -> None:
        self._left[:] = self.spins
        self.slots = np.zeros((0, 0), dtype=np.int32)
        if self.kernel == "n-fold" and isinstance(self.model, Ising):
            self.slots = first_slots(self.spins, self.model.lattice, self._active)


def curie_weiss_paths(
    model: CurieWeiss,
    magnetisation: ArrayLike,
    temperature: float,
    times: ArrayLike,
    rng: Seed | Sequence[Seed] = None,
) -> NDArray[np.int64]:
    """Glauber dynamics of M alone: exact, rejection-free, at a cost that does not grow with n.

    Parameters
    ----------
    model : CurieWeiss
    magnetisation : int array, shape (n_replicas,)
        Initial M, of the parity of n, between -n and n.
    temperature : float
    times : array, shape (n_times,)
        When to record, ascending, from 0.
    rng : seed, or a sequence of one seed for each replica

    Returns
    -------
    int64 array, shape (n_replicas, n_times, 2)
        M, and the number of flips so far.

    Raises
    ------
    ValueError
        If a magnetisation, the temperature or the times make no sense.
    """
    start = np.atleast_1d(np.asarray(magnetisation))
    ends = _require_times(times, 0.0)
    if np.any(np.abs(start) > model.n_sites) or np.any((start + model.n_sites) % 2 != 0):
        raise ValueError(f"magnetisation must be one that {model.n_sites} spins can have")
    state = np.stack([(start + model.n_sites) // 2, np.zeros_like(start)], axis=1).astype(np.int64)
    births, deaths = birth_death_rates(model.n_sites, require_temperature(temperature), model.field)
    records = np.zeros((len(start), len(ends), 2), dtype=np.int64)
    clock, states = np.zeros(len(start)), replica_states(rng, len(start))
    birth_death(births, deaths, ends, state, clock, records, states)
    records[..., 0] = 2 * records[..., 0] - model.n_sites
    return records
