"""The command that fits barriers: what it saves, what it says, what it refuses."""

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.commands import fit_barriers as fit_command
from macro_ase.commands.fit_barriers import first_shell_alpha, fit_barriers_command
from macro_ase.crystal import Crystal


def write_tables(folder: Path, composition: str = "NbMo") -> tuple[np.ndarray, np.ndarray]:
    """Hops of 54 atoms under the shipped model, with noise; returns the two tables."""
    model, folder = KRABarriers.load(), Path(folder)
    atoms = build_crystal("bcc", composition, (3, 3, 3), rng=0)
    atoms = atoms[np.argsort(atoms.get_chemical_symbols(), kind="stable")]
    ids, barriers = np.empty((54, 8), dtype=int), np.empty((54, 8))
    for v in range(54):
        vacant = atoms.copy()
        vacant.symbols[v] = "X"
        with warnings.catch_warnings(action="ignore"):
            targets, barriers[v] = model.hop_barriers(vacant, v)
        ids[v] = targets + 1
    barriers += np.random.default_rng(0).normal(0, 0.01, barriers.shape)
    folder.mkdir(exist_ok=True)
    write(folder / "POSCAR", atoms, format="vasp")
    np.savetxt(folder / "atomid.txt", ids, fmt="%d")
    np.savetxt(folder / "barrier.txt", barriers)
    return ids, barriers


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with hops of a small Nb-Mo crystal, and frames of the shipped energy."""
    monkeypatch.setattr(fit_command, "ALPHA_SWEEPS", 60)
    monkeypatch.setattr(fit_command, "ALPHA_EQUILIBRATION", 20)
    folder = tmp_path / "neb"
    folder.mkdir()
    _, barriers = write_tables(folder)
    barriers[2, 3] = -0.1
    np.savetxt(folder / "barrier.txt", barriers)
    energy = KRABarriers.load().energy
    frames = []
    for seed, composition in enumerate(["Nb", "Mo", *["NbMo", "Nb0.25Mo0.75"] * 15]):
        frame = build_crystal("bcc", composition, (2, 2, 2), rng=seed)
        value = energy.energy(Crystal.from_atoms(frame, species=energy.species)) - 10 * len(frame)
        frame.calc = SinglePointCalculator(frame, energy=value)
        frames.append(frame)
    write(tmp_path / "frames.extxyz", frames)
    return tmp_path


@pytest.mark.slow
def test_command_saves_the_model_with_accuracy_and_provenance(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, frames = data / "model.json", data / "frames.extxyz"
    argv = ["fit-barriers", data / "neb", "--energies", frames, "--out", out, "--seed", "3"]
    assert main([str(a) for a in argv]) == 0
    text = capsys.readouterr().out
    for part in ("431 used, 1 collapsed", "30 relaxed frames used", "Nb-Mo", f"written: {out}"):
        assert part in text
    assert "WARNING" not in text
    saved = json.loads(out.read_text())
    assert saved["metrics"]["n_collapsed"] == 1 and saved["metrics"]["n_frames"] == 30
    assert set(saved["metrics"]["alpha_2000K"]) == {"Nb-Mo"}
    provenance = saved["provenance"]
    assert provenance["command"] == (
        "macro-ase fit-barriers neb --energies frames.extxyz --out model.json --seed 3"
    )
    assert provenance["seed"] == 3 and str(data) not in out.read_text()
    files = {f["name"]: f for f in provenance["files"]}
    assert set(files) == {"neb/POSCAR", "neb/atomid.txt", "neb/barrier.txt", "frames.extxyz"}
    assert files["frames.extxyz"]["bytes"] == frames.stat().st_size
    digest = hashlib.sha256(frames.read_bytes()).hexdigest()
    assert files["frames.extxyz"]["sha256"] == digest
    assert KRABarriers.load(out).info["metrics"] == saved["metrics"]
    first = out.read_bytes()
    fit_barriers_command([data / "neb"], out, [frames], seed=3)
    assert out.read_bytes() == first


def test_without_energies_there_is_a_warning(data: Path) -> None:
    text = fit_barriers_command([data / "neb"], data / "model.json")
    assert "WARNING: no formation energies" in text and "relaxed frames" not in text
    with pytest.warns(UserWarning, match="barrier fit: no formation energies"):
        model = KRABarriers.load(data / "model.json")
    assert "n_frames" not in model.info["metrics"]


def test_hops_of_one_species_alone_are_said_first_and_refused_in_use(data: Path) -> None:
    atoms = read(data / "neb" / "POSCAR")
    ids, barriers = (np.loadtxt(data / "neb" / f"{name}.txt") for name in ("atomid", "barrier"))
    hopping = np.array(atoms.get_chemical_symbols())[ids.astype(int) - 1]
    np.savetxt(data / "neb" / "barrier.txt", np.where(hopping == "Nb", barriers, np.nan))
    out = data / "model.json"
    text = fit_barriers_command([data / "neb"], out, [data / "frames.extxyz"])
    assert text.startswith("WARNING: no hop of Mo was fitted: nothing is known of such barriers\n")
    saved = json.loads(out.read_text())
    assert saved["warnings"][0].startswith("no hop of Mo was fitted")
    assert saved["unfitted_species"] == ["Mo"] and saved["metrics"]["n_hops"]["Mo"] == 0
    atoms.symbols[0] = "X"
    with pytest.warns(UserWarning, match="no hop of Mo"):
        model = KRABarriers.load(out)
    with pytest.raises(ValueError, match="without a hop of Mo"):
        model.hop_barriers(atoms, 0)


@pytest.mark.slow
def test_several_compositions_are_left_out_in_turn(data: Path) -> None:
    write_tables(data / "neb" / "more", "Nb0.25Mo0.75")
    (data / "neb" / "less").mkdir()
    for file in [f for f in (data / "neb").iterdir() if f.is_file()]:
        file.rename(data / "neb" / "less" / file.name)
    text = fit_barriers_command([data / "neb"], data / "model.json", [data / "frames.extxyz"])
    metrics = json.loads((data / "model.json").read_text())["metrics"]
    assert set(metrics["compositions"]) == {"Nb0.500Mo0.500", "Nb0.259Mo0.741"}
    mae_eV = metrics["left_out_composition_mae_eV"]
    assert 0 < mae_eV < 0.2
    assert f"whole compositions left out: MAE {mae_eV:.4f} +- " in text


@pytest.mark.parametrize(
    ("folder", "out", "message"),
    [
        ("gone", "model.json", "no such folder"),
        (".", "neb", "cannot write a file"),
        ("neb", "gone/model.json", "cannot write a file"),
        ("neb", "model.txt", r"ends in \.json"),
    ],
)
def test_refusals_leave_nothing(data: Path, folder: str, out: str, message: str) -> None:
    before = sorted(data.rglob("*"))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        fit_barriers_command([data / folder], data / out)
    (data / "neb" / "barrier.txt").write_text("1 2\n")
    with pytest.raises(ValueError, match="54 atoms need tables"):
        fit_barriers_command([data / "neb"], data / "model.json")
    assert sorted(data.rglob("*")) == before


@pytest.mark.slow
def test_alpha_of_the_shipped_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_command, "ALPHA_SWEEPS", 200)
    model = KRABarriers.load()
    alpha = first_shell_alpha(model, 3.24, seed=8)
    for pair, (stated, stated_error) in model.info["metrics"]["alpha_2000K"].items():
        value, error = alpha[pair]
        assert 0.0005 < error < 0.01
        assert abs(value - stated) < 4 * np.hypot(error, stated_error)


def test_one_species_has_no_alpha() -> None:
    model = KRABarriers.load()
    energy = type(model.energy)(
        ("Nb",), model.energy.pair_eV[:, [[0], [3]], [0, 3]], np.zeros((1, 1))
    )
    pure = KRABarriers(
        energy, model.activation_eV[:1], model.orbit_weights_eV[:1, :, :1], 7, np.ones((1, 1))
    )
    assert first_shell_alpha(pure, 3.3, seed=0) == {}
