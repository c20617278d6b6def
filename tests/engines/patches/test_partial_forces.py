"""Forces on a few atoms are those of the whole, and a sphere chooses every atom equally often."""

from functools import cache

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones as LennardJonesCalculator

from macro_ase.engines.patches.partial_forces import (
    Bins,
    CalculatorForce,
    LennardJonesForce,
    choose_block,
    choose_cluster,
    cut_out_cluster,
)
from macro_ase.engines.patches.receptive_field import reach
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table
from macro_ase.systems.lennard_jones import LennardJones, Start

TOLERANCE = 1e-12
FORCE = LennardJonesForce()


@cache
def lennard_jones_of_the_whole(shape: str) -> np.ndarray:
    atoms = argon(shape)
    atoms.positions += 7.3
    return LennardJonesCalculator(rc=2.5).get_forces(atoms)


def rattled(atoms: Atoms, size: int, amount: float = 0.15) -> Atoms:
    atoms = atoms * (size, size, size)
    atoms.rattle(amount, seed=1)
    return atoms


def alloy() -> Atoms:
    atoms = rattled(bulk("Nb", "bcc", 3.24, cubic=True), 8)
    atoms.symbols[:] = np.random.default_rng(0).choice(("Nb", "Mo", "Ta"), len(atoms))
    return atoms


def relative_error(part: np.ndarray, index: np.ndarray, whole: np.ndarray) -> float:
    return float(np.abs(part - whole[index]).max() / np.sqrt((whole**2).mean()))


def argon(shape: str) -> Atoms:
    """Atoms in the unit of sigma, in cells of several kinds."""
    cells = {"cubic": (5, True), "skewed": (6, True), "open": (5, [True, False, True])}
    size, pbc = cells[shape]
    atoms = rattled(bulk("Ar", "fcc", 1.65, cubic=shape != "skewed"), size, 0.1)
    atoms.pbc = pbc
    return atoms


@pytest.mark.slow
def test_forces_are_those_of_lammps() -> None:
    pytest.importorskip("lammps")
    for n, size in ((200, 20), (2700, 50)):
        fluid, rng = LennardJones(n), np.random.default_rng(0)
        run = fluid.run(Start(1.3), [0, 100])
        typical = np.sqrt((run.forces[1] ** 2).mean())
        for positions, forces in zip(run.positions, run.forces):
            bins = Bins(fluid.to_atoms(positions), 2.5)
            for _ in range(10):
                index = choose_cluster(bins, size, rng)
                assert len(index) == size
                assert np.abs(FORCE(bins, index) - forces[index]).max() < TOLERANCE * typical
    short = LennardJonesForce(cutoff_A=2.3)(bins, index)
    assert relative_error(short, index, run.forces[1]) > 1e-3, "the negative control"


@pytest.mark.parametrize("shape", ["cubic", "skewed", "open"])
@pytest.mark.parametrize("width", [0.7, 2.5, 50.0])
def test_lennard_jones_in_cells_of_any_shape(shape: str, width: float) -> None:
    atoms, whole = argon(shape), lennard_jones_of_the_whole(shape)
    atoms.positions += 7.3
    index = np.random.default_rng(0).permutation(len(atoms))[:9]
    bins = Bins(atoms, width)
    assert relative_error(FORCE(bins, index), index, whole) < TOLERANCE
    cut = CalculatorForce(LennardJonesCalculator(rc=2.5))
    assert relative_error(cut(bins, index), index, whole) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("atoms", "calculator"),
    [
        (rattled(bulk("Cu", "fcc", 3.6, cubic=True), 5), EMT()),
        (alloy(), TableEAM(zhou_table())),
    ],
    ids=["EMT", "EAM"],
)
def test_forces_by_a_calculator_are_those_on_the_whole(atoms: Atoms, calculator) -> None:
    whole = calculator.get_forces(atoms).copy()
    bins, force = Bins(atoms, 5.0), CalculatorForce(calculator)
    index = choose_cluster(bins, 13, rng=2)
    assert relative_error(force(bins, index), index, whole) < TOLERANCE
    half = reach(calculator) / 2
    with pytest.warns(UserWarning, match="that forces reach: they are off by up to") as told:
        wrong = CalculatorForce(calculator, halo_A=half)(bins, index)
    error = np.abs(wrong - whole[index]).max()
    assert error > 1e-4 and f"off by up to {error:.2g} eV/A" in str(told[0].message)


@pytest.mark.slow
def test_vacancies_are_not_shown_to_the_calculator() -> None:
    atoms = rattled(bulk("Cu", "fcc", 3.6, cubic=True), 5)
    atoms.symbols[[3, 40]] = "X"
    bins = Bins(atoms, 5.0)
    bare = atoms[atoms.numbers != 0]
    index = np.array([0, 41])
    found = CalculatorForce(EMT())(bins, index)
    np.testing.assert_allclose(found, EMT().get_forces(bare)[[0, 39]], atol=1e-12)


