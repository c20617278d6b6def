"""An alloy from its settings: what is put in, and what is refused, by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from macro_ase.barriers import ConstantBarriers
from macro_ase.build import build_crystal, nearest_counts
from macro_ase.config import load_config
from macro_ase.refusals import Refused
from macro_ase.systems import Alloy
from macro_ase.systems.alloy_setup import alloy_from_config

SMALL = (
    "system.small_size=[4,4,4]",
    "system.large_size=[8,8,8]",
    "system.sites_per_vacancy=128",
    "sampling.grow=true",
)


def settings(*overrides: str, structure: Path | None = None) -> dict[str, Any]:
    return load_config("nbmota", True, (*SMALL, *overrides), structure=structure)


def made(*overrides: str) -> tuple[Alloy, list[str]]:
    return alloy_from_config(settings(*overrides))


def from_file(tmp_path: Path, atoms: Atoms, *overrides: str) -> tuple[Alloy, list[str]]:
    file = tmp_path / "my.xyz"
    write(file, atoms)
    return alloy_from_config(settings(*overrides, structure=file))


def test_a_random_alloy() -> None:
    system, notes = made()
    assert system.small.size == (4, 4, 4) and system.large.size == (8, 8, 8)
    assert np.bincount(system.large_state)[3] == 8
    assert np.abs(np.bincount(system.large_state)[:3] - 1016 / 3).max() < 8
    assert "a random alloy, 8 x 8 x 8 bcc cells (341 Nb, 341 Mo, 342 Ta)" in notes[0]
    assert "8 put in at random places, one per 128 sites" in notes[1]


def test_the_seed_decides_and_0_is_a_seed() -> None:
    first, again, other = (made(f"seed={s}")[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(first.large_state, again.large_state)
    np.testing.assert_array_equal(first.small_states, again.small_states)
    assert not np.array_equal(first.large_state, other.large_state)


@pytest.mark.filterwarnings("ignore:composition")
def test_small_crystals_without_a_species_are_refused() -> None:
    """Three atoms of 1,024; none in both, or one in the small crystal, is all right."""
    with pytest.raises(
        Refused, match=r"size = \[4, 4, 4\]: its 128 sites hold no .* of 0.0029"
    ) as found:
        made("system.composition=Nb0.497Mo0.5Ta0.003")
    assert found.value.instead == {"system.small_size": [6, 6, 6]}
    for composition in ("Nb0.5Mo0.5", "Nb0.496Mo0.496Ta0.008"):
        made(f"system.composition={composition}")


@pytest.mark.filterwarnings("ignore:composition")
@pytest.mark.parametrize("composition", ["NbMoTa", "Nb0.4Mo0.27Ta0.33", "Mo0.3Ta0.7"])
def test_small_states_have_the_nearest_composition(composition: str) -> None:
    system, _ = made(f"system.composition={composition}")
    large = np.bincount(system.large_state, minlength=4)
    wanted = nearest_counts(large[:3] / large[:3].sum(), 127)
    for state in system.small_states:
        np.testing.assert_array_equal(np.bincount(state, minlength=4), [*wanted, 1])
    assert len(np.unique(system.small_states, axis=0)) == len(system.small_states)


def test_a_binary_has_one_observable() -> None:
    with pytest.warns(UserWarning, match="lies outside what the barriers were fitted to"):
        system, _ = made("system.composition=Mo0.3Ta0.7")
    assert system.names == ("Mo-Ta", "Mo-Ta (2)")


def test_small_states_are_cut_from_the_large_one(tmp_path: Path) -> None:
    """An ordered crystal gives ordered small states."""
    atoms = build_crystal("bcc", "Mo0.5Ta0.5", (8, 8, 8), 0, "B2", 3.24)
    with pytest.warns(UserWarning, match="lies outside"):
        system, _ = from_file(tmp_path, atoms)
    for state in system.small_states:
        corners, centres = state[::2], state[1::2]
        codes = sorted({np.bincount(corners).argmax(), np.bincount(centres).argmax()})
        assert codes == [1, 2]
        assert np.bincount(corners).max() >= 63 and np.bincount(centres).max() >= 63


def test_the_users_crystal_without_vacancies(tmp_path: Path) -> None:
    atoms = build_crystal("bcc", "Nb0.3Mo0.4Ta0.3", (8, 4, 12), rng=3)
    system, notes = from_file(tmp_path, atoms)
    assert system.large.size == (8, 4, 12)
    changed = system.large_state == 3
    assert changed.sum() == 6
    assert "my.xyz, 8 x 4 x 12 bcc cells" in notes[0] and any("6 put in" in note for note in notes)
    symbols = np.array(["Nb", "Mo", "Ta", "X"])[system.large_state]
    np.testing.assert_array_equal(symbols[~changed], np.array(atoms.symbols)[~changed])


@pytest.mark.parametrize("way", ["marked", "missing"])
def test_the_users_crystal_with_vacancies(tmp_path: Path, way: str) -> None:
    atoms = build_crystal(size=(8, 8, 8), vacancies=3, rng=3)
    if way == "missing":
        atoms = atoms[atoms.numbers > 0]
    system, notes = from_file(tmp_path, atoms)
    assert np.sum(system.large_state == 3) == 3
    assert "It has 3 vacancies of its own." in notes
    assert np.all((system.small_states == 3).sum(axis=1) == 1)
    assert system.vacancy_scale == pytest.approx((3 / 1024) / (1 / 128))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "system.small_size=[3,4,4]",
            r"small_size \[3, 4, 4\] does not divide .*axis: 4, 4 or 8, 4 or 8",
        ),
        ("system.small_size=[16,16,16]", r"system.small_size \[16, 16, 16\] does not divide"),
        ("system.small_size=[2,4,4]", "system.small_size must be three numbers of at least 3"),
        ("system.small_size=[4,4]", "system.small_size must be three numbers of at least 3"),
        ("system.large_size=[8,8,0]", "system.large_size must be three numbers of at least 3"),
        ("system.boundary=open", "system.boundary must be one of embedded, periodic, not 'open'"),
        ("system.sites_per_vacancy=0", "system.sites_per_vacancy must be at least 2, not 0"),
        ("system.composition=Nb0.5W0.5", "system.composition: W not among the model's"),
        ("system.composition=Nb0.5Mo0.1", "add to 0.6"),
        ("system.lattice_constant_A=-3", "lattice constant must be positive"),
        ("system.barriers=gone.json", "no such file: gone.json"),
        ("system.structure=gone.xyz", "no such file: gone.xyz"),
    ],
)
def test_bad_settings_are_named(override: str, message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        made(override)


@pytest.mark.filterwarnings("ignore:composition")
@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (bulk("Mo", "fcc", a=4.0, cubic=True) * (4, 4, 4), "not a block of conventional bcc"),
        (build_crystal("bcc", "NbW", (8, 8, 8), rng=0), "species W not among Nb, Mo, Ta"),
        (build_crystal("bcc", "Nb", (8, 8, 8), rng=0), "at least two species"),
        (build_crystal(size=(6, 6, 6), rng=0), r"system.small_size \[4, 4, 4\] does not divide"),
    ],
)
def test_bad_structures_are_refused(tmp_path: Path, atoms: Atoms, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_file(tmp_path, atoms)


def test_a_file_that_is_no_structure(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a crystal\n")
    with pytest.raises(ValueError, match=r"notes\.txt cannot be read as a structure"):
        alloy_from_config(settings(structure=file))


def test_barriers_without_an_energy_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "constant.json"
    ConstantBarriers({"Nb": 0.6, "Mo": 0.7, "Ta": 0.8}).save(file)
    with pytest.raises(ValueError, match=r"system.barriers holds constant barriers, without an en"):
        made(f"system.barriers={file}")
