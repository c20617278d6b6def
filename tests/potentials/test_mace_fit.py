"""A MACE model learns a known law, resumes exactly, loads anywhere and is as local as it says."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.morse import MorsePotential

from macro_ase.engines.patches.local_energy import cut_out_all
from macro_ase.neighbour_pairs import neighbour_pairs
from macro_ase.patches import Patch, cut_out
from macro_ase.potentials import path
from macro_ase.potentials.dft_frames import Frame
from macro_ase.potentials.mace_model import (
    QUICK,
    MACESettings,
    atomic_energies,
    graphs_of,
    save_mace,
)

mace_fit = pytest.importorskip("macro_ase.potentials.mace_fit")
pytest.importorskip("mace")

pytestmark = pytest.mark.slow

ATOM_EV = {"Nb": -3.0, "Mo": -5.0}
SETTINGS = replace(QUICK, r_max_A=4.0, epochs=15, batch_size=4, learning_rate=0.03)
KEPT = 11


@cache
def frames(n: int = 24, seed: int = 0) -> list[Frame]:
    """Rattled bcc cells of two elements with Morse energies and an energy for each atom."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        atoms = bulk("Nb", "bcc", a=3.2 * rng.uniform(0.97, 1.03), cubic=True) * (2, 2, 1)
        atoms.symbols[rng.permutation(8)[: number % 5]] = "Mo"
        atoms.rattle(0.15, rng=rng)
        atoms.calc = MorsePotential(epsilon=0.8, r0=2.9, rho0=4.0, rcut1=1.1, rcut2=1.35)
        energy = atoms.get_potential_energy() + sum(ATOM_EV[s] for s in atoms.symbols)
        forces = atoms.get_forces()
        atoms.calc = None
        made.append(Frame(atoms, energy, forces, "Mo-Nb", f"Mo-Nb/{number}"))
    return made


def parameters(model: Any) -> np.ndarray:
    return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])


def rms(calculator: Any, frames: list[Frame]) -> float:
    """Of force components, eV/A."""
    errors = [calculator.get_forces(frame.atoms) - frame.forces_eV_A for frame in frames]
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, Path, Path]:
    """Parameters and file of a model trained without a pause, and its state at epoch `KEPT`."""
    folder = tmp_path_factory.mktemp("mace")
    file, kept = folder / "alloy.model", folder / "kept"
    save = mace_fit._Training._save

    def save_and_keep(training: Any, checkpoint: Path) -> None:
        save(training, checkpoint)
        if training.epoch == KEPT:
            shutil.copy(checkpoint, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mace_fit._Training, "_save", save_and_keep)
        model = mace_fit.fit_mace(frames(), SETTINGS, seed=0, checkpoint=folder / "state")
    save_mace(model, file)
    return parameters(model), file, kept


@pytest.fixture(scope="module")
def load(trained: tuple[np.ndarray, Path, Path]) -> Callable[[str], Any]:
    from mace.calculators import MACECalculator

    return lambda dtype: MACECalculator(
        model_paths=str(trained[1]), device="cpu", default_dtype=dtype
    )


def test_atomic_energies_are_found_where_they_are_all_there_is() -> None:
    made = [replace(f, energy_eV=sum(ATOM_EV[s] for s in f.atoms.symbols)) for f in frames(6)]
    assert atomic_energies(made) == pytest.approx([-3.0, -5.0])


def test_it_learns(load: Callable[[str], Any]) -> None:
    unseen = frames(6, seed=1)
    untaught = float(np.sqrt(np.mean(np.concatenate([f.forces_eV_A for f in unseen]) ** 2)))
    assert rms(load("float32"), unseen) < 0.5 * untaught


def test_a_resumed_training_ends_as_the_uninterrupted_one(
    trained: tuple[np.ndarray, Path, Path], tmp_path: Path
) -> None:
    """From the state that a kill after epoch `KEPT` leaves."""
    checkpoint = shutil.copy(trained[2], tmp_path / "state")
    with pytest.raises(ValueError, match="another training: seed = 0, not 1"):
        mace_fit.fit_mace(frames(), SETTINGS, seed=1, checkpoint=checkpoint)
    with pytest.raises(ValueError, match="another training: frames"):
        mace_fit.fit_mace(frames(23), SETTINGS, seed=0, checkpoint=checkpoint)
    (tmp_path / "text").write_text("no state")
    with pytest.raises(ValueError, match="not the state of a training"):
        mace_fit.fit_mace(frames(4), SETTINGS, checkpoint=tmp_path / "text")
    resumed = mace_fit.fit_mace(frames(), SETTINGS, seed=0, checkpoint=checkpoint)
    np.testing.assert_array_equal(parameters(resumed), trained[0])


def test_the_seed_decides(trained: tuple[np.ndarray, Path, Path]) -> None:
    import torch

    torch.manual_seed(99)
    other = mace_fit.fit_mace(frames(4), replace(SETTINGS, epochs=1), seed=1)
    state = torch.random.get_rng_state()
    torch.manual_seed(99)
    assert torch.equal(state, torch.random.get_rng_state()), "the caller's stream was used"
    assert not np.allclose(parameters(other), trained[0], atol=0.01)


def test_forces_are_slopes_of_the_energy(load: Callable[[str], Any]) -> None:
    atoms = frames(1)[0].atoms.copy()
    atoms.calc = load("float64")
    force, step = atoms.get_forces()[2, 1], 1e-3
    energies = []
    for shift in (step, -step):
        moved = atoms.copy()
        moved.positions[2, 1] += shift
        moved.calc = atoms.calc
        energies.append(moved.get_potential_energy())
    assert force == pytest.approx((energies[1] - energies[0]) / (2 * step), rel=1e-4, abs=1e-6)


