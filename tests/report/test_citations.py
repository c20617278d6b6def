"""What a run used is what it says to cite."""

import re
from pathlib import Path

import pytest

import macro_ase
from macro_ase.config import list_studies, load_config
from macro_ase.report.citations import WORKS, works_of
from macro_ase.toml_text import dump_toml

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"@\w+\{(\w+),\n((?:  \w+ = \{.+\},\n)+)\}\n")


@pytest.mark.parametrize("study", [name for name, _ in list_studies()])
def test_every_study_cites_its_paper(study: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(dump_toml(load_config(study)))
    text = macro_ase.citation(tmp_path)
    entries = ENTRY.findall(text)
    assert entries[0][0] == "macro_ase"
    assert ("partial_forces" if "forces" in study or "saving" in study else "patches") in text
    assert "\n".join(f"@{WORKS[k]['type']}{{{k},\n{fields}}}\n" for k, fields in entries) == text


@pytest.mark.parametrize(
    ("study", "changes", "used", "unused"),
    [
        ("nbmota", (), "barriers_from_DFT", "embedded_atom"),
        ("nbmota", ("system.barriers=NbMoTaW",), "energies_NbMoTaW", "network_kinetics"),
        ("nbmota", ("system.barriers=own.json",), "kinetically_resolved_", "barriers_from_DFT"),
        ("nbmota", ("system.barriers=own.npz",), "network_kinetics", "kinetically_resolved_"),
        ("nbmota-swap", (), "embedded_atom", "kinetically_resolved_"),
        ("nbmota-swap", ("system.potential=mine.alloy",), "patches", "embedded_atom"),
        ("ising-critical", (), "cluster_moves", "partial_forces"),
    ],
)
def test_what_is_used_is_cited(
    study: str, changes: tuple[str, ...], used: str, unused: str
) -> None:
    keys = " ".join(works_of(load_config(study, overrides=changes)))
    assert used in keys and unused not in keys


def test_without_a_run_the_package_and_its_papers() -> None:
    text = macro_ase.citation()
    assert re.findall(r"@\w+\{(\w+)", text) == ["macro_ase", "patches", "partial_forces"]
    assert f"version = {{{macro_ase.__version__}}}" in text


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither the folder of a run nor a file"):
        macro_ase.citation(tmp_path / "gone")
    (tmp_path / "x.toml").write_text("= 1")
    with pytest.raises(ValueError, match="is not valid TOML"):
        macro_ase.citation(tmp_path / "x.toml")


def test_the_papers_are_those_of_the_citation_file() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    for key in ("patches", "partial_forces"):
        assert f"title: {WORKS[key]['title']}" in text and WORKS[key]["journal"] in text
