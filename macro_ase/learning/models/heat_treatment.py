"""What a heat treatment does to the order: means, bands and paths of an ensemble.

Bands are those of `bands`. g is how far outside the training the order was while it moved: the
distance u outside, with the memory of the order, dg/ds = (u - g) / (slowest relaxation time), in
the model's own time s, so that what is frozen learns nothing new. u is the larger of the distance
of 1000 K / T from the trained range, in widths of that range, and that of the order from three
standard deviations of the training states, in these three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import Array
from .bands import Bands


@dataclass(frozen=True)
class HeatTreatment(Bands):
    """Order along a schedule of temperature.

    Attributes
    ----------
    times : array, shape (n_t,)
        In laboratory seconds.
    temperatures : array, shape (n_t,)
        In K.
    mean : array, shape (n_t, d)
        By the drift that is the average of the members'; with what noise does to a mean where
        a drift is not straight, if there are pairs of paths.
    members : array, shape (members, n_t, d)
        The same by each member's own.
    paths : array, shape (members, paths, n_t, d)
    outside : array, shape (n_t,)
        g, by which the band is widened; 0 within what was trained.
    names : tuple of str
    """

    times: Array
    temperatures: Array
    mean: Array
    members: Array
    paths: Array
    outside: Array
    names: tuple[str, ...]

    def of(self, observable: Callable[[Array], Array], names: tuple[str, ...]) -> HeatTreatment:
        """The same of what follows from z.

        Parameters
        ----------
        observable : callable
            From z, shape (..., d), to values, shape (..., k).
        names : tuple of str
            Of the k values.
        """
        mean, members, paths = (observable(z) for z in (self.mean, self.members, self.paths))
        fixed = self.times, self.temperatures
        return HeatTreatment(*fixed, mean, members, paths, self.outside, names)

    def table(self) -> tuple[list[str], Array]:
        """Columns by name: time, temperature, then mean and limits of both bands of each value."""
        columns = ["time_s", "temperature_K"]
        values = [self.times, self.temperatures]
        bands = {68: self.band_68, 95: self.band_95}
        for k, name in enumerate(self.names):
            columns.append(name)
            values.append(self.mean[:, k])
            for share, band in bands.items():
                columns += [f"{name} low {share}", f"{name} high {share}"]
                values += [band[0, :, k], band[1, :, k]]
        return columns, np.column_stack(values)


def distance_outside(
    inverse: Array, trained: Array | None, y: Array, reach: float = 3.0
) -> tuple[Array, Array]:
    """How far 1000 K / T and scaled order are outside, shape (n,) each; 0 within.

    ``trained`` is least and most of 1000 K / T; ``y`` has shape (n, d).
    """
    order = np.maximum(np.abs(y).max(axis=1) / reach - 1, 0.0)
    if trained is None or not np.ptp(trained) > 0:
        return np.zeros_like(order), order
    low, high = trained
    slack = 1e-6 * high
    beyond = np.maximum(np.maximum(low - slack - inverse, inverse - high - slack), 0.0)
    return beyond / (high - low), order


def remembered(u: Array, steps: Array, memory: float, first: float) -> float:
    """g at the end of cells, from that at their beginning, with u and steps of each cell."""
    g = first
    for own, kept in zip(u, np.exp(-steps / max(memory, 1e-9))):
        g = own + (g - own) * kept
    return float(g)
