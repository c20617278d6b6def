"""Pictures of a law: drift, noise and, from two observables on, a phase portrait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Law = Callable[[Array], tuple[Array, Array]]
REACH, LINE, FIELD = 2.5, 121, 17


def draw(
    law: Law,
    potential: Callable[[Array], Array],
    names: tuple[str, ...],
    centre: Array,
    spread: Array,
) -> Figure:
    """The figure of a model; further observables than two are held at their means."""
    from matplotlib.figure import Figure

    d = len(centre)
    figure = Figure(figsize=(14, 4.2), layout="constrained")
    axes = figure.subplots(1, 3)
    if d == 2:
        _drift_field(axes[0], law, centre, spread)
        _noise_field(axes[1], law, centre, spread)
    else:
        _along_axes(axes[:2], law, names, centre, spread)
    if d == 1:
        z = centre + spread * np.linspace(-REACH, REACH, LINE)[:, None]
        axes[2].plot(z[:, 0], potential(z))
        axes[2].set(xlabel=names[0], title="potential, $-\\ln p$")
    else:
        _portrait(axes[2], law, centre, spread)
    for ax in axes if d == 2 else axes[2:] if d > 2 else ():
        ax.set(xlabel=names[0], ylabel=names[1])
    return figure


def _plane(centre: Array, spread: Array, n: int) -> tuple[Array, Array, Array]:
    """Axes and states, shape (n * n, d), of a plane of the first two observables."""
    x, y = (centre[k] + spread[k] * np.linspace(-REACH, REACH, n) for k in (0, 1))
    z = np.tile(centre, (n * n, 1))
    z[:, 0], z[:, 1] = (grid.ravel() for grid in np.meshgrid(x, y))
    return x, y, z


def _drift_field(ax: Axes, law: Law, centre: Array, spread: Array) -> None:
    _, _, z = _plane(centre, spread, FIELD)
    drift = law(z)[0]
    size = np.linalg.norm(drift / spread, axis=1)
    ax.quiver(z[:, 0], z[:, 1], drift[:, 0], drift[:, 1], size, angles="xy")
    ax.set_title("drift")


def _noise_field(ax: Axes, law: Law, centre: Array, spread: Array) -> None:
    """Trace in colours, and the axes of the noise as bars."""
    from matplotlib.collections import LineCollection

    x, y, z = _plane(centre, spread, FIELD)
    noise = law(z)[1] / (spread[:, None] * spread)
    shown = ax.pcolormesh(x, y, np.trace(noise, axis1=1, axis2=2).reshape(FIELD, FIELD))
    ax.figure.colorbar(shown, ax=ax, label="trace, in spreads squared")
    sizes, ways = np.linalg.eigh(noise)
    bars = ways * np.sqrt(np.maximum(sizes, 0) / sizes.max())[:, None] * 2 * REACH / FIELD / 2
    ends = np.stack([z[:, None] + sign * bars.transpose(0, 2, 1) * spread for sign in (-1, 1)], 2)
    ax.add_collection(LineCollection([*ends.reshape(-1, 2, 2)], colors="white", linewidths=0.8))
    ax.set_title("noise")


def _along_axes(
    axes: Sequence[Axes], law: Law, names: tuple[str, ...], centre: Array, spread: Array
) -> None:
    """Drift and noise of every observable along its own axis, in its spreads."""
    y, one = np.linspace(-REACH, REACH, LINE), len(centre) == 1
    for k, name in enumerate(names):
        z = np.tile(centre, (LINE, 1))
        z[:, k] += spread[k] * y
        drift, noise = law(z)
        unit, x = (1.0, z[:, 0]) if one else (spread[k], y)
        axes[0].plot(x, drift[:, k] / unit, label=name)
        axes[1].plot(x, noise[:, k, k] / unit**2, label=name)
    for ax, title in zip(axes, ("drift", "noise")):
        ax.set(xlabel=names[0] if one else "observable, in spreads", title=title)
        ax.axhline(0, color="grey", linewidth=0.8)
        ax.legend()


def _portrait(ax: Axes, law: Law, centre: Array, spread: Array) -> None:
    x, y, z = _plane(centre, spread, FIELD)
    drift = law(z)[0].reshape(FIELD, FIELD, -1)
    ax.streamplot(x, y, drift[..., 0], drift[..., 1], density=1.2, linewidth=0.9)
    ax.set(title="phase portrait", xlim=x[[0, -1]], ylim=y[[0, -1]])
