"""A learned model, never trained on a ramp, beside direct runs of one; its jumps beside steps."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning.models.linear_model import only_steps

from macro_ase.commands.alloy_run import AlloyRun, Beginning
from macro_ase.learning.models.clock import Clock
from macro_ase.rng import stream
from macro_ase.schedule import Schedule

pytestmark = pytest.mark.learn
RUNS, PARTS = 4, 30
RAMP = Schedule.parse("3000 K, hold 20 ns, 1e11 K/s to 1800 K, hold 20 ns")


@pytest.fixture(scope="module")
def run(quick_run: Callable[[str], Path]) -> AlloyRun:
    return AlloyRun(quick_run("nbmota"))


@pytest.fixture(scope="module")
def begin(run: AlloyRun) -> Beginning:
    return run.beginning(None, None)


@pytest.fixture(scope="module")
def direct(run: AlloyRun, begin: Beginning) -> tuple[np.ndarray, np.ndarray]:
    """Times, and z of direct runs, (runs, n_t, d); each part at the temperature of its middle."""
    system, times = run.design.system, np.linspace(0, RAMP.duration, PARTS + 1)
    found = []
    for r in range(RUNS):
        state, z = system.large_state, [begin.z0]
        for k, (first, last) in enumerate(pairwise(times)):
            kelvin = float(RAMP.temperature_at((first + last) / 2))
            span, seed = np.array([0.0, last - first]), stream(r, "ramp", k)
            part, _, (state,) = system.path(system.large, state, span, kelvin, seed, (1,))
            z.append(part[-1])
        found.append(z)
    return times, np.array(found)


def rms(run: AlloyRun, begin: Beginning, z: np.ndarray) -> float:
    """Of delta of unlike pairs: z over c_A."""
    c = begin.order.fractions
    scale = [c[a] for a, _ in begin.order.pairs]
    return float(np.sqrt(np.mean((z[..., : len(scale)] / scale) ** 2)))


@pytest.mark.slow
def test_a_ramp_beside_direct_runs(
    run: AlloyRun, begin: Beginning, direct: tuple[np.ndarray, np.ndarray]
) -> None:
    """Within .02 of delta, which goes to .4; with the clock of the start it ends .04 off."""
    times, z = direct
    common = (RAMP, begin.z0, begin.n_sites, begin.n_patches)
    r = run.model.anneal(*common, paths=50, records=times[1:])
    assert rms(run, begin, z[:, -1] - z[:, 0]) > 0.2
    assert rms(run, begin, r.mean - z.mean(axis=0)) < 0.02
    tau = run.model.clock.log_taus(np.array([1000 / 3000]))
    hot = replace(run.model, clock=Clock(np.ones(1), tau))
    wrong = hot.anneal(*common, paths=0, records=times[1:])
    ends = [rms(run, begin, own.mean[-1] - z[:, -1].mean(axis=0)) for own in (r, wrong)]
    assert ends[0] < 0.02 and ends[1] > 0.04
    later = z[:, 1:]
    for (low, high), least in ((r.band_68[:, 1:], 0.5), (r.band_95[:, 1:], 0.85)):
        assert np.mean((later > low) & (later < high)) > least


@pytest.mark.slow
def test_jumps_of_a_learned_model_have_the_law_of_its_steps(
    run: AlloyRun, begin: Beginning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold of six relaxation times and a ramp: mean within .2, spread within 4.5 errors and 5 %.

    Of 400 paths in pairs of opposite noise spreads have the error of 200.
    """
    found = []
    for seed in (1, 2):
        found.append(
            run.model.anneal(
                "2600 K, hold 50 ns, 1e10 K/s to 2000 K", begin.z0, begin.n_sites,
                begin.n_patches, 400, [50e-9, 110e-9], seed,
            ).paths[:, :, 1:]
        )  # fmt: skip
        only_steps(monkeypatch)
    jumped, stepped = found
    spread = stepped.std(axis=1)
    assert np.all(np.abs(jumped.mean(axis=1) - stepped.mean(axis=1)) < (4.5 * 0.1 + 0.1) * spread)
    assert np.abs(jumped.std(axis=1) / spread - 1).max() < 4.5 / np.sqrt(200) + 0.05
