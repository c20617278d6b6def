"""A lattice model as a person writes one: patches as in the whole, any dimension, equilibrium."""

import itertools

import numpy as np
import pytest
from scipy.special import softmax

from macro_ase import LatticeSystem
from macro_ase.analysis.assumptions import check_patches
from macro_ase.rng import stream
from macro_ase.sampling.pairs import wholes_chunk
from macro_ase.systems.lattice import LatticePlan
from macro_ase.systems.tiles import PatchShape, block_sites, tile_corners
from macro_ase.testing import assert_unbiased, assert_visits, check_unbiased, configurations

T = {"T": 1.2}


class Clock(LatticeSystem):
    """Potts states by single attempts in plain numpy, of any dimension."""

    names = ("first", "broken")

    def __init__(self, q=3, dimension=2):
        self.q, self.values, self.dimension = q, range(q), dimension

    def evolve(self, states, active, duration, condition, rng):
        places, rows = np.argwhere(active), np.arange(len(states))
        for _ in range(rng.poisson(duration * len(places))):
            sites = places[rng.integers(len(places), size=len(states))].T
            here, new = (rows, *sites), rng.integers(self.q, size=len(states))
            old, gain = states[here], np.zeros(len(states))
            for axis, step in itertools.product(range(self.dimension), (-1, 1)):
                other = sites.copy()
                other[axis] = (other[axis] + step) % states.shape[1 + axis]
                there = states[(rows, *other)]
                gain += (there == new).astype(float) - (there == old)
            taken = rng.random(len(states)) < 1 / (1 + np.exp(-gain / condition["T"]))
            states[here] = np.where(taken, new, old)
        return states

    def observe(self, states):
        axes = tuple(range(1, states.ndim))
        broken = [(states != np.roll(states, 1, axis)).mean(axis=axes) for axis in axes]
        return np.stack([(states == 0).mean(axis=axes), np.mean(broken, axis=0)], axis=1)


def plan(**changes):
    usual = {"small": 4, "large": 12, "ages": (0.0, 4.0), "relax_time": 1.0, "dt": 0.5, "buffer": 1}
    return LatticePlan(**usual | changes)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_changes_of_patches_are_those_of_the_whole(dimension: int) -> None:
    """A patch without a buffer that moved alone: K times the change of the whole's observables."""
    system, rng, side = Clock(dimension=dimension), np.random.default_rng(0), 12
    states = system.initial(20, (side,) * dimension, T, rng).reshape(20, -1)
    corners = tile_corners(side, 4, 0, dimension)[-1:]
    moved = system.move(states, side, corners, PatchShape(4), 3.0, T, rng)
    after = states.copy()
    after[
        :,
        block_sites(
            corners,
            4,
            side,
        )[0],
    ] = moved.core[:, 0]
    change = system.measured(after) - system.measured(states)
    np.testing.assert_allclose(moved.change[:, 0], 3**dimension * change, atol=1e-12)
    assert np.any(change)
    one = moved.core[:, 0].reshape(20, *(4,) * dimension)
    before = system.grid(states[:, block_sites(corners, 4, side)[0]])
    own = system.observe(one) - system.observe(before)
    assert not np.allclose(moved.change[:, 0, 1], own[:, 1])  # as if periodic: misses the border


def test_blocks_are_as_good_as_the_whole_lattice() -> None:
    """The same law whether a block is cut out or the whole lattice stays around the patch."""

    class Everywhere(Clock):
        reach = None

    rng = np.random.default_rng(1)
    corners = tile_corners(12, 4)[:1]
    states = np.ones((600, 144), dtype=np.int8)
    states[:, block_sites(corners, 4, 12)[0]] = 0
    changes = [
        system.move(states, 12, corners, PatchShape(4, 2), 2.0, T, rng).change[:, 0]
        for system in (Clock(), Everywhere())
    ]
    assert_unbiased(*changes)
    periodic = PatchShape(4, 0, "periodic")
    alone = Clock().move(states, 12, corners, periodic, 2.0, T, rng).change[:, 0]
    assert check_unbiased(alone, changes[0]).rejected


def test_windows_keep_the_equilibrium_of_enumeration() -> None:
    """All states of 2 x 2 periodic sites; a temperature off by a tenth is told apart."""
    system, rng = Clock(q=2), np.random.default_rng(2)
    energies = 8 * system.observe(np.array(configurations((0, 1), 4)).reshape(-1, 2, 2))[:, 1]
    exact, wrong = (softmax(-energies / t) for t in (T["T"], 1.1 * T["T"]))
    start = rng.integers(2, size=(4000, 4), dtype=np.int8)
    states = system.path(start, [20.0], T, rng)[:, 0]
    assert_visits(states @ [8, 4, 2, 1], exact, wrong, values=energies)


def test_patches_and_wholes_agree() -> None:
    made = plan(ages=(2.0, 6.0), large=8)
    chunk = wholes_chunk(Clock(), made, 300, T, stream(0, "check", 0))
    check = check_patches(chunk)
    assert abs(check.covariance_ratio - 1) < max(0.15, 4 * check.covariance_ratio_error)
    assert abs(check.drift_slope - 1) < max(0.15, 4 * check.drift_slope_error)
    chunk["whole_dz"] = 1.6 * chunk["whole_dz"]  # wholes that do more than their patches
    wrong = check_patches(chunk)
    assert abs(wrong.covariance_ratio - 1) > 4 * wrong.covariance_ratio_error


def test_shares_of_initial_states_cover_all() -> None:
    states = Clock(q=3).initial(2000, (8, 8), T, np.random.default_rng(3))
    shares = (states == 1).mean(axis=(1, 2))
    assert set(np.unique(states)) == {0, 1, 2}
    assert shares.mean() == pytest.approx(1 / 3, abs=0.02)
    assert shares.std() == pytest.approx(np.sqrt(1 / 18), rel=0.1)  # uniform on the simplex


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"small": 5}, "small must divide large = 12"),
        ({"buffer": 5}, "buffer must be from 0 to 4, not 5"),
        ({"boundary": "open"}, "boundary must be one of frozen, periodic"),
        ({"dt": 0.0}, "dt must be above 0"),
        ({"ages": (1.0, 0.5)}, "ages must ascend"),
    ],
)
def test_plans_that_make_no_sense(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(**changes)
