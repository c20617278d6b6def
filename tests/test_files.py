"""Files are there whole or not at all, and a failure to write names them."""

import os
from pathlib import Path

import pytest

from macro_ase.files import naming, replacing, save_figure, write_atomically


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomically(file, "old")
    with pytest.raises(KeyboardInterrupt), replacing(file) as beside:
        beside.write_text("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_text_is_utf_8_without_translated_line_ends(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "αβ\n\r\n")
    assert (tmp_path / "a").read_bytes() == "αβ\n\r\n".encode()


def test_what_does_not_change_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_atomically(file, "same")
    before = file.stat()
    write_atomically(file, "same")
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    write_atomically(file, "else")
    assert file.read_text() == "else" and file.stat().st_ino != before.st_ino


def test_links_and_modes_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "a", tmp_path / "link"
    file.touch(mode=0o640)
    link.symlink_to(file)
    write_atomically(link, b"new")
    assert link.is_symlink() and file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_reader_keeps_the_file_that_it_opened(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_atomically(file, "old")
    with file.open() as reader:
        write_atomically(file, "new")
        assert reader.read() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_names_the_file_and_says_that_work_goes_on() -> None:
    with pytest.raises(OSError, match=r"cannot write /dev/full: no space left .* run again"):
        write_atomically("/dev/full", b"x")


def test_libraries_that_only_say_so_are_understood(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write data: no space left"), naming("data"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")
    with pytest.raises(RuntimeError, match="a fault"), naming("data"):
        raise RuntimeError("a fault")


@pytest.mark.skipif(os.geteuid() == 0, reason="may write anywhere")
def test_a_file_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch(mode=0o400)
    with pytest.raises(PermissionError, match=rf"cannot write {file}: permission denied"):
        write_atomically(file, "x")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot write .*gone/a: no such file"):
        write_atomically(tmp_path / "gone" / "a", "x")


def test_figures(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    save_figure(Figure(), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[1:4] == b"PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
