"""The barrier network: kernel against plain numpy, its memory, its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units

from macro_ase.barriers.nnk import NNKBarriers
from macro_ase.barriers.orbits import HOP_DIRECTIONS
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import VacancyKMC
from macro_ase.kinetics.hop_rates import evaluate_barriers
from macro_ase.kinetics.nnk_hops import NNKTables
from macro_ase.kinetics.padding import pad, padded_sites
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.observables import delta_from_bonds, random_offset
from macro_ase.statistics import standard_error

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NETWORK, CHECK = DATA / "nnk_reference.npz", DATA / "nnk_reference_check.npz"
needs_data = pytest.mark.skipif(not CHECK.is_file(), reason="no reference network beside the repo")

VACANCY = 3
GRID = SiteGrid(BCC, (5, 6, 7))
MIRRORED = np.array([4 * (y > 0) + 2 * (x > 0) + (z > 0) for x, y, z in HOP_DIRECTIONS])


def synthetic_arrays() -> dict[str, np.ndarray]:
    """Random weights that keep every layer of order one."""
    rng = np.random.default_rng(5)
    arrays: dict[str, np.ndarray] = {}
    for layer in range(4):
        n = 128 if layer else 729
        arrays[f"W{layer}"] = rng.normal(0, 0.1, (n, 128))
        for name in ("b", "beta", "mean"):
            arrays[f"{name}{layer}"] = rng.normal(0, 0.2, 128)
        arrays[f"gamma{layer}"] = rng.uniform(0.5, 1.5, 128)
        arrays[f"var{layer}"] = rng.uniform(0.5, 1.5, 128)
    arrays["W4"] = rng.normal(0, 0.01, (128, 1))
    arrays["b4"] = np.array([0.8])
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.npz"
    np.savez(path, **synthetic_arrays())
    return path


def random_occupation(seed: int, vacant: float = 0.05) -> np.ndarray:
    weights = [(1 - vacant) / 3] * 3 + [vacant]
    return np.random.default_rng(seed).choice(4, GRID.n_sites, p=weights).astype(np.int8)


def kernel_barriers(tables: NNKTables, grid: SiteGrid, occupation: np.ndarray, site: int):
    """Barriers (8,) and the number of vacancies near, from the compiled function."""
    out = np.empty(8)
    place = int(padded_sites(grid, site))
    return out, evaluate_barriers(tables, pad(grid, occupation), place, site % 2, out)


def voxels_around(grid: SiteGrid, occupation: np.ndarray, site: int) -> np.ndarray:
    """Types (9, 9, 9) around a site: 1, 2, 3, and 0 where empty or vacant."""
    around = np.indices((9, 9, 9)).reshape(3, -1).T - 4
    on_lattice = BCC.contains(around)
    voxels = np.zeros(729, dtype=int)
    sites = grid.index(grid.coordinates[site] + around[on_lattice])
    voxels[on_lattice] = (occupation[sites] + 1) % 4
    return voxels.reshape(9, 9, 9)


def one_vacancy(seed: int = 0) -> Atoms:
    return build_crystal("bcc", "NbMoTa", (4, 4, 4), vacancies=1, rng=seed)


@needs_data
def test_reference_barriers() -> None:
    model = NNKBarriers.load(NETWORK)
    check = np.load(CHECK)
    grid = SiteGrid(BCC, (8, 8, 8))
    tables = model.tables(grid)
    for types, vacancy, expected in zip(check["grid"], check["vacancy"], check["barriers_eV"]):
        occupation = ((types[tuple(grid.coordinates.T)] - 1) % 4).astype(np.int8)
        compiled, _ = kernel_barriers(tables, grid, occupation, int(grid.index(vacancy)))
        window = np.ix_(*((np.arange(-4, 5)[:, None] + vacancy).T % 16))
        np.testing.assert_allclose(compiled, expected, rtol=0, atol=1e-5)
        plain = model.barriers_of_environment(types[window])
        np.testing.assert_allclose(plain, expected, rtol=0, atol=1e-5)


@needs_data
def test_the_options_change_the_reference_network() -> None:
    voxels = voxels_around(GRID, random_occupation(1, vacant=0.0), 0)
    default = NNKBarriers.load(NETWORK).barriers_of_environment(voxels)
    eps = NNKBarriers.load(NETWORK, batch_norm_eps=1e-3).barriers_of_environment(voxels)
    order = NNKBarriers.load(NETWORK, axis_order="original").barriers_of_environment(voxels)
    assert 1e-7 < np.abs(eps - default).max() < 1e-4
    assert 1e-3 < np.abs(order - default).max() < 0.1


@pytest.mark.parametrize("axis_order", ["paper", "original"])
def test_compiled_is_plain_numpy(network: Path, axis_order: str) -> None:
    model = NNKBarriers.load(network, axis_order=axis_order)
    tables = model.tables(GRID)
    for seed in range(10):
        occupation = random_occupation(seed)
        for site in np.flatnonzero(occupation == VACANCY)[:4]:
            compiled, near = kernel_barriers(tables, GRID, occupation, int(site))
            plain = model.barriers_of_environment(voxels_around(GRID, occupation, site))
            np.testing.assert_allclose(compiled, plain, rtol=0, atol=2e-6)
            seen = GRID.index(GRID.coordinates[site] + np.vstack(BCC.shells(8)))
            assert near == np.sum(occupation[seen] == VACANCY)


def test_vacant_targets_are_barred(network: Path) -> None:
    model = NNKBarriers.load(network)
    occupation = np.zeros(GRID.n_sites, dtype=np.int8)
    occupation[[0, int(GRID.index(HOP_DIRECTIONS[5]))]] = VACANCY
    crystal = Crystal.from_sites(GRID, model.species, occupation, 3.24)
    targets, barriers = model.hop_barriers(crystal.to_atoms(), 0)
    assert np.array_equal(np.isinf(barriers), np.arange(8) == 5)
    assert np.array_equal(targets, GRID.index(HOP_DIRECTIONS))


@pytest.mark.slow
def test_walk_is_the_same_with_any_memory(network: Path) -> None:
    runs = []
    for cache_size in (1, 2**12):
        atoms = one_vacancy()
        run = VacancyKMC(atoms, NNKBarriers.load(network, cache_size=cache_size), 500, rng=2)
        run.run(3000)
        runs.append((run.time, run.bond_counts.tolist(), atoms.positions.tolist()))
    assert runs[0] == runs[1]


def test_remembered_is_computed(network: Path) -> None:
    """Values from a used memory equal those of an empty one, bit for bit, when sets overflow."""
    model = NNKBarriers.load(network, cache_size=16)
    used = model.tables(GRID)
    places = [(random_occupation(seed), site) for seed in range(3) for site in range(20)]
    for occupation, site in [*places, *places[::-1]]:
        fresh, _ = kernel_barriers(model.tables(GRID), GRID, occupation, site)
        kept, _ = kernel_barriers(used, GRID, occupation, site)
        again, _ = kernel_barriers(used, GRID, occupation, site)
        assert np.array_equal(fresh, kept) and np.array_equal(fresh, again)


def test_every_site_is_part_of_the_key(network: Path) -> None:
    """One changed site never meets the memory of the unchanged environment."""
    model = NNKBarriers.load(network, cache_size=1)
    tables = model.tables(GRID)
    occupation = random_occupation(7, vacant=0.0)
    first, _ = kernel_barriers(tables, GRID, occupation, 0)
    for site in GRID.index(np.vstack(BCC.shells(8))):
        changed = occupation.copy()
        changed[site] = (changed[site] + 1) % 3
        assert not np.array_equal(kernel_barriers(tables, GRID, changed, 0)[0], first)
        assert np.array_equal(kernel_barriers(tables, GRID, occupation, 0)[0], first)


@pytest.mark.parametrize(("cache_size", "places"), [(1, 4), (4, 4), (5, 8), (1000, 1024)])
def test_memory_is_bounded(network: Path, cache_size: int, places: int) -> None:
    tables = NNKBarriers.load(network, cache_size=cache_size).tables(GRID)
    assert tables.keys.shape == (places // 4, 4, 4)
    assert tables.values.shape == (places // 4, 4, 8)
    for site in range(40):
        kernel_barriers(tables, GRID, random_occupation(site), site)
    assert np.count_nonzero(tables.keys[:, :, 0]) <= places


def test_memory_is_used(network: Path) -> None:
    """Negative control of the tests above: a falsified memory is believed."""
    tables = NNKBarriers.load(network).tables(GRID)
    occupation = random_occupation(3)
    kernel_barriers(tables, GRID, occupation, 0)
    tables.values[:] = 7.0
    assert np.all(kernel_barriers(tables, GRID, occupation, 0)[0] == 7.0)


def test_batch_norm_eps_counts(network: Path) -> None:
    occupation = random_occupation(1)
    results = [
        kernel_barriers(
            NNKBarriers.load(network, batch_norm_eps=eps).tables(GRID), GRID, occupation, 0
        )[0]
        for eps in (1e-5, 1e-3)
    ]
    occupied = np.isfinite(results[0])
    assert np.abs(results[0][occupied] - results[1][occupied]).max() > 1e-6


def test_axis_orders_are_mirror_images(network: Path) -> None:
    paper = NNKBarriers.load(network, axis_order="paper")
    original = NNKBarriers.load(network, axis_order="original")
    voxels = voxels_around(GRID, random_occupation(4, vacant=0.0), 0)
    there = original.barriers_of_environment(voxels)
    assert np.abs(there - paper.barriers_of_environment(voxels)).max() > 1e-4
    mirrored = paper.barriers_of_environment(voxels.transpose(1, 0, 2))
    np.testing.assert_allclose(there, mirrored[MIRRORED], rtol=0, atol=1e-12)


def reader(index: int) -> dict[str, np.ndarray]:
    """A network whose barrier is the type on one input of its first layer, in eV."""
    arrays = {name: np.zeros_like(array) for name, array in synthetic_arrays().items()}
    for layer in range(4):
        arrays[f"gamma{layer}"] += 1
        arrays[f"var{layer}"] += 1
        arrays[f"W{layer}"][0 if layer else index, 0] = 1
    arrays["W4"][0] = 1
    return arrays


@pytest.mark.parametrize("axis_order", ["paper", "original"])
@pytest.mark.parametrize("site", [(4, 2, 0), (1, -3, 1), (-2, 0, 2), (0, 2, -4)])
def test_each_order_numbers_the_voxels_as_its_source_does(
    axis_order: str, site: tuple[int, int, int]
) -> None:
    """paper: x slowest, then y, then z; original: y slowest, then x, then z."""
    x, y, z = np.array(site) + 4
    number = {"paper": 81 * x + 9 * y + z, "original": 81 * y + 9 * x + z}[axis_order]
    model = NNKBarriers(reader(int(number)), axis_order=axis_order)
    tables = model.tables(GRID)
    for seed in range(3):
        occupation = random_occupation(seed, vacant=0.0)
        expected = 1.0 + occupation[GRID.index(np.array(site))]
        occupation[0] = VACANCY
        voxels = voxels_around(GRID, occupation, 0)
        for found in (
            model.barriers_of_environment(voxels),
            kernel_barriers(tables, GRID, occupation, 0)[0],
        ):
            assert found[7] == pytest.approx(expected, abs=1e-4)  # the hop along (1, 1, 1)


@pytest.mark.slow
def test_barriers_of_the_hopping_species_alone_leave_no_order() -> None:
    """E = .5 eV + .1 eV type of the atom that hops: exact rates; B2 decays to the random alloy."""
    arrays = reader(81 * 5 + 9 * 5 + 5)
    arrays["W4"] *= 0.1
    arrays["b4"] += 0.5
    atoms = build_crystal("bcc", "Nb0.5Mo0.5", (4, 4, 4), ordered="B2")
    atoms.symbols[0] = "X"
    kmc = VacancyKMC(atoms, NNKBarriers(arrays), 1500.0, rng=1)
    counts, n_types = kmc.crystal.counts, {"Nb": 1, "Mo": 2}
    for _ in range(3):
        kmc.run(3000)
        targets, _ = kmc.barriers.hop_barriers(atoms, atoms.symbols.search("X")[0])
        types = np.array([n_types[s] for s in atoms.symbols[targets]])
        expected = 1e13 * np.exp(-(0.5 + 0.1 * types) / (units.kB * 1500.0))
        np.testing.assert_allclose(kmc.rates[0], expected, rtol=1e-4)
    rows = []
    for _ in range(100):
        kmc.run(150)
        rows.append(delta_from_bonds(kmc.bond_counts, counts, 8)[0, 1])
    error = float(standard_error(np.array(rows)))
    off = np.mean(rows) - random_offset(counts, 8)[0, 1]
    assert error < 0.05 and abs(off) < 4 * error


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        NNKBarriers.load(tmp_path / "none.npz")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_truncated_file(network: Path, kept: float) -> None:
    content = network.read_bytes()
    network.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match="not a complete"):
        NNKBarriers.load(network)


def test_damaged_file(network: Path) -> None:
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 255
    network.write_bytes(content)
    with pytest.raises(ValueError, match="not a complete"):
        NNKBarriers.load(network)


def test_missing_arrays_are_named(network: Path) -> None:
    arrays = synthetic_arrays()
    del arrays["gamma2"], arrays["b4"]
    np.savez(network, **arrays)
    with pytest.raises(ValueError, match="lacks gamma2, b4"):
        NNKBarriers.load(network)


def test_wrong_shapes_and_values_are_named(network: Path) -> None:
    np.savez(network, **{**synthetic_arrays(), "W1": np.zeros((128, 64))})
    with pytest.raises(ValueError, match=r"W1 has shape \(128, 64\), not \(128, 128\)"):
        NNKBarriers.load(network)
    np.savez(network, **{**synthetic_arrays(), "var3": np.full(128, np.nan)})
    with pytest.raises(ValueError, match="var3 holds values that are not finite"):
        NNKBarriers.load(network)


def test_a_single_array_is_not_a_network(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a complete"):
        NNKBarriers.load(tmp_path / "array.npy")


@pytest.mark.parametrize(
    ("option", "value"), [("axis_order", "xyz"), ("batch_norm_eps", 0.0), ("cache_size", 0)]
)
def test_bad_options_are_named(network: Path, option: str, value: object) -> None:
    with pytest.raises(ValueError, match=option):
        NNKBarriers.load(network, **{option: value})  # type: ignore[arg-type]


@needs_data
def test_published_network_gives_the_published_order() -> None:
    """delta at 3000 K and 1,024 sites against direct runs of the published network.

    The values have a statistical error of .02 for that size; ours adds its own: 4 sigma of both.
    """
    atoms = build_crystal(size=(8, 8, 8), vacancies=1, rng=5)
    kmc = VacancyKMC(atoms, NNKBarriers.load(NETWORK), 3000.0, rng=5)
    kmc.run(60_000)
    step, counts = 500 * kmc.time / 60_000, kmc.crystal.counts
    first, second = np.triu_indices(3)
    rows = []
    for _ in range(500):
        kmc.run_until(kmc.time + step)
        rows.append(delta_from_bonds(kmc.bond_counts, counts, 8)[first, second])
    published = np.array([-0.048, 0.124, -0.084, -0.447, 0.324, -0.224])
    error = np.hypot(standard_error(np.array(rows)), 0.02)
    assert np.all(np.abs(np.mean(rows, axis=0) - published) < 4 * error)
    assert error.max() < 0.04
