"""Checkerboard sweeps: their order, their confinement, and that they have no clock."""

import numpy as np

from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.models import Ising
from macro_ase.kinetics.checkerboard import checkerboard_order
from macro_ase.kinetics.ising import MAGNETISATION, neighbor_table, periodic_lattice
from macro_ase.statistics import integrated_autocorrelation_time


def test_no_two_sites_of_a_sublattice_are_neighbours() -> None:
    order, neighbors = checkerboard_order((4, 6)), neighbor_table(periodic_lattice((4, 6)))
    np.testing.assert_array_equal(np.sort(order), np.arange(24))
    for half in np.split(order, 2):
        assert not np.isin(neighbors[half], half).any()


def test_only_active_sites_are_drawn_anew() -> None:
    start = np.random.default_rng(0).choice([-1, 1], (30, 25))
    active = np.array([0, 1, 5, 12, 24])
    ensemble = SpinEnsemble(Ising((5, 5), field=0.1), start, 3.0, 0, active)
    tally = ensemble.checkerboard(interval=5)[:, 0]
    changed = np.flatnonzero((ensemble.spins != start).any(axis=0))
    np.testing.assert_array_equal(changed, active)
    np.testing.assert_array_equal(tally[:, :2], ensemble.model.tally(ensemble.spins)[:, :2])


def test_a_sweep_is_not_a_unit_of_time() -> None:
    model, start = Ising((12, 12)), np.ones((20, 144))
    memory = []
    for records in (
        SpinEnsemble(model, start, 2.8, 1).checkerboard(4000),
        SpinEnsemble(model, start, 2.8, 2).advance(np.arange(1.0, 4001)),
    ):
        tau = integrated_autocorrelation_time(np.moveaxis(records[..., MAGNETISATION], 0, 1))
        memory.append((tau.mean(), tau.std() / np.sqrt(len(tau))))
    (swept, one), (timed, two) = memory
    assert timed - swept > 4 * np.hypot(one, two)
