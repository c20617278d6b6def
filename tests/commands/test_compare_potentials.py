"""Potentials beside each other: numbers that are known, intervals that cover, joins, refusals."""

import csv
import itertools
import json
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from commands.test_fit_barriers import write_tables

from macro_ase.barriers import PairEnergyCalculator
from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.commands.asked_potential import Potential
from macro_ase.commands.compare_potentials import ComparePotentials, named_potential
from macro_ase.commands.potential_plan import Questions, plan
from macro_ase.commands.potential_quantities import ELEMENTS, _interval, _mean, rows
from macro_ase.commands.potential_results import Measured, require_alike
from macro_ase.commands.potential_tasks import Element, Order, carry_out
from macro_ase.crystal import Crystal
from macro_ase.engines.lammps.commands import words
from macro_ase.lattice import BCC
from macro_ase.potentials.accuracy import elastic_constants

NOISE_EV = 0.01
EMT_TEXT = "python:ase.calculators.emt:EMT"
DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.filterwarnings("ignore:composition")
compare = partial(ComparePotentials, workers="threads:1")
PHASES = ("B2 MoNb", "B32 MoNb", "D0_3 Mo3Nb", "D0_3 Nb3Mo", "C11_b MoNb2", "C11_b NbMo2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the shipped model's barriers with noise, and frames of its energy."""
    folder = tmp_path_factory.mktemp("data")
    write_tables(folder / "neb")
    frames = [Atoms(build_crystal("bcc", c, (2, 2, 2), rng=0)) for c in ("Nb", "Mo", "NbMo")]
    frames += [Atoms(build_crystal("bcc", "NbMo", (2, 2, 2), ordered="B2"))]
    for frame in frames:
        energy = PairEnergyCalculator().get_potential_energy(frame)
        shift = -10 * np.sum(frame.symbols == "Nb") - 11 * np.sum(frame.symbols == "Mo")
        frame.calc = SinglePointCalculator(frame, energy=energy + shift)
    write(folder / "frames.extxyz", frames)
    return folder


def questions(data: Path, **changes: Any) -> Questions:
    usual = {"table": data / "neb", "hops": 40, "frames": [data / "frames.extxyz"]}
    return Questions(**usual | {"cost_atoms": (16,)} | changes)


def table_of(out: Path) -> dict[str, dict[str, str]]:
    """Rows of comparison.csv by quantity."""
    with (out / "comparison.csv").open() as stream:
        return {row["quantity"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def compared(data: Path) -> tuple[Path, str]:
    """The energy that the reference was made of, beside another, and what was printed."""
    out = data / "out"
    both = ["pair:NbMoTa", "W=pair:NbMoW"]
    return out, compare(both, out, questions(data), command="macro-ase --x").run()


def test_the_model_behind_the_reference_errs_by_its_noise(compared: tuple[Path, str]) -> None:
    out, text = compared
    found = table_of(out)
    mae = found["mean absolute error"]
    low, own, high = (float(mae[f"NbMoTa-pair{x}"]) for x in (" low", "", " high"))
    assert low < NOISE_EV * np.sqrt(2 / np.pi) < high and low < own < high < 0.012
    assert float(mae["W low"]) > 2 * high
    assert float(found["correlation"]["NbMoTa-pair low"]) > 0.99 > float(found["correlation"]["W"])
    assert found["hops"]["W"] == "40" and float(found["mean of their references"]["W"]) > 0.5
    assert "the same of" not in text
    for line in ("B2 MoNb", "left out", "one evaluation, 16 atoms"):
        assert (line in text) == (line != "left out")


def test_formation_energies_are_against_own_elements(compared: tuple[Path, str]) -> None:
    out, _ = compared
    found = table_of(out)
    assert [name for name in found if name.split()[0] in ("B2", "B32", "D0_3", "C11_b")] == [
        *PHASES
    ]
    energy = PairEnergyCalculator()
    b2 = energy.get_potential_energy(build_crystal("bcc", "NbMo", (2, 2, 2), ordered="B2"))
    for column in ("reference", "NbMoTa-pair"):
        assert float(found["B2 MoNb"][column]) == pytest.approx(1e3 * b2 / 16, abs=1e-3)
    error = found["mean absolute error of frames"]
    assert float(error["NbMoTa-pair"]) == pytest.approx(0, abs=1e-6)
    assert float(error["W"]) > 0.01
    assert found["frames beside the reference"]["W"] == "2"
    assert found["B32 MoNb"]["reference"] == ""


def test_the_page_says_how_it_was_made(compared: tuple[Path, str]) -> None:
    page = (compared[0] / "report.html").read_text()
    for part in ("macro-ase --x", "W: pair:NbMoW.", "mean absolute error", "data:image/png"):
        assert part in page
    assert "macro-ase run config.toml" not in page


@pytest.mark.slow
def test_stopped_it_goes_on_and_more_hops_are_added(data: Path, compared: tuple[Path, str]) -> None:
    out = data / "again"
    shutil.copytree(compared[0], out)
    journal, results = out / "W.jsonl", out / "W.json"
    before = json.loads(results.read_text())["values"]
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-20]) + b'{"key": "hop ')
    compare(["W=pair:NbMoW"], out, questions(data)).run()
    assert json.loads(results.read_text())["values"] == before
    compare(["W=pair:NbMoW"], out, questions(data, hops=42)).run()
    after = json.loads(results.read_text())["values"]
    assert len(after) == len(before) + 2 and before.items() <= after.items()
    with pytest.raises(ValueError, match=r"other settings .*seed 0, now 1"):
        compare(["W=pair:NbMoW"], out, questions(data, seed=1)).run()


