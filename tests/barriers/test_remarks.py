"""What cannot be trusted in a model is said by everything that uses it."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from macro_ase.barriers import BarrierModel, KRABarriers
from macro_ase.barriers.load import load_barriers
from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.config import load_config
from macro_ase.crystal import Crystal
from macro_ase.engines import VacancyKMC
from macro_ase.systems.alloy_setup import alloy_from_config

SENTENCE = "only 3 hops of Ta were fitted"


@pytest.fixture(scope="module")
def shipped() -> KRABarriers:
    return KRABarriers.load()


@pytest.fixture
def doubtful(shipped: KRABarriers, tmp_path: Path) -> Path:
    """A file of a model whose fit warns."""
    file = tmp_path / "doubtful.json"
    replace(shipped, fit_warnings=(SENTENCE, "R^2 is low")).save(file)
    return file


def crystal_of(model: BarrierModel, composition: str) -> Crystal:
    return Crystal.from_atoms(build_crystal("bcc", composition, (4, 4, 4), rng=0), model.species)


def alloy(composition: str = "NbMoTa") -> tuple[Atoms, int]:
    atoms = build_crystal("bcc", composition, (3, 3, 3), vacancies=1, rng=0)
    return atoms, atoms.get_chemical_symbols().index("X")


def said(action: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [str(w.message) for w in caught]


def test_they_are_in_the_file_and_old_files_have_none(doubtful: Path) -> None:
    data = json.loads(doubtful.read_text())
    assert data["warnings"] == [SENTENCE, "R^2 is low"] and data["unfitted_species"] == []
    del data["warnings"], data["unfitted_species"]
    doubtful.write_text(json.dumps(data))
    assert said(lambda: load_barriers(doubtful)) == []


def test_loading_and_drivers_say_all_of_them(doubtful: Path) -> None:
    expected = [f"barrier fit: {text}" for text in (SENTENCE, "R^2 is low")]
    assert said(lambda: load_barriers(doubtful)) == expected
    with pytest.warns(UserWarning, match="barrier fit"):
        model = KRABarriers.load(doubtful)
    for _ in range(2):
        assert said(lambda: VacancyKMC(alloy()[0], model, 2000, rng=0)) == expected
    assert said(lambda: VacancyKMC(alloy()[0], model, 2000, rng=0).run(50)) == expected


def test_hop_barriers_say_each_once(doubtful: Path, shipped: KRABarriers) -> None:
    with pytest.warns(UserWarning, match="barrier fit"):
        model = KRABarriers.load(doubtful)
    assert len(said(lambda: model.hop_barriers(*alloy()))) == 2
    assert said(lambda: model.hop_barriers(*alloy())) == []
    (outside,) = said(lambda: model.hop_barriers(*alloy("Nb0.7Mo0.2Ta0.1")))
    assert outside.startswith("composition Nb 0.70")
    assert said(lambda: shipped.hop_barriers(*alloy())) == []


def test_kmc_says_each_once(
    doubtful: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "alloy.xyz", alloy()[0])
    argv = [tmp_path / "alloy.xyz", "--temperature", 2000, "--steps", 10, "--barriers", doubtful]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["kmc", *map(str, argv)]) == 0
    error = capsys.readouterr().err
    assert error.count(SENTENCE) == 1 and error.count("R^2 is low") == 1


def test_kmc_refuses_before_it_writes(shipped: KRABarriers, tmp_path: Path) -> None:
    write(tmp_path / "alloy.xyz", alloy()[0])
    replace(shipped, unfitted_species=("Ta",)).save(tmp_path / "no-ta.json")
    before = sorted(tmp_path.iterdir())
    argv = [tmp_path / "alloy.xyz", "--temperature", 2000, "--steps", 10]
    argv += ["--barriers", tmp_path / "no-ta.json", "--traj", tmp_path / "out.traj"]
    assert main(["kmc", *map(str, argv)]) == 2
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.filterwarnings("ignore:barrier fit")
def test_a_study_says_them_and_notes_them_for_its_report(doubtful: Path) -> None:
    overrides = ("system.small_size=[4,4,4]", "system.large_size=[8,8,8]")
    config = load_config("nbmota", True, (*overrides, f"system.barriers={doubtful}"))
    with pytest.warns(UserWarning, match=SENTENCE):
        _, notes = alloy_from_config(config)
    assert f"Warning: barrier fit: {SENTENCE}." in notes


def test_species_without_a_fitted_hop_are_refused(shipped: KRABarriers, tmp_path: Path) -> None:
    replace(shipped, unfitted_species=("Mo", "Ta"), compositions=np.array([[1.0, 0, 0]])).save(
        tmp_path / "one.json"
    )
    model = KRABarriers.load(tmp_path / "one.json")
    message = "fitted without a hop of Mo, Ta: nothing is known"
    for use in (
        lambda: model.hop_barriers(*alloy()),
        lambda: VacancyKMC(alloy()[0], model, 2000),
        lambda: model.check_use(crystal_of(model, "NbMoTa")),
    ):
        with pytest.raises(ValueError, match=message):
            use()
    assert said(lambda: model.hop_barriers(*alloy("Nb"))) == []


@pytest.mark.parametrize(
    ("composition", "apart"), [("NbMoTa", None), ("Nb0.1Mo0.5Ta0.4", 0.23), ("Nb", 0.66)]
)
def test_a_composition_far_from_the_fit(
    shipped: KRABarriers, composition: str, apart: float | None
) -> None:
    texts = said(lambda: shipped.check_use(crystal_of(shipped, composition)))
    assert len(texts) == (apart is not None)
    if apart is not None:
        assert f"lies outside what the barriers were fitted to, {apart:.2f} from the" in texts[0]


def test_distance_counts_and_not_the_box(synthetic: Any) -> None:
    """Five equal parts and three corners span a box that holds NbMoTa; none of them is near it."""
    corners = np.vstack([np.full(5, 0.2), np.eye(5)[:3]])
    model = replace(synthetic.true_model(5), compositions=corners)
    (text,) = said(lambda: model.check_use(crystal_of(model, "NbMoTa")))
    assert "0.20 from the nearest (Nb 0.20, Mo 0.20, Ta 0.20, W 0.20, V 0.20; at most 0.1)" in text
    assert said(lambda: model.check_use(crystal_of(model, "NbMoTaWV"))) == []
    assert said(lambda: model.check_use(crystal_of(model, "Mo0.95Ta0.05"))) == []


def test_the_index_of_a_vacancy(shipped: KRABarriers) -> None:
    atoms, vacancy = alloy()
    expected = shipped.hop_barriers(atoms, vacancy)[1]
    for index in (np.int64(vacancy), vacancy - len(atoms)):
        np.testing.assert_array_equal(shipped.hop_barriers(atoms, index)[1], expected)
    for index in (54, -55):
        with pytest.raises(ValueError, match=f"there is no atom {index} among 54"):
            shipped.hop_barriers(atoms, index)
