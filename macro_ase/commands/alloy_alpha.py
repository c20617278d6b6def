"""Warren-Cowley parameters of what the model of an alloy predicts, and lines of them with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..arrays import Array
from ..report.figures import colour
from .alloy_run import AlloyRun, Beginning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..learning.models.bands import Bands
    from ..learning.models.equilibria import Equilibria
    from ..learning.models.heat_treatment import HeatTreatment

Found = TypeVar("Found", "HeatTreatment", "Equilibria")


def as_alpha(run: AlloyRun, begin: Beginning, found: Found) -> Found:
    """alpha of the first shell, all components, of what a model gave for z."""
    order = begin.order
    v = run.vacancy_neighbours(found.temperatures, order)
    names = tuple(f"alpha {name}" for name in order.all_names)
    return found.of(lambda z: order.alpha(order.delta(begin.of_small(z), v)), names)


def draw_alpha(ax: Axes, x: Array, alpha: Bands, names: tuple[str, ...] = ()) -> None:
    """Means against x with bands of 68 and 95 %; named where names are given."""
    for k in range(alpha.mean.shape[1]):
        label = names[k] if names else None
        ax.plot(x, alpha.mean[:, k], color=colour(k), lw=1.2, label=label)
        for band, shade in ((alpha.band_95, 0.12), (alpha.band_68, 0.22)):
            ax.fill_between(x, *band[:, :, k], color=colour(k), alpha=shade, lw=0)
    ax.set_ylabel("Warren-Cowley alpha")
