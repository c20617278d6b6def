"""Figures are written, and importing what draws them does not load matplotlib."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from macro_ase.analysis import phase_plots
from macro_ase.analysis.binder import crossings
from macro_ase.analysis.collapse import Curves, fit_collapse
from macro_ase.analysis.hysteresis import hysteresis_loop
from macro_ase.analysis.scaling import critical_exponents
from macro_ase.analysis.sweep_table import SweepTable

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def table(ising, tiny_ising) -> SweepTable:
    temperatures = np.linspace(1.8, 2.5, 6)
    return SweepTable.from_runs(
        [
            model.draw(T, 4000, seed=i)[1]
            for i, T in enumerate(temperatures)
            for model in (ising, tiny_ising)
        ]
    )


@pytest.mark.slow
def test_figures_are_written(table: SweepTable, tmp_path: Path) -> None:
    curves = Curves.of_table(table, "m_abs")
    start = {"critical_temperature": 2.2, "one_over_nu": 1.0, "ratio": -0.125}
    loop = hysteresis_loop(lambda h, t: float(np.tanh(3 * h)), 1.0, 0.1, steps=20, cycles=2)
    phase_plots.plot_binder(tmp_path / "a.png", table, crossings(table))
    figure = phase_plots.plot_column(
        tmp_path / "b.png", table, "energy", exact=lambda L, T: -2 * np.tanh(2 / T) + 0 * L
    )
    assert len(figure.axes[0].lines) == 2 + len(table.sizes)
    phase_plots.plot_collapse(tmp_path / "c.png", curves, fit_collapse(curves, start, degree=3))
    phase_plots.plot_exponents(tmp_path / "d.png", table, critical_exponents(table, 2.2))
    phase_plots.plot_hysteresis(tmp_path / "e.png", loop)
    for name in "abcde":
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == PNG


def test_a_run_becomes_a_gif_of_as_many_frames(tmp_path: Path) -> None:
    from PIL import Image

    states = np.random.default_rng(0).choice([-1, 1], (4, 16, 16))
    path = tmp_path / "run.gif"
    phase_plots.animate_states(path, states, [f"sweep {k}" for k in range(4)])
    with Image.open(path) as image:
        assert image.n_frames == 4


def test_bad_animations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"written as .gif, not as run.mp4"):
        phase_plots.animate_states(tmp_path / "run.mp4", np.ones((1, 4, 4)))
    for states in ([], np.ones((2, 4))):
        with pytest.raises(ValueError, match="needs states of shape"):
            phase_plots.animate_states(tmp_path / "run.gif", states)


@pytest.mark.slow
def test_matplotlib_is_loaded_when_something_is_drawn() -> None:
    code = "import sys, macro_ase.analysis.phase_plots; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
