"""Faults in a person's own lattice model are one line before any work."""

import numpy as np
import pytest

from macro_ase import LatticeSystem
from macro_ase.systems.lattice import LatticePlan
from macro_ase.systems.soundness import require_sound

PLAN = LatticePlan(small=6, large=12, ages=(0.0, 1.0), relax_time=0.0, dt=0.7)


class Sound(LatticeSystem):
    names = ("ones", "unlike")

    def evolve(self, states, active, duration, condition, rng):
        flipped = (rng.random(states.shape) < 0.3) & active
        return np.where(flipped, 1 - states, states)

    def observe(self, states):
        unlike = (states != np.roll(states, 1, 1)).mean(axis=(1, 2))
        return np.stack([states.mean(axis=(1, 2)), unlike], axis=1)


class InPlace(Sound):
    def evolve(self, states, active, duration, condition, rng):
        flipped = (rng.random(states.shape) < 0.3) & active
        states[flipped] = 1 - states[flipped]


class Sums(Sound):
    def observe(self, states):
        return super().observe(states) * states[0].size


class OneColumn(Sound):
    def observe(self, states):
        return super().observe(states)[:, 0]


class NotFinite(Sound):
    def observe(self, states):
        return super().observe(states) * np.nan


class Everywhere(Sound):
    def evolve(self, states, active, duration, condition, rng):
        return np.where(rng.random(states.shape) < 0.3, 1 - states, states)


class Alike(Sound):
    def evolve(self, states, active, duration, condition, rng):
        flipped = (rng.random(states.shape[1:]) < 0.3) & active
        return np.where(flipped, 1 - states, states)


class OtherShape(Sound):
    def evolve(self, states, active, duration, condition, rng):
        return states[:, 1:]


class Reals(Sound):
    def evolve(self, states, active, duration, condition, rng):
        return states + 0.5


class Conditioned(Sound):
    def evolve(self, states, active, duration, condition, rng):
        return super().evolve(states, active, condition["T"], condition, rng)


class OneName(Sound):
    names = "ones"


class WideValues(Sound):
    values = (0, 300)


class WrongStart(Sound):
    def initial(self, number, shape, condition, rng):
        return rng.random((number, *shape))


@pytest.mark.parametrize("own", [Sound, InPlace])
def test_what_is_sound(own: type[LatticeSystem]) -> None:
    require_sound(own(), PLAN, {})
    rng = np.random.default_rng(0)
    states = np.zeros((3, 36), dtype=np.int8)
    path = own().path(states, [0.0, 1.0], {}, rng)
    assert not path[:, 0].any() and path[:, 1].any() and not states.any()


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (Sums, "observe must give means over the sites"),
        (OneColumn, r"finite numbers of shape \(4, 2\) for 2 names, not \(4,\)"),
        (NotFinite, "must give finite numbers"),
        (Everywhere, "evolve moved sites that are not active"),
        (Alike, "moved all replicas alike"),
        (OtherShape, r"whole numbers of shape \(n, \*\(6, 6\)\)"),
        (Reals, "must give whole numbers"),
        (Conditioned, "evolve asks for 'T', and the conditions are none"),
        (OneName, "names must be several words, not 'ones'"),
        (WideValues, "values must be whole numbers from -128 to 127"),
        (WrongStart, "initial must give whole numbers"),
    ],
)
def test_faults(own: type[LatticeSystem], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        require_sound(own(), PLAN, {})
    assert "\n" not in str(caught.value)
