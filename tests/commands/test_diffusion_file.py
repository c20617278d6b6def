"""Diffusion of a file: the text, the files it writes, what it refuses."""

from pathlib import Path

import pytest
from ase.io import write

from macro_ase import ConstantBarriers, build_crystal
from macro_ase.cli import main
from macro_ase.commands.diffusion_file import diffusion_file

WORDS = ["--temperatures", "1000", "1500", "--hops", "65536"]


@pytest.fixture
def crystal(tmp_path: Path) -> list[str]:
    """Arguments: a pure fcc crystal and its barriers."""
    structure, barriers = tmp_path / "copper.xyz", tmp_path / "copper.json"
    write(structure, build_crystal("fcc", "Cu", (4, 4, 4), vacancies=1, rng=0))
    ConstantBarriers({"Cu": 0.7}, "fcc").save(barriers)
    return [str(structure), "--barriers", str(barriers)]


@pytest.mark.slow
def test_text_table_and_figure(
    crystal: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--csv", str(tmp_path / "D.csv"), "--plot", str(tmp_path / "D.png")]
    assert main(["diffusion", *crystal, *WORDS, *out, "--vacancy-fraction", "1e-5"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("copper.xyz: 256 fcc sites, Cu255X")
    assert "1500 K, 65536 hops" in text and "in the laboratory 1e-05 vacancies a site" in text
    law = next(line for line in text.splitlines()[-2:] if line.startswith("Cu"))
    assert float(law.split()[4]) == pytest.approx(0.7, abs=0.03)
    assert len((tmp_path / "D.csv").read_text().splitlines()) == 5
    assert (tmp_path / "D.png").stat().st_size > 5000
    assert main(["diffusion", *crystal, *WORDS, "--seed", "0", "--vacancy-fraction", "1e-5"]) == 0
    assert capsys.readouterr().out == text


def test_one_temperature_has_no_law(crystal: list[str]) -> None:
    text = diffusion_file(crystal[0], [1000], 65536, crystal[2])
    assert "Q (eV)" not in text and text.splitlines()[-1].startswith("X")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--hops", "1000"], "hops must be 65536 or more, not 1000"),
        (["--plot", "D.pdf"], "a figure ends in .png"),
        (["--vacancy-fraction", "2"], "must be between 0 and 1"),
        (["--vacancy-fraction", "none.json"], "no such file: none.json"),
        (["--vacancies", "300"], "cannot take 300 vacancies out of 255 atoms"),
    ],
)
def test_useless_input_is_one_line(
    crystal: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diffusion", *crystal, *WORDS, *more]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and message in error[0]


@pytest.mark.slow
def test_kmc_gives_the_coefficients_too(
    crystal: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diffusion", *crystal, "--temperatures", "1000", "--hops", "262144"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    own = {row[0]: (float(row[1]), float(row[3])) for row in rows if row and row[0] in ("Cu", "X")}
    words = ["--temperature", "1000", "--steps", "262144", "--interval", "1024"]
    assert main(["kmc", *crystal, *words]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {row[0]: (float(row[1]), float(row[3])) for row in rows if row[1:3][1:] == ["±"]}
    for ours, theirs in ((own["Cu"], found["Cu"]), (own["X"], found["vacancy"])):
        assert abs(ours[0] - theirs[0]) < 3 * (ours[1] ** 2 + theirs[1] ** 2) ** 0.5
    assert main(["kmc", *crystal, "--temperature", "1000", "--steps", "1000"]) == 0
    assert "diffusion coefficients" not in capsys.readouterr().out
