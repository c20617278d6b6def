"""Whatever a file holds: it is used, or refused in one line of a user's words; never a traceback.

Good files are written by the package and by ASE, then spoilt. Work that takes long is not begun.
"""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

pytest.importorskip("hypothesis")

from fuzzing import (
    CHARACTERS,
    JSONS,
    OF_PROGRAMMERS,
    Begun,
    bounded,
    exchanged,
    folder,
    places,
    refused,
)
from hypothesis import example, given
from hypothesis import strategies as st

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.commands import compute_barriers
from macro_ase.engines.vacancies.kmc import VacancyKMC
from macro_ase.potentials import path as potential_path
from macro_ase.structure_files import write_structure
from macro_ase.studies.registry import HOMES, study_class

pytestmark = pytest.mark.filterwarnings("ignore")
WORDS = [
    "nan",
    "inf",
    "1e300",
    "-1",
    "0",
    "",
    "x",
    "1.5",
    "99999999999999999999",
    "\x00",
    "*",
    "1 2",
]
Damage = Callable[[bytes], bytes]


def crystals() -> list[Atoms]:
    """Frames of one random crystal: with a vacancy, momenta, energies and forces."""
    atoms = build_crystal("bcc", "NbMoTa", (2, 2, 2), 1, None, 3.24, 1)
    frames = [atoms.copy() for _ in range(3)]
    rng = np.random.default_rng(0)
    for frame in frames:
        frame.rattle(0.02, rng=rng)
        frame.set_momenta(rng.normal(size=(len(frame), 3)))
        forces = rng.normal(size=(len(frame), 3))
        frame.calc = SinglePointCalculator(frame, energy=-1.0, forces=forces)
    return frames


def _files() -> dict[str, bytes]:
    names = ["a.extxyz", "a.xyz", "POSCAR", "a.cif", "a.data", "a.dump", "a.traj", "a.json", "a.db"]
    with folder() as here:
        frames = crystals()
        for name in names:
            many = name.endswith(("xyz", "dump", "traj"))
            write_structure(here / name, frames if many else frames[0])
        write(here / "plain.xyz", frames, format="xyz")
        write_structure(here / "a.data.gz", frames[0])
        return {file.name: file.read_bytes() for file in sorted(here.iterdir())}


FILES = _files()
TEXTS = [name for name in FILES if not name.endswith((".traj", ".gz", ".db"))]


@st.composite
def damage(draw: Any, text: bool) -> Damage:
    """One thing that may happen to a file."""
    kinds = ["cut", "flip", "insert", "crlf", "empty", "latin"]
    kinds += ["drop", "double", "swap", "word", "word", "word", "head"] if text else []
    kind, a, b = draw(st.sampled_from(kinds)), draw(st.floats(0, 1)), draw(st.floats(0, 1))
    word = draw(st.sampled_from(WORDS)).encode()
    byte = draw(st.binary(min_size=1, max_size=3))

    def spoil(raw: bytes) -> bytes:
        at, lines = int(a * len(raw)), raw.split(b"\n")
        n, m = int(a * (len(lines) - 1)), int(b * (len(lines) - 1))
        match kind:
            case "cut":
                return raw[:at]
            case "flip":
                return raw[:at] + byte + raw[at + len(byte) :]
            case "insert":
                return raw[:at] + byte + raw[at:]
            case "crlf":
                return raw.replace(b"\n", b"\r\n")
            case "empty":
                return b""
            case "latin":
                return raw[:at] + "\u00e9\u00fc".encode("latin-1") + raw[at:]
            case "drop":
                del lines[n]
            case "double":
                lines.insert(n, lines[n])
            case "swap":
                lines[n], lines[m] = lines[m], lines[n]
            case "word" | "head":
                n = n % 12 if kind == "head" else n
                n = min(n, len(lines) - 1)
                words = lines[n].split(b" ")
                words[int(b * (len(words) - 1))] = word
                lines[n] = b" ".join(words)
        return b"\n".join(lines)

    return spoil


@st.composite
def spoilt(draw: Any, names: list[str]) -> tuple[str, bytes]:
    """Name and content of a file after one to three accidents."""
    name = draw(st.sampled_from(names))
    raw = FILES[name]
    for spoil in draw(st.lists(damage(name in TEXTS), min_size=1, max_size=3)):
        raw = spoil(raw)
    return name, raw


def refused_in_words(*argv: str) -> str:
    """As `refused`, in words that are not Python's."""
    line = refused(*argv)
    assert OF_PROGRAMMERS.search(line) is None, line
    assert len(line) < 600, line
    return line


def contents(here: Path) -> dict[str, bytes]:
    return {str(p.relative_to(here)): p.read_bytes() for p in here.rglob("*") if p.is_file()}


def unharmed(here: Path, outputs: tuple[str, ...], *argv: str) -> None:
    """A command leaves its inputs alone and, if refused, writes nothing."""
    before = contents(here)
    line = refused_in_words(*argv)
    after = contents(here)
    assert before.items() <= after.items()
    new = {name for name in after if name not in before}
    assert not new if line else new <= set(outputs), (line, new)


