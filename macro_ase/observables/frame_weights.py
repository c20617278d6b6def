"""What each frame of a trajectory counts in a mean over time.

In kinetic Monte Carlo a state i lasts a residence time of mean tau_i, one over the sum of its
rates. Frames every N hops show it as often as hops do, nu_i, where its share of time is
nu_i tau_i / sum_j nu_j tau_j. So with weights tau_i, for any N,

    <A> = sum_f tau_f A_f / sum_f tau_f,

which tends to the mean over time. The driver writes tau_f as ``atoms.info["residence_s"]``.

Of frames with ``atoms.info["time_s"]`` only, each counts for the time until the next, and the last
for nothing. That is the mean over time itself if every hop is a frame. With N > 1 the interval is
tau_f plus the residence times of the N - 1 states that are not shown, and A that changes within an
interval is weighted as the N - 1 others are, by hops: no estimate without tau_f mends this.

Frames evenly spaced in time count the same, whatever else they hold: time has chosen the states.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from ..arrays import Array

Weighting = Literal["auto", "residence", "time", "frames"]

TIME, RESIDENCE = "time_s", "residence_s"
EVEN = 1e-6


class FrameClock:
    """Looks at frames one by one, and then says what each of them counts.

    Parameters
    ----------
    how : {"auto", "residence", "time", "frames"} or array, shape (n_frames,)
        ``"auto"`` is ``"frames"`` where frames are evenly spaced in time or have no time, else
        ``"residence"`` where they have it, else ``"time"``.

    Raises
    ------
    ValueError
        If ``how`` is none of these, or negative, or not finite.
    """

    def __init__(self, how: Weighting | ArrayLike = "auto") -> None:
        if isinstance(how, str):
            if how not in get_args(Weighting):
                raise ValueError(f"weights must be {', '.join(get_args(Weighting))}, not {how}")
            self.how, self.given = how, None
        else:
            self.how, self.given = "given", np.asarray(how, dtype=float)
            if self.given.ndim != 1 or not np.all(np.isfinite(self.given) & (self.given >= 0)):
                raise ValueError("weights of frames must be a row of numbers that are 0 or more")
        self._seen: dict[str, list[float | None]] = {TIME: [], RESIDENCE: []}

    def look(self, atoms: Atoms) -> None:
        """Take down the times of the next frame."""
        for key, values in self._seen.items():
            value = atoms.info.get(key)
            try:
                values.append(None if value is None else float(value))
            except (TypeError, ValueError):
                raise ValueError(f"{key} of frame {len(values)} is {value!r}, no number") from None

    def weights(self) -> tuple[Array, str]:
        """What each frame counts, shape (n_frames,), and how that came about, for a reader.

        Raises
        ------
        ValueError
            If a time is missing, not finite, or lies before the one before.
        """
        equal = np.ones(len(self._seen[TIME]))
        if self.given is not None:
            if len(self.given) != len(equal) or not self.given.any():
                raise ValueError(f"{len(self.given)} weights for {len(equal)} frames, or all 0")
            return self.given, "weighted as given"
        if self.how == "frames":
            return equal, "all frames alike"
        times = None if self.how == "residence" else self._column(TIME, self.how == "time")
        residence = None if self.how == "time" else self._column(RESIDENCE, self.how != "auto")
        if times is None and residence is None:
            return equal, "all frames alike (they have no time_s)"
        if times is not None and _evenly_spaced(times):
            return equal, "evenly spaced in time (time_s)"
        if residence is not None:
            return residence, f"weighted by residence time (residence_s){_worth(residence)}"
        assert times is not None
        interval = np.append(np.diff(times), 0.0)
        if not interval.any():
            raise ValueError("time_s is the same in all frames: give weights, such as frames")
        said = "weighted by the time to the next (time_s), exact only if every hop is a frame"
        return interval, said + _worth(interval)

    def _column(self, key: str, needed: bool) -> Array | None:
        """Values of a key that all frames have, or none."""
        values = self._seen[key]
        missing = [number for number, value in enumerate(values) if value is None]
        if len(missing) == len(values) and not needed:
            return None
        if missing:
            raise ValueError(
                f"frame {missing[0]} has no {key}, by which frames are to be weighted: give "
                "weights, such as frames"
            )
        column = np.array(values, dtype=float)
        least = np.diff(column, prepend=column[0]) >= 0 if key == TIME else column > 0
        bad = np.flatnonzero(~(np.isfinite(column) & least))
        if len(bad):
            rule = "must not lie before the last" if key == TIME else "must be positive and finite"
            raise ValueError(f"{key} of frame {bad[0]} is {column[bad[0]]:g}, and {rule}")
        return column


def _evenly_spaced(times: Array) -> bool:
    steps = np.diff(times)
    return bool(len(steps) == 0 or np.ptp(steps) <= EVEN * steps.mean() > 0)


def _worth(weights: Array) -> str:
    """How many frames of equal weight would do as well."""
    return f", worth {weights.sum() ** 2 / (weights**2).sum():.3g} of equal weight"