def test_a_cut_out_holds_what_is_near_and_no_more() -> None:
    atoms = argon("skewed")
    bins, index = Bins(atoms, 1.0), np.array([5, 80, 81])
    cluster = cut_out_cluster(bins, index, 2.0)
    np.testing.assert_array_equal(cluster.numbers[:3], atoms.numbers[index])
    counts = [np.sum(atoms.get_distances(i, range(len(atoms)), mic=True) <= 2.0) for i in index]
    for k, count in enumerate(counts):
        assert np.sum(cluster.get_distances(k, range(len(cluster))) <= 2.0) == count
    nearest = cluster.get_all_distances()[:, :3].min(axis=1)
    assert nearest.max() <= 2.0 and not cluster.pbc.any()


def clumped() -> Atoms:
    """A gas, half of it in an eighth of the cell."""
    places = np.random.default_rng(5).random((400, 3))
    places[200:] *= 0.5
    return Atoms("Ar400", positions=10 * places, cell=[10] * 3, pbc=True)


@pytest.mark.slow
def test_spheres_and_blocks_choose_every_atom_equally_often() -> None:
    """Estimates of a sum over atoms: unbiased from these, not from other clusters."""
    atoms, rng = clumped(), np.random.default_rng(1)
    bins, n = Bins(atoms, 2.0), len(atoms)
    values = np.arange(n) < 200
    rules = {
        "sphere": (4000, lambda: choose_cluster(bins, 20, rng, exact=False)),
        "block": (4000, lambda: choose_block(atoms, 20, rng)),
        "nearest": (1000, lambda: choose_cluster(bins, 20, rng)),
        "around an atom": (4000, lambda: bins.around(atoms.positions[rng.integers(n)], 2.29)[0]),
    }
    sigmas = {}
    for name, (number, rule) in rules.items():
        draws = np.array([values[rule()].sum() * n / 20 for _ in range(number)])
        sigmas[name] = (draws.mean() - values.sum()) / (draws.std() / np.sqrt(len(draws)))
    assert abs(sigmas["sphere"]) < 4 and abs(sigmas["block"]) < 4
    assert sigmas["nearest"] > 10 and abs(sigmas["around an atom"]) > 10


def test_blocks_are_compact_and_of_one_size() -> None:
    atoms = rattled(bulk("Cu", "fcc", 3.6, cubic=True), 6)
    rng, counts = np.random.default_rng(3), np.zeros(len(atoms))
    for _ in range(200):
        block = choose_block(atoms, 54, rng)
        assert len(block) == 54
        counts[block] += 1
        assert atoms.get_distances(block[0], block, mic=True).max() < 1.9 * 21.6 / 16 ** (1 / 3)
    assert (counts > 0).all()
    sizes = {len(choose_block(atoms[:100], 30, rng)) for _ in range(30)}
    assert sizes == {33, 34}


def test_clusters() -> None:
    bins = Bins(rattled(bulk("Cu", "fcc", 3.6, cubic=True), 5), 4.0)
    one, two = (choose_cluster(bins, 50, rng=0) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    places = bins.atoms.positions[one]
    from_first = bins.atoms.get_distances(one[0], one, mic=True)
    assert len(np.unique(one)) == 50 == len(places) and from_first.max() < 2 * 8.0


def test_refusals() -> None:
    atoms = rattled(bulk("Cu", "fcc", 3.6, cubic=True), 3)
    bins = Bins(atoms, 4.0)
    with pytest.raises(ValueError, match="width_A must be above 0 A, not 0"):
        Bins(atoms, 0.0)
    with pytest.raises(ValueError, match="from 1 to 108 atoms, not 109"):
        choose_cluster(bins, 109)
    with pytest.raises(ValueError, match="from 1 to 108 atoms, not 0"):
        choose_block(atoms, 0)
    with pytest.raises(ValueError, match="overlaps its own image"):
        choose_cluster(bins, 108)
    with pytest.raises(ValueError, match="halo_A must be above 0 A, not -1"):
        CalculatorForce(EMT(), halo_A=-1.0)
    with pytest.raises(ValueError, match="reach is not known: give halo_A"):
        CalculatorForce(Calculator())
    atoms.pbc = [True, True, False]
    with pytest.raises(ValueError, match="periodic along all axes"):
        choose_cluster(Bins(atoms, 4.0), 5)
    with pytest.raises(ValueError, match="periodic along all axes"):
        choose_block(atoms, 5)
    atoms.positions[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        Bins(atoms, 4.0)