def test_an_atom_feels_what_lies_within_its_radius_and_nothing_else(
    load: Callable[[str], Any],
) -> None:
    atoms = bulk("Nb", "bcc", a=3.2, cubic=True) * (5, 5, 5)
    atoms.calc = load("float64")
    before = atoms.calc.get_property("node_energy", atoms).copy()
    distance = atoms.get_distances(0, range(len(atoms)), mic=True)
    atoms.symbols[0] = "Mo"
    changed = np.abs(atoms.calc.get_property("node_energy", atoms) - before) > 1e-9
    assert not changed[distance > SETTINGS.receptive_radius_A].any()
    assert changed[distance < 3].all()


@pytest.mark.parametrize("pbc", [(True, True, True), (True, True, False), (False, True, False)])
def test_cut_outs_of_primitive_cells_give_the_energy_changes_of_the_whole(
    load: Callable[[str], Any], pbc: tuple[bool, bool, bool]
) -> None:
    calculator = load("float64")
    atoms = bulk("Nb", "bcc", a=3.2) * (2, 2, 10)
    atoms.symbols[::3] = "Mo"
    atoms.pbc = pbc
    cut = cut_out(atoms, Patch.mask(np.arange(len(atoms)) < 4).select(atoms), 8.0)
    assert cut.atoms.pbc.sum() < 3, "an axis of the cut-out is open"
    changes = []
    for block in (cut.atoms, cut_out_all(atoms).atoms):
        before = calculator.get_potential_energy(block)
        at = np.flatnonzero(np.isin(np.arange(len(block)), [1, 3]))
        block.numbers[at] = [42, 41]
        changes.append(calculator.get_potential_energy(block) - before)
    assert changes[0] == pytest.approx(changes[1], abs=1e-9) and abs(changes[0]) > 1e-3
    if all(pbc):
        atoms.numbers[[1, 3]] = [42, 41]
        assert calculator.get_potential_energy(atoms) == pytest.approx(
            calculator.get_potential_energy(block), abs=1e-9
        )


def test_slabs_in_primitive_cells_are_trained_on_and_compared() -> None:
    slab = bulk("Nb", "bcc", a=3.2) * (2, 2, 3)
    slab.pbc = (True, True, False)
    crystal = bulk("Nb", "bcc", a=3.2, cubic=True) * (1, 1, 6)
    crystal.pbc = (True, True, False)
    made = [Frame(atoms, -9.0, np.zeros((12, 3)), "Nb", "Nb/1") for atoms in (slab, crystal)]
    pairs = [graph.edge_index.shape[1] for graph in graphs_of(made, SETTINGS)]
    assert pairs == [len(neighbour_pairs(f.atoms, SETTINGS.r_max_A).i) for f in made]
    assert slab.pbc.tolist() == [True, True, False], "the frame itself is left alone"


def test_a_file_names_no_folder_and_holds_no_optimiser(
    trained: tuple[np.ndarray, Path, Path],
) -> None:
    import io
    import zipfile

    import torch

    model = torch.load(trained[1], weights_only=False)
    assert all(p.grad is None for p in model.parameters())
    with zipfile.ZipFile(trained[1]) as outer:
        pickled = next(outer.read(n) for n in outer.namelist() if n.endswith("data.pkl"))
    compiled = [
        state
        for module in model.modules()
        if hasattr(module, "__codegen__")
        for state in module.__getstate__()["__codegen__"].values()
    ]
    with zipfile.ZipFile(io.BytesIO(compiled[0])) as control:
        assert any(name.endswith(".debug_pkl") for name in control.namelist())
    assert compiled and b"debug_pkl" not in pickled and b"site-packages" not in pickled
    assert b"exp_avg" not in pickled


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="epochs must be above 0, not 0"):
        MACESettings(epochs=0)
    with pytest.raises(ValueError, match="no frames"):
        mace_fit.fit_mace([])


def test_the_model_that_ships_orders_mo_and_ta() -> None:
    from mace.calculators import MACECalculator

    file = path("NbMoTa-mace.model")
    assert file.stat().st_size < 2**20
    calculator = MACECalculator(str(file), device="cpu", default_dtype="float64")
    energies = crystal_energies(calculator)
    b2, mo, ta = energies["B2"], energies["Mo"], energies["Ta"]
    assert b2 - (mo + ta) / 2 == pytest.approx(-0.194, abs=0.01), "PBE, a frame not trained on"
    assert energies["apart"] > b2 + 0.05


def crystal_energies(calculator: Any) -> dict[str, float]:
    """Per atom, of two elements, and of their alloy in order and apart."""
    alloy = bulk("Mo", "bcc", a=3.24, cubic=True) * (2, 2, 2)
    ordered, apart = alloy.copy(), alloy.copy()
    ordered.symbols[1::2] = "Ta"
    apart.symbols[alloy.positions[:, 2] > 3.0] = "Ta"
    elements = {s: bulk(s, "bcc", a=a) for s, a in {"Mo": 3.163, "Ta": 3.315}.items()}
    energies = {}
    for name, atoms in {"B2": ordered, "apart": apart, **elements}.items():
        atoms.calc = calculator
        energies[name] = atoms.get_potential_energy() / len(atoms)
    return energies
