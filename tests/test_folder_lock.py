"""One writer for each folder: who holds it, and when a lock is stale."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from macro_ase.folder_lock import NAME, only_writer, this_process

HOLD = (
    "import sys; from pathlib import Path; from macro_ase.folder_lock import only_writer\n"
    "with only_writer(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], **pipes)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def write_lock(folder: Path, **changes: Any) -> None:
    (folder / NAME).write_text(json.dumps(this_process() | changes))


def test_a_second_process_is_told_who_holds_the_folder(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    with pytest.raises(FileExistsError, match=rf"{tmp_path} is in use by process {other.pid} on "):
        with only_writer(tmp_path):
            raise AssertionError("two writers")
    other.communicate("")
    with only_writer(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()
    assert not (tmp_path / NAME).exists()


def test_a_killed_process_holds_nothing(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()  # and not waited for: its entry in the process table is still there
    while (tmp_path / NAME).exists():
        try:
            with only_writer(tmp_path):
                pass
        except FileExistsError:  # until the kernel has ended it
            continue


def test_a_process_number_used_again_is_another_process(tmp_path: Path) -> None:
    write_lock(tmp_path, pid=os.getppid(), started="-1")
    with only_writer(tmp_path):
        pass


@pytest.mark.parametrize("changes", [{"host": "elsewhere"}, {"processes": "pid:[1]"}])
def test_what_cannot_be_looked_for_is_never_taken_over(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    write_lock(tmp_path, pid=2**22 + 1, **changes)
    with pytest.raises(FileExistsError, match=rf"if that one is gone, remove {tmp_path / NAME}"):
        with only_writer(tmp_path):
            raise AssertionError("stolen")
    assert (tmp_path / NAME).is_file()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": null}', "\udcff"])
def test_a_lock_that_a_kill_cut_off_is_stale(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content, errors="surrogateescape")
    with only_writer(tmp_path):
        pass


def test_an_error_in_the_block_frees_the_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), only_writer(tmp_path / "new"):
        raise KeyboardInterrupt
    assert list((tmp_path / "new").iterdir()) == []


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    inside, most, refused = [0], [0], [0]
    start, guard = threading.Barrier(8), threading.Lock()

    def try_it() -> None:
        start.wait()
        try:
            with only_writer(tmp_path):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                start.wait()
                inside[0] -= 1
        except FileExistsError:
            refused[0] += 1
            start.wait()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most[0], refused[0]) == (1, 7)
