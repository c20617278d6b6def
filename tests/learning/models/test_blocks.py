"""Large systems are blocks of the size that was learned from: means, spreads, starts.

The drift bends: a block that fluctuates comes to rest more slowly than one that does not.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.statistics import relaxation_time  # noqa: E402

from .linear_model import KAPPA, equilibrium, linear_model, step_s  # noqa: E402

pytestmark = pytest.mark.learn
KELVIN, BLOCK, BLOCKS, STEEP, STEPS = 2000.0, 1000.0, 64, 2.5, 100
CONDITION = 1000 / KELVIN
REST = equilibrium(KELVIN)


@pytest.fixture(scope="module")
def alone() -> MacroModel:
    """d a = - k / s tanh(s (a - rest)) in spreads of the training states; b is straight."""
    model = linear_model(substeps=2)
    member, scaling = model.trained.members[0], model.trained.scaling
    middle = (REST[0] - scaling.z_mean[0]) / scaling.z_scale[0]
    with torch.no_grad():
        member.drift.slope[0, 0] = 0.0
        member.drift.offset.value[0] = 0.0
        first, last = member.drift.network[0], member.drift.network[2]
        first.weight[0, 0], first.bias[0] = STEEP, -STEEP * middle
        last.weight[0, 0] = -KAPPA[0] / STEEP
    return model


@pytest.fixture(scope="module")
def blocks(alone: MacroModel) -> MacroModel:
    return replace(alone, block_sites=BLOCK)


@pytest.fixture(scope="module")
def start(alone: MacroModel) -> np.ndarray:
    return REST + 2 * alone.trained.scaling.z_scale


@pytest.fixture(scope="module")
def known(alone: MacroModel, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of one block, shape (n_t, 2), of 20,000."""
    z = alone.simulate(start, CONDITION, STEPS, BLOCK, paths=20_000, seed=1).z[0]
    return z.mean(axis=0), z.std(axis=0)


def off(z: np.ndarray, known: tuple[np.ndarray, np.ndarray]) -> float:
    """Largest distance of a mean of paths (n, n_t, 2) from that of blocks, in spreads of these."""
    return float(np.abs((z.mean(axis=0) - known[0])[10:] / known[1][10:]).max())


@pytest.mark.slow
def test_paths_have_the_mean_and_the_spread_of_many_blocks(
    alone: MacroModel, blocks: MacroModel, start: np.ndarray, known: tuple[np.ndarray, np.ndarray]
) -> None:
    """Without blocks the mean is where one path with little noise goes."""
    size = (CONDITION, STEPS, BLOCK * BLOCKS)
    own, plain = (m.simulate(start, *size, paths=400, seed=2).z[0] for m in (blocks, alone))
    assert off(own, known) < 0.12 < 0.3 < off(plain, known)
    spread = own.std(axis=0)[20:] * np.sqrt(BLOCKS)
    np.testing.assert_allclose(spread, known[1][20:], rtol=5 / np.sqrt(2 * 400))


@pytest.mark.slow
@pytest.mark.parametrize("jumps", [True, False])
def test_heat_treatments_have_them_too(
    jumps: bool,
    alone: MacroModel,
    blocks: MacroModel,
    start: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from .linear_model import only_steps

    if not jumps:
        only_steps(monkeypatch)
    times = step_s(KELVIN) * np.arange(1, STEPS + 1)
    hold = f"{KELVIN} K, hold {times[-1]} s"
    own, plain = (
        m.anneal(hold, start, BLOCK * BLOCKS, paths=400, records=times, seed=2)
        for m in (blocks, alone)
    )
    np.testing.assert_allclose(own.times[1:], times)
    assert off(own.members, known) < 0.12 < 0.3 < off(plain.members, known)
    steps_apart = 0.02 * known[1][-1].max()  # means are solved, and not taken in steps
    np.testing.assert_allclose(own.paths[0].mean(axis=0), own.members[0], atol=steps_apart)
    spread = own.paths[0].std(axis=0)[20:] * np.sqrt(BLOCKS)
    np.testing.assert_allclose(spread, known[1][20:], rtol=5 / np.sqrt(2 * 400))


@pytest.mark.slow
def test_equilibria_relax_as_blocks_do(
    alone: MacroModel, blocks: MacroModel, start: np.ndarray, known: tuple[np.ndarray, np.ndarray]
) -> None:
    """To a tenth: in jumps the drift bends to second order only."""
    size = {"n_sites": BLOCK * BLOCKS, "paths": 200}
    own, plain = (m.equilibrate(KELVIN, start, **size) for m in (blocks, alone))
    times = step_s(KELVIN) * np.arange(STEPS + 1)
    wanted = relaxation_time(times, known[0][:, 0], start[0], REST[0])
    assert own.relaxation[0][0, 0] == pytest.approx(wanted, rel=0.1)
    assert plain.relaxation[0][0, 0] < 0.75 * wanted
    np.testing.assert_allclose(own.relaxation[0][0, 1], plain.relaxation[0][0, 1], rtol=0.02)
    np.testing.assert_allclose(own.spread[0] * np.sqrt(BLOCKS), known[1][-1], rtol=0.06)
    np.testing.assert_allclose(own.mean[0], REST, atol=0.1 * known[1][-1].max())
    many = blocks.equilibrate(KELVIN, start, n_sites=BLOCK * 1e6, paths=200)
    np.testing.assert_allclose(many.spread * 1e3, own.spread * np.sqrt(BLOCKS), rtol=1e-4)


def test_pairs_leave_no_straight_noise_in_the_mean(blocks: MacroModel, start: np.ndarray) -> None:
    z = blocks.simulate(start, CONDITION, STEPS, BLOCK * BLOCKS, paths=16, seed=5).z[0][..., 1]
    exact = REST[1] + (start[1] - REST[1]) * (1 - KAPPA[1] / 2) ** (2 * np.arange(STEPS + 1))
    np.testing.assert_allclose(z.mean(axis=0), exact, atol=1e-6)
    assert z.std(axis=0)[-1] > 1e-3


def test_paths_begin_where_they_are_told_to(blocks: MacroModel, start: np.ndarray) -> None:
    """Any number of them; each goes on from its own deviation."""
    begin = start + np.array([[-0.1, -0.1], [0.0, 0.0], [0.1, 0.1]])
    z = blocks.simulate(begin, CONDITION, 40, BLOCK * BLOCKS, paths=3, seed=3).z[0]
    np.testing.assert_allclose(z[:, 0], begin)
    kept = (1 - KAPPA[1] / 2) ** 80
    parted = (z[:, -1, 1] - z[:, 0, 1] - (z[1, -1, 1] - z[1, 0, 1])) / 0.1
    assert np.all(np.abs(parted - (1 - kept) * np.array([1, 0, -1])) < 0.15)
    one = blocks.simulate(start, CONDITION, 2, BLOCK * BLOCKS, paths=1, seed=3).z
    assert one.shape == (1, 1, 3, 2) and np.ptp(one[0, 0, 1:], axis=0).min() > 0


def test_a_system_of_one_block_is_as_it_was(
    alone: MacroModel, blocks: MacroModel, start: np.ndarray, tmp_path: Path
) -> None:
    for n in (BLOCK, 0.5 * BLOCK):
        own, plain = (
            m.simulate(start, CONDITION, 5, n, paths=3, seed=4).z for m in (blocks, alone)
        )
        np.testing.assert_array_equal(own, plain)
    blocks.save(tmp_path)
    assert MacroModel.load(tmp_path).block_sites == BLOCK
    with pytest.raises(ValueError, match="block_sites must be above 0"):
        replace(blocks, block_sites=0.0)