@pytest.fixture(autouse=True)
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> None:
        raise Begun

    monkeypatch.setattr(compute_barriers, "_run", begin)
    for study in map(study_class, HOMES):
        monkeypatch.setattr(study, "compute" if hasattr(study, "compute") else "run", begin)


@pytest.mark.slow
@bounded(120)
@given(spoilt(list(FILES)))
@example(("a.db", b"\xc1"))
@example(("a.extxyz", b"99999999999\n\n"))
@example(("a.xyz", b"-2\n\nNb 0 0 0\n"))
@example(("POSCAR", FILES["POSCAR"].replace(b"   5   5", b"   5 99999999999")))
@example(("a.traj", FILES["a.traj"].replace(b"\x29" + 7 * b"\0", b"\xff" + 7 * b"\0")))
@example(("a.data", FILES["a.data"].replace(b"3 atom types", b"x atom types")))
def test_sro_of_any_structure_file(file: tuple[str, bytes]) -> None:
    name, raw = file
    with folder() as here:
        (here / name).write_bytes(raw)
        unharmed(here, ("o.csv",), "sro", name, "--csv", "o.csv")


@pytest.mark.slow
@bounded(60)
@given(spoilt(["a.extxyz", "a.data", "a.dump", "a.traj", "POSCAR"]))
def test_kmc_of_any_structure_file(file: tuple[str, bytes]) -> None:
    name, raw = file
    out = ("o.traj", "o.log")
    options = ("--temperature", "2000", "--steps", "2", "--traj", out[0], "--log", out[1])
    with folder() as here:
        (here / name).write_bytes(raw)
        unharmed(here, out, "kmc", name, *options)


@pytest.mark.slow
@bounded(40)
@given(spoilt(["a.extxyz", "a.data", "a.dump", "a.traj", "POSCAR"]))
def test_studies_of_any_structure_file(file: tuple[str, bytes]) -> None:
    name, raw = file
    with folder() as here:
        (here / name).write_bytes(raw)
        before = contents(here)
        if refused_in_words("run", "nbmota", "--quick", "--structure", name, "--out", "o"):
            assert contents(here) == before and not (here / "o").exists()


