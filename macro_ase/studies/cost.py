"""What each route costs, and from where on the learned one is the cheaper.

Direct simulation costs as much as there are sites, time and conditions. What is learned once from
patches of fixed size does not grow with any of them; a prediction hardly costs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ..report import Cost, Table, Value

Events = Mapping[str, float]


@dataclass(frozen=True)
class Routes:
    """CPU seconds of both routes to the same answer.

    ``learned`` is all that is done once to learn, ``predicted`` all predictions, ``direct`` the
    direct runs that they stand beside, of a large system of ``sites``, called ``site``, up to
    ``horizon`` in ``unit``; one model serves all ``conditions``.
    """

    learned: float
    predicted: float
    direct: float
    sites: float
    horizon: float
    conditions: int = 1
    unit: str = "time"
    site: str = "sites"

    @property
    def factor(self) -> float:
        """Learned and predicted over direct; below 1 the learned route was the cheaper one."""
        return (self.learned + self.predicted) / self.direct if self.direct > 0 else float("inf")

    def sentence(self) -> str:
        """From which size, horizon or number of conditions on the learned route is cheaper."""
        spent = (
            f"Learning took {self.learned:.3g} CPU s once, all predictions {self.predicted:.3g} s"
        )
        if not self.direct > 0:
            return f"{spent}; there are no direct runs to compare with."
        gain, more = self.direct - self.predicted, "no number of conditions"
        if gain > 0:
            more = f"{ceil(self.learned / gain * self.conditions)} or more conditions of one model"
        return (
            f"{spent}, the direct runs {self.direct:.3g} s: here the learned route costs "
            f"{self.factor:.3g} times the direct one. With costs in proportion, it is the cheaper "
            f"one for {self.sites * self.factor:.3g} {self.site} or more (here {self.sites:.3g}), "
            f"for horizons from {self.horizon * self.factor:.3g} {self.unit} on (here "
            f"{self.horizon:.3g}), for {more} (here {self.conditions})."
        )


def cost_of(events: Mapping[str, Events], cpu_s: Mapping[str, float], routes: Routes | str) -> Cost:
    """What was spent, as a part of a report.

    Microscopic ``events`` are by route and stage, CPU seconds by stage, where they were measured;
    ``routes`` may be the sentence itself, where costs do not grow as those of `Routes`.
    """
    rows: list[list[str | Value | None]] = []
    for route, stages in events.items():
        for stage, number in stages.items():
            rows.append([route, stage, Value(number, form=".3g"), _seconds(cpu_s, stage)])
        rows.append([route, "all", Value(sum(stages.values()), form=".3g"), None])
    listed = {stage for stages in events.values() for stage in stages}
    rows += [["", s, None, Value(t, form=".3g")] for s, t in cpu_s.items() if s not in listed]
    caption = "Microscopic events and CPU seconds by route and stage"
    sentence = routes if isinstance(routes, str) else routes.sentence()
    return Cost(Table(caption, ["route", "stage", "events", "CPU s"], rows), sentence)


def _seconds(cpu_s: Mapping[str, float], stage: str) -> Value | None:
    """Of a stage, or of all whose names begin with it."""
    found = [t for name, t in cpu_s.items() if name == stage or name.startswith(f"{stage} ")]
    return Value(sum(found), form=".3g") if found else None


def runs_of_equal_cost(routes: Routes, runs: int) -> float:
    """How many direct runs cost what the learned route did, if ``runs`` cost ``routes.direct``."""
    return runs * routes.factor
