"""Maps of order by the run of many compositions, whose model is made by hand: command and files."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning.models.linear_model import made

from macro_ase.cli import main
from macro_ase.config import load_config
from macro_ase.learning.models.clock import Clock
from macro_ase.learning.pairs import Scaling
from macro_ase.sampling.store import Store
from macro_ase.studies.compositions.design import CompositionDesign
from macro_ase.studies.compositions.small_order import SmallOrder
from macro_ase.toml_text import dump_toml

pytestmark = pytest.mark.learn
REST, TILT = np.array([-0.05, 0.1, -0.2]), np.array([0.0, 0.2, -0.3])
KELVIN = (1600.0, 2400.0)
ATOMS = 1023 / 1024
"""Share of sites that are not vacant."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a study leaves it; order rests at what 1 / T says, whatever the composition."""
    folder = tmp_path_factory.mktemp("runs") / "many"
    folder.mkdir()
    changes = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]", "small.runs=1")
    config = load_config("nbmota-composition", False, changes)
    (folder / "config.toml").write_text(dump_toml(config))
    d = CompositionDesign.of(config)
    rows = np.array([own.system.model_condition({"T": t}) for own, t in d.conditions])
    scale = np.array([0.1, 0.2, 0.2])
    kept = np.stack([rows.min(axis=0), rows.max(axis=0)])
    scaling = Scaling(np.zeros(6), np.full(6, 0.1), rows.mean(axis=0), scale, kept)
    common = (np.full(6, 0.05), np.full(6, 0.01), scaling, Clock(np.ones(1), np.zeros(1)))
    rests = [np.concatenate([REST + shift, np.zeros(3)]) for shift in (-0.01, 0.01)]
    tilt = np.concatenate([TILT, np.zeros(3)])
    made(rests, tilt, *common, d.names, 4).save(folder / "model")
    store = Store(folder / "data.zarr")
    for own, t in d.conditions:
        order = own.system.small_order
        z = np.tile(order.random_state(2), (4, 1))
        free = np.full((4, 3), 8 * order.fractions[-1])
        for key in own.keys("small", t):
            store.write(key, {"z": z, "extra": free})
    return folder


@pytest.fixture(scope="module", autouse=True)
def small_crystals_fitted_once() -> Iterator[None]:
    """There is one run."""
    fit, found = SmallOrder.of, list[SmallOrder]()

    def once(*given: Any) -> SmallOrder:
        found[:] = found or [fit(*given)]
        return found[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SmallOrder, "of", once)
        yield


def expected(temperature: float) -> np.ndarray:
    """Deviation of unlike pairs, Nb-Mo, Nb-Ta and Mo-Ta."""
    return REST + TILT * (1000 / temperature - np.mean([1000 / t for t in KELVIN]))


@pytest.mark.slow
def test_the_map_its_files_and_what_it_says(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, picture = tmp_path / "map.csv", tmp_path / "map.png"
    words = ["map", str(run), "--temperature", "2000", "--parts", "6"]
    assert main([*words, "--csv", str(table), "--plot", str(picture)]) == 0
    out, err = capsys.readouterr()
    assert picture.read_bytes()[:4] == b"\x89PNG" and "Mo-Ta" in out
    assert err.count("barriers are extrapolated at") == 1
    assert err.count("the model extrapolates") == 1 and err.count("\n") == 2
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == 28 and sum(row["inside"] == "1" for row in rows) in range(6, 18)
    for row in rows:
        c = np.array([float(row[s]) for s in ("Nb", "Mo", "Ta")])
        for name, value in zip(("Nb-Mo", "Nb-Ta", "Mo-Ta"), expected(2000)):
            own, error = row[f"alpha {name}"], row[f"error {name}"]
            a, b = (c[["Nb", "Mo", "Ta"].index(s)] * ATOMS for s in name.split("-"))
            assert (own != "") == (a * b > 0)  # blank where a species is absent
            if own:
                assert float(own) * (8 * a * b) ** 0.5 == pytest.approx(value, rel=1e-5)
                assert float(error) * (8 * a * b) ** 0.5 == pytest.approx(0.01, rel=1e-2)


@pytest.mark.slow
def test_like_pairs_keep_the_sum_rule(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """sum over B of c_B alpha_AB = 0 where a vacancy is next to every atom alike."""
    table, hot = tmp_path / "map.csv", ["--temperature", "1600", "--parts", "6"]
    assert main(["map", str(run), *hot, "--csv", str(table)]) == 0
    assert "K lies outside" not in capsys.readouterr().err
    for row in csv.DictReader(table.open()):
        c = {s: float(row[s]) for s in ("Nb", "Mo", "Ta")}
        present = [s for s in c if c[s] > 0]
        for a in present if len(present) > 1 else ():
            own = [(b, row.get(f"alpha {a}-{b}") or row.get(f"alpha {b}-{a}")) for b in present]
            assert abs(sum(c[b] * float(value) for b, value in own)) < 1e-4


@pytest.mark.slow
def test_temperatures_outside_are_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(run), "--temperature", "1200", "--parts", "2"]) == 0
    assert "1200 K lies outside the 1600 to 2400 K" in capsys.readouterr().err


def test_refusals(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hot = ["--temperature", "2000"]
    both = ["--csv", "one.csv", "--plot", "one.csv"]
    cases = [(str(tmp_path), [], "holds no run"), (str(run), both, "one file")]
    for folder, words, message in cases:
        assert main(["map", folder, *hot, *words]) == 2
        assert message in capsys.readouterr().err
    for study, message in (
        ("nbmota", "has learned from one composition at most"),
        ("nbmota-composition", "has learned no model yet"),
    ):
        (tmp_path / "config.toml").write_text(dump_toml(load_config(study)))
        assert main(["map", str(tmp_path), *hot]) == 2
        out, err = capsys.readouterr()
        assert out == "" and message in err and err.count("\n") == 1


def test_commands_of_one_composition_point_here(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["anneal", str(run), "--schedule", "2000 K, hold 1 s"]) == 2
    err = capsys.readouterr().err
    assert "macro-ase map takes it" in err and err.count("\n") == 1


def test_a_model_of_other_observables_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As runs of an earlier release have: they would be read as what they are not."""
    old = tmp_path / "old"
    shutil.copytree(run, old)
    about = old / "model" / "model.json"
    about.write_text(about.read_text().replace("deviation ", "alpha "))
    assert main(["map", str(old), "--temperature", "2000"]) == 2
    assert "has a model of alpha Nb-Mo, alpha Nb-Ta" in capsys.readouterr().err