def test_results_of_elsewhere_are_joined(data: Path, compared: tuple[Path, str]) -> None:
    out, _ = compared
    files = [out / "NbMoTa-pair.json", out / "W.json"]
    ComparePotentials([], data / "joined", join=files).run()
    csvs = [(folder / "comparison.csv").read_bytes() for folder in (out, data / "joined")]
    assert csvs[0] == csvs[1]
    with pytest.raises(ValueError, match="two potentials are called W"):
        ComparePotentials([], data / "x", join=[files[1], files[1]]).run()
    other = json.loads(files[1].read_text())
    other["settings"]["seed"], other["name"] = 5, "V"
    (data / "other.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match="V was measured with other settings: seed 5, of W 0"):
        ComparePotentials([], data / "x", join=[files[1], data / "other.json"]).run()
    assert not (data / "x").exists()


def test_a_reference_that_one_was_given_is_that_of_all(compared: tuple[Path, str]) -> None:
    first, second = (Measured.read(compared[0] / f"{n}.json") for n in ("NbMoTa-pair", "W"))
    settings = second.settings | {"table": None, "frames": None}
    alone = replace(second, name="alone", settings=settings, reference={})
    require_alike([first, second, alone])
    for row in rows([first, second, alone], 0):
        assert row.numbers.get("alone") == pytest.approx(row.numbers.get("W"), nan_ok=True)
    errors = [row for row in rows([alone], 0) if "error" in row.name]
    assert {row.section for row in errors} <= {ELEMENTS}


@pytest.mark.slow
def test_elements_have_their_constants_and_what_fails_is_named() -> None:
    found = Element("Cu").run(Potential(EMT_TEXT))
    expected = elastic_constants(EMT(), "Cu", found["a_A"])
    assert [found[c] for c in ("C11", "C12", "C44")] == pytest.approx(
        [*expected.values()], rel=1e-3
    )
    assert found["a_A"] == pytest.approx(2.86, abs=0.03)
    failed = carry_out(EMT_TEXT, Element("W"))["failed"]
    assert "EMT" in failed and "W" in failed


class Bonds:
    """A potential of unlike first neighbours, in eV a bond."""

    has_forces, energy_eV = False, 0.03

    def __init__(self, crystal: Crystal) -> None:
        self.near = crystal.grid.neighbors(BCC.shells(1)[0])

    def calculator(self) -> "Bonds":
        return self

    def get_potential_energy(self, atoms: Atoms) -> float:
        own, around = atoms.numbers[:, None], atoms.numbers[self.near]
        return self.energy_eV * float(np.sum(own != around)) / 2


def exact_alpha(crystal: Crystal, temperature_K: float) -> float:
    """Of two Mo atoms among Nb, by enumeration, less that of a random alloy."""
    atoms, bonds = crystal.to_atoms(), Bonds(crystal)
    weights, unlike = [], []
    for pair in itertools.combinations(range(len(atoms)), 2):
        atoms.symbols[:] = "Nb"
        atoms.symbols[list(pair)] = "Mo"
        energy = bonds.get_potential_energy(atoms)
        weights.append(np.exp(-energy / (units.kB * temperature_K)))
        unlike.append(energy / bonds.energy_eV)
    alpha = 1 - np.array(unlike) / 2 / 8 / (1 - 2 / len(atoms))
    return float(np.average(alpha, weights=weights) - alpha.mean())


@pytest.mark.slow
def test_swaps_sample_what_enumeration_gives() -> None:
    atoms = build_crystal("bcc", {"Nb": 14 / 16, "Mo": 2 / 16}, (2, 2, 2), rng=0)
    crystal = Crystal.from_atoms(atoms)
    order = Order(crystal, 600.0, 500, 0).run(SimpleNamespace(calculator=lambda: Bonds(crystal),
                                                              has_forces=False))  # fmt: skip
    alpha, error = order["Mo-Nb"]
    assert 0 < error < 0.02
    assert abs(alpha - exact_alpha(crystal, 600.0)) < 4 * error
    assert abs(alpha - exact_alpha(crystal, 1500.0)) > 4 * error


@pytest.mark.slow
def test_intervals_cover_and_count_sites_not_hops() -> None:
    rng = np.random.default_rng(0)
    inside = {"sites": 0, "hops": 0}
    for _ in range(60):
        x = np.repeat(rng.normal(size=20), 4) + 0.1 * rng.normal(size=80)
        groups = {"sites": [str(k // 4) for k in range(80)], "hops": [str(k) for k in range(80)]}
        for name, group in groups.items():
            _, low, high = _interval(_mean, [x], group, 0)
            inside[name] += low < 0 < high
    assert 51 <= inside["sites"] <= 100
    assert inside["hops"] < 48


def test_names_of_potentials() -> None:
    given = {"eam:NbMoTa.eam.alloy": "NbMoTa-eam", "mace:a/my.model": "my-mace"}
    given |= {EMT_TEXT: "EMT", "emt": "emt", "x=lammps:pair_style a; pair_coeff * * b=1": "x"}
    assert [named_potential(text)[0] for text in given] == [*given.values()]
    with pytest.raises(ValueError, match="needs a name"):
        named_potential("lammps:pair_style lj/cut 6; pair_coeff * * 1 2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "nothing to compare"),
        ("pair:NbMoTa", "give --species, --table or --frames"),
        ("pair:NbMoTa pair:NbMoTa --species Nb", "two potentials have one name"),
        ("eam:no.eam.alloy --species Nb", "no such file: no.eam.alloy"),
        ("wrong:x --species Nb", "is not understood"),
        ("pair:NbMoTa --species W Nb", "pair:NbMoTa gives no energy of W and Nb"),
        (f"{EMT_TEXT} --species Nb", "gives no energy of Nb and Nb"),
        ("pair:NbMoTa --species Nb Qq", "no element is called Qq"),
        ("pair:NbMoTa --table neb --hops 999", "has 43. hops with a barrier, not 999"),
        ("pair:NbMoTa --table neb --species Nb", "--species must name them all"),
        ("pair:NbMoTa --species Nb --temperatures 900", "order needs two elements"),
        ("pair:NbMoTa --species Nb Ta --frames frames.extxyz", "need a pure frame of Ta"),
        ("pair:NbMoTa --frames frames.extxyz --alloys 9", "2 alloys of Mo, Nb are among them"),
        ("--join frames.extxyz", "frames.extxyz is no result of macro-ase compare-potentials"),
        ("pair:NbMoTa --species Nb --out neb", "neb holds no comparison: choose another"),
    ],
)
def test_refusals(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    message: str,
) -> None:
    monkeypatch.chdir(data)
    given = words(line)
    given += [] if "--out" in given else ["--out", "refused"]
    assert main(["compare-potentials", *given]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith("macro-ase: error: ")
    assert re.search(message, said)
    assert not Path("refused").exists()


@pytest.mark.skipif(not DATA.is_dir(), reason="the published data are not here")
def test_phases_are_found_among_published_frames() -> None:
    folder = DATA / "nbmota_dft"
    names = ("elements.extxyz.gz", "solid_solutions.extxyz.gz")
    asked = plan(Questions(frames=[folder / name for name in names], n_frames=1))
    meV = {k.split(" ", 1)[1]: 1e3 * v for k, v in asked.reference.items() if k[0] == "p"}
    assert len(meV) == 12
    assert meV["B2 MoTa"] == pytest.approx(-193.8, abs=0.05)
    assert meV["B2 MoNb"] == pytest.approx(-115.6, abs=0.05)


def test_results_that_are_damaged_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"format": "macro_ase compared potential 1"}')
    with pytest.raises(ValueError, match="is no result of macro-ase compare-potentials"):
        Measured.read(tmp_path / "x.json")
