"""Who does what among several tasks: one at a time, and what the dead had is free."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from macro_ase.claims import Claims


def silent(claims: Claims, seconds: float) -> None:
    """Let a task's file look as if it was not touched for so long."""
    past = time.time() - seconds
    os.utime(claims.tasks / claims.name, (past, past))


def of_another_host(claims: Claims) -> None:
    told = claims.me | {"host": "elsewhere"}
    (claims.tasks / claims.name).write_text(json.dumps(told))


def test_one_of_two_has_an_item(tmp_path: Path) -> None:
    with Claims(tmp_path, "one") as one, Claims(tmp_path, "two") as two:
        assert one.take("pairs/8/0") and not two.take("pairs/8/0") and two.take("pairs/8/1")
        one.release("pairs/8/0")
        assert two.take("pairs/8/0")
        assert one.others() == [f"two (process {os.getpid()} on {two.me['host']})"]
    assert list(tmp_path.iterdir()) == []


def test_own_share_first_then_what_is_left(tmp_path: Path) -> None:
    keys, done = [f"k{k}" for k in range(6)], {"k1"}
    with Claims(tmp_path, "a", (1, 3)) as a, Claims(tmp_path, "b", (0, 3)) as b:
        mine = a.taken(keys, done.__contains__)
        assert next(mine) == "k4"
        assert list(b.taken(keys, done.__contains__)) == ["k0", "k3", "k2", "k5"]
        assert list(mine) == []


def test_what_was_finished_a_moment_ago_is_not_done_again(tmp_path: Path) -> None:
    answers = iter([False, True])
    with Claims(tmp_path, "a") as a:
        assert list(a.taken(["k"], lambda key: next(answers))) == [] and not a.mine


def test_claims_of_a_killed_process_are_void_at_once(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path; from macro_ase.claims import Claims\n"
        "with Claims(Path(sys.argv[1]), 'dead') as c:\n"
        "    c.take('k'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    with Claims(tmp_path, "alive") as alive:
        assert (tmp_path / "claims" / "k.claim").is_file()
        assert alive.others() == [] and alive.take("k")


def test_tasks_of_other_hosts_are_dead_when_they_are_silent(tmp_path: Path) -> None:
    with Claims(tmp_path, "far", patience_s=30) as far, Claims(tmp_path, "near") as near:
        of_another_host(far)
        assert far.take("k") and not near.take("k") and near.others()
        silent(far, 61)
        assert near.others() == [] and near.take("k")
        far.release("k")
        assert (tmp_path / "claims" / "k.claim").read_text() == near.name


def test_a_claim_cut_off_while_it_was_written_is_void_after_a_while(tmp_path: Path) -> None:
    with Claims(tmp_path, "a", patience_s=0.2) as a:
        (a.folder / "k.claim").touch()
        assert not a.take("k")
        time.sleep(0.3)
        assert a.take("k")


def test_a_task_is_alive_as_long_as_it_runs(tmp_path: Path) -> None:
    with (
        Claims(tmp_path, "far", patience_s=0.3) as far,
        Claims(tmp_path, "near", patience_s=0.3) as near,
    ):
        of_another_host(far)
        far.take("k")
        time.sleep(0.7)
        assert near.others() and not near.take("k")


def test_one_makes_and_the_other_waits(tmp_path: Path) -> None:
    made: list[str] = []

    def make(name: str) -> None:
        with Claims(tmp_path, name, patience_s=0.6) as claims, claims.alone("model"):
            if not made:
                time.sleep(0.2)
                made.append(name)

    threads = [threading.Thread(target=make, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"host": 3, "pid": "x"}'])
def test_damaged_files_of_tasks_claim_nothing(tmp_path: Path, content: str) -> None:
    with Claims(tmp_path, "a", patience_s=0.1) as a:
        (a.tasks / "other").write_text(content)
        (a.folder / "k.claim").write_text("other")
        time.sleep(0.15)
        assert a.take("k") and a.others() == []
