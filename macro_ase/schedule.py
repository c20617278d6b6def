"""Temperature against time: ramps, holds, quenches, cycles, or a table.

A schedule is a polyline T(t) that starts at t = 0: linear between its points, so that a ramp is
exact; two points at one time are a quench. What is written for it is read piece by piece:

    2400 K, 1e6 K/s to 1000 K, hold 10 s, quench to 600 K, 3 x (50 K/min to 900 K, hold 2 h)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, finite_array

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
MOST_POINTS = 100_000
NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
UNIT = f"({'|'.join(SECONDS)})"
FORMS = {
    "start": re.compile(rf"(?:from )?{NUMBER} ?K"),
    "rate": re.compile(rf"(?:ramp )?(?:at )?{NUMBER} ?K ?/ ?{UNIT} to {NUMBER} ?K"),
    "within": re.compile(rf"(?:ramp )?to {NUMBER} ?K in {NUMBER} ?{UNIT}"),
    "hold": re.compile(rf"hold (?:for )?{NUMBER} ?{UNIT}"),
    "quench": re.compile(rf"quench to {NUMBER} ?K"),
}
CYCLE = re.compile(r"(\d+) ?[x×*] ?\((.*)\)")
HELP = (
    'write "2400 K" first, then pieces such as "1e6 K/s to 1000 K", "to 800 K in 2 h", "hold 10 s",'
    ' "quench to 300 K" or "3 x (...)", with commas between them'
)


@dataclass(frozen=True)
class Schedule:
    """A temperature for every time.

    Attributes
    ----------
    times : array, shape (n,)
        In s, from 0 on, none before the one ahead of it; a time that stands twice is a quench.
    temperatures : array, shape (n,)
        In K, above 0.

    Raises
    ------
    ValueError
        In one line, if they are anything else.
    """

    times: Array
    temperatures: Array

    def __post_init__(self) -> None:
        times = finite_array(self.times, "the schedule's times", None).copy()
        own = finite_array(self.temperatures, "the schedule's temperatures", len(times)).copy()
        if not len(times):
            raise ValueError("the schedule is empty: it needs a temperature to start from")
        if times[0] != 0:
            raise ValueError(f"the schedule must start at 0 s, not {times[0]:g} s")
        back = np.flatnonzero(np.diff(times) < 0)
        if len(back):
            k = back[0]
            raise ValueError(
                f"time goes back in the schedule: {times[k + 1]:g} s after {times[k]:g} s"
            )
        if not np.all(own > 0):
            raise ValueError(
                f"temperatures of a schedule must be above 0 K, not {own[own <= 0][0]:g} K"
            )
        for array in (times, own):
            array.flags.writeable = False
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "temperatures", own)

    @classmethod
    def hold(cls, temperature_K: float, duration_s: float) -> Self:
        """One temperature all the time."""
        return cls(np.array([0.0, duration_s]), np.array([temperature_K, temperature_K]))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The schedule that is written in words.

        Parameters
        ----------
        text : str
            Such as ``"2400 K, 1e6 K/s to 1000 K, hold 10 s"``: the first temperature, then pieces
            with commas between them. ``RATE K/s to T K`` and ``to T K in TIME`` are ramps,
            ``hold TIME``, ``quench to T K``, and ``N x (PIECES)`` repeats. Times are in ns, us, ms,
            s, min or h, and rates in K over any of these; the sign of a rate follows from T.

        Raises
        ------
        ValueError
            In one line that quotes what cannot be read.

        Examples
        --------
        >>> Schedule.parse("2400 K, 100 K/s to 1000 K, hold 1 min").duration
        74.0
        """
        first, *pieces = list(_pieces(" ".join(text.split()))) or [""]
        start = FORMS["start"].fullmatch(first)
        if start is None:
            raise ValueError(f"a schedule cannot start with {first!r}: {HELP}")
        points = [(0.0, float(start[1]))]
        for piece in pieces:
            _extend(points, piece)
        times, temperatures = zip(*points)
        return cls(np.array(times), np.array(temperatures))

    @classmethod
    def read(cls, file: str | Path) -> Self:
        """The schedule in a table of two columns, time in s and temperature in K.

        Columns are divided by commas, semicolons or blanks; lines that start with # and one line of
        names are passed over. Times count from the first row's.

        Raises
        ------
        FileNotFoundError, ValueError
            In one line that names the file, and the line that cannot be read.
        """
        rows: list[list[float]] = []
        names = 0
        for number, line in enumerate(Path(file).read_text(encoding="utf-8-sig").splitlines(), 1):
            words = re.split(r"[,;\s]+", line.partition("#")[0].strip().rstrip(",;"))
            if words == [""]:
                continue
            try:
                time, temperature = (float(word) for word in words)
            except ValueError:
                names += 1
                if rows or names > 1:
                    raise ValueError(
                        f"{file}, line {number}: expected a time in s and a temperature in K, "
                        f"not {line.strip()!r}"
                    ) from None
                continue
            rows.append([time, temperature])
        if not rows:
            raise ValueError(f"{file} holds no times and temperatures")
        times, temperatures = np.array(rows).T
        try:
            return cls(times - times[0], temperatures)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None

    @property
    def duration(self) -> float:
        """In s."""
        return float(self.times[-1])

    def temperature_at(self, time_s: ArrayLike) -> Array:
        """In K, of times in s, any shape; at a quench the temperature after it.

        Before the start and after the end it stands still.
        """
        t = np.asarray(time_s, dtype=float)
        k = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self.times) - 1)
        after = np.minimum(k + 1, len(self.times) - 1)
        span = self.times[after] - self.times[k]
        share = np.clip((t - self.times[k]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
        low, high = self.temperatures[k], self.temperatures[after]
        return np.asarray(np.where(span > 0, low + share * (high - low), low), dtype=np.float64)

    def pieces(self) -> list[tuple[float, float, float, float]]:
        """Ramps and holds that last: begin and end in s, temperature at both in K."""
        t, own = self.times.tolist(), self.temperatures.tolist()
        rows = zip(t, t[1:], own, own[1:])
        return [row for row in rows if row[1] > row[0]]


def _pieces(text: str) -> Iterator[str]:
    """What commas outside brackets divide."""
    depth, piece = 0, ""
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if sign == "," and not depth:
            yield piece.strip()
            piece = ""
        else:
            piece += sign
    if depth:
        raise ValueError(f"brackets do not match in the schedule {text!r}")
    yield piece.strip()


def _extend(points: list[tuple[float, float]], piece: str) -> None:
    """Add the points of a piece to those before it."""
    (time, temperature), seconds, end = points[-1], 0.0, points[-1][1]
    if cycle := CYCLE.fullmatch(piece):
        repeats, inner = int(cycle[1]), list(_pieces(cycle[2]))
        if not repeats:
            raise ValueError(f"a cycle must be repeated at least once, not as in {piece!r}")
        if repeats * len(inner) + len(points) > MOST_POINTS:
            raise ValueError(f"{piece!r} has more than {MOST_POINTS} pieces")
        for own in inner * repeats:
            _extend(points, own)
        return
    if rate := FORMS["rate"].fullmatch(piece):
        end = float(rate[3])
        seconds = abs(end - temperature) / _above_0(rate[1], "rate", piece) * SECONDS[rate[2]]
    elif within := FORMS["within"].fullmatch(piece):
        end, seconds = float(within[1]), _above_0(within[2], "time", piece) * SECONDS[within[3]]
    elif hold := FORMS["hold"].fullmatch(piece):
        seconds = _above_0(hold[1], "time", piece) * SECONDS[hold[2]]
    elif quench := FORMS["quench"].fullmatch(piece):
        end = float(quench[1])
    else:
        raise ValueError(f"cannot read {piece!r} in the schedule: {HELP}")
    if seconds and time + seconds == time:
        raise ValueError(f"{piece!r} is too short to be told apart after {time:g} s")
    points.append((time + seconds, end))


def _above_0(text: str, what: str, piece: str) -> float:
    value = float(text)
    if not 0 < value < np.inf:
        raise ValueError(f"the {what} in {piece!r} must be above 0")
    return value
