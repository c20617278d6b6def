"""Every place that takes a seed takes whole numbers of any kind alike, and refuses the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from engines.driver_cases import EAM, FIELD, LINES, PATCH, alloy, field, spins, warm

from macro_ase.analysis.hysteresis import glauber_drive
from macro_ase.analysis.mmd import squared_mmd_with_error
from macro_ase.analysis.sweep import sweep
from macro_ase.barriers import KRABarriers
from macro_ase.barriers.fitting import energy_of
from macro_ase.build import build_crystal
from macro_ase.commands.kmc_file import kmc_file
from macro_ase.config import load_config
from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.engines.patches.evolution import MonteCarloEvolution
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.spins.dynamics import Glauber, Metropolis, Wolff
from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.lattice import random_spins
from macro_ase.engines.spins.models import Ising
from macro_ase.engines.swaps.mc import SwapMC
from macro_ase.engines.swaps.moves import Swap
from macro_ase.engines.vacancies.kmc import VacancyKMC
from macro_ase.potentials.dft_frames import Frame, split_by_structure
from macro_ase.rng import children, stream
from macro_ase.systems.engine_pairs import engine_pairs

Result = Any
KRA = KRABarriers.load()


def after(driver: Any, steps: int = 20) -> Result:
    driver.run(steps)
    return [values for _, values in sorted(driver.atoms.arrays.items())]


def by_lammps(rng: Any, lmp: Any = None) -> Result:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.patch import LammpsPatch

    options = {"ensemble": "langevin", "temperature_K": 900.0, "timestep": units.fs, "swaps": 2}
    return after(LammpsPatch(warm(), PATCH, LINES, rng=rng, lmp=lmp, **options), 4)


def langevin(rng: Any) -> Result:
    options = {"temperature_K": 900.0, "ensemble": "langevin", "friction": 0.05 / units.fs}
    return after(PatchMD(warm(), PATCH, EAM, timestep=units.fs, rng=rng, **options))


def of_kmc(seed: Any) -> Result:
    atoms = alloy()
    atoms.write("crystal.xyz")
    return kmc_file("crystal.xyz", 1500.0, 20, vacancies=1, seed=seed)


def of_pairs(seed: Any) -> Result:
    def shares(atoms: Atoms) -> Any:
        return np.where(atoms.numbers == 41, np.arange(128.0), 0.0)

    evolve = MonteCarloEvolution(EAM, 900.0, Swap(), 1.0)
    return engine_pairs(alloy(), [PATCH], evolve, shares, 1.0, 0, seed).dz


def of_split(seed: Any) -> Result:
    frames = [Frame(Atoms("Nb"), 0.0, np.zeros((1, 3)), "Nb", str(n)) for n in range(40)]
    return [frame.structure for frame in split_by_structure(frames, 0.3, seed)[1]]


def of_training(seed: Any) -> Result:
    pytest.importorskip("torch")
    from macro_ase.learning.models.training import train
    from macro_ase.learning.options import TrainingOptions
    from macro_ase.learning.pairs import PairBatch

    z0, dz = np.random.default_rng(0).normal(size=(2, 128, 1))
    pairs = PairBatch(z0, dz - z0, np.ones((128, 0)), np.arange(128) // 4)
    options = TrainingOptions(width=4, depth=1, members=1, epochs=1, batch_size=32)
    return train(pairs, options, seed).members[0].state_dict().values()


def of_drift(seed: Any) -> Result:
    pytest.importorskip("torch")
    from macro_ase.learning.force_losses import QuadraticLoss
    from macro_ase.learning.models.drift_model import train_drift
    from macro_ase.learning.options import DriftOptions

    z = np.random.default_rng(0).normal(size=(64, 1))
    loss = QuadraticLoss(np.ones((64, 1, 1)), -z, z[:, 0] ** 2)
    options = DriftOptions(width=4, depth=1, members=1, steps=3)
    return train_drift(z, np.empty((64, 0)), loss, options, seed).history


def of_encoder(seed: Any) -> Result:
    pytest.importorskip("torch")
    from macro_ase.learning.encoders.patch_encoder import train_encoder
    from macro_ase.learning.options import EncoderOptions

    tiles = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (80, 64))
    options = EncoderOptions(steps=2, channels=4, batch_size=16)
    return train_encoder(tiles, tiles.mean(axis=1, keepdims=True), options, seed)[1]


PLACES: dict[str, Callable[[Any], Result]] = {
    "build": lambda rng: build_crystal("bcc", "NbMoTa", size=(3, 3, 3), rng=rng).numbers,
    "VacancyKMC": lambda rng: after(VacancyKMC(alloy(1), KRA, 900.0, rng=rng)),
    "SwapMC": lambda rng: after(SwapMC(alloy(1), 900.0, rng=rng)),
    "PatchMC": lambda rng: after(PatchMC(alloy(), PATCH, EAM, temperature_K=900.0, rng=rng)),
    "PatchMD": langevin,
    "LammpsPatch": by_lammps,
    "LammpsPatch, executable": lambda rng: by_lammps(rng, lmp=True),
    "Glauber": lambda rng: after(Glauber(spins(), 9.0, rng=rng)),
    "Metropolis": lambda rng: after(Metropolis(spins(), 9.0, rng=rng)),
    "Wolff": lambda rng: after(Wolff(spins(), 9.0, rng=rng)),
    "FieldDynamics": lambda rng: after(FieldDynamics(field(), FIELD, 1e-5, rng=rng)),
    "SpinEnsemble": lambda rng: SpinEnsemble(Ising((8, 8)), np.ones((1, 64)), 3.0, rng).metropolis(
        4
    ),
    "random_spins": lambda rng: random_spins(40, 0.0, rng),
    "glauber_drive": lambda rng: [glauber_drive(Ising((8, 8)), 2.5, rng)(0.1, 1.0)],
    "squared_mmd": lambda rng: squared_mmd_with_error(
        *np.random.default_rng(0).normal(size=(2, 1, 9, 3, 1)), rng=rng
    ),
    "energy_of": lambda seed: [energy_of(KRA, 4, seed).pair_eV],
    "sweep": lambda seed: sweep([4], [2.0], samples=20, seed=seed).column("m_abs")[0],
    "kmc": of_kmc,
    "settings": lambda seed: [load_config("nbmota", seed=seed)["seed"]],
    "stream": lambda seed: stream(seed, "stage").generate_state(4),
    "engine_pairs": of_pairs,
    "frames": of_split,
    "train": of_training,
    "train_drift": of_drift,
    "train_encoder": of_encoder,
}


def plain(result: Result) -> Any:
    if isinstance(result, str):
        return result
    return np.hstack([np.asarray(part, dtype=object).ravel() for part in result]).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_seeds_are_whole_numbers_of_any_kind(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    take = PLACES[place]
    wanted = plain(take(3))
    assert plain(take(np.int64(3))) == plain(take(3.0)) == wanted
    assert plain(take(2**40)) != wanted
    for wrong in (-1, True, "3", 3.5):
        with pytest.raises(ValueError, match=r"^seed (must be|=) [^\n]*$"):
            take(wrong)


def test_children_are_those_that_would_be_spawned() -> None:
    sequence = np.random.SeedSequence(3, spawn_key=(1, 2))
    sequence.spawn(4)
    some = children(sequence, [5, 0])
    spawned = sequence.spawn(6)
    for one, other in zip(some, (spawned[5], spawned[0])):
        np.testing.assert_array_equal(one.generate_state(4), other.generate_state(4))