MODEL = json.loads(potential_path("NbMoTa-kra.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@bounded(80)
@given(st.data(), JSONS)
def test_kmc_with_any_barrier_model(data: Any, other: Any) -> None:
    path = data.draw(st.sampled_from(places(MODEL)[:400]))
    with folder() as here:
        (here / "a.extxyz").write_bytes(FILES["a.extxyz"])
        (here / "m.json").write_text(json.dumps(exchanged(MODEL, path, other)))
        options = ("--temperature", "2000", "--steps", "1", "--barriers", "m.json")
        unharmed(here, (), "kmc", "a.extxyz", *options)


@pytest.mark.slow
@bounded(40)
@given(damage(True), st.sampled_from(["m.json", "m.npz"]))
def test_kmc_with_any_barrier_file(spoil: Damage, name: str) -> None:
    raw = json.dumps(MODEL, indent=1).encode()
    if name == "m.npz":
        buffer = io.BytesIO()
        np.savez(buffer, W0=np.zeros((3, 3)), b0=np.zeros(3))
        raw = buffer.getvalue()
    with folder() as here:
        (here / "a.extxyz").write_bytes(FILES["a.extxyz"])
        (here / name).write_bytes(spoil(raw))
        options = ("--temperature", "2000", "--steps", "1", "--barriers", name)
        unharmed(here, (), "kmc", "a.extxyz", *options)


EAM = potential_path("NbMoTa.eam.alloy").read_bytes()


@pytest.mark.slow
@bounded(25)
@given(st.lists(damage(True), min_size=1, max_size=2))
def test_barriers_with_any_eam_table(spoils: list[Damage]) -> None:
    raw = EAM
    for spoil in spoils:
        raw = spoil(raw)
    full = build_crystal("bcc", "NbMoTa", (2, 2, 2), 0, None, 3.24, 1)
    with folder() as here:
        write(here / "a.extxyz", full)
        (here / "p.eam.alloy").write_bytes(raw)
        argv = ("compute-barriers", "a.extxyz", "--calculator", "eam:p.eam.alloy", "--out", "neb")
        if refused_in_words(*argv):
            assert not (here / "neb").exists()


@pytest.fixture(scope="module")
def hops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Tables of barriers of one crystal, as `fit-barriers` reads them."""
    atoms = build_crystal("bcc", "NbMoTa", (2, 2, 2), 0, None, 3.24, 1)
    neighbours = compute_barriers._neighbours(atoms)
    order = np.argsort(atoms.get_chemical_symbols(), kind="stable")
    rank = np.argsort(order)
    here = tmp_path_factory.mktemp("hops")
    write(here / "POSCAR", atoms[order], format="vasp")
    np.savetxt(here / "atomid_for_01.txt", rank[neighbours[order]] + 1, fmt="%d")
    values = np.random.default_rng(0).normal(1.2, 0.05, (len(atoms), 8))
    np.savetxt(here / "barrier_for_01.txt", values, fmt="%.6f")
    write(here / "frames.extxyz", crystals(), format="extxyz")
    return contents(here)


@pytest.mark.slow
@bounded(10)
@given(st.data())
def test_fits_of_any_tables(hops: dict[str, bytes], data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(hops)))
    with folder() as here:
        (here / "neb").mkdir()
        for file, raw in hops.items():
            (here / "neb" / file).write_bytes(data.draw(damage(True))(raw) if file == name else raw)
        options = ("--energies", "neb/frames.extxyz") if name == "frames.extxyz" else ()
        unharmed(here, ("m.json",), "fit-barriers", "neb", "--out", "m.json", *options)


@pytest.mark.slow
@bounded(40)
@given(
    st.text(CHARACTERS, max_size=10)
    | st.from_regex(r"[a-zA-Z.]{0,6}\.[a-z]{1,6}(\.gz)?", fullmatch=True, alphabet=CHARACTERS)
)
@example("a.db")
@example("\x00")
@example("a" * 300 + ".xyz")
def test_crystals_with_any_name(name: str) -> None:
    """What can be written is there; what cannot leaves nothing."""
    with folder() as here:
        argv = ["build", "bcc", "NbMo", "--size", "2", "2", "2", "--out=" + name]
        line = refused_in_words(*argv)
        assert bool(line) == (not any(here.iterdir())), line


STATES = ("atoms", "temperature", "clock")


@pytest.fixture(scope="module")
def restart(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("restart") / "r.npz"
    driver().write_restart(file)
    return file.read_bytes()


def driver() -> VacancyKMC:
    atoms = build_crystal("bcc", "NbMoTa", (3, 3, 3), 1, None, 3.24, 1)
    return VacancyKMC(atoms, KRABarriers.load(), 2000.0, rng=1)


@bounded(20)
@given(damage(False))
def test_restart_files_with_any_bytes(restart: bytes, spoil: Damage) -> None:
    """Read whole, or refused and nothing of the driver changed."""
    kmc = driver()
    before = kmc.atoms.copy()
    raw = spoil(restart)
    with folder() as here:
        (here / "r.npz").write_bytes(raw)
        try:
            kmc.read_restart(here / "r.npz")
        except ValueError as error:
            assert OF_PROGRAMMERS.search(str(error)) is None, error
            assert (kmc.atoms == before) and kmc.nsteps == 0
        kmc.run(1)
    assert kmc.nsteps == 1


@pytest.mark.slow
@bounded(30)
@given(st.data())
def test_restart_files_with_any_array(restart: bytes, data: Any) -> None:
    with np.load(io.BytesIO(restart)) as file:
        arrays = dict(file)
    name = data.draw(st.sampled_from(sorted(arrays)))
    value = np.array(arrays[name])
    other = data.draw(st.sampled_from([np.nan, -1, 2**40, 0, 1e300, "x", True]))
    kmc = driver()
    if value.size and data.draw(st.booleans()):
        with np.errstate(all="ignore"):
            try:
                value.ravel()[data.draw(st.integers(0, value.size - 1))] = other
            except (ValueError, OverflowError):
                value = np.array(other)
    else:
        value = data.draw(st.sampled_from([np.array(other), value[..., None], value.ravel()[:0]]))
    with folder() as here:
        np.savez(here / "r.npz", **{**arrays, name: value})
        try:
            kmc.read_restart(here / "r.npz")
        except ValueError as error:
            assert OF_PROGRAMMERS.search(str(error)) is None, error
            assert kmc.nsteps == 0
        kmc.run(1)


@pytest.mark.parametrize("name", ["POSCAR", "a.xyz", "a.data", "a.dump.gz", "a.traj", "m.json"])
@pytest.mark.parametrize("what", ["folder", "nothing", "no gzip", "half a gzip"])
def test_no_file_at_all(name: str, what: str) -> None:
    raw = {
        "nothing": b"",
        "no gzip": b"\x1f\x8b garbage",
        "half a gzip": gzip.compress(b"x" * 99)[:20],
    }
    with folder() as here:
        (here / "a.extxyz").write_bytes(FILES["a.extxyz"])
        if what == "folder":
            (here / name).mkdir()
        else:
            (here / name).write_bytes(raw[what])
        before = contents(here)
        hops = ("--temperature", "2000", "--steps", "1")
        assert refused_in_words("sro", name)
        assert refused_in_words("kmc", name, *hops)
        assert refused_in_words("kmc", "a.extxyz", *hops, "--barriers", name)
        assert refused_in_words("fit-barriers", name, "--out", "o.json")
        assert refused_in_words("report", name)
        assert refused_in_words(
            "compute-barriers", name, "--calculator", "eam:" + name, "--out", "neb"
        )
        assert contents(here) == before
