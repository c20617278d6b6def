"""Short-range order of trajectories: weights, errors, what cannot be averaged."""

import numpy as np
import pytest
from ase.build import bulk
from observables.ternary import alloy, rattled

from macro_ase.lattice import FCC
from macro_ase.observables import (
    short_range_order,
    short_range_order_trajectory,
)


@pytest.mark.slow
def test_trajectory_errors_cover_the_truth_and_know_autocorrelation():
    frames = [rattled(alloy(4, seed), 0.1, seed) for seed in range(30)]
    slow = [frame for frame in frames for _ in range(10)]
    fast, repeated = short_range_order_trajectory(frames), short_range_order_trajectory(slow)
    singles = np.stack([short_range_order(f).alpha for f in frames])
    assert fast.n_frames == 30 and repeated.n_frames == 300
    assert np.allclose(fast.alpha, singles.mean(axis=0))
    naive = singles.std(axis=0, ddof=1) / np.sqrt(30)
    assert np.all(fast.alpha_error[:, :3, :3] > 0.6 * naive[:, :3, :3])
    assert np.mean(repeated.alpha_error[:, :3, :3] / naive[:, :3, :3]) > 0.7
    assert np.all(np.abs(fast.alpha[:, :3, :3]) < 6 * fast.alpha_error[:, :3, :3] + 0.02)
    assert "means and standard errors of 30 frames" in fast.table()
    assert " +- " in fast.table()


def test_trajectories_that_change_are_refused():
    with pytest.raises(ValueError, match="two frames"):
        short_range_order_trajectory([alloy()])
    with pytest.raises(ValueError, match="frame 1 is not on the lattice of frame 0"):
        short_range_order_trajectory([alloy(3), alloy(3, lattice=FCC, a=4.0)])
    with pytest.raises(ValueError, match="W not among"):
        short_range_order_trajectory([alloy(), bulk("W", "bcc", cubic=True) * 4])


def test_unrecognised_trajectories_keep_the_first_cutoffs():
    atoms = bulk("Fe", "fcc", a=3.8, cubic=True)
    atoms.symbols = ["Fe", "Fe", "Pt", "Pt"]
    atoms.set_cell([3.8, 3.8, 3.8 * 0.93], scale_atoms=True)
    frames = [atoms * 2, rattled(atoms * 2, 0.01), rattled(atoms * 2, 0.01, 1)]
    order = short_range_order_trajectory(frames)
    assert order.lattice is None
    assert list(order.coordination) == [8, 4]
    assert np.allclose(order.alpha_error[:, 0, 1], 0)
    assert np.isnan(order.alpha_error[:, 2]).all()


def test_a_mean_over_hops_is_weighted_by_time():
    frames = [alloy(3, seed) for seed in range(6)]
    for number, frame in enumerate(frames):
        frame.info |= {"time_s": float(number**2), "residence_s": 1.0 + number}
    singles = np.stack([short_range_order(f).alpha for f in frames])
    order = short_range_order_trajectory(frames)
    assert np.allclose(order.alpha, np.average(singles, axis=0, weights=range(1, 7)))
    assert "weighted by residence time (residence_s), worth 4.85" in order.table()
    by_time = short_range_order_trajectory(frames, weights="time")
    assert np.allclose(by_time.alpha, np.average(singles[:5], axis=0, weights=[1, 3, 5, 7, 9]))
    alike = short_range_order_trajectory(frames, weights="frames")
    assert np.allclose(alike.alpha, singles.mean(axis=0))
